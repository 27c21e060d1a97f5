use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::RuleText;
use crate::model::annotation::TRACKING_ID;

fn rule(kind: &str, pointers: &[&str], expressions: &[&str], managers: &[&str]) -> IgnoreRule {
    let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
    let (group, kind) = kind.split_once('/').unwrap_or(("", kind));
    RuleText {
        group: group.to_owned(),
        kind: kind.to_owned(),
        json_pointers: list(pointers),
        jq_path_expressions: list(expressions),
        managed_fields_managers: list(managers),
        ..RuleText::default()
    }
    .read("apps.shop.ignore_differences[0]")
    .unwrap()
}

fn rules(pointers: &[&str], expressions: &[&str], managers: &[&str]) -> RulesOfObject {
    RulesOfObject(vec![Arc::new(rule("*/*", pointers, expressions, managers))])
}

fn stripped(rule: &IgnoreRule, live: &Value, mut before: Value, mut after: Value) -> (Value, Value) {
    strip::strip(rule, live, &mut before, &mut after).unwrap();
    (before, after)
}

fn kept(target: &Value, live: &Value, rules: &RulesOfObject) -> Value {
    let respected = respected(&Object::new(target.clone()), live, rules);
    assert_eq!(respected.problems, [""; 0]);
    respected.object.wire().clone()
}

fn deployment(replicas: u64, images: &[(&str, &str)]) -> Value {
    let containers: Vec<Value> = images.iter().map(|(name, image)| json!({"name": name, "image": image})).collect();
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "annotations": {"a": "1"}},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}}})
}

#[test]
fn r722_group_and_kind_are_patterns_name_and_namespace_exact_and_empty_ones_any() {
    let key = ResourceKey::new("apps", "Deployment", "shop", "web");
    let core = ResourceKey::new("", "Service", "shop", "web");
    for (group, kind, namespace, name, of_key, of_core) in [
        ("apps", "Deployment", "", "", true, false),
        ("*", "*", "", "", true, true),
        ("", "*", "", "", false, true),
        ("a*s", "{Deployment,StatefulSet}", "", "", true, false),
        ("apps", "deployment", "", "", false, false),
        ("*", "*", "shop", "web", true, true),
        ("*", "*", "shop", "we*", false, false),
        ("*", "*", "sh?p", "", false, false),
        ("*.io", "*", "", "", false, false),
    ] {
        let text = RuleText {
            group: group.into(),
            kind: kind.into(),
            name: name.into(),
            namespace: namespace.into(),
            json_pointers: vec!["/spec".into()],
            ..RuleText::default()
        };
        let rule = text.read("x").unwrap();
        assert_eq!((rule.matches(&key), rule.matches(&core)), (of_key, of_core), "{group}/{kind} {namespace}/{name}");
    }
}

#[test]
fn a_rule_that_cannot_be_used_is_refused_as_a_whole_with_the_field() {
    let valid = RuleText { kind: "*".into(), json_pointers: vec!["/spec".into()], ..RuleText::default() };
    for (text, field, word) in [
        (RuleText { kind: String::new(), ..valid.clone() }, "kind", "`*`"),
        (RuleText { kind: "[".into(), ..valid.clone() }, "kind", "["),
        (RuleText { group: "{a".into(), ..valid.clone() }, "group", "{"),
        (RuleText { json_pointers: vec!["/spec".into(), "spec".into()], ..valid.clone() }, "json_pointers", "write /spec"),
        (RuleText { json_pointers: vec![String::new()], ..valid.clone() }, "json_pointers", "whole object"),
        (RuleText { jq_path_expressions: vec![".spec = 1".into()], ..valid.clone() }, "jq_path_expressions", "`.spec = 1`"),
        (RuleText { managed_fields_managers: vec![String::new()], ..valid.clone() }, "managed_fields_managers", "name"),
        (RuleText { json_pointers: Vec::new(), ..valid }, "", "json_pointers, jq_path_expressions or managed_fields_managers"),
    ] {
        let fault = text.read("x").unwrap_err();
        assert!(fault.field == field && fault.to_string().contains(word), "{fault}");
    }
}

