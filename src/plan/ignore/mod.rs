//! What rules of ignored differences do with objects (spec R722): take fields out of both sides of a comparison, and keep what is live in what
//! is sent. Pure: both sides are handed in. Every rule sees an object as it is, so an item that one rule takes out does not move the indexes
//! of another. Knows neither where rules are written nor who sends what.

mod keep;
mod select;
mod strip;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::diff::{self, IgnoreFields, Pair};
use crate::model::managed::{self, Entry};
use crate::model::{IgnoreRule, Object, ResourceKey, secret};
use keep::Live;

/// All rules of an app, in the order of their sources.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct IgnoreRules(Arc<[Arc<IgnoreRule>]>);

impl IgnoreRules {
    pub(crate) fn new(rules: impl IntoIterator<Item = IgnoreRule>) -> Self {
        Self(rules.into_iter().map(Arc::new).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns these rules and others after them.
    pub(crate) fn and(&self, others: impl IntoIterator<Item = IgnoreRule>) -> Self {
        Self(self.0.iter().cloned().chain(others.into_iter().map(Arc::new)).collect())
    }

    /// Returns the rules that are about none of these objects.
    pub(crate) fn idle(&self, keys: &[&ResourceKey]) -> impl Iterator<Item = &IgnoreRule> {
        self.0.iter().map(Arc::as_ref).filter(move |rule| !keys.iter().any(|key| rule.matches(key)))
    }

    /// Returns the rules about an object.
    pub(crate) fn about(&self, key: &ResourceKey) -> RulesOfObject {
        RulesOfObject(self.0.iter().filter(|rule| rule.matches(key)).cloned().collect())
    }
}

/// The rules about one object.
#[derive(Clone, Debug, Default)]
pub(crate) struct RulesOfObject(Vec<Arc<IgnoreRule>>);

impl RulesOfObject {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IgnoreFields for RulesOfObject {
    fn rules(&self) -> Vec<&dyn diff::IgnoreRule> {
        self.0.iter().map(|rule| &**rule as &dyn diff::IgnoreRule).collect()
    }
}

impl diff::IgnoreRule for IgnoreRule {
    fn name(&self) -> String {
        self.origin.to_string()
    }

    fn strip(&self, pair: &mut Pair<'_>) -> Result<bool, String> {
        strip::strip(self, pair.live, pair.before, pair.after)
    }
}

/// What is sent instead of a target.
#[derive(Clone, Debug)]
pub(crate) struct Respected {
    pub(crate) object: Object,
    /// Rules that could not be applied, in whole sentences without values of the object.
    pub(crate) problems: Vec<String>,
}

/// Returns the target with the live values of the fields that rules select, as `RespectIgnoreDifferences=true` wants it (spec R722). What is
/// live and not selected does not get in, nor does status, what the server writes, or what tells the object apart. A selected field that is
/// not live is left out. Sent by server-side apply, such a field becomes ours too with its live value, as it does in Argo CD.
pub(crate) fn respected(target: &Object, live: &Value, rules: &RulesOfObject) -> Respected {
    let mut problems = Vec::new();
    let mut wanted = target.wire().clone();
    // As the comparison sees it, so that a rule means the same in both.
    if !rules.0.is_empty() && secret::is_secret(&wanted) {
        secret::join_plain_text(&mut wanted);
    }
    let owners = managed::joined(Entry::all(live).map(|entry| entry.fields));
    for rule in rules.0.iter().filter(|rule| rule.is_kept()) {
        match keep::kept(&wanted, Live { object: live, owners: &owners }, rule) {
            Ok(Some(changed)) => wanted = changed,
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    let object = if wanted == *target.wire() { target.clone() } else { Object::new(wanted) };
    Respected { object, problems }
}
