//! Why a field changes, whom it is taken from, and what stays.

use serde_json::{Value, json};

use super::super::{Cause, FieldChange, NoRules, Sides, Written, compare};
use super::{difference, entry, object, owned};

fn spec(fields: &Value) -> Value {
    json!({"f:spec": fields})
}

fn cause(change: &FieldChange) -> String {
    match &change.cause {
        Cause::Ours => "ours".to_owned(),
        Cause::Taken { manager, operation, time } => format!("taken from {manager} {operation} {}", time.as_deref().unwrap_or("never")),
        Cause::Removed => "removed".to_owned(),
        Cause::Defaulted => "defaulted".to_owned(),
        Cause::Overruled => "overruled".to_owned(),
    }
}

#[test]
fn each_change_says_why() {
    let a = || spec(&json!({"f:a": {}}));
    let none = || spec(&json!({"f:z": {}}));
    let ours = |fields: Value| entry("syncwave", "Apply", &fields);
    let hpa = |fields: Value| entry("hpa", "Update", &fields);
    let one = || json!({"a": 1});
    let two = || json!({"a": 2});
    for (name, before, live, after, dry_run, expected) in [
        ("ours before and after", one(), vec![ours(a())], two(), vec![ours(a())], "ours"),
        ("nobody's before", json!({}), vec![], two(), vec![ours(a())], "ours"),
        (
            "theirs before, ours after",
            one(),
            vec![hpa(a())],
            two(),
            vec![ours(a()), hpa(none())],
            "taken from hpa Update 2026-03-01T09:00:00Z",
        ),
        ("theirs before, and they are gone", one(), vec![hpa(a())], two(), vec![ours(a())], "taken from hpa Update 2026-03-01T09:00:00Z"),
        ("theirs and still theirs", one(), vec![hpa(a())], two(), vec![ours(a()), hpa(a())], "ours"),
        ("no longer sent", one(), vec![ours(a())], json!({}), vec![ours(none())], "removed"),
        ("no longer sent, and then a default", two(), vec![ours(a())], one(), vec![ours(none())], "removed"),
        ("a default", json!({}), vec![], one(), vec![ours(none())], "defaulted"),
        ("a webhook's", one(), vec![hpa(none())], two(), vec![hpa(a())], "defaulted"),
        ("applied by us as another kind of writer", one(), vec![], two(), vec![entry("syncwave", "Update", &a())], "defaulted"),
        (
            "below a map that we own as one value",
            json!({"m": {"x": 1}}),
            vec![],
            json!({"m": {"x": 2}}),
            vec![ours(spec(&json!({"f:m": {}})))],
            "ours",
        ),
        (
            "below a map that they owned as one value",
            json!({"m": {"x": 1}}),
            vec![hpa(spec(&json!({"f:m": {}})))],
            json!({"m": {"x": 2}}),
            vec![ours(spec(&json!({"f:m": {"f:x": {}}})))],
            "taken from hpa Update 2026-03-01T09:00:00Z",
        ),
        (
            "in an item of a list",
            json!({"l": [{"name": "<a>", "v": 1}]}),
            vec![],
            json!({"l": [{"name": "<a>", "v": 2}]}),
            vec![ours(spec(&json!({"f:l": {"k:{\"name\":\"\\u003ca\\u003e\"}": {".": {}, "f:v": {}}}})))],
            "ours",
        ),
    ] {
        let found = difference(&owned(&object(&before), &live), &owned(&object(&after), &dry_run));
        assert_eq!(found.fields.iter().map(cause).collect::<Vec<_>>(), [expected], "{name}");
    }
}

#[test]
fn twenty_thousand_owners_of_as_many_fields_are_read_once() {
    let fields = |range: std::ops::Range<usize>, value: usize| range.map(|at| (format!("f{at}"), json!(value))).collect::<Value>();
    let theirs: Vec<Value> = (0..20_000).map(|at| entry(&format!("m{at}"), "Update", &spec(&json!({format!("f:f{at}"): {}})))).collect();
    let ours = (0..20_000).map(|at| (format!("f:f{at}"), json!({}))).collect::<Value>();
    let before = owned(&object(&fields(0..20_000, 1)), &theirs);
    let after = owned(&object(&fields(0..20_000, 2)), &[entry("syncwave", "Apply", &spec(&ours))]);
    let found = difference(&before, &after);
    assert_eq!((found.fields.len(), found.taken.len()), (20_000, 20_000));
    assert!(found.fields.iter().all(|change| matches!(change.cause, Cause::Taken { .. })));
}

