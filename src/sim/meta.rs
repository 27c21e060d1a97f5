//! The metadata of objects: identity, system fields, names, labels, owners, finalizers. Knows the rules that all
//! kinds share and none of those of a single kind.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::registry::Resource;
use super::schema::TypeError;
use super::status::{ApiError, Cause};
use super::store::Key;

/// Fields that only the server sets; a writer's idea of them is ignored.
const SYSTEM: &[&str] = &["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink"];

/// Returns a text of the metadata, empty if it is absent.
pub(super) fn text(object: &Value, key: &str) -> String {
    object["metadata"][key].as_str().unwrap_or_default().to_owned()
}

/// Returns the place of an object in the store.
pub(super) fn key(object: &Value) -> Key {
    let part = |key: &str| Arc::from(object["metadata"][key].as_str().unwrap_or_default());
    (part("namespace"), part("name"))
}

/// Tells whether an object is in deletion.
pub(super) fn is_deleting(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// Returns the finalizers of an object.
pub(super) fn finalizers(object: &Value) -> Vec<String> {
    let list = object["metadata"]["finalizers"].as_array().into_iter().flatten();
    list.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

/// Makes sure that an object says what it is, and has no namespace where there is none.
pub(super) fn identify(resource: &Resource, object: &mut Value) -> Result<(), ApiError> {
    let Some(fields) = object.as_object_mut() else {
        return Err(ApiError::bad_request(format!("the object provided is unrecognized (must be of type {})", resource.kind)));
    };
    fields.insert("apiVersion".into(), resource.api_version().into());
    fields.insert("kind".into(), resource.kind.clone().into());
    let metadata = fields.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
    if metadata.is_null() {
        *metadata = Value::Object(Map::new());
    }
    let Some(metadata) = metadata.as_object_mut() else {
        return Err(ApiError::bad_request("metadata must be an object"));
    };
    if !resource.namespaced {
        metadata.remove("namespace");
    } else if metadata.get("namespace").and_then(Value::as_str).unwrap_or_default().is_empty() {
        metadata.insert("namespace".into(), "default".into());
    }
    tidy(metadata);
    Ok(())
}

/// The refusal of an object that has a value of a wrong type.
pub(super) fn undecodable(resource: &Resource, wrong: &TypeError) -> ApiError {
    let (kind, version) = (&resource.kind, &resource.version);
    ApiError::bad_request(format!("{kind} in version {version:?} cannot be handled as a {kind}: {}", wrong.go))
}

/// What is empty is absent, as on the wire.
fn tidy(metadata: &mut Map<String, Value>) {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    metadata.retain(|_, value| !is_empty(value));
}

/// Drops what a client may not choose for a new object.
pub(super) fn reset_for_create(object: &mut Value) {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.retain(|key, _| !SYSTEM.contains(&key.as_str()) && key != "managedFields" && key != "resourceVersion");
    }
}

/// Takes the system fields of the old state over; whatever the writer said about them is ignored.
pub(super) fn carry_over(old: &Value, new: &mut Value) {
    let keep = ["name", "namespace", "resourceVersion", "managedFields"];
    let Some(metadata) = new["metadata"].as_object_mut() else { return };
    for key in SYSTEM.iter().chain(&keep) {
        match old["metadata"].get(*key) {
            Some(value) => metadata.insert((*key).to_owned(), value.clone()),
            None => metadata.remove(*key),
        };
    }
}

/// What is wrong with the step from the old to the new metadata.
pub(super) fn update_causes(old: &Value, new: &Value) -> Vec<Cause> {
    if !is_deleting(old) {
        return Vec::new();
    }
    let before = finalizers(old);
    let added: Vec<String> = finalizers(new).into_iter().filter(|name| !before.contains(name)).collect();
    if added.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> = added.iter().map(|name| format!("{name:?}")).collect();
    let detail =
        format!("no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}", names.join(", "));
    vec![Cause::forbidden("metadata.finalizers", &detail)]
}

/// What is wrong with the metadata of an object by itself.
pub(super) fn causes(resource: &Resource, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let name = &object["metadata"]["name"];
    if let Some(detail) = bad_name(resource, name.as_str().unwrap_or_default()) {
        causes.push(Cause::invalid("metadata.name", name, &detail));
    }
    causes.extend(label_causes("metadata.labels", &object["metadata"]["labels"]));
    causes.extend(annotation_causes(&object["metadata"]["annotations"]));
    causes.extend(owner_causes(&object["metadata"]["ownerReferences"]));
    causes
}

fn owner_causes(owners: &Value) -> Vec<Cause> {
    let owners: Vec<&Value> = owners.as_array().into_iter().flatten().collect();
    let mut causes = Vec::new();
    for owner in &owners {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if owner[field].as_str().unwrap_or_default().is_empty() {
                let detail = if field == "apiVersion" { "version must not be empty" } else { "must not be empty" };
                causes.push(Cause::invalid(format!("metadata.ownerReferences.{field}"), &"".into(), detail));
            }
        }
    }
    let controllers: Vec<&&Value> = owners.iter().filter(|owner| owner["controller"] == true).collect();
    if let [first, second, ..] = controllers.as_slice() {
        let detail = format!(
            "Only one reference can have Controller set to true. Found \"true\" in references for {}/{} and {}/{}",
            first["kind"].as_str().unwrap_or_default(),
            first["name"].as_str().unwrap_or_default(),
            second["kind"].as_str().unwrap_or_default(),
            second["name"].as_str().unwrap_or_default(),
        );
        let value = Value::Array(owners.into_iter().cloned().collect());
        causes.push(Cause::invalid("metadata.ownerReferences", &value, &detail));
    }
    causes
}

