//! Asks before objects are deleted whose manifests want a confirmation (`Prune=confirm`, spec R634). The operation waits for it.

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

/// How many objects are named.
const NAMES: usize = 8;
const WAIT: usize = 0;
const DELETE: usize = 1;

/// The question.
pub(crate) struct ApproveDialog {
    keys: Vec<ResourceKey>,
    chosen: usize,
}

impl ApproveDialog {
    /// Makes the question about what the operation waits for.
    pub(crate) fn new(model: &Model) -> Self {
        Self { keys: model.running().map(|board| board.unconfirmed().to_vec()).unwrap_or_default(), chosen: WAIT }
    }

    fn approve(&self, model: &Model, out: &mut Outbox) {
        out.ask(Ask::Approve { keys: self.keys.clone(), by: model.request.by.clone() });
        out.wish(Wish::CloseDialog);
        out.say(Notice::plain("confirmed"));
    }
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
        let waits = model.running().is_some_and(|board| board.unconfirmed() == self.keys);
        (!waits).then(|| "the operation does not wait for this any more".to_owned())
    }

    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        let context = model.place.as_ref().map(|place| clean::text(&place.context).into_owned()).unwrap_or_default();
        let why = if model.running().is_some_and(Board::is_deletion) {
            "They go with the app, and want to be confirmed first (Delete=confirm)."
        } else {
            "No manifest asks for these any more, and they want to be confirmed (Prune=confirm)."
        };
        let mut lines: Vec<Vec<Piece>> = vec![
            vec![(format!("{} in {context} waits for a person", clean::text(model.app_name())), Role::Strong)],
            vec![(why.to_owned(), Role::Text)],
            Vec::new(),
        ];
        for (at, key) in self.keys.iter().take(NAMES).enumerate() {
            lines.push(labelled(if at == 0 { "delete" } else { "" }, [(clean::text(&key.to_string()).into_owned(), Role::Warn)]));
        }
        if self.keys.len() > NAMES {
            lines.push(labelled("", [(format!("and {} more", self.keys.len() - NAMES), Role::Warn)]));
        }
        let looks = Sheet {
            title: "Confirm the deletion?",
            lines: &lines,
            focus: 0,
            buttons: &[("Not now", self.chosen == WAIT), ("Delete", self.chosen == DELETE)],
            hint: "tab/←→ choose · enter confirm · y delete · n/esc not now",
        };
        sheet(model.theme, &looks, area, buffer);
    }
}
