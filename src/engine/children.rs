//! Counts what belongs to objects that a plan deletes, or would have to: by owner references, whatever the distance. Lists the metadata of
//! the kinds that may be among it, once for each kind and namespace, a few pages at most, and not for long: a plan must not wait for an
//! advice. Asks for nothing if nothing is deleted. Decides nothing.

pub(crate) mod family;
mod kinds;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use serde_json::Value;

use self::family::Forest;
pub(crate) use self::kinds::Place;
use self::kinds::places;
use super::session::{Action, Planned};
use crate::cluster::apply::Spot;
use crate::cluster::{CallError, Cluster, Patience, Reporter, Resource};
use crate::model::{Gvk, Object, Task, TaskId};
use crate::plan::impact::{Facts, Family, Terms, Volume, is_immutable, stays};
use crate::plan::kin::{Below, below};

/// How long the answers may take, all together.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many pages of a list are read.
const PAGES: usize = 10;
const AT_ONCE: usize = 16;

/// An object that goes.
struct Root<'a> {
    task: &'a Task,
    uid: String,
    /// The live object, as far as it is known.
    live: Option<Arc<Value>>,
}

/// Adds what belongs to objects that go, or would have to, to what is known of them.
pub(super) async fn count(cluster: &Cluster, planned: &Planned, terms: Terms<'_>, facts: &mut BTreeMap<TaskId, Facts>) {
    let roots: Vec<Root<'_>> =
        planned.plan.tasks.iter().filter(|task| goes(planned, task, terms)).map(|task| root(planned, task, facts)).collect();
    if roots.is_empty() {
        return;
    }
    let counter = Counter { cluster, planned };
    let clock = cluster.clock();
    let counted = tokio::select! {
        counted = counter.run(&roots) => counted,
        () = clock.sleep(PATIENCE) => {
            let late = Family { unclear: Some(format!("no answer within {} s", PATIENCE.as_secs())), ..Family::default() };
            let of = |root: &Root<'_>| Counted { family: has_family(root.task).then(|| late.clone()), ..Counted::default() };
            roots.iter().map(of).collect()
        }
    };
    for (root, counted) in roots.iter().zip(counted) {
        let own = facts.entry(root.task.id.clone()).or_default();
        own.family = counted.family;
        own.volume = counted.volume;
        if own.addresses.is_empty() {
            own.addresses = counted.addresses;
        }
    }
}

fn goes(planned: &Planned, task: &Task, terms: Terms<'_>) -> bool {
    match planned.actions.get(&task.id) {
        Some(Action::Prune) => stays(&planned.plan, task, terms).is_none(),
        Some(Action::Recreate(_)) => true,
        Some(Action::Refused(why)) => is_immutable(why),
        Some(Action::Create | Action::Configure | Action::Unchanged | Action::Replace | Action::Run | Action::Unknown(_)) | None => false,
    }
}

fn root<'a>(planned: &Planned, task: &'a Task, facts: &BTreeMap<TaskId, Facts>) -> Root<'a> {
    let seen = facts.get(&task.id).map(|facts| facts.uid.clone()).filter(|uid| !uid.is_empty());
    let uid = seen.or_else(|| task.uid.as_deref().map(str::to_owned)).unwrap_or_default();
    let live = planned.differences.get(&task.id).and_then(|difference| difference.before.clone());
    Root { task, uid, live }
}

fn has_family(task: &Task) -> bool {
    is(task, "", "Namespace") || task.id.key.is_definition() || below(&task.id.key) != Below::Nothing
}

fn is(task: &Task, group: &str, kind: &str) -> bool {
    (&*task.id.key.group, &*task.id.key.kind) == (group, kind)
}

/// What was found out about one root.
#[derive(Clone, Debug, Default)]
struct Counted {
    family: Option<Family>,
    volume: Option<Volume>,
    addresses: Vec<String>,
}

struct Counter<'a> {
    cluster: &'a Cluster,
    planned: &'a Planned,
}

