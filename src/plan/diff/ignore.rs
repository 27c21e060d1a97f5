//! Fields that are not compared. Knows how rules are applied and told; what a rule says, and in which language, is the business of
//! whoever implements [`IgnoreRule`].

use std::collections::HashSet;

use serde_json::Value;

use super::attribute::Owners;
use super::{fields, mask};
use crate::model::FieldPath;

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

    /// Takes out of both sides what is not compared, or makes it equal.
    ///
    /// # Errors
    /// Why the rule cannot be applied, as a sentence without values of the object. What it has done to the sides by then is undone.
    fn strip(&self, pair: &mut Pair<'_>) -> Result<(), String>;
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

/// Applies the rules. Returns the differences that they hide, and what went wrong.
pub(super) fn apply(ignore: &dyn IgnoreFields, mut pair: Pair<'_>, owners: &Owners<'_>) -> (Vec<Ignored>, Vec<String>) {
    let (mut ignored, mut problems) = (Vec::new(), Vec::new());
    let rules = ignore.rules();
    if rules.is_empty() {
        return (ignored, problems);
    }
    let mut different = paths(&pair, owners);
    for rule in rules {
        if different.is_empty() {
            break;
        }
        let kept = (pair.before.clone(), pair.after.clone());
        if let Err(problem) = rule.strip(&mut pair) {
            (*pair.before, *pair.after) = kept;
            problems.push(problem);
            continue;
        }
        let left = paths(&pair, owners);
        let still: HashSet<String> = left.iter().map(FieldPath::to_string).collect();
        let hidden = different.into_iter().filter(|path| !still.contains(&path.to_string()));
        ignored.extend(hidden.map(|path| Ignored { path, rule: rule.name() }));
        different = left;
    }
    (ignored, problems)
}

fn paths(pair: &Pair<'_>, owners: &Owners<'_>) -> Vec<FieldPath> {
    let (mut before, mut after) = (pair.before.clone(), pair.after.clone());
    let is_secret = crate::model::secret::is_secret(&before) || crate::model::secret::is_secret(&after);
    mask::mask(Some(&mut before), Some(&mut after), is_secret);
    fields::changes(Some(&before), Some(&mut after), owners).0.into_iter().map(|change| change.path).collect()
}
