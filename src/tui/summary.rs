//! The plain lines that stay in the scrollback when the screens close: how it ended, how long each phase took, what failed.

use super::board::Board;
use super::clean;
use super::model::Model;
use super::row::brief;
use super::theme;
use crate::model::Phase;
use crate::operation::timeline::Stage;
use crate::operation::verdict::short_time;
use crate::operation::{Attempt, LeftBehind, Operation};
use crate::plan::NotRunCode;

/// How many failures are listed.
const FAILURES: usize = 3;

/// Makes the lines; none if nothing has run.
pub(super) fn lines(model: &Model) -> Vec<String> {
    let Some((board, operation)) = model.operations().next().and_then(|board| Some((board, board.operation()?))) else { return Vec::new() };
    let (context, _) = operation.destination();
    let verdict = board.verdict();
    let (glyph, _) = theme::tone(verdict.tone);
    let app = format!("{}/{}", clean::text(&board.plan().namespace), clean::text(&board.plan().app));
    let mut lines = vec![format!("{glyph} {app} in {}: {} {}", clean::text(context), verdict.word, verdict.text)];
    lines.extend(phases(model, board));
    lines.extend(failures(board));
    lines.extend(attempts(operation));
    lines.extend(left_behind(operation));
    let left = operation.not_run().iter().filter(|left| left.code != NotRunCode::NotNeeded).count();
    if left > 0 {
        lines.push(format!("  {left} did not run"));
    }
    let earlier = model.operations().skip(1).count();
    if earlier > 0 {
        let glyphs: Vec<&str> = model.operations().skip(1).map(|board| theme::tone(board.verdict().tone).0).collect();
        lines.push(format!("  {earlier} earlier operation{}, newest first: {}", if earlier == 1 { "" } else { "s" }, glyphs.join(" ")));
    }
    if model.theme.is_ascii() { lines.iter().map(|line| theme::plain(line)).collect() } else { lines }
}

fn phases(model: &Model, board: &Board) -> Vec<String> {
    let width = if board.is_deletion() { 10 } else { 8 };
    let line = |cell: &crate::operation::timeline::PhaseCell| {
        let took = match (cell.span.started_at, cell.span.finished_at) {
            (Some(from), to) => short_time(to.unwrap_or(model.now).duration_since(from)),
            (None, _) => "-".to_owned(),
        };
        let words = match cell.stage {
            Stage::Skipped if cell.phase == Phase::SyncFail && !board.has_failed() => "not needed".to_owned(),
            Stage::Skipped => "did not run".to_owned(),
            Stage::Armed => "not needed".to_owned(),
            Stage::Waiting | Stage::Running | Stage::Done | Stage::Failed => format!("{}/{}", cell.done, cell.total),
        };
        format!("  {} {:<width$} {took:>7}  {words}", theme::glyph(cell.stage), cell.phase.as_str())
    };
    board.rail().iter().map(line).collect()
}

/// What outlives a deleted app.
fn left_behind(operation: &Operation) -> Vec<String> {
    let all = operation.left_behind();
    let line = |left: &LeftBehind| format!("  left behind: {}: {}", clean::text(&left.task.key.short()), clean::text(&left.reason));
    let more = all.len().saturating_sub(FAILURES);
    let more = (more > 0).then(|| format!("  and {more} more left behind"));
    all.iter().take(FAILURES).map(line).chain(more).collect()
}

/// What the attempts before the last one came to.
fn attempts(operation: &Operation) -> Vec<String> {
    let line = |attempt: &Attempt| {
        let took = short_time(attempt.finished_at.duration_since(attempt.started_at));
        let glyph = theme::glyph(Stage::Failed);
        format!("  {glyph} attempt {} failed after {took}: {}", attempt.number, brief(&attempt.message))
    };
    let all = operation.attempts();
    let skipped = all.len().saturating_sub(FAILURES);
    let more = (skipped > 0).then(|| format!("  {skipped} attempts failed before"));
    more.into_iter().chain(all[skipped..].iter().map(line)).collect()
}

fn failures(board: &Board) -> Vec<String> {
    let failed: Vec<_> = board.rows().iter().filter(|row| row.stage == Stage::Failed).collect();
    let mut lines: Vec<String> = failed
        .iter()
        .take(FAILURES)
        .map(|row| format!("  {} {}/{}: {}", theme::glyph(Stage::Failed), row.kind, row.name, row.message))
        .collect();
    if failed.len() > FAILURES {
        lines.push(format!("  and {} more failed", failed.len() - FAILURES));
    }
    lines
}
