//! Topics 5 to 9: order, validity, prune, selection.

use serde_json::{Value, json};

use crate::support::{Object, ObjectExt, SOON, Space, config_map, eventually, job};

/// An object without a namespace that grants nothing.
fn cluster_role(space: &Space) -> Object {
    let name = format!("e2e-{}", space.suffix);
    space.removes("clusterrole", &name);
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": []})
}

/// R511 [D], confirmed: an object without a namespace pulls the destination's Namespace forward like one that is in it.
#[test]
fn r511_an_object_without_a_namespace_pulls_the_destination_forward() {
    let Some(space) = Space::open("pull") else { return };
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space.namespace}}).wave(3);
    let wave = |objects: &[Object]| {
        let plan = space.plan(&space.write("pull", objects), &[]);
        let tasks = plan["tasks"].as_array().unwrap().clone();
        tasks.iter().find(|task| task["kind"] == "Namespace").unwrap()["wave"].clone()
    };
    assert_eq!(wave(&[namespace.clone(), cluster_role(&space).wave(1)]), 1);
    assert_eq!(wave(&[namespace, config_map("inside", "1").wave(2)]), 2);
}

/// T193 [D], confirmed: the destination's own Namespace is made first, whatever its wave.
#[test]
fn t193_a_destination_that_is_a_manifest_of_a_later_wave_is_made_first() {
    let Some(space) = Space::open("dest") else { return };
    let name = format!("e2e-dest-other-{}", space.suffix);
    space.removes("namespace", &name);
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}).wave(3);
    let target = space.write("dest", &[namespace, config_map("first", "1"), config_map("second", "1").wave(1)]);
    let outcome = space.sync(&target).namespace(&name).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(outcome.started(), [&*format!("Sync Namespace/{name}"), "Sync ConfigMap/first", "Sync ConfigMap/second"]);
    assert_eq!(space.kubectl(&["-n", &name, "get", "configmap", "first", "second", "-o", "name"]).lines().count(), 2);
}

/// R607 [D], corrected (R1539): in our results an object without a namespace has none, applied or pruned.
#[test]
fn r607_the_prune_result_of_an_object_without_a_namespace_has_none() {
    let Some(space) = Space::open("bare") else { return };
    let (role, keep) = (cluster_role(&space), || config_map("keep", "1"));
    let one = space.write("one", &[role, keep()]);
    let results = |outcome: &crate::support::Outcome| {
        let all = outcome.last()["results"].as_array().unwrap().clone();
        let role = all.iter().find(|result| result["task"]["kind"] == "ClusterRole").unwrap().clone();
        (role["status"].clone(), role["task"]["namespace"].clone())
    };
    let outcome = space.sync(&one).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(results(&outcome), (json!("Synced"), json!("")));
    let outcome = space.sync(&space.write("two", &[keep()])).arg("--prune").run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(results(&outcome), (json!("Pruned"), json!("")));
    let name = format!("e2e-{}", space.suffix);
    // The last group is not waited for, its deletions neither (R626).
    eventually("the role is gone", SOON, || space.kubectl(&["get", "clusterrole", &name, "--ignore-not-found"]).is_empty().then_some(()));
}

/// R608 [D], confirmed: an operation that is not valid cleans up nothing: no policy counts, no finalizer goes.
#[test]
fn r608_an_operation_that_is_not_valid_leaves_old_hooks_as_they_are() {
    let Some(space) = Space::open("invalid") else { return };
    let old = || config_map("old", "1").hook("PreSync").policy("HookFailed");
    space.create(&old().with("/metadata/finalizers", json!(["syncwave.dev/hook-finalizer"])));
    let gadget = json!({"apiVersion": "none.example.com/v1", "kind": "Gadget", "metadata": {"name": "g"}});
    let outcome = space.sync(&space.write("invalid", &[old(), gadget])).run();
    assert_eq!((outcome.code, outcome.last()["phase"].as_str()), (Some(1), Some("Failed")));
    assert!(outcome.last()["message"].as_str().unwrap().starts_with("one or more synchronization tasks are not valid: "));
    let live = space.get("configmap/old").unwrap();
    assert_eq!(
        (live["metadata"].get("deletionTimestamp"), &live["metadata"]["finalizers"]),
        (None, &json!(["syncwave.dev/hook-finalizer"]))
    );
}

