//! Fields that are not compared. Knows how rules are applied and told; what a rule says, and in which language, is the business of
//! whoever implements [`IgnoreRule`].

use std::collections::HashSet;

use serde_json::Value;

use super::attribute::Owners;
use super::{FieldChange, align, fields, mask};
use crate::model::{FieldPath, secret};

/// A field that is different and ignored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ignored {
    pub(crate) path: FieldPath,
    /// What the rule is called: `ignore_differences[0]`.
    pub(crate) rule: String,
}

/// The rules for one object.
pub(crate) trait IgnoreFields {
    /// Returns the rules, in the order in which they are applied.
    fn rules(&self) -> Vec<&dyn IgnoreRule>;
}

/// Something that is not compared.
pub(crate) trait IgnoreRule {
    /// Returns what the rule is called where fields are listed that it hides.
    fn name(&self) -> String;

    /// Takes out of both sides what is not compared, or makes it equal. Returns whether that has changed them.
    ///
    /// # Errors
    /// Why the rule cannot be applied, as a sentence without values of the object. Then it has changed nothing.
    fn strip(&self, pair: &mut Pair<'_>) -> Result<bool, String>;
}

/// Both sides of an object that is there and stays, normalised but not masked: rules may select by value.
#[derive(Debug)]
pub(crate) struct Pair<'a> {
    /// The live object as it was read, with `metadata.managedFields`.
    pub(crate) live: &'a Value,
    pub(crate) before: &'a mut Value,
    pub(crate) after: &'a mut Value,
}

/// Nothing is ignored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoRules;

impl IgnoreFields for NoRules {
    fn rules(&self) -> Vec<&dyn IgnoreRule> {
        Vec::new()
    }
}

/// What rules have come to.
#[derive(Default)]
pub(super) struct Applied<'r> {
    /// What was different before them.
    suspects: Vec<FieldPath>,
    /// The rules that have changed something, and both sides as they were before them.
    changing: Vec<&'r dyn IgnoreRule>,
    original: (Value, Value),
    /// What went wrong.
    pub(super) problems: Vec<String>,
}

/// Applies the rules. The sides are compared once before them and not after each one, of which there may be thousands.
pub(super) fn apply<'r>(ignore: &'r dyn IgnoreFields, mut pair: Pair<'_>, owners: &Owners<'_>) -> Applied<'r> {
    let mut applied = Applied::default();
    let rules = ignore.rules();
    if rules.is_empty() || pair.before == pair.after {
        return applied;
    }
    applied.original = (pair.before.clone(), pair.after.clone());
    for rule in rules {
        match rule.strip(&mut pair) {
            Ok(false) => {}
            Ok(true) => {
                applied.changing.push(rule);
                if pair.before == pair.after {
                    break;
                }
            }
            Err(problem) => applied.problems.push(problem),
        }
    }
    if !applied.changing.is_empty() {
        let (before, after) = (&applied.original.0, applied.original.1.clone());
        applied.suspects = paths(before, after, owners);
    }
    applied
}

impl Applied<'_> {
    /// Returns what is not different any more, each with the rule that hides it. If several rules have changed something, they are applied
    /// once more, and the paths in question looked up after each one; what is left is the doing of the last one.
    pub(super) fn hidden(self, live: &Value, still: &[FieldChange]) -> Vec<Ignored> {
        let still: HashSet<String> = still.iter().map(|change| change.path.to_string()).collect();
        let mut open: Vec<(usize, FieldPath)> =
            self.suspects.into_iter().filter(|path| !still.contains(&path.to_string())).enumerate().collect();
        let Some((last, others)) = self.changing.split_last() else { return Vec::new() };
        let (mut before, mut after) = self.original;
        let mut hidden = Vec::with_capacity(open.len());
        // Paths of a Secret's masked values lead nowhere.
        let mut lost = Vec::new();
        if !others.is_empty() {
            (lost, open) = open.into_iter().partition(|(_, path)| is_same(&before, &after, path));
        }
        for rule in others {
            if open.is_empty() || rule.strip(&mut Pair { live, before: &mut before, after: &mut after }).is_err() {
                break;
            }
            let (own, rest): (Vec<_>, Vec<_>) = open.into_iter().partition(|(_, path)| is_same(&before, &after, path));
            hidden.extend(own.into_iter().map(|(at, path)| (at, Ignored { path, rule: rule.name() })));
            open = rest;
        }
        hidden.extend(open.into_iter().chain(lost).map(|(at, path)| (at, Ignored { path, rule: last.name() })));
        hidden.sort_by_key(|(at, _)| *at);
        hidden.into_iter().map(|(_, ignored)| ignored).collect()
    }
}

fn paths(before: &Value, mut after: Value, owners: &Owners<'_>) -> Vec<FieldPath> {
    let changes = if secret::is_inside(before) || secret::is_inside(&after) {
        let mut before = before.clone();
        let is_secret = secret::is_secret(&before) || secret::is_secret(&after);
        mask::mask(Some(&mut before), Some(&mut after), is_secret);
        fields::changes(Some(&before), Some(&mut after), owners).0
    } else {
        fields::changes(Some(before), Some(&mut after), owners).0
    };
    changes.into_iter().map(|change| change.path).collect()
}

/// Returns whether there is the same on both sides, or nothing on either.
fn is_same(before: &Value, after: &Value, path: &FieldPath) -> bool {
    let [before, after] = [before, after].map(|side| path.segments().iter().try_fold(side, |value, segment| align::at(value, segment)));
    before == after
}