/// What is wrong with a map of labels.
pub(super) fn label_causes(field: &str, labels: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (key, value) in labels.as_object().into_iter().flatten() {
        if let Some(detail) = bad_qualified_name(key) {
            causes.push(Cause::invalid(field, &key.clone().into(), &detail));
        }
        if let Some(detail) = value.as_str().and_then(bad_label_value) {
            causes.push(Cause::invalid(field, value, &detail));
        }
    }
    causes
}

fn annotation_causes(annotations: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut size = 0;
    for (key, value) in annotations.as_object().into_iter().flatten() {
        size += key.len() + value.as_str().map_or(0, str::len);
        if let Some(detail) = bad_qualified_name(&key.to_lowercase()) {
            causes.push(Cause::invalid("metadata.annotations", &key.clone().into(), &detail));
        }
    }
    if size > 256 * 1024 {
        causes.push(Cause::too_long("metadata.annotations", "may not be more than 262144 bytes"));
    }
    causes
}

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const NAME_PART: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

fn bad_name(resource: &Resource, name: &str) -> Option<String> {
    match &*resource.gr.group {
        "rbac.authorization.k8s.io" => bad_path_segment(name),
        "" if &*resource.gr.plural == "services" => bad_label(name, LABEL_1035, |first| first.is_ascii_lowercase()),
        "" if &*resource.gr.plural == "namespaces" => bad_label(name, LABEL, |first| first.is_ascii_alphanumeric()),
        _ => bad_subdomain(name),
    }
}

fn bad_path_segment(name: &str) -> Option<String> {
    if name == "." || name == ".." {
        return Some(format!("may not be {name:?}"));
    }
    ['/', '%'].into_iter().find(|bad| name.contains(*bad)).map(|bad| format!("may not contain '{bad}'"))
}

fn bad_label(name: &str, text: &str, is_first: impl Fn(char) -> bool) -> Option<String> {
    if name.len() > 63 {
        return Some("must be no more than 63 bytes".to_owned());
    }
    let is_fine = is_plain_label(name) && name.starts_with(is_first);
    (!is_fine).then(|| text.to_owned())
}

fn is_plain_label(name: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.chars().all(is_inner) && !name.starts_with('-') && !name.ends_with('-')
}

fn bad_subdomain(name: &str) -> Option<String> {
    if name.len() > 253 {
        return Some("must be no more than 253 bytes".to_owned());
    }
    (!name.split('.').all(is_plain_label)).then(|| SUBDOMAIN.to_owned())
}

fn bad_qualified_name(key: &str) -> Option<String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if let Some(detail) = prefix.and_then(bad_subdomain) {
        return Some(format!("prefix part {detail}"));
    }
    if name.len() > 63 {
        return Some("name part must be no more than 63 bytes".to_owned());
    }
    if name.is_empty() {
        return Some(format!("name part must be non-empty, {NAME_PART}"));
    }
    (!is_word(name)).then(|| NAME_PART.to_owned())
}

fn bad_label_value(value: &str) -> Option<String> {
    if value.len() > 63 {
        return Some("must be no more than 63 bytes".to_owned());
    }
    (!value.is_empty() && !is_word(value)).then(|| VALUE.to_owned())
}

fn is_word(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_end = |c: char| c.is_ascii_alphanumeric();
    text.chars().all(is_inner) && text.starts_with(is_end) && text.ends_with(is_end)
}
