//! Reading and writing fields of raw objects, as controllers need it. Knows the shape of metadata and conditions
//! and nothing of any kind.

use jiff::Timestamp;
use serde_json::{Value, json};

/// Returns the string at a JSON pointer, or an empty one.
pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the number at a JSON pointer.
pub(super) fn int(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}

/// Returns whether there is `true` at a JSON pointer.
pub(super) fn flag(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}

/// Returns the list at a JSON pointer, or an empty one.
pub(super) fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Returns the time at a JSON pointer.
pub(super) fn time(object: &Value, pointer: &str) -> Option<Timestamp> {
    text(object, pointer).parse().ok()
}

/// Renders a time as objects carry it: whole seconds.
pub(super) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub(super) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

pub(super) fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

pub(super) fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

pub(super) fn generation(object: &Value) -> i64 {
    int(object, "/metadata/generation").unwrap_or(0)
}

/// Returns whether somebody has asked for the deletion of an object.
pub(super) fn is_deleting(object: &Value) -> bool {
    !text(object, "/metadata/deletionTimestamp").is_empty()
}

pub(super) fn has_finalizer(object: &Value, finalizer: &str) -> bool {
    list(object, "/metadata/finalizers").iter().any(|one| one == finalizer)
}

pub(super) fn remove_finalizer(object: &mut Value, finalizer: &str) {
    if let Some(finalizers) = object.pointer_mut("/metadata/finalizers").and_then(Value::as_array_mut) {
        finalizers.retain(|one| one != finalizer);
    }
}

pub(super) fn owners(object: &Value) -> &[Value] {
    list(object, "/metadata/ownerReferences")
}

/// Returns the owner that controls an object.
pub(super) fn controller(object: &Value) -> Option<&Value> {
    owners(object).iter().find(|owner| flag(owner, "/controller"))
}

/// Returns the reference that makes `object` the controller of something.
pub(super) fn controlled_by(object: &Value) -> Value {
    json!({
        "apiVersion": object["apiVersion"], "kind": object["kind"], "name": object["metadata"]["name"],
        "uid": object["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    })
}

/// Returns a label's value, or an empty one.
pub(super) fn label<'a>(object: &'a Value, key: &str) -> &'a str {
    object["metadata"]["labels"][key].as_str().unwrap_or_default()
}

/// Sets an entry of `labels` or `annotations`.
pub(super) fn set_entry(object: &mut Value, map: &str, key: &str, value: &str) {
    object["metadata"][map][key] = value.into();
}

/// Returns a condition by its type.
pub(super) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    list(object, "/status/conditions").iter().find(|condition| condition["type"] == kind)
}

/// Returns whether a condition has the status `True`.
pub(super) fn holds(object: &Value, kind: &str) -> bool {
    condition(object, kind).is_some_and(|condition| condition["status"] == "True")
}

/// A condition to be set.
#[derive(Clone, Copy)]
pub(super) struct Condition<'a> {
    pub(super) kind: &'a str,
    pub(super) status: &'a str,
    pub(super) reason: &'a str,
    pub(super) message: &'a str,
}

/// Sets a condition in place; the transition time moves only with the status.
pub(super) fn set_condition(object: &mut Value, wanted: Condition<'_>, now: Timestamp) {
    let former = condition(object, wanted.kind);
    let since = former
        .filter(|former| former["status"] == wanted.status)
        .map_or_else(|| stamp(now), |former| text(former, "/lastTransitionTime").to_owned());
    let fresh = json!({
        "type": wanted.kind, "status": wanted.status, "reason": wanted.reason, "message": wanted.message, "lastTransitionTime": since,
    });
    let status = &mut object["status"];
    if !status["conditions"].is_array() {
        status["conditions"] = json!([]);
    }
    if let Some(conditions) = status["conditions"].as_array_mut() {
        match conditions.iter_mut().find(|condition| condition["type"] == wanted.kind) {
            Some(condition) => *condition = fresh,
            None => conditions.push(fresh),
        }
    }
}

/// Writes numbers into the status; zero is left out, as the real types do.
pub(super) fn set_counts(object: &mut Value, counts: &[(&str, i64)]) {
    for (name, count) in counts {
        if *count == 0 {
            if let Some(status) = object["status"].as_object_mut() {
                status.remove(*name);
            }
        } else {
            object["status"][*name] = (*count).into();
        }
    }
}

