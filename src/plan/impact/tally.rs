//! The impacts of a whole plan in one line: `3 objects change, 6 pods roll, 1 object is deleted with 7 children`. Counts what was found;
//! finds nothing itself.

use std::collections::BTreeMap;
use std::fmt;

use super::facts::counted;
use super::sentence::{Impact, Stay};
use crate::model::TaskId;
use crate::plan::Action;

/// What all tasks of a plan come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) created: u64,
    pub(crate) changed: u64,
    pub(crate) rolled: u64,
    pub(crate) recreated: Going,
    pub(crate) deleted: Going,
    pub(crate) refused: u64,
    /// Nobody could say what becomes of them.
    pub(crate) unclear: u64,
}

/// Objects that go, and what goes with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Going {
    pub(crate) objects: u64,
    pub(crate) children: u64,
    /// Whether there may be more children.
    pub(crate) more: bool,
}

impl Going {
    fn take<'a>(&mut self, impacts: impl Iterator<Item = &'a Impact>) {
        self.objects += 1;
        let families = impacts.filter(|impact| !matches!(impact, Impact::Orphans { .. })).filter_map(Impact::family);
        for family in families {
            self.children += family.total();
            self.more |= family.more || family.unclear.is_some();
        }
    }

    /// Returns ` with 7 children`; an empty text if there are none.
    pub(crate) fn with_children(self) -> String {
        match (self.children, self.more) {
            (0, false) => String::new(),
            (0, true) => " with children that could not be counted".to_owned(),
            (1, more) => format!(" with {}1 child", if more { "at least " } else { "" }),
            (count, more) => format!(" with {}{count} children", if more { "at least " } else { "" }),
        }
    }

    fn words(self, verb: &str) -> String {
        let children = self.with_children();
        format!("{} {} {verb}{children}", counted(self.objects, "object"), if self.objects == 1 { "is" } else { "are" })
    }
}

impl Tally {
    /// Adds up what the tasks of a plan do. `prunes`: whether what no manifest asks for is deleted; `None`: as the plan was asked for.
    pub(crate) fn of(actions: &BTreeMap<TaskId, Action>, impacts: &BTreeMap<TaskId, Vec<Impact>>, prunes: Option<bool>) -> Self {
        let mut tally = Self::default();
        for (id, action) in actions {
            let told = impacts.get(id).map(Vec::as_slice).unwrap_or_default();
            tally.rolled += told.iter().filter_map(Impact::rolled).sum::<u64>();
            match action {
                Action::Create => tally.created += 1,
                Action::Configure | Action::Replace => tally.changed += 1,
                Action::Recreate(_) => tally.recreated.take(told.iter()),
                Action::Prune if prunes != Some(false) && !told.iter().any(|impact| stays(impact, prunes)) => {
                    tally.deleted.take(told.iter());
                }
                Action::Refused(_) => tally.refused += 1,
                Action::Unknown(_) => tally.unclear += 1,
                Action::Prune | Action::Unchanged | Action::Run => {}
            }
        }
        tally
    }
}

fn stays(impact: &Impact, prunes: Option<bool>) -> bool {
    matches!(impact, Impact::Stays(Stay::Option(_))) || (prunes.is_none() && *impact == Impact::Stays(Stay::PruneIsOff))
}

impl Tally {
    /// Returns what happens beyond the objects themselves: `6 pods roll, 1 object is deleted with 7 children`; an empty text if nothing does.
    pub(crate) fn consequences(&self) -> String {
        let mut words = Vec::new();
        if self.rolled > 0 {
            words.push(format!("{} {}", counted(self.rolled, "pod"), if self.rolled == 1 { "rolls" } else { "roll" }));
        }
        for (going, verb) in [(self.recreated, "deleted and created again"), (self.deleted, "deleted")] {
            if going.objects > 0 {
                words.push(going.words(verb));
            }
        }
        words.join(", ")
    }
}

/// `3 objects change, 6 pods roll, 1 object is deleted with 7 children`.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let objects = |count: u64, [one, many]: [&str; 2]| {
            (count > 0).then(|| format!("{} {}", counted(count, "object"), if count == 1 { one } else { many }))
        };
        let consequences = Some(self.consequences()).filter(|text| !text.is_empty());
        let words = [
            objects(self.created, ["is created", "are created"]),
            objects(self.changed, ["changes", "change"]),
            consequences,
            objects(self.refused, ["is refused", "are refused"]),
            objects(self.unclear, ["is unclear", "are unclear"]),
        ];
        let words: Vec<String> = words.into_iter().flatten().collect();
        f.write_str(if words.is_empty() { "nothing changes" } else { "" })?;
        f.write_str(&words.join(", "))
    }
}