fn paths(fields: &[crate::model::FieldPath]) -> Vec<String> {
    fields.iter().map(ToString::to_string).collect()
}

#[test]
fn fields_that_an_apply_takes_are_told_by_manager_even_if_their_values_stay() {
    let values = object(&json!({"a": 1, "b": 1, "c": 1, "l": [{"name": "x", "v": 1}]}));
    let theirs = spec(&json!({"f:a": {}, "f:b": {}, "f:l": {"k:{\"name\":\"x\"}": {".": {}, "f:name": {}, "f:v": {}}}}));
    let ours = spec(&json!({"f:a": {}, "f:c": {}, "f:l": {"k:{\"name\":\"x\"}": {".": {}, "f:name": {}, "f:v": {}}}}));
    let left = spec(&json!({"f:b": {}}));
    let live = owned(&values, &[entry("kubectl-edit", "Update", &theirs), entry("shared", "Apply", &spec(&json!({"f:c": {}})))]);
    let after = owned(
        &values,
        &[entry("syncwave", "Apply", &ours), entry("kubectl-edit", "Update", &left), entry("shared", "Apply", &spec(&json!({"f:c": {}})))],
    );
    let found = difference(&live, &after);
    assert!(found.is_empty());
    let taken: Vec<_> = found.taken.iter().map(|taken| (taken.manager.as_str(), taken.operation.as_str(), paths(&taken.fields))).collect();
    assert_eq!(taken, [("kubectl-edit", "Update", vec!["spec.a".to_owned(), "spec.l[name=x].v".to_owned()])]);
    let stay: Vec<_> = found.left_behind.iter().map(|left| (left.manager.as_str(), left.client_side, paths(&left.fields))).collect();
    assert_eq!(stay, [("kubectl-edit", false, vec!["spec.b".to_owned()])]);
}

#[test]
fn replicas_are_taken_from_who_scales() {
    let mut scale = entry("kube-controller-manager", "Update", &spec(&json!({"f:replicas": {}})));
    scale["subresource"] = json!("scale");
    let live = owned(&object(&json!({"replicas": 7})), &[scale]);
    let after = owned(&object(&json!({"replicas": 3})), &[entry("syncwave", "Apply", &spec(&json!({"f:replicas": {}})))]);
    let found = difference(&live, &after);
    assert_eq!(cause(&found.fields[0]), "taken from kube-controller-manager Update 2026-03-01T09:00:00Z");
    assert_eq!(
        (found.taken[0].manager.as_str(), paths(&found.taken[0].fields)),
        ("kube-controller-manager", vec!["spec.replicas".to_owned()])
    );
}

#[test]
fn what_stays_of_others_leaves_out_what_no_target_asks_for() {
    let fields = json!({
        "f:metadata": {"f:annotations": {".": {}, "f:kubectl.kubernetes.io/last-applied-configuration": {}, "f:note": {}}, "f:finalizers": {".": {}, "v:\"x/y\"": {}}},
        "f:spec": {"f:old": {}}, "f:status": {"f:ready": {}},
    });
    let mut status = entry("controller", "Update", &json!({"f:status": {"f:ready": {}}}));
    status["subresource"] = json!("status");
    let entries = [entry("kubectl-client-side-apply", "Update", &fields), status];
    let live = owned(&object(&json!({"old": 1})), &entries);
    let found = difference(&live, &live);
    let stay: Vec<_> = found.left_behind.iter().map(|left| (left.manager.as_str(), left.client_side, paths(&left.fields))).collect();
    let expected = ["metadata.annotations.note", "metadata.finalizers[=x/y]", "spec.old"].map(str::to_owned).to_vec();
    assert_eq!(stay, [("kubectl-client-side-apply", true, expected)]);
}

