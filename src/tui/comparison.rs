//! What a sync would change in each object, as the session said last: what was asked for and since when, when the answer came, what is
//! listed and in which order. Changed by answers and time alone; views read it. Knows no keys and no cells.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;

use super::clean;
use crate::engine::session::{Action, Ask, Planned};
use crate::model::{Phase, Task, TaskId, Wave};
use crate::operation::Request;

/// What is to be said of an object, in the order of the list: what cannot be done first, what stays as it is last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sort {
    Refused,
    Unknown,
    Recreate,
    Replace,
    Change,
    /// Only who owns its fields changes.
    Owners,
    Create,
    Prune,
    /// A hook that is different from what is left of its last run.
    Hook,
    Same,
    /// A hook that is the same, or with nothing to compare it with.
    Run,
}

/// Every sort, in order.
const SORTS: [Sort; 11] = [
    Sort::Refused,
    Sort::Unknown,
    Sort::Recreate,
    Sort::Replace,
    Sort::Change,
    Sort::Owners,
    Sort::Create,
    Sort::Prune,
    Sort::Hook,
    Sort::Same,
    Sort::Run,
];

impl Sort {
    fn of(task: &Task, planned: &Planned) -> Self {
        let difference = planned.differences.get(&task.id);
        let differs = difference.is_some_and(|difference| !difference.is_empty());
        let takes = difference.is_some_and(|difference| !difference.taken.is_empty());
        match planned.actions.get(&task.id) {
            Some(Action::Refused(_)) => Self::Refused,
            Some(Action::Unknown(_)) | None => Self::Unknown,
            Some(Action::Recreate(_)) => Self::Recreate,
            Some(Action::Create) => Self::Create,
            Some(Action::Prune) => Self::Prune,
            Some(Action::Run) if differs => Self::Hook,
            Some(Action::Run) => Self::Run,
            Some(Action::Replace) if differs => Self::Replace,
            Some(Action::Configure | Action::Unchanged) if differs => Self::Change,
            Some(Action::Replace | Action::Configure | Action::Unchanged) if takes => Self::Owners,
            Some(Action::Replace | Action::Configure | Action::Unchanged) => Self::Same,
        }
    }

    /// Returns the sign before the object's name.
    pub(crate) fn glyph(self) -> &'static str {
        match self {
            Self::Refused => "!",
            Self::Unknown => "?",
            Self::Recreate | Self::Replace | Self::Change | Self::Owners => "~",
            Self::Create => "+",
            Self::Prune => "-",
            Self::Hook | Self::Run => "◇",
            Self::Same => "=",
        }
    }

    /// Returns the word of what a sync does.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Recreate => "recreate",
            Self::Replace => "replace",
            Self::Change => "change",
            Self::Owners => "owners",
            Self::Create => "create",
            Self::Prune => "prune",
            Self::Hook | Self::Run => "hook",
            Self::Same => "same",
        }
    }

    /// Returns whether it is listed only when everything is.
    pub(crate) fn is_quiet(self) -> bool {
        matches!(self, Self::Same | Self::Run)
    }
}

/// An object of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) task: TaskId,
    pub(crate) sort: Sort,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
    /// `None`: it is pruned, when its turn comes.
    pub(crate) wave: Option<Wave>,
}

impl Entry {
    fn of(task: &Task, planned: &Planned) -> Self {
        let text = |part: &str| clean::text(part).into_owned();
        Self {
            sort: Sort::of(task, planned),
            kind: text(&task.id.key.kind),
            name: text(&task.id.key.name),
            namespace: text(&task.id.key.namespace),
            wave: (!task.is_prune()).then_some(task.wave),
            task: task.id.clone(),
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) request: Request,
    pub(crate) planned: Arc<Planned>,
    /// When it came; `None` before the first frame that shows it.
    pub(crate) taken: Option<Timestamp>,
    /// What differs, then what does not.
    pub(crate) entries: Arc<[Entry]>,
    /// How many of them differ.
    pub(crate) different: usize,
    /// `4 change, 2 create, 1 prune (OFF), 3 same · 5 hooks, 1 differs`.
    pub(crate) summary: String,
    /// What the sync does, group for group: its name and `1 change, 2 same`.
    pub(crate) groups: Vec<(String, String)>,
    /// What that comes to beyond the objects themselves: `6 pods roll`; empty if nothing does.
    pub(crate) consequences: String,
}

impl Found {
    fn new(request: Request, planned: Arc<Planned>) -> Self {
        let mut entries: Vec<Entry> = planned.plan.tasks.iter().map(|task| Entry::of(task, &planned)).collect();
        let groups = groups(&entries, &request);
        // Stable, so that objects of one sort stay in the order of the plan.
        entries.sort_by_key(|entry| entry.sort);
        let different = entries.partition_point(|entry| !entry.sort.is_quiet());
        let summary = summary(&entries, &request);
        let consequences = planned.tally(Some(request.prune)).consequences();
        Self { request, planned, taken: None, entries: entries.into(), different, summary, groups, consequences }
    }
}

/// A question that has not been answered.
#[derive(Debug)]
pub(crate) struct Asked {
    request: Request,
    /// `None` before the first frame that shows it.
    pub(crate) since: Option<Timestamp>,
}

/// The last answer, and the question that waits for the next one.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    asked: Option<Asked>,
    /// What is asked as soon as the question before has its answer.
    next: Option<Request>,
    found: Option<Found>,
    trouble: Vec<String>,
    version: u64,
}

