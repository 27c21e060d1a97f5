//! POST, PUT and PATCH of objects and their status: from a body to a write, and the answer about it.

use std::sync::Arc;

use serde_json::Value;

use super::super::meta;
use super::super::patch::Patch;
use super::super::ssa::{self, Application, Conflicts};
use super::super::status::{ApiError, Cause};
use super::super::write::{self, Caller, Part};
use super::answer::Answer;
use super::{Call, body, events, list};

pub(super) fn create(call: &Call) -> Result<Answer, ApiError> {
    if call.target.name.is_some() {
        return Err(ApiError::method_not_allowed());
    }
    let caller = call.caller("CreateOptions")?;
    let mut object = body::object(call)?;
    place(call, &mut object)?;
    let warnings = body::check(call, &mut object)?;
    let object = events::to_storage(&call.resource, object);
    let resource = call.stored();
    let created = call.store.transact(|state| write::create(state, &resource, object, &caller))?;
    Ok(answer(call, 201, &created).with_warnings(&warnings))
}

/// Puts an object into the namespace of the path; they must not contradict each other.
fn place(call: &Call, object: &mut Value) -> Result<(), ApiError> {
    if !object["metadata"].is_null() && !object["metadata"].is_object() {
        return Err(ApiError::bad_request("metadata must be an object"));
    }
    let Some(namespace) = call.target.namespace.as_deref().filter(|_| call.resource.namespaced) else { return Ok(()) };
    let own = meta::text(object, "namespace");
    if !own.is_empty() && own != namespace {
        return Err(ApiError::bad_request("the namespace of the provided object does not match the namespace sent on the request"));
    }
    object["metadata"]["namespace"] = namespace.into();
    Ok(())
}

pub(super) fn update(call: &Call) -> Result<Answer, ApiError> {
    if call.target.name.is_none() {
        return Err(ApiError::method_not_allowed());
    }
    let caller = call.caller("UpdateOptions")?;
    let mut object = body::object(call)?;
    place(call, &mut object)?;
    check_name(call, &object)?;
    object["metadata"]["name"] = call.name().into();
    let warnings = body::check(call, &mut object)?;
    if call.resource.is_custom() && meta::text(&object, "resourceVersion").is_empty() {
        let cause = Cause::invalid("metadata.resourceVersion", &0.into(), "must be specified for an update");
        return Err(ApiError::invalid(&call.resource.gr.group, &call.resource.kind, call.name(), &[cause]));
    }
    let object = events::to_storage(&call.resource, object);
    let resource = call.stored();
    let updated = call.store.transact(|state| write::replace(state, &resource, &call.key(), object, &caller))?;
    Ok(answer(call, 200, &updated).with_warnings(&warnings))
}

fn check_name(call: &Call, object: &Value) -> Result<(), ApiError> {
    let own = meta::text(object, "name");
    if own.is_empty() || own == call.name() {
        return Ok(());
    }
    Err(ApiError::bad_request(format!("the name of the object ({own}) does not match the name on the URL ({})", call.name())))
}

pub(super) fn patch(call: &Call) -> Result<Answer, ApiError> {
    if call.target.name.is_none() {
        return Err(ApiError::method_not_allowed());
    }
    body::check_size(call)?;
    let caller = call.caller("PatchOptions")?;
    match Patch::read(&call.content_type, &call.body, call.resource.is_custom())? {
        Patch::Apply(applied) => apply(call, caller, applied),
        other => {
            if call.query.get("force").is_some() {
                let cause = Cause::forbidden("force", "may not be specified for non-apply patch");
                return Err(ApiError::invalid_options("PatchOptions", &[cause]));
            }
            change(call, &caller, &other)
        }
    }
}

/// JSON, merge and strategic merge patches: the object must exist.
fn change(call: &Call, caller: &Caller, patch: &Patch) -> Result<Answer, ApiError> {
    let resource = call.stored();
    let (patched, warnings) = call.store.transact(|state| {
        let gr = &resource.gr;
        let Some(old) = state.get(gr, &call.key()).cloned() else {
            return Err(ApiError::not_found(&gr.group, &gr.plural, call.name()));
        };
        let mut new = patch.apply(&call.resource, events::from_storage(&call.resource, &old))?;
        let warnings = body::check(call, &mut new)?;
        // A patch that spells out the resourceVersion is a precondition, as in a PUT.
        let new = events::to_storage(&call.resource, new);
        Ok((write::replace(state, &resource, &call.key(), new, caller)?, warnings))
    })?;
    Ok(answer(call, 200, &patched).with_warnings(&warnings))
}

fn apply(call: &Call, caller: Caller, mut applied: Value) -> Result<Answer, ApiError> {
    if call.query.get("fieldManager").is_none() {
        let cause = Cause::required("fieldManager", "is required for apply patch");
        return Err(ApiError::invalid_options("PatchOptions", &[cause]));
    }
    place(call, &mut applied)?;
    check_name(call, &applied)?;
    applied["metadata"]["name"] = call.name().into();
    let conflicts = if call.query.is_on("force") { Conflicts::Take } else { Conflicts::Refuse };
    let (code, object) = ssa::apply(&call.store, &call.stored(), &call.key(), Application { manifest: applied, caller, conflicts })?;
    Ok(answer(call, code, &object))
}

/// Gives an unscheduled pod its node.
pub(super) fn bind(call: &Call) -> Result<Answer, ApiError> {
    let caller = call.caller("CreateOptions")?.on(Part::Binding);
    let binding: Value = serde_json::from_slice(&call.body).map_err(|_| ApiError::bad_request("the binding cannot be read"))?;
    let node = binding["target"]["name"].as_str().unwrap_or_default().to_owned();
    let resource = call.stored();
    let bound = call.store.transact(|state| {
        let gr = &resource.gr;
        let old = state.get(gr, &call.key()).cloned().ok_or_else(|| ApiError::not_found(&gr.group, &gr.plural, call.name()))?;
        if let Some(taken) = old["spec"]["nodeName"].as_str().filter(|node| !node.is_empty()) {
            let detail = format!("pod {} is already assigned to node {taken:?}", call.name());
            return Err(ApiError::conflict("", "pods/binding", call.name(), &detail));
        }
        let mut new = Value::clone(&old);
        new["spec"]["nodeName"] = node.into();
        write::replace(state, &resource, &call.key(), new, &caller)
    })?;
    let status = write::success(&call.resource, call.name(), &meta::text(&bound, "uid"));
    Ok(Answer::value(201, &status, call.accept))
}

fn answer(call: &Call, code: u16, object: &Arc<Value>) -> Answer {
    Answer::value(code, &list::shaped(&call.resource, object, call.accept.form), call.accept)
}
