//! What is to be said of a resource beside its lines: why it is refused, what a sync does with it, whose fields it takes, what is ignored.
//! Sentences, broken to the width of the text.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::text::{TextLine, broken};
use crate::engine::session::Action;
use crate::model::FieldPath;
use crate::plan::diff::{Cause, Difference, FieldChange, Foreign};
use crate::plan::impact::{Impact, Stay, Weight, shortened};
use crate::tui::clean;
use crate::tui::comparison::{Entry, Found, Sort};
use crate::tui::theme::Role;

/// Paths that one sentence names.
const NAMED: usize = 4;
/// Fields that are listed with their owners.
const LISTED: usize = 200;
/// Columns before a sentence.
const INDENT: usize = 4;

/// What the notes are about, and how much is wanted.
pub(super) struct Subject<'a> {
    pub(super) found: &'a Found,
    pub(super) entry: &'a Entry,
    pub(super) zone: &'a TimeZone,
    pub(super) width: usize,
    /// Whose fields they are.
    pub(super) fields: bool,
    /// What rules hide.
    pub(super) ignored: bool,
}

/// Sentences under titles.
struct Notes {
    lines: Vec<TextLine>,
    width: usize,
}

impl Notes {
    fn title(&mut self, title: &str) {
        self.lines.push(Vec::new());
        self.lines.push(vec![(format!(" {title}"), Role::Strong)]);
    }

    /// A sentence after a sign; red and amber signs are `!`, the others `·`.
    fn put(&mut self, role: Role, text: &str) {
        let sign = if matches!(role, Role::Bad | Role::Warn) { "!" } else { "·" };
        let text = clean::text(text);
        let room = self.width.saturating_sub(INDENT + 1).max(16);
        for (at, part) in broken(&text, room, room).into_iter().enumerate() {
            let lead = if at == 0 { format!("  {sign} ") } else { " ".repeat(INDENT) };
            self.lines.push(vec![(lead, role), (part.to_owned(), if role == Role::Dim { Role::Dim } else { Role::Text })]);
        }
    }

    fn section(&mut self, title: &str, sentences: Vec<(Role, String)>) {
        if sentences.is_empty() {
            return;
        }
        self.title(title);
        for (role, text) in sentences {
            self.put(role, &text);
        }
    }
}

