//! Prints a plan: what a sync would do, in order, what would not run and why, and what the author of the manifests should know.
//!
//! The JSON is one object:
//! `{"app","namespace","context","revision","summary","tasks":[…],"notRun":[{"task":{…},"reason","code"}],"warnings":[…],"invalid":[…]}`.
//! Each entry of `tasks` is the task object of cli.md with `order` (from 1), `action` (`create`, `configure`, `unchanged`, `replace`, `prune`;
//! `recreate`, `refused` and `unknown` with `reason`), `origin` (`{"file","line"}`) and, where a Namespace or a definition was pulled forward, `movedFrom`
//! (`{"phase","wave"}`), and `effects`: what the task does beyond its object (`{"kind","text"}`, with `pods` or `children` where they are
//! counted). Each entry of `warnings` has `message` and, where they are known, `object`, `file` and `line`. `invalid` names
//! the tasks that make the whole operation fail before anything is applied.

use std::io::{self, Write};

use serde::Serialize;

use crate::engine::session::{Action, Planned};
use crate::model::{Origin, Phase, ResourceKey, Task};
use crate::plan::impact::{Impact, Weight, shortened};
use crate::plan::{Invalid, NotRun, PlanWarning};

use super::escape::to_line;
use super::style::{Mark, Style};
use super::summary;
use super::task::{NotRunJson, TaskJson};
use super::visible::visible;

/// Returns whether something in the plan cannot work: an invalid task, or one that the server refuses.
pub(crate) fn has_objections(planned: &Planned) -> bool {
    !planned.plan.invalid.is_empty() || planned.actions.values().any(|action| matches!(action, Action::Refused(_)))
}

/// Prints the plan for people.
///
/// # Errors
/// The output is closed.
pub(crate) fn plain<W: Write>(out: &mut W, style: &Style, planned: &Planned) -> io::Result<()> {
    let (plan, place) = (&planned.plan, &planned.place);
    head(out, planned, &format!("plan of {} for {} ({})", plan.app, place.context, place.cluster))?;
    writeln!(out, "{}", planned.tally(None))?;
    let width = plan.tasks.iter().map(|task| label(task, planned).chars().count()).max().unwrap_or_default().min(60);
    let mut group = None;
    for task in &plan.tasks {
        let now = (task.id.phase, task.wave);
        if group != Some(now) {
            writeln!(out, "\n{} wave {}", now.0, now.1)?;
            group = Some(now);
        }
        row(out, style, planned, task, width)?;
    }
    not_run(out, planned)?;
    invalid(out, style, planned)?;
    warnings(out, style, planned)
}

/// Prints what is planned where, and how much it is.
pub(super) fn head<W: Write>(out: &mut W, planned: &Planned, what: &str) -> io::Result<()> {
    let plan = &planned.plan;
    let revision = if plan.revision.is_empty() { String::new() } else { format!(", revision {}", plan.revision) };
    writeln!(out, "{}\n{}", visible(&format!("{what}, namespace {}{revision}", plan.namespace)), summary::sizes(plan))
}

fn row<W: Write>(out: &mut W, style: &Style, planned: &Planned, task: &Task, width: usize) -> io::Result<()> {
    let action = planned.actions.get(&task.id);
    let word = match action {
        Some(action) => action.as_str(),
        None => planned_word(task),
    };
    let mut notes = Vec::new();
    if task.is_hook() {
        let types: Vec<&str> = task.hook_types().into_iter().map(Phase::as_str).collect();
        let policies: Vec<&str> = task.delete_policies().iter().map(|policy| policy.as_str()).collect();
        notes.push(format!("hook {}, deleted by {}", types.join(","), policies.join(",")));
    }
    if let Some((phase, wave)) = moved_from(task) {
        notes.push(format!("pulled forward from {phase} wave {wave}"));
    }
    if let Some(why) = action.and_then(reason) {
        notes.push(shortened(why).into_owned());
    }
    // Of what is refused or unknown it would be the same once more.
    let is_told = matches!(action, Some(Action::Refused(_) | Action::Unknown(_)));
    if let Some(why) = planned.approximate.get(&task.id).filter(|_| !is_told) {
        notes.push(format!("compared without the server: {}", shortened(why)));
    }
    notes.extend(task.origin.as_ref().map(ToString::to_string));
    let mark = if matches!(action, Some(Action::Refused(_))) { style.mark(Mark::Bad) } else { " ".to_owned() };
    let text = format!("{word:<9}  {:<width$}  {}", label(task, planned), notes.join("; "));
    writeln!(out, "{mark} {}", visible(&text).trim_end())?;
    for effect in planned.effects_of(&task.id) {
        writeln!(out, "             {} {}", style.mark(mark_of(effect)), visible(&effect.to_string()))?;
    }
    Ok(())
}

/// Returns the mark of what a task does beyond its object.
pub(super) fn mark_of(effect: &Impact) -> Mark {
    match effect.weight() {
        Weight::Quiet => Mark::Note,
        Weight::Notable | Weight::Grave => Mark::Warning,
    }
}

fn label(task: &Task, planned: &Planned) -> String {
    let key = &task.id.key;
    let own = key.namespace.is_empty() || key.namespace == planned.plan.namespace;
    if own { key.short() } else { format!("{}/{}/{}", key.kind, key.namespace, key.name) }
}

