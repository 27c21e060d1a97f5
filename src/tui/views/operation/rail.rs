//! The rail: how far the phases and waves are. Every phase of the plan is drawn, one that did not happen too. Makes styled pieces of text
//! once for each change; drawing copies them.

use jiff::{SignedDuration, Timestamp};

use super::layout::Density;
use crate::model::Phase;
use crate::operation::Span;
use crate::operation::timeline::{PhaseCell, Stage, WaveCell};
use crate::operation::verdict::short_time;
use crate::tui::board::Board;
use crate::tui::row::column_time;
use crate::tui::theme::{Role, glyph, stage_role};

/// A piece of text and what it is for.
pub(super) type Piece = (String, Role);

/// How many waves of a phase are spelt out; the others become an ellipsis.
const WAVES: usize = 9;

/// Returns how long a phase or wave has taken.
pub(super) fn took(span: &Span, now: Timestamp) -> Option<SignedDuration> {
    Some(span.finished_at.unwrap_or(now).duration_since(span.started_at?))
}

/// Makes the rail in one row.
pub(super) fn in_one_row(board: &Board, now: Timestamp, density: Density) -> Vec<Piece> {
    let mut pieces = vec![(" ".to_owned(), Role::Text)];
    pieces.extend(preflight(board, density));
    for (at, cell) in board.rail().iter().enumerate() {
        if at > 0 {
            pieces.push((if density >= Density::Normal { " ━ " } else { " " }.to_owned(), Role::Rule));
        }
        phase(cell, now, density, &mut pieces);
    }
    pieces.extend(settling(board, density));
    pieces
}

/// Every task is tried without a change first; if that fails nothing is applied and SyncFail hooks do not run.
fn preflight(board: &Board, density: Density) -> Vec<Piece> {
    let Some(operation) = board.operation().filter(|_| density >= Density::Normal && !board.is_dry_pass_done()) else { return Vec::new() };
    if operation.request().dry_run || board.is_deletion() {
        return Vec::new();
    }
    let stage = if operation.finished_at().is_some() { Stage::Failed } else { Stage::Running };
    vec![(format!("preflight {}", glyph(stage)), stage_role(stage)), (" ━ ".to_owned(), Role::Rule)]
}

/// After the end some resources may still be on their way (decision 10).
fn settling(board: &Board, density: Density) -> Vec<Piece> {
    let Some(operation) = board.operation().filter(|operation| operation.finished_at().is_some()) else { return Vec::new() };
    let left = operation.settling().len();
    if left == 0 || density < Density::Normal {
        return Vec::new();
    }
    vec![(" ━ ".to_owned(), Role::Rule), (format!("settling ◐{left}"), Role::Warn)]
}

fn phase(cell: &PhaseCell, now: Timestamp, density: Density, pieces: &mut Vec<Piece>) {
    let name = name(cell.phase, density);
    let role = stage_role(cell.stage);
    let is_open = matches!(cell.stage, Stage::Running | Stage::Failed) || cell.waves.iter().any(|wave| wave.stage == Stage::Running);
    let spaced = density >= Density::Normal;
    match cell.stage {
        Stage::Armed if spaced => pieces.push((format!("({name} ·{})", cell.total), role)),
        _ if is_open && cell.waves.len() > 1 => {
            pieces.push((format!("{name}{}", if spaced { " " } else { "" }), Role::Strong));
            waves(cell, density, pieces);
        }
        Stage::Waiting => pieces.push((format!("{name}{}{}{}", if spaced { " " } else { "" }, glyph(cell.stage), cell.total), role)),
        Stage::Running | Stage::Done | Stage::Failed | Stage::Skipped | Stage::Armed => {
            pieces.push((format!("{name}{}", if spaced { " " } else { "" }), Role::Text));
            let time = if spaced { took(&cell.span, now).map(short_time).unwrap_or_default() } else { String::new() };
            pieces.push((format!("{}{time}", glyph(cell.stage)), role));
        }
    }
}

fn waves(cell: &PhaseCell, density: Density, pieces: &mut Vec<Piece>) {
    let (from, to) = window(&cell.waves);
    let boxed = density >= Density::Normal;
    if !boxed {
        pieces.push(("[".to_owned(), Role::Dim));
    }
    if from > 0 {
        pieces.push(("…".to_owned(), Role::Dim));
    }
    for (at, wave) in cell.waves[from..to].iter().enumerate() {
        let text = format!("{}{}", wave.wave, glyph(wave.stage));
        let space = if at > 0 && !boxed { " " } else { "" };
        pieces.push((if boxed { format!("[{text}]") } else { format!("{space}{text}") }, stage_role(wave.stage)));
    }
    if to < cell.waves.len() {
        pieces.push(("…".to_owned(), Role::Dim));
    }
    if !boxed {
        pieces.push(("]".to_owned(), Role::Dim));
    }
}

/// The waves around the first one that is not done.
fn window(waves: &[WaveCell]) -> (usize, usize) {
    let current = waves.iter().position(|wave| wave.stage != Stage::Done).unwrap_or(0);
    let from = current.saturating_sub(WAVES / 2).min(waves.len().saturating_sub(WAVES));
    (from, waves.len().min(from + WAVES))
}

