//! Asks before an operation is terminated, and says what that stops, deletes and keeps. Lives over the running screen: its sentences follow
//! the operation, and it closes itself when the operation ends.

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Choice, Dialog, Field, Piece, Sheet, labelled, sheet};
use crate::engine::session::Ask;
use crate::model::{OperationPhase, Phase, Role as TaskRole, TaskState};
use crate::operation::Operation;
use crate::operation::timeline::Stage;
use crate::operation::verdict::short_time;
use crate::tui::action::Action;
use crate::tui::board::Board;
use crate::tui::clean;
use crate::tui::model::Model;
use crate::tui::row::short_kind;
use crate::tui::theme::Role;
use crate::tui::views::{Notice, Outbox, Wish};

/// The question.
pub(crate) struct TerminateDialog {
    operation: usize,
    choice: Choice,
    lines: Vec<Vec<Piece>>,
    title: &'static str,
    /// Name of the harmless button.
    keep: &'static str,
}

impl TerminateDialog {
    /// Makes the question for the running operation.
    pub(crate) fn new(model: &Model) -> Self {
        let operation = model.running().map(Board::number).unwrap_or_default();
        let mut dialog = Self { operation, choice: Choice::new(model), lines: Vec::new(), title: "", keep: "" };
        dialog.settle(model);
        dialog
    }

    fn terminate(&self, model: &Model, out: &mut Outbox) {
        if let Some(reason) = self.choice.refusal(model) {
            return out.say(Notice::bad(reason));
        }
        out.ask(Ask::Terminate { by: model.request.by.clone() });
        out.wish(Wish::CloseDialog);
        out.say(Notice::plain("terminating: running hooks are being deleted"));
    }
}

impl Dialog for TerminateDialog {
    fn update(&mut self, action: Action, model: &Model, out: &mut Outbox) {
        match action {
            Action::NextPane | Action::Right => self.choice.walk(true),
            Action::PreviousPane | Action::Left => self.choice.walk(false),
            Action::Yes => self.terminate(model, out),
            Action::Open if !self.choice.is(Field::Keep) => self.terminate(model, out),
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
        let Some((board, operation)) =
            model.running().filter(|board| board.number() == self.operation).and_then(|board| Some((board, board.operation()?)))
        else {
            return Some("the operation has ended by itself".to_owned());
        };
        if operation.phase() == OperationPhase::Terminating {
            return Some("the operation is being terminated already".to_owned());
        }
        (self.title, self.keep) = names(operation);
        self.lines = lines(model, board, operation);
        if let Some(line) = self.choice.line() {
            self.lines.push(Vec::new());
            self.lines.push(line);
        }
        None
    }

    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        let looks = Sheet {
            title: self.title,
            lines: &self.lines,
            focus: if self.choice.is(Field::Name) { self.lines.len().saturating_sub(1) } else { 0 },
            buttons: &[(self.keep, self.choice.is(Field::Keep)), ("Terminate", self.choice.is(Field::Act))],
            hint: "tab/←→ choose · enter confirm · y terminate · n/esc leave it",
        };
        sheet(model.theme, &looks, area, buffer);
    }
}

/// Title and harmless button: what is there to be stopped.
fn names(operation: &Operation) -> (&'static str, &'static str) {
    match (operation.respite(), operation.paused()) {
        (Some(_), _) => ("Terminate before the next attempt?", "Keep retrying"),
        (None, Some(_)) => ("Terminate the paused operation?", "Stay paused"),
        (None, None) if operation.is_deletion() => ("Terminate the running deletion?", "Keep running"),
        (None, None) => ("Terminate the running sync?", "Keep running"),
    }
}

fn lines(model: &Model, board: &Board, operation: &Operation) -> Vec<Vec<Piece>> {
    let by = &operation.request().by;
    let by = if by.is_empty() { String::new() } else { format!(" by {}", clean::text(by)) };
    let age = short_time(model.now.duration_since(operation.started_at()));
    let (context, _) = operation.destination();
    let place = format!("{} / {}/{}", clean::text(context), clean::text(&board.plan().namespace), clean::text(&board.plan().app));
    let mut lines = vec![
        vec![(format!("op {} · {} · started{by} {age} ago · {place}", board.number(), board.noun()), Role::Strong)],
        Vec::new(),
        labelled("now", [(board.verdict().text.clone(), Role::Text)]),
        Vec::new(),
        labelled("will stop", [(stops(board, operation, model.now), Role::Text)]),
        labelled("  delete", [(deletes(operation), Role::Warn)]),
        labelled("  keep", [(keeps(operation), Role::Text)]),
    ];
    if !operation.is_deletion() {
        lines.push(labelled("  not run", [("SyncFail hooks: a terminate does not trigger them".to_owned(), Role::Text)]));
    }
    lines
}

/// What has not come yet and will not come any more.
fn stops(board: &Board, operation: &Operation, now: Timestamp) -> String {
    if let Some(respite) = operation.respite() {
        let left = short_time(respite.until.duration_since(now));
        return format!("the {left} retry: attempt {} will not start", operation.attempt() + 1);
    }
    let mut left = Vec::new();
    for cell in board.rail().iter().filter(|cell| cell.phase != Phase::SyncFail) {
        let waiting: Vec<String> =
            cell.waves.iter().filter(|wave| wave.stage == Stage::Waiting).map(|wave| wave.wave.to_string()).collect();
        if waiting.len() == cell.waves.len() {
            left.push(cell.phase.to_string());
        } else if !waiting.is_empty() {
            left.push(format!("{} wave{} {}", cell.phase, if waiting.len() == 1 { "" } else { "s" }, waiting.join(", ")));
        }
    }
    if left.is_empty() {
        "the waiting; nothing else was to come".to_owned()
    } else {
        let what = if operation.paused().is_some() { "the pause" } else { "the waiting" };
        format!("{what}; {} will not run", left.join(", "))
    }
}

fn deletes(operation: &Operation) -> String {
    let running = operation.results().iter().filter(|result| result.task.role == TaskRole::Hook && result.state == TaskState::Running);
    let names: Vec<String> =
        running.map(|result| format!("{}/{}", short_kind(&result.task.key.kind), clean::text(&result.task.key.name))).collect();
    match names.len() {
        0 => "no hook: none is running".to_owned(),
        1 => format!("{} and its pods", names[0]),
        count => format!("{count} running hooks and their pods: {}", names.join(", ")),
    }
}

fn keeps(operation: &Operation) -> String {
    if operation.is_deletion() {
        return match operation.deleted() {
            (0, _) => "everything: nothing is deleted yet".to_owned(),
            (gone, all) => format!("what is left: {gone} of {all} objects are gone and stay gone"),
        };
    }
    let applied =
        operation.results().iter().filter(|result| result.task.role == TaskRole::Apply && result.state != TaskState::Failed).count();
    match applied {
        0 => "everything else: nothing was applied yet".to_owned(),
        1 => "1 applied resource as it is (no rollback)".to_owned(),
        count => format!("{count} applied resources as they are (no rollback)"),
    }
}
