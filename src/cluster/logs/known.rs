//! What is known to have been delivered of a container's log, run by run: a stream may bring lines of the next run before the pod's
//! status speaks of it. Pure; reads nothing itself, and knows no sink.

use jiff::Timestamp;

use super::Reading;
use super::pieces::{Delivered, Piece};

/// So many places are remembered at which a log went on elsewhere.
const BREAKS: usize = 16;

/// A place at which a resumed stream repeated nothing. The kubelet serves the next run as soon as there is one, and the pod's status
/// speaks of it later: then the end of the run before has not been read, and what came since says nothing of it.
struct Break {
    /// What had been delivered before.
    before: Delivered,
    /// When the first line after it was printed.
    next: Timestamp,
    /// Whether a stream had come to its end before.
    is_whole: bool,
}

impl Break {
    /// Returns whether the run that was started then is the one after this place; otherwise only the file of a run was another one, or it
    /// is the place before an earlier run.
    fn is_before(&self, start: Option<Timestamp>) -> bool {
        start.is_some_and(|start| self.next >= start)
    }
}

/// What is known to have been delivered.
#[derive(Default)]
pub(super) struct Known {
    delivered: Delivered,
    /// Whether a stream of this run has come to its end while it was followed.
    is_whole: bool,
    /// In the order in which they came.
    breaks: Vec<Break>,
    /// When the present run was started, to the second, as the pod's status says.
    pub(super) present_start: Option<Timestamp>,
}

impl Known {
    /// Returns what is known to have been delivered of what is read.
    pub(super) fn of(&mut self, reading: Reading) -> &mut Delivered {
        let start = self.start_after(reading);
        match self.breaks.iter_mut().find(|one| one.is_before(start)) {
            Some(one) => &mut one.before,
            None => &mut self.delivered,
        }
    }

    /// Returns whether a stream has come to the end of what is read while it was followed.
    pub(super) fn is_whole(&self, reading: Reading) -> bool {
        let start = self.start_after(reading);
        self.breaks.iter().find(|one| one.is_before(start)).map_or(self.is_whole, |one| one.is_whole)
    }

    /// Returns when the run after the one that is read was started; `None` for the present one.
    fn start_after(&self, reading: Reading) -> Option<Timestamp> {
        self.present_start.filter(|_| reading == Reading::Previous)
    }

    /// Returns whether a piece is new, and counts it if so.
    pub(super) fn take(&mut self, piece: &Piece, reading: Reading) -> bool {
        if reading != Reading::Previous
            && let Some(next) = piece.log_time.filter(|_| self.delivered.is_elsewhere(piece))
        {
            self.note_break(next);
        }
        self.of(reading).is_new(piece)
    }

    fn note_break(&mut self, next: Timestamp) {
        if self.breaks.len() == BREAKS {
            self.breaks.remove(0);
        }
        self.breaks.push(Break { before: self.delivered.clone(), next, is_whole: self.is_whole });
    }

    /// The run before the present one has been read: what came before the start of this one is of no more use.
    pub(super) fn forget_breaks(&mut self) {
        let start = self.present_start;
        let used = self.breaks.iter().position(|one| one.is_before(start)).map_or(self.breaks.len(), |at| at + 1);
        self.breaks.drain(..used);
    }

    /// A run begins to be read.
    pub(super) fn begin_run(&mut self) {
        self.is_whole = false;
    }

    /// A stream that was followed has come to its end.
    pub(super) fn come_to_end(&mut self) {
        self.is_whole = true;
    }
}
