//! The log of a task on the whole screen. Owns where the person is and what is shown; the lines stay in `tui::log_store`, and what the
//! task is called and how it stands comes with every call. `settle` after anything changed, then `draw` as often as needed.

mod find;
mod header;
mod paint;
mod pane;
mod rows;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::model::TaskId;
use crate::tui::clean;
use crate::tui::log_store::{Content, LogStore, Source, TaskLog};
use crate::tui::widgets::cursor::Cursor;
use crate::tui::widgets::prompt::{Prompt, PromptOutcome};

use find::Needle;
use paint::{Painter, Place};
use rows::{Anchor, Choice, Kind, Rows};

pub(crate) use paint::{LogGlyphs, LogStyles, TimeMode};
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
    fn word(self) -> &'static str {
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

    fn time(self, context: &LogsContext<'_>) -> Option<Timestamp> {
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

/// Where new lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Follow {
    /// The newest line is in sight.
    On,
    /// The screen stands still; lines from this number on are new.
    PausedAt(u64),
}

/// A search being typed, and what to return to if it is given up.
#[derive(Debug)]
struct Typing {
    needle: Needle,
    cursor: Option<Anchor>,
    follow: Follow,
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
    prompt: Prompt,
    typing: Option<Typing>,
    choice: Choice,
    // What `settle` found out.
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

/// The parts of the screen.
#[derive(Clone, Copy)]
struct Parts {
    subject: Rect,
    mode: Rect,
    title: Rect,
    body: Rect,
    prompt: Rect,
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
            prompt: Prompt::default(),
            typing: None,
            choice: Choice::default(),
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

    /// Returns whether letters go into the search, so that no other keymap may take them.
    pub(crate) fn is_typing(&self) -> bool {
        self.typing.is_some()
    }

    /// Returns whether the newest line is in sight, and stays so.
    pub(crate) fn follows(&self) -> bool {
        self.follow == Follow::On
    }

    /// Takes a key, also one that belongs into the search.
    pub(crate) fn key(&mut self, key: KeyEvent, store: &LogStore, context: &LogsContext<'_>, area: Rect) -> LogsOutcome {
        if self.typing.is_some() {
            let outcome = self.type_key(key, store, context);
            self.settle(store, context, area);
            return outcome;
        }
        match logs_key(key) {
            Some(key) => self.update(key, store, context, area),
            None => LogsOutcome::Ignored,
        }
    }

    /// Takes pasted text while a search is typed.
    pub(crate) fn paste(&mut self, text: &str, store: &LogStore, context: &LogsContext<'_>, area: Rect) -> LogsOutcome {
        if self.typing.is_none() {
            return LogsOutcome::Ignored;
        }
        self.prompt.insert(text);
        self.look_for_typed(store, context);
        self.settle(store, context, area);
        LogsOutcome::Changed
    }

    /// Does what a key asks for.
    pub(crate) fn update(&mut self, key: LogsKey, store: &LogStore, context: &LogsContext<'_>, area: Rect) -> LogsOutcome {
        self.settle(store, context, area);
        let outcome = self.act(key, &Shown { log: store.log(&self.operation, &self.task), context });
        self.settle(store, context, area);
        outcome
    }

    /// Takes in new lines and a new size. Must be called after either, before the next `draw`.
    pub(crate) fn settle(&mut self, store: &LogStore, context: &LogsContext<'_>, area: Rect) {
        let Some(log) = store.log(&self.operation, &self.task) else { return };
        self.measure(log, area);
        self.renew(log, context);
        self.place(log);
    }

