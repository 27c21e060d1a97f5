//! What the rules marked [K] say about kubectl, asked of kubectl itself, and beside it what ours does with the same objects.

use serde_json::{Value, json};

use crate::support::{Object, ObjectExt, Space, config_map, deployment, job};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

fn managers(object: &Value) -> Vec<String> {
    let mut names: Vec<String> = object["metadata"]["managedFields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| format!("{} {}", entry["manager"].as_str().unwrap(), entry["operation"].as_str().unwrap()))
        .collect();
    names.sort();
    names
}

/// R708 [K], confirmed of kubectl: `created`, `unchanged`, `configured`, and the annotation. Ours says the same words of the same
/// changes (decision 18) and writes no such annotation.
#[test]
fn r708_kubectls_words_and_ours_are_the_same() {
    let Some(space) = Space::open("words-k") else { return };
    let web = |replicas: u32| deployment("web", "touch /tmp/ready; exec sleep 600").with("/spec/replicas", replicas);
    let rounds = [[config_map("a", "1"), web(1)], [config_map("a", "1"), web(1)], [config_map("a", "2"), web(2)]];
    let kubectl: Vec<String> = rounds
        .iter()
        .map(|objects| space.kubectl(&["apply", "-f", space.write("theirs", objects).to_str().unwrap()]).trim().to_owned())
        .collect();
    assert_eq!(
        kubectl,
        [
            "configmap/a created\ndeployment.apps/web created",
            "configmap/a unchanged\ndeployment.apps/web unchanged",
            "configmap/a configured\ndeployment.apps/web configured",
        ]
    );
    assert!(space.get("configmap/a").unwrap()["metadata"]["annotations"].get(LAST_APPLIED).is_some());
    space.kubectl(&["delete", "configmap/a", "deployment/web"]);
    let ours = rounds.iter().map(|objects| {
        let outcome = space.sync(&space.write("ours", objects)).run();
        outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
        let words: Vec<String> = outcome.results().iter().map(|text| text.split(": ").nth(1).unwrap().to_owned()).collect();
        words.join("\n")
    });
    assert_eq!(ours.collect::<Vec<_>>(), kubectl);
    assert_eq!(space.get("configmap/a").unwrap()["metadata"]["annotations"].get(LAST_APPLIED), None);
}

/// Applies with kubectl or with ours.
fn apply(space: &Space, with: &str, objects: &[Object]) {
    let file = space.write(with, objects);
    if with == "kubectl" {
        space.kubectl(&["apply", "-f", file.to_str().unwrap()]);
    } else {
        space.sync(&file).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    }
}

/// R708 [K], confirmed of kubectl, and of ours, whose server-side apply comes to the same: what others added to a list of a built-in type
/// stays, because its items have names; a list of a custom resource is written whole.
#[test]
fn r708_lists_of_built_in_types_are_merged_and_those_of_custom_ones_are_written_whole() {
    let Some(space) = Space::open("lists-k") else { return };
    let (group, suffix) = (format!("lists-{}.example.com", space.suffix), &space.suffix);
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("things.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
        },
    });
    space.define(&definition);
    let thing = |size: u32| json!({"apiVersion": format!("{group}/v1"), "kind": "Thing", "metadata": {"name": "t"}, "spec": {"size": size, "items": ["a"]}});
    let web = |replicas: u32| deployment("web", "touch /tmp/ready; exec sleep 600").with("/spec/replicas", replicas);
    let (sidecar, kind) = (format!("sidecar-{suffix}"), format!("things.{group}"));
    for with in ["kubectl", "ours"] {
        apply(&space, with, &[web(0), thing(1)]);
        let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": sidecar, "image": "busybox"}]}}}});
        space.kubectl(&["patch", "deployment", "web", "-p", &patch.to_string()]);
        space.kubectl(&["patch", &kind, "t", "--type=merge", "-p", r#"{"spec":{"items":["a","b"],"more":1}}"#]);
        apply(&space, with, &[web(0).with("/spec/minReadySeconds", 1), thing(2)]);
        let live = space.get("deployment/web").unwrap();
        let mut names: Vec<&str> =
            live["spec"]["template"]["spec"]["containers"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, ["main", &*sidecar], "{with}");
        assert_eq!(space.get(&format!("{kind}/t")).unwrap()["spec"], json!({"size": 2, "items": ["a"], "more": 1}), "{with}");
        space.kubectl(&["delete", "deployment/web", &format!("{kind}/t")]);
    }
}

/// R711 [K], confirmed of kubectl: replace is an update of the same object, and what the manifest does not say is gone.
#[test]
fn r711_kubectl_replace_keeps_the_object_and_drops_what_the_manifest_does_not_say() {
    let Some(space) = Space::open("replace-k") else { return };
    space.create(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"value": "1", "more": "2"}}));
    let uid = space.uid("configmap/a");
    let file = space.write("replace", &[config_map("a", "3")]);
    assert_eq!(space.kubectl(&["replace", "-f", file.to_str().unwrap()]).trim(), "configmap/a replaced");
    assert_eq!((space.uid("configmap/a"), &space.get("configmap/a").unwrap()["data"]), (uid, &json!({"value": "3"})));
}

