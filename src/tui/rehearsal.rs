//! The screens without a terminal, on a cluster of any size: what a frame costs is measured here. Draws into memory, as the loop does
//! into the terminal.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::app::{App, Msg};
use super::theme::Look;
use crate::operation::{Record, Request};

/// The sync screen of a running operation.
pub(crate) struct Rehearsal {
    app: App,
    now: Timestamp,
    size: Size,
    buffer: Buffer,
}

impl Rehearsal {
    /// Opens the screens on an operation whose facts so far are `records`.
    pub(crate) fn of(records: &[Record], columns: u16, rows: u16) -> Self {
        let mut app = App::new(Look::default());
        app.open("rehearsal".to_owned(), Request::default(), false);
        let now = records.last().map_or(Timestamp::UNIX_EPOCH, |record| record.at);
        app.update(Msg::Facts(&mut records.iter().cloned().map(Arc::new).collect()));
        let size = Size::new(columns, rows);
        let buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        Self { app, now, size, buffer }
    }

    /// Folds one more fact, a second later.
    pub(crate) fn fact(&mut self, record: Record) {
        self.now = self.now.checked_add(SignedDuration::from_secs(1)).unwrap_or(self.now);
        self.app.update(Msg::Facts(&mut vec![Arc::new(record)]));
    }

    /// Draws a frame and returns how many of its cells are not empty.
    pub(crate) fn frame(&mut self) -> usize {
        self.buffer.reset();
        self.app.settle(self.now, self.size);
        self.app.draw(self.buffer.area, &mut self.buffer);
        self.buffer.content().iter().filter(|cell| cell.symbol() != " ").count()
    }
}
