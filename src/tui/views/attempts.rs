//! What the attempts of an operation did, the newest first: when each ran, why it failed, and every result. Rows are found by counting, so
//! that a long list costs no more than a short one.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::{Outbox, Outcome, Shown, View, Wish, go};
use crate::model::{ResultCode, TaskState};
use crate::operation::timeline::Stage;
use crate::operation::verdict::short_time;
use crate::operation::{Attempt, Operation, TaskResult};
use crate::tui::action::Action;
use crate::tui::clean;
use crate::tui::dialogs::report::ReportDialog;
use crate::tui::keymap::Context;
use crate::tui::model::Model;
use crate::tui::paint::{self, Pen};
use crate::tui::row::{column_time, short_kind};
use crate::tui::theme::{Role, glyph, stage_role};
use crate::tui::widgets::cursor::Cursor;

/// Rows of an attempt above its results: what it was, and why it failed.
const HEAD: usize = 2;

/// The list.
pub(crate) struct AttemptsView {
    shown: Shown,
    cursor: Cursor,
    height: usize,
    len: usize,
}

/// One attempt, earlier or present.
#[derive(Clone, Copy)]
struct Entry<'a> {
    operation: &'a Operation,
    /// `None`: the present one.
    earlier: Option<&'a Attempt>,
}

/// One row.
#[derive(Clone, Copy)]
enum Line<'a> {
    Title(Entry<'a>),
    Message(Entry<'a>),
    Result(Entry<'a>, &'a TaskResult),
}

impl<'a> Entry<'a> {
    fn all(operation: &'a Operation) -> impl Iterator<Item = Self> {
        let earlier = operation.attempts().iter().rev().map(Some);
        std::iter::once(None).chain(earlier).map(move |earlier| Self { operation, earlier })
    }

    fn results(self) -> &'a [TaskResult] {
        self.earlier.map_or(self.operation.results(), |attempt| &attempt.results)
    }

    fn len(self) -> usize {
        HEAD + self.results().len()
    }

    fn number(self) -> u32 {
        self.earlier.map_or(self.operation.attempt(), |attempt| attempt.number)
    }

    fn message(self) -> &'a str {
        self.earlier.map_or(self.operation.message(), |attempt| &attempt.message)
    }

    /// How it stands, from when to when.
    fn span(self, now: Timestamp) -> (Stage, String, Timestamp, Timestamp) {
        match self.earlier {
            Some(attempt) => (Stage::Failed, attempt.phase.as_str().to_owned(), attempt.started_at, attempt.finished_at),
            None => {
                let from = self.operation.attempt_started_at();
                match (self.operation.respite(), self.operation.finished_at()) {
                    (Some(respite), _) => (Stage::Failed, "Failed".to_owned(), from, respite.since),
                    (None, Some(end)) => (ended(self.operation), self.operation.phase().as_str().to_owned(), from, end),
                    (None, None) => (Stage::Running, "now".to_owned(), from, now),
                }
            }
        }
    }

    fn took(self, result: &TaskResult) -> String {
        let position = self.operation.plan().position(&result.task);
        let progress = match self.earlier {
            Some(attempt) => position.and_then(|position| attempt.of(position)?.1),
            None => self.operation.progress(&result.task),
        };
        let times = progress.and_then(|progress| Some((progress.started_at?, progress.finished_at?)));
        times.map(|(from, to)| column_time(to.duration_since(from))).unwrap_or_default()
    }
}

fn ended(operation: &Operation) -> Stage {
    if operation.phase() == crate::model::OperationPhase::Succeeded { Stage::Done } else { Stage::Failed }
}

fn line(operation: &Operation, at: usize) -> Option<Line<'_>> {
    let mut rest = at;
    for entry in Entry::all(operation) {
        match rest {
            0 => return Some(Line::Title(entry)),
            1 => return Some(Line::Message(entry)),
            _ if rest < entry.len() => return Some(Line::Result(entry, entry.results().get(rest - HEAD)?)),
            _ => rest -= entry.len(),
        }
    }
    None
}

fn stage(result: &TaskResult) -> (Stage, &'static str) {
    match (result.code, result.state) {
        (ResultCode::SyncFailed, _) | (_, TaskState::Failed | TaskState::Error) => (Stage::Failed, "failed"),
        (ResultCode::PruneSkipped, _) => (Stage::Skipped, "kept"),
        (ResultCode::Pruned, _) => (Stage::Done, "pruned"),
        (_, TaskState::Succeeded) => (Stage::Done, "done"),
        (_, TaskState::Running | TaskState::Pending | TaskState::Terminating) => (Stage::Running, "applied"),
    }
}

impl AttemptsView {
    /// Makes the list of a board's operation.
    pub(crate) fn new(shown: Shown, model: &Model) -> Self {
        let mut view = Self { shown, cursor: Cursor::default(), height: 0, len: 0 };
        view.len = view.operation(model).map_or(0, rows);
        view
    }

