//! Moving in the list and in the text, folds, and how the text is laid out: one text or two sides.

use super::layout::{self, Panes};
use super::page::Shape;
use super::{DiffView, Focus};
use crate::tui::action::Action;
use crate::tui::model::Model;
use crate::tui::views::{Notice, Outbox, Outcome, go};

/// Screens to the left from which one goes back to the start of the lines at once.
const FAR: usize = 8;

impl DiffView {
    /// Moves in the list or in the text. Returns whether the verb was one that moves.
    pub(super) fn go(&mut self, action: Action, model: &Model) -> bool {
        let panes = self.panes(model, self.area);
        let len = self.found(model).map_or(0, |found| self.len(found));
        let in_list = self.moves_in_list(&panes) && !matches!(action, Action::Left | Action::Right);
        match action {
            Action::DiffNext => self.list.move_by(1, len),
            Action::DiffPrevious => self.list.move_by(-1, len),
            _ if in_list && go(&mut self.list, action, usize::from(panes.list.height), len) == Outcome::Consumed => {}
            Action::NextPane | Action::PreviousPane | Action::Open => {
                self.focus = if self.focus == Focus::List { Focus::Text } else { Focus::List };
            }
            Action::Left | Action::Right if self.wraps => {}
            Action::Left | Action::Right => self.go_sideways(action == Action::Right, &panes),
            _ => return self.scroll.go(action),
        }
        true
    }

    /// Goes half of what is seen to the side, or as far as to the next change that is out of sight there: a line may be a megabyte.
    fn go_sideways(&mut self, right: bool, panes: &Panes) {
        let (width, left) = (layout::columns(panes.body, self.shape).max(1), self.scroll.left());
        let (step, visible) = ((width / 2).max(1), self.scroll.visible());
        let changes = self.page.changes(visible.clone());
        if right {
            let next = changes.into_iter().map(|change| change.start).filter(|column| *column >= left + width).min();
            let to = next.map_or(left + step, |column| column.saturating_sub(width / 3));
            return self.scroll.move_right(to.saturating_sub(left), self.page.widest(visible).saturating_sub(width));
        }
        let next = changes.into_iter().map(|change| change.start).filter(|column| *column < left).max();
        let to = next.map_or(if left > FAR * width { 0 } else { left.saturating_sub(step) }, |column| column.saturating_sub(width / 3));
        self.scroll.move_left(left - to.min(left.saturating_sub(1)));
    }

    pub(super) fn turn_sides(&mut self, out: &mut Outbox) {
        if self.area.width < layout::WITH_LIST {
            return out.say(Notice::plain(format!("both sides need {} columns", layout::WITH_LIST)));
        }
        self.scroll.move_left(usize::MAX);
        self.wanted = Some(if self.shape == Shape::Sides { Shape::Unified } else { Shape::Sides });
    }

    pub(super) fn fold(&mut self, model: &Model, out: &mut Outbox) {
        let Some(line) = self.page.turn(self.scroll.visible()) else {
            return out.say(Notice::plain("there is no fold on the screen"));
        };
        self.show_line(line, model);
    }

    pub(super) fn fold_all(&mut self, model: &Model) {
        let seen = self.page.seen(self.scroll.visible()).find_map(|(row, _)| row.line());
        self.unfolds = self.page.turn_all();
        match seen {
            Some(line) => self.show_line(line, model),
            None => self.laid = None,
        }
    }

    /// Makes the rows anew and scrolls to a line of the text.
    pub(super) fn show_line(&mut self, line: usize, model: &Model) {
        self.laid = None;
        self.refresh(model);
        if let Some(row) = self.page.row_of(line) {
            self.scroll.reveal(row);
        }
    }
}
