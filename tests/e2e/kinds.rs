//! Definitions and namespaces in the same sync as what needs them.

use serde_json::json;

use crate::support::{ObjectExt, Space, config_map, job};

/// R512 R520 R523 R525: the definition goes first, and its resource is valid although the cluster does not know it yet.
#[test]
fn r525_a_custom_resource_and_its_definition_go_in_one_sync() {
    let Some(space) = Space::open("crd") else { return };
    let group = format!("e2e-{}.example.com", space.suffix);
    let name = format!("widgets.{group}");
    space.removes("customresourcedefinition", &name);
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let target = space.write(
        "crd",
        &[
            json!({"apiVersion": format!("{group}/v1"), "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}}),
            json!({
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name},
                "spec": {
                    "group": group, "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
                    "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
                },
            }),
            config_map("plain", "1"),
        ],
    );
    let outcome = space.sync(&target).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let definition = format!("customresourcedefinition.apiextensions.k8s.io/{name}");
    let result = |what: &str, message: &str| format!("Sync {what} Synced Running: {message}");
    assert_eq!(
        outcome.results(),
        [
            result("ConfigMap/plain", "configmap/plain created"),
            result(&format!("CustomResourceDefinition/{name}"), &format!("{definition} created")),
            result("Widget/w", &format!("widget.{group}/w created")),
        ]
    );
    assert_eq!(space.get(&format!("widget.{group}/w")).unwrap()["spec"]["size"], 1);
    let outcome = space.sync(&target).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert!(outcome.results().iter().all(|text| text.ends_with(" unchanged")), "{:?}", outcome.results());
}

/// R1209 R1210 R512 R525: its definition tells that a resource has no namespace, so a later prune does not take it for another object.
#[test]
fn r1209_a_resource_without_namespaces_that_came_with_its_definition_outlives_a_prune_while_it_is_wanted() {
    let Some(space) = Space::open("crd-cluster") else { return };
    let group = format!("e2e-{}.example.com", space.suffix);
    let name = format!("widgets.{group}");
    space.removes("customresourcedefinition", &name);
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name},
        "spec": {
            "group": group, "scope": "Cluster", "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
        },
    });
    let widget = |wave: i32| {
        let widget = json!({"apiVersion": format!("{group}/v1"), "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}});
        widget.wave(wave)
    };
    let uid = || space.get(&format!("widget.{group}/w")).map(|widget| widget["metadata"]["uid"].to_string());
    let target = space.write("crd", &[definition.clone(), widget(0)]);
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let before = uid();
    assert!(before.is_some());
    let target = space.write("crd", &[definition, widget(1)]);
    let outcome = space.sync(&target).arg("--prune").run();
    assert_eq!(outcome.code, Some(0), "{:?}", outcome.results());
    assert!(!outcome.results().iter().any(|text| text.contains("Pruned")), "{:?}", outcome.results());
    assert_eq!(uid(), before, "it is the same object");
}

/// R525 R608 R1312: an unknown kind ends the operation before anything is written.
#[test]
fn r608_a_kind_that_the_cluster_does_not_know_ends_the_operation_before_anything_is_written() {
    let Some(space) = Space::open("unknown-kind") else { return };
    let gadget = json!({"apiVersion": "none.example.com/v1", "kind": "Gadget", "metadata": {"name": "g"}});
    let target = space.write("unknown", &[config_map("plain", "1"), gadget, job("fail", "echo never").hook("SyncFail")]);
    let outcome = space.sync(&target).run();
    assert_eq!((outcome.code, outcome.last()["phase"].as_str()), (Some(1), Some("Failed")));
    assert!(outcome.last()["message"].as_str().unwrap().starts_with("one or more synchronization tasks are not valid: "));
    assert!(space.names("configmaps").is_empty() && space.names("jobs").is_empty());
}

/// R509 R511 R513: the Namespace of a later wave is pulled forward to its first content, here into PreSync, and stays an ordinary
/// resource. R607 and R1539: in our results a cluster-scoped object has no namespace (cli.md).
#[test]
fn r511_a_namespace_is_made_before_its_contents_in_the_same_sync() {
    let Some(space) = Space::open("inside") else { return };
    let other = format!("e2e-inside-other-{}", space.suffix);
    space.removes("namespace", &other);
    let inside = |object: serde_json::Value| object.with("/metadata/namespace", other.clone());
    let target = space.write(
        "inside",
        &[
            inside(config_map("settings", "1")).hook("PreSync").wave(-1),
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}}).wave(3),
            inside(config_map("content", "1")),
            config_map("plain", "1"),
        ],
    );
    let outcome = space.sync(&target).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let mut results = outcome.results();
    results[2..].sort();
    assert_eq!(
        results,
        [
            format!("PreSync Namespace/{other} Synced Succeeded: namespace/{other} created"),
            "PreSync ConfigMap/settings Synced Succeeded: settings created".to_owned(),
            "Sync ConfigMap/content Synced Running: configmap/content created".to_owned(),
            "Sync ConfigMap/plain Synced Running: configmap/plain created".to_owned(),
        ]
    );
    let names = space.kubectl(&["-n", &other, "get", "configmaps", "-o", "name"]);
    assert!(names.contains("configmap/settings") && names.contains("configmap/content"), "{names}");
    assert_eq!(outcome.last()["results"][0]["task"]["namespace"], "");
}
