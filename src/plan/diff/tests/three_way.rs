//! What an apply would make of an object, made up without the server.

use serde_json::{Value, json};

use super::super::{Cause, three_way};
use super::{difference, entry, object, owned, told};

fn ours(fields: &Value) -> Value {
    entry("syncwave", "Apply", &json!({"f:spec": fields}))
}

fn theirs(fields: &Value) -> Value {
    entry("theirs", "Update", &json!({"f:spec": fields}))
}

#[test]
fn the_target_is_put_into_what_is_live_and_what_we_no_longer_send_goes() {
    let item = |fields: &Value| json!({"f:l": {"k:{\"name\":\"a\"}": fields, "k:{\"name\":\"b\"}": {".": {}, "f:name": {}}}});
    for (name, live, owners, target, expected) in [
        ("a new value", json!({"a": 1}), vec![], json!({"a": 2}), json!({"a": 2})),
        ("a new field", json!({"a": 1}), vec![], json!({"b": {"c": 2}}), json!({"a": 1, "b": {"c": 2}})),
        ("nobody's field stays", json!({"a": 1, "b": 1}), vec![ours(&json!({"f:a": {}}))], json!({"a": 1}), json!({"a": 1, "b": 1})),
        ("ours goes", json!({"a": 1, "b": 1}), vec![ours(&json!({"f:a": {}, "f:b": {}}))], json!({"a": 1}), json!({"a": 1})),
        (
            "what is shared stays",
            json!({"a": 1, "b": 1}),
            vec![ours(&json!({"f:a": {}, "f:b": {}})), theirs(&json!({"f:b": {}}))],
            json!({"a": 1}),
            json!({"a": 1, "b": 1}),
        ),
        (
            "of a map that goes, what others have in it stays",
            json!({"m": {"x": 1, "y": 1}}),
            vec![ours(&json!({"f:m": {".": {}, "f:x": {}}})), theirs(&json!({"f:m": {"f:y": {}}}))],
            json!({}),
            json!({"m": {"y": 1}}),
        ),
        (
            "items by their keys, with what others have in them",
            json!({"l": [{"name": "a", "v": 1, "w": 1}, {"name": "b"}]}),
            vec![ours(&item(&json!({".": {}, "f:name": {}, "f:v": {}}))), theirs(&json!({"f:l": {"k:{\"name\":\"a\"}": {"f:w": {}}}}))],
            json!({"l": [{"name": "a", "v": 2}]}),
            json!({"l": [{"name": "a", "v": 2, "w": 1}]}),
        ),
        (
            "items of others follow what they followed",
            json!({"l": [{"name": "x"}, {"name": "a"}, {"name": "y"}, {"name": "b"}]}),
            vec![theirs(&json!({"f:l": {"k:{\"name\":\"x\"}": {".": {}}, "k:{\"name\":\"y\"}": {".": {}}}}))],
            json!({"l": [{"name": "b"}, {"name": "c"}, {"name": "a"}]}),
            json!({"l": [{"name": "x"}, {"name": "b"}, {"name": "c"}, {"name": "a"}, {"name": "y"}]}),
        ),
        ("a list that is one value", json!({"l": [1, 2]}), vec![theirs(&json!({"f:l": {}}))], json!({"l": [3]}), json!({"l": [3]})),
        (
            "a map that is one value",
            json!({"m": {"a": 1}}),
            vec![theirs(&json!({"f:m": {}}))],
            json!({"m": {"b": 1}}),
            json!({"m": {"b": 1}}),
        ),
        (
            "members of a set",
            json!({"s": ["a", "b", "c"]}),
            vec![ours(&json!({"f:s": {"v:\"a\"": {}, "v:\"b\"": {}}})), theirs(&json!({"f:s": {"v:\"c\"": {}}}))],
            json!({"s": ["a", "d"]}),
            json!({"s": ["a", "c", "d"]}),
        ),
        ("null is not sent", json!({"a": 1}), vec![], json!({"a": null}), json!({"a": 1})),
        ("another type", json!({"a": {"b": 1}}), vec![], json!({"a": [1]}), json!({"a": [1]})),
        (
            "a guess where nobody owns the list",
            json!({"l": [{"name": "a", "v": 1}]}),
            vec![],
            json!({"l": [{"name": "a", "w": 1}]}),
            json!({"l": [{"name": "a", "v": 1, "w": 1}]}),
        ),
    ] {
        let merged = three_way(&owned(&object(&live), &owners), &object(&target));
        assert_eq!(merged["spec"], expected, "{name}");
        let again = three_way(&merged, &object(&target));
        assert_eq!(again, merged, "{name}: the second time nothing changes");
    }
}

