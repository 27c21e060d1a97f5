//! What is known of one object, as lines: what the sync does with it and when, what decided its health, its pods, its events. Reads the
//! model, knows no keys and no cells.

use jiff::SignedDuration;

use crate::engine::session;
use crate::model::key::is_built_in;
use crate::model::{Assessment, Live, Phase, PodView, ResourceKey, Task, TaskId};
use crate::operation::verdict::short_time;
use crate::operation::{Attempt, Operation};
use crate::tui::board::Board;
use crate::tui::clean;
use crate::tui::model::Model;
use crate::tui::theme::{Role, glyph, stage_role};
use crate::tui::views::text::TextLine;

/// How many events are listed.
const MOST_EVENTS: usize = 200;
/// Bytes of one sentence that are laid out: a status may be a megabyte, and nobody reads that here.
const LONGEST: usize = 16 * 1024;

pub(super) fn dim(text: &str) -> TextLine {
    vec![(text.to_owned(), Role::Dim)]
}

fn field(label: &str, text: impl Into<String>) -> TextLine {
    vec![(format!("{label:<14}"), Role::Dim), (text.into(), Role::Text)]
}

pub(super) fn overview(model: &Model, board: &Board, id: &TaskId, task: Option<&Task>, operation: Option<&Operation>) -> Vec<TextLine> {
    let mut lines = Vec::new();
    if let Some(row) = board.position(id).and_then(|at| board.rows().get(at)) {
        let time = row.elapsed(model.now).map(|time| format!(" · {}", short_time(time))).unwrap_or_default();
        lines.push(vec![
            (format!("{:<14}", "state"), Role::Dim),
            (format!("{} {}", glyph(row.stage), row.word), stage_role(row.stage)),
            (time, Role::Text),
        ]);
        // Of a plan the whole sentence stands nowhere else.
        let reason = board.action(id).filter(|_| operation.is_none()).and_then(reason);
        if let Some((label, why)) = reason {
            lines.push(field(label, said(why, Whole::Json)));
        } else if !row.message.is_empty() {
            lines.push(field("message", row.message.clone()));
        }
    }
    if let Some(left) = board.plan().not_run.iter().find(|left| left.task.id == *id) {
        lines.push(field("not run", said(&left.reason, Whole::Json)));
        lines.extend(traits(&left.task));
    }
    if let Some(operation) = operation {
        lines.extend(result(model, operation, id));
        lines.extend(earlier(operation, id));
    }
    if let Some(task) = task {
        lines.extend(traits(task));
    }
    if let Some(live) = operation.and_then(|operation| operation.live(&id.key)) {
        lines.extend(live_lines(&id.key, live));
    }
    if let Some(operation) = operation {
        lines.push(Vec::new());
        lines.extend(pods(model, operation, id));
        lines.push(Vec::new());
        lines.extend(events(model, operation, id));
    }
    lines
}

/// Where the whole of an enormous sentence stands.
#[derive(Clone, Copy)]
enum Whole {
    /// In the object.
    Yaml,
    /// In what the program prints.
    Json,
    /// In an event alone.
    Event,
}

/// Returns what somebody else has written, as it may be shown; of something enormous only the start, how much more there is, and where.
fn said(raw: &str, whole: Whole) -> String {
    if raw.len() <= LONGEST {
        return clean::text(raw).into_owned();
    }
    let start = &raw[..clean::char_end_before(raw, LONGEST)];
    let way = match whole {
        Whole::Yaml => "y shows it whole",
        Whole::Json => "-o json prints it whole",
        Whole::Event => "kubectl get events -o yaml prints it whole",
    };
    format!("{} … and {} KiB more: {way}", clean::text(start), (raw.len() - start.len()).div_ceil(1024))
}

