//! Marks, and what leads from the diff screen elsewhere: to the sync of what was marked, always through a dialog, to the live object, to
//! the clipboard.

use std::sync::Arc;

use super::script::{LIGHT, Script, Sign, is_light};
use super::work::{Job, Ticket, Work};
use super::{DiffView, Focus, words};
use crate::model::ResourceKey;
use crate::operation::Request;
use crate::plan::Selector;
use crate::plan::diff::Difference;
use crate::tui::action::Action;
use crate::tui::comparison::{Entry, Found};
use crate::tui::dialogs::sync::{Proposal, Scope, SyncDialog};
use crate::tui::model::Model;
use crate::tui::viewer::Showing;
use crate::tui::views::details::{DetailsView, Tab};
use crate::tui::views::{Notice, Outbox, Outcome, Shown, Wish};

impl DiffView {
    pub(super) fn choose(&mut self, action: Action, model: &Model, out: &mut Outbox) -> Outcome {
        match action {
            Action::Mark => self.mark(model, out),
            Action::ClearMarks => self.marks.clear(),
            Action::Sync | Action::SyncMarked => self.ask_to_sync(action, model, out),
            Action::Yaml => self.open_object(Tab::Yaml, model, out),
            Action::Details => self.open_object(Tab::Overview, model, out),
            Action::Copy => self.copy(model, out),
            Action::DiffViewer => self.show_outside(model, out),
            _ => return Outcome::Ignored,
        }
        Outcome::Consumed
    }

    fn mark(&mut self, model: &Model, out: &mut Outbox) {
        let Some(found) = self.found(model) else { return };
        let Some(entry) = self.entry(found) else { return };
        if entry.task.role == crate::model::Role::Hook {
            return out.say(Notice::plain("a hook cannot be synced alone: it runs in a full sync"));
        }
        let key = entry.task.key.clone();
        if !self.marks.remove(&key) {
            self.marks.insert(key);
        }
        if self.focus == Focus::List {
            self.list.move_by(1, self.len(found));
        }
    }

