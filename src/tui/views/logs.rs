//! The log of a task on the whole screen. Owns where the person is and what is shown; the lines stay in `tui::log_store`, and what the
//! task is called and how it stands comes with every call. `settle` after anything changed, then `draw` as often as needed.

mod draw;
pub(in crate::tui::views) mod find;
mod header;
mod keys;
mod paint;
mod pane;
mod rows;
mod search;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::model::TaskId;
use crate::operation::LogLine;
use crate::tui::log_store::{Content, LogStore, Source, TaskLog};
use crate::tui::widgets::cursor::Cursor;

use find::Needle;
use rows::{Choice, Kind, Rows};
use search::Origin;

pub(crate) use keys::{LogsKey, LogsOutcome, Since};
pub(crate) use paint::{LogStyles, TimeMode};
pub(crate) use pane::{PaneContext, draw_pane};

/// What a view needs to know beside the lines.
pub(crate) struct LogsContext<'a> {
    /// Where: `prod-eu │ shop`.
    pub(crate) place: &'a str,
    /// What: `Job/db-migrate (PreSync hook, wave 0)`.
    pub(crate) subject: &'a str,
    /// How it stands: `✔ exit 0 11.9s`.
    pub(crate) state: &'a str,
    pub(crate) state_style: Style,
    /// The sentence for a log without lines, for example why there are none yet.
    pub(crate) empty: &'a str,
    pub(crate) now: Timestamp,
    /// Start of the operation.
    pub(crate) started: Option<Timestamp>,
    /// Start of the task's wave.
    pub(crate) wave_started: Option<Timestamp>,
    pub(crate) zone: &'a TimeZone,
    pub(crate) styles: &'a LogStyles,
}

/// Where new lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Follow {
    /// The newest line is in sight.
    On,
    /// The screen stands still; lines from this number on are new.
    PausedAt(u64),
}

/// The view of one task's log.
#[derive(Debug)]
pub(crate) struct LogsView {
    operation: Arc<str>,
    task: TaskId,
    follow: Follow,
    wrap: bool,
    time: TimeMode,
    since: Since,
    only_matches: bool,
    scroll: usize,
    /// Where the search that is being typed began.
    origin: Option<Origin>,
    choice: Choice,
    // What `settle` found out.
    area: Rect,
    rows: Rows,
    cursor: Cursor,
    built: Option<(Choice, u64)>,
    height: usize,
    width: usize,
    label: u16,
    below: usize,
}

/// What a key changed.
struct Shown<'a> {
    log: Option<&'a TaskLog>,
    context: &'a LogsContext<'a>,
}

impl LogsView {
    /// Opens the log of a task at its end.
    pub(crate) fn open(operation: Arc<str>, task: TaskId) -> Self {
        Self {
            operation,
            task,
            follow: Follow::On,
            wrap: false,
            time: TimeMode::Clock,
            since: Since::Everything,
            only_matches: false,
            scroll: 0,
            origin: None,
            choice: Choice::default(),
            area: Rect::ZERO,
            rows: Rows::default(),
            cursor: Cursor::default(),
            built: None,
            height: 0,
            width: 1,
            label: 0,
            below: 0,
        }
    }

    /// Returns the task whose log it is.
    pub(crate) fn task(&self) -> &TaskId {
        &self.task
    }

    /// Returns whether a new line belongs to this log.
    pub(crate) fn shows(&self, line: &LogLine) -> bool {
        line.operation == self.operation && line.task == self.task
    }

    /// Returns whether the newest line is in sight, and stays so.
    pub(crate) fn follows(&self) -> bool {
        self.follow == Follow::On
    }

    /// Does what a key asks for.
    pub(crate) fn update(&mut self, key: LogsKey, store: &LogStore, context: &LogsContext<'_>) -> LogsOutcome {
        self.origin = None;
        self.settle(store, context, self.area);
        let outcome = self.act(key, &Shown { log: store.log(&self.operation, &self.task), context });
        self.settle(store, context, self.area);
        outcome
    }

    /// Takes in new lines and a new size. Must be called after either, before the next `draw`.
    pub(crate) fn settle(&mut self, store: &LogStore, context: &LogsContext<'_>, area: Rect) {
        self.area = area;
        let Some(log) = store.log(&self.operation, &self.task) else { return };
        self.measure(log);
        self.renew(log, context);
        self.place();
    }