#[test]
fn without_our_entry_the_annotation_of_kubectl_says_what_was_applied() {
    let applied = object(&json!({"a": 1, "b": 1, "l": [{"name": "x"}, {"name": "y"}]}));
    let mut live = object(&json!({"a": 1, "b": 1, "c": 1, "l": [{"name": "x", "d": 1}, {"name": "y"}]}));
    live["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": applied.to_string()});
    let merged = three_way(&live, &object(&json!({"a": 2, "l": [{"name": "x"}]})));
    assert_eq!(merged["spec"], json!({"a": 2, "c": 1, "l": [{"name": "x", "d": 1}]}));
    live["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": "{not json"});
    assert_eq!(three_way(&live, &object(&json!({"a": 2})))["spec"]["b"], 1);
}

#[test]
fn the_answer_says_who_owns_what_so_that_changes_have_a_cause() {
    let live = owned(
        &object(&json!({"a": 1, "b": 1, "c": 1, "d": 1})),
        &[ours(&json!({"f:a": {}, "f:d": {}})), theirs(&json!({"f:b": {}, "f:c": {}}))],
    );
    let merged = three_way(&live, &object(&json!({"a": 2, "b": 2, "c": 1})));
    let found = difference(&live, &merged);
    assert_eq!(told(&found), ["spec.a: 1 -> 2", "spec.b: 1 -> 2", "spec.d: 1 -> none"]);
    let causes: Vec<&Cause> = found.fields.iter().map(|change| &change.cause).collect();
    let taken =
        Cause::Taken { manager: "theirs".to_owned(), operation: "Update".to_owned(), time: Some("2026-03-01T09:00:00Z".to_owned()) };
    assert_eq!(causes, [&Cause::Ours, &taken, &Cause::Removed]);
    assert_eq!(found.taken.len(), 1);
    assert_eq!(found.left_behind, [], "the field that both own is not left behind");
}

#[test]
fn text_data_of_a_secret_is_what_the_server_keeps() {
    let live = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "aHVudGVyMg=="}});
    let target = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "hunter2"}});
    assert!(difference(&live, &three_way(&live, &target)).is_empty());
}

#[test]
fn the_server_s_own_fields_of_a_target_are_not_sent() {
    let live = json!({"metadata": {"name": "a", "uid": "u", "resourceVersion": "7"}, "status": {"ready": 1}});
    let target = json!({"metadata": {"name": "a", "uid": "v", "resourceVersion": "1", "creationTimestamp": "x"}, "status": {"ready": 2}});
    let mut merged = three_way(&live, &target);
    merged["metadata"].as_object_mut().unwrap().remove("managedFields");
    assert_eq!(merged, live);
}

#[test]
fn twenty_thousand_items_are_merged_by_their_keys() {
    let list =
        |range: std::ops::Range<usize>, value: usize| range.map(|at| json!({"name": format!("n{at}"), "v": value})).collect::<Value>();
    let keys = (0..20_000).map(|at| (format!("k:{{\"name\":\"n{at}\"}}"), json!({".": {}, "f:name": {}, "f:v": {}}))).collect::<Value>();
    let live = owned(&object(&json!({"l": list(0..20_000, 1)})), &[ours(&json!({"f:l": keys}))]);
    let merged = three_way(&live, &object(&json!({"l": list(10_000..30_000, 2)})));
    assert_eq!(merged["spec"]["l"], list(10_000..30_000, 2));
}
