//! The pane beside the time line: everything known of the object that one looks at — its state, its pods, its events — without a key.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::panes;
use super::rail::Piece;
use crate::model::{Assessment, ContainerState, PodView};
use crate::operation::Operation;
use crate::operation::verdict::short_time;
use crate::tui::board::Board;
use crate::tui::clean;
use crate::tui::model::Model;
use crate::tui::paint::{self, Pen};
use crate::tui::theme::{Role, glyph, stage_role};

/// How many pods are shown; of more the newest.
const PODS: usize = 4;

/// Draws the pane for a row.
pub(super) fn draw(model: &Model, board: &Board, row: usize, area: Rect, buffer: &mut Buffer) {
    let (Some(task), Some(state), Some(operation)) = (board.task_id(row), board.rows().get(row), board.operation()) else { return };
    let is_blocker = board.blocker().is_some_and(|(at, _)| at == row);
    let lead = if is_blocker { "blocker · " } else { "" };
    let title = format!("{lead}{}/{}", state.kind, state.name);
    paint::rule(buffer, Rect { height: area.height.min(1), ..area }, model.theme, &title, "");
    let time = state.elapsed(model.now).map(|time| format!(" · {}", short_time(time))).unwrap_or_default();
    let head = format!("{}{time}", state.word);
    let mut lines: Vec<(&str, Vec<Piece>)> = vec![(
        "status",
        vec![
            (format!("{} ", glyph(state.stage)), stage_role(state.stage)),
            (head, Role::Strong),
            (format!(" · {}", state.message), Role::Text),
        ],
    )];
    lines.extend(health(operation, &task.key));
    lines.extend(pressure(model, board, is_blocker));
    let pods = operation.pods_of(&task.key);
    for (at, pod) in pods.iter().rev().take(PODS).enumerate() {
        lines.push((if at == 0 { "pods" } else { "" }, pod_line(operation, pod)));
    }
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    for (at, (label, pieces)) in lines.iter().enumerate() {
        let Some(mut pen) = Pen::row(buffer, body, at as u16) else { return };
        pen.put("│ ", model.theme.style(Role::Rule)).field(label, 8, model.theme.style(Role::Dim));
        for (text, role) in pieces {
            pen.fit(text, model.theme.style(*role));
        }
    }
    events(model, operation, &task.key, lines.len() as u16, body, buffer);
}

/// What decided whether the object is done, where it is judged at all.
fn health(operation: &Operation, key: &crate::model::ResourceKey) -> Option<(&'static str, Vec<Piece>)> {
    let assessment = &operation.live(key)?.assessment;
    let text = match assessment {
        Assessment::NoRule => crate::tui::views::details::unjudged(key).to_owned(),
        Assessment::Known(health) => format!("{} by rule {}", health.status, clean::text(&health.rule)),
        Assessment::Error(_) => "cannot be told by its rule".to_owned(),
    };
    Some(("health", vec![(text, Role::Dim)]))
}

/// What presses: that nothing changes, and the limits of time that run.
fn pressure(model: &Model, board: &Board, is_blocker: bool) -> Vec<(&'static str, Vec<Piece>)> {
    let mut lines = Vec::new();
    if let Some(since) = board.stalled_since().filter(|_| is_blocker) {
        let text = format!("no change for {}", short_time(model.now.duration_since(since)));
        lines.push(("stall", vec![(text, Role::Warn), ("; look at its log and events, or terminate".to_owned(), Role::Dim)]));
    }
    let left = |(of, at): &(&str, jiff::Timestamp)| format!("{of} in {}", short_time(at.duration_since(model.now)));
    let limits: Vec<String> = board.countdowns().iter().map(left).collect();
    if !limits.is_empty() {
        lines.push(("limits", vec![(limits.join(" · "), Role::Text)]));
    }
    lines
}

fn events(model: &Model, operation: &Operation, key: &crate::model::ResourceKey, from: u16, body: Rect, buffer: &mut Buffer) {
    let mut row = from;
    for event in panes::newest_events(operation, Some(key), usize::from(body.height)) {
        let Some(mut pen) = Pen::row(buffer, body, row) else { return };
        let label = if row == from { "events" } else { "" };
        pen.put("│ ", model.theme.style(Role::Rule)).field(label, 8, model.theme.style(Role::Dim));
        panes::occurrence(model, event, false, &mut pen);
        row += 1;
    }
    while let Some(mut pen) = Pen::row(buffer, body, row) {
        pen.put("│", model.theme.style(Role::Rule));
        row += 1;
    }
}

/// Returns what is known of a pod, in one line.
pub(in crate::tui::views) fn pod_line(operation: &Operation, pod: &PodView) -> Vec<Piece> {
    let ready = pod.containers.iter().filter(|container| container.ready && !container.init).count();
    let total = pod.containers.iter().filter(|container| !container.init).count();
    let restarts: u32 = pod.containers.iter().map(|container| container.restarts).sum();
    let gone = operation.is_pod_gone(&pod.uid);
    let role = match &*pod.phase {
        _ if gone => Role::Dim,
        "Failed" => Role::Bad,
        "Succeeded" => Role::Good,
        "Running" if ready == total => Role::Good,
        _ => Role::Warn,
    };
    let phase = if gone {
        "deleted"
    } else if pod.deleting {
        "in deletion"
    } else {
        &pod.phase
    };
    let restarts = if restarts > 0 { format!("  {restarts} restart{}", if restarts == 1 { "" } else { "s" }) } else { String::new() };
    let word = pod.hang().filter(|_| !gone).map(|hang| hang.clause()).or_else(|| pod.containers.iter().find_map(container_word));
    let state = word.map(|word| format!("  {word}")).unwrap_or_default();
    vec![
        (clean::text(&pod.name).into_owned(), Role::Text),
        (format!("  {}", clean::text(phase)), role),
        (format!("  {ready}/{total}{restarts}{}", clean::text(&state)), Role::Dim),
    ]
}

/// Returns what is unusual about a container: why it waits, how it ended.
pub(in crate::tui::views) fn container_word(container: &crate::model::Container) -> Option<String> {
    match &container.state {
        ContainerState::Waiting { reason, .. } if !reason.is_empty() => Some(format!("{}: {reason}", container.name)),
        ContainerState::Terminated { exit_code, .. } if !container.init || *exit_code != 0 => {
            Some(format!("{}: exit {exit_code}", container.name))
        }
        ContainerState::Waiting { .. } | ContainerState::Running { .. } | ContainerState::Terminated { .. } => None,
    }
}
