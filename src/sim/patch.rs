//! Patches: JSON patch, JSON merge patch, strategic merge patch, and the recognition of server-side apply. Changes
//! a whole object in memory; what may be changed is decided by the rules of writing.

mod strategic;

use serde_json::{Map, Value};

use super::registry::Resource;
use super::status::ApiError;

/// A patch as it was sent.
#[derive(Debug)]
pub(super) enum Patch {
    Json(json_patch::Patch),
    Merge(Value),
    Strategic(Value),
    Apply(Value),
}

impl Patch {
    /// Reads a patch of the type that the content type names.
    pub(super) fn read(content_type: &str, body: &[u8], is_custom: bool) -> Result<Self, ApiError> {
        let media = content_type.split(';').next().unwrap_or_default().trim();
        match media {
            "application/json-patch+json" => serde_json::from_slice(body).map(Self::Json).map_err(|error| undecodable(&error)),
            "application/merge-patch+json" => object(body).map(Self::Merge),
            "application/strategic-merge-patch+json" if !is_custom => object(body).map(Self::Strategic),
            "application/apply-patch+yaml" => applied(body).map(Self::Apply),
            _ => Err(ApiError::unsupported_media_type(accepted(is_custom))),
        }
    }

    /// Returns the object after a patch that is not an apply.
    pub(super) fn apply(&self, resource: &Resource, mut object: Value) -> Result<Value, ApiError> {
        match self {
            Self::Json(patch) => {
                json_patch::patch(&mut object, patch).map_err(|_| ApiError::unprocessable())?;
            }
            Self::Merge(patch) => json_patch::merge(&mut object, patch),
            Self::Strategic(patch) => strategic::merge(resource.schema.root(), &mut object, patch)?,
            Self::Apply(_) => return Err(ApiError::unsupported_media_type(accepted(resource.is_custom()))),
        }
        Ok(object)
    }
}

fn accepted(is_custom: bool) -> &'static [&'static str] {
    let all = &[
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/apply-patch+yaml",
        "application/strategic-merge-patch+json",
    ];
    if is_custom { &all[..3] } else { all }
}

fn undecodable(error: &serde_json::Error) -> ApiError {
    ApiError::bad_request(format!("error decoding patch: {error}"))
}

fn object(body: &[u8]) -> Result<Value, ApiError> {
    let fields: Map<String, Value> = serde_json::from_slice(body).map_err(|error| undecodable(&error))?;
    Ok(Value::Object(fields))
}

/// The body of an apply is YAML, which JSON is a part of.
fn applied(body: &[u8]) -> Result<Value, ApiError> {
    let read: Option<Value> = serde_json::from_slice(body).ok().or_else(|| serde_yaml::from_slice(body).ok());
    let object = read.filter(Value::is_object).ok_or_else(|| ApiError::bad_request("error decoding YAML: the body is not an object"))?;
    if !object["apiVersion"].is_string() || !object["kind"].is_string() {
        return Err(ApiError::bad_request("invalid object type: /, Kind="));
    }
    if !object["metadata"]["managedFields"].is_null() {
        return Err(ApiError::bad_request("metadata.managedFields must be nil"));
    }
    Ok(object)
}
