//! The values of Secrets stay inside, and it is still seen which are equal.

use serde_json::{Value, json};

use super::super::{LineKind, NoRules, Sides, compare, lines};
use super::{difference, entry, owned, told};

fn secret(data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": data})
}

#[test]
fn equal_values_have_the_same_run_and_others_a_longer_one() {
    let found = difference(&secret(&json!({"a": "one", "b": "two", "c": "one"})), &secret(&json!({"a": "one", "b": "one", "d": "three"})));
    let (eight, twelve, sixteen) = ("+".repeat(8), "+".repeat(12), "+".repeat(16));
    assert_eq!(
        told(&found),
        [format!("data.b: \"{twelve}\" -> \"{eight}\""), format!("data.c: \"{eight}\" -> none"), format!("data.d: none -> \"{sixteen}\"")]
    );
}

#[test]
fn a_secret_with_thousands_of_values_does_not_fill_the_memory_with_signs() {
    let values = |shift: usize| secret(&(0..5_000).map(|at| (format!("k{at}"), json!(format!("{}", at + shift)))).collect());
    let found = difference(&values(0), &values(1));
    assert_eq!(found.fields.len(), 5_000);
    assert!(format!("{found:?}").len() < 5_000_000);
}

#[test]
fn no_value_of_a_secret_leaves_whatever_form_it_has() {
    let (old, new) = ("aHVudGVyMg==", "c3dvcmRmaXNo");
    let of_kind = |more: Value| {
        let mut object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}});
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    let list = |kind: &str, item: Value| json!({"apiVersion": "v1", "kind": kind, "items": [item]});
    type Form<'a> = (&'a str, &'a dyn Fn(&str) -> Value);
    let forms: [Form<'_>; 12] = [
        ("data", &|value| of_kind(json!({"data": {"a": value}}))),
        ("stringData", &|value| of_kind(json!({"stringData": {"a": value}}))),
        ("data that is a text", &|value| of_kind(json!({"data": value}))),
        ("data that is a list", &|value| of_kind(json!({"data": [value]}))),
        ("deep data", &|value| of_kind(json!({"data": {"a": {"b": [value]}}}))),
        ("stringData with a number beside it", &|value| of_kind(json!({"stringData": {"a": value, "n": 1}}))),
        ("an annotation of kubectl", &|value| {
            of_kind(json!({"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": value}}}))
        }),
        ("an annotation of another tool", &|value| {
            of_kind(json!({"metadata": {"annotations": {"x/original": json!({"data": {"a": value}}).to_string()}}}))
        }),
        ("annotations in a wrong form", &|value| of_kind(json!({"metadata": {"annotations": [value]}}))),
        ("a list", &|value| list("List", secret(&json!({"a": value})))),
        ("a list of Secrets that do not say so", &|value| list("SecretList", json!({"data": {"a": value}}))),
        ("a version in a wrong form", &|value| json!({"apiVersion": 1, "kind": "Secret", "data": {"a": value}})),
    ];
    for (name, form) in forms {
        let fields = json!({"f:data": {"f:a": {}, format!("v:\"{old}\""): {}, format!("k:{{\"a\":\"{old}\"}}"): {"f:x": {}}}});
        let entries = [entry("kubectl-edit", "Update", &fields), entry("syncwave", "Apply", &fields)];
        let (before, after) = (owned(&form(old), &entries), owned(&form(new), &entries[1..]));
        for (live, after) in [(Some(&before), Some(&after)), (None, Some(&after)), (Some(&before), None)] {
            let found = compare(&Sides { live, after }, &NoRules);
            let printed = format!("{found:?} {:?} {:?}", told(&found), lines(&found, usize::MAX));
            for value in [old, new, "hunter2", "swordfish"] {
                assert!(!printed.contains(value), "{name}: {printed}");
            }
        }
    }
}

#[test]
fn one_side_that_says_it_is_a_secret_is_enough() {
    let bare = json!({"data": {"a": "aHVudGVyMg=="}});
    let found = difference(&secret(&json!({"a": "aHVudGVyMg=="})), &bare);
    assert!(!format!("{found:?}").contains("aHVudGVyMg"), "{found:?}");
    assert!(!told(&found).iter().any(|line| line.starts_with("data")), "equal values are equal");
}

#[test]
fn an_object_of_another_group_is_not_masked() {
    let other = |value: &str| json!({"apiVersion": "vault.example.com/v1", "kind": "Secret", "data": {"a": value}});
    assert_eq!(told(&difference(&other("x"), &other("y"))), [r#"data.a: "x" -> "y""#]);
}

#[test]
fn masked_lines_show_that_a_value_changes() {
    let shown = lines(&difference(&secret(&json!({"a": "x", "b": "x"})), &secret(&json!({"a": "y", "b": "x"}))), 1);
    let changed: Vec<_> = shown.iter().filter(|line| line.kind != LineKind::Context).map(|line| line.text.as_str()).collect();
    assert_eq!(changed[changed.len() - 2..], ["a: ++++++++", "a: ++++++++++++"], "{shown:?}");
}