    fn operation<'a>(&self, model: &'a Model) -> Option<&'a Operation> {
        model.board(self.shown)?.operation()
    }

    /// The log of a result; of an attempt its whole message.
    fn open(&self, model: &Model, out: &mut Outbox) {
        match self.operation(model).and_then(|operation| line(operation, self.cursor.selected)) {
            Some(Line::Result(_, result)) => out.wish(Wish::OpenLogs { shown: self.shown, task: result.task.clone() }),
            Some(Line::Title(entry) | Line::Message(entry)) => {
                out.wish(Wish::Dialog(Box::new(ReportDialog::new("What it came to", entry.message()))));
            }
            None => {}
        }
    }

    /// To the next or the previous attempt.
    fn leap(&mut self, model: &Model, forward: bool) {
        let Some(operation) = self.operation(model) else { return };
        let mut starts = vec![0];
        for entry in Entry::all(operation) {
            starts.push(starts.last().copied().unwrap_or_default() + entry.len());
        }
        starts.pop();
        let here = self.cursor.selected;
        let found = if forward { starts.iter().find(|at| **at > here) } else { starts.iter().rev().find(|at| **at < here) };
        if let Some(at) = found {
            self.cursor.select(*at, self.len);
        }
    }
}

fn rows(operation: &Operation) -> usize {
    Entry::all(operation).map(Entry::len).sum()
}

impl View for AttemptsView {
    fn context(&self) -> Context {
        Context::Attempts
    }

    fn update(&mut self, action: Action, model: &Model, out: &mut Outbox) -> Outcome {
        match action {
            Action::NextPane | Action::Attempts => self.leap(model, true),
            Action::PreviousPane => self.leap(model, false),
            Action::Open | Action::Logs => self.open(model, out),
            _ => return go(&mut self.cursor, action, self.height, self.len),
        }
        Outcome::Consumed
    }

    fn settle(&mut self, model: &Model, area: Rect, _out: &mut Outbox) {
        self.len = self.operation(model).map_or(0, rows);
        self.height = usize::from(area.height.saturating_sub(2));
        self.cursor.select(self.cursor.selected, self.len);
        self.cursor.keep_visible(self.height, self.len);
    }

    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        let theme = model.theme;
        if let Some(mut pen) = Pen::row(buffer, area, 0) {
            pen.put(" attempts of this operation, newest first · ", theme.style(Role::Strong));
            pen.fit(&clean::text(model.app_name()), theme.style(Role::Text));
        }
        let rule = Rect { y: area.y + 1, height: area.height.saturating_sub(1).min(1), ..area };
        let Some(operation) = self.operation(model) else { return };
        paint::rule(buffer, rule, theme, "", &format!("attempt {}", of_all(operation, operation.attempt())));
        let body = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
        let visible = self.cursor.visible(usize::from(body.height), self.len);
        for (row, at) in visible.enumerate() {
            let (Some(mut pen), Some(line)) = (Pen::row(buffer, body, row as u16), line(operation, at)) else { return };
            let is_chosen = at == self.cursor.selected;
            pen.put(if is_chosen { "▌" } else { " " }, theme.style(Role::Running));
            draw_line(model, line, &mut pen);
            if is_chosen {
                paint::tint(buffer, body, row as u16, theme.style(Role::Text).add_modifier(Modifier::BOLD));
            }
        }
    }

    fn verbs(&self) -> &'static [Action] {
        &[Action::Attempts, Action::Logs, Action::Back, Action::Help]
    }

    fn title(&self) -> &'static str {
        "attempts"
    }
}

/// Writes `2/4`, or `2` when there is no end to them.
pub(super) fn of_all(operation: &Operation, number: u32) -> String {
    match operation.request().retry.limit {
        Some(limit) => format!("{number}/{}", limit.saturating_add(1)),
        None => number.to_string(),
    }
}

fn draw_line(model: &Model, line: Line<'_>, pen: &mut Pen<'_>) {
    let theme = model.theme;
    let text = theme.style(Role::Text);
    match line {
        Line::Title(entry) => {
            let (stage, word, from, to) = entry.span(model.now);
            let clock = |at: Timestamp| at.to_zoned(model.zone.clone()).strftime("%H:%M:%S").to_string();
            let style = theme.style(stage_role(stage));
            pen.put(glyph(stage), style).put(&format!(" attempt {}", of_all(entry.operation, entry.number())), theme.style(Role::Strong));
            pen.put(&format!("  {word} "), style);
            pen.fit(&format!("after {}  {}–{}", short_time(to.duration_since(from)), clock(from), clock(to)), text);
        }
        Line::Message(entry) => _ = pen.skip(2).fit(&clean::text(entry.message()), theme.style(Role::Dim)),
        Line::Result(entry, result) => {
            let (stage, word) = stage(result);
            let wave = entry.operation.plan().task(&result.task).map(|task| task.wave.to_string()).unwrap_or_default();
            let key = &result.task.key;
            pen.skip(2).put(glyph(stage), theme.style(stage_role(stage))).skip(1);
            pen.field(result.task.phase.as_str(), 9, text).number(&wave, 3, text).skip(1);
            let name = format!("{}/{}", short_kind(&clean::text(&key.kind)), clean::text(&key.name));
            let width = (pen.rest() / 3).clamp(12, 40);
            pen.field(&name, width, text).skip(1).field(word, 8, theme.style(stage_role(stage)));
            pen.number(&entry.took(result), 6, text).skip(1).fit(&clean::text(&result.message), text);
        }
    }
}
