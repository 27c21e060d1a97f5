//! What goes from an object when the fields that a client-side apply has left behind become ours and the target lacks them (spec R715).
//! Works on `metadata.managedFields`; pure.

use serde_json::{Map, Value, json};

use super::live::list;
use super::migration::is_left_behind;

/// Returns whether a client-side apply has left fields behind.
pub(super) fn has_any(object: &Value) -> bool {
    list(&object["metadata"]["managedFields"]).any(is_left_behind)
}

/// Takes out of `after`, which a dry run made of `live`, what nobody owns any more once those fields are ours; the entries that owned
/// it go as well. Returns whether there was any such field.
pub(super) fn take_out(live: &Value, after: &mut Value) -> bool {
    let Some(Value::Array(entries)) = after.pointer_mut("/metadata/managedFields").map(Value::take) else { return false };
    let kept: Vec<Value> = entries.into_iter().filter(|entry| !is_left_behind(entry)).collect();
    let mut has_gone = false;
    let owned: Vec<&Value> = kept.iter().map(|entry| &entry["fieldsV1"]).collect();
    for entry in list(&live["metadata"]["managedFields"]).filter(|entry| is_left_behind(entry)) {
        has_gone |= remove(after, &entry["fieldsV1"], &owned);
    }
    after["metadata"]["managedFields"] = Value::Array(kept);
    has_gone
}

/// Removes every field of a set that none of the others has.
fn remove(value: &mut Value, set: &Value, others: &[&Value]) -> bool {
    let mut has_gone = false;
    for (key, child) in set.as_object().into_iter().flatten().filter(|(key, _)| *key != ".") {
        let kept: Vec<&Value> = others.iter().filter_map(|other| other.get(key)).collect();
        if kept.is_empty() {
            has_gone |= cut(value, key);
        } else if let Some(inner) = find(value, key) {
            has_gone |= remove(inner, child, &kept);
        }
    }
    has_gone
}

fn cut(value: &mut Value, key: &str) -> bool {
    match key.split_once(':') {
        Some(("f", name)) => value.as_object_mut().is_some_and(|fields| fields.remove(name).is_some()),
        Some(("k" | "v", _)) => {
            let Some(items) = value.as_array_mut() else { return false };
            let count = items.len();
            items.retain(|item| !is_item(item, key));
            items.len() < count
        }
        Some(_) | None => false,
    }
}

fn find<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    match key.split_once(':')? {
        ("f", name) => value.get_mut(name),
        _ => value.as_array_mut()?.iter_mut().find(|item| is_item(item, key)),
    }
}

/// Compares an item of a list with `k:{"name":"c"}` or `v:"x"`.
fn is_item(item: &Value, key: &str) -> bool {
    let Some((sort, text)) = key.split_once(':') else { return false };
    match (sort, serde_json::from_str::<Value>(text)) {
        ("k", Ok(Value::Object(keys))) => keys.iter().all(|(name, value)| item.get(name) == Some(value)),
        ("v", Ok(value)) => *item == value,
        _ => false,
    }
}

/// Returns the merge patch that makes one object of the other; ownership is left alone.
pub(super) fn merge_patch(from: &Value, to: &Value) -> Value {
    let mut patch = difference(from, to);
    if let Some(metadata) = patch.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    patch
}

fn difference(from: &Value, to: &Value) -> Value {
    let (Some(old), Some(new)) = (from.as_object(), to.as_object()) else { return to.clone() };
    let gone = old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key.clone(), Value::Null));
    let changed = new.iter().filter(|(key, value)| old.get(*key) != Some(*value)).map(|(key, value)| {
        let patch = old.get(key).map_or_else(|| value.clone(), |before| difference(before, value));
        (key.clone(), patch)
    });
    let patch: Map<String, Value> = gone.chain(changed).collect();
    json!(patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    #[test]
    fn r715_what_only_the_client_side_apply_owned_goes_and_what_others_own_stays() {
        let left = json!({"f:data": {".": {}, "f:gone": {}, "f:ours": {}, "f:theirs": {}}, "f:metadata": {"f:annotations": {".": {}, "f:old": {}}},
            "f:spec": {"f:ports": {"k:{\"port\":80}": {".": {}, "f:port": {}}, "k:{\"port\":81}": {".": {}, "f:port": {}, "f:name": {}}},
                "f:items": {"v:\"a\"": {}, "v:\"b\"": {}}}});
        let ours = json!({"f:data": {"f:ours": {}}, "f:spec": {"f:ports": {"k:{\"port\":81}": {".": {}, "f:port": {}}}, "f:items": {"v:\"b\"": {}}}});
        let theirs = entry("hpa", "Update", &json!({"f:data": {"f:theirs": {}}}));
        let left = entry("kubectl-client-side-apply", "Update", &left);
        let live = json!({"metadata": {"annotations": {"old": "x"}, "managedFields": [left, theirs]},
            "data": {"gone": "1", "ours": "2", "theirs": "3", "nobodys": "4"},
            "spec": {"ports": [{"port": 80}, {"port": 81, "name": "b", "protocol": "TCP"}], "items": ["a", "b", "c"]}});
        let mut after = live.clone();
        after["metadata"]["managedFields"] = json!([left, theirs, entry("syncwave", "Apply", &ours)]);
        assert!(take_out(&live, &mut after));
        let rest = json!({"metadata": {"managedFields": [theirs, entry("syncwave", "Apply", &ours)]},
            "data": {"ours": "2", "theirs": "3", "nobodys": "4"},
            "spec": {"ports": [{"port": 81, "protocol": "TCP"}], "items": ["b", "c"]}});
        assert_eq!(after, rest);
    }

    #[test]
    fn nothing_goes_when_the_target_has_it_all() {
        let fields = json!({"f:data": {"f:a": {}}});
        let live = json!({"metadata": {"managedFields": [entry("kubectl-client-side-apply", "Update", &fields)]}, "data": {"a": "1"}});
        let mut after = live.clone();
        after["metadata"]["managedFields"] = json!([entry("syncwave", "Apply", &fields)]);
        assert!(!take_out(&live, &mut after));
        assert_eq!(after["data"], json!({"a": "1"}));
        let mut odd = json!({"data": 1});
        assert!(!take_out(&live, &mut odd), "an answer without owners");
    }

    #[test]
    fn a_merge_patch_says_what_goes_and_what_comes() {
        let from = json!({"a": 1, "b": {"x": 1, "y": 2}, "list": [1, 2], "metadata": {"managedFields": [1], "name": "n"}});
        let to = json!({"b": {"x": 1, "z": 3}, "list": [1], "c": {}, "metadata": {"managedFields": [2], "name": "n"}});
        assert_eq!(merge_patch(&from, &to), json!({"a": null, "b": {"y": null, "z": 3}, "list": [1], "c": {}, "metadata": {}}));
        assert_eq!(merge_patch(&from, &from), json!({}));
    }
}