#[test]
fn r722_pointers_and_expressions_take_fields_out_of_both_sides() {
    let (live, after) = (deployment(5, &[("app", "a:1"), ("istio", "i:9")]), deployment(3, &[("app", "a:2")]));
    let all = rule(
        "*/*",
        &["/spec/replicas", "/metadata/annotations/a", "/nothing/here"],
        &[".spec.template.spec.containers[] | select(.name == \"istio\")", ".spec.template.spec.containers[].image", ".spec.nothing[]"],
        &[],
    );
    let (before, after) = stripped(&all, &live, live.clone(), after);
    assert_eq!(before, after);
    assert_eq!(before["spec"], json!({"template": {"spec": {"containers": [{"name": "app"}]}}}));
}

#[test]
fn a_map_that_had_only_ignored_fields_is_no_difference() {
    let live = json!({"metadata": {"name": "a", "annotations": {"x": "1"}}, "spec": {"a": {"b": {"c": 1}}}});
    for after in [json!({"metadata": {"name": "a"}}), json!({"metadata": {"name": "a", "annotations": {}}, "spec": {"a": {}}})] {
        let (before, after) = stripped(&rule("*/*", &["/metadata/annotations/x", "/spec/a/b/c"], &[], &[]), &live, live.clone(), after);
        assert_eq!(before, after);
    }
    let other = json!({"spec": {"emptyDir": {}, "x": 1}});
    let (before, _) = stripped(&rule("*/*", &["/spec/x"], &[], &[]), &other, other.clone(), other.clone());
    assert_eq!(before, json!({"spec": {"emptyDir": {}}}), "what was empty before stays");
}

#[test]
fn r722_what_differs_and_belongs_to_a_trusted_manager_is_taken_out() {
    let fields = json!({"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {
        ".": {}, "k:{\"name\":\"app\"}": {".": {}, "f:image": {}}, "k:{\"name\":\"gone\"}": {"f:image": {}}}}}}});
    let mut live = deployment(5, &[("istio", "i:9"), ("app", "a:1")]);
    live["metadata"]["managedFields"] = json!([
        {"manager": "kube-controller-manager", "operation": "Update", "subresource": "scale", "fieldsV1": fields},
        {"manager": "other", "operation": "Update", "fieldsV1": {"f:metadata": {"f:annotations": {"f:a": {}}}}},
        {"manager": "kube-controller-manager", "fieldsV1": 3}, {}, 7,
    ]);
    let mut after = deployment(3, &[("app", "a:2"), ("istio", "i:9")]);
    after["metadata"]["annotations"]["a"] = json!("2");
    let (before, after) = stripped(&rule("*/*", &[], &[], &["kube-controller-manager"]), &live, live.clone(), after);
    let spec = |containers: Value| json!({"template": {"spec": {"containers": containers}}});
    assert_eq!(before["spec"], spec(json!([{"name": "istio", "image": "i:9"}, {"name": "app"}])));
    assert_eq!(after["spec"], spec(json!([{"name": "app"}, {"name": "istio", "image": "i:9"}])));
    assert_ne!(before["metadata"]["annotations"], after["metadata"]["annotations"], "of a manager that is not trusted");
}

#[test]
fn an_expression_that_computes_or_takes_too_long_leaves_its_rule_out_as_a_whole() {
    let live = deployment(5, &[]);
    let explodes = "select([..,..]|[..,..]|[..,..]|[..,..]|[..,..]|[..,..]|[..,..])";
    for (expression, word) in [("keys", "computes"), (explodes, "million")] {
        let rule = rule("*/*", &["/spec/replicas"], &[expression], &[]);
        let (mut before, mut after) = (live.clone(), deployment(3, &[]));
        let said = strip::strip(&rule, &live, &mut before, &mut after).unwrap_err();
        assert!(said.starts_with("apps.shop.ignore_differences[0]: ") && said.contains(expression) && said.contains(word), "{said}");
        assert_eq!((before, after), (live.clone(), deployment(3, &[])));
        let target = Object::new(deployment(3, &[]));
        let respected = respected(&target, &live, &RulesOfObject(vec![Arc::new(rule)]));
        assert_eq!((respected.object, respected.problems), (target, vec![said]));
    }
}