/// T90 [D], confirmed (R523): a definition that is never established is applied, and waited for three seconds at most.
#[test]
fn t90_a_definition_that_is_never_established_holds_the_sync_for_three_seconds() {
    let Some(space) = Space::open("never-crd") else { return };
    let group = format!("never-{}.example.com", space.suffix);
    let definition = |plural: &str| {
        let name = format!("{plural}.{group}");
        space.removes("customresourcedefinition", &name);
        let schema = json!({"openAPIV3Schema": {"type": "object"}});
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name},
            "spec": {
                "group": group, "scope": "Namespaced", "names": {"kind": "Widget", "plural": plural},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
            },
        })
    };
    space.create(&definition("widgets"));
    eventually("the first takes the name", SOON, || {
        space.get(&format!("crd/widgets.{group}"))?["status"]["acceptedNames"]["kind"].as_str().map(|_| ())
    });
    let outcome = space.sync(&space.write("never", &[definition("others"), config_map("plain", "1")])).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert!(outcome.results().iter().all(|text| text.contains(" Synced ")), "{:?}", outcome.results());
    assert!((2.0..30.0).contains(&outcome.seconds()), "{} s", outcome.seconds());
}

/// R634: with `--prune` the group waits until the one object is approved, its other members too. R614 [D] and T74 [D], corrected
/// (R1518): what the dry pass finds is found before anybody is asked.
#[test]
fn r614_the_dry_pass_comes_before_the_question() {
    let Some(space) = Space::open("confirm") else { return };
    let asks = config_map("asks", "1").annotated("argocd.argoproj.io/sync-options", "Prune=confirm").wave(5);
    let keep = || config_map("keep", "1");
    let one = space.write("one", &[asks, config_map("free", "1").wave(5), keep()]);
    space.sync(&one).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");

    let nameless = config_map("nameless", "1").generated();
    let outcome = space.sync(&space.write("bad", &[keep(), nameless])).arg("--prune").run();
    outcome.assert_end(1, "Failed", "one or more objects failed to apply (dry run)");

    let two = space.write("two", &[keep()]);
    let running = space.sync(&two).arg("--prune").start();
    running.wait_until_waiting("waiting for pruning confirmation of /ConfigMap/asks");
    assert_eq!(space.names("configmaps"), ["asks", "free", "keep"], "nothing of the group before the answer");
    running.signal("INT");
    running.finish().assert_end(3, "Failed", "Operation terminated");
    assert_eq!(space.names("configmaps"), ["asks", "free", "keep"]);

    let outcome = space.sync(&two).args(&["--prune", "--approve", "ConfigMap/asks"]).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    // The last group is not waited for, its deletions neither (R626).
    eventually("only what has a manifest is left", SOON, || (space.names("configmaps") == ["keep"]).then_some(()));
}

