//! Compares an object with its type: drops what is not declared, as the server does, and finds the first value of
//! a wrong JSON type, with the words in which Go's decoder complains.

use serde_json::{Map, Value};

use super::{Node, Struct};

/// What a check found.
#[derive(Debug, Default, PartialEq)]
pub(in crate::sim) struct Report {
    /// Paths of fields that do not exist (`spec.containers[0].imagee`).
    pub(in crate::sim) unknown: Vec<String>,
    /// The first value of a wrong type.
    pub(in crate::sim) wrong: Option<TypeError>,
}

/// A value that cannot be decoded.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sim) struct TypeError {
    /// `json: cannot unmarshal number into Go struct field ConfigMap.data of type string`.
    pub(in crate::sim) go: String,
    /// The path in the notation of server-side apply (`.data.a`).
    pub(in crate::sim) path: String,
    /// What apply expects there (`string`).
    pub(in crate::sim) expected: &'static str,
    pub(in crate::sim) found: Value,
}

/// Where the walk is.
struct Place<'a> {
    /// The innermost struct.
    owner: &'a str,
    /// Field names from the root, without indexes and map keys, as Go's decoder has them.
    go_path: String,
    /// The path with indexes, for warnings.
    path: String,
    /// The path with keys, for apply.
    keyed: String,
}

pub(super) fn check(root: &Node, object: &mut Value) -> Report {
    let mut report = Report::default();
    let place = Place { owner: "", go_path: String::new(), path: String::new(), keyed: String::new() };
    walk(root, object, &place, &mut report);
    report
}

fn walk(node: &Node, value: &mut Value, place: &Place<'_>, report: &mut Report) {
    let found = value.clone_if_small();
    match (node, &mut *value) {
        (_, Value::Null) | (Node::Any, _) => {}
        (Node::Struct(inner), Value::Object(fields)) => walk_struct(inner, fields, place, report),
        (Node::Map(item, _), Value::Object(fields)) => {
            for (key, value) in fields.iter_mut() {
                let place = Place {
                    path: join(&place.path, key),
                    keyed: format!("{}.{key}", place.keyed),
                    go_path: place.go_path.clone(),
                    owner: place.owner,
                };
                walk(item, value, &place, report);
            }
        }
        (Node::List(item, _), Value::Array(items)) => {
            for (index, value) in items.iter_mut().enumerate() {
                let place = Place {
                    path: format!("{}[{index}]", place.path),
                    keyed: format!("{}{}", place.keyed, item_name(node, value, index)),
                    go_path: place.go_path.clone(),
                    owner: place.owner,
                };
                walk(item, value, &place, report);
            }
        }
        (Node::Quantity, Value::Number(number)) => *value = number.to_string().into(),
        (Node::Bool, Value::Bool(_))
        | (Node::Number(_), Value::Number(_))
        | (Node::Text | Node::Bytes | Node::Time | Node::IntOrString | Node::Quantity, Value::String(_))
        | (Node::IntOrString, Value::Number(_)) => {}
        (Node::Struct(_) | Node::Map(..) | Node::List(..), _)
        | (Node::Bool | Node::Number(_) | Node::Text | Node::Bytes | Node::Time | Node::IntOrString | Node::Quantity, _) => {
            report.wrong.get_or_insert_with(|| wrong(node, found, place));
        }
    }
}

fn walk_struct(inner: &Struct, fields: &mut Map<String, Value>, place: &Place<'_>, report: &mut Report) {
    fields.retain(|key, value| {
        let is_known = inner.is_open || inner.fields.contains_key(key);
        if !is_known {
            report.unknown.push(join(&place.path, key));
        }
        is_known && !value.is_null()
    });
    for (key, value) in fields.iter_mut() {
        let Some(node) = inner.fields.get(key) else { continue };
        let place = Place {
            owner: &inner.name,
            go_path: join(&place.go_path, key),
            path: join(&place.path, key),
            keyed: format!("{}.{key}", place.keyed),
        };
        walk(node, value, &place, report);
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// `[name="c"]` for the items of keyed lists, `[0]` for others.
fn item_name(list: &Node, item: &Value, index: usize) -> String {
    let Node::List(_, super::ListMerge::Keyed(keys)) = list else { return format!("[{index}]") };
    let parts: Vec<String> = keys.iter().map(|key| format!("{}={}", key.name, item.get(&key.name).unwrap_or(&Value::Null))).collect();
    format!("[{}]", parts.join(","))
}

fn wrong(node: &Node, found: Value, place: &Place<'_>) -> TypeError {
    let word = match &found {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let expected = match node {
        Node::Struct(_) | Node::Map(..) | Node::Any => "map",
        Node::List(..) => "list",
        Node::Bool => "boolean",
        Node::Number(_) => "numeric (int or float)",
        Node::Text | Node::Bytes | Node::Time | Node::IntOrString | Node::Quantity => "string",
    };
    let go = format!("json: cannot unmarshal {word} into Go struct field {}.{} of type {}", place.owner, place.go_path, node.go_type());
    TypeError { go, path: place.keyed.clone(), expected, found }
}

trait CloneIfSmall {
    /// A copy for error texts; large values are not copied for every level of the walk.
    fn clone_if_small(&self) -> Value;
}

impl CloneIfSmall for Value {
    fn clone_if_small(&self) -> Value {
        match self {
            Value::Array(_) => Value::Array(Vec::new()),
            Value::Object(_) => Value::Object(Map::new()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => self.clone(),
        }
    }
}