/// Returns whether labels fit a label selector (`matchLabels` and `matchExpressions`).
pub(super) fn selects(selector: &Value, labels: &Value) -> bool {
    let value = |key: &str| labels.get(key).and_then(Value::as_str);
    let equal = selector["matchLabels"].as_object().into_iter().flatten().all(|(key, wanted)| value(key) == wanted.as_str());
    equal
        && list(selector, "/matchExpressions").iter().all(|expression| {
            let found = value(text(expression, "/key"));
            let listed = || list(expression, "/values").iter().any(|wanted| wanted.as_str() == found);
            match text(expression, "/operator") {
                "In" => found.is_some() && listed(),
                "NotIn" => !listed(),
                "Exists" => found.is_some(),
                _ => found.is_none(),
            }
        })
}

/// Reads a number or a percentage of `total`, rounded up or down (`maxSurge`, `maxUnavailable`, `minAvailable`).
pub(super) fn scaled(value: &Value, total: i64, round: Round) -> Option<i64> {
    if let Some(number) = value.as_i64() {
        return Some(number);
    }
    let percent: i64 = value.as_str()?.strip_suffix('%')?.parse().ok()?;
    let product = total.saturating_mul(percent);
    Some(match round {
        Round::Up => (product + 99) / 100,
        Round::Down => product / 100,
    })
}

/// Which way a percentage is rounded.
#[derive(Clone, Copy)]
pub(super) enum Round {
    Up,
    Down,
}

/// A short stable hash, as template labels carry it.
pub(super) fn hash(value: &Value) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut rest = fnv(value.to_string().as_bytes());
    let letter = |rest: &mut u64| {
        let letter = LETTERS[usize::try_from(*rest % LETTERS.len() as u64).unwrap_or_default()];
        *rest /= LETTERS.len() as u64;
        char::from(letter)
    };
    (0..10).map(|_| letter(&mut rest)).collect()
}

/// FNV-1a, for seeds that follow from names.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_keeps_its_transition_time_while_the_status_stays() {
        let mut object = json!({});
        let early = "2026-03-01T09:00:00Z".parse().unwrap();
        let late = "2026-03-01T09:00:05Z".parse().unwrap();
        let ready = |status, reason| Condition { kind: "Ready", status, reason, message: "" };
        set_condition(&mut object, ready("False", "A"), early);
        set_condition(&mut object, ready("False", "B"), late);
        assert_eq!(text(&object, "/status/conditions/0/lastTransitionTime"), "2026-03-01T09:00:00Z");
        assert_eq!(text(&object, "/status/conditions/0/reason"), "B");
        set_condition(&mut object, ready("True", "C"), late);
        assert_eq!(text(&object, "/status/conditions/0/lastTransitionTime"), "2026-03-01T09:00:05Z");
        assert_eq!(list(&object, "/status/conditions").len(), 1);
    }

    #[test]
    fn percentages_are_rounded_as_asked() {
        assert_eq!(scaled(&json!("25%"), 2, Round::Up), Some(1));
        assert_eq!(scaled(&json!("25%"), 2, Round::Down), Some(0));
        assert_eq!(scaled(&json!(3), 2, Round::Down), Some(3));
        assert_eq!(scaled(&json!("x"), 2, Round::Down), None);
    }

    #[test]
    fn a_selector_with_expressions_selects() {
        let labels = json!({"app": "web", "tier": "front"});
        let selector =
            |operator: &str, values: Value| json!({"matchExpressions": [{"key": "tier", "operator": operator, "values": values}]});
        assert!(selects(&json!({"matchLabels": {"app": "web"}}), &labels));
        assert!(!selects(&json!({"matchLabels": {"app": "db"}}), &labels));
        assert!(selects(&selector("In", json!(["front"])), &labels));
        assert!(!selects(&selector("NotIn", json!(["front"])), &labels));
        assert!(selects(&selector("Exists", json!([])), &labels));
        assert!(!selects(&selector("DoesNotExist", json!([])), &labels));
    }
}
