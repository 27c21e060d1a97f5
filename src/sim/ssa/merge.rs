//! The values of an apply: laying a manifest over an object, and taking away what a manager no longer mentions.

use serde_json::{Map, Value};

use super::super::schema::{Key, ListMerge, Node};
use super::fields::FieldSet;
use super::walk::item_step;

/// Lays `patch` over `live`.
pub(super) fn merge(node: &Node, live: &Value, patch: &Value) -> Value {
    if node.is_atomic() {
        return patch.clone();
    }
    match (live, patch) {
        (Value::Object(live), Value::Object(patch)) => {
            let mut merged = live.clone();
            for (key, value) in patch {
                let inner = node.field(key).unwrap_or(&Node::Any);
                let value = live.get(key).map_or_else(|| value.clone(), |live| merge(inner, live, value));
                merged.insert(key.clone(), value);
            }
            Value::Object(merged)
        }
        (Value::Array(live), Value::Array(patch)) => match node {
            Node::List(item, ListMerge::Keyed(keys)) => Value::Array(merge_items(item, keys, live, patch)),
            Node::List(_, ListMerge::Set) => {
                let added = patch.iter().filter(|value| !live.contains(value));
                Value::Array(live.iter().chain(added).cloned().collect())
            }
            _ => Value::Array(patch.clone()),
        },
        _ => patch.clone(),
    }
}

/// Items of the patch come in its order; items only the object has keep their place between them.
fn merge_items(item: &Node, keys: &[Key], live: &[Value], patch: &[Value]) -> Vec<Value> {
    let names = |items: &[Value]| items.iter().map(|value| item_step(keys, value)).collect::<Vec<_>>();
    let (live_names, patch_names) = (names(live), names(patch));
    let mut merged = Vec::new();
    let mut at = 0;
    for (name, value) in patch_names.iter().zip(patch) {
        while at < live.len() && !patch_names.contains(&live_names[at]) {
            merged.push(live[at].clone());
            at += 1;
        }
        let found = live_names.iter().position(|live| live == name);
        merged.push(found.map_or_else(|| value.clone(), |found| merge(item, &live[found], value)));
        if found == Some(at) {
            at += 1;
        }
    }
    let rest = (at..live.len()).filter(|at| !patch_names.contains(&live_names[*at]));
    merged.extend(rest.map(|at| live[at].clone()));
    merged
}

/// Removes what `last` contains and nobody owns any more; `owned` is what all managers own now.
pub(super) fn prune(node: &Node, value: &mut Value, last: &FieldSet, owned: &FieldSet) {
    if node.is_atomic() {
        return;
    }
    for (step, was) in &last.children {
        match owned.children.get(step) {
            None => remove(node, value, step),
            Some(owned) => {
                let inner = inner(node, step);
                if let Some(child) = find(node, value, step) {
                    prune(inner, child, was, owned);
                }
            }
        }
    }
}

fn inner<'a>(node: &'a Node, step: &str) -> &'a Node {
    let found = match node {
        Node::List(item, _) => Some(&**item),
        _ => step.strip_prefix("f:").and_then(|name| node.field(name)),
    };
    found.unwrap_or(&Node::Any)
}

fn find<'a>(node: &Node, value: &'a mut Value, step: &str) -> Option<&'a mut Value> {
    if let Some(name) = step.strip_prefix("f:") {
        return value.get_mut(name);
    }
    let Node::List(_, ListMerge::Keyed(keys)) = node else { return None };
    value.as_array_mut()?.iter_mut().find(|item| item_step(keys, item) == step)
}

fn remove(node: &Node, value: &mut Value, step: &str) {
    match (value, node) {
        (Value::Object(fields), _) => drop(step.strip_prefix("f:").and_then(|name| fields.remove(name))),
        (Value::Array(items), Node::List(_, ListMerge::Keyed(keys))) => items.retain(|item| item_step(keys, item) != step),
        (Value::Array(items), Node::List(_, ListMerge::Set)) => items.retain(|item| format!("v:{item}") != step),
        _ => {}
    }
}

/// Finds what makes a manifest unfit to be merged: items of one key twice, items without their key.
pub(super) fn unfit(node: &Node, value: &Value, path: &str) -> Option<String> {
    if node.is_atomic() {
        return None;
    }
    match (node, value) {
        (Node::List(item, ListMerge::Keyed(keys)), Value::Array(items)) => {
            let mut seen: Vec<String> = Vec::new();
            for value in items {
                let name = match readable(keys, value) {
                    Ok(name) => name,
                    Err(key) => return Some(format!("{path}: {}", keyless(seen.len(), &key))),
                };
                if seen.contains(&name) {
                    return Some(format!("{path}: duplicate entries for key {name}"));
                }
                if let Some(text) = unfit(item, value, &format!("{path}{name}")) {
                    return Some(text);
                }
                seen.push(name);
            }
            None
        }
        (Node::Struct(_) | Node::Map(..), Value::Object(fields)) => {
            let find = |(key, value): (&String, &Value)| unfit(node.field(key)?, value, &format!("{path}.{key}"));
            fields.iter().find_map(find)
        }
        _ => None,
    }
}

fn keyless(index: usize, key: &str) -> String {
    format!("element {index}: associative list with keys has an element that omits key field {key:?} (and doesn't have default value)")
}

/// `[port=53,protocol="TCP"]`, or the name of the key that is missing.
fn readable(keys: &[Key], item: &Value) -> Result<String, String> {
    let mut parts = Vec::new();
    for key in keys {
        let value = item.get(&key.name).filter(|value| !value.is_null()).or(key.default.as_ref()).ok_or_else(|| key.name.clone())?;
        parts.push(format!("{}={value}", key.name));
    }
    Ok(format!("[{}]", parts.join(",")))
}

/// Drops nulls: they are owned, but they are no values.
pub(super) fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Keeps only some fields of a map.
pub(super) fn only(value: &mut Value, keys: &[&str]) {
    let Some(fields) = value.as_object_mut() else { return };
    let kept: Map<String, Value> = std::mem::take(fields).into_iter().filter(|(key, _)| keys.contains(&key.as_str())).collect();
    *fields = kept;
}
