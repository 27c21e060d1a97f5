//! Compares an object as it is live with what an apply would make of it (design: diff.md 4.2). Pure: both sides are handed in as JSON,
//! and so is who owns which field, in `metadata.managedFields`. Knows neither how the sides were read nor how differences are shown.
//!
//! Both sides are normalised, what a rule ignores is taken out, and Secrets are masked; only then are they compared. So nothing that
//! leaves this module holds the value of a Secret, and equal values are still seen to be equal.
//!
//! The order of a list is content: the server keeps the order that an apply sends, even in lists whose items have keys, and another order
//! of containers or variables in a pod template rolls its pods. A list in another order is therefore one difference, `env[order]`, and its
//! items are compared by their keys all the same.

pub(in crate::plan) mod align;
mod attribute;
mod fields;
mod foreign;
mod ignore;
mod lines;
mod mask;
mod normalize;
mod overrule;
mod quantity;
mod sequence;
#[cfg(test)]
mod tests;
mod three_way;
mod unified;
mod yaml;

use std::sync::Arc;

use serde_json::Value;

use crate::model::{FieldPath, secret};
pub(crate) use ignore::{IgnoreFields, IgnoreRule, Ignored, NoRules, Pair};
pub(crate) use lines::{Line, LineKind, lines, unchanged};
pub(crate) use three_way::three_way;

/// One object on both sides, with `metadata.managedFields`. `None`: there is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sides<'a> {
    /// As the server has it.
    pub(crate) live: Option<&'a Value>,
    /// As the server's dry run answers.
    pub(crate) after: Option<&'a Value>,
}

/// What is different, and to whom it belongs. Secrets are masked in all of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Difference {
    /// In the order of the paths. A creation and a prune are one change of the whole object.
    pub(crate) fields: Vec<FieldChange>,
    /// What would be in `fields`, were it not for a rule.
    pub(crate) ignored: Vec<Ignored>,
    /// Rules that could not be applied, in whole sentences.
    pub(crate) problems: Vec<String>,
    /// Fields that the apply takes from others, whether or not their value changes.
    pub(crate) taken: Vec<Taken>,
    /// Fields of others that the target does not have and that stay.
    pub(crate) left_behind: Vec<Foreign>,
    /// Who has written into the live object last, beside its status; `None` if it does not say.
    pub(crate) written: Option<Written>,
    /// Both sides as they were compared: normalised, without ignored fields, masked.
    pub(crate) before: Option<Arc<Value>>,
    pub(crate) after: Option<Arc<Value>>,
    tree: align::Tree,
}

impl Difference {
    /// Returns whether nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// One field with another value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FieldChange {
    pub(crate) path: FieldPath,
    /// `None`: the field is not there. Secrets are masked.
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
    pub(crate) cause: Cause,
}

/// Why a field changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The target says so, and the field was ours or nobody's, or stays shared.
    Ours,
    /// The target says so, and somebody else loses the field.
    Taken {
        manager: String,
        /// `Apply` or `Update`.
        operation: String,
        /// When they last wrote, RFC 3339.
        time: Option<String>,
    },
    /// The field was ours, and the target does not have it any more.
    Removed,
    /// The target says nothing of it: a default of the server, or a webhook.
    Defaulted,
    /// The target says otherwise, and the server or a webhook has the last word.
    Overruled,
}

/// Fields that the apply takes from somebody.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Taken {
    pub(crate) manager: String,
    pub(crate) operation: String,
    pub(crate) time: Option<String>,
    pub(crate) fields: Vec<FieldPath>,
}

/// Fields that belong to somebody else and stay as they are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Foreign {
    pub(crate) manager: String,
    pub(crate) operation: String,
    pub(crate) time: Option<String>,
    /// Whether a client-side apply left them: our apply makes them ours first, and then takes them out (spec R715).
    pub(crate) client_side: bool,
    pub(crate) fields: Vec<FieldPath>,
}

/// The last write into an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) manager: String,
    pub(crate) operation: String,
    /// RFC 3339.
    pub(crate) time: String,
}

/// Compares both sides.
pub(crate) fn compare(sides: &Sides<'_>, ignore: &dyn IgnoreFields) -> Difference {
    let mut before = sides.live.map(normalize::normalized);
    let mut after = sides.after.map(normalize::normalized);
    normalize::drop_same_tracking(before.as_mut(), after.as_mut());
    let owners = attribute::Owners::of(sides);
    let is_any = |is: fn(&Value) -> bool| [sides.live, sides.after].into_iter().flatten().any(is);
    let is_secret = is_any(secret::is_secret);
    let mut difference = Difference::default();
    let mut applied = ignore::Applied::default();
    if let (Some(before), Some(after)) = (&mut before, &mut after) {
        let live = sides.live.unwrap_or(&Value::Null);
        applied = ignore::apply(ignore, Pair { live, before, after }, &owners);
    }
    mask::mask(before.as_mut(), after.as_mut(), is_secret);
    if let (Some(live), Some(dry_run)) = (sides.live, sides.after) {
        (difference.taken, difference.left_behind) = foreign::fields(live, dry_run, is_any(secret::is_inside));
    }
    difference.written = sides.live.and_then(foreign::last_write);
    (difference.fields, difference.tree) = fields::changes(before.as_ref(), after.as_mut(), &owners);
    difference.problems = std::mem::take(&mut applied.problems);
    difference.ignored = applied.hidden(sides.live.unwrap_or(&Value::Null), &difference.fields);
    difference.before = before.map(Arc::new);
    difference.after = after.map(Arc::new);
    difference
}
