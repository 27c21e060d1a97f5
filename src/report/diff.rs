//! Prints a diff: for each object what a sync would change in it, as unified YAML or as one JSON object (cli.md). Owns the words and the
//! order; what is different was found out before.
//!
//! The JSON is one object: `{"app","namespace","context","revision","objects":[…],"notRun":[…],"warnings":[…]}`. Each entry of `objects`
//! is the task object of cli.md with `change` (`create`, `configure`, `unchanged`, `replace`, `prune`, `run`; `recreate`, `refused` and
//! `unknown` with `reason`), `approximate` (`null`, or why the server's dry run does not say it), `fields` (`{"path","before","after",
//! "cause","manager"}`; `cause` is `ours`, `taken`, `removed` or `defaulted`), `ignored` (`{"path","rule"}`), `taken` and `leftBehind`
//! (`{"manager","operation","time","fields"}`), and `effects` (`{"kind","text"}`, as in a plan).

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use crate::engine::session::{Action, Planned};
use crate::model::{FieldPath, Task};
use crate::plan::diff::{self, Cause, Difference, FieldChange, Foreign, Line, LineKind, Taken};
use crate::plan::impact::{Impact, Stay, shortened};

use super::escape::write_line;
use super::plan::{self, WarningJson};
use super::style::{Mark, Style};
use super::summary::count;
use super::task::{NotRunJson, TaskJson};
use super::visible::visible;

/// Lines around a change.
const CONTEXT: usize = 3;
/// Paths that a note names.
const NAMED: usize = 5;

/// Whether a sync with these options would delete what the plan prunes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prunes {
    On,
    Off,
}

/// Returns whether the cluster is not as the manifests say, or nobody can say so. What hooks would do is no difference: they run in each
/// sync.
pub(crate) fn has_differences(planned: &Planned) -> bool {
    planned.plan.tasks.iter().any(|task| Sort::of(task, planned) == Sort::Different)
}

/// What is said of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Same,
    /// Only who owns its fields changes.
    Taken,
    Different,
    /// No manifest asks for it, and it says of itself that this is no difference of the app (spec R1214).
    Extraneous,
    Hook,
}

impl Sort {
    fn of(task: &Task, planned: &Planned) -> Self {
        let difference = planned.differences.get(&task.id);
        match planned.actions.get(&task.id) {
            Some(Action::Run) => Self::Hook,
            Some(Action::Prune) if task.traits.extraneous => Self::Extraneous,
            Some(Action::Create | Action::Recreate(_) | Action::Prune | Action::Refused(_) | Action::Unknown(_)) | None => Self::Different,
            Some(Action::Configure | Action::Replace | Action::Unchanged) => match difference {
                Some(difference) if !difference.is_empty() => Self::Different,
                Some(difference) if !difference.taken.is_empty() => Self::Taken,
                Some(_) | None => Self::Same,
            },
        }
    }
}

/// Prints the diff for people.
///
/// # Errors
/// The output is closed.
pub(crate) fn plain<W: Write>(out: &mut W, style: &Style, planned: &Planned, prunes: Prunes) -> io::Result<()> {
    let (app, place) = (&planned.plan.app, &planned.place);
    plan::head(out, planned, &format!("diff of {app} for {} ({})", place.context, place.cluster))?;
    for task in &planned.plan.tasks {
        let sort = Sort::of(task, planned);
        let is_shown = match sort {
            Sort::Same => false,
            Sort::Taken | Sort::Different | Sort::Extraneous => true,
            Sort::Hook => planned.differences.contains_key(&task.id),
        };
        if is_shown {
            object(out, style, planned, task, prunes)?;
        }
    }
    hooks(out, style, planned)?;
    plan::not_run(out, planned)?;
    plan::warnings(out, style, planned)?;
    writeln!(out, "\n{}", verdict(planned, prunes))
}

