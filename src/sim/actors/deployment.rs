//! The Deployment controller: one ReplicaSet per template, moved over step by step. What it writes into the status is
//! in `super::rollout`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::queue::ObjectRef;
use super::rollout::{self, Progress};
use super::world::{MANAGER, World};
use crate::sim::Propagation;
use crate::sim::fields::{self, Round, controlled_by, int, set_entry, text};

pub(super) const NAME: &str = "deployment-controller";
const HASH: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";

/// A Deployment and its ReplicaSets, the one of the present template apart.
pub(super) struct Sets {
    pub(super) new: Option<Arc<Value>>,
    pub(super) old: Vec<Arc<Value>>,
}

impl Sets {
    fn of(world: &World, deployment: &Value) -> Self {
        let hash = hash(deployment);
        let all = world.controlled(deployment, "apps", "replicasets");
        let (mut new, mut old): (Vec<_>, Vec<_>) = all.into_iter().partition(|set| fields::label(set, HASH) == hash);
        old.sort_by_key(revision);
        let newest = new.pop();
        old.append(&mut new);
        Self { new: newest, old }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.old.iter().chain(&self.new)
    }
}

/// Looks after one Deployment; returns when to look again.
pub(super) fn reconcile(world: &mut World, place: &ObjectRef) -> Option<Duration> {
    let deployment = world.get(place)?;
    let sets = Sets::of(world, &deployment);
    if fields::is_deleting(&deployment) {
        return rollout::write_status(world, place, &deployment, &sets, Progress::Leave);
    }
    if fields::flag(&deployment, "/spec/paused") {
        return rollout::write_status(world, place, &deployment, &sets, Progress::Paused);
    }
    if text(&deployment, "/spec/strategy/type") == "Recreate" {
        recreate(world, place, &deployment, &sets)
    } else {
        roll(world, place, &deployment, &sets)
    }
}

/// Adds pods of the new template and takes old ones away within `maxSurge` and `maxUnavailable`.
fn roll(world: &mut World, place: &ObjectRef, deployment: &Value, sets: &Sets) -> Option<Duration> {
    let wanted = replicas(deployment);
    let Some(new) = &sets.new else {
        let room = wanted + surge(deployment) - total(sets.all());
        return start(world, place, deployment, sets, wanted.min(room).max(0));
    };
    renew(world, place, new, sets);
    let room = (wanted + surge(deployment) - total(sets.all())).max(0);
    let next = if replicas(new) > wanted { wanted } else { (replicas(new) + room).min(wanted) };
    if next == replicas(new) {
        shrink(world, deployment, sets);
    } else {
        scale(world, deployment, new, next);
    }
    finish(world, place, deployment, sets)
}

/// Takes all old pods away before the first new one.
fn recreate(world: &mut World, place: &ObjectRef, deployment: &Value, sets: &Sets) -> Option<Duration> {
    for old in sets.old.iter().filter(|set| replicas(set) > 0) {
        scale(world, deployment, old, 0);
    }
    let remain = |set: &Arc<Value>| int(set, "/status/replicas").unwrap_or(0) + int(set, "/status/terminatingReplicas").unwrap_or(0);
    let gone = sets.old.iter().all(|set| replicas(set) == 0 && remain(set) == 0);
    match &sets.new {
        None if gone => return start(world, place, deployment, sets, replicas(deployment)),
        Some(new) if replicas(new) != replicas(deployment) => scale(world, deployment, new, replicas(deployment)),
        None | Some(_) => {}
    }
    finish(world, place, deployment, sets)
}

fn finish(world: &mut World, place: &ObjectRef, deployment: &Value, sets: &Sets) -> Option<Duration> {
    let again = rollout::write_status(world, place, deployment, sets, Progress::Judge);
    if rollout::is_complete(deployment, sets) {
        clean(world, deployment, sets);
    }
    again
}

/// Creates the ReplicaSet of the present template, and says so before anything else is observed (trace T04).
fn start(world: &mut World, place: &ObjectRef, deployment: &Value, sets: &Sets, count: i64) -> Option<Duration> {
    let next = sets.all().map(revision).max().unwrap_or(0) + 1;
    let created = match world.create(MANAGER, new_set(deployment, count, next)) {
        Ok(set) => set,
        Err(problem) => {
            world.warning(deployment, NAME, "ReplicaSetCreateError", &format!("Failed to create new replica set: {problem}"));
            return Some(Duration::from_secs(2));
        }
    };
    world.update(MANAGER, place, |deployment| set_entry(deployment, "annotations", REVISION, &next.to_string()));
    rollout::say_created(world, place, fields::name(&created));
    if count > 0 {
        tell_scaled(world, deployment, fields::name(&created), 0, count);
    }
    None
}

