//! Events are one thing under two names: the core group stores them, `events.k8s.io` shows them with other words.

use serde_json::Value;

use super::super::registry::Resource;

/// The core word and the newer word of each field that differs.
const WORDS: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

fn is_renamed(resource: &Resource) -> bool {
    &*resource.gr.group == "events.k8s.io" && &*resource.gr.plural == "events"
}

/// Returns an object as its resource shows it.
pub(super) fn from_storage(resource: &Resource, object: &Value) -> Value {
    let mut object = object.clone();
    if is_renamed(resource) {
        object["apiVersion"] = resource.api_version().into();
        rename(&mut object, |(core, newer)| (core, newer));
    } else if resource.is_custom() {
        // The same storage under several versions: the asked one is shown.
        object["apiVersion"] = resource.api_version().into();
    }
    object
}

/// Returns an object as the store keeps it.
pub(super) fn to_storage(resource: &Resource, mut object: Value) -> Value {
    if is_renamed(resource) {
        rename(&mut object, |(core, newer)| (newer, core));
    }
    object
}

fn rename(object: &mut Value, direction: impl Fn((&'static str, &'static str)) -> (&'static str, &'static str)) {
    let Some(fields) = object.as_object_mut() else { return };
    for words in WORDS {
        let (from, to) = direction(*words);
        if let Some(value) = fields.remove(from) {
            fields.insert(to.to_owned(), value);
        }
    }
}
