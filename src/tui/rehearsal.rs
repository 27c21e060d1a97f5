//! The screens without a terminal: what a frame costs is measured here, and the picture of the README is drawn. Draws into memory, as the
//! loop does into the terminal.

#[cfg(test)]
mod picture;

use std::sync::Arc;

use crossterm::event::{Event as Input, KeyCode, KeyEvent};
use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::app::{App, Begin, Effect, Msg};
use super::theme::Look;
use super::views::diff::work::{Done, Job};
use crate::engine::session::Answer;
use crate::operation::{Record, Request};

/// The sync screen of an operation.
pub(crate) struct Rehearsal {
    app: App,
    now: Timestamp,
    buffer: Buffer,
    jobs: Vec<Job>,
    done: Vec<Done>,
}

impl Rehearsal {
    /// Opens the screens on a session that has told nothing yet.
    pub(crate) fn new(columns: u16, rows: u16) -> Self {
        let mut app = App::new(Look::default());
        app.open("rehearsal".to_owned(), Request::default(), Begin::Nothing);
        Self { app, now: Timestamp::UNIX_EPOCH, buffer: Buffer::empty(Rect::new(0, 0, columns, rows)), jobs: Vec::new(), done: Vec::new() }
    }

    /// Takes facts.
    pub(crate) fn facts(&mut self, records: &[Record]) {
        self.app.update(Msg::Facts(&mut records.iter().cloned().map(Arc::new).collect()));
        self.now = records.last().map_or(self.now, |record| record.at);
    }

    /// Takes an answer of the session.
    pub(crate) fn answer(&mut self, answer: Answer) {
        self.app.update(Msg::Answer(answer));
        self.collect();
    }

    /// Presses the key of a letter.
    pub(crate) fn press(&mut self, letter: char) {
        self.app.update(Msg::Terminal(Input::Key(KeyEvent::from(KeyCode::Char(letter)))));
        self.collect();
    }

    fn collect(&mut self) {
        for effect in self.app.take_effects() {
            if let Effect::Work(job) = effect {
                self.jobs.push(job);
            }
        }
    }

    /// Does what the program does beside its frames. Returns whether there was anything.
    pub(crate) fn work(&mut self) -> bool {
        self.done.extend(self.jobs.drain(..).filter_map(Job::run));
        !self.done.is_empty()
    }

    /// Takes what was done.
    pub(crate) fn deliver(&mut self) {
        for done in self.done.drain(..) {
            self.app.update(Msg::Done(done));
        }
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
        self.collect();
        self.app.draw(area, &mut self.buffer);
        self.buffer.content().iter().filter(|cell| cell.symbol() != " ").count()
    }
}
