//! Items of lists, told apart by keys, by value or by place.

use serde_json::{Value, json};

use super::{difference, entry, object, owned, told};

/// Compares two lists, of which the owners know what `node` says.
fn lists(before: &Value, after: &Value, node: Option<&Value>) -> Vec<String> {
    let entries: Vec<Value> = node.into_iter().map(|node| entry("x", "Update", &json!({"f:spec": {"f:l": node}}))).collect();
    let side = |list: &Value| owned(&object(&json!({"l": list})), &entries);
    told(&difference(&side(before), &side(after)))
}

#[test]
fn items_are_told_apart_by_the_keys_that_owners_show() {
    let keyed = json!({r#"k:{"id":1}"#: {".": {}, "f:v": {}}});
    for (before, after, expected) in [
        (json!([{"id": 1, "v": 1}]), json!([{"id": 1, "v": 2}]), vec!["spec.l[id=1].v: 1 -> 2"]),
        (json!([{"id": 1}]), json!([{"id": 1}, {"id": 2}]), vec![r#"spec.l[id=2]: none -> {"id":2}"#]),
        (json!([{"id": 1}, {"id": 2}]), json!([{"id": 2}]), vec![r#"spec.l[id=1]: {"id":1} -> none"#]),
        (json!([{"id": 1}, {"id": 2}]), json!([{"id": 2}, {"id": 1}]), vec![r#"spec.l[order]: ["id=1","id=2"] -> ["id=2","id=1"]"#]),
        (
            json!([{"id": 1, "v": 1}, {"id": 2}]),
            json!([{"id": 2}, {"id": 1, "v": 2}]),
            vec!["spec.l[id=1].v: 1 -> 2", r#"spec.l[order]: ["id=1","id=2"] -> ["id=2","id=1"]"#],
        ),
        (
            json!([{"id": 1}]),
            json!([{"id": 0}, {"id": 1}]),
            vec![r#"spec.l[id=0]: none -> {"id":0}"#, r#"spec.l[order]: ["id=1"] -> ["id=0","id=1"]"#],
        ),
        (json!([]), json!([{"id": 1}]), vec![r#"spec.l[id=1]: none -> {"id":1}"#]),
    ] {
        assert_eq!(lists(&before, &after, Some(&keyed)), expected, "{before} {after}");
    }
}

#[test]
fn members_of_a_set_are_told_apart_by_value() {
    let set = json!({r#"v:"a""#: {}});
    for (before, after, expected) in [
        (json!(["a", "b"]), json!(["a", "c"]), vec![r#"spec.l[=b]: "b" -> none"#, r#"spec.l[=c]: none -> "c""#]),
        (json!(["a", "b"]), json!(["b", "a"]), vec![r#"spec.l[order]: ["\"a\"","\"b\""] -> ["\"b\"","\"a\""]"#]),
        (json!(["a", "a"]), json!(["a"]), vec![r#"spec.l: ["a","a"] -> ["a"]"#]),
    ] {
        assert_eq!(lists(&before, &after, Some(&set)), expected, "{before} {after}");
    }
}

#[test]
fn keys_are_guessed_where_owners_say_nothing_and_items_allow_it() {
    for (name, before, after, expected) in [
        ("by name", json!([{"name": "a", "v": 1}]), json!([{"name": "a", "v": 2}]), vec!["spec.l[name=a].v: 1 -> 2"]),
        (
            "by port, TCP being meant where nothing is said",
            json!([{"containerPort": 80, "name": "a"}, {"containerPort": 80, "protocol": "UDP"}]),
            json!([{"containerPort": 80, "name": "b"}, {"containerPort": 80, "protocol": "UDP"}]),
            vec![r#"spec.l[containerPort=80,protocol=TCP].name: "a" -> "b""#],
        ),
        (
            "by mount path before name",
            json!([{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}]),
            json!([{"name": "v", "mountPath": "/a", "readOnly": true}, {"name": "v", "mountPath": "/b"}]),
            vec!["spec.l[mountPath=/a].readOnly: none -> true"],
        ),
        ("by key", json!([{"key": "a", "v": 1}]), json!([{"key": "a", "v": 2}]), vec!["spec.l[key=a].v: 1 -> 2"]),
        (
            "by place: a name twice on one side",
            json!([{"name": "a"}, {"name": "b"}]),
            json!([{"name": "a"}, {"name": "a"}]),
            vec![r#"spec.l[1].name: "b" -> "a""#],
        ),
        (
            "by place: an item without a name",
            json!([{"name": "a"}, {"v": 1}]),
            json!([{"name": "a"}, {"v": 2}]),
            vec!["spec.l[1].v: 1 -> 2"],
        ),
        (
            "by place, with what is the same at both ends left out",
            json!([{"v": 1}, {"v": 9}]),
            json!([{"v": 1}, {"v": 2}, {"v": 9}]),
            vec![r#"spec.l[1]: none -> {"v":2}"#],
        ),
        ("as one value", json!(["a", "b"]), json!(["b", "a"]), vec![r#"spec.l: ["a","b"] -> ["b","a"]"#]),
        ("lists of lists", json!([[{"name": "a", "v": 1}]]), json!([[{"name": "a", "v": 2}]]), vec!["spec.l[0][name=a].v: 1 -> 2"]),
    ] {
        assert_eq!(lists(&before, &after, None), expected, "{name}");
    }
}

#[test]
fn keys_that_owners_show_but_items_do_not_have_fall_back_to_a_guess() {
    let keyed = json!({r#"k:{"id":1}"#: {}});
    assert_eq!(lists(&json!([{"name": "a", "v": 1}]), &json!([{"name": "a", "v": 2}]), Some(&keyed)), ["spec.l[name=a].v: 1 -> 2"]);
    let whole = json!({});
    assert_eq!(lists(&json!([1, 2]), &json!([1, 3]), Some(&whole)), ["spec.l: [1,2] -> [1,3]"]);
}

#[test]
fn twenty_thousand_items_in_another_order_are_compared_by_their_keys() {
    let item = |at: usize, value: usize| json!({"name": format!("n{at}"), "value": value});
    let before: Value = (0..20_000).map(|at| item(at, 0)).collect();
    let after: Value = (0..20_000).rev().map(|at| item(at, usize::from(at % 1_000 == 0))).collect();
    let found = lists(&before, &after, None);
    assert_eq!(found.len(), 21);
    assert_eq!(found[0], "spec.l[name=n0].value: 0 -> 1");
}