/// T77 [D], confirmed (R633, R508): what is already being deleted is not deleted again, and the next group waits until it is gone.
#[test]
fn t77_an_object_that_is_already_in_deletion_is_waited_for() {
    let Some(space) = Space::open("leaving") else { return };
    let held = config_map("held", "1").wave(-1).with("/metadata/finalizers", json!(["example.com/backup"]));
    let one = space.write("one", &[held, config_map("keep", "1")]);
    space.sync(&one).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    space.kubectl(&["delete", "configmap", "held", "--wait=false"]);
    let running = space.sync(&space.write("two", &[config_map("keep", "2")])).arg("--prune").start();
    running.wait_until_waiting("waiting for deletion of /ConfigMap/held");
    assert_eq!(space.get("configmap/keep").unwrap()["data"]["value"], "1");
    space.kubectl(&["patch", "configmap", "held", "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#]);
    let outcome = running.finish();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(
        outcome.results(),
        ["Sync ConfigMap/held Pruned Succeeded: pruned", "Sync ConfigMap/keep Synced Running: configmap/keep configured"]
    );
    let history = space.history("api/v1", "configmaps");
    let of = |is_it: &dyn Fn(&crate::support::Change) -> bool| history.iter().find(|change| is_it(change)).unwrap().revision();
    assert!(of(&|change| change.kind == "DELETED" && change.name() == "held") < of(&|change| change.object["data"]["value"] == "2"));
}

/// R704 [D], confirmed as far as annotations go: any value but `false` and `confirm` is no restriction. R702 and T199 [D], confirmed:
/// text that is no option has no effect. R706 [D], confirmed: Helm's `keep` protects from nothing here.
#[test]
fn r704_only_the_exact_option_keeps_an_object_from_being_pruned() {
    let Some(space) = Space::open("options") else { return };
    let with = |name: &str, options: &str| config_map(name, "1").annotated("argocd.argoproj.io/sync-options", options);
    let one = space.write(
        "one",
        &[
            with("exact", "Prune=false"),
            with("other", "Prune=foo"),
            with("spaces", "Prune = false"),
            with("small", "prune=false"),
            with("nonsense", "Nonsense=true"),
            config_map("helm", "1").annotated("helm.sh/resource-policy", "keep"),
            config_map("keep", "1"),
        ],
    );
    let outcome = space.sync(&one).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(outcome.events("warning").len(), 0, "{:?}", outcome.events("warning"));
    let outcome = space.sync(&space.write("two", &[config_map("keep", "1")])).arg("--prune").run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert!(
        outcome.results().contains(&"Sync ConfigMap/exact PruneSkipped Succeeded: ignored (no prune)".to_owned()),
        "{:?}",
        outcome.results()
    );
    eventually("only what may not be pruned is left", SOON, || (space.names("configmaps") == ["exact", "keep"]).then_some(()));
}

/// R804 [D], confirmed: a hook for the deletion of the app cannot be chosen either.
#[test]
fn r804_a_predelete_hook_that_is_chosen_does_not_run() {
    let Some(space) = Space::open("predelete") else { return };
    let target = space.write("predelete", &[job("bye", "true").hook("PreDelete"), config_map("a", "1")]);
    let outcome = space.sync(&target).args(&["--resource", "batch:Job:bye"]).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert!(outcome.results().is_empty() && space.names("jobs").is_empty());
    assert!(outcome.not_run().contains(&"Job/bye: deleteHook".to_owned()), "{:?}", outcome.not_run());
}

/// R806 [D], confirmed: whether a definition is part of the sync is asked of all manifests, so a resource that was chosen without its
/// definition is valid, and is refused when it is applied.
#[test]
fn r806_a_custom_resource_that_is_chosen_without_its_definition_fails_when_it_is_applied() {
    let Some(space) = Space::open("half") else { return };
    let group = format!("half-{}.example.com", space.suffix);
    space.removes("customresourcedefinition", &format!("widgets.{group}"));
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("widgets.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
        },
    });
    let widget = json!({"apiVersion": format!("{group}/v1"), "kind": "Widget", "metadata": {"name": "w"}});
    let outcome = space.sync(&space.write("half", &[definition, widget])).args(&["--resource", &format!("{group}:Widget:w")]).run();
    assert_eq!(outcome.code, Some(1));
    let message = outcome.last()["message"].as_str().unwrap();
    assert!(message.starts_with("one or more objects failed to apply, reason: "), "{message}");
    assert_eq!(space.kubectl(&["get", "crd", &format!("widgets.{group}"), "--ignore-not-found"]), "");
}

/// R707 [K], confirmed: a field that the server does not know is found when its own group is applied, after the groups before it.
/// With `Validate=false` it is left out, with a warning.
#[test]
fn r707_an_unknown_field_is_found_when_its_group_is_applied() {
    let Some(space) = Space::open("unknown-field") else { return };
    let odd = || {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}], "prots": 1}}).wave(1)
    };
    let outcome = space.sync(&space.write("strict", &[config_map("before", "1"), odd()])).run();
    assert_eq!(outcome.code, Some(1));
    assert_eq!(space.names("configmaps"), ["before"], "the wave before was applied");
    let results = outcome.results();
    assert!(results[1].starts_with("Sync Service/web SyncFailed Failed: ") && results[1].contains("prots"), "{results:?}");

    let lenient = odd().annotated("argocd.argoproj.io/sync-options", "Validate=false");
    let outcome = space.sync(&space.write("lenient", &[config_map("before", "1"), lenient])).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let warnings: Vec<&Value> = outcome.events("warning");
    assert!(warnings.iter().any(|line| line["message"].as_str().unwrap().contains("prots")), "{warnings:?}");
    assert_eq!(space.get("service/web").unwrap()["spec"]["ports"][0]["port"], 80);
}
