//! The rules of creating and replacing objects: what the server fills in, what it refuses, when a write is none.
//! Works on the locked state and on whole objects; knows neither HTTP nor patches.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::registry::Resource;
use super::schema::Cleaning;
use super::status::{ApiError, Cause};
use super::store::{Key, State, stamp};
use super::{admission, crd, defaults, immutable, managed, meta, prepare, remove, validate};

/// Which part of an object a request may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Main,
    Status,
    Scale,
    /// The finalizers in the spec of a Namespace.
    Finalize,
    /// The node of a Pod.
    Binding,
}

impl Part {
    /// The word of `managedFields[].subresource`; empty for the object itself.
    pub(super) fn subresource(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Status => "status",
            Self::Scale => "scale",
            Self::Finalize => "finalize",
            Self::Binding => "binding",
        }
    }
}

/// Whether a write is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    Store,
    DryRun,
}

/// Who writes, when, and how.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// The field manager.
    pub(super) manager: String,
    pub(super) now: Timestamp,
    pub(super) keep: Keep,
    pub(super) part: Part,
    /// A controller of the cluster itself: it may do what only the control plane may.
    pub(super) is_internal: bool,
    /// The ownership a server-side apply has computed already.
    pub(super) applied: Option<Vec<Value>>,
}

impl Caller {
    /// A controller or the kubelet, writing straight into the store.
    pub(super) fn internal(manager: &str, now: Timestamp) -> Self {
        Self { manager: manager.to_owned(), now, keep: Keep::Store, part: Part::Main, is_internal: true, applied: None }
    }

    /// The same caller, writing to another part.
    pub(super) fn on(self, part: Part) -> Self {
        Self { part, ..self }
    }
}

/// Creates an object.
pub(super) fn create(state: &mut State, resource: &Resource, object: Value, caller: &Caller) -> Result<Arc<Value>, ApiError> {
    without_trace(state, caller, |state| make(state, resource, object, caller))
}

/// What a dry run draws (names, uids, addresses) is drawn again by the next write: a look changes no story.
fn without_trace<T>(state: &mut State, caller: &Caller, work: impl FnOnce(&mut State) -> T) -> T {
    if caller.keep == Keep::Store {
        return work(state);
    }
    let (rng, addresses) = (state.rng.clone(), state.addresses);
    let answer = work(state);
    (state.rng, state.addresses) = (rng, addresses);
    answer
}

fn make(state: &mut State, resource: &Resource, mut object: Value, caller: &Caller) -> Result<Arc<Value>, ApiError> {
    let gr = resource.storage();
    meta::identify(resource, &mut object)?;
    check_internal(resource, &mut object, caller)?;
    if !object["metadata"]["resourceVersion"].is_null() {
        return Err(ApiError::internal("", "resourceVersion should not be set on objects to be created"));
    }
    let namespace = meta::text(&object, "namespace");
    let wanted = meta::text(&object, "name");
    check_namespace(state, resource, &namespace, &wanted)?;
    meta::reset_for_create(&mut object);
    name(state, resource, &mut object, &wanted)?;
    let uid = state.rng.uid();
    object["metadata"]["uid"] = uid.into();
    object["metadata"]["creationTimestamp"] = stamp(caller.now).into();
    if resource.generation {
        object["metadata"]["generation"] = 1.into();
    }
    prepare::for_create(state, resource, &mut object);
    defaults::fill(resource, &mut object);
    let key = meta::key(&object);
    refuse(resource, &key.1, &validate::causes(resource, &object))?;
    admission::admit(state, resource, &object)?;
    if let Some(old) = state.get(&gr, &key) {
        return Err(ApiError::already_exists(&gr.group, &gr.plural, &key.1, meta::is_deleting(old)));
    }
    managed::created(resource, &mut object, caller);
    match caller.keep {
        Keep::DryRun => Ok(Arc::new(object)),
        Keep::Store => Ok(state.put(&gr, &key, object)),
    }
}

/// Requests were compared with their type when they were read; what controllers and stories write is compared here.
fn check_internal(resource: &Resource, object: &mut Value, caller: &Caller) -> Result<(), ApiError> {
    if !caller.is_internal {
        return Ok(());
    }
    let wrong = resource.schema.check(object, Cleaning::Full).wrong.filter(|wrong| !resource.is_custom() || wrong.is_in_metadata());
    wrong.map_or(Ok(()), |wrong| Err(meta::undecodable(resource, &wrong)))
}

fn name(state: &mut State, resource: &Resource, object: &mut Value, wanted: &str) -> Result<(), ApiError> {
    if !wanted.is_empty() {
        return Ok(());
    }
    let prefix = meta::text(object, "generateName");
    if prefix.is_empty() {
        let cause = Cause::required("metadata.name", "name or generateName is required");
        return Err(ApiError::invalid(&resource.gr.group, &resource.kind, "", &[cause]));
    }
    // The server cuts the prefix so that the name stays a valid label.
    let prefix: String = prefix.chars().take(58).collect();
    object["metadata"]["name"] = format!("{prefix}{}", state.rng.suffix(5)).into();
    Ok(())
}