#[test]
fn owners_in_a_wrong_form_own_nothing() {
    let plain = object(&json!({"a": 1}));
    for wrong in [
        json!(null),
        json!("x"),
        json!({}),
        json!([null, 1, "x", [], {}]),
        json!([{"manager": 1, "operation": [], "fieldsV1": "f:spec"}]),
        json!([{"manager": "syncwave", "operation": "Apply", "fieldsV1": {"f:spec": 7, "spec": {}, "k:{": {}, "v:x": {}, "i:a": {}, ":": {}}}]),
    ] {
        let mut live = plain.clone();
        live["metadata"]["managedFields"] = wrong.clone();
        let found = difference(&live, &object(&json!({"a": 2})));
        assert_eq!((found.fields.len(), found.taken.len()), (1, 0), "{wrong}");
    }
}

/// diff.md 4.2, point 4: our manager owns a field whose value a webhook changes, because the owners are written down first.
#[test]
fn what_comes_out_otherwise_than_the_target_says_is_overruled() {
    let pod = |image: &str, cpu: &str, port: u64| {
        let container = json!({"name": "c", "image": image, "ports": [{"containerPort": port, "protocol": "TCP", "name": "web"}], "resources": {"limits": {"cpu": cpu}}});
        json!({"containers": [container], "replicas": 1})
    };
    let fields =
        json!({"f:replicas": {}, "f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:image": {}, "f:resources": {}, "f:ports": {}}}});
    let manager = || vec![entry("syncwave", "Apply", &spec(&fields))];
    let live = owned(&object(&pod("a", "1", 80)), &manager());
    let after = |image: &str, cpu: &str| owned(&object(&pod(image, cpu, 80)), &manager());
    let causes = |after: &Value, target: &Value| {
        let mut found = difference(&live, after);
        found.overrule(target);
        found.fields.iter().map(|change| format!("{} {}", change.path, cause(change))).collect::<Vec<_>>()
    };
    let image = "spec.containers[name=c].image";
    let limit = "spec.containers[name=c].resources.limits.cpu";
    for (made, target, expected) in [
        (after("mirror/b", "1"), object(&pod("b", "1", 80)), vec![format!("{image} overruled")]),
        (after("b", "1"), object(&pod("b", "1", 80)), vec![format!("{image} ours")]),
        (after("b", "2"), object(&pod("b", "2000m", 80)), vec![format!("{image} ours"), format!("{limit} ours")]),
        (after("b", "3"), object(&pod("b", "2000m", 80)), vec![format!("{image} ours"), format!("{limit} overruled")]),
        (after("b", "1"), object(&json!({"containers": [{"name": "other", "image": "x"}]})), vec![format!("{image} ours")]),
        (after("b", "1"), object(&json!({"containers": "odd"})), vec![format!("{image} ours")]),
        (after("b", "1"), Value::Null, vec![format!("{image} ours")]),
    ] {
        assert_eq!(causes(&made, &target), expected, "{target}");
    }
}

#[test]
fn the_last_write_is_the_newest_that_is_no_report() {
    let at = |time: Value, subresource: &str| json!({"manager": format!("m-{subresource}"), "operation": "Update", "subresource": subresource, "time": time});
    let of = |entries: Value| {
        let live = json!({"metadata": {"name": "x", "managedFields": entries}});
        compare(&Sides { live: Some(&live), after: Some(&live) }, &NoRules).written
    };
    let entries = json!([
        at(json!("2026-03-01T09:00:00Z"), ""),
        at(json!("2026-03-04T09:00:00Z"), "status"),
        at(json!("2026-03-02T09:00:00Z"), "scale"),
        at(json!(7), "")
    ]);
    let expected = Written { manager: "m-scale".to_owned(), operation: "Update".to_owned(), time: "2026-03-02T09:00:00Z".to_owned() };
    assert_eq!(of(entries), Some(expected));
    assert_eq!(of(json!([at(Value::Null, "")])), None);
    assert_eq!(of(json!("nonsense")), None);
}
