//! Puts rows of a log into a buffer: where the line came from, when it was printed, and as much of it as fits. Shared by the full screen
//! and by the small pane. Writes only the rows that it is given, and measures nothing twice.

use std::fmt::Write as _;
use std::ops::Range;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::clean;
use crate::tui::log_store::{Content, Level, Source, StoredLine, TaskLog, Text};

use super::find::Needle;

/// The looks of logs; the theme fills it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LogStyles {
    pub(crate) text: Style,
    /// Lines of level debug and trace.
    pub(crate) debug: Style,
    pub(crate) warn: Style,
    pub(crate) error: Style,
    /// The time before a line.
    pub(crate) time: Style,
    /// The pod before a line.
    pub(crate) source: Style,
    /// What is not a line: ends, gaps, marks.
    pub(crate) note: Style,
    /// Notes about something that is missing.
    pub(crate) gap: Style,
    pub(crate) found: Style,
    /// What is found in the line where the person is.
    pub(crate) found_here: Style,
    /// The sign before the line where the person is.
    pub(crate) selected: Style,
    /// Signs for text left and right of the screen.
    pub(crate) edge: Style,
    pub(crate) rule: Style,
    pub(crate) title: Style,
    pub(crate) header: Style,
    pub(crate) mode: Style,
    pub(crate) live: Style,
    pub(crate) ended: Style,
    pub(crate) paused: Style,
}

pub(super) const RULE: &str = "─";
pub(super) const BAR: &str = " │ ";
pub(super) const DOT: &str = " · ";
pub(super) const SELECTED: &str = ">";
/// There is text to the left, to the right, in an earlier row.
const LEFT: &str = "‹";
const RIGHT: &str = "›";
const CONTINUES: &str = "↪";

/// Which time stands before a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TimeMode {
    Off,
    /// Time of day with milliseconds.
    #[default]
    Clock,
    /// Time of day, for narrow screens.
    ShortClock,
    /// Since the operation started.
    Offset,
}

impl TimeMode {
    /// Columns, with the space behind.
    fn columns(self) -> u16 {
        match self {
            Self::Off => 0,
            Self::Clock => 13,
            Self::ShortClock | Self::Offset => 9,
        }
    }
}

/// How rows look in one drawing.
pub(super) struct Painter<'a> {
    pub(super) styles: &'a LogStyles,
    pub(super) zone: &'a TimeZone,
    pub(super) started: Option<Timestamp>,
    pub(super) time: TimeMode,
    /// Columns for the pod; 0 if there is only one source.
    pub(super) label: u16,
    pub(super) several_containers: bool,
    /// Columns left of the screen.
    pub(super) scroll: usize,
    pub(super) wrap: bool,
    pub(super) needle: &'a Needle,
}

/// The widest pod that is written out before lines.
const LABEL_LIMIT: usize = 18;

/// Returns how many columns the names of these sources need; 0 for one.
pub(super) fn label_columns(sources: &[Source], several_containers: bool) -> u16 {
    if sources.len() < 2 {
        return 0;
    }
    let widest = sources.iter().map(|source| clean::columns(&source.label(several_containers))).max().unwrap_or_default();
    u16::try_from(widest.min(LABEL_LIMIT)).unwrap_or_default()
}

/// Returns whether pods alone do not tell the sources apart.
pub(super) fn has_several_containers(sources: &[Source]) -> bool {
    sources.iter().any(|source| source.container != sources[0].container)
}

/// Returns how many columns stand before a line's text.
pub(super) fn prefix_columns(label: u16, time: TimeMode) -> u16 {
    1 + if label > 0 { label + 1 } else { 0 } + time.columns()
}

/// What is known of the row being drawn.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) area: Rect,
    /// Which row of the line comes first.
    pub(super) offset: usize,
    pub(super) selected: Option<u16>,
}

