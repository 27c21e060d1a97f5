//! DELETE of one object and of collections, and evictions.

use serde_json::{Map, Value};

use super::super::meta;
use super::super::registry::Gr;
use super::super::remove::{self, DeleteOptions, Gone, Propagation};
use super::super::selector::selects;
use super::super::status::{ApiError, Cause};
use super::super::write::{self, Keep};
use super::answer::Answer;
use super::{Call, list};

pub(super) fn delete(call: &Call) -> Result<Answer, ApiError> {
    let body = body(call)?;
    let options = options(call, &body)?;
    let caller = caller(call, &body)?;
    let resource = call.stored();
    let gone = call.store.transact(|state| remove::delete(state, &resource, &call.key(), &options, &caller))?;
    let warns = resource.kind == "Job" && options.propagation.is_none();
    let warnings: &[String] = &["child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning".to_owned()];
    Ok(answer(call, &gone).with_warnings(if warns { warnings } else { &[] }))
}

fn answer(call: &Call, gone: &Gone) -> Answer {
    if gone.shows_object {
        return Answer::value(200, &list::shaped(&call.resource, &gone.object, call.accept.form), call.accept);
    }
    let status = write::success(&call.resource, call.name(), &meta::text(&gone.object, "uid"));
    Answer::value(200, &status, call.accept)
}

pub(super) fn delete_all(call: &Call) -> Result<Answer, ApiError> {
    let selector = list::selector(call)?;
    let body = body(call)?;
    let options = options(call, &body)?;
    let caller = caller(call, &body)?;
    let resource = call.stored();
    let (rev, objects) = call.store.transact(|state| {
        let present = state.range(&resource.storage(), call.target.namespace.as_deref());
        let chosen: Vec<_> =
            present.filter(|(_, object)| selector.matches(object)).map(|(key, object)| (key.clone(), object.clone())).collect();
        for (key, _) in &chosen {
            remove::delete(state, &resource, key, &options, &caller)?;
        }
        Ok((state.rev(), chosen))
    })?;
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".into(), rev.to_string().into());
    Ok(Answer::value(200, &list::list_object(call, metadata, objects.iter().map(|(_, object)| object)), call.accept))
}

fn caller(call: &Call, body: &Value) -> Result<write::Caller, ApiError> {
    let mut caller = call.caller("DeleteOptions")?;
    if body["dryRun"].as_array().is_some_and(|values| values.iter().any(|value| value == "All")) {
        caller.keep = Keep::DryRun;
    }
    Ok(caller)
}

fn body(call: &Call) -> Result<Value, ApiError> {
    if call.body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&call.body).map_err(|error| ApiError::bad_request(format!("the DeleteOptions cannot be read: {error}")))
}

/// Reads the options; the body wins over the parameters.
fn options(call: &Call, body: &Value) -> Result<DeleteOptions, ApiError> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let grace = body["gracePeriodSeconds"].as_i64().or_else(|| call.query.get("gracePeriodSeconds").and_then(|text| text.parse().ok()));
    Ok(DeleteOptions {
        propagation: propagation(call, body)?,
        grace_seconds: grace,
        uid: text(&body["preconditions"]["uid"]),
        resource_version: text(&body["preconditions"]["resourceVersion"]),
    })
}

fn propagation(call: &Call, body: &Value) -> Result<Option<Propagation>, ApiError> {
    let policy = body["propagationPolicy"].as_str().or_else(|| call.query.get("propagationPolicy"));
    let orphan = body["orphanDependents"].as_bool().or_else(|| call.query.get("orphanDependents").map(|text| text == "true"));
    let refuse = |cause| Err(ApiError::invalid_options("DeleteOptions", &[cause]));
    match (policy, orphan) {
        (Some(policy), Some(_)) => {
            let detail = "orphanDependents and deletionPropagation cannot be both set";
            refuse(Cause::invalid("propagationPolicy", &policy.into(), detail))
        }
        (Some("Background"), None) | (None, Some(false)) => Ok(Some(Propagation::Background)),
        (Some("Foreground"), None) => Ok(Some(Propagation::Foreground)),
        (Some("Orphan"), None) | (None, Some(true)) => Ok(Some(Propagation::Orphan)),
        (Some(other), None) => {
            refuse(Cause::not_supported("propagationPolicy", &other.into(), &["Foreground", "Background", "Orphan", "nil"]))
        }
        (None, None) => Ok(None),
    }
}

/// Deletes a pod unless a disruption budget says no.
pub(super) fn evict(call: &Call) -> Result<Answer, ApiError> {
    let body = body(call)?;
    let caller = caller(call, &body)?;
    let options = options(call, &body["deleteOptions"])?;
    let resource = call.stored();
    let gone = call.store.transact(|state| {
        let gr = &resource.gr;
        let pod = state.get(gr, &call.key()).cloned().ok_or_else(|| ApiError::not_found(&gr.group, &gr.plural, call.name()))?;
        let budgets = state.range(&Gr::new("policy", "poddisruptionbudgets"), call.target.namespace.as_deref());
        for (key, budget) in budgets {
            let is_meant = selects(&budget["spec"]["selector"], &pod["metadata"]["labels"]);
            if is_meant && budget["status"]["disruptionsAllowed"].as_i64().unwrap_or(0) <= 0 {
                return Err(budget_refusal(&key.1, budget));
            }
        }
        remove::delete(state, &resource, &call.key(), &options, &caller)
    })?;
    let status = write::success(&call.resource, call.name(), &meta::text(&gone.object, "uid"));
    Ok(Answer::value(201, &status, call.accept))
}

fn budget_refusal(name: &str, budget: &Value) -> ApiError {
    let count = |field: &str| budget["status"][field].as_i64().unwrap_or(0);
    let (wanted, healthy) = (count("desiredHealthy"), count("currentHealthy"));
    let text = format!("The disruption budget {name} needs {wanted} healthy pods and has {healthy} currently");
    let cause = Cause::new("DisruptionBudget", "", text);
    ApiError::too_many_requests("Cannot evict pod as it would violate the pod's disruption budget.", &[cause])
}