fn object<W: Write>(out: &mut W, style: &Style, planned: &Planned, task: &Task, prunes: Prunes) -> io::Result<()> {
    let difference = planned.differences.get(&task.id);
    let lines = difference.map(|difference| diff::lines(difference, CONTEXT)).unwrap_or_default();
    writeln!(out, "\n{}", header(style, planned, task, &lines))?;
    unified(out, style, &lines)?;
    let mut notes = Vec::new();
    match planned.actions.get(&task.id) {
        Some(Action::Prune) if prunes == Prunes::Off => notes.push("prune is off, so it stays; add --prune to delete it".to_owned()),
        Some(Action::Recreate(why)) => notes.push(format!("deleted and created again: {}", shortened(why))),
        Some(Action::Replace) => notes.push("replaced as a whole".to_owned()),
        Some(Action::Refused(why)) => notes.push(format!("the API server refuses it: {}", shortened(why))),
        Some(Action::Unknown(why)) => notes.push(format!("nobody can say what changes: {why}")),
        Some(Action::Create | Action::Configure | Action::Unchanged | Action::Prune | Action::Run) | None => {}
    }
    if let Some(why) = planned.approximate.get(&task.id).filter(|why| !notes.iter().any(|note| note.ends_with(why.as_str()))) {
        notes.push(format!("approximate: {why}"));
    } else if planned.approximate.contains_key(&task.id) {
        notes.push("approximate: compared without the API server".to_owned());
    }
    notes.extend(difference.into_iter().flat_map(|difference| remarks(difference, planned.actions.get(&task.id))));
    for note in notes {
        writeln!(out, "  {} {}", style.mark(Mark::Note), visible(&note))?;
    }
    for effect in planned.effects_of(&task.id).iter().filter(|effect| !is_remarked(effect)) {
        writeln!(out, "  {} {}", style.mark(plan::mark_of(effect)), visible(&effect.to_string()))?;
    }
    Ok(())
}

/// Returns whether the notes of a diff say it already, with more about it.
fn is_remarked(effect: &Impact) -> bool {
    matches!(effect, Impact::Takes { .. } | Impact::OnlyIgnored | Impact::Stays(Stay::PruneIsOff))
}

fn header(style: &Style, planned: &Planned, task: &Task, lines: &[Line]) -> String {
    let action = planned.actions.get(&task.id);
    let (mark, colour, word) = match action {
        Some(Action::Create) => ("+", 32, ""),
        Some(Action::Configure | Action::Unchanged) => ("~", 33, ""),
        Some(Action::Replace) => ("~", 33, "  replace"),
        Some(Action::Recreate(_)) => ("~", 31, "  recreate"),
        Some(Action::Prune) => ("-", 31, ""),
        Some(Action::Run) => ("o", 36, "  hook"),
        Some(Action::Refused(_)) => ("!", 31, "  refused"),
        Some(Action::Unknown(_)) | None => ("?", 33, "  unknown"),
    };
    let key = &task.id.key;
    let namespace = if key.namespace.is_empty() { String::new() } else { format!("  {}", key.namespace) };
    let wave = if task.is_prune() { String::new() } else { format!("  {}wave {}", phase(task), task.wave) };
    let text = format!("{}{namespace}{wave}{}{word}", key.short(), size(lines));
    format!("{} {}", style.paint(mark, colour), visible(&text))
}

fn phase(task: &Task) -> String {
    if task.is_hook() { format!("{} ", task.id.phase) } else { String::new() }
}

/// Returns `  +3 -3`.
fn size(lines: &[Line]) -> String {
    let number = |kind: LineKind| lines.iter().filter(|line| line.kind == kind).count();
    match (number(LineKind::Added), number(LineKind::Removed)) {
        (0, 0) => String::new(),
        (added, 0) => format!("  +{added}"),
        (0, removed) => format!("  -{removed}"),
        (added, removed) => format!("  +{added} -{removed}"),
    }
}

/// Writes the lines; those below a head are moved to the left, as far as what they are part of takes columns.
fn unified<W: Write>(out: &mut W, style: &Style, lines: &[Line]) -> io::Result<()> {
    let mut left = 0;
    for line in lines {
        let indent = " ".repeat(line.indent.saturating_sub(left));
        let text = visible(&line.text);
        match line.kind {
            LineKind::Head => {
                left = line.indent;
                writeln!(out, "  {}", style.paint(&format!("@@ {text}"), 36))?;
            }
            LineKind::Context => writeln!(out, "    {indent}{text}")?,
            LineKind::Added => writeln!(out, "{}", style.paint(&format!("  + {indent}{text}"), 32))?,
            LineKind::Removed => writeln!(out, "{}", style.paint(&format!("  - {indent}{text}"), 31))?,
            LineKind::Fold(number) => {
                left = 0;
                let dots = if style.ascii { "..." } else { "⋯" };
                writeln!(out, "    {dots} {}", count(number, "unchanged line"))?;
            }
        }
    }
    Ok(())
}

