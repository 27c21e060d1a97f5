//! Where lines come from: one container of one pod, the state of its stream, how it ended, and how fast lines arrive.

use std::sync::Arc;

use jiff::Timestamp;

use crate::operation::LogLine;
use crate::tui::clean;

use super::line::Unfinished;

/// Over how many seconds a rate is measured.
const RATE_SECONDS: i64 = 5;
/// The fewest letters that stand for a pod: `db-0` rather than `0`.
const LABEL: usize = 4;

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    pub(crate) code: i32,
    pub(crate) reason: String,
    pub(crate) at: Option<Timestamp>,
}

/// Whether more lines may come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Nobody has said that it is open; lines have come all the same.
    #[default]
    Unknown,
    Open,
    Closed {
        at: Timestamp,
    },
}

/// One container of one pod, the origin of lines.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) pod: Arc<str>,
    pub(crate) container: Arc<str>,
    pub(crate) uid: Option<Arc<str>>,
    /// Attempt of the operation; `None` until the first line.
    pub(crate) attempt: Option<u32>,
    pub(crate) pod_attempt: u32,
    pub(crate) stream: Stream,
    pub(crate) exit: Option<Exit>,
    pub(crate) pod_gone: bool,
    /// Lines received, kept or not.
    pub(crate) lines: u64,
    /// Number of its newest row.
    pub(crate) last: Option<u64>,
    pub(super) unfinished: Option<Unfinished>,
}

impl Source {
    /// Returns what tells the pod from its siblings: the end of its name, the container if there are several, and the attempt if it is not
    /// the first, because a pod that is a hook itself keeps its name.
    pub(crate) fn label(&self, several_containers: bool) -> String {
        let short = self.pod.rmatch_indices('-').map(|(dash, _)| &self.pod[dash + 1..]).find(|end| end.len() >= LABEL).unwrap_or(&self.pod);
        let mut label = clean::text(short).into_owned();
        if several_containers {
            label.push('/');
            label.push_str(&clean::text(&self.container));
        }
        if let Some(attempt) = self.attempt.filter(|attempt| *attempt > 1) {
            label = format!("{label}#{attempt}");
        }
        label
    }

    /// Returns whether the stream has ended.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.stream, Stream::Closed { .. })
    }

    pub(super) fn prints(&self, line: &LogLine) -> bool {
        self.pod == line.pod
            && self.container == line.container
            && self.pod_attempt == line.pod_attempt
            && self.attempt.is_none_or(|attempt| attempt == line.attempt)
    }

    pub(super) fn is_of(&self, uid: &str) -> bool {
        self.uid.as_deref().is_none_or(|known| known == uid)
    }
}

/// Lines per second over the last few seconds.
#[derive(Debug, Default)]
pub(super) struct Rate {
    slots: [(i64, u32); RATE_SECONDS as usize + 1],
}

impl Rate {
    pub(super) fn count(&mut self, time: Timestamp) {
        let second = time.as_second();
        let slot = &mut self.slots[usize::try_from(second.rem_euclid(RATE_SECONDS + 1)).unwrap_or_default()];
        if slot.0 < second {
            *slot = (second, 0);
        }
        // A line from before the slot's second came late; it says nothing about now.
        slot.1 += u32::from(slot.0 == second);
    }

    pub(super) fn per_second(&self, now: Timestamp) -> f64 {
        let now = now.as_second();
        let recent = self.slots.iter().filter(|(second, _)| (now - RATE_SECONDS..=now).contains(second));
        recent.map(|(_, count)| f64::from(*count)).sum::<f64>() / RATE_SECONDS as f64
    }
}
