//! From values to sets of fields: what an object contains, and what changed between two states of it, in the steps
//! that its type gives to lists and maps.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::schema::{Key, ListMerge, Node};
use super::fields::FieldSet;

/// Whose set is made: an applier owns leaves, an updater also the maps and lists it adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Owner {
    Applier,
    Updater,
}

/// The fields that nobody owns: identity and what the server keeps.
const SYSTEM: &[&str] = &[
    "f:name",
    "f:namespace",
    "f:creationTimestamp",
    "f:selfLink",
    "f:uid",
    "f:generation",
    "f:managedFields",
    "f:resourceVersion",
    "f:deletionTimestamp",
    "f:deletionGracePeriodSeconds",
];

/// Drops the fields that nobody owns.
pub(in crate::sim) fn strip(set: &mut FieldSet) {
    set.is_member = false;
    set.children.remove("f:apiVersion");
    set.children.remove("f:kind");
    if let Some(metadata) = set.children.get_mut("f:metadata") {
        metadata.is_member = false;
        metadata.children.retain(|step, _| !SYSTEM.contains(&step.as_str()));
        if metadata.is_empty() {
            set.children.remove("f:metadata");
        }
    }
}

/// Returns the fields of a value.
pub(in crate::sim) fn fields(node: &Node, value: &Value, owner: Owner) -> FieldSet {
    let mut set = FieldSet::default();
    add(node, value, owner, &mut set);
    set
}

fn add(node: &Node, value: &Value, owner: Owner, set: &mut FieldSet) {
    if node.is_atomic() {
        set.is_member = true;
        return;
    }
    match (node, value) {
        (Node::Struct(_) | Node::Map(..) | Node::Any, Value::Object(fields)) if !fields.is_empty() => {
            set.is_member |= owner == Owner::Updater && !matches!(node, Node::Struct(_));
            for (key, value) in fields {
                let child = set.step(format!("f:{key}"));
                let declared = matches!(node, Node::Struct(inner) if inner.fields.contains_key(key));
                add(node.field(key).unwrap_or(&Node::Any), value, owner, child);
                // The entries of a map belong to who wrote them, the declared parts of a struct do not.
                child.is_member |= !declared;
            }
        }
        (Node::List(item, ListMerge::Keyed(keys)), Value::Array(items)) if !items.is_empty() => {
            for value in items {
                let child = set.step(item_step(keys, value));
                child.is_member = true;
                add(item, value, owner, child);
            }
        }
        (Node::List(_, ListMerge::Set), Value::Array(items)) if !items.is_empty() => {
            set.is_member |= owner == Owner::Updater;
            for value in items {
                set.step(format!("v:{value}")).is_member = true;
            }
        }
        _ => set.is_member = true,
    }
}

/// `k:{"containerPort":80,"protocol":"TCP"}`.
pub(in crate::sim) fn item_step(keys: &[Key], item: &Value) -> String {
    format!("k:{}", Value::Object(item_key(keys, item)))
}

fn item_key(keys: &[Key], item: &Value) -> Map<String, Value> {
    let value = |key: &Key| item.get(&key.name).filter(|value| !value.is_null()).cloned().or_else(|| key.default.clone());
    keys.iter().filter_map(|key| value(key).map(|value| (key.name.clone(), value))).collect()
}

/// What is different in a new state.
#[derive(Debug, Default)]
pub(in crate::sim) struct Difference {
    /// Fields with a new value, or that were not there.
    pub(in crate::sim) changed: FieldSet,
    /// Fields that are gone.
    pub(in crate::sim) removed: FieldSet,
}

/// Compares two states of a whole object; fields that nobody owns do not count.
pub(in crate::sim) fn compare(node: &Node, old: &Value, new: &Value) -> Difference {
    let mut difference = Difference::default();
    step(node, (Some(old), Some(new)), &mut difference);
    strip(&mut difference.changed);
    strip(&mut difference.removed);
    difference
}

fn step(node: &Node, states: (Option<&Value>, Option<&Value>), difference: &mut Difference) {
    match states {
        (None, None) => {}
        (None, Some(new)) => add(node, new, Owner::Updater, &mut difference.changed),
        (Some(old), None) => add_all(node, old, &mut difference.removed),
        (Some(old), Some(new)) if old == new => {}
        (Some(_), Some(_)) if node.is_atomic() => difference.changed.is_member = true,
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let inner = node.field(key).unwrap_or(&Node::Any);
                child(&format!("f:{key}"), inner, (old.get(key), new.get(key)), difference);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => match node {
            Node::List(item, ListMerge::Keyed(keys)) => items((item, keys), (old, new), difference),
            Node::List(_, ListMerge::Set) => {
                for value in old.iter().filter(|value| !new.contains(value)) {
                    difference.removed.step(format!("v:{value}")).is_member = true;
                }
                for value in new.iter().filter(|value| !old.contains(value)) {
                    difference.changed.step(format!("v:{value}")).is_member = true;
                }
            }
            _ => difference.changed.is_member = true,
        },
        (Some(_), Some(_)) => difference.changed.is_member = true,
    }
}

fn items((item, keys): (&Node, &[Key]), (old, new): (&[Value], &[Value]), difference: &mut Difference) {
    let by_key = |items: &[Value]| -> BTreeMap<String, usize> {
        items.iter().enumerate().map(|(index, item)| (item_step(keys, item), index)).collect()
    };
    let (before, after) = (by_key(old), by_key(new));
    for name in before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))) {
        let (old, new) = (before.get(name).map(|at| &old[*at]), after.get(name).map(|at| &new[*at]));
        child(name, item, (old, new), difference);
        if old.is_none() {
            difference.changed.step(name.as_str()).is_member = true;
        }
    }
}

fn child(name: &str, node: &Node, states: (Option<&Value>, Option<&Value>), difference: &mut Difference) {
    let mut inner = Difference::default();
    step(node, states, &mut inner);
    if !inner.changed.is_empty() {
        difference.changed.children.insert(name.to_owned(), inner.changed);
    }
    if !inner.removed.is_empty() {
        difference.removed.children.insert(name.to_owned(), inner.removed);
    }
}

/// Everything at and below a value, on every level.
fn add_all(node: &Node, value: &Value, set: &mut FieldSet) {
    add(node, value, Owner::Updater, set);
    mark(set);
}

fn mark(set: &mut FieldSet) {
    set.is_member = true;
    set.children.values_mut().for_each(mark);
}
