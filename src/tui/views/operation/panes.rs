//! The parts below the table: the log that tells why, safe next moves after a failure, warnings of the cluster, and the last line.

use jiff::SignedDuration;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::{Occurrence, ResourceKey, Role as TaskRole, TaskId, TaskState};
use crate::operation::Operation;
use crate::operation::timeline::Stage;
use crate::operation::verdict::short_time;
use crate::tui::action::Action;
use crate::tui::board::Board;
use crate::tui::clean;
use crate::tui::keymap::Context;
use crate::tui::model::Model;
use crate::tui::paint::{self, Pen};
use crate::tui::theme::{Role, glyph, stage_role};
use crate::tui::views::log_screen;
use crate::tui::views::logs::{PaneContext, draw_pane};

/// What the log pane shows.
pub(super) struct Tail<'a> {
    pub(super) board: &'a Board,
    pub(super) task: &'a TaskId,
    /// How many rows the person scrolled up.
    pub(super) back: usize,
    /// The pane has the keys.
    pub(super) focused: bool,
}

/// Draws the newest lines of a task under their title: after a failure those that say why; without any, what the cluster says instead.
pub(super) fn log(model: &Model, tail: &Tail<'_>, area: Rect, buffer: &mut Buffer) {
    let Some(operation) = tail.board.operation() else {
        paint::rule(buffer, Rect { height: area.height.min(1), ..area }, model.theme, "logs", "");
        return hint(model, "nothing has run yet; s starts a sync", below(area, 1), buffer);
    };
    let log = model.log(tail.board, tail.task);
    let why = operation.why_waiting(tail.task);
    let empty = match (super::has_pods(&tail.task.key.kind), why.is_empty()) {
        (true, _) if operation.request().dry_run => "a dry run starts nothing that prints".to_owned(),
        (true, _) if tail.task.role == TaskRole::Prune => "what is deleted prints nothing".to_owned(),
        (false, _) => format!("a {} has no pods that print", tail.task.key.kind),
        (true, true) => "no log".to_owned(),
        (true, false) => format!("no log yet: {why}"),
    };
    let failed = tail.board.has_failed() && operation.result(tail.task).is_some_and(|result| result.state != TaskState::Succeeded);
    let context = PaneContext {
        subject: &tail.task.key.short(),
        empty: &empty,
        back: tail.back,
        why: failed && tail.back == 0 && !tail.focused,
        now: model.now,
        zone: &model.zone,
        styles: &log_screen::styles(model.theme),
    };
    draw_pane(log, &context, area, buffer);
    if tail.focused {
        paint::tint(buffer, area, 0, model.theme.style(Role::Chosen));
    }
    if log.is_none_or(|log| log.numbers().is_empty()) {
        events(model, operation, Some(&tail.task.key), below(area, 2), buffer);
    }
}

fn below(area: Rect, rows: u16) -> Rect {
    Rect { y: area.y + rows.min(area.height), height: area.height.saturating_sub(rows), ..area }
}

/// Says why there is nothing to see.
pub(super) fn hint(model: &Model, text: &str, area: Rect, buffer: &mut Buffer) {
    if let Some(mut pen) = Pen::row(buffer, area, 0) {
        pen.put(" ", model.theme.style(Role::Dim)).fit(text, model.theme.style(Role::Dim));
    }
}

/// Draws the newest events about an object, or about everything.
pub(super) fn events(model: &Model, operation: &Operation, about: Option<&ResourceKey>, area: Rect, buffer: &mut Buffer) {
    for (row, event) in newest_events(operation, about, usize::from(area.height)).into_iter().enumerate() {
        let Some(mut pen) = Pen::row(buffer, area, row as u16) else { return };
        pen.put(" ", model.theme.style(Role::Text));
        occurrence(model, event, about.is_none(), &mut pen);
    }
}

/// How far back events are looked at.
const EVENTS: usize = 500;

/// Returns the newest events, newest first. The cluster tells of an event again whenever it repeats; only its last state counts.
pub(in crate::tui::views) fn newest_events<'a>(operation: &'a Operation, about: Option<&ResourceKey>, most: usize) -> Vec<&'a Occurrence> {
    let mut found: Vec<&Occurrence> = Vec::new();
    for event in operation.occurrences().iter().rev().take(EVENTS).filter(|event| about.is_none_or(|key| event.owner == *key)) {
        let is_known = |known: &&Occurrence| known.about == event.about && known.reason == event.reason && known.message == event.message;
        if !found.iter().any(is_known) {
            found.push(event);
        }
        if found.len() >= most {
            break;
        }
    }
    found
}

/// Writes one event of the cluster.
pub(super) fn occurrence(model: &Model, event: &Occurrence, named: bool, pen: &mut Pen<'_>) {
    let theme = model.theme;
    let role = if event.warning { Role::Warn } else { Role::Dim };
    let age = event.at.map(|at| short_time(model.now.duration_since(at).max(SignedDuration::ZERO))).unwrap_or_default();
    let times = if event.count > 1 { format!(" ×{}", event.count) } else { String::new() };
    pen.number(&age, 5, theme.style(Role::Dim)).skip(1);
    pen.put(&format!("{}{times} ", clean::text(&event.reason)), theme.style(role));
    if named {
        pen.put(&format!("{} ", clean::text(&event.about.short())), theme.style(Role::Text));
    }
    pen.fit(&clean::text(&event.message), theme.style(Role::Text));
}