    fn measure(&mut self, log: &TaskLog) {
        let body = draw::parts(self.area).body;
        self.height = usize::from(body.height);
        let shown = self.shown_sources(log);
        self.label = paint::label_columns(shown, paint::has_several_containers(log.sources()));
        self.width = usize::from(body.width.saturating_sub(paint::prefix_columns(self.label, self.time_in(self.area))).max(1));
    }

    /// Brings the list of rows up to date; makes it anew if something else is to be shown.
    fn renew(&mut self, log: &TaskLog, context: &LogsContext<'_>) {
        self.choice.wrap = self.wrap.then_some(self.width);
        self.choice.only_matches = self.only_matches;
        if self.since != Since::Everything && self.choice.since.is_none() {
            self.choice.since = self.since.time(context);
        }
        let wanted = (self.choice.clone(), log.shape());
        if self.built.as_ref() == Some(&wanted) {
            let vanished = self.rows.extend(log, &self.choice);
            self.cursor.forget_front(vanished);
            return;
        }
        let (selected, top) = (self.rows.anchor(self.cursor.selected), self.rows.anchor(self.cursor.top));
        self.rows.rebuild(log, &self.choice);
        self.cursor.selected = selected.map_or(0, |anchor| self.rows.row_at(anchor));
        self.cursor.top = top.map_or(0, |anchor| self.rows.row_at(anchor));
        self.built = Some(wanted);
    }

    fn place(&mut self) {
        let len = self.rows.len();
        match self.follow {
            Follow::On => {
                self.cursor.end(self.height, len);
                self.below = 0;
            }
            Follow::PausedAt(number) => {
                self.cursor.keep_visible(self.height, len);
                self.below = self.rows.newer_below(number, self.cursor.visible(self.height, len).end);
            }
        }
    }

    fn act(&mut self, key: LogsKey, shown: &Shown<'_>) -> LogsOutcome {
        let len = self.rows.len();
        match key {
            LogsKey::Up => self.go(shown, |cursor, _| cursor.move_by(-1, len)),
            LogsKey::Down => self.go(shown, |cursor, _| cursor.move_by(1, len)),
            LogsKey::PageUp => self.go(shown, |cursor, height| cursor.page(-1, height, len)),
            LogsKey::PageDown => self.go(shown, |cursor, height| cursor.page(1, height, len)),
            LogsKey::HalfUp => self.go(shown, |cursor, height| cursor.half(-1, height, len)),
            LogsKey::HalfDown => self.go(shown, |cursor, height| cursor.half(1, height, len)),
            LogsKey::Top => self.go(shown, |cursor, _| cursor.home()),
            LogsKey::Bottom => self.follow = Follow::On,
            LogsKey::Left => self.scroll = self.scroll.saturating_sub(self.step()),
            LogsKey::Right => return self.scroll_right(shown),
            LogsKey::Follow if self.follows() => self.pause(shown),
            LogsKey::Follow => self.follow = Follow::On,
            LogsKey::Wrap => {
                self.wrap = !self.wrap;
                self.scroll = 0;
            }
            LogsKey::Time => self.time = self.next_time(),
            LogsKey::Next => return self.next_hit(shown),
            LogsKey::Previous => return self.previous_hit(shown),
            LogsKey::OnlyMatches => return self.toggle_only_matches(),
            LogsKey::Earlier => return self.step_source(shown),
            LogsKey::AllSources => self.choice.source = None,
            LogsKey::Mark => return self.mark(shown),
            LogsKey::Copy => return self.copy(shown),
            LogsKey::Clear => self.clear(shown),
            LogsKey::Since(since) => self.look_back(since, shown),
            LogsKey::Close => return self.close(),
        }
        LogsOutcome::Changed
    }

    /// Moves, and stops following.
    fn go(&mut self, shown: &Shown<'_>, step: impl FnOnce(&mut Cursor, usize)) {
        self.pause(shown);
        step(&mut self.cursor, self.height);
    }

    fn pause(&mut self, shown: &Shown<'_>) {
        if self.follows() {
            self.follow = Follow::PausedAt(shown.log.map_or(0, |log| log.numbers().end));
        }
    }

