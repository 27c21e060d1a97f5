//! Health of what extends the API: CustomResourceDefinition and APIService (spec R413, design page health.md).

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
    let mut is_established = false;
    for condition in &conditions {
        let message = condition.message;
        match (condition.kind, condition.status) {
            ("Terminating", "True") => return progressing(format!("CRD is terminating: {message}")),
            ("NamesAccepted", "False") => return degraded(format!("CRD names have not been accepted: {message}")),
            ("NonStructuralSchema", "True") => return degraded(format!("Schema violations found: {message}")),
            ("Established", "True") => is_established = true,
            ("Established", _) if condition.reason == "Installing" => return progressing("CRD is being installed"),
            _ => {}
        }
    }
    if is_established { healthy("CRD is healthy") } else { degraded("CRD is not established") }
}

pub(super) fn api_service(object: &Value) -> Verdict {
    let conditions = conditions(object)?;
    let Some(available) = conditions.iter().find(|condition| condition.kind == "Available") else {
        return progressing("Waiting to be processed");
    };
    let message = format!("{}: {}", available.reason, available.message);
    if available.status == "True" { healthy(message) } else { progressing(message) }
}
