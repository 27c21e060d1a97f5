//! What is different, and to whom it belongs.

mod lists;
mod owners;
mod properties;
mod secrets;
mod shown;
mod three_way;

use serde_json::json;

use super::*;

/// Compares two objects.
fn difference(before: &Value, after: &Value) -> Difference {
    compare(&Sides { live: Some(before), after: Some(after) }, &NoRules)
}

/// Writes changes as `path: before -> after`.
fn told(difference: &Difference) -> Vec<String> {
    let side = |value: &Option<Value>| value.as_ref().map_or("none".to_owned(), Value::to_string);
    difference.fields.iter().map(|change| format!("{}: {} -> {}", change.path, side(&change.before), side(&change.after))).collect()
}

/// An object with a spec.
fn object(spec: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec})
}

/// An object of a kind with these metadata.
fn dressed(kind: &str, metadata: &Value) -> Value {
    let mut object = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}});
    for (key, value) in metadata.as_object().unwrap() {
        object["metadata"][key] = value.clone();
    }
    object
}

/// An entry of `managedFields`.
fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
    json!({"manager": manager, "operation": operation, "time": "2026-03-01T09:00:00Z", "fieldsV1": fields})
}

/// The same object with owners.
fn owned(object: &Value, entries: &[Value]) -> Value {
    let mut object = object.clone();
    object["metadata"]["managedFields"] = entries.into();
    object
}