fn name(phase: Phase, density: Density) -> &'static str {
    if density >= Density::Normal {
        return phase.as_str();
    }
    match phase {
        Phase::PreSync => "Pre",
        Phase::Sync => "Sync",
        Phase::PostSync => "Post",
        Phase::SyncFail => "Fail",
        Phase::PreDelete => "PreDel",
        Phase::Delete => "Delete",
        Phase::PostDelete => "PostDel",
    }
}

/// The phase of the resources themselves, between those of hooks.
fn is_main(phase: Phase) -> bool {
    matches!(phase, Phase::Sync | Phase::Delete)
}

/// The rail in three rows for wide screens: one column for each phase.
pub(super) struct Column {
    pub(super) width: u16,
    pub(super) rows: [Vec<Piece>; 3],
}

/// Makes the columns of the wide rail.
pub(super) fn in_three_rows(board: &Board, now: Timestamp, width: u16) -> Vec<Column> {
    let others = board.rail().iter().filter(|cell| !is_main(cell.phase)).count() as u16;
    let has_main = board.rail().iter().any(|cell| is_main(cell.phase));
    let narrow = if has_main { 24 } else { width.saturating_sub(1) / others.max(1) };
    let wide = width.saturating_sub(1 + narrow * others);
    board
        .rail()
        .iter()
        .map(|cell| {
            let width = if is_main(cell.phase) { wide } else { narrow };
            Column { width, rows: [title(board, cell, now), wave_row(cell, now, width), bottom(board, cell, now, width)] }
        })
        .collect()
}

fn title(board: &Board, cell: &PhaseCell, now: Timestamp) -> Vec<Piece> {
    let time = match took(&cell.span, now) {
        Some(time) => column_time(time),
        None if cell.stage != Stage::Skipped => String::new(),
        None if cell.phase == Phase::SyncFail && !board.has_failed() => "not needed".to_owned(),
        None => "not started".to_owned(),
    };
    let mut pieces = vec![(format!("{} ", cell.phase), Role::Strong), (format!("{} {time}", glyph(cell.stage)), stage_role(cell.stage))];
    if is_main(cell.phase) && board.operation().is_some_and(|operation| operation.finished_at().is_some()) {
        pieces.extend(settling(board, Density::Wide));
    }
    pieces
}

fn wave_row(cell: &PhaseCell, now: Timestamp, width: u16) -> Vec<Piece> {
    let (from, to) = window(&cell.waves);
    let with_times = |wave: &WaveCell| {
        let time = took(&wave.span, now).map(|time| format!(" {}", short_time(time))).unwrap_or_default();
        (format!("{}{}{time}  ", wave.wave, glyph(wave.stage)), stage_role(wave.stage))
    };
    let pieces: Vec<Piece> = cell.waves[from..to].iter().map(with_times).collect();
    let columns: usize = pieces.iter().map(|(text, _)| crate::tui::clean::columns(text)).sum();
    if columns < usize::from(width) {
        return pieces;
    }
    cell.waves[from..to].iter().map(|wave| (format!("{}{} ", wave.wave, glyph(wave.stage)), stage_role(wave.stage))).collect()
}

fn bottom(board: &Board, cell: &PhaseCell, now: Timestamp, width: u16) -> Vec<Piece> {
    if cell.stage == Stage::Skipped {
        return Vec::new();
    }
    if is_main(cell.phase) && board.operation().is_some() {
        return bar(cell, now, width);
    }
    if cell.stage == Stage::Armed {
        return vec![(format!("{} hook{} armed", cell.total, if cell.total == 1 { "" } else { "s" }), Role::Dim)];
    }
    let of_phase = |wanted: Stage| move |row: &&crate::tui::row::Row| row.group_phase() == cell.phase && row.stage == wanted;
    let rows = &board.rows()[..board.tasks()];
    let row = [Stage::Failed, Stage::Running, Stage::Waiting].into_iter().find_map(|stage| rows.iter().find(of_phase(stage)));
    let text = row.map_or_else(|| format!("{}/{} done", cell.done, cell.total), |row| format!("{}/{}", row.short_kind(), row.name));
    vec![(crate::tui::clean::fit(&text, usize::from(width.saturating_sub(2))).into_owned(), Role::Dim)]
}

fn bar(cell: &PhaseCell, now: Timestamp, width: u16) -> Vec<Piece> {
    let room = usize::from(width).saturating_sub(20).clamp(4, 48);
    let share = |count: usize| (count * room).checked_div(cell.total).unwrap_or_default();
    let running: usize = cell.waves.iter().filter(|wave| wave.stage == Stage::Running).map(|wave| wave.total - wave.done).sum();
    let done = share(cell.done);
    let moving = share(cell.done + running).saturating_sub(done);
    let time = took(&cell.span, now).map(column_time).unwrap_or_default();
    vec![
        ("█".repeat(done), stage_role(cell.stage)),
        ("▒".repeat(moving), Role::Running),
        ("░".repeat(room - done - moving), Role::Dim),
        (format!(" {}/{}  {time}", cell.done, cell.total), Role::Text),
    ]
}
