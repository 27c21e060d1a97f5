//! Objects that go: what goes with them, what stays behind, and what the deletion waits for. Reads what it is given; asks nobody.

use super::facts::Facts;
use super::sentence::{Impact, Stay, Thing, Whole};
use super::{Scene, Terms, refusal};
use crate::model::{Propagation, Task};
use crate::plan::deletion::{effective, reason_to_stay};
use crate::plan::{Kind, Plan};

/// Returns the option or annotation for which a task deletes nothing, whatever the person says.
pub(crate) fn stays(plan: &Plan, task: &Task, terms: Terms<'_>) -> Option<String> {
    match plan.kind {
        Kind::Sync => (effective(&task.traits, terms.options, "Prune") == Some("false")).then(|| "Prune=false".to_owned()),
        Kind::Delete => reason_to_stay(&task.id.key, &task.traits, terms.options).map(|reason| {
            let inside = reason.strip_prefix("ignored (").and_then(|rest| rest.strip_suffix(')'));
            inside.unwrap_or(reason).to_owned()
        }),
    }
}

pub(super) fn pruned(scene: &Scene<'_>, task: &Task) -> Vec<Impact> {
    let Scene { plan, terms, .. } = scene;
    if let Some(option) = stays(plan, task, *terms) {
        return vec![Impact::Stays(Stay::Option(option))];
    }
    let is_off = plan.kind == Kind::Sync && !terms.prunes;
    let mut found = Vec::new();
    if is_off {
        found.push(Impact::Stays(Stay::PruneIsOff));
    }
    if !is_off && plan.asks_first(&task.id.key, &task.traits, terms.options) && !terms.approved.contains(&task.id.key) {
        let name = if plan.kind == Kind::Delete { "Delete" } else { "Prune" };
        found.push(Impact::AsksFirst { option: format!("{name}=confirm, or --approve {}", task.id.key.short()) });
    }
    let is_last = terms.options.has("PruneLast=true") || task.traits.has_option("PruneLast=true");
    found.extend((plan.kind == Kind::Sync && !is_off && is_last).then_some(Impact::Last));
    let facts = scene.facts(task);
    found.extend(family(task, facts, terms.options.propagation(), is_off));
    if !is_off {
        found.extend(losses(task, facts));
        found.extend(waits(facts));
    }
    found
}

/// The old object is deleted in the foreground, whatever the policy of prunes is.
pub(super) fn recreated(scene: &Scene<'_>, task: &Task, why: &str) -> Vec<Impact> {
    let facts = scene.facts(task);
    let fields = refusal::fields(scene, task, why);
    let mut found = vec![Impact::Recreates { fields, family: facts.family.clone().filter(|_| whole(task).is_none()) }];
    found.extend(emptied(task, facts));
    found.extend(losses(task, facts));
    found.extend(waits(facts));
    found
}

fn whole(task: &Task) -> Option<Whole> {
    let key = &task.id.key;
    match (&*key.group, &*key.kind) {
        ("", "Namespace") => Some(Whole::Namespace),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => Some(Whole::Definition),
        _ => None,
    }
}

/// What is in a Namespace or of a kind goes, however children are deleted.
fn emptied(task: &Task, facts: &Facts) -> Option<Impact> {
    Some(Impact::Empties { what: whole(task)?, family: facts.family.clone()? })
}

fn family(task: &Task, facts: &Facts, propagation: Propagation, is_off: bool) -> Option<Impact> {
    if let Some(emptied) = emptied(task, facts) {
        return Some(emptied);
    }
    let family = facts.family.clone().filter(|family| !family.is_empty())?;
    Some(match propagation {
        Propagation::Foreground | Propagation::Background => Impact::Deletes { family, is_off },
        Propagation::Orphan => Impact::Orphans { family, is_off },
    })
}

/// What does not come back with an object of the same name.
fn losses(task: &Task, facts: &Facts) -> Vec<Impact> {
    let claims = facts.family.as_ref().map(|family| family.claims).filter(|claims| *claims > 0);
    let is_service = (&*task.id.key.group, &*task.id.key.kind) == ("", "Service");
    let addresses = Some(facts.addresses.clone()).filter(|names| is_service && !names.is_empty());
    let mut found: Vec<Impact> = claims.map(Impact::KeepsClaims).into_iter().collect();
    found.extend(addresses.map(|names| Impact::Gone { what: Thing::Address, names }));
    found.extend(facts.volume.clone().map(Impact::Loses));
    found
}

fn waits(facts: &Facts) -> Option<Impact> {
    let finalizers = facts.finalizers.clone();
    (!finalizers.is_empty()).then_some(Impact::WaitsFor { finalizers })
}
