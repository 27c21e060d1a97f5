//! Fields that the target sets and that come out otherwise, because the server, or a webhook that it asks, has the last word (diff.md 4.2,
//! point 4). The owners do not tell: they are written down before a webhook is asked.

use serde_json::{Map, Value};

use super::{Cause, Difference, quantity};
use crate::model::{Segment, secret};

impl Difference {
    /// Corrects the cause of fields that do not come out as the target has them. Looks at single values: of a whole, the server fills in
    /// the rest. Secrets are masked here, so nothing can be said of them.
    pub(crate) fn overrule(&mut self, target: &Value) {
        if secret::is_secret(target) || secret::is_inside(target) {
            return;
        }
        let kind = target["kind"].as_str().unwrap_or_default();
        for field in &mut self.fields {
            let is_of_target = match &field.cause {
                Cause::Ours | Cause::Taken { .. } => true,
                Cause::Removed | Cause::Defaulted | Cause::Overruled => false,
            };
            let path = field.path.segments();
            let wanted = asked_for(target, path).filter(|_| is_of_target);
            if wanted.is_some_and(|wanted| is_overruled(kind, path, wanted, field.after.as_ref())) {
                field.cause = Cause::Overruled;
            }
        }
    }
}

fn is_overruled(kind: &str, path: &[Segment], wanted: &Value, made: Option<&Value>) -> bool {
    match (wanted, made) {
        (Value::Null | Value::Array(_) | Value::Object(_), _) => false,
        (Value::Number(wanted), Some(Value::Number(made))) => wanted.as_f64() != made.as_f64(),
        (wanted, Some(made)) if quantity::is_at(kind, path) => !quantity::is_same(wanted, made),
        (wanted, made) => Some(wanted) != made,
    }
}

/// Returns what a target has at a path.
fn asked_for<'a>(target: &'a Value, path: &[Segment]) -> Option<&'a Value> {
    path.iter().try_fold(target, |value, segment| match segment {
        Segment::Field(name) => value.get(name),
        Segment::Keyed(keys) => value.as_array()?.iter().find(|item| has(item, keys)),
        Segment::Member(member) => value.as_array()?.iter().find(|item| *item == member),
        Segment::Index(index) => value.get(index),
        Segment::Order => None,
    })
}

/// Returns whether an item is the one with these keys; a target may leave out those that have a default.
fn has(item: &Value, keys: &Map<String, Value>) -> bool {
    let is_there = |(key, value): (&String, &Value)| item.get(key).is_none_or(|own| own == value);
    keys.iter().any(|(key, value)| item.get(key) == Some(value)) && keys.iter().all(is_there)
}
