//! Types of custom resources, from the `openAPIV3Schema` of their definition: the tree for merging and pruning,
//! defaults, and the validations a sync meets (type, required, enum, bounds, pattern-free). CEL rules are not read.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::status::Cause;
use super::{Key, ListMerge, Merge, Node, Struct, kinds};

pub(super) fn root(kind: &str, tree: &Value) -> Node {
    let mut fields = fields(tree);
    for name in ["apiVersion", "kind"] {
        fields.insert(name.to_owned(), Node::Text);
    }
    fields.insert("metadata".to_owned(), kinds::metadata());
    let is_open = is_open(tree) || tree.is_null();
    Node::Struct(Box::new(Struct { name: kind.to_owned(), go: String::new(), fields, merge: Merge::Granular, is_open }))
}

fn fields(tree: &Value) -> BTreeMap<String, Node> {
    tree["properties"].as_object().into_iter().flatten().map(|(name, tree)| (name.clone(), node(tree))).collect()
}

fn is_open(tree: &Value) -> bool {
    tree["x-kubernetes-preserve-unknown-fields"] == true
}

/// Types are left to `causes`: a wrong one is a validation error here, not a decoding error. Only the shape counts.
fn node(tree: &Value) -> Node {
    let merge = if tree["x-kubernetes-map-type"] == "atomic" { Merge::Atomic } else { Merge::Granular };
    match tree["type"].as_str() {
        Some("object") if tree["properties"].is_object() => {
            let name = String::new();
            Node::Struct(Box::new(Struct { go: name.clone(), name, fields: fields(tree), merge, is_open: is_open(tree) }))
        }
        Some("object") if tree["additionalProperties"].is_object() => Node::Map(Box::new(node(&tree["additionalProperties"])), merge),
        Some("object") if !is_open(tree) && tree["additionalProperties"] != true => {
            let name = String::new();
            Node::Struct(Box::new(Struct { go: name.clone(), name, fields: BTreeMap::new(), merge, is_open: false }))
        }
        Some("array") => Node::List(Box::new(node(&tree["items"])), list_merge(tree)),
        _ => Node::Any,
    }
}

fn list_merge(tree: &Value) -> ListMerge {
    match tree["x-kubernetes-list-type"].as_str() {
        Some("set") => ListMerge::Set,
        Some("map") => {
            let keys = tree["x-kubernetes-list-map-keys"].as_array().into_iter().flatten().filter_map(Value::as_str);
            ListMerge::Keyed(keys.map(|name| key(tree, name)).collect())
        }
        _ => ListMerge::Atomic,
    }
}

fn key(tree: &Value, name: &str) -> Key {
    let default = tree["items"]["properties"][name].get("default").cloned();
    Key { name: name.to_owned(), default }
}

/// Fills in the defaults that the schema names, from the outside in.
pub(super) fn fill_defaults(tree: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, tree) in tree["properties"].as_object().into_iter().flatten() {
                if let Some(default) = tree.get("default")
                    && fields.get(name).is_none_or(|value| value.is_null() && tree["nullable"] != true)
                {
                    fields.insert(name.clone(), default.clone());
                }
                if let Some(value) = fields.get_mut(name) {
                    fill_defaults(tree, value);
                }
            }
            let others = &tree["additionalProperties"];
            if others.is_object() {
                fields.values_mut().for_each(|value| fill_defaults(others, value));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill_defaults(&tree["items"], item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Collects what a value violates.
pub(super) fn causes(tree: &Value, path: &str, value: &Value, out: &mut Vec<Cause>) {
    if value.is_null() && (tree["nullable"] == true || path.is_empty()) {
        return;
    }
    if let Some(cause) = type_cause(tree, path, value) {
        out.push(cause);
        return;
    }
    if let Some(allowed) = tree["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
        let words: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
        out.push(Cause::not_supported(path, value, &words));
    }
    bounds(tree, path, value, out);
    match value {
        Value::Object(fields) => object_causes(tree, path, fields, out),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                causes(&tree["items"], &format!("{path}[{index}]"), item, out);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn object_causes(tree: &Value, path: &str, fields: &Map<String, Value>, out: &mut Vec<Cause>) {
    let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for name in tree["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            out.push(Cause::required(join(name), ""));
        }
    }
    for (name, value) in fields {
        let is_meta = path.is_empty() && matches!(name.as_str(), "metadata" | "apiVersion" | "kind");
        let declared = tree["properties"].get(name).unwrap_or(&tree["additionalProperties"]);
        if !is_meta && declared.is_object() {
            causes(declared, &join(name), value, out);
        }
    }
}

fn type_cause(tree: &Value, path: &str, value: &Value) -> Option<Cause> {
    let wanted = tree["type"].as_str()?;
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = wanted == found || (wanted == "number" && found == "integer");
    let detail = format!("{} in body must be of type {wanted}: {:?}", if path.is_empty() { "object" } else { path }, found);
    (!fits).then(|| Cause::wrong_type(path, &found.into(), &detail))
}

fn bounds(tree: &Value, path: &str, value: &Value, out: &mut Vec<Cause>) {
    if let (Some(least), Some(number)) = (tree["minimum"].as_f64(), value.as_f64())
        && number < least
    {
        out.push(Cause::invalid(path, value, &format!("{path} in body should be greater than or equal to {}", tree["minimum"])));
    }
    if let (Some(most), Some(number)) = (tree["maximum"].as_f64(), value.as_f64())
        && number > most
    {
        out.push(Cause::invalid(path, value, &format!("{path} in body should be less than or equal to {}", tree["maximum"])));
    }
    if let (Some(least), Some(text)) = (tree["minLength"].as_u64(), value.as_str())
        && (text.chars().count() as u64) < least
    {
        out.push(Cause::invalid(path, value, &format!("{path} in body should be at least {least} chars long")));
    }
}
