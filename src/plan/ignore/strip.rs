//! Takes the fields that rules ignore out of objects. Does not choose them: that is done in `select`.

use serde_json::Value;

use super::select;
use crate::model::ignore::{IgnoreRule, Place, Step};

/// Takes out of both sides what a rule selects, and returns whether there was anything. `live` is the live object as it was read, with
/// `metadata.managedFields`.
///
/// # Errors
/// The rule cannot be used in this object: a sentence. Then nothing is taken out.
pub(super) fn strip(rule: &IgnoreRule, live: &Value, before: &mut Value, after: &mut Value) -> Result<bool, String> {
    let (of_before, of_after) = select::of_managers(rule, live, before, after);
    let mut befores = select::selected(rule, before)?;
    let mut afters = select::selected(rule, after)?;
    befores.extend(of_before);
    afters.extend(of_after);
    if befores.is_empty() && afters.is_empty() {
        return Ok(false);
    }
    let emptied: Vec<Place> = [remove(before, befores), remove(after, afters)].concat();
    for side in [before, after] {
        emptied.iter().for_each(|place| drop_empty(side, place));
    }
    Ok(true)
}

/// Takes fields out. Returns the maps that have become empty by that.
pub(super) fn remove(document: &mut Value, places: Vec<Place>) -> Vec<Place> {
    let mut emptied = Vec::new();
    // From the end, so that what is before keeps its index.
    for place in select::outermost(places).into_iter().rev() {
        let Some((last, parents)) = place.0.split_last() else {
            *document = Value::Object(serde_json::Map::new());
            continue;
        };
        let Some(parent) = at(document, parents) else { continue };
        match (parent, last) {
            (Value::Object(map), Step::Key(key)) => {
                if map.remove(&**key).is_some() && map.is_empty() {
                    emptied.push(Place(parents.to_vec()));
                }
            }
            (Value::Array(items), Step::Index(index)) if *index < items.len() => {
                items.remove(*index);
            }
            (Value::Object(_) | Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_), _) => {}
        }
    }
    emptied
}

pub(super) fn at<'v>(document: &'v mut Value, steps: &[Step]) -> Option<&'v mut Value> {
    steps.iter().try_fold(document, |value, step| match step {
        Step::Key(key) => value.as_object_mut()?.get_mut(&**key),
        Step::Index(index) => value.as_array_mut()?.get_mut(*index),
    })
}

/// Takes an empty map out, and those around it that are empty then: a map that had only ignored fields is not there for the other side.
fn drop_empty(document: &mut Value, place: &Place) {
    let mut steps = &place.0[..];
    while let Some((Step::Key(key), parents)) = steps.split_last() {
        if let Some(Value::Object(parent)) = at(document, parents) {
            match parent.get(&**key) {
                Some(Value::Object(map)) if map.is_empty() => drop(parent.remove(&**key)),
                Some(_) => return,
                None => {}
            }
        }
        steps = parents;
    }
}