#[test]
fn r722_ignored_fields_of_a_target_get_their_live_values_and_nothing_else_does() {
    let (target, live) = (deployment(3, &[("app", "a:2")]), deployment(5, &[("app", "a:1")]));
    assert_eq!(kept(&target, &live, &rules(&["/spec/replicas"], &[], &[])), deployment(5, &[("app", "a:2")]));
    assert_eq!(kept(&target, &live, &rules(&[], &[".spec.replicas"], &[])), deployment(5, &[("app", "a:2")]));
    assert_eq!(kept(&target, &live, &rules(&["/status", "/nothing"], &[".spec.none[]"], &["nobody"])), target);
    let mut managed = live.clone();
    managed["metadata"]["managedFields"] = json!([{"manager": "hpa", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]);
    assert_eq!(kept(&target, &managed, &rules(&[], &[], &["hpa"])), deployment(5, &[("app", "a:2")]));
}

#[test]
fn r722_live_values_in_lists_land_in_the_item_that_they_belong_to() {
    let image = rules(&[], &[".spec.template.spec.containers[].image"], &[]);
    let target = deployment(3, &[("app", "a:2"), ("log", "l:2"), ("new", "n:1")]);
    let live = deployment(3, &[("istio", "i:9"), ("log", "l:1"), ("app", "a:1")]);
    let expected = deployment(3, &[("app", "a:1"), ("log", "l:1")]);
    let result = kept(&target, &live, &image);
    let containers = result["spec"]["template"]["spec"]["containers"].as_array().unwrap();
    assert_eq!(containers[..2], expected["spec"]["template"]["spec"]["containers"].as_array().unwrap()[..]);
    assert_eq!(containers[2], json!({"name": "new"}), "selected and not live: left out, as in Argo CD");
    assert_eq!(containers.len(), 3, "half an item is not begun");

    let pointer = rules(&["/spec/template/spec/containers/2/image"], &[], &[]);
    let result = kept(&deployment(3, &[("app", "a:2"), ("log", "l:2")]), &live, &pointer);
    assert_eq!(
        result["spec"],
        deployment(3, &[("app", "a:1"), ("log", "l:2")])["spec"],
        "the third of the live ones is the first of the target"
    );

    let sidecar = rules(&[], &[".spec.template.spec.containers[] | select(.name == \"istio\")"], &[]);
    let result = kept(&deployment(3, &[("app", "a:2")]), &live, &sidecar);
    assert_eq!(result["spec"], deployment(3, &[("istio", "i:9"), ("app", "a:2")])["spec"], "a whole item is kept");
}

#[test]
fn r722_the_owners_of_fields_say_what_tells_items_apart_and_names_are_guesses_without_them() {
    let object = |items: Value| json!({"metadata": {"name": "a"}, "spec": {"groups": [{"id": 7, "items": items}]}});
    let live = object(json!([{"id": 1, "name": "a", "size": 10}, {"id": 2, "name": "b", "size": 20}]));
    let target = object(json!([{"id": 2, "name": "a", "size": 0}, {"id": 1, "name": "b", "size": 0}]));
    let of_item = |id: u64| (format!("k:{{\"id\":{id}}}"), json!({".": {}, "f:id": {}, "f:name": {}, "f:size": {}}));
    let items: Value = [of_item(1), of_item(2)].into_iter().collect::<serde_json::Map<_, _>>().into();
    let mut managed = live.clone();
    managed["metadata"]["managedFields"] = json!([
        {"manager": "other", "operation": "Update", "fieldsV1": {"f:metadata": {"f:labels": {}}}},
        {"manager": "syncwave", "operation": "Apply", "fieldsV1": {"f:spec": {"f:groups": {"k:{\"id\":7}": {".": {}, "f:id": {}, "f:items": items}}}}},
    ]);
    let size = rules(&[], &[".spec.groups[].items[].size"], &[]);
    let by_id = object(json!([{"id": 2, "name": "a", "size": 20}, {"id": 1, "name": "b", "size": 10}]));
    assert_eq!(kept(&target, &managed, &size), by_id);
    let by_name = object(json!([{"id": 2, "name": "a", "size": 10}, {"id": 1, "name": "b", "size": 20}]));
    assert_eq!(kept(&target, &live, &size), by_name, "nothing says that `id` is the key");
    let lacking = object(json!([{"name": "a", "size": 0}, {"name": "b", "size": 0}]));
    let guessed = object(json!([{"name": "a", "size": 10}, {"name": "b", "size": 20}]));
    assert_eq!(kept(&lacking, &managed, &size), guessed, "without the keys a guess is left");
}

#[test]
fn r722_members_of_a_set_are_told_apart_by_their_values() {
    let object = |items: Value| json!({"metadata": {"name": "a"}, "spec": {"set": items}});
    let mut live = object(json!(["a", "b", "c"]));
    live["metadata"]["managedFields"] =
        json!([{"manager": "x", "fieldsV1": {"f:spec": {"f:set": {"v:\"a\"": {}, "v:\"b\"": {}, "v:\"c\"": {}}}}}]);
    let second = rules(&["/spec/set/1"], &[], &[]);
    assert_eq!(
        kept(&object(json!(["c", "x"])), &live, &second),
        object(json!(["c", "b"])),
        "the second one of each side is the ignored one"
    );
}

#[test]
fn r722_items_that_nothing_tells_apart_are_taken_by_their_places() {
    let object = |rules: Value| json!({"metadata": {"name": "a"}, "spec": {"rules": rules}});
    let live = object(json!([{"host": "a", "paths": ["/1"]}, {"host": "b", "paths": ["/2"]}, {"host": "c", "paths": ["/3"]}]));
    let target = object(json!([{"host": "x", "paths": ["/9"]}, {"host": "b", "paths": ["/9"]}]));
    let hosts = kept(&target, &live, &rules(&[], &[".spec.rules[].host"], &[]));
    assert_eq!(hosts, object(json!([{"host": "a", "paths": ["/9"]}, {"host": "b", "paths": ["/9"]}])));
    let first = kept(&live, &live, &rules(&["/spec/rules/0"], &[], &[]));
    assert_eq!(first, live, "a whole item goes back to its place");
    let member = kept(&target, &live, &rules(&["/spec/rules/0/paths/0"], &[], &[]));
    assert_eq!(member["spec"]["rules"][0], json!({"host": "x", "paths": ["/1"]}));
}

#[test]
fn r722_what_the_server_writes_and_what_tells_an_object_apart_is_never_kept() {
    let target = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations":
        {"syncwave.dev/tracking-id": "shop:/ConfigMap:shop/a", "mine": "1"}}, "data": {"k": "new"}});
    let live = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "uid": "u", "resourceVersion": "7", "generation": 2,
        "creationTimestamp": "x", "deletionTimestamp": "y", "managedFields": [], "finalizers": ["f"], "annotations":
        {"syncwave.dev/tracking-id": "other:/ConfigMap:shop/a", "kubectl.kubernetes.io/last-applied-configuration": "{}", "theirs": "2"}},
        "data": {"k": "old"}, "status": {"s": 1}});
    for everything in
        [rules(&[], &["."], &[]), rules(&[], &[".."], &[]), rules(&["/metadata", "/data", "/status", "/kind", "/apiVersion"], &[], &[])]
    {
        let expected = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "finalizers": ["f"], "annotations":
            {"syncwave.dev/tracking-id": "shop:/ConfigMap:shop/a", "theirs": "2"}}, "data": {"k": "old"}});
        assert_eq!(kept(&target, &live, &everything), expected);
    }
    for identity in ["/metadata/name", "/metadata/annotations/syncwave.dev~1tracking-id", "/kind", "/metadata/uid"] {
        assert_eq!(kept(&target, &live, &rules(&[identity], &[], &[])), target, "{identity}");
    }
}

