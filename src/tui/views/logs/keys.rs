//! What keys ask of a log, and what the view answers.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use jiff::{SignedDuration, Timestamp};

use super::LogsContext;

/// What a key may ask of the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogsKey {
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Left,
    Right,
    Follow,
    Wrap,
    Time,
    Find,
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
    /// The key is not the view's.
    Ignored,
    Changed,
    /// Back to where the person came from.
    Close,
    /// Put this text on the clipboard.
    Copy(String),
    /// Tell this to the person for a moment.
    Flash(String),
}

/// Returns what a key asks of a log when nothing is being typed: k9s' keys, and less' for searching.
pub(crate) fn logs_key(key: KeyEvent) -> Option<LogsKey> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('b') if control => Some(LogsKey::PageUp),
        KeyCode::Char('f') if control => Some(LogsKey::PageDown),
        KeyCode::Char(letter) if !control => letter_key(letter),
        KeyCode::Up => Some(LogsKey::Up),
        KeyCode::Down => Some(LogsKey::Down),
        KeyCode::PageUp => Some(LogsKey::PageUp),
        KeyCode::PageDown => Some(LogsKey::PageDown),
        KeyCode::Home => Some(LogsKey::Top),
        KeyCode::End => Some(LogsKey::Bottom),
        KeyCode::Left => Some(LogsKey::Left),
        KeyCode::Right => Some(LogsKey::Right),
        KeyCode::Esc => Some(LogsKey::Close),
        _ => None,
    }
}

fn letter_key(letter: char) -> Option<LogsKey> {
    Some(match letter {
        'k' => LogsKey::Up,
        'j' => LogsKey::Down,
        'g' => LogsKey::Top,
        'G' => LogsKey::Bottom,
        's' => LogsKey::Follow,
        'w' => LogsKey::Wrap,
        't' => LogsKey::Time,
        '/' => LogsKey::Find,
        'n' => LogsKey::Next,
        'N' => LogsKey::Previous,
        '&' => LogsKey::OnlyMatches,
        'p' => LogsKey::Earlier,
        'a' => LogsKey::AllSources,
        'm' => LogsKey::Mark,
        'c' => LogsKey::Copy,
        'C' => LogsKey::Clear,
        'q' => LogsKey::Close,
        '0' => LogsKey::Since(Since::Everything),
        '1' => LogsKey::Since(Since::Head),
        '2' => LogsKey::Since(Since::Minutes(1)),
        '3' => LogsKey::Since(Since::Minutes(5)),
        '4' => LogsKey::Since(Since::Minutes(15)),
        '5' => LogsKey::Since(Since::Minutes(30)),
        '6' => LogsKey::Since(Since::Minutes(60)),
        '7' => LogsKey::Since(Since::WaveStart),
        '8' => LogsKey::Since(Since::OperationStart),
        _ => return None,
    })
}
