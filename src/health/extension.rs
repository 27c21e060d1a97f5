//! Health of what extends the API: CustomResourceDefinition and APIService (spec R413, design page health.md). Reads the object alone.

use serde_json::Value;

use super::read::{conditions, text};
use super::{Verdict, degraded, healthy, progressing};

pub(super) fn custom_resource_definition(object: &Value) -> Verdict {
    if !text(object, &["metadata", "deletionTimestamp"])?.is_empty() {
        return progressing("CRD is terminating");
    }
    let conditions = conditions(object)?;
    if conditions.is_empty() {
        return progressing("Status conditions not found");
    }
    let find = |kind: &str, status: &str| conditions.iter().find(|condition| condition.is(kind, status));
    // What is worse decides, wherever it stands among the conditions.
    if let Some(condition) = find("Terminating", "True") {
        return progressing(format!("CRD is terminating: {}", condition.message));
    }
    if let Some(condition) = find("NamesAccepted", "False") {
        return degraded(format!("CRD names have not been accepted: {}", condition.message));
    }
    if let Some(condition) = find("NonStructuralSchema", "True") {
        return degraded(format!("Schema violations found: {}", condition.message));
    }
    match conditions.iter().find(|condition| condition.kind == "Established") {
        Some(condition) if condition.status == "True" => healthy("CRD is healthy"),
        Some(condition) if condition.reason == "Installing" => progressing("CRD is being installed"),
        Some(_) | None => degraded("CRD is not established"),
    }
}

pub(super) fn api_service(object: &Value) -> Verdict {
    let conditions = conditions(object)?;
    let Some(available) = conditions.iter().find(|condition| condition.kind == "Available") else {
        return progressing("Waiting to be processed");
    };
    let message = format!("{}: {}", available.reason, available.message);
    if available.status == "True" { healthy(message) } else { progressing(message) }
}
