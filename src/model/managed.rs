//! `metadata.managedFields`: which field belongs to whom. An entry keeps its fields as a tree of JSON (`fieldsV1`) whose keys say what they
//! stand for: `f:NAME` a field, `k:{...}` an item of a list by its keys, `v:...` a member of a set, `i:N` an item by its place, and `.`
//! the thing itself. Nothing here trusts that the tree is well formed.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Map, Value};

use super::annotation::FIELD_MANAGER;
use super::field_path::Segment;

/// Who applies client-side: kubectl, Argo CD by default, and ourselves when an object was created or replaced whole.
const CLIENT_SIDE: [&str; 3] = ["kubectl-client-side-apply", "argocd-controller", FIELD_MANAGER];

/// Somebody who has written fields of an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Entry<'a> {
    pub(crate) manager: &'a str,
    /// `Apply` or `Update`.
    pub(crate) operation: &'a str,
    /// Empty: the object itself.
    pub(crate) subresource: &'a str,
    /// RFC 3339.
    pub(crate) time: Option<&'a str>,
    /// The tree; anything but a map has no fields.
    pub(crate) fields: &'a Value,
}

impl<'a> Entry<'a> {
    /// Reads one entry of the list.
    pub(crate) fn new(entry: &'a Value) -> Self {
        let text = |key: &str| entry[key].as_str().unwrap_or_default();
        Self {
            manager: text("manager"),
            operation: text("operation"),
            subresource: text("subresource"),
            time: entry["time"].as_str(),
            fields: &entry["fieldsV1"],
        }
    }

    /// Reads the entries of an object.
    pub(crate) fn all(object: &'a Value) -> impl Iterator<Item = Self> {
        object["metadata"]["managedFields"].as_array().into_iter().flatten().map(Self::new)
    }

    /// Returns whether these are the fields of our applies.
    pub(crate) fn is_ours(&self) -> bool {
        self.manager == FIELD_MANAGER && self.operation == "Apply"
    }

    /// Returns whether a client-side apply has left these fields behind (spec R715).
    pub(crate) fn is_client_side(&self) -> bool {
        self.operation == "Update" && self.subresource.is_empty() && CLIENT_SIDE.contains(&self.manager)
    }

    /// Returns what makes an entry the same one in another version of the object.
    pub(crate) fn owner(&self) -> (&'a str, &'a str, &'a str) {
        (self.manager, self.operation, self.subresource)
    }
}

/// Who owns what after an apply of ours.
#[derive(Debug)]
pub(crate) struct After<'a> {
    ours: Cow<'a, Value>,
    /// What each owner has, by [`Entry::owner`].
    kept: HashMap<(&'a str, &'a str, &'a str), Cow<'a, Value>>,
}

impl<'a> After<'a> {
    /// Reads the owners of an object as it is then.
    pub(crate) fn of(object: &'a Value) -> Self {
        let mut sets: HashMap<_, Vec<&Value>> = HashMap::new();
        for entry in Entry::all(object) {
            sets.entry(entry.owner()).or_default().push(entry.fields);
        }
        Self {
            ours: joined(Entry::all(object).filter(Entry::is_ours).map(|entry| entry.fields)),
            kept: sets.into_iter().map(|(owner, sets)| (owner, joined(sets.into_iter()))).collect(),
        }
    }

    /// Calls `found` with each field that somebody else owned before, unless both own it now or nobody does, and who owns it now.
    pub(crate) fn each_field_of(&self, before: &Entry<'_>, found: &mut dyn FnMut(Vec<Segment>, Owner)) {
        let kept = self.kept.get(&before.owner()).map_or(&Value::Null, |kept| &**kept);
        descend(before.fields, [Held::of(&self.ours), Held::of(kept)], &mut Vec::new(), found);
    }
}

/// Who alone owns a field after an apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    We,
    They,
}

/// What another set has at a place.
#[derive(Clone, Copy)]
enum Held<'a> {
    Nothing,
    Some(&'a Value),
    /// It owns something around the place as one value.
    Whole,
}

impl<'a> Held<'a> {
    fn of(fields: &'a Value) -> Self {
        if children(fields).next().is_some() { Self::Some(fields) } else { Self::Nothing }
    }

    fn below(self, key: &str) -> Self {
        match self {
            Self::Some(node) if is_leaf(node) => Self::Whole,
            Self::Some(node) => node.get(key).map_or(Self::Nothing, Self::Some),
            Self::Nothing | Self::Whole => self,
        }
    }

    fn is_something(self) -> bool {
        !matches!(self, Self::Nothing)
    }
}

fn descend<'t>(theirs: &'t Value, others: [Held<'_>; 2], path: &mut Vec<(&'t str, bool)>, found: &mut dyn FnMut(Vec<Segment>, Owner)) {
    if is_leaf(theirs) && !path.is_empty() {
        let owner = match others.map(Held::is_something) {
            [true, false] => Owner::We,
            [false, true] => Owner::They,
            [true, true] | [false, false] => return,
        };
        return read(path).into_iter().for_each(|path| found(path, owner));
    }
    let is_lone = children(theirs).nth(1).is_none();
    for (key, child) in children(theirs) {
        path.push((key, is_lone));
        descend(child, others.map(|held| held.below(key)), path, found);
        path.pop();
    }
}

/// Reads a path of keys; `None` if it has one that nobody writes, or if it ends at a part of what tells its item apart, so that the paths
/// of the item's other fields say it already.
fn read(path: &[(&str, bool)]) -> Option<Vec<Segment>> {
    let segments: Vec<Segment> = path.iter().map(|(key, _)| segment(key)).collect::<Option<_>>()?;
    let is_lone = path.last().is_some_and(|(_, is_lone)| *is_lone);
    match segments.as_slice() {
        [.., Segment::Keyed(keys), Segment::Field(name)] if !is_lone && keys.contains_key(name) => None,
        _ => Some(segments),
    }
}

