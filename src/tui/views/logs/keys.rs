//! What a person may ask of a log, and what the view answers. Which key asks for what is the keymap's business.

use jiff::{SignedDuration, Timestamp};

use super::LogsContext;

/// What a key may ask of the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogsKey {
    Up,
    Down,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    Top,
    Bottom,
    Left,
    Right,
    Follow,
    Wrap,
    Time,
    /// The next line that has what is searched for.
    Next,
    Previous,
    OnlyMatches,
    /// Earlier attempts and other containers, one after the other.
    Earlier,
    AllSources,
    Mark,
    Copy,
    Clear,
    Since(Since),
    Close,
}

/// How far back lines are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Since {
    #[default]
    Everything,
    /// Everything, from the top.
    Head,
    Minutes(u8),
    WaveStart,
    OperationStart,
}

impl Since {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Everything | Self::Head => "start",
            Self::Minutes(1) => "1m",
            Self::Minutes(5) => "5m",
            Self::Minutes(15) => "15m",
            Self::Minutes(30) => "30m",
            Self::Minutes(_) => "1h",
            Self::WaveStart => "wave start",
            Self::OperationStart => "operation start",
        }
    }

    pub(super) fn time(self, context: &LogsContext<'_>) -> Option<Timestamp> {
        match self {
            Self::Everything | Self::Head => None,
            Self::Minutes(minutes) => context.now.checked_sub(SignedDuration::from_mins(i64::from(minutes))).ok(),
            Self::WaveStart => context.wave_started,
            Self::OperationStart => context.started,
        }
    }
}

/// What the caller has to do after a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogsOutcome {
    Changed,
    /// Back to where the person came from.
    Close,
    /// Put this text on the clipboard.
    Copy(String),
    /// Tell this to the person for a moment.
    Flash(String),
}
