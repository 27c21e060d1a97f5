//! The screens without a terminal: what a frame costs is measured here, and the picture of the README is drawn. Draws into memory, as the
//! loop does into the terminal.

#[cfg(test)]
mod picture;

use std::sync::Arc;

use crossterm::event::{Event as Input, KeyCode, KeyEvent};
use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::app::{App, Begin, Msg};
use super::theme::Look;
use crate::engine::session::Answer;
use crate::operation::{Record, Request};

/// The sync screen of an operation.
pub(crate) struct Rehearsal {
    app: App,
    now: Timestamp,
    buffer: Buffer,
}

impl Rehearsal {
    /// Opens the screens on a session that has told nothing yet.
    pub(crate) fn new(columns: u16, rows: u16) -> Self {
        let mut app = App::new(Look::default());
        app.open("rehearsal".to_owned(), Request::default(), Begin::Nothing);
        Self { app, now: Timestamp::UNIX_EPOCH, buffer: Buffer::empty(Rect::new(0, 0, columns, rows)) }
    }

    /// Takes facts.
    pub(crate) fn facts(&mut self, records: &[Record]) {
        self.app.update(Msg::Facts(&mut records.iter().cloned().map(Arc::new).collect()));
        self.now = records.last().map_or(self.now, |record| record.at);
    }

    /// Takes an answer of the session.
    pub(crate) fn answer(&mut self, answer: Answer) {
        self.app.update(Msg::Answer(answer));
        self.app.take_effects();
    }

    /// Presses the key of a letter.
    pub(crate) fn press(&mut self, letter: char) {
        self.app.update(Msg::Terminal(Input::Key(KeyEvent::from(KeyCode::Char(letter)))));
        self.app.take_effects();
    }

    /// Folds one more fact, a second later.
    pub(crate) fn fact(&mut self, record: Record) {
        self.now = self.now.checked_add(SignedDuration::from_secs(1)).unwrap_or(self.now);
        self.app.update(Msg::Facts(&mut vec![Arc::new(record)]));
    }

    /// Draws a frame and returns how many of its cells are not empty.
    pub(crate) fn frame(&mut self) -> usize {
        self.buffer.reset();
        let area = self.buffer.area;
        self.app.settle(self.now, Size::new(area.width, area.height));
        self.app.draw(area, &mut self.buffer);
        self.buffer.content().iter().filter(|cell| cell.symbol() != " ").count()
    }
}
