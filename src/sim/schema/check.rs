//! Compares an object with its type: drops what is not declared, as the server does, and finds the first value of
//! a wrong JSON type, with the words in which Go's decoder complains.

use serde_json::{Map, Value};

use super::{Node, Struct};

/// What a check found.
#[derive(Debug, Default, PartialEq)]
pub(in crate::sim) struct Report {
    /// Paths of fields that do not exist (`spec.containers[0].imagee`).
    pub(in crate::sim) unknown: Vec<String>,
    /// The same in the notation of server-side apply (`.spec.containers[name="c"].imagee`).
    pub(in crate::sim) undeclared: Vec<String>,
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
    /// What apply expects there (`string`); none if the type is right and its content is not.
    pub(in crate::sim) expected: Option<&'static str>,
    pub(in crate::sim) found: Value,
}

impl TypeError {
    /// Tells whether the value is in the metadata, which all kinds share.
    pub(in crate::sim) fn is_in_metadata(&self) -> bool {
        self.path.starts_with(".metadata")
    }
}

/// What a check does besides looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Cleaning {
    /// Only spells quantities as texts.
    None,
    /// Also drops what is not declared, nulls, and what is empty and therefore absent on the wire.
    Full,
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

impl Place<'_> {
    /// The place of an entry of a map or an item of a list.
    fn inside(&self, path: String, step: String) -> Self {
        Self { owner: self.owner, go_path: self.go_path.clone(), path, keyed: self.keyed.clone() + &step }
    }
}

struct Walk<'a> {
    cleaning: Cleaning,
    report: &'a mut Report,
}

pub(super) fn check(root: &Node, object: &mut Value, cleaning: Cleaning) -> Report {
    let mut report = Report::default();
    let place = Place { owner: "", go_path: String::new(), path: String::new(), keyed: String::new() };
    Walk { cleaning, report: &mut report }.walk(root, object, &place);
    report
}

impl Walk<'_> {
    fn walk(&mut self, node: &Node, value: &mut Value, place: &Place<'_>) {
        let found = small(value);
        match (node, &mut *value) {
            (_, Value::Null) | (Node::Any, _) => {}
            (Node::Struct(inner), Value::Object(fields)) => self.walk_struct(inner, fields, place),
            (Node::Map(item, _), Value::Object(fields)) => {
                for (key, value) in fields.iter_mut() {
                    self.walk(item, value, &place.inside(join(&place.path, key), format!(".{key}")));
                }
            }
            (Node::List(item, _), Value::Array(items)) => {
                for (index, value) in items.iter_mut().enumerate() {
                    let name = item_name(node, value, index);
                    self.walk(item, value, &place.inside(format!("{}[{index}]", place.path), name));
                }
            }
            (Node::Quantity, Value::Number(number)) => *value = number.to_string().into(),
            (Node::Bytes, Value::String(text)) => {
                if let Some(at) = illegal_base64(text) {
                    let go = format!("illegal base64 data at input byte {at}");
                    self.report.wrong.get_or_insert_with(|| TypeError { go, path: place.keyed.clone(), expected: None, found });
                }
            }
            (Node::Number(name), Value::Number(number)) if name.starts_with("int") && !number.is_i64() => {
                let go = unmarshal(&format!("number {number}"), node, place);
                self.report.wrong.get_or_insert_with(|| TypeError { go, path: place.keyed.clone(), expected: None, found });
            }
            (Node::Bool, Value::Bool(_))
            | (Node::Number(_), Value::Number(_))
            | (Node::Text | Node::Time | Node::IntOrString | Node::Quantity, Value::String(_))
            | (Node::IntOrString, Value::Number(_)) => {}
            (Node::Struct(_) | Node::Map(..) | Node::List(..), _)
            | (Node::Bool | Node::Number(_) | Node::Text | Node::Bytes | Node::Time | Node::IntOrString | Node::Quantity, _) => {
                self.report.wrong.get_or_insert_with(|| wrong(node, found, place));
            }
        }
    }

    fn walk_struct(&mut self, inner: &Struct, fields: &mut Map<String, Value>, place: &Place<'_>) {
        fields.retain(|key, value| {
            let is_known = inner.is_open || inner.fields.contains_key(key);
            if !is_known {
                self.report.unknown.push(join(&place.path, key));
                self.report.undeclared.push(format!("{}.{key}", place.keyed));
            }
            self.cleaning == Cleaning::None || (is_known && !is_absent(inner, key, value))
        });
        for (key, value) in fields.iter_mut() {
            let Some(node) = inner.fields.get(key) else { continue };
            let place = Place {
                owner: &inner.name,
                go_path: join(&place.go_path, key),
                path: join(&place.path, key),
                keyed: format!("{}.{key}", place.keyed),
            };
            self.walk(node, value, &place);
        }
    }
}

/// What the wire does not show although a manifest says it.
fn is_absent(inner: &Struct, key: &str, value: &Value) -> bool {
    match (inner.fields.get(key), value) {
        (_, Value::Null) => true,
        // An environment variable without a value is an empty one, and is shown without.
        (_, Value::String(text)) => text.is_empty() && inner.name == "EnvVar" && key == "value",
        (Some(Node::List(..)), Value::Array(items)) => items.is_empty() && !inner.go.is_empty(),
        (Some(Node::Map(..)), Value::Object(fields)) => fields.is_empty() && !inner.go.is_empty(),
        _ => false,
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

/// Go's complaint about a value.
fn unmarshal(word: &str, node: &Node, place: &Place<'_>) -> String {
    format!("json: cannot unmarshal {word} into Go struct field {}.{} of type {}", place.owner, place.go_path, node.go_type())
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
    let go = unmarshal(word, node, place);
    TypeError { go, path: place.keyed.clone(), expected: Some(expected), found }
}

/// The first byte that is not base64.
fn illegal_base64(text: &str) -> Option<usize> {
    use base64::DecodeError;
    use base64::Engine as _;
    match base64::engine::general_purpose::STANDARD.decode(text) {
        Ok(_) => None,
        Err(DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _)) => Some(at),
        Err(DecodeError::InvalidLength(_) | DecodeError::InvalidPadding) => Some(text.len()),
    }
}

/// A copy for error texts; large values are not copied for every level of the walk.
fn small(value: &Value) -> Value {
    match value {
        Value::Array(_) => Value::Array(Vec::new()),
        Value::Object(_) => Value::Object(Map::new()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
