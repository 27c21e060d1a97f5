//! The sentences around the text: where and when it was compared, what is waited for, how old it is, what is marked.

use jiff::{SignedDuration, Timestamp};

use super::DiffView;
use crate::operation::verdict::short_time;
use crate::tui::clean;
use crate::tui::comparison::{Entry, Found};
use crate::tui::model::Model;
use crate::tui::theme::Role;

/// Names that are spelt out in a list.
const NAMES: usize = 3;

/// A sentence and what it is for.
pub(super) type Said = (String, Role);

/// Returns a time of day.
pub(super) fn clock(model: &Model, at: Timestamp) -> String {
    at.to_zoned(model.zone.clone()).strftime("%H:%M:%S").to_string()
}

/// Returns the title of a text outside of the screen.
pub(super) fn full_name(entry: &Entry) -> String {
    let namespace = if entry.namespace.is_empty() { String::new() } else { format!("{}/", entry.namespace) };
    format!("{} {namespace}{}", entry.kind, entry.name)
}

/// Returns what is waited for when there is nothing to show yet.
pub(super) fn waiting(model: &Model) -> Vec<Said> {
    let trouble = model.comparison.trouble();
    if !trouble.is_empty() {
        let mut lines = vec![("✖ there is no diff".to_owned(), Role::Bad), (String::new(), Role::Text)];
        lines.extend(trouble.iter().map(|line| (line.clone(), Role::Text)));
        lines.extend([(String::new(), Role::Text), ("r asks again · esc goes back".to_owned(), Role::Dim)]);
        return lines;
    }
    let objects = model.planned.as_ref().map(|planned| planned.plan.tasks.len()).filter(|number| *number > 0);
    let what = objects.map_or_else(|| "every object".to_owned(), |number| format!("{number} objects"));
    let context = model.place.as_ref().map_or_else(|| "the cluster".to_owned(), |place| clean::text(&place.context).into_owned());
    vec![
        (format!("● comparing {what} with {context}"), Role::Running),
        (format!("  {}", since(model)), Role::Text),
        (String::new(), Role::Text),
        ("  the API server says what an apply would make of each; nothing is written".to_owned(), Role::Dim),
        ("  esc goes back".to_owned(), Role::Dim),
    ]
}

/// Returns what is waited for when the lines of a resource are not there yet.
pub(super) fn writing() -> Vec<Said> {
    vec![("● comparing line by line…".to_owned(), Role::Running)]
}

fn since(model: &Model) -> String {
    let Some(since) = model.comparison.asked().and_then(|asked| asked.since) else { return "asked just now".to_owned() };
    let passed = model.now.duration_since(since).max(SignedDuration::ZERO);
    format!("asked at {}, {} ago", clock(model, since), short_time(SignedDuration::from_secs(passed.as_secs())))
}

/// Returns why what is shown may not be true any more.
pub(super) fn outdated(model: &Model, found: &Found) -> Option<String> {
    let taken = found.taken?;
    let mut syncs = model.operations().filter_map(|board| board.operation().map(|operation| (board.noun(), operation)));
    let (noun, operation) = syncs.find(|(_, operation)| !operation.request().dry_run)?;
    let from = operation.started_at();
    if from >= taken {
        return Some(format!("taken at {}, before the {noun} of {}", clock(model, taken), clock(model, from)));
    }
    let has_ended_before = operation.finished_at().is_some_and(|at| at <= taken);
    (!has_ended_before).then(|| format!("taken at {}, while the {noun} ran", clock(model, taken)))
}

/// Returns what is said when nothing differs.
pub(super) fn nothing(found: &Found) -> Vec<Said> {
    if found.entries.is_empty() {
        return vec![("there is nothing to compare: the plan is empty".to_owned(), Role::Text)];
    }
    vec![
        ("✔ no differences: the cluster is as the manifests say".to_owned(), Role::Good),
        (format!("  i lists what was compared ({})", found.entries.len()), Role::Dim),
    ]
}

impl DiffView {
    /// Returns the line at the bottom: what is wrong, what is waited for, how old it is, what is marked, what is not shown.
    pub(super) fn status(&self, model: &Model, found: &Found) -> Said {
        if let Some(first) = model.comparison.trouble().iter().find(|line| !line.trim().is_empty()) {
            let taken = found.taken.map(|at| clock(model, at)).unwrap_or_default();
            return (format!("! not compared again: {} · this is of {taken} · r asks again", first.trim()), Role::Bad);
        }
        if model.comparison.asked().is_some() {
            return (format!("● comparing again: {}", since(model)), Role::Running);
        }
        if self.wrapping.is_some() {
            return ("● wrapping very long lines…".to_owned(), Role::Running);
        }
        if let Some(words) = self.search_words(found) {
            return words;
        }
        if let Some(outdated) = outdated(model, found) {
            return (format!("! {outdated} · r compares again"), Role::Warn);
        }
        if !self.marks.is_empty() {
            return (self.marked_sentence(found), Role::Marked);
        }
        let quiet = found.entries.len() - found.different;
        let same = if self.lists_same || quiet == 0 { String::new() } else { format!("i lists {quiet} without a difference · ") };
        (format!("{same}m tells whose fields · status is not compared"), Role::Dim)
    }

    fn marked_sentence(&self, found: &Found) -> String {
        let marked = found.entries.iter().filter(|entry| self.marks.contains(&entry.task.key));
        let shown: Vec<String> = marked.take(NAMES).map(|entry| format!("{}/{}", entry.kind, entry.name)).collect();
        let more = self.marks.len() - shown.len().min(self.marks.len());
        let more = if more > 0 { format!(" +{more}") } else { String::new() };
        format!("{} marked, s syncs only these, without hooks: {}{more}", self.marks.len(), shown.join(", "))
    }
}
