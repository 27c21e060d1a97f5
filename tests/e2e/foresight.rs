//! What plans and diffs know before a sync: of many objects at once, of definitions that come along, of neighbours, and of what is going
//! already.

use serde_json::{Value, json};

use crate::support::{ObjectExt, SOON, Space, config_map, deployment, eventually, job};

const SUCCEEDED: [&str; 2] = ["Succeeded", "successfully synced (all tasks run)"];

/// Returns the changes of a diff: `a3 configure data.value`.
fn changes(diff: &Value) -> Vec<String> {
    let objects = diff["objects"].as_array().unwrap().iter().filter(|object| object["change"] != "unchanged");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let paths =
        |object: &Value| object["fields"].as_array().unwrap().iter().map(|field| text(&field["path"])).collect::<Vec<_>>().join(", ");
    objects.map(|object| format!("{} {} {}", text(&object["name"]), text(&object["change"]), paths(object))).collect()
}

/// The sentences of the task of an object.
fn effects(plan: &Value, name: &str) -> Vec<String> {
    let task = plan["tasks"].as_array().unwrap().iter().find(|task| task["name"] == name);
    let effects = task.unwrap_or_else(|| panic!("no {name} in {plan}"))["effects"].as_array().unwrap();
    effects.iter().map(|effect| effect["text"].as_str().unwrap().to_owned()).collect()
}

fn said(output: &std::process::Output) -> String {
    [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat()
}

#[test]
fn many_objects_are_listed_and_the_comparison_is_the_same_as_of_each_alone() {
    let Some(space) = Space::open("foresight-many") else { return };
    let target = space.write("many", &(0..30).map(|number| config_map(&format!("a{number}"), "1")).collect::<Vec<_>>());
    space.sync(&target).run().assert_end(0, SUCCEEDED[0], SUCCEEDED[1]);
    assert_eq!(changes(&space.diff(&target, &[]).1), [""; 0]);
    space.kubectl(&["patch", "cm", "a3", "-p", r#"{"data": {"value": "theirs"}}"#]);
    space.kubectl(&["delete", "cm", "a7"]);
    let may_not_list = space.account(&["get", "patch", "create"]);
    for kubeconfig in [&space.kubeconfig, &may_not_list] {
        let (code, diff) = space.diff(&target, &["--kubeconfig", kubeconfig.to_str().unwrap()]);
        assert_eq!((code, changes(&diff)), (Some(1), vec!["a3 configure data.value".to_owned(), "a7 create .".to_owned()]));
    }
    let plan = space.plan(&target, &[]);
    let actions: Vec<&str> = plan["tasks"].as_array().unwrap().iter().map(|task| task["action"].as_str().unwrap()).collect();
    let count = |action: &str| actions.iter().filter(|found| **found == action).count();
    assert_eq!((count("unchanged"), count("configure"), count("create")), (28, 1, 1), "{actions:?}");
    space.sync(&target).run().assert_end(0, SUCCEEDED[0], SUCCEEDED[1]);
    assert_eq!(changes(&space.diff(&target, &[]).1), [""; 0]);
}

/// A definition of Widgets of a group of the test's own, with these fields in their spec.
fn definition(space: &Space, scope: &str, fields: &Value) -> (Value, String) {
    let group = format!("{}.example.com", space.suffix);
    let name = format!("widgets.{group}");
    space.removes("customresourcedefinition", &name);
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}});
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name}, "spec": {
        "group": group, "scope": scope, "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]}});
    (definition, group)
}

#[test]
fn a_custom_resource_is_held_against_the_definition_that_comes_or_changes_with_it() {
    let Some(space) = Space::open("foresight-schema") else { return };
    let (first, group) = definition(&space, "Namespaced", &json!({"size": {"type": "integer"}}));
    let widget = |spec: Value| json!({"apiVersion": format!("{group}/v1"), "kind": "Widget", "metadata": {"name": "w"}, "spec": spec});
    let wrong = space.write("wrong", &[first.clone(), widget(json!({"size": "big", "colour": "red"}))]);
    let told = said(&space.plan_output(&wrong, &[]));
    assert!(
        told.contains("spec.colour does not exist, spec.size is a string and has to be an integer; the API server will refuse it"),
        "{told}"
    );
    let outcome = space.sync(&wrong).run();
    assert_eq!(outcome.code, Some(1), "and so it does: {:?}", outcome.results());

    let right = space.write("right", &[first, widget(json!({"size": 1}))]);
    space.sync(&right).run().assert_end(0, SUCCEEDED[0], SUCCEEDED[1]);
    let (second, _) = definition(&space, "Namespaced", &json!({"size": {"type": "integer"}, "colour": {"type": "string"}}));
    let newer = space.write("newer", &[second, widget(json!({"size": 1, "colour": "red"}))]);
    let (code, diff) = space.diff(&newer, &[]);
    let w = diff["objects"].as_array().unwrap().iter().find(|object| object["name"] == "w").unwrap();
    assert_eq!(
        (code, w["change"].as_str(), w["fields"][0]["path"].as_str()),
        (Some(1), Some("configure"), Some("spec.colour")),
        "{diff:#}"
    );
    assert!(w["approximate"].as_str().unwrap().contains("by the one that comes with this sync it fits"), "{diff:#}");
    space.sync(&newer).run().assert_end(0, SUCCEEDED[0], SUCCEEDED[1]);
    assert_eq!(changes(&space.diff(&newer, &[]).1), [""; 0]);
}

