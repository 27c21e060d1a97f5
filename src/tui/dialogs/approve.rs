//! Asks a person to confirm the deletion of objects that are marked `Prune=confirm`, for which the operation waits. Closes itself when
//! the operation does not wait for them any more.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Dialog, Piece, Sheet, labelled, sheet, turn};
use crate::engine::session::Ask;
use crate::model::ResourceKey;
use crate::tui::action::Action;
use crate::tui::board::Board;
use crate::tui::clean;
use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::views::{Notice, Outbox, Wish};

/// The question.
pub(crate) struct ApproveDialog {
    keys: Vec<ResourceKey>,
    chosen: usize,
}

const KEEP: usize = 0;
const DELETE: usize = 1;
/// How many objects are named.
const NAMES: usize = 8;

impl ApproveDialog {
    /// Makes the question for what the running operation waits for.
    pub(crate) fn new(model: &Model) -> Self {
        Self { keys: unconfirmed(model), chosen: KEEP }
    }

    fn approve(&self, model: &Model, out: &mut Outbox) {
        out.ask(Ask::Approve { keys: self.keys.clone(), by: model.request.by.clone() });
        out.wish(Wish::CloseDialog);
        out.say(Notice::plain("confirmed; the deletion goes on"));
    }

    fn lines(&self, model: &Model) -> Vec<Vec<Piece>> {
        let count = self.keys.len();
        let what = if count == 1 {
            "1 object that asks for a confirmation".to_owned()
        } else {
            format!("{count} objects that ask for a confirmation")
        };
        let mut lines = vec![labelled("delete", [(what, Role::Warn)])];
        let names = self.keys.iter().take(NAMES).map(|key| labelled("", [(clean::text(&key.to_string()).into_owned(), Role::Strong)]));
        lines.extend(names);
        if count > NAMES {
            lines.push(labelled("", [(format!("and {} more", count - NAMES), Role::Text)]));
        }
        lines.push(Vec::new());
        lines.push(labelled("app", [(clean::text(&model.app_name()).into_owned(), Role::Text)]));
        lines.push(labelled("else", [("the operation goes on waiting; terminate ends it".to_owned(), Role::Text)]));
        lines
    }
}

fn unconfirmed(model: &Model) -> Vec<ResourceKey> {
    model.running().and_then(Board::operation).map(|operation| operation.unconfirmed()).unwrap_or_default()
}

impl Dialog for ApproveDialog {
    fn update(&mut self, action: Action, model: &Model, out: &mut Outbox) {
        match action {
            Action::NextPane | Action::Right => self.chosen = turn(self.chosen, 2, true),
            Action::PreviousPane | Action::Left => self.chosen = turn(self.chosen, 2, false),
            Action::Yes => self.approve(model, out),
            Action::Open if self.chosen == DELETE => self.approve(model, out),
            Action::Open | Action::No => out.wish(Wish::CloseDialog),
            _ => {}
        }
    }

    fn settle(&mut self, model: &Model) -> Option<String> {
        self.keys = unconfirmed(model);
        self.keys.is_empty().then(|| "nothing waits for a confirmation any more".to_owned())
    }

    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        let lines = self.lines(model);
        let looks = Sheet {
            title: "Delete what asks for a confirmation?",
            lines: &lines,
            buttons: &[("Keep", self.chosen == KEEP), ("Delete", self.chosen == DELETE)],
            hint: "tab/←→ choose · enter confirm · y delete · n/esc keep",
        };
        sheet(model.theme, &looks, area, buffer);
    }
}
