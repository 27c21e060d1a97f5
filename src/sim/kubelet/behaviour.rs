//! What a container does: the story's rule for it, else what its command says, else the usual. Decides; plays nothing.

use std::time::Duration;

use serde_json::Value;

use super::config;
use super::script;
use crate::sim::actors::World;
use crate::sim::fields::{self, controller, label, list, text};
use crate::sim::rng::Rng;
use crate::sim::story::{LogLine, LogText, Match, PodRule, Step, Story, fits};

/// Which part of a pod a container plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Init,
    /// An init container that runs beside the others.
    Sidecar,
    Main,
}

/// One run of a container: what it prints, and how it ends (never, if none).
#[derive(Clone, Debug, Default)]
pub(super) struct Behaviour {
    pub(super) lines: Vec<LogLine>,
    pub(super) end: Option<End>,
    /// What it does to the cluster.
    pub(super) steps: Vec<Step>,
}

/// How a run ends.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub(super) after: Duration,
    pub(super) exit: i32,
    pub(super) reason: Option<String>,
    pub(super) message: Option<String>,
}

/// How long a container runs that ends and of which nothing else is known.
const USUAL: Duration = Duration::from_secs(2);
const USUAL_INIT: Duration = Duration::from_millis(500);
/// When a server of which nothing else is known becomes ready.
const USUAL_READY: Duration = Duration::from_secs(1);

/// Returns the number of the first rule of the story for a container.
pub(super) fn rule_for(world: &World, pod: &Value, container: &Value) -> Option<usize> {
    let owners = owners(world, pod);
    world.story.pods.iter().position(|rule| matches(&rule.matches, pod, container, &owners))
}

/// `Kind/name` of a pod and of everything that controls it.
fn owners(world: &World, pod: &Value) -> Vec<String> {
    let mut names = vec![format!("Pod/{}", fields::name(pod))];
    let mut reference = controller(pod).cloned();
    while let Some(owner) = reference {
        names.push(format!("{}/{}", text(&owner, "/kind"), text(&owner, "/name")));
        let object = world.index.by_uid(text(&owner, "/uid")).and_then(|place| world.get(place));
        reference = object.and_then(|object| controller(&object).cloned());
    }
    names
}

fn matches(rule: &Match, pod: &Value, container: &Value, owners: &[String]) -> bool {
    let fit = |pattern: &Option<String>, text: &str| pattern.as_deref().is_none_or(|pattern| fits(pattern, text));
    rule.owner.as_deref().is_none_or(|pattern| owners.iter().any(|owner| fits(pattern, owner)))
        && fit(&rule.container, text(container, "/name"))
        && fit(&rule.image, text(container, "/image"))
        && fit(&rule.namespace, fields::namespace(pod))
        && fit(&rule.name, fields::name(pod))
        && rule.labels.iter().all(|(key, value)| label(pod, key) == value)
}

/// Returns what a container does in a run; `attempt` counts from 0.
pub(super) fn of(rule: Option<&PodRule>, attempt: usize, pod: &Value, container: &Value, part: Part) -> Behaviour {
    let mut behaviour = match rule {
        Some(rule) if rule.run(attempt).is_some() || rule.hang => scripted_by(rule, attempt),
        Some(_) | None => by_itself(pod, container, part),
    };
    if let Some(rule) = rule.filter(|rule| !rule.logs.is_empty() && rule.run(attempt).is_none_or(|run| run.logs.is_empty())) {
        behaviour.lines.clone_from(&rule.logs);
    }
    behaviour
}

fn scripted_by(rule: &PodRule, attempt: usize) -> Behaviour {
    let Some(run) = rule.run(attempt).filter(|run| !run.hang && !rule.hang) else {
        let run = rule.run(attempt).cloned().unwrap_or_default();
        return Behaviour { lines: run.logs, end: None, steps: run.steps };
    };
    let end = End { after: run.after.unwrap_or(USUAL), exit: run.exit, reason: run.reason.clone(), message: run.message.clone() };
    Behaviour { lines: run.logs.clone(), end: Some(end), steps: run.steps.clone() }
}

fn by_itself(pod: &Value, container: &Value, part: Part) -> Behaviour {
    let words = ["/command", "/args"].into_iter().flat_map(|field| list(container, field)).filter_map(Value::as_str);
    let command: Vec<&str> = words.collect();
    let serves = part == Part::Sidecar || part == Part::Main && text(pod, "/spec/restartPolicy") == "Always";
    if let Some(scripted) = script::read(&command, &config::variables(container)) {
        let end = scripted.end.filter(|_| !(serves && scripted.ends_unknown));
        let end = end.map(|(after, exit)| End { after, exit, reason: None, message: None });
        return Behaviour { lines: scripted.lines, end, steps: Vec::new() };
    }
    let line = |at: Duration, text: String| LogLine { first: at, every: None, count: None, text: LogText::Bytes(text.into_bytes()) };
    let name = text(container, "/name");
    if serves {
        return Behaviour { lines: vec![line(Duration::from_millis(200), format!("{name} started"))], ..Behaviour::default() };
    }
    let after = if part == Part::Init { USUAL_INIT } else { USUAL };
    let done = line(after.saturating_sub(Duration::from_millis(100)), format!("{name} done"));
    Behaviour { lines: vec![done], end: Some(End { after, exit: 0, reason: None, message: None }), steps: Vec::new() }
}

/// Returns how long after its start a container becomes ready; none for never.
pub(super) fn ready_after(rule: Option<&PodRule>, pod: &Value, container: &Value, part: Part, rng: &mut Rng) -> Option<Duration> {
    if let Some(ready) = rule.and_then(|rule| rule.ready.as_ref()) {
        let jitter = ready.jitter.unwrap_or_default().as_millis().max(1);
        let jitter = u64::try_from(u128::from(rng.next_u64()) % jitter).unwrap_or_default();
        let after = ready.after.unwrap_or(USUAL_READY);
        return (!ready.never).then_some(after + Duration::from_millis(jitter));
    }
    let delay = fields::int(container, "/readinessProbe/initialDelaySeconds").unwrap_or(0).unsigned_abs();
    if !container["readinessProbe"].is_null() {
        return Some(Duration::from_secs(delay).max(USUAL_READY));
    }
    let serves = part == Part::Main && text(pod, "/spec/restartPolicy") == "Always";
    Some(if serves { USUAL_READY } else { Duration::ZERO })
}

/// Returns the rule with a number.
pub(super) fn rule(story: &Story, number: Option<usize>) -> Option<&PodRule> {
    story.pods.get(number?)
}
