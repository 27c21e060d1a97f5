//! Sync windows while an operation runs (spec R1405): as long as one blocks it no pass is made, so that nothing is begun and nothing is
//! judged. A run of tasks that was begun, the end once it is decided, and a terminate go on (spec R1525: Argo CD freezes the terminate too).

use jiff::Timestamp;

use super::event::Event;
use super::messages;
use super::{Effect, Operation};
use crate::model::Attempt;

impl Operation {
    /// Every sync here is started by a person, and its beginning is known from the first pass on.
    fn attempt_at_windows(&self) -> Attempt {
        Attempt { is_manual: true, started_at: Some(self.began_at) }
    }

    /// Returns what to do instead of a pass, if a window blocks it or has just stopped doing so.
    pub(super) fn held_by_window(&self, now: Timestamp) -> Option<Vec<Effect>> {
        let windows = &self.request.windows;
        if windows.is_empty() {
            return None;
        }
        let is_blocked = windows.blocker(self.attempt_at_windows(), now).is_some();
        let waiting = |message: &str| Effect::Record(Event::Waiting { message: message.to_owned(), on: Vec::new() });
        match (is_blocked, self.is_said_to_be_blocked()) {
            (true, true) => Some(Vec::new()),
            (true, false) => {
                let text = format!("the sync stands still: {}", self.why_blocked(now)?);
                Some(vec![waiting(messages::BLOCKED_BY_WINDOW), Effect::Record(Event::Warned { task: None, text })])
            }
            (false, true) => Some(vec![waiting("")]),
            (false, false) => None,
        }
    }

    /// Returns when a window stops blocking the operation, or begins to.
    pub(super) fn window_changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.request.windows.changes_at(self.attempt_at_windows(), now)
    }

    /// Returns which window blocks the operation and until when, if it stands still.
    pub(super) fn window_sentence(&self, now: Timestamp) -> Option<String> {
        self.why_blocked(now).filter(|_| self.is_said_to_be_blocked())
    }

    fn why_blocked(&self, now: Timestamp) -> Option<String> {
        self.request.windows.why_blocked(self.attempt_at_windows(), now)
    }

    pub(super) fn is_said_to_be_blocked(&self) -> bool {
        self.waiting.message == messages::BLOCKED_BY_WINDOW
    }
}