impl Painter<'_> {
    /// Draws a row of the store from its row `offset` on, as far down as the area goes. Returns how many rows it took.
    pub(super) fn line(&self, line: &StoredLine, log: &TaskLog, place: Place, buf: &mut Buffer) -> u16 {
        let source = log.sources().get(line.source);
        let Some(text) = line.text() else {
            let (note, style) = self.told(&line.content);
            return self.note(place.area, self.labelled(source, &note), style, buf);
        };
        if place.offset == 0 {
            self.prefix(line, text, source, place.area, buf);
        }
        if self.wrap {
            return self.wrapped(text, place, buf);
        }
        self.scrolled(text, place.area, place.selected == Some(place.area.y), buf);
        1
    }

    /// Returns the sentence of a row that is not a line.
    fn told(&self, content: &Content) -> (String, Style) {
        match content {
            Content::Text(text) => (text.text.clone(), self.styles.text),
            Content::Cut { bytes } => (format!("{} more bytes of this line are not kept", grouped(*bytes)), self.styles.gap),
            Content::Gap { lines: 1 } => ("1 line is missing here".to_owned(), self.styles.gap),
            Content::Gap { lines } => (format!("{} lines are missing here", grouped(*lines)), self.styles.gap),
            Content::Reopened { after } => (format!("stream reopened after {:.1}s", after.as_secs_f64()), self.styles.note),
        }
    }

    fn wrapped(&self, text: &Text, place: Place, buf: &mut Buffer) -> u16 {
        let area = place.area;
        let mut rows = 0;
        let mut at = clean::wrapped(&text.text, self.room(area)).take(place.offset).map(str::len).sum::<usize>();
        for part in clean::wrapped(&text.text[at..], self.room(area)).take(usize::from(area.height)) {
            let spot = Spot { row: rows, shift: 0, here: place.selected == Some(area.y + rows) };
            self.part(text, at..at + part.len(), spot, area, buf);
            at += part.len();
            rows += 1;
        }
        rows
    }

    /// Columns for the text.
    pub(super) fn room(&self, area: Rect) -> usize {
        usize::from(area.width.saturating_sub(prefix_columns(self.label, self.time)).max(1))
    }

    fn scrolled(&self, text: &Text, area: Rect, here: bool, buf: &mut Buffer) {
        let (shown, torn) = clean::tail(&text.text, self.scroll);
        let start = text.text.len() - shown.len();
        let room = self.room(area);
        let shown = clean::head(shown, room.saturating_sub(torn));
        self.part(text, start..start + shown.len(), Spot { row: 0, shift: torn, here }, area, buf);
        let left = area.x + prefix_columns(self.label, self.time).min(area.width);
        if self.scroll > 0 && text.columns > 0 && left < area.right() {
            buf.set_stringn(left, area.y, LEFT, 1, self.styles.edge);
        }
        if text.columns > self.scroll.saturating_add(room) && area.width > 0 {
            buf.set_stringn(area.right() - 1, area.y, RIGHT, 1, self.styles.edge);
        }
    }

    fn part(&self, text: &Text, range: Range<usize>, spot: Spot, area: Rect, buf: &mut Buffer) {
        let y = area.y + spot.row;
        let left = area.x + prefix_columns(self.label, self.time);
        let x = left.saturating_add(u16::try_from(spot.shift).unwrap_or(u16::MAX));
        if y >= area.bottom() || x >= area.right() {
            return;
        }
        let shown = &text.text[range.clone()];
        buf.set_stringn(x, y, shown, usize::from(area.right() - x), self.level_style(text.level));
        let found_style = if spot.here { self.styles.found_here } else { self.styles.found };
        for found in self.needle.places_in(&text.text, range.clone()) {
            let (start, end) = (found.start.max(range.start), found.end.min(range.end));
            let before = clean::columns(&text.text[range.start..start]);
            let width = clean::columns(&text.text[start..end]);
            let found_at = x.saturating_add(u16::try_from(before).unwrap_or(u16::MAX));
            let cells = Rect { x: found_at, y, width: u16::try_from(width).unwrap_or(u16::MAX), height: 1 };
            buf.set_style(cells.intersection(area), found_style);
        }
    }

    fn prefix(&self, line: &StoredLine, text: &Text, source: Option<&Source>, area: Rect, buf: &mut Buffer) {
        if text.continues {
            put(buf, area, 0, CONTINUES, self.styles.note);
        }
        let mut x = 1;
        if let Some(source) = source.filter(|_| self.label > 0) {
            let label = source.label(self.several_containers);
            put(buf, area, x, &clean::fit(&label, usize::from(self.label)), self.styles.source);
            x += self.label + 1;
        }
        let mut time = String::new();
        self.write_time(line.time(), &mut time);
        put(buf, area, x, &time, self.styles.time);
    }

    fn write_time(&self, time: Timestamp, out: &mut String) {
        let clock = || self.zone.to_datetime(time);
        let written = match self.time {
            TimeMode::Off => Ok(()),
            TimeMode::Clock => {
                let now = clock();
                write!(out, "{:02}:{:02}:{:02}.{:03}", now.hour(), now.minute(), now.second(), now.millisecond())
            }
            TimeMode::ShortClock => {
                let now = clock();
                write!(out, "{:02}:{:02}:{:02}", now.hour(), now.minute(), now.second())
            }
            TimeMode::Offset => match self.started {
                Some(started) => write_offset(time.duration_since(started).as_millis(), out),
                None => Ok(()),
            },
        };
        written.expect("writing to a String cannot fail");
    }

    fn labelled(&self, source: Option<&Source>, note: &str) -> String {
        match source.filter(|_| self.label > 0) {
            Some(source) => format!("{}: {note}", source.label(self.several_containers)),
            None => note.to_owned(),
        }
    }

    /// Returns what is known of the end of a source, as a sentence.
    pub(super) fn end_of(&self, source: &Source) -> String {
        let mut note = "end of log".to_owned();
        if let Some(exit) = &source.exit {
            note.push_str(DOT);
            let reason = clean::text(&exit.reason);
            let told = if matches!(&*reason, "" | "Completed" | "Error") { String::new() } else { format!(" ({reason})") };
            write!(note, "exited {}{told}", exit.code).expect("writing to a String cannot fail");
            if let Some(at) = exit.at {
                let at = self.zone.to_datetime(at);
                write!(note, " at {:02}:{:02}:{:02}", at.hour(), at.minute(), at.second()).expect("writing to a String cannot fail");
            }
        }
        if source.pod_gone {
            note.push_str(DOT);
            note.push_str("pod deleted, text kept");
        }
        self.labelled(Some(source), &note)
    }

    /// Returns the sentence of a line that the person drew.
    pub(super) fn mark(&self, at: Timestamp) -> String {
        let at = self.zone.to_datetime(at);
        format!("mark {:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
    }

    /// Draws a sentence between two rules. Returns how many rows it took.
    pub(super) fn note(&self, area: Rect, note: impl AsRef<str>, style: Style, buf: &mut Buffer) -> u16 {
        let room = usize::from(area.width).saturating_sub(4);
        let text = clean::fit(note.as_ref(), room);
        let after = 4 + u16::try_from(clean::columns(&text)).unwrap_or(u16::MAX);
        for x in (1..3).chain(after.saturating_add(1)..area.width) {
            put(buf, area, x, RULE, style);
        }
        put(buf, area, 4, &text, style);
        1
    }

    fn level_style(&self, level: Option<Level>) -> Style {
        match level {
            Some(Level::Fatal | Level::Error) => self.styles.error,
            Some(Level::Warn) => self.styles.warn,
            Some(Level::Debug | Level::Trace) => self.styles.debug,
            Some(Level::Info) | None => self.styles.text,
        }
    }
}

/// Where a part of a line goes.
#[derive(Clone, Copy)]
struct Spot {
    row: u16,
    /// Columns that stay empty because a wide character was cut.
    shift: usize,
    here: bool,
}

/// Writes `+ 41.9s`, or `+12m04s` from a thousand seconds on, in eight columns.
fn write_offset(milliseconds: i128, out: &mut String) -> std::fmt::Result {
    let sign = if milliseconds < 0 { '-' } else { '+' };
    let tenths = milliseconds.unsigned_abs() / 100;
    let seconds = tenths / 10;
    match seconds {
        0..1000 => write!(out, "{sign}{:>4}.{}s", seconds, tenths % 10),
        1000..6000 => write!(out, "{sign}{:>3}m{:02}s", seconds / 60, seconds % 60),
        _ => write!(out, "{sign}{:>3}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// Writes at a column of the area's first row, as far as the area goes.
pub(super) fn put(buf: &mut Buffer, area: Rect, column: u16, text: &str, style: Style) {
    if column < area.width && area.height > 0 {
        buf.set_stringn(area.x + column, area.y, text, usize::from(area.width - column), style);
    }
}

/// Writes a number with commas between the thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
