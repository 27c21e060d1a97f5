//! Sets of fields: those that stand in `managedFields`, and those of a target that is about to be applied.

use serde_json::{Map, Value, json};

use super::super::align::{self, Alignment, Identity};
use crate::model::annotation::FIELD_MANAGER;
use crate::model::managed::{self, Entry};

/// Who owns something at a place of the live object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owned<'a> {
    /// What we applied before.
    pub(super) base: Option<&'a Value>,
    /// What anybody else owns.
    pub(super) foreign: Option<&'a Value>,
    /// What anybody owns, ourselves included.
    pub(super) all: Option<&'a Value>,
}

impl<'a> Owned<'a> {
    /// Returns the owners one step further down.
    pub(super) fn below(self, key: &str) -> Self {
        let child = |node: Option<&'a Value>| node.and_then(|node| node.get(key));
        Self { base: child(self.base), foreign: child(self.foreign), all: child(self.all) }
    }

    /// Returns whether what is here is owned as one value.
    pub(super) fn is_whole(self) -> bool {
        self.all.is_some_and(|node| node.as_object().is_some_and(Map::is_empty))
    }

    /// Returns how items of the list here are told apart; `None` if it is one value.
    pub(super) fn identity(self, live: &[Value], target: &[Value]) -> Option<Identity> {
        identity(self.all, live, target)
    }
}

fn identity(owners: Option<&Value>, live: &[Value], target: &[Value]) -> Option<Identity> {
    if let Some(owners) = owners.filter(|node| node.is_object()) {
        let known = managed::children(owners).find_map(|(key, _)| managed::segment(key));
        return known.and_then(|segment| Identity::of(&segment)).filter(|identity| is_told(identity, live, target));
    }
    match align::align(live, target, &Identity::Unknown) {
        Alignment::Keyed(keys) => Some(Identity::Keyed(keys.names)),
        Alignment::Members(_) => Some(Identity::Set),
        Alignment::Whole | Alignment::Places { .. } => None,
    }
}

/// Returns whether all items of both lists can be told apart that way.
fn is_told(identity: &Identity, live: &[Value], target: &[Value]) -> bool {
    matches!(
        (identity, align::align(live, target, identity)),
        (Identity::Keyed(_), Alignment::Keyed(_)) | (Identity::Set, Alignment::Members(_))
    )
}

/// Returns the set of fields that an apply of a target owns.
pub(super) fn fields_of(target: &Value, owners: Option<&Value>) -> Value {
    let mut fields = fields(target, owners);
    if let Some(fields) = fields.as_object_mut() {
        // What an object is called belongs to nobody.
        fields.retain(|key, _| key != "f:apiVersion" && key != "f:kind");
        if let Some(metadata) = fields.get_mut("f:metadata").and_then(Value::as_object_mut) {
            metadata.retain(|key, _| key != "f:name" && key != "f:namespace");
            if metadata.is_empty() {
                fields.remove("f:metadata");
            }
        }
    }
    fields
}

fn fields(value: &Value, owners: Option<&Value>) -> Value {
    let below = |key: &str| owners.and_then(|node| node.get(key));
    let is_whole = owners.is_some_and(|node| node.as_object().is_some_and(Map::is_empty));
    match value {
        Value::Object(map) if !is_whole => {
            let field = |(name, value): (&String, &Value)| {
                let key = format!("f:{name}");
                let fields = fields(value, below(&key));
                (key, fields)
            };
            map.iter().map(field).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => match identity(owners, &[], items) {
            Some(Identity::Keyed(names)) => items.iter().filter_map(|item| keyed(item, &names, owners)).collect::<Map<_, _>>().into(),
            Some(Identity::Set) => items.iter().map(|item| (format!("v:{item}"), json!({}))).collect::<Map<_, _>>().into(),
            Some(Identity::Unknown) | None => json!({}),
        },
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => json!({}),
    }
}

fn keyed(item: &Value, names: &[String], owners: Option<&Value>) -> Option<(String, Value)> {
    let key = managed::keys(&align::item(item, names)?).next()?;
    let mut fields = fields(item, owners.and_then(|node| node.get(&key)));
    fields["."] = json!({});
    Some((key, fields))
}

/// Writes down who owns what after the apply: we what the target has, others what has not changed.
pub(super) fn note(object: &mut Value, ours: Value, changed: &Value) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let mut entries = metadata.remove("managedFields").map_or_else(Vec::new, |entries| match entries {
        Value::Array(entries) => entries,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => Vec::new(),
    });
    entries.retain(|entry| !Entry::new(entry).is_ours());
    for entry in &mut entries {
        if let (Some(fields), Some(changed)) = (entry.get_mut("fieldsV1").and_then(Value::as_object_mut), changed.as_object()) {
            take_out(fields, changed);
        }
    }
    entries.push(json!({"manager": FIELD_MANAGER, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": ours}));
    metadata.insert("managedFields".to_owned(), entries.into());
}

/// Takes out of a set of fields what has another value now: whoever forces an apply takes it from its owners.
fn take_out(fields: &mut Map<String, Value>, changed: &Map<String, Value>) {
    if changed.len() < fields.len() {
        for (key, below) in changed {
            if fields.get_mut(key).is_some_and(|field| is_taken(field, below)) {
                fields.remove(key);
            }
        }
    } else {
        fields.retain(|key, field| !changed.get(key).is_some_and(|below| is_taken(field, below)));
    }
}

fn is_taken(field: &mut Value, changed: &Value) -> bool {
    let (Some(fields), Some(changed)) = (field.as_object_mut(), changed.as_object()) else { return true };
    if fields.is_empty() || changed.is_empty() {
        return true;
    }
    take_out(fields, changed);
    fields.is_empty()
}
