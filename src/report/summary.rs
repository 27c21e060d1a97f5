//! The end of a printed operation: the verdict, when the phases ran, what failed with its last words, what did not run and why.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;

use crate::model::{Phase, TaskId};
use crate::operation::timeline::{PhaseCell, Stage};
use crate::operation::verdict::{Tone, short_time};
use crate::operation::{LeftBehind, Operation};
use crate::plan::{NotRun, Plan, PlanWarning};

use super::plain::{Tails, name};
use super::style::{Mark, Style};
use super::visible::visible;

/// Returns `9 tasks: PreSync 1, Sync 7, PostSync 1; 2 will not run`.
pub(super) fn sizes(plan: &Plan) -> String {
    let mut phases: BTreeMap<Phase, usize> = BTreeMap::new();
    for task in &plan.tasks {
        *phases.entry(task.id.phase).or_default() += 1;
    }
    let list: Vec<String> = phases.into_iter().map(|(phase, count)| format!("{phase} {count}")).collect();
    let list = if list.is_empty() { String::new() } else { format!(": {}", list.join(", ")) };
    let left = plan.not_run.len();
    let left = if left == 0 { String::new() } else { format!("; {left} will not run") };
    format!("{}{list}{left}", count(plan.tasks.len(), "task"))
}

/// Returns `1 task`, `2 tasks`.
pub(super) fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// Returns `deploy/a.yaml:3: Job shop/migrate: …`.
pub(super) fn warning(warning: &PlanWarning) -> String {
    let origin = warning.origin.as_ref().map(|origin| format!("{origin}: ")).unwrap_or_default();
    let about = warning.about.as_ref().map(|key| format!("{key}: ")).unwrap_or_default();
    format!("{origin}{about}{}", warning.message)
}

/// Returns the sentence about kinds that may not be watched (decision 4).
pub(super) fn polled(kinds: &[String]) -> String {
    format!("may not watch {}; looking at them every few seconds instead", kinds.join(", "))
}

/// Writes the end of an operation.
pub(super) fn write<W: Write>(out: &mut W, style: &Style, operation: &Operation, at: Timestamp, tails: &Tails) -> io::Result<()> {
    let verdict = operation.verdict(at);
    let colour = match verdict.tone {
        Tone::Good => 32,
        Tone::Bad => 31,
        Tone::Working | Tone::Blocked | Tone::Paused | Tone::Stopping => 33,
    };
    writeln!(out, "\n{}  {}", style.paint(verdict.word, colour), visible(&verdict.text))?;
    for line in operation.message().lines() {
        writeln!(out, "  {}", visible(line))?;
    }
    phases(out, style, operation)?;
    failures(out, operation, tails)?;
    not_run(out, operation)?;
    left_behind(out, operation)
}

fn phases<W: Write>(out: &mut W, style: &Style, operation: &Operation) -> io::Result<()> {
    let width = if operation.is_deletion() { 10 } else { 8 };
    for cell in operation.rail() {
        let (mark, word) = stage(&cell);
        let time = match (cell.span.started_at, cell.span.finished_at.or(operation.finished_at())) {
            (Some(from), Some(to)) => short_time(to.duration_since(from)),
            (Some(_) | None, _) => "-".to_owned(),
        };
        writeln!(
            out,
            "  {} {:<width$}  {word:<9}  {time:>6}  {} of {}",
            style.mark(mark),
            cell.phase,
            cell.done,
            count(cell.total, "task")
        )?;
    }
    Ok(())
}

fn stage(cell: &PhaseCell) -> (Mark, &'static str) {
    match cell.stage {
        Stage::Done => (Mark::Good, "done"),
        Stage::Failed => (Mark::Bad, "failed"),
        Stage::Running => (Mark::Working, "settling"),
        Stage::Skipped | Stage::Waiting | Stage::Armed => (Mark::Note, "not run"),
    }
}

fn failures<W: Write>(out: &mut W, operation: &Operation, tails: &Tails) -> io::Result<()> {
    let failed = operation.failed_tasks();
    if failed.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nFailed")?;
    for id in &failed {
        failure(out, operation, id)?;
        if let Some(tail) = tails.get(id) {
            for line in tail {
                writeln!(out, "    │ {line}")?;
            }
        }
    }
    Ok(())
}

fn failure<W: Write>(out: &mut W, operation: &Operation, id: &TaskId) -> io::Result<()> {
    let Some(task) = operation.plan().task(id) else { return Ok(()) };
    let exit = operation.exit_sentence(&id.key).map(|text| format!(" ({text})")).unwrap_or_default();
    let place = format!("{} wave {}", id.phase, task.wave);
    let text = format!("{} in {place}: {}{exit}", name(&id.key, operation), operation.row(task).message);
    writeln!(out, "  {}", visible(&text))
}

/// What outlives the app, and why (spec R1113).
fn left_behind<W: Write>(out: &mut W, operation: &Operation) -> io::Result<()> {
    let left = operation.left_behind();
    if left.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nLeft behind")?;
    for LeftBehind { task, reason } in &left {
        writeln!(out, "  {}", visible(&format!("{}: {reason}", name(&task.key, operation))))?;
    }
    Ok(())
}

fn not_run<W: Write>(out: &mut W, operation: &Operation) -> io::Result<()> {
    let left = operation.not_run();
    if left.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nDid not run")?;
    for NotRun { task, reason, .. } in &left {
        writeln!(out, "  {}", visible(&format!("{} in {}: {reason}", name(&task.id.key, operation), task.id.phase)))?;
    }
    Ok(())
}
