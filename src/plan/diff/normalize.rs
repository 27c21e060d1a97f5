//! Takes out of an object what no target can ask for: what the server counts and dates, what controllers report, and what this program
//! and its kind write for their own book-keeping (diff.md 4.2 step 3).

use serde_json::{Map, Value};

use crate::model::annotation::{DEPLOYMENT_REVISION, HOOK_FINALIZER, LAST_APPLIED, OPERATION_LABEL, TRACKING_ID};
use crate::model::secret;

/// What the server writes into `metadata`, beside all that begins with `deletion`.
const SERVERS: [&str; 6] = ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"];

/// How the server remembers, in an object that is being deleted, what becomes of those that belong to it.
const COLLECTORS: [&str; 2] = ["foregroundDeletion", "orphan"];

/// Returns a copy that can be compared.
pub(super) fn normalized(object: &Value) -> Value {
    let Value::Object(fields) = object else { return without_nulls(object) };
    let wanted = fields.iter().filter(|(key, value)| *key != "status" && !value.is_null());
    let copy = wanted.map(|(key, value)| {
        let value = if key == "metadata" { metadata(value) } else { without_nulls(value) };
        (key.clone(), value)
    });
    let mut object = Value::Object(copy.collect());
    if secret::is_secret(&object) {
        secret::join_plain_text(&mut object);
    }
    drop_empty_content(&mut object);
    object
}

/// Takes the tracking id out of both sides if it is the same: another one means that the object gets a new owner.
pub(super) fn drop_same_tracking(before: Option<&mut Value>, after: Option<&mut Value>) {
    let (Some(before), Some(after)) = (before, after) else { return };
    if before["metadata"]["annotations"].get(TRACKING_ID) != after["metadata"]["annotations"].get(TRACKING_ID) {
        return;
    }
    for side in [before, after] {
        let Some(metadata) = side.get_mut("metadata").and_then(Value::as_object_mut) else { continue };
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(TRACKING_ID);
        }
        drop_empty(metadata);
    }
}

/// Returns whether a path of `metadata` is left out of comparisons, so that it is nobody's business who owns it.
pub(super) fn is_left_out(names: &[&str]) -> bool {
    match names {
        ["status", ..] | ["apiVersion" | "kind"] => true,
        ["metadata", name] => is_servers(name) || matches!(*name, "annotations" | "labels" | "finalizers" | "ownerReferences"),
        ["metadata", name, ..] if is_servers(name) => true,
        ["metadata", "annotations", name, ..] => [LAST_APPLIED, DEPLOYMENT_REVISION].contains(name),
        _ => false,
    }
}

/// Returns whether a field of `metadata` is the server's to write.
pub(super) fn is_servers(name: &str) -> bool {
    SERVERS.contains(&name) || name.starts_with("deletion")
}

fn metadata(metadata: &Value) -> Value {
    let Value::Object(fields) = metadata else { return without_nulls(metadata) };
    let wanted = fields.iter().filter(|(key, value)| !value.is_null() && !is_servers(key));
    let mut copy: Map<String, Value> = wanted.map(|(key, value)| (key.clone(), without_nulls(value))).collect();
    if let Some(Value::Object(annotations)) = copy.get_mut("annotations") {
        annotations.retain(|name, _| name != LAST_APPLIED && name != DEPLOYMENT_REVISION);
    }
    if let Some(Value::Object(labels)) = copy.get_mut("labels") {
        labels.remove(OPERATION_LABEL);
    }
    let is_leaving = fields.get("deletionTimestamp").is_some_and(|time| !time.is_null());
    if let Some(Value::Array(finalizers)) = copy.get_mut("finalizers") {
        let is_book_keeping = |name: &Value| name == HOOK_FINALIZER || is_leaving && COLLECTORS.iter().any(|own| name == own);
        finalizers.retain(|name| !is_book_keeping(name));
    }
    drop_empty(&mut copy);
    Value::Object(copy)
}

/// The server does not keep these when there is nothing in them.
fn drop_empty(metadata: &mut Map<String, Value>) {
    for key in ["annotations", "labels", "finalizers", "ownerReferences"] {
        if metadata.get(key).is_some_and(is_empty) {
            metadata.remove(key);
        }
    }
}

/// Nor these of kinds that have no spec.
fn drop_empty_content(object: &mut Value) {
    let kind = object["kind"].as_str().unwrap_or_default();
    let names: &[&str] = match kind {
        "ConfigMap" | "Secret" => &["data", "binaryData", "stringData"],
        "Role" | "ClusterRole" => &["rules"],
        _ => &[],
    };
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|key, value| !(names.contains(&key.as_str()) && is_empty(value)));
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Returns a copy without fields that are null. Items of lists stay: others would move.
pub(super) fn without_nulls(value: &Value) -> Value {
    let mut copy = value.clone();
    drop_nulls(&mut copy);
    copy
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.values().any(Value::is_null) {
                fields.retain(|_, value| !value.is_null());
            }
            fields.values_mut().for_each(drop_nulls);
            if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
                drop_empty(metadata);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