impl Counter<'_> {
    async fn run(&self, roots: &[Root<'_>]) -> Vec<Counted> {
        let details = futures::stream::iter(roots.iter().map(|root| self.details(root)).collect::<Vec<_>>());
        let (mut counted, forest) = futures::join!(details.buffered(AT_ONCE).collect::<Vec<_>>(), self.forest(roots));
        let families = forest.families(roots.iter().map(|root| (&root.task.id.key, root.uid.as_str())));
        for ((root, family), (live, counted)) in roots.iter().zip(families).zip(&mut counted) {
            let live = root.live.as_deref().or(live.as_ref().map(Object::wire));
            let claims = live.map(|live| forest.claims(&root.task.id.key, live)).unwrap_or_default();
            counted.family = counted.family.take().or(family.map(|family| Family { claims, ..family }));
        }
        counted.into_iter().map(|(_, counted)| counted).collect()
    }

    /// Lists what may be below the roots.
    async fn forest(&self, roots: &[Root<'_>]) -> Forest {
        let own = self.planned.plan.tasks.iter().filter_map(|task| self.cluster.known_resource(&task.gvk())).collect();
        let keys = roots.iter().map(|root| &root.task.id.key);
        let wanted: BTreeSet<Place> = keys.flat_map(|key| places(below(key), &key.namespace, &own)).collect();
        let lists = wanted.into_iter().map(|(resource, namespace)| async move {
            let listed = self.cluster.list_some(&resource, &namespace, Patience::Little, PAGES).await;
            ((resource, namespace), listed)
        });
        let mut forest = Forest::default();
        let mut lists = futures::stream::iter(lists.collect::<Vec<_>>()).buffered(AT_ONCE);
        while let Some((place, listed)) = lists.next().await {
            match listed {
                Ok(listed) => forest.take(place, &listed),
                // A kind that is not served has no objects.
                Err(error) if error.is_not_found() => {}
                Err(error) => forest.miss(place, &error),
            }
        }
        forest
    }

    /// What is to be known of one root beside its children, and the live object, if it had to be read.
    async fn details(&self, root: &Root<'_>) -> (Option<Object>, Counted) {
        let task = root.task;
        let is_needed = root.live.is_none() && DETAILED.iter().any(|(group, kind)| is(task, group, kind));
        let live = if is_needed { self.read(task).await } else { None };
        let seen = root.live.as_deref().or(live.as_ref().map(Object::wire));
        let mut counted = Counted::default();
        match (&*task.id.key.group, &*task.id.key.kind, seen) {
            ("", "Namespace", _) => counted.family = Some(self.contents(&task.id.key.name).await),
            ("apiextensions.k8s.io", "CustomResourceDefinition", Some(seen)) => counted.family = self.objects_of(seen).await,
            ("", "PersistentVolumeClaim", Some(seen)) => counted.volume = self.volume(seen).await,
            ("", "Service", Some(_)) => counted.addresses = live.as_ref().map(|live| Facts::of(live.wire()).addresses).unwrap_or_default(),
            _ => {}
        }
        (live, counted)
    }

    async fn read(&self, task: &Task) -> Option<Object> {
        let resource = self.cluster.known_resource(&task.gvk())?;
        let spot = Spot { resource: &resource, namespace: &task.id.key.namespace, name: &task.id.key.name };
        self.cluster.get(spot, &Reporter::default()).await.ok().flatten()
    }

    /// Counts what is in a Namespace, but for what comes and goes by itself.
    async fn contents(&self, namespace: &str) -> Family {
        let mut family = Family::default();
        match self.cluster.deletable().await {
            Ok(kinds) => {
                let inside = kinds.into_iter().filter(|resource| resource.is_namespaced && *resource.gvk.kind != *"Event");
                let counts = inside.map(|resource| async move { (self.cluster.count(&resource, namespace).await, resource) });
                let mut counts = futures::stream::iter(counts.collect::<Vec<_>>()).buffered(AT_ONCE);
                while let Some((counted, resource)) = counts.next().await {
                    add(&mut family, &resource, counted);
                }
            }
            Err(error) => family.unclear = Some(error.to_string()),
        }
        family
    }

    /// Counts the objects of a defined kind, in all namespaces.
    async fn objects_of(&self, definition: &Value) -> Option<Family> {
        let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let versions = definition.pointer("/spec/versions")?.as_array()?;
        let version = versions.iter().find(|version| version["served"] == true)?["name"].as_str()?;
        let gvk = Gvk { group: text("/spec/group").into(), version: version.into(), kind: text("/spec/names/kind").into() };
        let plural = text("/spec/names/plural").into();
        let resource = Resource { gvk, plural, is_namespaced: text("/spec/scope") == "Namespaced", can_list: true, can_watch: true };
        let mut family = Family::default();
        add(&mut family, &resource, self.cluster.count(&resource, "").await);
        Some(family)
    }

    /// What becomes of the volume that a claim is bound to; `None` if it is to none.
    async fn volume(&self, claim: &Value) -> Option<Volume> {
        let name = claim.pointer("/spec/volumeName").and_then(Value::as_str).filter(|name| !name.is_empty())?;
        let resource = Resource { is_namespaced: false, ..Resource::core("PersistentVolume", "persistentvolumes") };
        let spot = Spot { resource: &resource, namespace: "", name };
        match self.cluster.get(spot, &Reporter::default()).await {
            Ok(volume) => Some(match volume?.text(&["spec", "persistentVolumeReclaimPolicy"]) {
                "Delete" => Volume::Deleted(name.to_owned()),
                _ => Volume::Retained(name.to_owned()),
            }),
            Err(error) => Some(Volume::Unclear(reason(&resource, &error))),
        }
    }
}

/// Kinds of which more is to be known than their names.
const DETAILED: [(&str, &str); 4] =
    [("", "PersistentVolumeClaim"), ("", "Service"), ("apps", "StatefulSet"), ("apiextensions.k8s.io", "CustomResourceDefinition")];

fn add(family: &mut Family, resource: &Resource, counted: Result<(u64, bool), CallError>) {
    match counted {
        Ok((0, _)) => {}
        Ok((count, more)) => {
            *family.counts.entry(resource.gvk.kind.to_string()).or_default() += count;
            family.more |= more;
        }
        Err(error) if error.is_not_found() => {}
        Err(error) => _ = family.unclear.get_or_insert_with(|| reason(resource, &error)),
    }
}

/// Why objects of a kind could not be had. The server's sentence about a missing right repeats what is known.
fn reason(resource: &Resource, error: &CallError) -> String {
    if error.is_forbidden() { format!("{} may not be read", resource.plural) } else { format!("{}: {error}", resource.plural) }
}
