//! Marks, and what leads from the diff screen elsewhere: to the sync of what was marked, always through a dialog, to the live object, to
//! the clipboard.

use super::script::Sign;
use super::{DiffView, Focus, words};
use crate::model::ResourceKey;
use crate::operation::Request;
use crate::plan::Selector;
use crate::tui::action::Action;
use crate::tui::comparison::Found;
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

    fn show_outside(&self, model: &Model, out: &mut Outbox) {
        let Some(entry) = self.found(model).and_then(|found| self.entry(found)) else { return };
        let script = &self.page.script;
        if script.texts.is_empty() {
            return out.say(Notice::plain("there is no text to show"));
        }
        out.wish(Wish::Show(Box::new(Showing {
            name: format!("{}-{}", entry.kind, entry.name),
            live: script.side(Sign::Removed),
            target: script.side(Sign::Added),
            unified: script.unified(&words::full_name(entry)),
        })));
    }
}
