//! Which item of a list is which on the other side. The server knows lists whose items have keys, sets, and lists that are one value; it
//! says which through the owners of fields. Where it says nothing, fields that look like keys are taken if every item has them and no two
//! items share them.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value};

use crate::model::Segment;

/// Fields that tell items apart in the lists of Kubernetes, the most telling ones first.
const GUESSES: [&[&str]; 8] =
    [&["mountPath"], &["devicePath"], &["containerPort", "protocol"], &["uid"], &["name"], &["port", "protocol"], &["key"], &["ip"]];

/// What is known of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plan) enum Identity {
    /// Its items are told apart by these fields.
    Keyed(Vec<String>),
    /// Its items are told apart by their values.
    Set,
    /// It is one value, or nothing is known of it.
    Unknown,
}

impl Identity {
    /// Returns what the step to an item says of its list.
    pub(in crate::plan) fn of(item: &Segment) -> Option<Self> {
        match item {
            Segment::Keyed(keys) => Some(Self::Keyed(keys.keys().cloned().collect())),
            Segment::Member(_) => Some(Self::Set),
            Segment::Field(_) | Segment::Index(_) | Segment::Order => None,
        }
    }
}

/// How the items of two lists belong together.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::plan) enum Alignment {
    /// Not at all: the list is one value.
    Whole,
    /// By fields of theirs.
    Keyed(Keys),
    /// By their values.
    Members(Keys),
    /// By their places: so many at the start and so many at the end are the same; between them they pair up until one side ends.
    Places { start: usize, end: usize },
}

/// What tells the items of two lists apart: unique on each side.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::plan) struct Keys {
    /// Fields that make up the key.
    pub(super) names: Vec<String>,
    pub(in crate::plan) before: Vec<String>,
    pub(super) after: Vec<String>,
}

/// What is different below a field. What is not mentioned is the same, or there on one side only.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Tree {
    /// Nothing, or the whole.
    #[default]
    Leaf,
    /// The fields that are on both sides and different.
    Map(BTreeMap<String, Self>),
    List(Box<Aligned>),
}

/// A list whose items belong together in some way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Aligned {
    pub(super) alignment: Alignment,
    /// Items that are on both sides and different, by their place before; with the place after.
    pub(super) pairs: BTreeMap<usize, (usize, Tree)>,
}

/// Finds out how the items of two lists belong together.
pub(in crate::plan) fn align(before: &[Value], after: &[Value], identity: &Identity) -> Alignment {
    let all = || before.iter().chain(after);
    let known = match identity {
        Identity::Keyed(names) => keyed(before, after, names).map(Alignment::Keyed),
        Identity::Set if !all().any(is_container) => members(before, after).map(Alignment::Members),
        Identity::Set | Identity::Unknown => None,
    };
    if let Some(alignment) = known {
        return alignment;
    }
    if !all().any(is_container) {
        return Alignment::Whole;
    }
    if all().all(Value::is_object) {
        let guess = |names: &&[&str]| keyed(before, after, &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        if let Some(keys) = GUESSES.iter().find_map(guess) {
            return Alignment::Keyed(keys);
        }
    }
    let start = before.iter().zip(after).take_while(|(before, after)| before == after).count();
    let rest = before[start..].iter().rev().zip(after[start..].iter().rev());
    Alignment::Places { start, end: rest.take_while(|(before, after)| before == after).count() }
}

/// Returns the step to an item by its key; `None` if it has none.
pub(super) fn item(item: &Value, names: &[String]) -> Option<Segment> {
    let mut keys = Map::new();
    for name in names {
        let value = match item.get(name) {
            Some(Value::Null | Value::Array(_) | Value::Object(_)) => return None,
            Some(value) => value.clone(),
            // The one default that a key of Kubernetes' own lists can have.
            None if name == "protocol" => "TCP".into(),
            None => return None,
        };
        keys.insert(name.clone(), value);
    }
    Some(Segment::Keyed(keys))
}

/// Returns what is one step down from a value; of the order of a list, the list.
pub(super) fn at<'v>(value: &'v Value, segment: &Segment) -> Option<&'v Value> {
    match segment {
        Segment::Field(name) => value.as_object()?.get(name),
        Segment::Index(index) => value.as_array()?.get(*index),
        Segment::Member(member) => value.as_array()?.iter().find(|item| *item == member),
        Segment::Keyed(keys) => value.as_array()?.iter().find(|item| keys.iter().all(|key| has_key(item, key))),
        Segment::Order => value.is_array().then_some(value),
    }
}

fn has_key(item: &Value, (name, value): (&String, &Value)) -> bool {
    item.get(name).map_or(name == "protocol" && value == "TCP", |own| own == value)
}

fn keyed(before: &[Value], after: &[Value], names: &[String]) -> Option<Keys> {
    let text = |value: &Value| match item(value, names)? {
        Segment::Keyed(keys) => Some(crate::model::field_path::keyed(&keys)),
        Segment::Field(_) | Segment::Member(_) | Segment::Index(_) | Segment::Order => None,
    };
    Some(Keys { names: names.to_vec(), before: unique(before, text)?, after: unique(after, text)? })
}

fn members(before: &[Value], after: &[Value]) -> Option<Keys> {
    let text = |value: &Value| Some(value.to_string());
    Some(Keys { names: Vec::new(), before: unique(before, text)?, after: unique(after, text)? })
}

fn unique(items: &[Value], text: impl Fn(&Value) -> Option<String>) -> Option<Vec<String>> {
    let texts: Vec<String> = items.iter().map(text).collect::<Option<_>>()?;
    let distinct: HashSet<&String> = texts.iter().collect();
    (distinct.len() == texts.len()).then_some(texts)
}

fn is_container(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

impl Keys {
    /// Returns the step to an item of these lists.
    pub(super) fn segment(&self, item: &Value) -> Segment {
        if self.names.is_empty() { Segment::Member(item.clone()) } else { self::item(item, &self.names).unwrap_or(Segment::Order) }
    }

    /// Returns the place of each item after, by its key.
    pub(in crate::plan) fn places(&self) -> HashMap<&str, usize> {
        self.after.iter().enumerate().map(|(at, key)| (key.as_str(), at)).collect()
    }

    /// Returns whether the items stand in another order than that of the side before, with what is new at its end.
    pub(super) fn is_reordered(&self) -> bool {
        let places = self.places();
        let old: HashSet<&String> = self.before.iter().collect();
        let kept = self.before.iter().filter(|key| places.contains_key(key.as_str()));
        !kept.chain(self.after.iter().filter(|key| !old.contains(key))).eq(&self.after)
    }
}