#[test]
fn r722_a_live_value_of_a_secret_beats_the_plain_text_of_its_manifest() {
    let target = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "mine", "b": "mine"}});
    let live = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "dGhlaXJz", "b": "dGhlaXJz"}});
    let result = kept(&target, &live, &rules(&["/data/a"], &[], &[]));
    assert_eq!((&result["data"], result.get("stringData")), (&json!({"a": "dGhlaXJz", "b": "bWluZQ=="}), None));
    let plain = kept(&target, &live, &rules(&["/stringData/a"], &[], &[]));
    assert_eq!(plain["data"], json!({"a": "bWluZQ==", "b": "bWluZQ=="}), "selects nothing, as in a comparison");
    let absent = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"b": "dGhlaXJz"}});
    assert_eq!(kept(&target, &absent, &rules(&["/data/a"], &[], &[]))["data"], json!({"b": "bWluZQ=="}));
    let shown = format!("{:?}", respected(&Object::new(target), &live, &rules(&["/data/a"], &["error(.data.a)"], &[])));
    assert!(!shown.contains("dGhlaXJz") && !shown.contains("mine"), "{shown}");
}

#[test]
fn ten_thousand_rules_are_matched_once_for_each_object() {
    let many = (0..10_000).map(|at| rule("apps/Deployment", &[&format!("/spec/x{at}")], &[], &[]));
    let rules = IgnoreRules::new(many);
    assert_eq!(rules.about(&ResourceKey::new("apps", "Deployment", "shop", "web")).0.len(), 10_000);
    assert!(rules.about(&ResourceKey::new("apps", "StatefulSet", "shop", "web")).is_empty());
    let (target, live) = (deployment(3, &[]), deployment(5, &[]));
    let about = rules.about(&ResourceKey::new("apps", "Deployment", "shop", "web"));
    assert_eq!(kept(&target, &live, &about), target);
    assert_eq!(compared(&live, &target, &about).ignored, []);
}

