//! Request bodies: JSON or YAML into an object of the right kind, with the complaints of the real decoder.

use serde_json::Value;

use super::super::meta;
use super::super::registry::Resource;
use super::super::schema::{Cleaning, Report};
use super::super::status::ApiError;
use super::Call;

const LIMIT: usize = 3 * 1024 * 1024;

/// What to do about fields that do not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Validation {
    Ignore,
    Warn,
    Strict,
}

/// Reads the body of a POST or PUT as an object of the resource's kind.
pub(super) fn object(call: &Call) -> Result<Value, ApiError> {
    check_size(call)?;
    let media = call.content_type.split(';').next().unwrap_or_default().trim();
    let read: Option<Value> = match media {
        "application/json" | "" => serde_json::from_slice(&call.body).ok(),
        "application/yaml" => serde_yaml::from_slice(&call.body).ok(),
        _ => {
            let accepted = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
            return Err(ApiError::unsupported_media_type(&accepted));
        }
    };
    let object = read.filter(Value::is_object).ok_or_else(|| unrecognized(&call.resource))?;
    check_kind(&call.resource, &object)?;
    Ok(object)
}

pub(super) fn check_size(call: &Call) -> Result<(), ApiError> {
    if call.body.len() > LIMIT { Err(ApiError::too_large(LIMIT)) } else { Ok(()) }
}

fn unrecognized(resource: &Resource) -> ApiError {
    ApiError::bad_request(format!("the object provided is unrecognized (must be of type {}): couldn't get version/kind", resource.kind))
}

fn check_kind(resource: &Resource, object: &Value) -> Result<(), ApiError> {
    let text = |key: &str| object[key].as_str().unwrap_or_default();
    let (version, kind) = (text("apiVersion"), text("kind"));
    if resource.is_custom() && kind.is_empty() {
        return Err(ApiError::bad_request(format!("Object 'Kind' is missing in '{object}'")));
    }
    let wanted = resource.api_version();
    if (!kind.is_empty() && kind != resource.kind) || (!version.is_empty() && version != wanted) {
        let (kind, version) = (if kind.is_empty() { &resource.kind } else { kind }, if version.is_empty() { &wanted } else { version });
        return Err(ApiError::bad_request(format!("{kind} in version {version:?} cannot be handled as a {}", resource.kind)));
    }
    Ok(())
}

/// Checks an object against its type: drops what does not exist and returns the warnings about it.
pub(super) fn check(call: &Call, object: &mut Value) -> Result<Vec<String>, ApiError> {
    let report = call.resource.schema.check(object, Cleaning::Full);
    // Beyond the metadata, a wrong type in a custom resource is a matter of validation.
    if let Some(wrong) = report.wrong.as_ref().filter(|wrong| !call.resource.is_custom() || wrong.is_in_metadata()) {
        return Err(meta::undecodable(&call.resource, wrong));
    }
    unknown_fields(call, &report)
}

fn unknown_fields(call: &Call, report: &Report) -> Result<Vec<String>, ApiError> {
    let texts: Vec<String> = report.unknown.iter().map(|path| format!("unknown field {path:?}")).collect();
    match validation(call) {
        Validation::Ignore => Ok(Vec::new()),
        Validation::Warn => Ok(texts),
        Validation::Strict if texts.is_empty() => Ok(Vec::new()),
        Validation::Strict => {
            let (kind, version) = (&call.resource.kind, &call.resource.version);
            let list = texts.join(", ");
            Err(ApiError::bad_request(format!(
                "{kind} in version {version:?} cannot be handled as a {kind}: strict decoding error: {list}"
            )))
        }
    }
}

fn validation(call: &Call) -> Validation {
    match call.query.get("fieldValidation") {
        Some("Ignore") => Validation::Ignore,
        Some("Strict") => Validation::Strict,
        Some(_) | None => Validation::Warn,
    }
}