/// Returns several sets of fields as one.
pub(crate) fn joined<'a>(mut sets: impl Iterator<Item = &'a Value>) -> Cow<'a, Value> {
    let mut all = Cow::Borrowed(sets.next().unwrap_or(&Value::Null));
    for more in sets {
        match (all.to_mut().as_object_mut(), more.as_object()) {
            (Some(fields), Some(more)) => join(fields, more),
            (None, Some(_)) => all = Cow::Borrowed(more),
            (_, None) => {}
        }
    }
    all
}

/// Adds one set of fields to another.
pub(crate) fn join(fields: &mut Map<String, Value>, more: &Map<String, Value>) {
    for (key, value) in more {
        match (fields.get_mut(key).and_then(Value::as_object_mut), value.as_object()) {
            (Some(own), Some(value)) => join(own, value),
            (Some(_), None) => {}
            (None, _) => {
                fields.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Returns whether a node owns a field as a whole: nothing below it belongs to anybody else through this node.
pub(crate) fn is_leaf(node: &Value) -> bool {
    children(node).next().is_none()
}

/// Returns what a node has below it, without the mark `.` of the thing itself.
pub(crate) fn children(node: &Value) -> impl Iterator<Item = (&String, &Value)> {
    node.as_object().into_iter().flatten().filter(|(key, _)| *key != ".")
}

/// Returns the step that a key of the tree stands for; `None` for the mark of the thing itself and for what nobody writes.
pub(crate) fn segment(key: &str) -> Option<Segment> {
    let (kind, rest) = key.split_once(':')?;
    match kind {
        "f" => Some(Segment::Field(rest.to_owned())),
        "k" => serde_json::from_str::<Map<String, Value>>(rest).ok().map(Segment::Keyed),
        "v" => serde_json::from_str(rest).ok().map(Segment::Member),
        "i" => rest.parse().ok().map(Segment::Index),
        _ => None,
    }
}

/// Returns what a node has at a step; `None` if it has nothing there.
pub(crate) fn child<'a>(node: &'a Value, segment: &Segment) -> Option<&'a Value> {
    let fields = node.as_object()?;
    keys(segment).find_map(|key| fields.get(&key))
}

/// Returns the keys of the tree that may stand for a step, the likely one first.
pub(crate) fn keys(segment: &Segment) -> impl Iterator<Item = String> {
    let (key, is_json) = match segment {
        Segment::Field(name) => (Some(format!("f:{name}")), false),
        Segment::Keyed(keys) => (serde_json::to_string(keys).ok().map(|keys| format!("k:{keys}")), true),
        Segment::Member(value) => (Some(format!("v:{value}")), true),
        Segment::Index(index) => (Some(format!("i:{index}")), false),
        Segment::Order => (None, false),
    };
    // Servers that write JSON as Go does for web pages spell these three signs another way.
    let escape = |key: &String| key.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    let other = key.as_ref().filter(|key| is_json && key.contains(['<', '>', '&'])).map(escape);
    key.into_iter().chain(other)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::FieldPath;

    #[test]
    fn a_key_of_the_tree_is_a_step_there_and_back() {
        for (key, path) in [
            ("f:spec", "spec"),
            ("f:a:b", r#"["a:b"]"#),
            (r#"k:{"containerPort":80,"protocol":"TCP"}"#, "[containerPort=80,protocol=TCP]"),
            (r#"v:"a""#, "[=a]"),
            ("i:3", "[3]"),
        ] {
            let segment = segment(key).unwrap();
            assert_eq!(keys(&segment).collect::<Vec<_>>(), [key]);
            assert_eq!(FieldPath::from(vec![segment]).to_string(), path);
        }
        for wrong in ["", ".", "spec", "k:{", "k:[]", "v:", "i:-1", "i:", "x:1"] {
            assert_eq!(segment(wrong), None, "{wrong}");
        }
        let written = json!({"v:\"a\\u0026b\"": {"f:x": {}}});
        assert!(child(&written, &Segment::Member(json!("a&b"))).is_some(), "as Go writes it for web pages");
    }

    #[test]
    fn several_sets_of_one_owner_are_one_set() {
        let sets = [json!(null), json!({"f:a": {"f:b": {}}}), json!("x"), json!({"f:a": {"f:c": {}}, "f:d": {}})];
        assert_eq!(*joined(sets.iter()), json!({"f:a": {"f:b": {}, "f:c": {}}, "f:d": {}}));
        assert_eq!(*joined(std::iter::empty()), Value::Null);
    }

    #[test]
    fn each_field_of_an_owner_is_told_with_who_owns_it_then() {
        let entry = |manager: &str, operation: &str, fields: Value| json!({"manager": manager, "operation": operation, "fieldsV1": fields});
        let before = entry("hpa", "Update", json!({"f:a": {}, "f:b": {}, "f:m": {"f:x": {}}, "f:w": {}, "f:gone": {}}));
        let after = json!({"metadata": {"managedFields": [
            entry("syncwave", "Apply", json!({"f:a": {}, "f:m": {}, "f:w": {"f:y": {}}})),
            entry("hpa", "Update", json!({"f:b": {}, "f:w": {}})),
        ]}});
        let mut told = Vec::new();
        After::of(&after).each_field_of(&Entry::new(&before), &mut |path, owner| told.push((FieldPath::from(path).to_string(), owner)));
        let told: Vec<_> = told.iter().map(|(path, owner)| (path.as_str(), *owner)).collect();
        assert_eq!(told, [("a", Owner::We), ("b", Owner::They), ("m.x", Owner::We)]);
    }
}
