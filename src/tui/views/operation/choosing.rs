//! Marks, and what leads from the sync screen to a change: always through a dialog.

use std::collections::BTreeSet;

use super::OperationView;
use super::lines::Line;
use crate::engine::session::Ask;
use crate::model::ResourceKey;
use crate::plan::Selector;
use crate::tui::action::Action;
use crate::tui::board::Board;
use crate::tui::dialogs::approve::ApproveDialog;
use crate::tui::dialogs::delete::DeleteDialog;
use crate::tui::dialogs::resume::ResumeDialog;
use crate::tui::dialogs::sync::{Scope, SyncDialog};
use crate::tui::dialogs::terminate::TerminateDialog;
use crate::tui::model::Model;
use crate::tui::views::{Notice, Outbox, Shown, Wish};

impl OperationView {
    pub(super) fn mark(&mut self, board: &Board) {
        let Some(key) = self.row().and_then(|row| board.task_id(row)).map(|task| task.key.clone()) else { return };
        if !self.marks.remove(&key) {
            self.marks.insert(key.clone());
        }
        self.last_mark = Some(key);
        self.step(Action::Down);
        self.cache.stale = true;
    }

    pub(super) fn mark_range(&mut self, board: &Board) {
        let key_at = |line: &Line| match line {
            Line::Row(row) => board.task_id(*row).map(|task| task.key.clone()),
            Line::Group(_) => None,
        };
        let from = self.last_mark.as_ref().and_then(|key| self.lines.iter().position(|line| key_at(line).as_ref() == Some(key)));
        let from = from.unwrap_or(self.cursor.selected);
        let (low, high) = (from.min(self.cursor.selected), from.max(self.cursor.selected));
        let keys: Vec<ResourceKey> = self.lines.iter().take(high + 1).skip(low).filter_map(key_at).collect();
        self.last_mark = keys.last().cloned();
        self.marks.extend(keys);
        self.cache.stale = true;
    }

    pub(super) fn ask_to_change(&self, action: Action, board: &Board, model: &Model, out: &mut Outbox) {
        if self.shown != Shown::Home {
            return out.say(Notice::bad("this is an operation of the past; esc goes back to the present"));
        }
        if let Err(reason) = model.may(action) {
            return out.say(Notice::bad(reason));
        }
        match action {
            Action::Terminate => out.wish(Wish::Dialog(Box::new(TerminateDialog::new(model)))),
            Action::Approve => out.wish(Wish::Dialog(Box::new(ApproveDialog::new(model)))),
            Action::Delete => {
                let dialog = DeleteDialog::new(model, out);
                out.wish(Wish::Dialog(Box::new(dialog)));
            }
            Action::Pause => ask_to_pause(board, model, out),
            Action::SyncMarked => self.ask_to_sync_some(board, model, out),
            _ => {
                let dialog = SyncDialog::new(model, self.scopes(board), !self.marks.is_empty(), out);
                out.wish(Wish::Dialog(Box::new(dialog)));
            }
        }
    }

    fn ask_to_sync_some(&self, board: &Board, model: &Model, out: &mut Outbox) {
        let scopes = self.scopes(board);
        if scopes.len() > 1 {
            let dialog = SyncDialog::new(model, scopes, true, out);
            return out.wish(Wish::Dialog(Box::new(dialog)));
        }
        out.say(Notice::bad("mark resources first: hooks do not run in a selective sync"));
    }

    /// What is marked and may be synced alone.
    fn marked<'a>(&'a self, board: &'a Board) -> impl Iterator<Item = &'a ResourceKey> {
        let tasks = board.plan().tasks.iter().filter(|task| !task.is_hook() && self.marks.contains(&task.id.key));
        tasks.map(|task| &task.id.key)
    }

    /// The marks, for another screen.
    pub(super) fn markable(&self, board: &Board) -> BTreeSet<ResourceKey> {
        self.marked(board).cloned().collect()
    }

    /// What a sync may be about: everything, and the marked resources or else the one under the cursor. Hooks cannot be selected.
    fn scopes(&self, board: &Board) -> Vec<Scope> {
        let marked: Vec<&ResourceKey> = self.marked(board).collect();
        let here = self.row().filter(|row| board.rows().get(*row).is_some_and(|row| !row.hook)).and_then(|row| board.task_id(row));
        let chosen = match (marked.is_empty(), here) {
            (false, _) => Some(Scope::some(marked.into_iter().map(Selector::exactly).collect(), "marked")),
            (true, Some(task)) => Some(Scope::some(vec![Selector::exactly(&task.key)], "this one")),
            (true, None) => None,
        };
        std::iter::once(Scope::Everything).chain(chosen).collect()
    }
}

/// To stop is harmless and happens at once; to go on is asked for. The wish can be taken back until the pause has come.
fn ask_to_pause(board: &Board, model: &Model, out: &mut Outbox) {
    let by = model.request.by.clone();
    match board.operation() {
        Some(operation) if operation.paused().is_some() => out.wish(Wish::Dialog(Box::new(ResumeDialog::new(model)))),
        Some(operation) if operation.is_pause_wanted() => {
            out.ask(Ask::DropPause { by });
            out.say(Notice::plain("there will be no pause before the next wave"));
        }
        Some(_) | None => {
            out.ask(Ask::Pause { by });
            out.say(Notice::plain("it will pause before the next wave; the same key takes that back"));
        }
    }
}