fn compared(live: &Value, after: &Value, rules: &RulesOfObject) -> diff::Difference {
    diff::compare(&diff::Sides { live: Some(live), after: Some(after) }, rules)
}

#[test]
fn r722_a_comparison_names_what_is_ignored_and_by_which_rule() {
    let (live, after) = (deployment(5, &[("app", "a:1")]), deployment(3, &[("app", "a:2")]));
    let both = RulesOfObject(vec![
        Arc::new(rule("*/*", &["/spec/replicas"], &[], &[])),
        Arc::new(rule("*/*", &[], &[".spec.template.spec.containers[].image"], &[])),
    ]);
    let difference = compared(&live, &after, &both);
    let ignored: Vec<String> = difference.ignored.iter().map(|ignored| format!("{} by {}", ignored.path, ignored.rule)).collect();
    assert!(difference.is_empty(), "{difference:?}");
    let rule = "apps.shop.ignore_differences[0]";
    assert_eq!(ignored, [format!("spec.replicas by {rule}"), format!("spec.template.spec.containers[name=app].image by {rule}")]);
    let item = rules(&["/spec/template/spec/containers/0", "/spec/replicas"], &[], &[]);
    let other = deployment(5, &[("log", "l:1"), ("app", "a:1")]);
    let paths: Vec<String> = compared(&other, &live, &item).ignored.iter().map(|ignored| ignored.path.to_string()).collect();
    assert_eq!(paths, ["spec.template.spec.containers[name=log]"]);
    let one = compared(&live, &after, &rules(&["/spec/replicas"], &["keys"], &[]));
    assert_eq!((one.fields.len(), one.ignored.len(), one.problems.len()), (2, 0, 1), "{one:?}");
}

#[test]
fn r722_of_rules_that_hide_the_same_the_first_is_named_and_of_those_that_hide_a_list_together_the_last() {
    let named = |name: &str, pointers: &[&str], expressions: &[&str]| {
        let text = rule("*/*", pointers, expressions, &[]).text().clone();
        Arc::new(text.read(name).unwrap())
    };
    let (live, after) = (deployment(5, &[("a", "1"), ("b", "1")]), deployment(3, &[("b", "2"), ("a", "2")]));
    let all = RulesOfObject(vec![
        named("nothing", &["/spec/none"], &[".spec.none[]?"]),
        named("replicas", &["/spec/replicas"], &[]),
        named("again", &["/spec/replicas"], &[]),
        named("images", &[], &[".spec.template.spec.containers[].image"]),
        named("list", &["/spec/template/spec/containers"], &[]),
        named("late", &["/spec"], &["keys"]),
    ]);
    let difference = compared(&live, &after, &all);
    let ignored: Vec<String> = difference.ignored.iter().map(|ignored| format!("{} by {}", ignored.path, ignored.rule)).collect();
    let containers = "spec.template.spec.containers";
    assert_eq!(
        ignored,
        [
            "spec.replicas by replicas".to_owned(),
            format!("{containers}[name=a].image by images"),
            format!("{containers}[name=b].image by images"),
            format!("{containers}[order] by list"),
        ]
    );
    assert_eq!((difference.fields.len(), difference.problems.len()), (0, 0), "once both sides are the same no further rule is asked");
}

