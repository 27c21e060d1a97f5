//! How the lines of the chosen resource become rows of the screen, wrapped or cut. Where it takes longer than a frame may to find out
//! where lines break, they stay cut until somebody has found out beside the frames.

use super::layout::{self, Panes};
use super::page::{Anchor, Breaks, Looks};
use super::work::{Job, Ticket, Work};
use super::{DiffView, Laid, notes};
use crate::tui::comparison::Found;
use crate::tui::model::Model;

/// What is being found out, and where the text goes on when that is known.
pub(super) struct Wrapping {
    ticket: Ticket,
    width: usize,
    /// What stood at the top, and the row that it is in until then.
    top: (Anchor, usize),
    /// The row of the match that was gone to is shown then.
    pub(super) shows_hit: bool,
}

impl DiffView {
    /// Wraps lines or cuts them; a wrapped line has nothing out of sight at its sides.
    pub(super) fn turn_wrap(&mut self, model: &Model) {
        self.wraps = !self.wraps;
        self.scroll.move_left(usize::MAX);
        self.refresh(model);
    }

    /// Makes the rows, if they were made for something else.
    pub(super) fn lay(&mut self, model: &Model, found: &Found, panes: &Panes) {
        self.shape = layout::shape(self.area, self.looks(model));
        let wrap = self.wraps.then(|| layout::columns(panes.body, self.shape).max(1));
        let looks = Looks { shape: self.shape, wrap };
        let laid = Laid { looks, width: usize::from(panes.body.width), fields: self.lists_fields, same: self.lists_same };
        let Some(entry) = self.entry(found).filter(|_| self.laid != Some(laid)) else { return };
        let subject = notes::Subject { found, entry, zone: &model.zone, width: laid.width, fields: laid.fields, ignored: laid.same };
        // What is at the top stays there when the same text is laid out for another width.
        let top = self.laid.map(|_| self.top());
        self.page.set_notes(subject.first(), subject.last());
        let heavy = wrap.filter(|width| self.page.is_heavy(*width));
        self.page.lay(Looks { wrap: wrap.filter(|_| heavy.is_none()), ..looks });
        if let Some(top) = top {
            self.scroll.place(self.page.row_at(top));
        }
        self.laid = Some(laid);
        match heavy {
            Some(width) => self.break_aside(width, top),
            None => self.give_up_wrapping(),
        }
    }

    /// What stands at the top; while lines are cut for a moment only, what stood there before, unless somebody has moved.
    fn top(&self) -> Anchor {
        let row = self.scroll.visible().start;
        let before = self.wrapping.as_ref().filter(|wrapping| wrapping.top.1 == row);
        before.map_or_else(|| self.page.anchor(row), |wrapping| wrapping.top.0)
    }

    fn break_aside(&mut self, width: usize, top: Option<Anchor>) {
        let top = top.unwrap_or(Anchor::Head(0));
        let row = self.page.row_at(top).min(self.page.height().saturating_sub(self.scroll.height()));
        if let Some(wrapping) = self.wrapping.as_mut().filter(|wrapping| wrapping.width == width) {
            wrapping.top = (top, row);
            return;
        }
        self.give_up_wrapping();
        let ticket = Ticket::default();
        self.jobs.push(Job { ticket: ticket.clone(), work: Work::Breaks(self.page.script.clone(), width) });
        self.wrapping = Some(Wrapping { ticket, width, top: (top, row), shows_hit: false });
    }

    /// Takes where the lines break, and wraps them.
    pub(super) fn take_breaks(&mut self, (ticket, breaks): (&Ticket, &Breaks), model: &Model) {
        if !self.wrapping.as_ref().is_some_and(|wrapping| wrapping.ticket.is(ticket)) {
            return;
        }
        let top = self.top();
        let shows_hit = self.wrapping.take().is_some_and(|wrapping| wrapping.shows_hit);
        self.page.set_breaks(breaks.clone());
        self.laid = None;
        self.refresh(model);
        self.scroll.place(self.page.row_at(top));
        self.scroll.settle(self.page.height(), self.scroll.height());
        if shows_hit {
            self.show_hit(model);
        }
    }

    pub(super) fn give_up_wrapping(&mut self) {
        if let Some(wrapping) = self.wrapping.take() {
            wrapping.ticket.give_up();
        }
    }
}
