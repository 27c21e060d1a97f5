//! Asks before a paused operation goes on, and says what will be written then. Nothing changes a cluster on one key (decision 13), so the
//! harmless button is the chosen one.

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Choice, Dialog, Field, Piece, Sheet, labelled, plural, sheet};
use crate::engine::session::Ask;
use crate::model::{Phase, Wave};
use crate::operation::Paused;
use crate::operation::timeline::Stage;
use crate::operation::verdict::short_time;
use crate::tui::action::Action;
use crate::tui::board::Board;
use crate::tui::clean;
use crate::tui::model::Model;
use crate::tui::row::Row;
use crate::tui::theme::Role;
use crate::tui::views::{Notice, Outbox, Wish};

/// How many objects are named.
const NAMES: usize = 6;

/// The question.
pub(crate) struct ResumeDialog {
    at: Option<Paused>,
    now: Timestamp,
    choice: Choice,
    place: String,
    /// What comes next, made once: nothing moves while the operation is paused.
    coming: Vec<Vec<Piece>>,
}

impl ResumeDialog {
    /// Makes the question for the operation that waits.
    pub(crate) fn new(model: &Model) -> Self {
        let board = model.running();
        let context = board.and_then(Board::operation).map(|operation| operation.destination().0.to_owned()).unwrap_or_default();
        let place = board.map(|board| format!("{}/{} in {context}", board.plan().namespace, board.plan().app)).unwrap_or_default();
        Self {
            at: paused(model),
            now: model.now,
            choice: Choice::new(model),
            place: clean::text(&place).into_owned(),
            coming: board.zip(paused(model)).map(|(board, at)| coming(board, at.phase, at.wave)).unwrap_or_default(),
        }
    }

    fn go_on(&self, model: &Model, out: &mut Outbox) {
        if let Some(reason) = self.choice.refusal(model) {
            return out.say(Notice::bad(reason));
        }
        out.ask(Ask::Resume { by: model.request.by.clone() });
        out.wish(Wish::CloseDialog);
        out.say(Notice::plain("going on"));
    }

    fn lines(&self) -> Vec<Vec<Piece>> {
        let waited = self.at.map(|at| short_time(self.now.duration_since(at.since))).unwrap_or_default();
        let mut lines = vec![vec![(format!("{} has waited for {waited}; nothing is written", self.place), Role::Strong)], Vec::new()];
        lines.extend(self.coming.iter().cloned());
        if let Some(line) = self.choice.line() {
            lines.push(Vec::new());
            lines.push(line);
        }
        lines
    }
}

fn paused(model: &Model) -> Option<Paused> {
    model.running()?.operation()?.paused().copied()
}

/// What the next wave writes, and what follows it without another question.
fn coming(board: &Board, phase: Phase, wave: Wave) -> Vec<Vec<Piece>> {
    let rows = &board.rows()[..board.tasks()];
    let next = || rows.iter().filter(|row| row.group_phase() == phase && row.wave == wave && row.stage == Stage::Waiting);
    let count = |wanted: fn(&Row) -> bool| next().filter(|row| wanted(row)).count();
    let (hooks, prunes) = (count(|row| row.hook), count(|row| row.prune));
    let applied = next().count() - hooks - prunes;
    let kinds = [(hooks, "run", "hook"), (applied, "apply", "object"), (prunes, "DELETE", "object")];
    let words: Vec<String> = kinds
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, verb, noun)| format!("{verb} {count} {noun}{}", plural(*count)))
        .collect();
    let mut lines = vec![labelled("next", [(format!("{phase} wave {wave}: {}", words.join(", ")), Role::Text)])];
    for row in next().take(NAMES) {
        let role = if row.prune { Role::Warn } else { Role::Text };
        lines.push(labelled("", [(format!("{}/{}", row.short_kind(), row.name), role)]));
    }
    let more = next().count().saturating_sub(NAMES);
    if more > 0 {
        lines.push(labelled("", [(format!("and {more} more"), Role::Text)]));
    }
    lines.push(labelled("then", [(rest(board, phase, wave), Role::Text)]));
    lines
}

fn rest(board: &Board, phase: Phase, wave: Wave) -> String {
    let all = board.rail().iter().flat_map(|cell| cell.waves.iter().map(move |found| (cell.phase, found)));
    let behind = all.skip_while(|(of, found)| (*of, found.wave) != (phase, wave)).skip(1);
    let later: Vec<_> = behind.filter(|(_, found)| found.stage == Stage::Waiting).map(|(of, found)| (of, found.wave)).collect();
    match later.as_slice() {
        [] => "nothing: it is the last wave".to_owned(),
        [(phase, wave)] => format!("{phase} wave {wave}"),
        [(phase, wave), others @ ..] => format!("{phase} wave {wave}, and {} more wave{}", others.len(), plural(others.len())),
    }
}

impl Dialog for ResumeDialog {
    fn update(&mut self, action: Action, model: &Model, out: &mut Outbox) {
        match action {
            Action::NextPane | Action::Right => self.choice.walk(true),
            Action::PreviousPane | Action::Left => self.choice.walk(false),
            Action::Yes => self.go_on(model, out),
            Action::Open if !self.choice.is(Field::Keep) => self.go_on(model, out),
            Action::Open | Action::No => out.wish(Wish::CloseDialog),
            _ => {}
        }
    }

    fn typed(&mut self, key: KeyEvent) -> bool {
        self.choice.typed(key)
    }

    fn pasted(&mut self, text: &str) {
        self.choice.pasted(text);
    }

    fn settle(&mut self, model: &Model) -> Option<String> {
        self.now = model.now;
        (self.at.is_none() || paused(model) != self.at).then(|| "the operation is not paused there any more".to_owned())
    }

    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        let title = self.at.map(|at| format!("Go on with {} wave {}?", at.phase, at.wave)).unwrap_or_default();
        let lines = self.lines();
        let looks = Sheet {
            title: &title,
            lines: &lines,
            focus: if self.choice.is(Field::Name) { lines.len().saturating_sub(1) } else { 0 },
            buttons: &[("Stay paused", self.choice.is(Field::Keep)), ("Go on", self.choice.is(Field::Act))],
            hint: "tab/←→ choose · enter confirm · y go on · n/esc stay paused",
        };
        sheet(model.theme, &looks, area, buffer);
    }
}