/// A ReplicaSet whose template is wanted again becomes the newest revision.
fn renew(world: &World, place: &ObjectRef, new: &Arc<Value>, sets: &Sets) {
    let newest = sets.old.iter().map(revision).max().unwrap_or(0);
    if revision(new) <= newest {
        let next = (newest + 1).to_string();
        for place in [&ObjectRef::of("apps", "replicasets", new), place] {
            world.update(MANAGER, place, |object| set_entry(object, "annotations", REVISION, &next));
        }
    }
}

fn new_set(deployment: &Value, count: i64, revision: i64) -> Value {
    let hash = hash(deployment);
    let mut template = deployment["spec"]["template"].clone();
    set_entry(&mut template, "labels", HASH, &hash);
    let mut selector = deployment["spec"]["selector"].clone();
    selector["matchLabels"][HASH] = hash.as_str().into();
    let mut set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": format!("{}-{hash}", fields::name(deployment)), "namespace": fields::namespace(deployment),
            "labels": template["metadata"]["labels"], "ownerReferences": [controlled_by(deployment)],
            "annotations": {REVISION: revision.to_string()},
        },
        "spec": {"replicas": count, "selector": selector, "template": template},
    });
    if let Some(seconds) = int(deployment, "/spec/minReadySeconds") {
        set["spec"]["minReadySeconds"] = seconds.into();
    }
    set
}

/// Takes old pods away, those that are not available first.
fn shrink(world: &mut World, deployment: &Value, sets: &Sets) {
    let least = replicas(deployment) - unavailable(deployment);
    let missing = sets.new.as_ref().map_or(0, |new| replicas(new) - available(new));
    let mut room = total(sets.all()) - least - missing;
    let mut left: Vec<(usize, i64)> = sets.old.iter().enumerate().map(|(index, set)| (index, replicas(set))).collect();
    for (index, count) in &mut left {
        let broken = (*count - available(&sets.old[*index])).max(0).min(room.max(0));
        *count -= broken;
        room -= broken;
    }
    let mut spare = sets.all().map(|set| available(set)).sum::<i64>() - least;
    for (_, count) in &mut left {
        let healthy = (*count).min(spare.max(0)).min(room.max(0));
        *count -= healthy;
        spare -= healthy;
        room -= healthy;
    }
    for (index, count) in left {
        if count != replicas(&sets.old[index]) {
            scale(world, deployment, &sets.old[index], count);
        }
    }
}

fn scale(world: &mut World, deployment: &Value, set: &Value, count: i64) {
    let before = replicas(set);
    if before == count {
        return;
    }
    world.update(MANAGER, &ObjectRef::of("apps", "replicasets", set), |set| set["spec"]["replicas"] = count.into());
    tell_scaled(world, deployment, fields::name(set), before, count);
}

fn tell_scaled(world: &mut World, deployment: &Value, set: &str, before: i64, after: i64) {
    let way = if after > before { "up" } else { "down" };
    world.normal(deployment, NAME, "ScalingReplicaSet", &format!("Scaled {way} replica set {set} from {before} to {after}"));
}

/// Removes empty ReplicaSets beyond the history limit, oldest first.
fn clean(world: &World, deployment: &Value, sets: &Sets) {
    let keep = usize::try_from(int(deployment, "/spec/revisionHistoryLimit").unwrap_or(10)).unwrap_or(0);
    let empty: Vec<_> = sets.old.iter().filter(|set| replicas(set) == 0 && !fields::is_deleting(set)).collect();
    for set in empty.iter().take(empty.len().saturating_sub(keep)) {
        world.delete(&ObjectRef::of("apps", "replicasets", set), fields::uid(set), Propagation::Background, None);
    }
}

/// Returns `spec.replicas`, by default 1.
pub(super) fn replicas(object: &Value) -> i64 {
    int(object, "/spec/replicas").unwrap_or(1)
}

fn available(set: &Value) -> i64 {
    int(set, "/status/availableReplicas").unwrap_or(0)
}

fn total<'a>(sets: impl Iterator<Item = &'a Arc<Value>>) -> i64 {
    sets.map(|set| replicas(set)).sum()
}

fn revision(set: &Arc<Value>) -> i64 {
    set["metadata"]["annotations"][REVISION].as_str().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn hash(deployment: &Value) -> String {
    fields::hash(&deployment["spec"]["template"])
}

fn surge(deployment: &Value) -> i64 {
    limit(deployment, "maxSurge", Round::Up)
}

/// Returns how many pods may be missing during a rollout.
pub(super) fn unavailable(deployment: &Value) -> i64 {
    let allowed = limit(deployment, "maxUnavailable", Round::Down);
    // With neither a surge nor a gap nothing could ever move.
    if allowed == 0 && surge(deployment) == 0 { 1 } else { allowed.min(replicas(deployment)) }
}

fn limit(deployment: &Value, name: &str, round: Round) -> i64 {
    let value = &deployment["spec"]["strategy"]["rollingUpdate"][name];
    let value = if value.is_null() { &json!("25%") } else { value };
    fields::scaled(value, replicas(deployment), round).unwrap_or(0)
}