/// What is not to be seen in the lines.
fn remarks(difference: &Difference, action: Option<&Action>) -> Vec<String> {
    let mut notes = Vec::new();
    for taken in &difference.taken {
        notes.push(format!("takes {} from {}", few(&taken.fields), owner(&taken.manager, &taken.operation, taken.time.as_deref())));
    }
    for foreign in difference.left_behind.iter().filter(|foreign| !foreign.fields.is_empty()) {
        let who = owner(&foreign.manager, &foreign.operation, foreign.time.as_deref());
        notes.push(format!("{} stays with {who}: the target does not have it", few(&foreign.fields)));
    }
    let fields = |cause: Cause| difference.fields.iter().filter(move |field| field.cause == cause);
    let (gone, filled): (Vec<_>, Vec<_>) = fields(Cause::Defaulted).partition(|field| field.after.is_none());
    for (fields, words) in [
        (filled, "filled in by the server or a webhook"),
        (gone, action.map_or("goes", Action::words_of_gone)),
        (fields(Cause::Overruled).collect(), "not as the target says: changed by the server or a webhook"),
    ] {
        let paths: Vec<&FieldPath> = fields.iter().map(|field| &field.path).collect();
        if !paths.is_empty() {
            notes.push(format!("{} {words}", few(&paths)));
        }
    }
    for ignored in &difference.ignored {
        notes.push(format!("{} ignored by {}", ignored.path, ignored.rule));
    }
    notes.extend(difference.problems.iter().cloned());
    notes
}

fn owner(manager: &str, operation: &str, time: Option<&str>) -> String {
    let time = time.map(|time| format!(", {time}")).unwrap_or_default();
    format!("the field manager `{manager}` ({operation}{time})")
}

fn few<T: ToString>(paths: &[T]) -> String {
    let shown: Vec<String> = paths.iter().take(NAMED).map(ToString::to_string).collect();
    match paths.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {}", shown.join(", "), count(more, "more field")),
    }
}

/// Hooks that have no live object to compare with.
fn hooks<W: Write>(out: &mut W, style: &Style, planned: &Planned) -> io::Result<()> {
    let left = planned.plan.tasks.iter().filter(|task| task.is_hook() && !planned.differences.contains_key(&task.id));
    let names: Vec<String> = left.map(|task| task.id.key.short()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let text = format!("{} not compared, because nothing is left of the last run: {}", count(names.len(), "hook"), few(&names));
    writeln!(out, "\n{} {}", style.mark(Mark::Note), visible(&text))
}

/// Returns `1 object differs: 1 configure; 3 are the same, 2 hooks`.
fn verdict(planned: &Planned, prunes: Prunes) -> String {
    let tasks = &planned.plan.tasks;
    let number = |wanted: Sort| tasks.iter().filter(|task| Sort::of(task, planned) == wanted).count();
    let (different, hooks) = (number(Sort::Different), number(Sort::Hook));
    let same = number(Sort::Same) + number(Sort::Taken);
    let words = ["create", "configure", "replace", "recreate", "prune", "refused", "unknown"].into_iter().filter_map(|word| {
        let is_meant = |task: &&Task| Sort::of(task, planned) == Sort::Different && change(task, planned) == word;
        let number = tasks.iter().filter(is_meant).count();
        let off = if word == "prune" && prunes == Prunes::Off { " (off)" } else { "" };
        (number > 0).then(|| format!("{number} {word}{off}"))
    });
    let words = words.collect::<Vec<_>>().join(", ");
    let extraneous = match number(Sort::Extraneous) {
        0 => String::new(),
        number => format!("; {} that no manifest asks for and that count as none (IgnoreExtraneous)", count(number, "object")),
    };
    let rest = if hooks > 0 { format!("{extraneous}; {}", count(hooks, "hook")) } else { extraneous };
    match different {
        0 => format!("no differences: {} as the manifests say{rest}", count(same, "object")),
        1 => format!("1 object differs: {words}; {same} as the manifests say{rest}"),
        more => format!("{more} objects differ: {words}; {same} as the manifests say{rest}"),
    }
}

fn change(task: &Task, planned: &Planned) -> &'static str {
    match planned.actions.get(&task.id) {
        Some(Action::Configure) if Sort::of(task, planned) == Sort::Different => "configure",
        Some(Action::Unchanged) if Sort::of(task, planned) == Sort::Different => "configure",
        Some(action) => action.as_str(),
        None => "unknown",
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DiffJson<'a> {
    app: &'a str,
    namespace: &'a str,
    context: &'a str,
    revision: &'a str,
    objects: Vec<ObjectJson<'a>>,
    not_run: Vec<NotRunJson<'a>>,
    warnings: Vec<WarningJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ObjectJson<'a> {
    #[serde(flatten)]
    task: TaskJson<'a>,
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    approximate: Option<&'a str>,
    fields: Vec<FieldJson<'a>>,
    ignored: Vec<IgnoredJson<'a>>,
    taken: Vec<OwnerJson<'a>>,
    left_behind: Vec<OwnerJson<'a>>,
    effects: &'a [Impact],
}

#[derive(Serialize)]
struct FieldJson<'a> {
    path: String,
    before: Option<&'a Value>,
    after: Option<&'a Value>,
    cause: &'static str,
    manager: Option<&'a str>,
}