fn check_namespace(state: &State, resource: &Resource, namespace: &str, name: &str) -> Result<(), ApiError> {
    if !resource.namespaced {
        return Ok(());
    }
    let key: Key = ("".into(), namespace.into());
    let Some(found) = state.get(&super::registry::Gr::new("", "namespaces"), &key) else {
        return Err(ApiError::not_found("", "namespaces", namespace));
    };
    if meta::is_deleting(found) {
        return Err(ApiError::namespace_terminating(&resource.gr.group, &resource.gr.plural, name, namespace));
    }
    Ok(())
}

/// Replaces an object by a new state of it.
pub(super) fn replace(state: &mut State, resource: &Resource, key: &Key, new: Value, caller: &Caller) -> Result<Arc<Value>, ApiError> {
    without_trace(state, caller, |state| put(state, resource, key, new, caller))
}

fn put(state: &mut State, resource: &Resource, key: &Key, mut new: Value, caller: &Caller) -> Result<Arc<Value>, ApiError> {
    let gr = resource.storage();
    let Some(old) = state.get(&gr, key).cloned() else {
        return Err(ApiError::not_found(&gr.group, &gr.plural, &key.1));
    };
    check_identity(resource, &old, &new)?;
    meta::identify(resource, &mut new)?;
    check_internal(resource, &mut new, caller)?;
    let asked = new["metadata"].get("managedFields").cloned();
    meta::carry_over(&old, &mut new);
    prepare::for_update(resource, &old, &mut new, caller);
    defaults::fill(resource, &mut new);
    defaults::fill_from_old(resource, &old, &mut new);
    prepare::complete_update(state, resource, &mut new);
    let mut causes = meta::update_causes(&old, &new);
    causes.extend(validate::causes(resource, &new));
    causes.extend(immutable::causes(resource, &old, &new, caller));
    refuse(resource, &key.1, &causes)?;
    grow_generation(resource, &old, &mut new, caller.part);
    managed::updated(resource, &old, &mut new, asked.as_ref(), caller);
    if managed::is_same(&old, &new) {
        return Ok(old);
    }
    match caller.keep {
        Keep::DryRun => Ok(Arc::new(new)),
        Keep::Store if remove::is_finished(resource, &new) => {
            state.take(&gr, key);
            crd::after_removal(state, &gr, &old);
            Ok(Arc::new(new))
        }
        Keep::Store => Ok(state.put(&gr, key, new)),
    }
}

/// The preconditions that the new state itself carries: uid and resourceVersion.
fn check_identity(resource: &Resource, old: &Value, new: &Value) -> Result<(), ApiError> {
    let gr = &resource.gr;
    let name = meta::text(old, "name");
    let (uid, version) = (meta::text(new, "uid"), meta::text(new, "resourceVersion"));
    if !uid.is_empty() && uid != meta::text(old, "uid") {
        let detail = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", meta::text(old, "uid"));
        return Err(ApiError::conflict(&gr.group, &gr.plural, &name, &detail));
    }
    if !version.is_empty() && version != meta::text(old, "resourceVersion") {
        return Err(ApiError::modified(&gr.group, &gr.plural, &name));
    }
    Ok(())
}

fn grow_generation(resource: &Resource, old: &Value, new: &mut Value, part: Part) {
    let is_counted = resource.generation && matches!(part, Part::Main | Part::Scale);
    if is_counted && intent(resource, old) != intent(resource, new) {
        let generation = old["metadata"]["generation"].as_i64().unwrap_or(0) + 1;
        new["metadata"]["generation"] = generation.into();
    }
}

/// The part of an object whose change counts as a new generation.
fn intent(resource: &Resource, object: &Value) -> Value {
    let has_spec = object.get("spec").is_some() && !resource.is_custom();
    if has_spec {
        return object["spec"].clone();
    }
    let fields = object.as_object().into_iter().flatten();
    let kept = fields.filter(|(key, _)| !["apiVersion", "kind", "metadata", "status"].contains(&key.as_str()));
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>())
}

fn refuse(resource: &Resource, name: &str, causes: &[Cause]) -> Result<(), ApiError> {
    if causes.is_empty() {
        return Ok(());
    }
    Err(ApiError::invalid(&resource.gr.group, &resource.kind, name, causes))
}

/// Makes the answer to a delete that left nothing behind.
pub(super) fn success(resource: &Resource, name: &str, uid: &str) -> Value {
    let mut details = json!({"name": name, "kind": *resource.gr.plural, "uid": uid});
    if !resource.gr.group.is_empty() {
        details["group"] = (*resource.gr.group).into();
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}