#[test]
fn what_a_cluster_scoped_object_owns_is_counted_and_goes_with_it() {
    let Some(space) = Space::open("foresight-tenant") else { return };
    let (tenants, group) = definition(&space, "Cluster", &json!({"size": {"type": "integer"}}));
    let name = format!("acme-{}", space.suffix);
    let tenant = json!({"apiVersion": format!("{group}/v1"), "kind": "Widget", "metadata": {"name": name}, "spec": {"size": 1}});
    let target = space.write("tenant", &[tenants.clone(), config_map("keep", "1"), tenant]);
    space.sync(&target).run().assert_end(0, SUCCEEDED[0], SUCCEEDED[1]);
    let uid = space.uid(&format!("widgets.{group}/{name}"));
    let owner = json!([{"apiVersion": format!("{group}/v1"), "kind": "Widget", "name": name, "uid": uid}]);
    for child in ["one", "two"] {
        space.create(&config_map(child, "1").with("/metadata/ownerReferences", owner.clone()));
    }
    let without = space.write("without", &[tenants, config_map("keep", "1")]);
    assert_eq!(effects(&space.plan(&without, &["--prune"]), &name), ["deletes it with 2 ConfigMaps"]);
    space.sync(&without).arg("--prune").run().assert_end(0, SUCCEEDED[0], SUCCEEDED[1]);
    // The collector learns of a new kind within half a minute.
    eventually("its children go, too", 3 * SOON, || (space.names("cm") == ["keep"]).then_some(()));
}

#[test]
fn workloads_outside_of_the_app_that_read_a_changed_map_are_named() {
    let Some(space) = Space::open("foresight-neighbour") else { return };
    let source = json!([{"configMapRef": {"name": "settings"}}]);
    space.create(&deployment("stranger", "sleep 600").with("/spec/replicas", 0).with("/spec/template/spec/containers/0/envFrom", source));
    space.sync(&space.write("one", &[config_map("settings", "1")])).run().assert_end(0, SUCCEEDED[0], SUCCEEDED[1]);
    let plan = space.plan(&space.write("two", &[config_map("settings", "2")]), &[]);
    assert_eq!(effects(&plan, "settings"), ["1 workload outside of this app reads it: Deployment/stranger"]);
}

/// The server keeps what becomes of the pods as a finalizer, which no manifest asks for.
#[test]
fn r1503_a_hook_that_is_being_deleted_is_told_and_the_servers_finalizer_is_no_difference() {
    let Some(space) = Space::open("foresight-leaving") else { return };
    let target = space.write("hook", &[job("pre", "true").hook("PreSync")]);
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    // As long as its pod is there, the server remembers that the Job waits for it.
    let pod = space.kubectl(&["get", "pods", "-l", "job-name=pre", "-o", "name"]);
    let things = ["job/pre", pod.trim()];
    let finalizers = |names: &str| {
        for thing in things {
            space.kubectl(&["patch", thing, "--type=merge", "-p", &format!(r#"{{"metadata": {{"finalizers": {names}}}}}"#)]);
        }
    };
    finalizers(r#"["example.com/wait"]"#);
    space.kubectl(&["delete", "job", "pre", "--cascade=foreground", "--wait=false"]);
    let live = space.kubectl(&["get", "job", "pre", "-o", "yaml"]);
    assert!(live.contains("foregroundDeletion"), "{live}");
    let output = space.diff_output(&target, &[]);
    let told = said(&output);
    assert!(told.contains(&format!("Job {}/pre is being deleted since ", space.namespace)) && told.contains("example.com/wait"), "{told}");
    assert!(!told.contains("foregroundDeletion"), "{told}");
    finalizers("null");
}

/// R707: without validation the server drops what it does not know, and nobody would know.
#[test]
fn r707_fields_that_come_to_nothing_are_named() {
    let Some(space) = Space::open("foresight-unknown") else { return };
    for (number, options) in ["Validate=false", "Validate=false,Replace=true"].into_iter().enumerate() {
        let map =
            config_map(&format!("a{number}"), "1").annotated("argocd.argoproj.io/sync-options", options).with("/dataz", json!({"k": "v"}));
        let target = space.write("unknown", &[map]);
        for _ in 0..2 {
            let told = said(&space.diff_output(&target, &[]));
            assert!(told.contains("the API server does not know dataz, so the sync leaves that out"), "{options}: {told}");
            space.sync(&target).run().assert_end(0, SUCCEEDED[0], SUCCEEDED[1]);
        }
    }
}
