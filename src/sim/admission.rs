//! Admission: what the cluster around a new object says about it. Service accounts that must exist, quotas that are
//! used up. The object itself is judged in `validate`.

use serde_json::Value;

use super::meta;
use super::registry::{Gr, Resource};
use super::status::{ApiError, qualified};
use super::store::State;

/// Refuses a new object that the cluster cannot take.
pub(super) fn admit(state: &State, resource: &Resource, object: &Value) -> Result<(), ApiError> {
    if (&*resource.gr.group, &*resource.gr.plural) == ("", "pods") {
        service_account(state, object)?;
    }
    quotas(state, resource, object)
}

fn service_account(state: &State, object: &Value) -> Result<(), ApiError> {
    let account = object["spec"]["serviceAccountName"].as_str().unwrap_or("default");
    let namespace = meta::text(object, "namespace");
    let key = (namespace.as_str().into(), account.into());
    // The account "default" appears by itself soon after the namespace; a pod need not wait for it here.
    if account == "default" || state.get(&Gr::new("", "serviceaccounts"), &key).is_some() {
        return Ok(());
    }
    let detail = format!("error looking up service account {namespace}/{account}: serviceaccount {account:?} not found");
    Err(ApiError::forbidden("", "pods", &meta::text(object, "name"), &detail))
}

/// Quotas on the number of objects; those on cpu and memory are not counted.
fn quotas(state: &State, resource: &Resource, object: &Value) -> Result<(), ApiError> {
    let namespace = meta::text(object, "namespace");
    if namespace.is_empty() {
        return Ok(());
    }
    let gr = resource.storage();
    let count = format!("count/{}", qualified(&gr.plural, &gr.group));
    for ((_, quota), limits) in state.range(&Gr::new("", "resourcequotas"), Some(&namespace)) {
        let hard = &limits["spec"]["hard"];
        let names = [count.as_str(), &*gr.plural];
        for name in names.into_iter().filter(|name| name.contains('/') || gr.group.is_empty()) {
            let limit = hard[name].as_str().and_then(|text| text.parse::<usize>().ok());
            let used = state.range(&gr, Some(&namespace)).count();
            if let Some(limit) = limit.filter(|limit| used >= *limit) {
                let detail = format!("exceeded quota: {quota}, requested: {name}=1, used: {name}={used}, limited: {name}={limit}");
                return Err(ApiError::forbidden(&gr.group, &gr.plural, &meta::text(object, "name"), &detail));
            }
        }
    }
    Ok(())
}