/// Returns the whole reason of what a sync would do, where the table has room for a part of it.
fn reason(action: &session::Action) -> Option<(&'static str, &str)> {
    use session::Action;
    match action {
        Action::Refused(why) => Some(("refused", why)),
        Action::Unknown(why) => Some(("unknown", why)),
        Action::Recreate(why) => Some(("recreated", why)),
        Action::Create | Action::Configure | Action::Unchanged | Action::Replace | Action::Prune | Action::Run => None,
    }
}

fn result(model: &Model, operation: &Operation, id: &TaskId) -> Vec<TextLine> {
    let mut lines = Vec::new();
    if let Some(result) = operation.result(id) {
        let words: Vec<&str> = [result.code.as_str(), result.state.as_str()].into_iter().filter(|word| !word.is_empty()).collect();
        lines.push(field("result", format!("{}: {}", words.join(", "), said(&result.message, Whole::Json))));
    }
    if let Some(progress) = operation.progress(id) {
        let since = |at: jiff::Timestamp| format!("+{}", short_time(at.duration_since(operation.started_at())));
        for (label, at) in [("started", progress.started_at), ("applied", progress.applied_at), ("finished", progress.finished_at)] {
            if let Some(at) = at {
                let clock = at.to_zoned(model.zone.clone()).strftime("%H:%M:%S%.3f").to_string();
                lines.push(field(label, format!("{clock}  {}", since(at))));
            }
        }
    }
    lines
}

/// What the task came to in the attempts before, the newest first.
fn earlier(operation: &Operation, id: &TaskId) -> Vec<TextLine> {
    let Some(position) = operation.plan().position(id) else { return Vec::new() };
    let line = |attempt: &Attempt| {
        let label = format!("attempt {}", attempt.number);
        let Some((result, progress)) = attempt.of(position) else { return field(&label, "not run") };
        let times = progress.and_then(|progress| Some((progress.started_at?, progress.finished_at?)));
        let took = times.map(|(from, to)| format!(" after {}", short_time(to.duration_since(from)))).unwrap_or_default();
        let words: Vec<&str> = [result.code.as_str(), result.state.as_str()].into_iter().filter(|word| !word.is_empty()).collect();
        field(&label, format!("{}{took}: {}", words.join(", "), said(&result.message, Whole::Json)))
    };
    operation.attempts().iter().rev().map(line).collect()
}

fn traits(task: &Task) -> Vec<TextLine> {
    let moved = if task.pulled_forward { " (pulled forward)" } else { "" };
    let mut lines = vec![field("phase, wave", format!("{} wave {}{moved}", task.id.phase, task.wave))];
    if task.is_hook() {
        let types: Vec<&str> = task.hook_types().iter().map(|phase| phase.as_str()).collect();
        let policies: Vec<&str> = task.delete_policies().iter().map(|policy| policy.as_str()).collect();
        lines.push(field("hook", types.join(", ")));
        lines.push(field("deleted by", policies.join(", ")));
    }
    if task.is_prune() {
        let why = if task.id.phase == Phase::Delete { "it goes with its app" } else { "no manifest asks for it any more" };
        lines.push(field("prune", why));
    }
    if !task.traits.options.is_empty() {
        lines.push(field("sync options", clean::text(&task.traits.options.join(", ")).into_owned()));
    }
    if let Some(origin) = &task.origin {
        lines.push(field("manifest", clean::text(&origin.to_string()).into_owned()));
    }
    lines
}

/// Returns what it means that no rule judges an object. A controller may be far from done with a custom resource that says nothing.
pub(crate) fn unjudged(key: &ResourceKey) -> &'static str {
    if is_built_in(&key.group) {
        "no rule for this kind: done as soon as it exists"
    } else {
        "no rule: done as soon as it exists, whatever its status says or its controller still does"
    }
}

