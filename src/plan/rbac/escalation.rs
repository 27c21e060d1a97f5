//! Kubernetes lets nobody hand on rights that he has not got, unless he may `escalate` a role or `bind` one. The check belongs to every
//! write of an RBAC object that changes it, dry runs included.

use std::sync::Arc;

use serde_json::Value;

use super::Scene;
use crate::model::{Grant, Object, ResourceKey, Task};

const GROUP: &str = "rbac.authorization.k8s.io";
/// More than so many single rights are not asked for one by one.
const MOST: usize = 256;

/// A right that the write of an RBAC object takes.
pub(super) struct Handing {
    pub(super) grant: Grant,
    pub(super) does: &'static str,
    /// The rights that are handed on; `None` if they cannot be told, or are too many.
    pub(super) instead: Option<Vec<Grant>>,
}

/// Returns what the write of this target takes; `None` if it hands on nothing, or nothing new.
pub(super) fn handing(task: &Task, target: &Object, targets: &[(&ResourceKey, &Object)], scene: &Scene) -> Option<Handing> {
    let key = &task.id.key;
    if *key.group != *GROUP || scene.live.get(key).is_some_and(|live| is_unchanged(target.wire(), live.wire())) {
        return None;
    }
    match &*key.kind {
        "Role" | "ClusterRole" => {
            let rules = target.wire().get("rules");
            // A ClusterRole that gathers others hands on what nobody knows yet.
            let is_known = target.wire().get("aggregationRule").is_none_or(Value::is_null);
            let instead = if is_known { rights(rules, &key.namespace) } else { None };
            Some(Handing { grant: grant("escalate", &key.kind, &key.namespace, &key.name), does: "hands on rights in", instead })
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            let [kind, name] = ["kind", "name"].map(|field| target.text(&["roleRef", field]));
            let namespace = if kind == "Role" { &*key.namespace } else { "" };
            let role = ResourceKey::new(GROUP, kind, namespace, name);
            let bound = targets.iter().find(|(known, _)| **known == role).map(|(_, object)| *object).or_else(|| scene.live.get(&role));
            let instead = bound.and_then(|bound| rights(bound.wire().get("rules"), &key.namespace));
            Some(Handing { grant: grant("bind", kind, &key.namespace, name), does: "hands on a role in", instead })
        }
        _ => None,
    }
}

/// Returns the role that a binding binds, if the object is one.
pub(crate) fn bound_role(key: &ResourceKey, target: &Object) -> Option<ResourceKey> {
    let is_binding = *key.group == *GROUP && ["RoleBinding", "ClusterRoleBinding"].contains(&&*key.kind);
    let [kind, name] = ["kind", "name"].map(|field| target.text(&["roleRef", field]));
    let namespace = if kind == "Role" { &*key.namespace } else { "" };
    (is_binding && !name.is_empty()).then(|| ResourceKey::new(GROUP, kind, namespace, name))
}

fn grant(verb: &str, kind: &str, namespace: &str, name: &str) -> Grant {
    let resource = if kind == "Role" { "roles" } else { "clusterroles" };
    Grant {
        verb: verb.into(),
        group: GROUP.into(),
        resource: resource.into(),
        subresource: "".into(),
        namespace: namespace.into(),
        name: name.into(),
    }
}

/// Returns whether the live object has everything that the target asks for; labels and annotations belong to it.
pub(super) fn is_unchanged(target: &Value, live: &Value) -> bool {
    let Some(fields) = target.as_object() else { return false };
    fields.iter().filter(|(field, _)| *field != "metadata").all(|(field, value)| covers(value, &live[field]))
        && ["labels", "annotations"].iter().all(|field| {
            let wanted = &target["metadata"][field];
            wanted.is_null() || covers(wanted, &live["metadata"][field])
        })
}

fn covers(target: &Value, live: &Value) -> bool {
    match (target, live) {
        (Value::Object(target), Value::Object(live)) => {
            target.iter().all(|(field, value)| live.get(field).is_some_and(|live| covers(value, live)))
        }
        (Value::Array(target), Value::Array(live)) => {
            target.len() == live.len() && target.iter().zip(live).all(|(target, live)| covers(target, live))
        }
        _ => target == live,
    }
}

/// Returns every single right of a role's rules; `None` where a rule is about URLs, is not one, or where they are too many.
fn rights(rules: Option<&Value>, namespace: &str) -> Option<Vec<Grant>> {
    let mut found = Vec::new();
    for rule in rules?.as_array()? {
        let texts = |field: &str| -> Vec<&str> { rule[field].as_array().into_iter().flatten().filter_map(Value::as_str).collect() };
        let (verbs, groups, resources, mut names) = (texts("verbs"), texts("apiGroups"), texts("resources"), texts("resourceNames"));
        if resources.is_empty() || groups.is_empty() || verbs.is_empty() {
            return None;
        }
        let product = [verbs.len(), groups.len(), resources.len(), names.len().max(1)].into_iter().fold(1, usize::saturating_mul);
        if found.len().saturating_add(product) > MOST {
            return None;
        }
        if names.is_empty() {
            names.push("");
        }
        for verb in verbs {
            for group in &groups {
                for resource in &resources {
                    found.extend(names.iter().map(|name| right([verb, group, resource, name], namespace)));
                }
            }
        }
    }
    Some(found)
}

fn right([verb, group, resource, name]: [&str; 4], namespace: &str) -> Grant {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let [verb, group, resource, subresource, namespace, name] = [verb, group, resource, subresource, namespace, name].map(Arc::<str>::from);
    Grant { verb, group, resource, subresource, namespace, name }
}
