//! Puts live values of ignored fields into a target (spec R722).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{select, strip};
use crate::model::annotation::{LAST_APPLIED, TRACKING_ID};
use crate::model::ignore::{IgnoreRule, Place, Step};
use crate::model::secret;

/// Fields of `metadata` that the server writes or that tell the object apart, beside all that begins with `deletion`.
const FIXED: [&str; 9] =
    ["name", "namespace", "generateName", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"];

/// Fields that tell items of lists apart, the most telling ones first.
const KEYS: [&[&str]; 7] =
    [&["mountPath"], &["devicePath"], &["containerPort", "protocol"], &["name"], &["port", "protocol"], &["key"], &["ip"]];

/// Returns the target with what a rule keeps; `None` if that changes nothing.
///
/// # Errors
/// The rule cannot be used in this object: a sentence.
pub(super) fn kept(target: &Value, live: &Value, rule: &IgnoreRule) -> Result<Option<Value>, String> {
    let (of_live, of_target) = select::of_managers(rule, live, live, target);
    let chosen = |document: &Value, managed: Vec<Place>| -> Result<Vec<Place>, String> {
        let places = select::selected(rule, document)?.into_iter().chain(managed);
        Ok(select::outermost(places.flat_map(|place| allowed(document, place)).collect()))
    };
    let (gone, wanted) = (chosen(target, of_target)?, chosen(live, of_live)?);
    if gone.is_empty() && wanted.is_empty() {
        return Ok(None);
    }
    let mut result = target.clone();
    strip::remove(&mut result, gone);
    for place in &wanted {
        put(&mut result, live, &place.0);
        forget_plain_text(&mut result, place);
    }
    Ok((result != *target).then_some(result))
}

/// Returns what of a place may be kept: the place, or its parts, or nothing.
fn allowed(document: &Value, place: Place) -> Vec<Place> {
    let names: Vec<&str> = place.0.iter().map_while(|step| if let Step::Key(key) = step { Some(&**key) } else { None }).collect();
    let is_split = match names[..] {
        ["apiVersion" | "kind" | "status", ..] | ["metadata", "annotations", TRACKING_ID | LAST_APPLIED, ..] => return Vec::new(),
        ["metadata", name, ..] if FIXED.contains(&name) || name.starts_with("deletion") => return Vec::new(),
        [] | ["metadata"] | ["metadata", "annotations"] => place.0.len() == names.len(),
        _ => false,
    };
    match place.of(document) {
        Some(Value::Object(map)) if is_split => {
            let parts = map.keys().map(|key| Place(place.0.iter().cloned().chain([Step::Key(key.as_str().into())]).collect()));
            parts.flat_map(|part| allowed(document, part)).collect()
        }
        _ => vec![place],
    }
}

/// Puts the live value of a field where it belongs in the target. An item of a list that the target does not have is not begun: half of it
/// would be no item.
fn put(target: &mut Value, live: &Value, steps: &[Step]) {
    let (mut target, mut live) = (target, live);
    for (at, step) in steps.iter().enumerate() {
        let is_last = at + 1 == steps.len();
        let Some(wanted) = step.of(live) else { return };
        match (step, target) {
            (Step::Key(key), Value::Object(map)) if is_last => {
                map.insert(key.to_string(), wanted.clone());
                return;
            }
            (Step::Key(key), Value::Object(map)) => {
                let slot = if wanted.is_object() {
                    Some(map.entry(key.to_string()).or_insert_with(|| Value::Object(Map::new())))
                } else {
                    map.get_mut(&**key)
                };
                let Some(inner) = slot else { return };
                target = inner;
            }
            (Step::Index(index), Value::Array(items)) => {
                let found = live.as_array().map_or(Counterpart::Unknown, |live| counterpart(live, items, *index));
                let found = match found {
                    Counterpart::At(found) => Some(found),
                    // What was selected as a whole is gone from the target, so nothing of it is in this place.
                    Counterpart::Unknown if !is_last => Some(*index),
                    Counterpart::Unknown | Counterpart::Nowhere => None,
                };
                match found.filter(|found| *found < items.len()) {
                    Some(found) if is_last => {
                        items[found] = wanted.clone();
                        return;
                    }
                    Some(found) => target = &mut items[found],
                    None if is_last => {
                        items.insert((*index).min(items.len()), wanted.clone());
                        return;
                    }
                    None => return,
                }
            }
            _ => return,
        }
        live = wanted;
    }
}

/// Where the item of a live list is in the target.
enum Counterpart {
    At(usize),
    Nowhere,
    /// Nothing tells the items of these lists apart but their places.
    Unknown,
}

/// Finds the item that is the same as a live one, by what tells the items of both lists apart.
fn counterpart(live: &[Value], target: &[Value], index: usize) -> Counterpart {
    for names in KEYS {
        let (Some(live), Some(target)) = (keys(live, names), keys(target, names)) else { continue };
        let own = live.iter().find(|(_, at)| **at == index).and_then(|(key, _)| target.get(key));
        return own.map_or(Counterpart::Nowhere, |at| Counterpart::At(*at));
    }
    let is_plain = |items: &[Value]| items.iter().all(|item| !item.is_object() && !item.is_array());
    if is_plain(live) && is_plain(target) {
        return target.iter().position(|item| *item == live[index]).map_or(Counterpart::Nowhere, Counterpart::At);
    }
    Counterpart::Unknown
}

/// Returns the index of each item by its key; `None` if items lack it or share it.
fn keys(items: &[Value], names: &[&str]) -> Option<BTreeMap<String, usize>> {
    let mut found = BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        let mut key = String::new();
        for name in names {
            match item.get(name) {
                Some(value @ (Value::String(_) | Value::Number(_))) => key += &value.to_string(),
                None if *name == "protocol" && item.is_object() => key += "\"TCP\"",
                _ => return None,
            }
        }
        if found.insert(key, at).is_some() {
            return None;
        }
    }
    Some(found)
}

/// What a Secret's manifest says in `stringData` would win over the live value in `data`.
fn forget_plain_text(target: &mut Value, place: &Place) {
    let is_secret = secret::is_secret(target);
    let Some(Value::Object(plain)) = target.get_mut("stringData").filter(|_| is_secret) else { return };
    match &place.0[..] {
        [Step::Key(data)] if **data == *"data" => plain.clear(),
        [Step::Key(data), Step::Key(key)] if **data == *"data" => {
            plain.remove(&**key);
        }
        _ => {}
    }
}