    fn measure(&mut self, log: &TaskLog, area: Rect) {
        let body = self.parts(area).body;
        self.height = usize::from(body.height);
        let shown = self.shown_sources(log);
        self.label = paint::label_columns(shown, paint::has_several_containers(log.sources()));
        self.width = usize::from(body.width.saturating_sub(paint::prefix_columns(self.label, self.time_in(area))).max(1));
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

    fn place(&mut self, log: &TaskLog) {
        let len = self.rows.len();
        match self.follow {
            Follow::On => {
                self.cursor.end(self.height, len);
                self.below = 0;
            }
            Follow::PausedAt(number) => {
                self.cursor.keep_visible(self.height, len);
                self.below = self.rows.newer_than(number.max(log.numbers().start));
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
            LogsKey::Find => self.start_typing(),
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
        if since == Since::Head {
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

/// Searching.
impl LogsView {
    fn start_typing(&mut self) {
        let cursor = self.rows.anchor(self.cursor.selected);
        self.typing = Some(Typing { needle: self.choice.needle.clone(), cursor, follow: self.follow });
        self.prompt.set("");
    }

    fn type_key(&mut self, key: KeyEvent, store: &LogStore, context: &LogsContext<'_>) -> LogsOutcome {
        match self.prompt.key(key) {
            PromptOutcome::Ignored => return LogsOutcome::Ignored,
            PromptOutcome::Moved => {}
            PromptOutcome::Changed => self.look_for_typed(store, context),
            PromptOutcome::Submitted => {
                self.prompt.accept();
                self.typing = None;
            }
            PromptOutcome::Cancelled => self.give_up(),
        }
        LogsOutcome::Changed
    }

    fn give_up(&mut self) {
        let Some(typing) = self.typing.take() else { return };
        self.choice.needle = typing.needle;
        self.follow = typing.follow;
        if let Some(anchor) = typing.cursor {
            self.cursor.selected = self.rows.row_at(anchor);
        }
    }

    /// Goes to the first line from where the search began that has what was typed so far.
    fn look_for_typed(&mut self, store: &LogStore, context: &LogsContext<'_>) {
        self.choice.needle = Needle::new(self.prompt.text());
        let Some(log) = store.log(&self.operation, &self.task) else { return };
        self.renew(log, context);
        let from = self.typing.as_ref().and_then(|typing| typing.cursor).map(|anchor| self.rows.row_at(anchor));
        if let Some(row) = from {
            self.cursor.selected = row;
        }
        let shown = Shown { log: Some(log), context };
        let hits = self.rows.hits();
        let here = self.current().unwrap_or_default();
        let index = hits.partition_point(|number| *number < here);
        if let Some(number) = hits.get(index).or_else(|| hits.back()).copied() {
            self.go_to(number, &shown);
        }
    }

    fn next_hit(&mut self, shown: &Shown<'_>) -> LogsOutcome {
        let hits = self.rows.hits();
        let here = self.current();
        let index = here.map_or(0, |here| hits.partition_point(|number| *number <= here));
        let (found, wrapped) = (hits.get(index).or_else(|| hits.front()).copied(), index >= hits.len());
        self.arrive(found, wrapped.then_some("the search went on from the top"), shown)
    }

    fn previous_hit(&mut self, shown: &Shown<'_>) -> LogsOutcome {
        let hits = self.rows.hits();
        let index = self.current().map_or(0, |here| hits.partition_point(|number| *number < here));
        let (found, wrapped) = (index.checked_sub(1).and_then(|index| hits.get(index)).or_else(|| hits.back()).copied(), index == 0);
        self.arrive(found, wrapped.then_some("the search went on from the bottom"), shown)
    }

    fn arrive(&mut self, found: Option<u64>, note: Option<&str>, shown: &Shown<'_>) -> LogsOutcome {
        if self.needle().is_empty() {
            return LogsOutcome::Flash("nothing to find yet: press / and type".to_owned());
        }
        let Some(number) = found else { return LogsOutcome::Flash(format!("no line has `{}`", self.needle().text())) };
        self.go_to(number, shown);
        note.map_or(LogsOutcome::Changed, |note| LogsOutcome::Flash(note.to_owned()))
    }

    /// Goes to the place of the needle in a line.
    fn go_to(&mut self, number: u64, shown: &Shown<'_>) {
        self.pause(shown);
        let row = self.rows.row_of(number);
        let text = shown.log.and_then(|log| log.line(number)).and_then(|line| line.text());
        let Some((text, found)) = text.and_then(|text| Some((text, self.needle().find(&text.text, 0)?))) else {
            self.cursor.selected = row;
            return;
        };
        let before = &text.text[..found.start];
        if self.wrap {
            let mut end = 0;
            let offset = clean::wrapped(&text.text, self.width).take_while(|part| {
                end += part.len();
                end <= before.len()
            });
            self.cursor.selected = row + offset.count();
        } else {
            self.cursor.selected = row;
            let (start, end) = (clean::columns(before), clean::columns(&text.text[..found.end]));
            if start < self.scroll || end > self.scroll + self.width {
                self.scroll = if end <= self.width { 0 } else { start.saturating_sub(self.width / 3) };
            }
        }
    }

    fn toggle_only_matches(&mut self) -> LogsOutcome {
        if self.needle().is_empty() {
            return LogsOutcome::Flash("nothing to find yet: press / and type".to_owned());
        }
        self.only_matches = !self.only_matches;
        LogsOutcome::Changed
    }
}

/// Drawing.
impl LogsView {
    /// Draws the view. Looks at the visible lines only.
    pub(crate) fn draw(&self, store: &LogStore, context: &LogsContext<'_>, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        let parts = self.parts(area);
        let log = store.log(&self.operation, &self.task);
        header::subject(context, parts.subject, buf);
        header::mode(self, log, context, parts.mode, buf);
        header::position(self, log, context, parts.title, buf);
        match log {
            Some(log) if self.rows.len() > 0 => self.draw_rows(log, context, parts.body, buf),
            _ => self.draw_empty(log, context, parts.body, buf),
        }
        self.draw_prompt(context, parts.prompt, buf);
    }

    fn parts(&self, area: Rect) -> Parts {
        let prompt = u16::from(self.typing.is_some() && area.height > 1);
        let above = area.height - prompt;
        let (subject, mode, title) = match above {
            0..=3 => (0, 0, 0),
            4..=5 => (0, 0, 1),
            6..=7 => (1, 0, 1),
            8.. => (1, 1, 1),
        };
        let mut y = area.y;
        let mut next = |height: u16| {
            let part = Rect { y, height, ..area };
            y += height;
            part
        };
        Parts {
            subject: next(subject),
            mode: next(mode),
            title: next(title),
            body: next(above - subject - mode - title),
            prompt: next(prompt),
        }
    }

    fn draw_rows(&self, log: &TaskLog, context: &LogsContext<'_>, area: Rect, buf: &mut Buffer) {
        let painter = Painter {
            styles: context.styles,
            zone: context.zone,
            started: context.started,
            time: self.time_in(area),
            label: self.label,
            several_containers: paint::has_several_containers(log.sources()),
            scroll: self.scroll,
            wrap: self.wrap,
            needle: self.needle(),
        };
        let Some((first, mut offset)) = self.rows.at(self.cursor.top) else { return };
        let selected =
            u16::try_from(self.cursor.selected.saturating_sub(self.cursor.top)).ok().filter(|_| !self.follows()).map(|row| area.y + row);
        let mut y = area.y;
        for entry in self.rows.from(first) {
            if y >= area.bottom() {
                break;
            }
            let rest = Rect { y, height: area.bottom() - y, ..area };
            y += match entry.kind {
                Kind::Line => match log.line(entry.number) {
                    Some(line) => painter.line(line, log, Place { area: rest, offset, selected }, buf),
                    None => 0,
                },
                Kind::Mark(index) => {
                    self.choice.marks.get(index).map_or(0, |(_, at)| painter.note(rest, painter.mark(*at), context.styles.note, buf))
                }
                Kind::End(source) => {
                    log.sources().get(source).map_or(0, |source| painter.note(rest, painter.end_of(source), context.styles.note, buf))
                }
            };
            offset = 0;
        }
        if let Some(row) = selected.filter(|row| *row < area.bottom()) {
            paint::put(buf, Rect { y: row, height: 1, ..area }, 0, context.styles.glyphs.selected, context.styles.selected);
        }
    }

    fn draw_empty(&self, log: Option<&TaskLog>, context: &LogsContext<'_>, area: Rect, buf: &mut Buffer) {
        let why = match log.filter(|log| log.received() > 0) {
            None => clean::text(context.empty).into_owned(),
            Some(_) if self.only_matches => format!("no line has `{}`: & shows all lines again", self.needle().text()),
            Some(_) => "no line to show: 0 and a bring back what was cleared or left out".to_owned(),
        };
        paint::put(buf, area, 1, &clean::fit(&why, usize::from(area.width.saturating_sub(2))), context.styles.note);
    }

    fn draw_prompt(&self, context: &LogsContext<'_>, area: Rect, buf: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        let line = self.prompt.line("/", usize::from(area.width), context.styles.prompt);
        let (end, _) = buf.set_line(area.x, area.y, &line, area.width);
        let hint = "capitals count once typed · <enter> keep · <n>/<N> next/previous · <&> only matches · <esc> give up";
        let hint = if context.styles.glyphs.dot == LogGlyphs::ASCII.dot { hint.replace('·', "-") } else { hint.to_owned() };
        let start = end.saturating_add(3).saturating_sub(area.x);
        if start + 24 < area.width {
            paint::put(buf, area, start, &clean::fit(&hint, usize::from(area.width - start)), context.styles.note);
        }
    }
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
