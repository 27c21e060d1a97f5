//! Puts live values of ignored fields into a target (spec R722). Does not choose them: that is done in `select`.

use serde_json::{Map, Value};

use super::{select, strip};
use crate::model::annotation::{LAST_APPLIED, TRACKING_ID};
use crate::model::ignore::{IgnoreRule, Place, Step};
use crate::model::{Segment, managed, secret};
use crate::plan::diff::align::{self, Alignment, Identity};

/// Fields of `metadata` that the server writes or that tell the object apart, beside all that begins with `deletion`.
const FIXED: [&str; 9] =
    ["name", "namespace", "generateName", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"];

/// The live object, and its owners' fields as one set.
#[derive(Clone, Copy)]
pub(super) struct Live<'v> {
    pub(super) object: &'v Value,
    pub(super) owners: &'v Value,
}

/// Returns the target with what a rule keeps; `None` if that changes nothing.
///
/// # Errors
/// The rule cannot be used in this object: a sentence.
pub(super) fn kept(target: &Value, live: Live<'_>, rule: &IgnoreRule) -> Result<Option<Value>, String> {
    let (of_live, of_target) = select::of_managers(rule, live.object, live.object, target);
    let chosen = |document: &Value, managed: Vec<Place>| -> Result<Vec<Place>, String> {
        let places = select::selected(rule, document)?.into_iter().chain(managed);
        Ok(select::outermost(places.flat_map(|place| allowed(document, place)).collect()))
    };
    let (gone, wanted) = (chosen(target, of_target)?, chosen(live.object, of_live)?);
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
        _ if !is_split => vec![place],
        Some(Value::Object(map)) => {
            let parts = map.keys().map(|key| Place(place.0.iter().cloned().chain([Step::Key(key.as_str().into())]).collect()));
            parts.flat_map(|part| allowed(document, part)).collect()
        }
        // What holds the fixed fields is no map here: kept as a whole, it would take their place.
        _ => Vec::new(),
    }
}

/// Puts the live value of a field where it belongs in the target. An item of a list that the target does not have is not begun: half of it
/// would be no item.
fn put(target: &mut Value, live: Live<'_>, steps: &[Step]) {
    let (mut target, mut live) = (target, live);
    for (at, step) in steps.iter().enumerate() {
        let is_last = at + 1 == steps.len();
        let Some(wanted) = live.below(step) else { return };
        match (step, target) {
            (Step::Key(key), Value::Object(map)) if is_last => {
                map.insert(key.to_string(), wanted.object.clone());
                return;
            }
            (Step::Key(key), Value::Object(map)) => {
                let slot = if wanted.object.is_object() {
                    Some(map.entry(key.to_string()).or_insert_with(|| Value::Object(Map::new())))
                } else {
                    map.get_mut(&**key)
                };
                let Some(inner) = slot else { return };
                target = inner;
            }
            (Step::Index(index), Value::Array(items)) if is_last => return put_item(items, live, wanted, *index),
            (Step::Index(index), Value::Array(items)) => {
                let found = match live.counterpart(items, *index) {
                    Counterpart::At(found) => found,
                    Counterpart::Unknown => *index,
                    Counterpart::Nowhere => return,
                };
                let Some(inner) = items.get_mut(found) else { return };
                target = inner;
            }
            _ => return,
        }
        live = wanted;
    }
}

/// Puts an item of a live list in the place of the target's, or beside it: if nothing tells items apart, what was selected as a whole is gone
/// from the target, so nothing of it is in its place.
fn put_item(items: &mut Vec<Value>, list: Live<'_>, wanted: Live<'_>, index: usize) {
    match list.counterpart(items, index) {
        Counterpart::At(found) if found < items.len() => items[found] = wanted.object.clone(),
        Counterpart::At(_) | Counterpart::Unknown | Counterpart::Nowhere => {
            items.insert(index.min(items.len()), wanted.object.clone());
        }
    }
}

/// Where the item of a live list is in the target.
enum Counterpart {
    At(usize),
    Nowhere,
    /// Nothing tells the items of these lists apart but their places.
    Unknown,
}

impl<'v> Live<'v> {
    /// Returns what is one step down.
    fn below(self, step: &Step) -> Option<Self> {
        let object = step.of(self.object)?;
        let owners = match step {
            Step::Key(key) => managed::child(self.owners, &Segment::Field(key.to_string())),
            Step::Index(_) => managed::children(self.owners).find(|(key, _)| is_of(key, object)).map(|(_, owners)| owners),
        };
        Some(Self { object, owners: owners.unwrap_or(&Value::Null) })
    }

    /// Finds the item of a target that is the same as one of this list: by what the owners say tells its items apart, else by fields that
    /// look like it, as in a comparison.
    fn counterpart(self, target: &[Value], index: usize) -> Counterpart {
        let live = self.object.as_array().map(Vec::as_slice).unwrap_or_default();
        let segments = managed::children(self.owners).filter_map(|(key, _)| managed::segment(key));
        let identity = segments.filter_map(|segment| Identity::of(&segment)).next().unwrap_or(Identity::Unknown);
        let found = match align::align(live, target, &identity) {
            Alignment::Keyed(keys) | Alignment::Members(keys) => keys.places().get(keys.before[index].as_str()).copied(),
            Alignment::Whole => target.iter().position(|item| *item == live[index]),
            Alignment::Places { .. } => return Counterpart::Unknown,
        };
        found.map_or(Counterpart::Nowhere, Counterpart::At)
    }
}

/// Returns whether a key of the tree of owners stands for an item.
fn is_of(key: &str, item: &Value) -> bool {
    match managed::segment(key) {
        Some(Segment::Keyed(keys)) => keys.iter().all(|(name, value)| item.get(name) == Some(value)),
        Some(Segment::Member(member)) => member == *item,
        Some(Segment::Field(_) | Segment::Index(_) | Segment::Order) | None => false,
    }
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