#[derive(Serialize)]
struct IgnoredJson<'a> {
    path: String,
    rule: &'a str,
}

#[derive(Serialize)]
struct OwnerJson<'a> {
    manager: &'a str,
    operation: &'a str,
    time: Option<&'a str>,
    fields: Vec<String>,
}

/// Prints the diff as one JSON object.
///
/// # Errors
/// The output is closed.
pub(crate) fn json<W: Write>(out: &mut W, planned: &Planned) -> io::Result<()> {
    let (plan, place) = (&planned.plan, &planned.place);
    let object = DiffJson {
        app: &plan.app,
        namespace: &plan.namespace,
        context: &place.context,
        revision: &plan.revision,
        objects: plan.tasks.iter().map(|task| ObjectJson::of(task, planned)).collect(),
        not_run: plan.not_run.iter().map(NotRunJson::of).collect(),
        warnings: plan::warnings_json(planned),
    };
    write_line(out, &object)
}

impl<'a> ObjectJson<'a> {
    fn of(task: &'a Task, planned: &'a Planned) -> Self {
        let difference = planned.differences.get(&task.id);
        let fields = difference.into_iter().flat_map(|difference| &difference.fields);
        let ignored = difference.into_iter().flat_map(|difference| &difference.ignored);
        Self {
            task: TaskJson::of(task),
            change: change(task, planned),
            reason: planned.actions.get(&task.id).and_then(plan::reason),
            approximate: planned.approximate.get(&task.id).map(String::as_str),
            fields: fields.map(FieldJson::of).collect(),
            ignored: ignored.map(|ignored| IgnoredJson { path: ignored.path.to_string(), rule: &ignored.rule }).collect(),
            taken: difference.into_iter().flat_map(|difference| &difference.taken).map(OwnerJson::taken).collect(),
            left_behind: difference.into_iter().flat_map(|difference| &difference.left_behind).map(OwnerJson::foreign).collect(),
            effects: planned.effects_of(&task.id),
        }
    }
}

impl<'a> FieldJson<'a> {
    fn of(field: &'a FieldChange) -> Self {
        let (cause, manager) = match &field.cause {
            Cause::Ours => ("ours", None),
            Cause::Taken { manager, .. } => ("taken", Some(manager.as_str())),
            Cause::Removed => ("removed", None),
            Cause::Defaulted => ("defaulted", None),
            Cause::Overruled => ("overruled", None),
        };
        Self { path: field.path.to_string(), before: field.before.as_ref(), after: field.after.as_ref(), cause, manager }
    }
}

impl<'a> OwnerJson<'a> {
    fn taken(taken: &'a Taken) -> Self {
        let fields = taken.fields.iter().map(ToString::to_string).collect();
        Self { manager: &taken.manager, operation: &taken.operation, time: taken.time.as_deref(), fields }
    }

    fn foreign(foreign: &'a Foreign) -> Self {
        let fields = foreign.fields.iter().map(ToString::to_string).collect();
        Self { manager: &foreign.manager, operation: &foreign.operation, time: foreign.time.as_deref(), fields }
    }
}

#[cfg(test)]
mod tests;