/// What can be done while nothing moves: look why, then stop it, which asks.
const WHEN_STALLED: [(Action, &str); 5] = [
    (Action::Logs, "full log"),
    (Action::Terminate, "terminate (asks)"),
    (Action::Events, "events"),
    (Action::Details, "details"),
    (Action::Yaml, "live object"),
];

/// Draws what can be done now: reading first, then what asks before it acts.
pub(super) fn next(model: &Model, board: &Board, area: Rect, buffer: &mut Buffer) {
    if board.is_running() {
        return moves(model, "nothing moves", &WHEN_STALLED, area, buffer);
    }
    let problem = if board.counts().failed > 1 { "next problem" } else { "the problem" };
    let mut after_failure = vec![
        (Action::Logs, "full log"),
        (Action::NextProblem, problem),
        (Action::Events, "events"),
        (Action::Details, "details"),
        if board.is_deletion() { (Action::Delete, "delete again (asks)") } else { (Action::Sync, "sync again (asks)") },
        if board.is_deletion() { (Action::Sync, "sync (asks)") } else { (Action::SyncMarked, "sync marked rows, no hooks (asks)") },
        (Action::History, "operations"),
    ];
    if board.operation().is_some_and(|operation| !operation.attempts().is_empty()) {
        after_failure.insert(2, (Action::Attempts, "earlier attempts"));
    }
    moves(model, "next", &after_failure, area, buffer);
}

fn moves(model: &Model, title: &str, moves: &[(Action, &str)], area: Rect, buffer: &mut Buffer) {
    paint::rule(buffer, Rect { height: area.height.min(1), ..area }, model.theme, title, "");
    let rows = area.height.saturating_sub(1).max(1);
    let per_row = moves.len().div_ceil(usize::from(rows));
    for (row, moves) in moves.chunks(per_row).enumerate() {
        let Some(mut pen) = Pen::row(buffer, area, row as u16 + 1) else { return };
        pen.put(" ", model.theme.style(Role::Text));
        for (action, words) in moves {
            let key = model.keymap.binding(Context::Sync, *action).and_then(|binding| binding.keys.first());
            let key = key.map(ToString::to_string).unwrap_or_default();
            if usize::from(pen.rest()) < key.len() + words.len() + 2 {
                break;
            }
            let is_open = model.may(*action).is_ok();
            pen.put(&key, model.theme.style(if is_open { Role::Key } else { Role::Dim }));
            pen.put(" ", model.theme.style(Role::Dim)).put(words, model.theme.style(if is_open { Role::Text } else { Role::Dim })).skip(3);
        }
    }
}

/// Draws the last line: what happened last, and what comes next.
pub(super) fn last(model: &Model, board: &Board, area: Rect, buffer: &mut Buffer) {
    let Some(mut pen) = Pen::row(buffer, area, 0) else { return };
    let theme = model.theme;
    pen.end(" ", theme.style(Role::Text));
    let upcoming = clean::fit(board.upcoming(), usize::from(area.width) * 9 / 20);
    pen.end(&upcoming, theme.style(Role::Dim)).end(if upcoming.is_empty() { "" } else { "│" }, theme.style(Role::Rule));
    let Some(happening) = board.happening() else {
        planned_warning(model, board, &mut pen);
        return;
    };
    let age = model.now.duration_since(happening.at).max(SignedDuration::ZERO);
    pen.put(" ", theme.style(Role::Text)).put(glyph(happening.stage), theme.style(stage_role(happening.stage)));
    let age = if age.as_secs() >= 1 && board.is_running() { format!(" ({} ago)", whole_time(age)) } else { String::new() };
    let room = usize::from(pen.rest()).saturating_sub(clean::columns(&age) + 1);
    let text = clean::fit(&happening.text, room);
    pen.put(" ", theme.style(Role::Text)).put(&text, theme.style(Role::Text)).put(&age, theme.style(Role::Dim));
}

fn planned_warning(model: &Model, board: &Board, pen: &mut Pen<'_>) {
    let plan = board.plan();
    let first = plan.invalid.first().map(|invalid| invalid.message.clone());
    let first = first.or_else(|| {
        let warning = plan.warnings.first()?;
        let about = warning.about.as_ref().map(|key| format!("{}: ", key.short())).unwrap_or_default();
        Some(format!("{about}{}", warning.message))
    });
    let count = plan.invalid.len() + plan.warnings.len();
    if let Some(text) = first {
        let more = if count > 1 { format!(" (+{} more in the sync dialog)", count - 1) } else { String::new() };
        pen.put(" ! ", model.theme.style(Role::Warn)).fit(&format!("{}{more}", clean::text(&text)), model.theme.style(Role::Text));
    }
}

/// Writes a time without tenths: they would not be true for long.
fn whole_time(time: SignedDuration) -> String {
    if time.as_secs() < 10 { format!("{}s", time.as_secs()) } else { short_time(time) }
}

/// Returns the stage that a group's header shows.
pub(super) fn group_state(stage: Stage, time: Option<SignedDuration>) -> String {
    format!("{} {}", glyph(stage), time.map(crate::tui::row::column_time).unwrap_or_default())
}
