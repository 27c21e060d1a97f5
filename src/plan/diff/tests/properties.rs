//! What holds for any JSON.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::{Difference, FieldChange, NoRules, Sides, compare, lines, three_way};
use super::{difference, object, told};
use crate::model::Segment;

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec![
            "name",
            "key",
            "metadata",
            "annotations",
            "data",
            "items",
            "kind",
            "resources",
            "limits",
            "cpu",
            "f:a",
            "."
        ])
        .prop_map(str::to_owned),
        "[a-c]{1,2}",
        any::<String>(),
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..4_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ab]{0,2}".prop_map(Value::from),
        proptest::sample::select(vec!["1000m", "1", "1024Mi", "1Gi", "a\nb\n", "Secret"]).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(5, 48, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((name(), inner), 0..5).prop_map(|fields| fields.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

/// Lists of items with names, often the same ones on both sides.
fn likely() -> impl Strategy<Value = Value> {
    let item = ("[a-d]", 0..3_u8).prop_map(|(name, value)| json!({"name": name, "v": value}));
    let list = proptest::collection::vec(item, 0..5).prop_map(Value::from);
    let args = proptest::collection::vec("[a-c]", 0..4).prop_map(Value::from);
    (list, args, any_json()).prop_map(|(list, args, any)| object(&json!({"list": list, "args": args, "any": any})))
}

fn managed(entries: Value, mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.insert("metadata".to_owned(), json!({"managedFields": entries}));
    }
    object
}

/// Applies what was reported to the side before.
fn applied(found: &Difference) -> Option<Value> {
    let mut object = found.before.as_deref().cloned();
    for change in &found.fields {
        match change.path.segments() {
            [] => object.clone_from(&change.after),
            path => put(object.as_mut().unwrap(), path, change),
        }
    }
    object
}

fn place(items: &[Value], segment: &Segment) -> Option<usize> {
    match segment {
        Segment::Keyed(keys) => items
            .iter()
            .position(|item| keys.iter().all(|(name, key)| item.get(name) == Some(key) || name == "protocol" && item.get(name).is_none())),
        Segment::Member(member) => items.iter().position(|item| item == member),
        Segment::Index(index) => (*index < items.len()).then_some(*index),
        Segment::Field(_) | Segment::Order => unreachable!(),
    }
}

fn put(value: &mut Value, path: &[Segment], change: &FieldChange) {
    let after = change.after.as_ref();
    let (segment, rest) = path.split_first().unwrap();
    match (value, segment) {
        (Value::Object(fields), Segment::Field(name)) if rest.is_empty() => match after {
            Some(after) => drop(fields.insert(name.clone(), after.clone())),
            None => drop(fields.remove(name)),
        },
        (Value::Object(fields), Segment::Field(name)) => put(fields.get_mut(name).unwrap(), rest, change),
        (Value::Array(items), Segment::Order) => {
            let text = |item: &Value| item.get("name").map(|name| format!("name={}", name.as_str().unwrap()));
            let order: Vec<&str> = after.unwrap().as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
            items.sort_by_key(|item| order.iter().position(|key| Some(*key) == text(item).as_deref()));
        }
        (Value::Array(items), segment) => match (place(items, segment), after) {
            (Some(at), Some(after)) if rest.is_empty() && change.before.is_none() => items.insert(at, after.clone()),
            (Some(at), _) if !rest.is_empty() => put(&mut items[at], rest, change),
            (Some(at), Some(after)) => items[at] = after.clone(),
            (Some(at), None) => items[at] = json!("gone, and its place is still needed"),
            (None, Some(after)) => items.push(after.clone()),
            (None, None) => panic!("{segment:?}"),
        },
        (value, segment) => panic!("{segment:?} in {value}"),
    }
}

fn without_gone(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.retain(|item| *item != json!("gone, and its place is still needed"));
            items.iter_mut().for_each(without_gone);
        }
        Value::Object(fields) => fields.values_mut().for_each(without_gone),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

proptest! {
    #[test]
    fn nothing_differs_from_itself(value in any_json(), entries in any_json()) {
        for value in [value.clone(), managed(entries, value)] {
            let found = difference(&value, &value);
            prop_assert_eq!(told(&found), [""; 0]);
            prop_assert_eq!(lines(&found, 3), []);
        }
    }

    #[test]
    fn whatever_the_json_is_nothing_panics(before in any_json(), after in any_json(), owners in (any_json(), any_json())) {
        for (live, dry_run) in [(before.clone(), after.clone()), (managed(owners.0, before), managed(owners.1, after))] {
            for sides in [Sides { live: Some(&live), after: Some(&dry_run) }, Sides { live: None, after: Some(&dry_run) }, Sides { live: Some(&live), after: None }] {
                let found = compare(&sides, &NoRules);
                let shown = lines(&found, usize::MAX);
                prop_assert_eq!(shown.is_empty(), found.is_empty());
                prop_assert!(shown.iter().all(|line| !line.text.contains('\n')));
            }
            let merged = three_way(&live, &dry_run);
            let again = three_way(&merged, &dry_run);
            prop_assert!(difference(&merged, &again).is_empty(), "{} {}", merged, again);
        }
    }

    #[test]
    fn the_changes_that_are_told_lead_from_one_side_to_the_other(before in likely(), after in likely()) {
        let found = difference(&before, &after);
        let mut made = applied(&found).unwrap();
        without_gone(&mut made);
        prop_assert_eq!(&made, &**found.after.as_ref().unwrap(), "{:?}", told(&found));
    }

    #[test]
    fn the_lines_of_each_side_are_that_side(before in likely(), after in likely()) {
        let found = difference(&before, &after);
        let shown = lines(&found, usize::MAX);
        prop_assume!(!shown.is_empty());
        let side = |number: fn(&super::super::Line) -> Option<usize>| -> Value {
            let text: String = shown.iter().filter(|line| number(line).is_some()).map(|line| format!("{}{}\n", " ".repeat(line.indent), line.text)).collect();
            serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
        };
        prop_assert_eq!(&side(|line| line.before), &**found.before.as_ref().unwrap());
        prop_assert_eq!(&side(|line| line.after), &**found.after.as_ref().unwrap());
    }

    #[test]
    fn the_value_of_a_secret_is_in_no_output(before in "secret-[a-z]{8}", after in "secret-[a-z]{8}", around in any_json()) {
        let secret = |value: &str| json!({"apiVersion": "v1", "kind": "Secret", "data": {"x": value, "y": {"z": [value, around]}}, "stringData": value});
        let (before, after) = (secret(&before), secret(&after));
        let found = difference(&before, &after);
        let printed = format!("{found:?} {:?} {:?}", told(&found), lines(&found, 9));
        prop_assert!(!printed.contains("secret-"), "{}", printed);
    }
}

#[test]
fn two_hundred_levels_are_no_trouble() {
    let deep =
        |leaf: Value| (0..200).fold(leaf, |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({"name": "x", "f:a": inner}) });
    let (before, after) = (managed(deep(json!(1)), deep(json!(1))), managed(deep(json!(2)), deep(json!(2))));
    assert_eq!(difference(&before, &after).fields.len(), 1);
    assert_eq!(lines(&difference(&before, &after), 0).iter().filter(|line| line.before.is_none() != line.after.is_none()).count(), 2);
    assert!(three_way(&before, &after).is_object());
}