impl Subject<'_> {
    fn difference(&self) -> Option<&Difference> {
        self.found.planned.differences.get(&self.entry.task).map(|difference| &**difference)
    }

    /// Returns what must be known before the lines are read.
    pub(super) fn first(&self) -> Vec<TextLine> {
        let mut notes = Notes { lines: Vec::new(), width: self.width };
        let planned = &self.found.planned;
        match planned.actions.get(&self.entry.task) {
            Some(Action::Refused(why)) => notes.put(Role::Bad, &format!("the API server refuses it: {}", shortened(why))),
            Some(Action::Unknown(why)) => notes.put(Role::Warn, &format!("nobody can say what changes: {why}")),
            Some(Action::Create | Action::Configure | Action::Unchanged | Action::Replace | Action::Recreate(_)) => {}
            Some(Action::Prune) if self.difference().is_none() && !planned.approximate.contains_key(&self.entry.task) => {
                notes.put(Role::Dim, "it is not there any more");
            }
            Some(Action::Prune | Action::Run) => {}
            None => notes.put(Role::Warn, "it has not been compared; r asks again"),
        }
        if let Some(why) = planned.approximate.get(&self.entry.task) {
            notes.put(Role::Warn, &format!("approximate: {why}"));
        }
        notes.lines
    }

    /// Returns what belongs below the lines.
    pub(super) fn last(&self) -> Vec<TextLine> {
        let mut notes = Notes { lines: Vec::new(), width: self.width };
        notes.section("effects", self.effects());
        if let Some(difference) = self.difference() {
            notes.section("not in the lines", self.beside(difference));
            if self.fields {
                notes.section("fields", self.owners(difference));
            }
        }
        notes.lines
    }

    /// What was found out of it, and what this screen knows beside that.
    fn effects(&self) -> Vec<(Role, String)> {
        let told = self.found.planned.effects_of(&self.entry.task).iter().filter(|impact| !is_said(impact));
        let role = |impact: &Impact| if impact.weight() == Weight::Quiet { Role::Dim } else { Role::Warn };
        let mut effects: Vec<(Role, String)> = told.map(|impact| (role(impact), impact.to_string())).collect();
        if !effects.is_empty() && self.entry.sort != Sort::Replace {
            return effects;
        }
        effects.extend(self.own_effect());
        effects
    }

    fn own_effect(&self) -> Option<(Role, String)> {
        let prunes = self.found.request.prune;
        Some(match (self.found.planned.actions.get(&self.entry.task), self.entry.sort) {
            (Some(Action::Recreate(why)), _) => (Role::Warn, format!("deleted and created again: {why}")),
            (Some(Action::Replace), Sort::Replace) => (Role::Warn, "replaced as a whole: what others have set is lost".to_owned()),
            (Some(Action::Prune), _) if prunes => (Role::Warn, "deleted: no manifest asks for it".to_owned()),
            (Some(Action::Prune), _) => {
                (Role::Dim, "stays: no manifest asks for it, but prune is off (the sync dialog has the switch)".to_owned())
            }
            (Some(Action::Run), Sort::Hook) => (Role::Dim, "runs in each full sync; compared with what is left of its last run".to_owned()),
            (Some(Action::Run), _) if self.difference().is_some() => {
                (Role::Dim, "runs in each full sync; what is left of its last run is the same".to_owned())
            }
            (Some(Action::Run), _) => (Role::Dim, "runs in each full sync; nothing is left of its last run to compare it with".to_owned()),
            (_, Sort::Same) => (Role::Dim, format!("nothing: it is as the manifest says{}", self.last_write())),
            (_, Sort::Owners) => (Role::Dim, "no value changes; only who owns the fields below".to_owned()),
            (Some(_) | None, _) => return None,
        })
    }

    /// Since when that is so, if the object tells.
    fn last_write(&self) -> String {
        let written = self.difference().and_then(|difference| difference.written.as_ref());
        written.map_or_else(String::new, |written| {
            format!("; last written by {}", self.owner(&written.manager, &written.operation, Some(&written.time)))
        })
    }

    fn beside(&self, difference: &Difference) -> Vec<(Role, String)> {
        let mut notes: Vec<(Role, String)> = Vec::new();
        for taken in &difference.taken {
            let who = self.owner(&taken.manager, &taken.operation, taken.time.as_deref());
            notes.push((Role::Warn, format!("takes {} from {who}", few(&taken.fields))));
        }
        notes.extend(difference.left_behind.iter().filter(|foreign| !foreign.fields.is_empty()).map(|foreign| self.left(foreign)));
        let fields = |cause: Cause| difference.fields.iter().filter(move |field| field.cause == cause);
        let (gone, filled): (Vec<_>, Vec<_>) = fields(Cause::Defaulted).partition(|field| field.after.is_none());
        for (fields, role, words) in [
            (filled, Role::Dim, "filled in by the server or a webhook"),
            (gone, Role::Dim, self.words_of_gone()),
            (fields(Cause::Overruled).collect(), Role::Warn, "not as the target says: changed by the server or a webhook"),
        ] {
            let paths: Vec<&FieldPath> = fields.iter().map(|field| &field.path).collect();
            if !paths.is_empty() {
                notes.push((role, format!("{} {words}", few(&paths))));
            }
        }
        match difference.ignored.len() {
            0 => {}
            _ if self.ignored => {
                notes.extend(difference.ignored.iter().map(|ignored| (Role::Dim, format!("{} ignored by {}", ignored.path, ignored.rule))));
            }
            1 => notes.push((Role::Dim, "1 difference is ignored by a rule (i tells it)".to_owned())),
            number => notes.push((Role::Dim, format!("{number} differences are ignored by rules (i tells them)"))),
        }
        notes.extend(difference.problems.iter().map(|problem| (Role::Warn, problem.clone())));
        notes
    }

    fn left(&self, foreign: &Foreign) -> (Role, String) {
        let who = self.owner(&foreign.manager, &foreign.operation, foreign.time.as_deref());
        if foreign.client_side {
            return (Role::Dim, format!("{} left by {who}: the sync takes them over first", few(&foreign.fields)));
        }
        (Role::Dim, format!("{} stays with {who}: the target does not have it", few(&foreign.fields)))
    }

    fn owners(&self, difference: &Difference) -> Vec<(Role, String)> {
        let line = |field: &FieldChange| {
            let is_whole = field.path.segments().is_empty();
            let path = if is_whole { "the whole object".to_owned() } else { field.path.to_string() };
            let is_gone = field.cause == Cause::Defaulted && field.after.is_none();
            let why = if is_gone { self.words_of_gone().to_owned() } else { self.cause(&field.cause) };
            (Role::Dim, format!("{path}: {why}"))
        };
        let mut lines: Vec<(Role, String)> = difference.fields.iter().take(LISTED).map(line).collect();
        if difference.fields.len() > LISTED {
            lines.push((Role::Dim, format!("and {} more", difference.fields.len() - LISTED)));
        }
        lines.push((Role::Dim, "status and managedFields are never compared (y shows them)".to_owned()));
        lines
    }

    fn words_of_gone(&self) -> &'static str {
        self.found.planned.actions.get(&self.entry.task).map_or("goes", Action::words_of_gone)
    }

    fn cause(&self, cause: &Cause) -> String {
        match cause {
            Cause::Ours => "the target says so".to_owned(),
            Cause::Taken { manager, operation, time } => {
                format!("the target says so, and it is taken from {}", self.owner(manager, operation, time.as_deref()))
            }
            Cause::Removed => "it was ours, and the target does not have it any more".to_owned(),
            Cause::Defaulted => "a default of the server, or a webhook".to_owned(),
            Cause::Overruled => "the target says otherwise, and the server or a webhook changes it".to_owned(),
        }
    }

    fn owner(&self, manager: &str, operation: &str, time: Option<&str>) -> String {
        let at = time.and_then(|time| time.parse::<Timestamp>().ok());
        let time = at.map(|at| at.to_zoned(self.zone.clone()).strftime(", %Y-%m-%d %H:%M").to_string()).unwrap_or_default();
        format!("{manager} ({operation}{time})")
    }
}

/// Returns whether other notes say it already, with more about it.
fn is_said(impact: &Impact) -> bool {
    matches!(impact, Impact::Takes { .. } | Impact::OnlyIgnored | Impact::Stays(Stay::PruneIsOff))
}

fn few<T: ToString>(paths: &[T]) -> String {
    let shown: Vec<String> = paths.iter().take(NAMED).map(ToString::to_string).collect();
    match paths.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
