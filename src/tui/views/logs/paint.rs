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
use crate::tui::widgets::prompt::PromptStyles;

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
    pub(crate) prompt: PromptStyles,
    pub(crate) glyphs: LogGlyphs,
}

/// The characters that are not letters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogGlyphs {
    pub(crate) rule: &'static str,
    pub(crate) bar: &'static str,
    pub(crate) dot: &'static str,
    pub(crate) live: &'static str,
    pub(crate) ended: &'static str,
    pub(crate) left: &'static str,
    pub(crate) right: &'static str,
    pub(crate) continues: &'static str,
    pub(crate) selected: &'static str,
    pub(crate) dash: &'static str,
}

impl LogGlyphs {
    pub(crate) const UNICODE: Self =
        Self {
            rule: "─", bar: " │ ", dot: " · ", live: "●", ended: "■", left: "‹", right: "›", continues: "↪", selected: ">", dash: "–"
        };
    /// For terminals that cannot show more than ASCII.
    pub(crate) const ASCII: Self =
        Self { rule: "-", bar: " | ", dot: " - ", live: "*", ended: "#", left: "<", right: ">", continues: "+", selected: ">", dash: "-" };
}

impl Default for LogGlyphs {
    fn default() -> Self {
        Self::UNICODE
    }
}

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
        let Place { area, offset, .. } = place;
        let source = log.sources().get(line.source);
        let text = match &line.content {
            Content::Text(text) => text,
            Content::Cut { bytes } => {
                let note = format!("{} more bytes of this line are not kept", grouped(*bytes));
                return self.note(area, self.labelled(source, &note), self.styles.gap, buf);
            }
            Content::Gap { lines } => {
                let note = format!("{} {} missing here", grouped(*lines), if *lines == 1 { "line is" } else { "lines are" });
                return self.note(area, self.labelled(source, &note), self.styles.gap, buf);
            }
            Content::Reopened { after } => {
                let seconds = after.as_secs_f64();
                return self.note(area, self.labelled(source, &format!("stream reopened after {seconds:.1}s")), self.styles.note, buf);
            }
        };
        let mut rows = 0;
        if offset == 0 {
            self.prefix(line, text, source, area, buf);
        }
        let here = |row: u16| place.selected == Some(area.y + row);
        if self.wrap {
            let from = clean::wrapped(&text.text, self.room(area)).take(offset).map(str::len).sum::<usize>();
            let mut at = from;
            for part in clean::wrapped(&text.text[from..], self.room(area)).take(usize::from(area.height)) {
                self.part(text, at..at + part.len(), Spot { row: rows, shift: 0, here: here(rows) }, area, buf);
                at += part.len();
                rows += 1;
            }
        } else {
            self.scrolled(text, area, here(0), buf);
            rows = 1;
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
            buf.set_stringn(left, area.y, self.styles.glyphs.left, 1, self.styles.edge);
        }
        if text.columns > self.scroll.saturating_add(room) && area.width > 0 {
            buf.set_stringn(area.right() - 1, area.y, self.styles.glyphs.right, 1, self.styles.edge);
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
            put(buf, area, 0, self.styles.glyphs.continues, self.styles.note);
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
        let dot = self.styles.glyphs.dot;
        if let Some(exit) = &source.exit {
            note.push_str(dot);
            let reason = clean::text(&exit.reason);
            let told = if matches!(&*reason, "" | "Completed" | "Error") { String::new() } else { format!(" ({reason})") };
            write!(note, "exited {}{told}", exit.code).expect("writing to a String cannot fail");
            if let Some(at) = exit.at {
                let at = self.zone.to_datetime(at);
                write!(note, " at {:02}:{:02}:{:02}", at.hour(), at.minute(), at.second()).expect("writing to a String cannot fail");
            }
        }
        if source.pod_gone {
            note.push_str(dot);
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
        let rule = self.styles.glyphs.rule;
        let room = usize::from(area.width).saturating_sub(4);
        let text = clean::fit(note.as_ref(), room);
        let after = 4 + u16::try_from(clean::columns(&text)).unwrap_or(u16::MAX);
        for x in (1..3).chain(after.saturating_add(1)..area.width) {
            put(buf, area, x, rule, style);
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
