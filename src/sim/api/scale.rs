//! The scale subresource: the number of replicas of a workload as an object of its own.

use serde_json::{Map, Value, json};

use super::super::patch::Patch;
use super::super::registry::ScalePaths;
use super::super::status::{ApiError, Cause};
use super::super::write;
use super::answer::Answer;
use super::{Call, body};

pub(super) fn answer(call: &Call, verb: &str) -> Result<Answer, ApiError> {
    let Some(paths) = &call.resource.scale else { return Err(ApiError::no_such_resource()) };
    match verb {
        "get" => {
            let object = call.store.lock().get(&call.resource.gr, &call.key()).cloned();
            let object = object.ok_or_else(|| missing(call))?;
            Ok(Answer::value(200, &scale_of(call, paths, &object)?, call.accept))
        }
        "update" => {
            let wanted = body_of(call)?;
            set(call, paths, "UpdateOptions", |_| Ok(wanted))
        }
        "patch" => {
            let patch = Patch::read(&call.content_type, &call.body, true)?;
            set(call, paths, "PatchOptions", |scale| patch.apply(&call.resource, scale))
        }
        _ => Err(ApiError::method_not_allowed()),
    }
}

fn missing(call: &Call) -> ApiError {
    ApiError::not_found(&call.resource.gr.group, &call.resource.gr.plural, call.name())
}

fn body_of(call: &Call) -> Result<Value, ApiError> {
    body::check_size(call)?;
    serde_json::from_slice(&call.body).map_err(|_| ApiError::bad_request("the object provided is unrecognized (must be of type Scale)"))
}

fn set(call: &Call, paths: &ScalePaths, options: &str, change: impl FnOnce(Value) -> Result<Value, ApiError>) -> Result<Answer, ApiError> {
    let caller = call.caller(options)?;
    let updated = call.store.transact(|state| {
        let old = state.get(&call.resource.gr, &call.key()).cloned().ok_or_else(|| missing(call))?;
        let scale = change(scale_of(call, paths, &old)?)?;
        let replicas = scale["spec"]["replicas"].as_i64().unwrap_or(0);
        if replicas < 0 {
            let cause = Cause::invalid("spec.replicas", &replicas.into(), "must be greater than or equal to 0");
            return Err(ApiError::invalid("autoscaling", "Scale", call.name(), &[cause]));
        }
        let mut new = Value::clone(&old);
        if let Some(version) = scale["metadata"]["resourceVersion"].as_str() {
            new["metadata"]["resourceVersion"] = version.into();
        }
        put(&mut new, &paths.spec, replicas.into());
        write::replace(state, &call.resource, &call.key(), new, &caller)
    })?;
    Ok(Answer::value(200, &scale_of(call, paths, &updated)?, call.accept))
}

fn pointer(path: &str) -> String {
    path.replace('.', "/")
}

fn put(object: &mut Value, path: &str, value: Value) {
    let parts: Vec<&str> = path.split('.').filter(|part| !part.is_empty()).collect();
    let mut place = object;
    for part in parts {
        if !place.is_object() && !place.is_null() {
            return;
        }
        place = &mut place[part];
    }
    *place = value;
}

fn scale_of(call: &Call, paths: &ScalePaths, object: &Value) -> Result<Value, ApiError> {
    let replicas = object.pointer(&pointer(&paths.spec)).and_then(Value::as_i64);
    let Some(replicas) = replicas.or(if call.resource.is_custom() { None } else { Some(0) }) else {
        let text = format!("the spec replicas field {:?} does not exist", paths.spec);
        return Err(ApiError::internal("InternalError", format!("Internal error occurred: {text}")));
    };
    let mut metadata = Map::new();
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = object["metadata"].get(field) {
            metadata.insert(field.to_owned(), value.clone());
        }
    }
    let spec = if replicas == 0 { json!({}) } else { json!({"replicas": replicas}) };
    let current = object.pointer(&pointer(&paths.status)).and_then(Value::as_i64).unwrap_or(0);
    let mut status = json!({"replicas": current});
    if let Some(selector) = selector_text(object) {
        status["selector"] = selector.into();
    }
    Ok(json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}))
}

fn selector_text(object: &Value) -> Option<String> {
    let labels = object["spec"]["selector"]["matchLabels"].as_object()?;
    let pairs: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    Some(pairs.join(","))
}
