//! Asks what becomes of the operation when the person leaves while this process runs it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Dialog, Sheet, labelled, sheet, turn};
use crate::operation::Operation;
use crate::tui::action::Action;
use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::views::{Leaving, Notice, Outbox, Wish};

/// The question.
#[derive(Debug, Default)]
pub(crate) struct QuitDialog {
    chosen: usize,
}

const BUTTONS: [&str; 3] = ["Stay", "Detach and finish", "Terminate"];

fn needs_a_person(model: &Model) -> bool {
    let Some(board) = model.running() else { return false };
    !board.unconfirmed().is_empty() || board.operation().is_some_and(Operation::needs_a_person)
}

impl Dialog for QuitDialog {
    fn update(&mut self, action: Action, model: &Model, out: &mut Outbox) {
        match (action, self.chosen) {
            (Action::NextPane | Action::Right, _) => self.chosen = turn(self.chosen, BUTTONS.len(), true),
            (Action::PreviousPane | Action::Left, _) => self.chosen = turn(self.chosen, BUTTONS.len(), false),
            (Action::Open, 1) if needs_a_person(model) => {
                out.say(Notice::bad("it waits for a person, and without the screens nobody would be there; stay, or terminate it"));
            }
            (Action::Open, 1) => out.wish(Wish::Leave(Leaving::Detached)),
            (Action::Open, 2) => out.wish(Wish::Leave(Leaving::Terminated)),
            (Action::Open | Action::No, _) => out.wish(Wish::CloseDialog),
            _ => {}
        }
    }

    fn settle(&mut self, model: &Model) -> Option<String> {
        model.running().is_none().then(|| "the operation has ended; nothing holds you here".to_owned())
    }

    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        let now = model.running().map(|board| board.verdict().text.clone()).unwrap_or_default();
        let text = |words: &str| [(words.to_owned(), Role::Text)];
        let detach = if needs_a_person(model) {
            "not possible: it waits for a person, and nobody would be there"
        } else {
            "close the screen; it goes on here until it ends"
        };
        let lines = [
            vec![(format!("This process runs the {}. What becomes of it?", model.noun()), Role::Strong)],
            Vec::new(),
            labelled("now", text(&now)),
            Vec::new(),
            labelled("Stay", text("back to the screen")),
            labelled("Detach", text(detach)),
            labelled("Terminate", text("end it properly: running hooks are deleted, nothing is undone")),
        ];
        let buttons: Vec<(&str, bool)> = BUTTONS.iter().enumerate().map(|(at, name)| (*name, at == self.chosen)).collect();
        let looks =
            Sheet { title: "Leave?", lines: &lines, focus: 0, buttons: &buttons, hint: "tab/←→ choose · enter confirm · esc stay" };
        sheet(model.theme, &looks, area, buffer);
    }
}