#[test]
fn a_rule_that_ignores_everything_leaves_nothing_to_compare() {
    let secret = |value: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "labels": {"a": value}}, "data": {"k": value}});
    let pairs = [
        (deployment(5, &[("app", "a:1"), ("x", "x:1")]), deployment(3, &[("app", "a:2")])),
        (secret("b25l"), secret("dHdv")),
        (json!({"spec": {"a": [1, [2]], "b": {}}}), json!({"spec": {"c": null}, "data": {"k": "v"}})),
    ];
    for (live, after) in &pairs {
        assert!(!compared(live, after, &RulesOfObject::default()).is_empty());
        for everything in [
            rules(&[], &["."], &[]),
            rules(&[], &[".."], &[]),
            rules(&[], &[".[]"], &[]),
            rules(&["/metadata", "/spec", "/data"], &[], &[]),
        ] {
            let difference = compared(live, after, &everything);
            assert!(difference.is_empty(), "{difference:?}");
            let shown = format!("{difference:?}");
            assert!(!shown.contains("b25l") || !shown.contains("Secret"), "{shown}");
        }
    }
}

#[test]
fn ignoring_never_shows_the_value_of_a_secret() {
    let secret = |value: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"k": value, "l": value}});
    for some in
        [rules(&["/data/k"], &[], &[]), rules(&[], &["error(.data.k)"], &[]), rules(&[], &[".data.k"], &[]), rules(&[], &["[.data]"], &[])]
    {
        let difference = compared(&secret("b25l"), &secret("dHdv"), &some);
        let shown = format!("{difference:?}");
        assert!(!difference.is_empty() && !shown.contains("b25l") && !shown.contains("dHdv"), "{shown}");
    }
}

#[test]
fn r722_what_tells_an_object_apart_is_kept_although_the_live_metadata_is_no_map() {
    let target = Object::new(json!({"metadata": {"name": "a", "annotations": {TRACKING_ID: "t", "b": "c"}}}));
    for live in [json!({"metadata": null}), json!({"metadata": "x"}), json!({"metadata": [1]}), json!(null), json!([])] {
        for some in [rules(&["/metadata"], &[], &[]), rules(&[], &[".metadata"], &[]), rules(&[], &["."], &[])] {
            assert_eq!(respected(&target, &live, &some).object.name(), "a", "{live}");
        }
    }
    for annotations in [json!(null), json!("x"), json!([1])] {
        let live = json!({"metadata": {"name": "a", "annotations": annotations}});
        for some in [rules(&["/metadata/annotations"], &[], &[]), rules(&["/metadata"], &[], &[]), rules(&[], &["."], &[])] {
            let sent = respected(&target, &live, &some).object;
            assert_eq!(sent.wire().pointer("/metadata/annotations").unwrap(), &json!({TRACKING_ID: "t"}), "{live}");
        }
    }
}

/// Any JSON, with a few names that come up again and again.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3_i64).prop_map(Value::from),
        "[ab]?".prop_map(Value::from)
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let name =
            prop_oneof![Just("name"), Just("metadata"), Just("spec"), Just("annotations"), Just("a"), Just("")].prop_map(str::to_owned);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_rule_and_no_object_break_a_comparison_or_a_target(live in anything(), after in anything()) {
        for some in [
            rules(&["/spec/a", "/metadata", "/spec/0", "/a/-1"], &[], &["a"]),
            rules(&[], &[".spec[]?", ".. | .name?", ".a[0:1]", ".spec.a[1:]?", "first(.[]?)"], &[]),
            rules(&[], &[".. | select(. == 1)"], &[]),
        ] {
            let _difference = compared(&live, &after, &some);
            let target = Object::new(after.clone());
            let sent = respected(&target, &live, &some).object;
            prop_assert_eq!(sent.name(), target.name());
        }
        prop_assert!(compared(&live, &after, &rules(&[], &["."], &[])).is_empty());
    }
}