    fn step(&self) -> usize {
        (self.width / 2).max(1)
    }

    fn scroll_right(&mut self, shown: &Shown<'_>) -> LogsOutcome {
        let visible = self.cursor.visible(self.height, self.rows.len());
        let Some((first, _)) = self.rows.at(visible.start) else { return LogsOutcome::Changed };
        let lines = self.rows.from(first).take(visible.len()).filter(|entry| entry.kind == Kind::Line);
        let columns = |number| shown.log?.line(number)?.text().map(|text| text.columns);
        let widest = lines.filter_map(|entry| columns(entry.number)).max().unwrap_or_default();
        if !self.wrap && self.scroll + self.width < widest {
            self.scroll += self.step();
        }
        LogsOutcome::Changed
    }

    fn next_time(&self) -> TimeMode {
        match self.time {
            TimeMode::Off => TimeMode::Clock,
            TimeMode::Clock | TimeMode::ShortClock => TimeMode::Offset,
            TimeMode::Offset => TimeMode::Off,
        }
    }

    fn time_in(&self, area: Rect) -> TimeMode {
        match self.time {
            TimeMode::Clock if area.width < pane::NARROW => TimeMode::ShortClock,
            other => other,
        }
    }

    fn step_source(&mut self, shown: &Shown<'_>) -> LogsOutcome {
        let count = shown.log.map_or(0, |log| log.sources().len());
        if count < 2 {
            return LogsOutcome::Flash("there is no earlier attempt and no other container".to_owned());
        }
        self.choice.source = match self.choice.source {
            None => Some(count - 1),
            Some(0) => None,
            Some(source) => Some(source - 1),
        };
        LogsOutcome::Changed
    }

    fn mark(&mut self, shown: &Shown<'_>) -> LogsOutcome {
        let newest = shown.log.and_then(|log| log.numbers().end.checked_sub(1));
        let Some(number) = newest.filter(|number| *number >= self.choice.cleared) else {
            return LogsOutcome::Flash("there is no line to draw a mark below".to_owned());
        };
        self.choice.marks.push((number, shown.context.now));
        LogsOutcome::Changed
    }

    fn clear(&mut self, shown: &Shown<'_>) {
        self.choice.cleared = shown.log.map_or(0, |log| log.numbers().end);
        self.choice.marks.clear();
        self.follow = Follow::On;
    }

    fn look_back(&mut self, since: Since, shown: &Shown<'_>) {
        self.since = if since == Since::Head { Since::Everything } else { since };
        self.choice.since = self.since.time(shown.context);
        self.choice.cleared = 0;
        self.follow = Follow::On;
        if let (Since::Head, Some(log)) = (since, shown.log) {
            self.renew(log, shown.context);
            self.go(shown, |cursor, _| cursor.home());
        }
    }

    fn copy(&self, shown: &Shown<'_>) -> LogsOutcome {
        let line = self.current().and_then(|number| shown.log?.line(number));
        match line.map(|line| &line.content) {
            Some(Content::Text(text)) => LogsOutcome::Copy(text.text.clone()),
            Some(Content::Cut { .. } | Content::Gap { .. } | Content::Reopened { .. }) | None => {
                LogsOutcome::Flash("there is no line here to copy".to_owned())
            }
        }
    }

    fn close(&mut self) -> LogsOutcome {
        if self.needle().is_empty() {
            return LogsOutcome::Close;
        }
        self.choice.needle = Needle::default();
        self.only_matches = false;
        LogsOutcome::Changed
    }

    /// Returns the number of the line where the person is; the newest one while following.
    fn current(&self) -> Option<u64> {
        let (index, _) = self.rows.at(self.cursor.selected)?;
        (0..=index).rev().filter_map(|index| self.rows.entry(index)).find(|entry| entry.kind == Kind::Line).map(|entry| entry.number)
    }

    fn needle(&self) -> &Needle {
        &self.choice.needle
    }

    fn shown_sources<'a>(&self, log: &'a TaskLog) -> &'a [Source] {
        match self.choice.source {
            Some(source) => log.sources().get(source..=source).unwrap_or_default(),
            None => log.sources(),
        }
    }
}
