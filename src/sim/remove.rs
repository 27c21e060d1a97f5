//! The rules of deletion: preconditions, finalizers, propagation, grace of pods, namespaces. What happens to
//! dependents is the garbage collector's business, not this module's.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::registry::{Gr, Resource};
use super::status::ApiError;
use super::store::{Key, State, stamp};
use super::write::{Caller, Keep};
use super::{crd, meta};

/// What happens to the dependents of a deleted object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Propagation {
    Background,
    Foreground,
    Orphan,
}

/// How to delete.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeleteOptions {
    pub(crate) propagation: Option<Propagation>,
    pub(crate) grace_seconds: Option<i64>,
    /// Only this incarnation.
    pub(crate) uid: Option<String>,
    /// Only this revision of it.
    pub(crate) resource_version: Option<String>,
}

/// What a delete left behind.
#[derive(Debug)]
pub(super) struct Gone {
    pub(super) object: Arc<Value>,
    /// The answer is the object, not a Status: it still exists, or it is a pod.
    pub(super) shows_object: bool,
}

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// Deletes an object, or marks it as being deleted if something has to happen first.
pub(super) fn delete(
    state: &mut State,
    resource: &Resource,
    key: &Key,
    options: &DeleteOptions,
    caller: &Caller,
) -> Result<Gone, ApiError> {
    let gr = resource.storage();
    let Some(old) = state.get(&gr, key).cloned() else {
        return Err(ApiError::not_found(&gr.group, &gr.plural, &key.1));
    };
    check_preconditions(&gr, key, &old, options)?;
    if &*gr.plural == "namespaces" {
        return namespace(state, &gr, key, &old, caller);
    }
    let mut marked = Value::clone(&old);
    let grace = grace(resource, &old, options);
    mark_finalizers(resource, &mut marked, options);
    mark_deletion(resource, &old, &mut marked, grace, caller.now);
    if meta::finalizers(&marked).is_empty() && marked["metadata"]["deletionGracePeriodSeconds"] == 0 {
        if caller.keep == Keep::Store {
            state.take(&gr, key);
            crd::after_removal(state, &gr, &old);
        }
        let shows_object = &*gr.plural == "pods" && gr.group.is_empty();
        let object = if shows_object { Arc::new(marked) } else { old };
        return Ok(Gone { object, shows_object });
    }
    let object = match caller.keep {
        Keep::Store if marked != *old => state.put(&gr, key, marked),
        Keep::Store => old,
        Keep::DryRun => Arc::new(marked),
    };
    Ok(Gone { object, shows_object: true })
}

fn check_preconditions(gr: &Gr, key: &Key, old: &Value, options: &DeleteOptions) -> Result<(), ApiError> {
    let checks = [("UID", &options.uid, "uid"), ("ResourceVersion", &options.resource_version, "resourceVersion")];
    for (word, wanted, field) in checks {
        let found = meta::text(old, field);
        if let Some(wanted) = wanted.as_deref().filter(|wanted| *wanted != found) {
            let detail = format!(
                "the {word} in the precondition ({wanted}) does not match the {word} in record ({found}). The object might have been deleted and then recreated"
            );
            let detail = if word == "UID" { detail } else { detail.replace("deleted and then recreated", "modified") };
            return Err(ApiError::conflict(&gr.group, &gr.plural, &key.1, &detail));
        }
    }
    Ok(())
}

/// The seconds a pod that runs somewhere has left; 0 for everything else.
fn grace(resource: &Resource, old: &Value, options: &DeleteOptions) -> i64 {
    let is_running_pod = &*resource.gr.plural == "pods"
        && resource.gr.group.is_empty()
        && old["spec"]["nodeName"].as_str().is_some_and(|node| !node.is_empty())
        && !matches!(old["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    if !is_running_pod {
        return 0;
    }
    let own = || old["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap_or(30);
    options.grace_seconds.unwrap_or_else(own).max(0)
}

fn mark_finalizers(resource: &Resource, object: &mut Value, options: &DeleteOptions) {
    let own_default = if &*resource.gr.plural == "jobs" && &*resource.gr.group == "batch" { Some(Propagation::Orphan) } else { None };
    let mut names = meta::finalizers(object);
    match options.propagation.or(own_default) {
        None => return,
        Some(Propagation::Background) => names.retain(|name| name != FOREGROUND && name != ORPHAN),
        Some(Propagation::Foreground) => swap(&mut names, ORPHAN, FOREGROUND),
        Some(Propagation::Orphan) => swap(&mut names, FOREGROUND, ORPHAN),
    }
    if names.is_empty() {
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("finalizers");
        }
    } else {
        object["metadata"]["finalizers"] = json!(names);
    }
}

fn swap(names: &mut Vec<String>, out: &str, into: &str) {
    names.retain(|name| name != out);
    if !names.iter().any(|name| name == into) {
        names.push(into.to_owned());
    }
}

/// Sets the deletion time; a later delete may only shorten it.
fn mark_deletion(resource: &Resource, old: &Value, marked: &mut Value, grace: i64, now: Timestamp) {
    let current = old["metadata"]["deletionGracePeriodSeconds"].as_i64();
    if meta::is_deleting(old) && current.is_some_and(|current| current <= grace) {
        return;
    }
    let first = !meta::is_deleting(old);
    let at = now.saturating_add(SignedDuration::from_secs(grace)).unwrap_or(now);
    marked["metadata"]["deletionTimestamp"] = stamp(at).into();
    marked["metadata"]["deletionGracePeriodSeconds"] = grace.into();
    if first && resource.generation {
        let generation = old["metadata"]["generation"].as_i64().unwrap_or(0) + 1;
        marked["metadata"]["generation"] = generation.into();
    }
}

fn namespace(state: &mut State, gr: &Gr, key: &Key, old: &Arc<Value>, caller: &Caller) -> Result<Gone, ApiError> {
    if matches!(&*key.1, "default" | "kube-system" | "kube-public" | "kube-node-lease") {
        return Err(ApiError::forbidden("", "namespaces", &key.1, "this namespace may not be deleted"));
    }
    let mut marked = Value::clone(old);
    if !meta::is_deleting(old) {
        marked["metadata"]["deletionTimestamp"] = stamp(caller.now).into();
        marked["metadata"]["deletionGracePeriodSeconds"] = 0.into();
        marked["status"]["phase"] = "Terminating".into();
    }
    let object = match caller.keep {
        Keep::Store if marked != **old => state.put(gr, key, marked),
        Keep::Store => Arc::clone(old),
        Keep::DryRun => Arc::new(marked),
    };
    Ok(Gone { object, shows_object: true })
}

/// Tells whether an object in deletion has nothing to wait for any more.
pub(super) fn is_finished(resource: &Resource, object: &Value) -> bool {
    let spec_finalizers = object["spec"]["finalizers"].as_array().is_some_and(|names| !names.is_empty());
    meta::is_deleting(object)
        && meta::finalizers(object).is_empty()
        && object["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or(0) == 0
        && !(&*resource.gr.plural == "namespaces" && spec_finalizers)
}
