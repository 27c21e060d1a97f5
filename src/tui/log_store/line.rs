//! A row of a log, and how pieces become one. Keeps the start of a line that is too long and counts the rest.

use std::mem::size_of;

use jiff::{SignedDuration, Timestamp};

use crate::tui::clean::Cleaner;

use super::level::Level;

/// What is kept of one line.
pub(crate) const LINE_LIMIT: usize = 64 * 1024;

/// One row of a log before wrapping.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredLine {
    /// When it was received.
    pub(crate) at: Timestamp,
    /// When the container printed it, if the kubelet said so.
    pub(crate) log_time: Option<Timestamp>,
    /// Index into `TaskLog::sources`.
    pub(crate) source: usize,
    pub(crate) content: Content,
}

/// What a row says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Text(Text),
    /// So many bytes of the line before are not kept.
    Cut {
        bytes: u64,
    },
    /// So many lines are missing here; the stream said so.
    Gap {
        lines: u64,
    },
    /// The stream was opened again after so long.
    Reopened {
        after: SignedDuration,
    },
}

/// A line, or the part of it that arrived in one go.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Text {
    /// Printable, see `tui::clean`.
    pub(crate) text: String,
    pub(crate) level: Option<Level>,
    pub(crate) columns: usize,
    /// Some bytes were not UTF-8.
    pub(crate) lossy: bool,
    /// The line began in an earlier row; lines of other containers came in between.
    pub(crate) continues: bool,
    /// More of the line is to come.
    pub(crate) open: bool,
}

impl StoredLine {
    /// Returns when the line was printed, as well as it is known.
    pub(crate) fn time(&self) -> Timestamp {
        self.log_time.unwrap_or(self.at)
    }

    /// Returns the text, if the row is not a note about missing ones.
    pub(crate) fn text(&self) -> Option<&Text> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Cut { .. } | Content::Gap { .. } | Content::Reopened { .. } => None,
        }
    }

    pub(super) fn cost(&self) -> usize {
        size_of::<Self>() + self.text().map_or(0, |text| text.text.capacity())
    }

    pub(super) fn is_open(&self) -> bool {
        self.text().is_some_and(|text| text.open)
    }
}

/// A line of which more is to come.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    pub(super) cleaner: Cleaner,
    /// Number of the newest row that shows a part of it.
    pub(super) row: Option<u64>,
    kept: usize,
    /// Bytes that are not kept, and the number of the row that says so.
    pub(super) cut: u64,
    pub(super) cut_row: Option<u64>,
}

impl Unfinished {
    /// Appends the printable form of a piece, up to what is kept of a line, and counts the rest.
    pub(super) fn take(&mut self, piece: &[u8], continued: bool, text: &mut Text) {
        let before = text.text.len();
        let room = LINE_LIMIT.saturating_sub(self.kept);
        self.cut += self.cleaner.feed(piece, &mut text.text, before + room);
        if !continued && self.cut == 0 {
            self.cleaner.finish(&mut text.text);
        } else if self.cut > 0 {
            self.cut += self.cleaner.discard();
        }
        self.kept += text.text.len() - before;
    }
}
