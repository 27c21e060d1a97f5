//! Which parts of an object are secret. The one place that knows, for everything that is printed.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

use super::annotation::LAST_APPLIED;

/// Fields of a Secret that hold its values.
pub(crate) const FIELDS: [&str; 2] = ["data", "stringData"];

/// Returns whether an object is a Secret of Kubernetes. Who leaves the version out or writes a wrong one means it all the same; only a
/// group makes it something else.
pub(crate) fn is_secret(object: &Value) -> bool {
    let version = object.get("apiVersion").and_then(Value::as_str);
    object.get("kind").and_then(Value::as_str) == Some("Secret") && version.is_none_or(|version| !version.contains('/'))
}

/// The server keeps what is written as `stringData` in `data`, where it wins.
pub(crate) fn join_plain_text(secret: &mut Value) {
    let Some(fields) = secret.as_object_mut() else { return };
    let is_readable = |value: &Value| value.as_object().is_some_and(|data| data.values().all(Value::is_string));
    if !fields.get("stringData").is_some_and(is_readable) || !fields.get("data").is_none_or(Value::is_object) {
        return;
    }
    let Some(Value::Object(texts)) = fields.remove("stringData") else { return };
    let Value::Object(data) = fields.entry("data").or_insert_with(|| Value::Object(Map::new())) else { return };
    for (key, text) in texts {
        data.insert(key, BASE64_STANDARD.encode(text.as_str().unwrap_or_default()).into());
    }
}

/// Returns whether an object is a Secret or a list with one in it.
pub(crate) fn is_inside(object: &Value) -> bool {
    let is_list = object.get("kind").and_then(Value::as_str) == Some("SecretList");
    is_list || is_secret(object) || object.get("items").and_then(Value::as_array).is_some_and(|items| items.iter().any(is_inside))
}

/// Replaces the values of a Secret, and of Secrets in a list, by what `veil` makes of each; annotations that repeat them are left out.
/// `is_secret`: also if the object does not say that it is one.
pub(crate) fn mask(object: &mut Value, is_secret: bool, veil: &mut dyn FnMut(&Value) -> Value) {
    let is_list = object.get("kind").and_then(Value::as_str) == Some("SecretList");
    if let Some(items) = object.get_mut("items").and_then(Value::as_array_mut) {
        items.iter_mut().for_each(|item| mask(item, is_list, veil));
    }
    if !is_secret && !self::is_secret(object) {
        return;
    }
    if let Some(annotations) = object.pointer_mut("/metadata/annotations") {
        mask_annotations(annotations, veil);
    }
    for field in FIELDS {
        match object.get_mut(field) {
            Some(Value::Object(data)) => data.values_mut().for_each(|value| *value = veil(value)),
            Some(data) => *data = veil(data),
            None => {}
        }
    }
}

/// Annotations have to be a map of texts; of anything else nobody knows what it repeats.
fn mask_annotations(annotations: &mut Value, veil: &mut dyn FnMut(&Value) -> Value) {
    match annotations {
        Value::Object(annotations) => annotations.retain(|name, value| name != LAST_APPLIED && !repeats_values(value)),
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => *annotations = veil(annotations),
    }
}

/// Other tools than kubectl keep copies of what they applied, under other names.
fn repeats_values(annotation: &Value) -> bool {
    let Some(text) = annotation.as_str() else { return !annotation.is_null() };
    FIELDS.iter().any(|field| text.contains(field)) && serde_json::from_str::<Map<String, Value>>(text).is_ok()
}