/// Returns why an action is not what one would expect.
pub(super) fn reason(action: &Action) -> Option<&str> {
    match action {
        Action::Refused(why) | Action::Unknown(why) | Action::Recreate(why) => Some(why),
        Action::Create | Action::Configure | Action::Unchanged | Action::Replace | Action::Prune | Action::Run => None,
    }
}

/// What is said without a dry run.
fn planned_word(task: &Task) -> &'static str {
    if task.is_prune() {
        "prune"
    } else if task.is_hook() {
        "run"
    } else {
        "apply"
    }
}

/// A resource that was pulled forward belongs to Sync and to the wave of its manifest (spec R509).
fn moved_from(task: &Task) -> Option<(Phase, i64)> {
    task.pulled_forward.then_some((Phase::Sync, task.traits.wave.0))
}

pub(super) fn not_run<W: Write>(out: &mut W, planned: &Planned) -> io::Result<()> {
    if planned.plan.not_run.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nWill not run")?;
    for NotRun { task, reason, .. } in &planned.plan.not_run {
        let origin = task.origin.as_ref().map(|origin| format!("; {origin}")).unwrap_or_default();
        writeln!(out, "  {}", visible(&format!("{}: {reason}{origin}", label(task, planned))))?;
    }
    Ok(())
}

fn invalid<W: Write>(out: &mut W, style: &Style, planned: &Planned) -> io::Result<()> {
    if planned.plan.invalid.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nNot valid: the sync would fail before anything is applied")?;
    for Invalid { task, message, .. } in &planned.plan.invalid {
        writeln!(out, "{} {}", style.mark(Mark::Bad), visible(&format!("{}: {message}", task.key)))?;
    }
    Ok(())
}

pub(super) fn warnings<W: Write>(out: &mut W, style: &Style, planned: &Planned) -> io::Result<()> {
    let (warnings, notes) = (&planned.plan.warnings, &planned.notes);
    if warnings.is_empty() && notes.is_empty() && planned.blocked.is_none() {
        return Ok(());
    }
    writeln!(out, "\nWarnings")?;
    for text in planned.blocked.iter().chain(notes).cloned().chain(warnings.iter().map(summary::warning)) {
        writeln!(out, "{} {}", style.mark(Mark::Warning), visible(&text))?;
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlanJson<'a> {
    app: &'a str,
    namespace: &'a str,
    context: &'a str,
    revision: &'a str,
    /// Everything in one line, for people.
    summary: String,
    tasks: Vec<PlannedTask<'a>>,
    not_run: Vec<NotRunJson<'a>>,
    warnings: Vec<WarningJson<'a>>,
    invalid: Vec<InvalidJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlannedTask<'a> {
    #[serde(flatten)]
    task: TaskJson<'a>,
    order: usize,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'a Origin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_from: Option<Group>,
    effects: &'a [Impact],
}

#[derive(Serialize)]
struct Group {
    phase: Phase,
    wave: i64,
}

#[derive(Serialize)]
pub(super) struct WarningJson<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'a ResourceKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

#[derive(Serialize)]
struct InvalidJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<TaskJson<'a>>,
    message: &'a str,
}

/// Prints the plan as one JSON object.
///
/// # Errors
/// The output is closed.
pub(crate) fn json<W: Write>(out: &mut W, planned: &Planned) -> io::Result<()> {
    let (plan, place) = (&planned.plan, &planned.place);
    let object = PlanJson {
        app: &plan.app,
        namespace: &plan.namespace,
        context: &place.context,
        revision: &plan.revision,
        summary: planned.tally(None).to_string(),
        tasks: plan.tasks.iter().enumerate().map(|(at, task)| planned_task(planned, at, task)).collect(),
        not_run: plan.not_run.iter().map(NotRunJson::of).collect(),
        warnings: warnings_json(planned),
        invalid: plan
            .invalid
            .iter()
            .map(|invalid| InvalidJson { task: plan.task(&invalid.task).map(TaskJson::of), message: &invalid.message })
            .collect(),
    };
    out.write_all(&to_line(&object)?)
}

fn planned_task<'a>(planned: &'a Planned, at: usize, task: &'a Task) -> PlannedTask<'a> {
    let action = planned.actions.get(&task.id);
    PlannedTask {
        task: TaskJson::of(task),
        order: at + 1,
        action: match action {
            Some(Action::Run) => "create",
            Some(action) => action.as_str(),
            None => "unknown",
        },
        reason: action.and_then(reason),
        origin: task.origin.as_ref(),
        moved_from: moved_from(task).map(|(phase, wave)| Group { phase, wave }),
        effects: planned.effects_of(&task.id),
    }
}

/// Returns everything that the author of the manifests should know.
pub(super) fn warnings_json(planned: &Planned) -> Vec<WarningJson<'_>> {
    let notes = planned.blocked.iter().chain(&planned.notes);
    let notes = notes.map(|note| WarningJson { message: note, object: None, file: None, line: None });
    notes.chain(planned.plan.warnings.iter().map(warning_json)).collect()
}

fn warning_json(warning: &PlanWarning) -> WarningJson<'_> {
    WarningJson {
        message: &warning.message,
        object: warning.about.as_ref(),
        file: warning.origin.as_ref().map(|origin| &*origin.file),
        line: warning.origin.as_ref().map(|origin| origin.line),
    }
}
