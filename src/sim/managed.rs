//! Who owns which field: the `managedFields` of objects, read, written and kept up to date by creates and updates.
//! Applies compute theirs in `ssa` and hand them over.

use serde_json::{Map, Value};

use super::registry::Resource;
use super::ssa::{FieldSet, Owner, compare, fields, strip};
use super::store::stamp;
use super::write::{Caller, Part};

/// How a manager came to its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    Apply,
    Update,
}

impl Operation {
    fn word(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// One entry of `managedFields`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    manager: String,
    operation: Operation,
    api_version: String,
    subresource: String,
    /// As it is written; empty for an entry without a time.
    pub(super) time: String,
    pub(super) set: FieldSet,
}

impl Entry {
    pub(super) fn new(resource: &Resource, caller: &Caller, operation: Operation, set: FieldSet) -> Self {
        let manager = if caller.manager.is_empty() { "unknown".to_owned() } else { caller.manager.clone() };
        let subresource = caller.part.subresource().to_owned();
        Self { manager, operation, api_version: resource.api_version(), subresource, time: stamp(caller.now), set }
    }

    /// The owner of an object that nobody has written with managers so far.
    pub(super) fn before_first_apply(resource: &Resource, mut set: FieldSet) -> Self {
        strip(&mut set);
        Self {
            manager: "before-first-apply".to_owned(),
            operation: Operation::Update,
            api_version: resource.api_version(),
            subresource: String::new(),
            time: String::new(),
            set,
        }
    }

    /// Tells whether two entries are about the same writer; an applier is the same in every version.
    pub(super) fn is_same_manager(&self, other: &Self) -> bool {
        let same_version = self.operation == Operation::Apply || self.api_version == other.api_version;
        self.manager == other.manager && self.operation == other.operation && self.subresource == other.subresource && same_version
    }

    /// The manager as conflict texts name it.
    pub(super) fn readable(&self) -> String {
        let subresource = if self.subresource.is_empty() { String::new() } else { format!(" with subresource {:?}", self.subresource) };
        let version = if self.operation == Operation::Update { format!(" using {}", self.api_version) } else { String::new() };
        format!("{:?}{subresource}{version}", self.manager)
    }

    fn read(value: &Value) -> Option<Self> {
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let operation = match value["operation"].as_str()? {
            "Apply" => Operation::Apply,
            _ => Operation::Update,
        };
        Some(Self {
            manager: text("manager"),
            operation,
            api_version: text("apiVersion"),
            subresource: text("subresource"),
            time: text("time"),
            set: FieldSet::read(&value["fieldsV1"]),
        })
    }

    fn write(&self) -> Value {
        let mut entry = Map::new();
        entry.insert("manager".into(), self.manager.clone().into());
        entry.insert("operation".into(), self.operation.word().into());
        entry.insert("apiVersion".into(), self.api_version.clone().into());
        for (key, value) in [("time", &self.time), ("subresource", &self.subresource)] {
            if !value.is_empty() {
                entry.insert(key.into(), value.clone().into());
            }
        }
        entry.insert("fieldsType".into(), "FieldsV1".into());
        entry.insert("fieldsV1".into(), self.set.write());
        Value::Object(entry)
    }
}

/// Reads the entries of an object.
pub(super) fn read(object: &Value) -> Vec<Entry> {
    entries(&object["metadata"]["managedFields"])
}

fn entries(list: &Value) -> Vec<Entry> {
    list.as_array().into_iter().flatten().filter_map(Entry::read).collect()
}

/// Writes entries in the server's order, without those that own nothing.
pub(super) fn write(mut entries: Vec<Entry>) -> Vec<Value> {
    entries.retain(|entry| !entry.set.is_empty());
    entries.sort_by(|a, b| {
        let rank = |entry: &Entry| (entry.operation, entry.time.clone(), entry.manager.clone(), entry.subresource.clone());
        rank(a).cmp(&rank(b))
    });
    entries.iter().map(Entry::write).collect()
}

/// Notes the owner of a new object.
pub(super) fn created(resource: &Resource, object: &mut Value, caller: &Caller) {
    let list = caller.applied.clone().unwrap_or_else(|| {
        let mut set = fields(resource.schema.root(), object, Owner::Updater);
        strip(&mut set);
        if resource.status {
            set.children.remove("f:status");
        }
        write(vec![Entry::new(resource, caller, Operation::Update, set)])
    });
    put(object, list);
}

/// Moves the fields that an update changed to its writer. `asked` is the `managedFields` of the request's body.
pub(super) fn updated(resource: &Resource, old: &Value, new: &mut Value, asked: Option<&Value>, caller: &Caller) {
    if let Some(applied) = &caller.applied {
        put(new, applied.clone());
        return;
    }
    let Some(mut known) = known(old, asked, caller.part) else {
        put(new, Vec::new());
        return;
    };
    let difference = compare(resource.schema.root(), old, new);
    let own = Entry::new(resource, caller, Operation::Update, difference.changed.clone());
    for entry in &mut known {
        entry.set.subtract(&difference.removed);
        if !entry.is_same_manager(&own) {
            entry.set.subtract(&difference.changed);
        }
    }
    if !own.set.is_empty() {
        match known.iter_mut().find(|entry| entry.is_same_manager(&own)) {
            Some(entry) => {
                entry.set.unite(&own.set);
                entry.time = own.time;
            }
            None => known.push(own),
        }
    }
    put(new, write(known));
}

/// The owners before an update; none if nobody is to be tracked: the list was emptied once and no apply came since.
fn known(old: &Value, asked: Option<&Value>, part: Part) -> Option<Vec<Entry>> {
    let asked = asked.and_then(Value::as_array).filter(|_| part == Part::Main);
    match asked.map(Vec::as_slice) {
        // One empty entry is the order to forget everybody.
        Some([only]) if only.as_object().is_some_and(Map::is_empty) => return None,
        Some([_, ..]) => {
            let given = entries(&asked.cloned().unwrap_or_default().into());
            if !given.is_empty() {
                return Some(given);
            }
        }
        Some([]) | None => {}
    }
    Some(read(old)).filter(|known| !known.is_empty())
}

fn put(object: &mut Value, list: Vec<Value>) {
    let Some(metadata) = object["metadata"].as_object_mut() else { return };
    if list.is_empty() {
        metadata.remove("managedFields");
    } else {
        metadata.insert("managedFields".into(), Value::Array(list));
    }
}

/// Tells whether a write changes nothing: equal but for the times in `managedFields`.
pub(super) fn is_same(old: &Value, new: &Value) -> bool {
    let parts = |object: &'_ Value| object.as_object().into_iter().flatten().filter(|(key, _)| *key != "metadata").count();
    let is_same_part = |(key, value): (&String, &Value)| key == "metadata" || old.get(key) == Some(value);
    parts(old) == parts(new) && new.as_object().into_iter().flatten().all(is_same_part) && timeless(old) == timeless(new)
}

fn timeless(object: &Value) -> Value {
    let mut metadata = object["metadata"].clone();
    for entry in metadata["managedFields"].as_array_mut().into_iter().flatten() {
        if let Some(fields) = entry.as_object_mut() {
            fields.remove("time");
        }
    }
    if metadata["managedFields"].is_null()
        && let Some(fields) = metadata.as_object_mut()
    {
        fields.remove("managedFields");
    }
    metadata
}
