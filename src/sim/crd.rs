//! CustomResourceDefinitions: what the server adds to them and what their end means for their objects.
//! The rows that they add to the API are made in `registry`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::registry::Gr;
use super::store::{State, stamp};

/// Completes a new definition: names, and the conditions that say that it is served.
pub(super) fn complete(definition: &mut Value, now: Timestamp) {
    let names = &mut definition["spec"]["names"];
    let kind = names["kind"].as_str().unwrap_or_default().to_owned();
    if names["singular"].is_null() {
        names["singular"] = kind.to_lowercase().into();
    }
    if names["listKind"].is_null() {
        names["listKind"] = format!("{kind}List").into();
    }
    definition["spec"]["conversion"] = json!({"strategy": "None"});
    let at = stamp(now);
    let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "lastTransitionTime": at, "reason": reason, "message": message});
    let stored = definition["spec"]["versions"].as_array().into_iter().flatten().filter(|version| version["storage"] == true);
    let stored: Vec<Value> = stored.map(|version| version["name"].clone()).collect();
    definition["status"] = json!({
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
        "acceptedNames": definition["spec"]["names"].clone(),
        "storedVersions": stored,
    });
}

/// Removes the custom resources of a definition that is gone.
pub(super) fn after_removal(state: &mut State, gr: &Gr, definition: &Value) {
    if &*gr.plural != "customresourcedefinitions" {
        return;
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let spec = &definition["spec"];
    state.clear(&Gr::new(&text(&spec["group"]), &text(&spec["names"]["plural"])));
}