fn live_lines(key: &ResourceKey, live: &Live) -> Vec<TextLine> {
    let health = match &live.assessment {
        Assessment::NoRule => unjudged(key).to_owned(),
        Assessment::Known(health) if health.message.is_empty() => format!("{} by rule {}", health.status, clean::text(&health.rule)),
        Assessment::Known(health) => {
            format!("{} by rule {}: {}", health.status, clean::text(&health.rule), said(&health.message, Whole::Yaml))
        }
        Assessment::Error(error) => format!("cannot be told: {}", said(error, Whole::Json)),
    };
    let mut lines = vec![field("health", health)];
    if let (Some(generation), Some(observed)) = (live.generation, live.observed_generation) {
        let behind = if observed < generation { "  (its controller has not seen the newest yet)" } else { "" };
        lines.push(field("generation", format!("{observed} of {generation}{behind}")));
    }
    if !live.finalizers.is_empty() {
        lines.push(field("finalizers", clean::text(&live.finalizers.join(", ")).into_owned()));
    }
    if let Some(at) = live.deletion {
        lines.push(vec![(format!("{:<14}", "deletion"), Role::Dim), (format!("asked for at {at}"), Role::Warn)]);
    }
    lines
}

pub(super) fn pods(model: &Model, operation: &Operation, id: &TaskId) -> Vec<TextLine> {
    let mut pods = operation.pods_of(&id.key);
    if pods.is_empty() {
        return vec![dim("no pods")];
    }
    // Among two hundred pods the one that matters is not to be looked for.
    pods.sort_by_key(|pod| (operation.is_pod_gone(&pod.uid), ease(pod)));
    let mut lines = vec![vec![(format!("{} pod{}", pods.len(), if pods.len() == 1 { "" } else { "s" }), Role::Strong)]];
    for pod in pods {
        let mut line = vec![("  ".to_owned(), Role::Text)];
        line.extend(crate::tui::views::operation::pod_line(operation, pod));
        if let Some(created) = pod.created {
            let age = short_time(model.now.duration_since(created).max(SignedDuration::ZERO));
            // Before the last piece, which may be a long sentence.
            line.insert(line.len() - 1, (format!("  {age} old"), Role::Dim));
        }
        lines.push(line);
        for container in pod.containers.iter().filter(|_| pod.containers.len() > 1) {
            let init = if container.init { " (init)" } else { "" };
            let state = crate::tui::views::operation::container_word(container).unwrap_or_else(|| {
                let ready = if container.ready { "ready" } else { "not ready" };
                format!("{}: {ready}", container.name)
            });
            lines.push(vec![(format!("      {}{init}", clean::text(&state)), Role::Dim)]);
        }
    }
    lines
}

/// Returns how little a pod needs attention.
fn ease(pod: &PodView) -> u8 {
    let is_ready = pod.containers.iter().all(|container| container.ready || container.init);
    match &*pod.phase {
        "Failed" => 0,
        "Succeeded" => 3,
        "Running" if is_ready => 2,
        _ => 1,
    }
}

pub(super) fn events(model: &Model, operation: &Operation, id: &TaskId) -> Vec<TextLine> {
    let found = crate::tui::views::operation::newest_events(operation, Some(&id.key), MOST_EVENTS);
    if found.is_empty() {
        return vec![dim("no events")];
    }
    let mut lines = vec![vec![(format!("{} event{}, newest first", found.len(), if found.len() == 1 { "" } else { "s" }), Role::Strong)]];
    for event in found {
        let age = event.at.map(|at| short_time(model.now.duration_since(at).max(SignedDuration::ZERO))).unwrap_or_default();
        let times = if event.count > 1 { format!(" ×{}", event.count) } else { String::new() };
        lines.push(vec![
            (format!("  {age:>6} "), Role::Dim),
            (format!("{}{times} ", clean::text(&event.reason)), if event.warning { Role::Warn } else { Role::Text }),
            (format!("{} ", clean::text(&event.about.short())), Role::Dim),
            (said(&event.message, Whole::Event), Role::Text),
        ]);
    }
    lines
}
