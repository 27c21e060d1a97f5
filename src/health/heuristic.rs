//! What the status of an object says where no rule knows its kind: whether its controller has seen the last change, and conditions whose
//! meaning is the same nearly everywhere. Needs evidence: a status that says nothing, or says it in a shape of its own, gives no verdict, so
//! that the kind is done as soon as it exists, as in Argo CD. Degraded comes from `Stalled` alone, which nobody writes by the way.

use serde_json::Value;

use super::read::whole;
use crate::model::key::is_built_in;
use crate::model::{Gvk, Health, HealthStatus};

/// Conditions that say that an object does its work. The first one that is there decides: what a kind adds to it is a detail of it.
const WORKING: [&str; 3] = ["Ready", "Available", "Established"];

/// A condition that can be read: it has a type, and the status True, False or Unknown.
struct Condition<'a> {
    kind: &'a str,
    status: &'a str,
    text: &'a str,
    /// It speaks of an older generation of the object.
    is_stale: bool,
}

/// Judges an object by its status; nothing if that is no evidence.
pub(super) fn judge(gvk: &Gvk, object: &Value) -> Option<Health> {
    // Kubernetes' own kinds without a rule have no health, or conditions that say something else: a Node is Ready, a `FlowSchema` dangles, a
    // Namespace has had trouble with its deletion.
    if is_built_in(&gvk.group) || is_off(object) {
        return None;
    }
    let generation = object.pointer("/metadata/generation").and_then(whole);
    let observed = object.pointer("/status/observedGeneration").and_then(whole);
    if let (Some(generation), Some(observed)) = (generation, observed)
        && observed < generation
    {
        let message = format!("Waiting for the controller to observe generation {generation}, it has observed {observed}");
        return Some(found("observedGeneration", HealthStatus::Progressing, message));
    }
    by_conditions(&conditions(object, generation))
}

/// What its manifest wants to be off is not ready for a good reason, and nobody should wait for it.
fn is_off(object: &Value) -> bool {
    let is = |name: &str, value: bool| object.pointer(&format!("/spec/{name}")).and_then(Value::as_bool) == Some(value);
    let is_halted = object.pointer("/spec/runStrategy").and_then(Value::as_str) == Some("Halted");
    is("suspend", true) || is("suspended", true) || is("paused", true) || is("running", false) || is_halted
}

fn by_conditions(conditions: &[Condition<'_>]) -> Option<Health> {
    let is_fresh = |kind: &str| conditions.iter().find(|one| one.kind == kind && one.status == "True" && !one.is_stale);
    if let Some(stalled) = is_fresh("Stalled") {
        return Some(stalled.says(HealthStatus::Degraded));
    }
    if let Some(reconciling) = is_fresh("Reconciling") {
        return Some(reconciling.says(HealthStatus::Progressing));
    }
    let of_kind = |kind: &str| conditions.iter().filter(|one| one.kind == kind).collect::<Vec<_>>();
    let working = WORKING.iter().map(|kind| of_kind(kind)).find(|found| !found.is_empty());
    if let Some(working) = working {
        // A type that is there twice, which nothing forbids, is as good as its worst.
        let bad = working.iter().find(|one| one.status != "True" || one.is_stale);
        return bad.or(working.first()).map(|one| if bad.is_some() { one.waits() } else { one.says(HealthStatus::Healthy) });
    }
    // Where it is the only one, it goes away when the work is done; beside `Available` it may stay for ever.
    is_fresh("Progressing").map(|progressing| progressing.says(HealthStatus::Progressing))
}

impl Condition<'_> {
    fn says(&self, status: HealthStatus) -> Health {
        found(&format!("condition {}", self.kind), status, self.text.to_owned())
    }

    fn waits(&self) -> Health {
        if self.is_stale {
            let message = format!("Waiting for the condition {} to be renewed for the last change", self.kind);
            return found(&format!("condition {}", self.kind), HealthStatus::Progressing, message);
        }
        let health = self.says(HealthStatus::Progressing);
        let is_silent = health.message.is_empty();
        if is_silent { Health { message: format!("The condition {} is {}", self.kind, self.status), ..health } } else { health }
    }
}

fn found(evidence: &str, status: HealthStatus, message: String) -> Health {
    Health { status, message, rule: format!("heuristic: {evidence}") }
}

fn conditions(object: &Value, generation: Option<i64>) -> Vec<Condition<'_>> {
    let items = object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| condition(item, generation)).collect()
}

fn condition(item: &Value, generation: Option<i64>) -> Option<Condition<'_>> {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    let (kind, status) = (text("type")?, text("status")?);
    if !["True", "False", "Unknown"].contains(&status) {
        return None;
    }
    let said = [text("message"), text("reason")].into_iter().flatten().find(|said| !said.is_empty()).unwrap_or_default();
    let observed = item.get("observedGeneration").and_then(whole);
    let is_stale = generation.zip(observed).is_some_and(|(generation, observed)| observed < generation);
    Some(Condition { kind, status, text: said, is_stale })
}
