//! Which fields of one object a rule selects. Changes nothing.

use serde_json::Value;

use crate::model::Segment;
use crate::model::ignore::{Fault, IgnoreRule, Place, STEPS, Step};
use crate::model::managed::{self, Entry};

/// Returns the places of the fields that pointers and expressions of a rule select, the deepest ones last, each once, and none that is a part
/// of another.
///
/// # Errors
/// An expression of the rule cannot be used in this object: a sentence without values of it. Then nothing of the rule counts.
pub(super) fn selected(rule: &IgnoreRule, document: &Value) -> Result<Vec<Place>, String> {
    let mut places: Vec<Place> = rule.pointers.iter().filter_map(|pointer| pointer.place(document)).collect();
    for expression in &rule.expressions {
        let mut fuel = STEPS;
        match expression.places(document, &mut fuel) {
            Ok(found) => places.extend(found.into_iter().filter(|place| place.of(document).is_some())),
            Err(fault) => told(rule, expression.as_str(), &fault)?,
        }
    }
    Ok(outermost(places))
}

/// An expression that does not fit this object is no problem: most objects have no init containers.
fn told(rule: &IgnoreRule, expression: &str, fault: &Fault) -> Result<(), String> {
    let start: String = expression.chars().take(80).collect();
    fault.told().map_or(Ok(()), |why| Err(format!("{}: the expression `{start}` {why}", rule.origin)))
}

/// Sorts places, and leaves out repeats and what is a part of another.
pub(super) fn outermost(mut places: Vec<Place>) -> Vec<Place> {
    places.sort_unstable();
    let mut found: Vec<Place> = Vec::new();
    for place in places {
        if found.last().is_none_or(|last| !place.0.starts_with(&last.0)) {
            found.push(place);
        }
    }
    found
}

/// Returns the fields that belong to the managers of a rule, as `metadata.managedFields` of the live object say, and have another value in
/// `before` than in `after`: where they are there.
pub(super) fn of_managers(rule: &IgnoreRule, live: &Value, before: &Value, after: &Value) -> (Vec<Place>, Vec<Place>) {
    let (mut befores, mut afters) = (Vec::new(), Vec::new());
    let is_trusted = |entry: &Entry<'_>| rule.managers().iter().any(|own| own == entry.manager);
    for entry in Entry::all(live).filter(is_trusted) {
        let pair = Pair { before: (before, Vec::new()), after: (after, Vec::new()) };
        descend(entry.fields, pair, &mut |pair| {
            if pair.before.0 != pair.after.0 {
                befores.push(Place(pair.before.1));
                afters.push(Place(pair.after.1));
            }
        });
    }
    (outermost(befores), outermost(afters))
}

/// A field on both sides, and where it is.
struct Pair<'v> {
    before: (&'v Value, Vec<Step>),
    after: (&'v Value, Vec<Step>),
}

/// Goes down the tree of a manager's fields as long as both sides have them.
fn descend<'v>(fields: &Value, pair: Pair<'v>, found: &mut dyn FnMut(Pair<'v>)) {
    if managed::is_leaf(fields) {
        if !pair.before.1.is_empty() {
            found(pair);
        }
        return;
    }
    for (key, child) in managed::children(fields) {
        let below = |(value, steps): &(&'v Value, Vec<Step>)| {
            let step = step(key, value)?;
            let inner = step.of(value)?;
            Some((inner, steps.iter().cloned().chain([step]).collect()))
        };
        if let (Some(before), Some(after)) = (below(&pair.before), below(&pair.after)) {
            descend(child, Pair { before, after }, found);
        }
    }
}

/// Returns the step that a key of `fieldsV1` stands for in a value.
fn step(key: &str, value: &Value) -> Option<Step> {
    let find = |is_it: &dyn Fn(&Value) -> bool| value.as_array()?.iter().position(is_it).map(Step::Index);
    match managed::segment(key)? {
        Segment::Field(name) => Some(Step::Key(name.into())),
        Segment::Index(index) => Some(Step::Index(index)),
        Segment::Keyed(keys) => find(&|item| keys.iter().all(|(name, value)| item.get(name) == Some(value))),
        Segment::Member(member) => find(&|item| *item == member),
        Segment::Order => None,
    }
}