#[test]
fn a_field_is_named_and_told_with_both_values() {
    for (before, after, expected) in [
        (json!({"a": 1}), json!({"a": 1}), vec![]),
        (json!({"a": 1}), json!({"a": 2}), vec!["spec.a: 1 -> 2"]),
        (json!({"a": 1}), json!({}), vec!["spec.a: 1 -> none"]),
        (json!({}), json!({"a": {"b": [1]}}), vec![r#"spec.a: none -> {"b":[1]}"#]),
        (
            json!({"a": {"b": 1, "c": 2}}),
            json!({"a": {"b": 2, "d": 2}}),
            vec!["spec.a.b: 1 -> 2", "spec.a.c: 2 -> none", "spec.a.d: none -> 2"],
        ),
        (json!({"a": "1"}), json!({"a": 1}), vec![r#"spec.a: "1" -> 1"#]),
        (json!({"a": {}}), json!({"a": []}), vec!["spec.a: {} -> []"]),
        (json!({"a": true}), json!({"a": "true"}), vec![r#"spec.a: true -> "true""#]),
        (json!({"a": 1}), json!({"a": 1.5}), vec!["spec.a: 1 -> 1.5"]),
        (json!({"emptyDir": {}}), json!({}), vec!["spec.emptyDir: {} -> none"]),
    ] {
        assert_eq!(told(&difference(&object(&before), &object(&after))), expected, "{before} {after}");
    }
}

#[test]
fn what_no_target_asks_for_is_not_compared() {
    for (name, before, after) in [
        ("generation", json!({"generation": 1}), json!({"generation": 2})),
        ("uid of a dry run", json!({"uid": "a"}), json!({"uid": "b"})),
        ("resource version", json!({"resourceVersion": "1"}), json!({"resourceVersion": "2"})),
        ("creation", json!({"creationTimestamp": "2026-03-01T09:00:00Z"}), json!({"creationTimestamp": null})),
        ("self link", json!({"selfLink": "/api"}), json!({})),
        ("deletion", json!({"deletionTimestamp": "2026-03-01T09:00:00Z", "deletionGracePeriodSeconds": 30}), json!({})),
        ("owners of fields", json!({"managedFields": [entry("a", "Update", &json!({}))]}), json!({"managedFields": []})),
        ("last applied", json!({"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}), json!({})),
        ("revision", json!({"annotations": {"deployment.kubernetes.io/revision": "3"}}), json!({"annotations": {}})),
        ("empty annotations", json!({"annotations": {}}), json!({})),
        ("null", json!({"labels": null}), json!({})),
        ("empty labels", json!({}), json!({"labels": {}, "finalizers": [], "ownerReferences": []})),
        (
            "the label of an operation",
            json!({"labels": {"syncwave.dev/operation": "1"}}),
            json!({"labels": {"syncwave.dev/operation": "2"}}),
        ),
        ("the finalizer of a hook", json!({}), json!({"finalizers": ["syncwave.dev/hook-finalizer"]})),
        (
            "a deletion that waits for dependents",
            json!({"deletionTimestamp": "2026-03-01T09:00:00Z", "finalizers": ["foregroundDeletion", "orphan"]}),
            json!({}),
        ),
    ] {
        let difference = difference(&dressed("Thing", &before), &dressed("Thing", &after));
        assert_eq!(told(&difference), [""; 0], "{name}");
        assert_eq!(difference.before, difference.after, "{name}");
    }
    let status = |value: &Value| json!({"kind": "Thing", "status": value});
    assert!(difference(&status(&json!({"ready": 1})), &status(&json!({"ready": 2}))).is_empty());
    for (kind, before, after) in [
        ("ConfigMap", json!({"data": {}}), json!({})),
        ("Secret", json!({"data": {}}), json!({"data": null})),
        ("Secret", json!({"data": {"a": "aHVudGVyMg=="}}), json!({"stringData": {"a": "hunter2"}})),
        ("ClusterRole", json!({"rules": null}), json!({"rules": []})),
    ] {
        let of_kind = |fields: &Value| {
            let mut object = dressed(kind, &json!({}));
            object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            object
        };
        assert_eq!(told(&difference(&of_kind(&before), &of_kind(&after))), [""; 0], "{kind} {before} {after}");
    }
}

#[test]
fn the_servers_finalizers_count_where_nothing_is_being_deleted_and_those_of_others_always() {
    let finalizers = |names: &Value, deletion: &Value| dressed("Thing", &json!({"finalizers": names, "deletionTimestamp": deletion}));
    let none = dressed("Thing", &json!({}));
    let standing = difference(&finalizers(&json!(["orphan"]), &Value::Null), &none);
    assert_eq!(told(&standing), [r#"metadata.finalizers: ["orphan"] -> none"#]);
    let leaving = difference(&finalizers(&json!(["foregroundDeletion", "example.com/x"]), &json!("2026-03-01T09:00:00Z")), &none);
    assert_eq!(told(&leaving), [r#"metadata.finalizers: ["example.com/x"] -> none"#]);
}

#[test]
fn another_tracking_id_is_a_difference_and_the_same_one_is_not_even_shown() {
    let tracked = |id: &str| dressed("Thing", &json!({"annotations": {"syncwave.dev/tracking-id": id}}));
    let same = difference(&tracked("a"), &tracked("a"));
    assert!(same.is_empty());
    assert_eq!(*same.before.unwrap(), json!({"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "a"}}));
    let other = difference(&tracked("a"), &tracked("b"));
    assert_eq!(told(&other), [r#"metadata.annotations["syncwave.dev/tracking-id"]: "a" -> "b""#]);
    let adopted = difference(&dressed("Thing", &json!({})), &tracked("b"));
    assert_eq!(told(&adopted), [r#"metadata.annotations: none -> {"syncwave.dev/tracking-id":"b"}"#]);
}

#[test]
fn the_same_amount_is_no_difference_where_an_amount_is_known_to_be_one() {
    let limits =
        |cpu: &Value, memory: &Value| json!({"containers": [{"name": "app", "resources": {"limits": {"cpu": cpu, "memory": memory}}}]});
    let same = difference(&object(&limits(&json!("1000m"), &json!("1024Mi"))), &object(&limits(&json!(1), &json!("1Gi"))));
    assert!(same.is_empty(), "{same:?}");
    assert_eq!(same.before, same.after, "nor is it one in the lines");
    let other = difference(&object(&limits(&json!("1"), &json!("1Gi"))), &object(&limits(&json!("1"), &json!("2Gi"))));
    assert_eq!(told(&other), [r#"spec.containers[name=app].resources.limits.memory: "1Gi" -> "2Gi""#]);
    let version = difference(&object(&json!({"version": "1000m", "port": 80})), &object(&json!({"version": "1", "port": "80"})));
    assert_eq!(told(&version), [r#"spec.port: 80 -> "80""#, r#"spec.version: "1000m" -> "1""#]);
}

#[test]
fn a_creation_and_a_prune_are_one_change_of_the_whole_object() {
    let wanted = object(&json!({"a": 1}));
    let created = compare(&Sides { live: None, after: Some(&wanted) }, &NoRules);
    assert_eq!((created.fields[0].path.to_string(), &created.fields[0].cause), (".".to_owned(), &Cause::Ours));
    assert_eq!(created.fields[0].after.as_ref(), Some(&wanted));
    let pruned = compare(&Sides { live: Some(&wanted), after: None }, &NoRules);
    assert_eq!((pruned.fields.len(), &pruned.fields[0].cause), (1, &Cause::Removed));
    assert!(compare(&Sides { live: None, after: None }, &NoRules).is_empty());
}

/// Takes a field out of both sides.
struct Without(&'static str);

impl IgnoreFields for Vec<Without> {
    fn rules(&self) -> Vec<&dyn IgnoreRule> {
        self.iter().map(|rule| rule as &dyn IgnoreRule).collect()
    }
}

impl IgnoreRule for Without {
    fn name(&self) -> String {
        format!("without {}", self.0)
    }

    fn strip(&self, pair: &mut Pair<'_>) -> Result<bool, String> {
        if self.0 == "broken" {
            return Err("the rule cannot be read".to_owned());
        }
        let taken = [&mut *pair.before, &mut *pair.after].map(|side| side["spec"].as_object_mut().unwrap().remove(self.0));
        Ok(taken.iter().any(Option::is_some))
    }
}

#[test]
fn what_a_rule_hides_is_told_with_the_rule_and_a_rule_that_fails_hides_nothing() {
    let (before, after) = (object(&json!({"a": 1, "b": 1, "broken": 1})), object(&json!({"a": 2, "b": 1, "broken": 2})));
    let rules = vec![Without("b"), Without("broken"), Without("a")];
    let difference = compare(&Sides { live: Some(&before), after: Some(&after) }, &rules);
    assert_eq!(told(&difference), ["spec.broken: 1 -> 2"]);
    let ignored: Vec<_> = difference.ignored.iter().map(|ignored| format!("{} by {}", ignored.path, ignored.rule)).collect();
    assert_eq!(ignored, ["spec.a by without a"]);
    assert_eq!(difference.problems, ["the rule cannot be read"]);
    assert_eq!(difference.before.unwrap()["spec"], json!({"broken": 1}));
}