    fn marked<'a>(&self, found: &'a Found) -> Vec<&'a ResourceKey> {
        let tasks = found.entries.iter().map(|entry| &entry.task);
        tasks.filter(|task| task.role != crate::model::Role::Hook).map(|task| &task.key).filter(|key| self.marks.contains(*key)).collect()
    }

    /// A sync of what is marked, else of the chosen resource or of everything. What waits below is gone back to when nothing is marked.
    fn ask_to_sync(&self, action: Action, model: &Model, out: &mut Outbox) {
        if let Err(reason) = model.may(action) {
            return out.say(Notice::bad(reason));
        }
        let Some(found) = self.found(model) else { return out.say(Notice::plain("nothing has been compared yet")) };
        let marked = self.marked(found);
        if marked.is_empty() && action == Action::SyncMarked {
            return out.say(Notice::bad("mark resources with space first: a selective sync skips hooks"));
        }
        if marked.is_empty() && self.has_dialog {
            return out.wish(Wish::Close);
        }
        let here = self.entry(found).filter(|entry| entry.task.role != crate::model::Role::Hook);
        let chosen = match (marked.is_empty(), here) {
            (false, _) => Some(Scope::some(marked.iter().map(|key| Selector::exactly(key)).collect(), "marked")),
            (true, Some(entry)) => Some(Scope::some(vec![Selector::exactly(&entry.task.key)], "this one")),
            (true, None) => None,
        };
        let request = Request { selection: model.request.selection.clone(), ..self.request.clone() };
        let scopes = std::iter::once(Scope::Everything).chain(chosen).collect();
        let dialog = SyncDialog::of(Proposal { request, scopes, some: !marked.is_empty() }, model, out);
        out.wish(Wish::Dialog(Box::new(dialog)));
    }

    fn open_object(&self, tab: Tab, model: &Model, out: &mut Outbox) {
        let Some(entry) = self.found(model).and_then(|found| self.entry(found)) else { return };
        let view = DetailsView::new(Shown::Home, entry.task.clone(), tab, model, out);
        out.wish(Wish::Open(Box::new(view)));
    }

    fn copy(&self, model: &Model, out: &mut Outbox) {
        let Some(entry) = self.found(model).and_then(|found| self.entry(found)) else { return };
        if self.page.script.texts.is_empty() {
            return out.say(Notice::plain("there is no text to copy"));
        }
        out.wish(Wish::Copy(self.page.script.unified(&words::full_name(entry))));
    }

    /// Gives the viewer what is marked, one after the other as in the list, else the chosen one. Much is written beside the frames.
    fn show_outside(&mut self, model: &Model, out: &mut Outbox) {
        let Some(found) = self.found(model) else { return };
        let marked = found.entries.iter().filter(|entry| self.is_marked(entry));
        let marked: Vec<_> =
            marked.filter_map(|entry| Some((words::full_name(entry), found.planned.differences.get(&entry.task)?.clone()))).collect();
        if marked.is_empty() {
            return show(self.chosen_one(found), out);
        }
        let mut left = LIGHT;
        if marked.iter().all(|(_, difference)| is_light(difference, &mut left)) {
            return show(Some(several(&marked, || false)), out);
        }
        out.say(Notice::plain("writing what is marked for the viewer; the next key gives it up"));
        let ticket = Ticket::default();
        self.outside.writing = Some(ticket.clone());
        self.jobs.push(Job { ticket, work: Work::Showing(marked) });
    }

    /// Takes what has been written for the viewer, for the next frame.
    pub(super) fn take_showing(&mut self, ticket: &Ticket, showing: &Showing) {
        if self.outside.writing.as_ref().is_some_and(|writing| writing.is(ticket)) {
            self.outside = Outside { writing: None, ready: Some(showing.clone()) };
        }
    }

    /// Shows what has been written.
    pub(super) fn show_ready(&mut self, out: &mut Outbox) {
        if let Some(ready) = self.outside.ready.take() {
            show(Some(ready), out);
        }
    }

    fn is_marked(&self, entry: &Entry) -> bool {
        entry.task.role != crate::model::Role::Hook && self.marks.contains(&entry.task.key)
    }

    fn chosen_one(&self, found: &Found) -> Option<Showing> {
        let (entry, script) = (self.entry(found)?, &self.page.script);
        (!script.texts.is_empty()).then(|| Showing {
            name: format!("{}-{}", entry.kind, entry.name),
            live: script.side(Sign::Removed),
            target: script.side(Sign::Added),
            unified: script.unified(&words::full_name(entry)),
        })
    }
}

/// What is written for the viewer beside the frames, and what has been.
#[derive(Debug, Default)]
pub(super) struct Outside {
    writing: Option<Ticket>,
    ready: Option<Showing>,
}

impl Outside {
    /// Nobody waits for it any more.
    pub(super) fn give_up(&mut self) {
        if let Some(ticket) = std::mem::take(self).writing {
            ticket.give_up();
        }
    }
}

fn show(showing: Option<Showing>, out: &mut Outbox) {
    match showing.filter(|showing| !showing.unified.is_empty()) {
        Some(showing) => out.wish(Wish::Show(Box::new(showing))),
        None => out.say(Notice::plain("there is no text to show")),
    }
}

/// Puts resources one after the other, as documents of a file of YAML and as parts of a unified diff, until nobody wants it any more.
pub(super) fn several(of: &[(String, Arc<Difference>)], is_given_up: impl Fn() -> bool) -> Showing {
    let texts = of.iter().take_while(|_| !is_given_up()).map(|(title, difference)| (title, Script::new(difference)));
    let (mut count, mut showing) = (0, Showing::default());
    for (title, script) in texts.filter(|(_, script)| !script.texts.is_empty()) {
        count += 1;
        for (all, side) in [(&mut showing.live, script.side(Sign::Removed)), (&mut showing.target, script.side(Sign::Added))] {
            if !side.is_empty() {
                all.extend(["---\n# ", title, "\n", &side]);
            }
        }
        showing.unified += &script.unified(title);
    }
    showing.name = format!("{count}-marked");
    showing
}
