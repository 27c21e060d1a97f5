//! What the tasks of a plan do beyond their own objects, in words: pods that roll, children that go along, what others lose. Pure: reads
//! the differences, and facts of live objects that are handed in. Says only what is certain: what cannot be known is left out.

mod config;
mod facts;
mod reach;
mod refusal;
mod removal;
mod rights;
pub(crate) mod sentence;
mod tally;
#[cfg(test)]
mod tests;
mod words;
mod workload;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

pub(crate) use config::{Outside, fed_namespaces};
pub(crate) use facts::{Facts, Family, Volume};
pub(crate) use refusal::{is_immutable, shortened};
pub(crate) use removal::stays;
pub(crate) use sentence::{Impact, Stay, Weight};
pub(crate) use tally::Tally;
use workload::Scalers;

use super::diff::Difference;
use super::{Action, Plan};
use crate::model::{Options, ResourceKey, Segment, Task, TaskId};

/// What the impacts of a plan are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) actions: &'a BTreeMap<TaskId, Action>,
    pub(crate) differences: &'a BTreeMap<TaskId, Arc<Difference>>,
    /// Of live objects that change or go.
    pub(crate) facts: &'a BTreeMap<TaskId, Facts>,
    pub(crate) outside: &'a Outside,
    pub(crate) terms: Terms<'a>,
}

/// What of a request decides what becomes of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) options: &'a Options,
    /// Whether what no manifest asks for any more is deleted.
    pub(crate) prunes: bool,
    /// Objects whose deletion is confirmed already.
    pub(crate) approved: &'a [ResourceKey],
}

/// One object that is changed, on both sides.
struct Change<'a> {
    task: &'a Task,
    before: &'a Value,
    after: &'a Value,
    paths: Paths<'a>,
    facts: &'a Facts,
}

/// Returns the impacts of each task that has some, in the order in which they are told.
pub(crate) fn impacts(scene: &Scene<'_>) -> BTreeMap<TaskId, Vec<Impact>> {
    let mut all: BTreeMap<TaskId, Vec<Impact>> = BTreeMap::new();
    let scalers = Scalers::of(scene.plan);
    for task in &scene.plan.tasks {
        let own = scene.of(task, &scalers);
        if !own.is_empty() {
            all.insert(task.id.clone(), own);
        }
    }
    for (id, told) in config::told(scene, &all) {
        all.entry(id).or_default().extend(told);
    }
    all
}

impl<'a> Scene<'a> {
    /// Returns what one task does by itself.
    fn of(&self, task: &'a Task, scalers: &Scalers<'_>) -> Vec<Impact> {
        match self.actions.get(&task.id) {
            Some(Action::Prune) => removal::pruned(self, task),
            Some(Action::Recreate(why)) => removal::recreated(self, task, why),
            Some(Action::Configure | Action::Replace) => self.change(task).map(|change| changed(scalers, &change)).unwrap_or_default(),
            Some(Action::Refused(why)) => refusal::refused(self, task, why),
            Some(Action::Create | Action::Unchanged | Action::Run | Action::Unknown(_)) | None => Vec::new(),
        }
    }

    fn facts(&self, task: &Task) -> &'a Facts {
        self.facts.get(&task.id).unwrap_or(&facts::NONE)
    }

    /// Returns both sides of an object that is there and stays.
    fn change(&self, task: &'a Task) -> Option<Change<'a>> {
        let difference = self.differences.get(&task.id)?;
        let (before, after) = (difference.before.as_deref()?, difference.after.as_deref()?);
        Some(Change { task, before, after, paths: Paths(difference), facts: self.facts(task) })
    }
}

fn changed(scalers: &Scalers<'_>, change: &Change<'_>) -> Vec<Impact> {
    let mut found = workload::impacts(scalers, change);
    found.extend(reach::impacts(change));
    found.extend(rights::impacts(change));
    let rest = change.paths.only(change, !found.is_empty());
    found.extend(rest);
    let taken = change
        .paths
        .0
        .taken
        .iter()
        .map(|taken| Impact::Takes { manager: taken.manager.clone(), fields: taken.fields.iter().map(ToString::to_string).collect() });
    found.extend(taken);
    found
}

/// The fields that a write changes: those that are shown, and those that a rule hides. What is hidden is written all the same; where it is
/// not (`RespectIgnoreDifferences=true`), it is no difference to begin with.
#[derive(Clone, Copy, Debug)]
struct Paths<'a>(&'a Difference);

impl<'a> Paths<'a> {
    fn all(self) -> impl Iterator<Item = &'a [Segment]> {
        let shown = self.0.fields.iter().map(|change| change.path.segments());
        shown.chain(self.0.ignored.iter().map(|ignored| ignored.path.segments()))
    }

    /// Returns whether something changes at or below a path of names, or above it.
    fn touch(self, path: &[&str]) -> bool {
        self.all().any(|changed| changed.iter().zip(path).all(|(segment, name)| segment.name() == Some(name)))
    }

    /// Says of which kind the whole change is, if it is of one; `is_told`: something else is said of it already.
    fn only(self, change: &Change<'_>, is_told: bool) -> Option<Impact> {
        let Difference { fields, ignored, .. } = self.0;
        if fields.is_empty() {
            return (!ignored.is_empty()).then_some(Impact::OnlyIgnored);
        }
        let is_of_metadata = self.all().all(|path| path.first().and_then(Segment::name) == Some("metadata"));
        if is_of_metadata {
            return Some(Impact::OnlyMetadata);
        }
        (!is_told && workload::spares_pods(change)).then_some(Impact::NoRestart)
    }
}

/// Returns what is in the first and not in the second, in order.
fn missing<T: Ord + Clone>(from: &BTreeSet<T>, in_other: &BTreeSet<T>) -> Vec<T> {
    from.difference(in_other).cloned().collect()
}

/// Returns the text at a pointer; an empty one if there is none.
fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the items of the list at a pointer; none if there is no list.
fn list<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}
