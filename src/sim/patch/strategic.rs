//! Strategic merge patches: like merge patches, but lists whose items have keys are merged item by item, and
//! `$patch`, `$retainKeys`, `$setElementOrder` and `$deleteFromPrimitiveList` give orders.

use serde_json::{Map, Value};

use super::super::schema::{ListMerge, Node};
use super::super::status::ApiError;

/// Applies a patch to an object of a type.
pub(super) fn merge(node: &Node, target: &mut Value, patch: &Value) -> Result<(), ApiError> {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return Ok(());
    };
    match patch.get("$patch").and_then(Value::as_str) {
        Some("replace") => {
            *target = Value::Object(without_orders(patch));
            return Ok(());
        }
        Some("delete") => {
            *target = Value::Object(Map::new());
            return Ok(());
        }
        Some(_) | None => {}
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(fields) = target.as_object_mut() else { return Ok(()) };
    if let Some(kept) = patch.get("$retainKeys").and_then(Value::as_array) {
        fields.retain(|key, _| kept.iter().any(|wanted| wanted == key));
    }
    for (key, value) in patch.iter().filter(|(key, _)| !key.starts_with('$')) {
        field(node, fields, key, value)?;
    }
    orders(node, fields, patch);
    fields.retain(|_, value| !value.is_null());
    Ok(())
}

fn without_orders(patch: &Map<String, Value>) -> Map<String, Value> {
    patch.iter().filter(|(key, _)| !key.starts_with('$')).map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn field(node: &Node, fields: &mut Map<String, Value>, key: &str, value: &Value) -> Result<(), ApiError> {
    if value.is_null() {
        fields.remove(key);
        return Ok(());
    }
    let inner = node.field(key).unwrap_or(&Node::Any);
    match (inner, value) {
        (Node::List(item, ListMerge::Keyed(keys)), Value::Array(patches)) => {
            let target = fields.entry(key).or_insert_with(|| Value::Array(Vec::new()));
            // Strategic merge knows one key per list, the first of apply's.
            keyed_list(item, target, patches, keys.first().map_or("name", |key| key.name.as_str()))
        }
        (Node::List(_, ListMerge::Set), Value::Array(patches)) => {
            let target = fields.entry(key).or_insert_with(|| Value::Array(Vec::new()));
            let Some(items) = target.as_array_mut() else { return Ok(()) };
            let added: Vec<Value> = patches.iter().filter(|value| !items.contains(value)).cloned().collect();
            items.extend(added);
            Ok(())
        }
        (_, Value::Object(_)) => {
            let target = fields.entry(key).or_insert_with(|| Value::Object(Map::new()));
            merge(inner, target, value)
        }
        _ => {
            fields.insert(key.to_owned(), value.clone());
            Ok(())
        }
    }
}

fn keyed_list(item: &Node, target: &mut Value, patches: &[Value], key: &str) -> Result<(), ApiError> {
    let replaces = patches.iter().any(|patch| patch.get("$patch").is_some_and(|order| order == "replace") && patch.get(key).is_none());
    let Some(items) = target.as_array_mut() else {
        *target = Value::Array(patches.to_vec());
        return Ok(());
    };
    if replaces {
        *items = patches.iter().filter(|patch| patch.get("$patch").is_none()).cloned().collect();
        return Ok(());
    }
    for patch in patches {
        let Some(name) = patch.get(key) else {
            let text = format!("map: {patch} does not contain declared merge key: {key}");
            return Err(ApiError::internal("", text));
        };
        let place = items.iter().position(|item| item.get(key) == Some(name));
        let is_delete = patch.get("$patch").is_some_and(|order| order == "delete");
        match place {
            Some(place) if is_delete => drop(items.remove(place)),
            Some(place) => merge(item, &mut items[place], patch)?,
            None if is_delete => {}
            None => {
                let mut new = Value::Object(Map::new());
                merge(item, &mut new, patch)?;
                items.push(new);
            }
        }
    }
    Ok(())
}

/// The orders beside the fields: which values go, in which order items stand.
fn orders(node: &Node, fields: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (order, value) in patch {
        let Some(values) = value.as_array() else { continue };
        if let Some(name) = order.strip_prefix("$deleteFromPrimitiveList/") {
            if let Some(items) = fields.get_mut(name).and_then(Value::as_array_mut) {
                items.retain(|item| !values.contains(item));
            }
        } else if let Some(name) = order.strip_prefix("$setElementOrder/") {
            let key = match node.field(name) {
                Some(Node::List(_, ListMerge::Keyed(keys))) => keys.first().map(|key| key.name.clone()),
                Some(_) | None => None,
            };
            if let Some(items) = fields.get_mut(name).and_then(Value::as_array_mut) {
                sort(items, values, key.as_deref());
            }
        }
    }
}

/// Items named in the order come as it says; the others keep their place at the end.
fn sort(items: &mut [Value], order: &[Value], key: Option<&str>) {
    let rank = |item: &Value| {
        let place = order.iter().position(|wanted| match key {
            Some(key) => wanted.get(key) == item.get(key),
            None => wanted == item,
        });
        place.unwrap_or(order.len())
    };
    items.sort_by_key(rank);
}