impl Comparison {
    /// Takes a wish for an answer. Returns what to ask; `None` while the same is asked already, or until something else has been answered.
    pub(crate) fn want(&mut self, request: Request) -> Option<Ask> {
        if self.found.as_ref().is_some_and(|found| found.request != request) {
            self.found = None;
        }
        self.trouble.clear();
        self.version += 1;
        match &self.asked {
            Some(asked) => {
                self.next = (asked.request != request).then_some(request);
                None
            }
            None => Some(self.ask(request)),
        }
    }

    fn ask(&mut self, request: Request) -> Ask {
        self.asked = Some(Asked { request: request.clone(), since: None });
        Ask::Diff { request }
    }

    /// Takes an answer, or why there is none. Returns what to ask next.
    pub(crate) fn take(&mut self, answer: Result<Arc<Planned>, String>) -> Option<Ask> {
        let asked = self.asked.take()?;
        self.version += 1;
        if let Some(request) = self.next.take() {
            return Some(self.ask(request));
        }
        match answer {
            Ok(planned) => self.found = Some(Found::new(asked.request, planned)),
            Err(report) => self.trouble = report.lines().map(|line| clean::text(line).into_owned()).collect(),
        }
        None
    }

    /// Fills in the time of what came since the last frame.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        if let Some(asked) = &mut self.asked {
            asked.since.get_or_insert(now);
        }
        if let Some(found) = &mut self.found {
            found.taken.get_or_insert(now);
        }
    }

    /// Returns the question that waits for its answer.
    pub(crate) fn asked(&self) -> Option<&Asked> {
        self.asked.as_ref()
    }

    /// Returns the last answer.
    pub(crate) fn found(&self) -> Option<&Found> {
        self.found.as_ref()
    }

    /// Returns why the last question has no answer, as lines; empty if it has one.
    pub(crate) fn trouble(&self) -> &[String] {
        &self.trouble
    }

    /// Returns a number that grows with each answer.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }
}

fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// How many of each sort; hooks apart.
fn summary(entries: &[Entry], request: &Request) -> String {
    let number = |sort: Sort| entries.iter().filter(|entry| entry.sort == sort).count();
    let objects = SORTS.into_iter().filter(|sort| !matches!(sort, Sort::Hook | Sort::Run)).filter(|sort| number(*sort) > 0);
    let words: Vec<String> = objects.map(|sort| format!("{} {}{}", number(sort), sort.word(), off(sort, request))).collect();
    let differ = number(Sort::Hook);
    let hooks = match (differ + number(Sort::Run), differ) {
        (0, _) => String::new(),
        (all, 0) => count(all, "hook"),
        (all, 1) => format!("{}, 1 differs", count(all, "hook")),
        (all, differ) => format!("{}, {differ} differ", count(all, "hook")),
    };
    match (words.is_empty(), hooks.is_empty()) {
        (true, true) => "the plan is empty".to_owned(),
        (true, false) => hooks,
        (false, true) => words.join(", "),
        (false, false) => format!("{} · {hooks}", words.join(", ")),
    }
}

fn off(sort: Sort, request: &Request) -> &'static str {
    if sort == Sort::Prune && !request.prune { " (OFF)" } else { "" }
}

/// What each wave does, and last what is pruned. Entries are in the order of the plan.
fn groups(entries: &[Entry], request: &Request) -> Vec<(String, String)> {
    let mut groups: Vec<((Phase, Wave), Vec<Sort>)> = Vec::new();
    let mut prunes = Vec::new();
    for entry in entries {
        let Some(wave) = entry.wave else {
            prunes.push(entry.sort);
            continue;
        };
        let group = (entry.task.phase, wave);
        match groups.last_mut() {
            Some((last, sorts)) if *last == group => sorts.push(entry.sort),
            Some(_) | None => groups.push((group, vec![entry.sort])),
        }
    }
    let named = groups.into_iter().map(|((phase, wave), sorts)| (format!("{phase} {wave}"), words(&sorts, request)));
    let pruned = (!prunes.is_empty()).then(|| ("prune".to_owned(), words(&prunes, request)));
    named.chain(pruned).collect()
}

fn words(sorts: &[Sort], request: &Request) -> String {
    let hooks = sorts.iter().filter(|sort| matches!(sort, Sort::Hook | Sort::Run)).count();
    let of = |wanted: Sort| sorts.iter().filter(|sort| **sort == wanted).count();
    let objects = SORTS.into_iter().filter(|sort| !matches!(sort, Sort::Hook | Sort::Run)).filter(|sort| of(*sort) > 0);
    let mut words: Vec<String> = objects.map(|sort| format!("{} {}{}", of(sort), sort.word(), off(sort, request))).collect();
    words.extend((hooks > 0).then(|| count(hooks, "hook")));
    words.join(", ")
}