/// R713 [K], confirmed of kubectl: apply with force makes an object anew that may not be changed, and says `configured`; replace with
/// force always makes it anew; force and server-side exclude each other.
#[test]
fn r713_kubectl_apply_with_force_makes_anew_what_may_not_be_changed() {
    let Some(space) = Space::open("force-k") else { return };
    let write = |script: &str| space.write("job", &[job("load", script)]);
    let apply = |script: &str, arguments: &[&str]| {
        let file = write(script);
        space.try_kubectl(&[&["apply", "-f", file.to_str().unwrap()], arguments].concat())
    };
    apply("true", &[]).unwrap();
    let first = space.uid("job/load");
    let refused = apply("false", &[]).unwrap_err();
    assert!(refused.contains("field is immutable"), "{refused}");
    let forced = apply("false", &["--force"]).unwrap();
    assert_eq!(forced.trim(), "job.batch/load configured");
    let second = space.uid("job/load");
    assert_ne!(first, second);
    let refused = apply("false", &["--force", "--server-side"]).unwrap_err();
    assert!(refused.contains("--force cannot be used with --server-side"), "{refused}");
    let replaced = space.kubectl(&["replace", "--force", "-f", write("false").to_str().unwrap()]);
    assert!(replaced.contains("job.batch/load replaced"), "{replaced}");
    assert_ne!(space.uid("job/load"), second);
}

/// R708 [K], confirmed of kubectl: a field that leaves the manifest leaves the object.
/// R715 [K], corrected: kubectl's server-side apply takes over the fields of the manager that client-side apply left, and keeps those
/// of its annotation under a manager of their own, `kubectl-last-applied`.
#[test]
fn r715_what_client_side_apply_owned_is_taken_over_by_server_side_apply() {
    let Some(space) = Space::open("migrate-k") else { return };
    let both = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"value": "1", "more": "2"}});
    let apply = |object: &Value, arguments: &[&str]| {
        let file = space.write("a", std::slice::from_ref(object));
        space.kubectl(&[&["apply", "-f", file.to_str().unwrap()], arguments].concat());
        let text = space.kubectl(&["get", "configmap", "a", "-o", "json", "--show-managed-fields"]);
        serde_json::from_str::<Value>(&text).unwrap()
    };
    apply(&both, &[]);
    let live = apply(&config_map("a", "1"), &[]);
    assert_eq!((&live["data"], managers(&live)), (&json!({"value": "1"}), vec!["kubectl-client-side-apply Update".to_owned()]));
    let live = apply(&both, &["--server-side"]);
    assert_eq!(managers(&live), ["kubectl Apply", "kubectl-last-applied Apply"]);
    assert_eq!(apply(&config_map("a", "1"), &["--server-side"])["data"], json!({"value": "1"}));
}
