//! What really happened in the embedded cluster, read from the store's changes and the containers' logs: the ground on which the
//! engine's account is judged. Knows nothing of the engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use jiff::Timestamp;
use serde_json::Value;

use crate::model::annotation::{ARGO_HOOK_FINALIZER, FIELD_MANAGER, HELM_HOOK, HOOK, HOOK_FINALIZER};
use crate::sim::{Change, SimCluster, Store};

/// What a container printed.
pub(super) struct Printed {
    /// When it printed the first line.
    pub(super) since: Timestamp,
    pub(super) lines: Vec<Vec<u8>>,
}

/// What is known of a cluster after its story.
pub(super) struct Truth {
    store: Store,
    changes: Vec<Change>,
    lines: Vec<Line>,
}

/// A line that a container printed.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) pod: String,
    pub(super) container: String,
    pub(super) at: Timestamp,
    pub(super) bytes: Vec<u8>,
    pod_uid: String,
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn has_finalizer(object: &Value, name: &str) -> bool {
    object["metadata"]["finalizers"].as_array().into_iter().flatten().any(|item| item == name)
}

fn is_ours(object: &Value) -> bool {
    object["metadata"]["managedFields"].as_array().into_iter().flatten().any(|entry| entry["manager"] == FIELD_MANAGER)
}

/// Returns `Kind/name`, without the generated part of a name.
fn title(object: &Value) -> String {
    let (kind, name, prefix) = (text(object, "/kind"), text(object, "/metadata/name"), text(object, "/metadata/generateName"));
    if prefix.is_empty() { format!("{kind}/{name}") } else { format!("{kind}/{prefix}*") }
}

/// Returns the revision from which every change of a cluster that has just been started is known.
pub(super) fn beginning(cluster: &SimCluster) -> u64 {
    cluster.store().changes_since(0).err().map_or(0, |compacted| compacted.floor)
}

impl Truth {
    /// Reads a cluster; `since` is the revision at which it began.
    pub(super) fn of(cluster: &SimCluster, since: u64) -> Self {
        let changes = cluster.store().changes_since(since).expect("a story is shorter than the ring of changes");
        let lines = cluster.printed().into_iter().map(|line| Line {
            pod: line.pod,
            container: line.container,
            at: line.at,
            bytes: line.bytes.to_vec(),
            pod_uid: line.uid,
        });
        Self { store: cluster.store().clone(), changes, lines: lines.collect() }
    }

    /// Every state that every object had, by uid, in the order of revisions.
    fn states(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.changes.iter().flat_map(|change| change.before.iter().chain(&change.after))
    }

    fn by_uid(&self) -> BTreeMap<&str, &Arc<Value>> {
        self.states().map(|object| (text(object, "/metadata/uid"), object)).collect()
    }

    /// Returns what the engine created, in order.
    pub(super) fn created(&self) -> Vec<String> {
        let new = self.changes.iter().filter(|change| change.before.is_none()).filter_map(|change| change.after.as_ref());
        new.filter(|object| is_ours(object)).map(|object| title(object)).collect()
    }

    /// Returns the last state of every object that changed and still exists.
    fn last(&self) -> Vec<&Arc<Value>> {
        let mut last = BTreeMap::new();
        for change in &self.changes {
            last.insert((&change.gr, &change.namespace, &change.name), change.after.as_ref());
        }
        last.into_values().flatten().collect()
    }

    /// Returns what is left of the engine's objects; those in deletion say so.
    pub(super) fn left(&self) -> Vec<String> {
        let shown = |object: &&Arc<Value>| {
            let deleting = if object["metadata"]["deletionTimestamp"].is_null() { "" } else { "(deleting)" };
            format!("{}{deleting}", title(object))
        };
        let mut left: Vec<String> = self.last().iter().filter(|object| is_ours(object)).map(shown).collect();
        left.sort();
        left
    }

    /// Returns a text in a Service as it is in the end.
    pub(super) fn of_service(&self, namespace: &str, name: &str, place: &str) -> String {
        let service = self.store.get("", "services", namespace, name);
        service.map(|service| text(&service, place).to_owned()).unwrap_or_default()
    }

    /// Returns objects that still carry a hook finalizer.
    pub(super) fn finalizers(&self) -> Vec<String> {
        let held = |object: &&&Arc<Value>| has_finalizer(object, HOOK_FINALIZER) || has_finalizer(object, ARGO_HOOK_FINALIZER);
        self.last().iter().filter(held).map(|object| title(object)).collect()
    }

    /// Returns every line that a hook's pods printed until a time, by pod and container.
    pub(super) fn hook_lines(&self, until: Timestamp) -> BTreeMap<(String, String), Printed> {
        let objects = self.by_uid();
        let mut lines: BTreeMap<(String, String), Printed> = BTreeMap::new();
        for line in self.lines.iter().filter(|line| line.at < until) {
            if objects.get(line.pod_uid.as_str()).is_some_and(|pod| is_hook(pod, &objects)) {
                let printed = lines.entry((line.pod.clone(), line.container.clone()));
                let printed = printed.or_insert_with(|| Printed { since: line.at, lines: Vec::new() });
                printed.lines.push(line.bytes.clone());
            }
        }
        lines
    }

    /// Returns the values of all Secrets that ever were, as they are and as the server stores them.
    pub(super) fn secrets(&self) -> Vec<String> {
        let data = self.states().filter(|object| text(object, "/kind") == "Secret").filter_map(|object| object["data"].as_object());
        let mut values: Vec<String> = Vec::new();
        for encoded in data.flat_map(|data| data.values()).filter_map(Value::as_str) {
            let plain = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap_or_default();
            values.extend([encoded.to_owned(), String::from_utf8_lossy(&plain).into_owned()]);
        }
        values.retain(|value| value.len() > 3);
        values.sort();
        values.dedup();
        values
    }
}

/// Whether an object is a hook, or belongs to one.
fn is_hook(object: &Value, objects: &BTreeMap<&str, &Arc<Value>>) -> bool {
    let annotations = &object["metadata"]["annotations"];
    if annotations[HOOK].is_string() || annotations[HELM_HOOK].is_string() {
        return is_ours(object);
    }
    let owners = object["metadata"]["ownerReferences"].as_array();
    owners.into_iter().flatten().any(|owner| objects.get(text(owner, "/uid")).is_some_and(|owner| is_hook(owner, objects)))
}
