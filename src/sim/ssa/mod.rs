//! Server-side apply: merging a manifest into an object by who owns which field. Fields that a manager stops
//! mentioning go, fields that others own are conflicts. Knows types and managers, not what the kinds mean.

mod fields;
mod merge;
mod walk;

use std::sync::Arc;

use serde_json::Value;

pub(super) use self::fields::FieldSet;
pub(super) use self::walk::{Owner, compare, fields, strip};

use super::managed::{self, Entry, Operation};
use super::meta;
use super::registry::Resource;
use super::schema::{Cleaning, TypeError};
use super::status::{ApiError, Cause};
use super::store::{Key, State, Store};
use super::write::{self, Caller, Part};

/// What to do about fields of other managers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conflicts {
    Refuse,
    Take,
}

/// What is applied, and by whom.
#[derive(Debug)]
pub(super) struct Application {
    pub(super) manifest: Value,
    pub(super) caller: Caller,
    pub(super) conflicts: Conflicts,
}

/// Applies a manifest; returns the HTTP code (201 for a new object) and the object.
pub(super) fn apply(store: &Store, resource: &Resource, key: &Key, mut applied: Application) -> Result<(u16, Arc<Value>), ApiError> {
    let manifest = &mut applied.manifest;
    check(resource, key, manifest)?;
    match applied.caller.part {
        Part::Status => merge::only(manifest, &["apiVersion", "kind", "metadata", "status"]),
        Part::Main | Part::Scale | Part::Finalize | Part::Binding => {
            if let Some(fields) = manifest.as_object_mut().filter(|_| resource.status) {
                fields.remove("status");
            }
        }
    }
    store.transact(|state| match state.get(&resource.gr, key).cloned() {
        None => create(state, resource, applied.manifest, applied.caller).map(|object| (201, object)),
        Some(live) => change(state, resource, (key, &live), applied).map(|object| (200, object)),
    })
}

/// Compares a manifest with its type; what does not fit is an internal error, as on the real server.
fn check(resource: &Resource, key: &Key, manifest: &mut Value) -> Result<(), ApiError> {
    let report = resource.schema.check(manifest, Cleaning::None);
    let (namespace, name) = key;
    let kind = format!("{}/{}, Kind={}", resource.gr.group, resource.version, resource.kind);
    let mut texts: Vec<String> = report.undeclared.iter().map(|path| format!("{path}: field not declared in schema")).collect();
    match report.wrong {
        Some(TypeError { path, expected: Some(expected), found, .. }) => {
            texts.push(format!("{path}: expected {expected}, got &value.valueUnstructured{{Value:{found}}}"));
        }
        Some(TypeError { go, expected: None, .. }) => {
            let head = format!("failed to convert new object ({namespace}/{name}; {kind}) to proper version");
            return Err(ApiError::internal("", format!("{head}: unable to convert unstructured object to {kind}: {go}")));
        }
        None => texts.extend(merge::unfit(resource.schema.root(), manifest, "")),
    }
    let text = match texts.as_slice() {
        [] => return Ok(()),
        [one] => one.clone(),
        many => format!("errors:\n  {}", many.join("\n  ")),
    };
    Err(ApiError::internal("", format!("failed to create typed patch object ({namespace}/{name}; {kind}): {text}")))
}

/// The fields of a manifest that its manager will own.
fn owned_by(resource: &Resource, manifest: &Value) -> FieldSet {
    let mut set = fields(resource.schema.root(), manifest, Owner::Applier);
    strip(&mut set);
    set
}

/// The managers of an object, before an apply.
fn owners(resource: &Resource, live: &Value) -> Vec<Entry> {
    let entries = managed::read(live);
    if entries.is_empty() {
        return vec![Entry::before_first_apply(resource, fields(resource.schema.root(), live, Owner::Applier))];
    }
    entries
}

/// Drops what a manifest may say and an object does not show.
fn clean(resource: &Resource, object: &mut Value) {
    merge::without_nulls(object);
    drop(resource.schema.check(object, Cleaning::Full));
}

fn create(state: &mut State, resource: &Resource, mut manifest: Value, caller: Caller) -> Result<Arc<Value>, ApiError> {
    let gr = &resource.gr;
    let name = meta::text(&manifest, "name");
    let uid = meta::text(&manifest, "uid");
    if !uid.is_empty() {
        let detail = format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
        return Err(ApiError::conflict(&gr.group, &gr.plural, &name, &detail));
    }
    if caller.part != Part::Main {
        return Err(ApiError::not_found(&gr.group, &gr.plural, &name));
    }
    let entry = Entry::applied(resource, &caller, owned_by(resource, &manifest));
    clean(resource, &mut manifest);
    let applied = Some(managed::write(vec![entry]));
    write::create(state, resource, manifest, &Caller { applied, ..caller })
}

fn change(state: &mut State, resource: &Resource, (key, live): (&Key, &Value), applied: Application) -> Result<Arc<Value>, ApiError> {
    let Application { manifest, caller, conflicts } = applied;
    let root = resource.schema.root();
    let mut entries = owners(resource, live);
    let mut own = Entry::applied(resource, &caller, owned_by(resource, &manifest));
    let former = entries.iter().position(|entry| entry.is_same_manager(&own)).map(|at| entries.remove(at));
    let mut merged = merge::merge(root, live, &manifest);
    if let Some(former) = &former {
        let mut owned = own.set.clone();
        entries.iter().for_each(|entry| owned.unite(&entry.set));
        merge::prune(root, &mut merged, &former.set, &owned);
    }
    clean(resource, &mut merged);
    let difference = compare(root, live, &merged);
    let disputed: Vec<(Entry, FieldSet)> = entries
        .iter()
        .map(|entry| (entry.clone(), entry.set.common(&difference.changed)))
        .filter(|(_, disputed)| !disputed.is_empty())
        .collect();
    if conflicts == Conflicts::Refuse && !disputed.is_empty() {
        return Err(conflict(&disputed));
    }
    for entry in &mut entries {
        entry.set.subtract(&difference.changed);
        entry.set.subtract(&difference.removed);
    }
    if let Some(former) = former.filter(|former| former.set == own.set && merged == *live) {
        own.time = former.time;
    }
    entries.push(own);
    let applied = Some(managed::write(entries));
    write::replace(state, resource, key, merged, &Caller { applied, ..caller })
}

fn conflict(disputed: &[(Entry, FieldSet)]) -> ApiError {
    let mut causes = Vec::new();
    let mut lines = Vec::new();
    for (entry, set) in disputed {
        let who = entry.readable();
        lines.push(format!("conflicts with {who}:"));
        for path in set.paths() {
            lines.push(format!("- {path}"));
            causes.push((who.clone(), path));
        }
    }
    let message = match causes.as_slice() {
        [(who, path)] => format!("Apply failed with 1 conflict: conflict with {who}: {path}"),
        many => format!("Apply failed with {} conflicts: {}", many.len(), lines.join("\n")),
    };
    let cause = |(who, path): &(String, String)| Cause::new("FieldManagerConflict", path.clone(), format!("conflict with {who}"));
    ApiError::apply_conflict(message, &causes.iter().map(cause).collect::<Vec<_>>())
}

impl Entry {
    fn applied(resource: &Resource, caller: &Caller, set: FieldSet) -> Self {
        Self::new(resource, caller, Operation::Apply, set)
    }
}
