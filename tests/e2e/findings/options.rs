//! Topics 5 to 7: options of the whole operation, confirmations, the destination that has to be made first.

use serde_json::{Value, json};

use crate::support::{Object, ObjectExt, SOON, Space, config_map, eventually, job};

const OPTIONS: &str = "argocd.argoproj.io/sync-options";
const ALL_RUN: &str = "successfully synced (all tasks run)";

/// R634 [D] and T73 [D], corrected (R1518): with prune switched off nobody is asked, because nothing would be pruned.
#[test]
fn r634_t73_with_prune_off_nobody_is_asked_for_a_confirmation() {
    let Some(space) = Space::open("confirm-off") else { return };
    let (asks, keep) = (config_map("asks", "1").annotated(OPTIONS, "Prune=confirm"), || config_map("keep", "1"));
    space.sync(&space.write("one", &[asks, keep()])).run().assert_end(0, "Succeeded", ALL_RUN);
    let two = space.write("two", &[keep()]);
    for options in [&[][..], &["--sync-option", "Prune=confirm"]] {
        let outcome = space.sync(&two).args(options).run();
        outcome.assert_end(0, "Succeeded", ALL_RUN);
        assert_eq!(outcome.waited(), [""; 0]);
        assert_eq!(
            outcome.results(),
            [
                "Sync ConfigMap/asks PruneSkipped Succeeded: ignored (requires pruning)",
                "Sync ConfigMap/keep Synced Running: configmap/keep unchanged",
            ]
        );
    }
    assert_eq!(space.names("configmaps"), ["asks", "keep"]);
}

/// R704 [D], confirmed: what the live object says of its pruning beats the operation, whatever its value: `true` and `foo` are pruned
/// without a question where the operation says `confirm`, and `false` stays.
#[test]
fn r704_the_annotation_of_an_object_beats_the_confirm_of_the_operation() {
    let Some(space) = Space::open("confirm-all") else { return };
    let with = |name: &str, option: &str| config_map(name, "1").annotated(OPTIONS, option);
    let (plain, keep) = (|| config_map("plain", "1"), || config_map("keep", "1"));
    let all = [with("yes", "Prune=true"), with("foo", "Prune=foo"), with("no", "Prune=false"), plain(), keep()];
    space.sync(&space.write("one", &all)).run().assert_end(0, "Succeeded", ALL_RUN);
    let confirm = ["--prune", "--sync-option", "Prune=confirm"];

    let running = space.sync(&space.write("all", &[keep()])).args(&confirm).start();
    running.wait_until_waiting("waiting for pruning confirmation of /ConfigMap/plain");
    running.signal("INT");
    running.finish().assert_end(3, "Failed", "Operation terminated");
    assert_eq!(space.names("configmaps"), ["foo", "keep", "no", "plain", "yes"]);

    let outcome = space.sync(&space.write("annotated", &[plain(), keep()])).args(&confirm).run();
    outcome.assert_end(0, "Succeeded", ALL_RUN);
    assert_eq!(outcome.waited(), [""; 0]);
    eventually("pruned without a question", SOON, || (space.names("configmaps") == ["keep", "no", "plain"]).then_some(()));
}

/// R213 [D], confirmed: hooks are deleted with the propagation of the operation, so that `orphan` leaves the pods of a Job behind, as
/// nobody's; the default takes them along.
#[test]
fn r213_with_orphan_the_pods_of_a_deleted_hook_stay_and_belong_to_nobody() {
    let Some(space) = Space::open("orphans") else { return };
    let target = space.write("hook", &[job("pre", "true").hook("PreSync")]);
    let sync = |options: &[&str]| {
        space.sync(&target).args(options).run().assert_end(0, "Succeeded", "successfully synced (no more tasks)");
        space.uid("job/pre")
    };
    let pod_of = |job: &str| {
        let owned =
            |name: &&String| space.get(&format!("pod/{name}")).is_some_and(|pod| pod["metadata"]["ownerReferences"][0]["uid"] == job);
        space.names("pods").iter().find(owned).cloned().unwrap()
    };
    let first = pod_of(&sync(&[]));
    let second = pod_of(&sync(&["--sync-option", "PrunePropagationPolicy=orphan"]));
    eventually("the first pod belongs to nobody", SOON, || {
        let pod = space.get(&format!("pod/{first}")).expect("it stays");
        (pod["metadata"]["ownerReferences"].is_null() && pod["metadata"]["deletionTimestamp"].is_null()).then_some(())
    });
    sync(&[]);
    let left = space.names("pods");
    assert!(left.contains(&first) && !left.contains(&second), "{left:?}");
}

/// A destination that does not exist yet, removed at the end.
fn fresh(space: &Space) -> String {
    let name = format!("{}-fresh", space.namespace);
    space.removes("namespace", &name);
    name
}

/// R515: a hook that is the destination itself is made by its own phase where nothing else makes it.
#[test]
fn r515_a_hook_that_is_the_destination_itself_is_made_by_its_phase() {
    let Some(space) = Space::open("hook-ns") else { return };
    let name = fresh(&space);
    let labels = json!({"made-by": "hook"});
    let hook = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}).hook("PreSync");
    let target = space.write("hook", &[hook.policy("HookFailed"), config_map("a", "1")]);
    let outcome = space.sync(&target).namespace(&name).run();
    outcome.assert_end(0, "Succeeded", ALL_RUN);
    assert_eq!(outcome.not_run(), [""; 0]);
    assert_eq!(space.get(&format!("namespace/{name}")).unwrap()["metadata"]["labels"]["made-by"], "hook");
    let results = [
        format!("PreSync Namespace/{name} Synced Succeeded: {name} created"),
        "Sync ConfigMap/a Synced Running: configmap/a created".to_owned(),
    ];
    assert_eq!(outcome.results(), results);
}

/// R515 [D]: with `CreateNamespace` too, a hook that is the destination itself is made once, by its own phase: an operation that succeeds
/// has nothing that was blocked.
#[test]
fn r515_a_hook_that_is_the_destination_itself_is_not_made_by_the_option_instead() {
    let Some(space) = Space::open("hook-made") else { return };
    let name = fresh(&space);
    let labels = json!({"made-by": "hook"});
    let hook = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}).hook("PreSync");
    let target = space.write("hook", &[hook.policy("HookFailed"), config_map("a", "1")]);
    let outcome = space.sync(&target).namespace(&name).args(&["--sync-option", "CreateNamespace=true"]).run();
    outcome.assert_end(0, "Succeeded", ALL_RUN);
    assert_eq!(outcome.not_run(), [""; 0]);
    assert_eq!(space.get(&format!("namespace/{name}")).unwrap()["metadata"]["labels"]["made-by"], "hook");
}

/// T52 [D], confirmed (R515): where nobody may look whether the destination is there, its task has failed before it began; that is a failed
/// task (R625), so SyncFail hooks run, here into a namespace that is there.
#[test]
fn t52_a_destination_that_may_not_be_looked_for_is_a_failed_task() {
    let Some(space) = Space::open("blind-ns") else { return };
    let (name, kubeconfig) = (fresh(&space), space.account(&["*"]));
    let alert = job("alert", "true").hook("SyncFail").with("/metadata/namespace", space.namespace.as_str());
    let target = space.write("blind", &[config_map("a", "1"), alert]);
    let outcome = space.sync(&target).namespace(&name).kubeconfig(&kubeconfig).args(&["--sync-option", "CreateNamespace=true"]).run();
    let message = format!(
        "namespace auto creation failed: namespaces \"{name}\" is forbidden: User \"system:serviceaccount:{}:limited\" cannot get resource \"namespaces\" in API group \"\" in the namespace \"{name}\"",
        space.namespace
    );
    outcome.assert_end(1, "Failed", &format!("one or more synchronization tasks completed unsuccessfully, reason: {message}"));
    let alert = "SyncFail Job/alert Synced Succeeded: Reached expected number of succeeded pods".to_owned();
    assert_eq!(outcome.results(), [format!("PreSync Namespace/{name} SyncFailed Error: {message}"), alert]);
    assert_eq!(outcome.not_run(), ["ConfigMap/a: blocked"]);
    assert_eq!(space.kubectl(&["get", "namespace", &name, "--ignore-not-found"]), "");
}

/// R611 [D] and T54 [D], confirmed: a destination that may not be made ends the operation with the server's sentence, and nothing else
/// begins, SyncFail hooks neither.
#[test]
fn r611_t54_a_destination_that_may_not_be_made_ends_the_operation_without_syncfail() {
    let Some(space) = Space::open("no-ns") else { return };
    let (name, kubeconfig) = (fresh(&space), space.account(&["*"]));
    let reader = format!("e2e-reader-{}", space.suffix);
    let account = format!("--serviceaccount={}:limited", space.namespace);
    space.removes("clusterrolebinding", &reader);
    space.kubectl(&["create", "clusterrolebinding", &reader, "--clusterrole=view", &account]);
    space.may("limited", "get", "namespaces");
    let target = space.write("no-ns", &[config_map("a", "1"), job("alert", "true").hook("SyncFail")]);
    let outcome = space.sync(&target).namespace(&name).kubeconfig(&kubeconfig).args(&["--sync-option", "CreateNamespace=true"]).run();
    let message = format!(
        "namespaces \"{name}\" is forbidden: User \"system:serviceaccount:{}:limited\" cannot patch resource \"namespaces\" in API group \"\" in the namespace \"{name}\"",
        space.namespace
    );
    outcome.assert_end(1, "Failed", &format!("the namespace failed to apply, reason: {message}"));
    assert_eq!(outcome.results(), [format!("PreSync Namespace/{name} SyncFailed Failed: {message}")]);
    assert_eq!(outcome.not_run(), ["ConfigMap/a: blocked", "Job/alert: blocked"]);
    assert_eq!(space.kubectl(&["get", "namespace", &name, "--ignore-not-found"]), "");
}

/// Who owns fields of an object: `manager operation`.
fn managers(space: &Space, what: &str) -> Vec<String> {
    let live: Value = serde_json::from_str(&space.kubectl(&["get", what, "-o", "json", "--show-managed-fields"])).unwrap();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let entries = live["metadata"]["managedFields"].as_array().unwrap().iter();
    let mut names: Vec<String> = entries.map(|entry| format!("{} {}", word(&entry["manager"]), word(&entry["operation"]))).collect();
    names.sort();
    names
}

/// R715 [D], corrected: a replace migrates nothing in ours; the object is written whole, so that nothing of others is left in it, and the
/// next apply takes over what client-side apply still owns.
#[test]
fn r715_a_replace_migrates_nothing_and_the_next_apply_does() {
    let Some(space) = Space::open("replace-csa") else { return };
    let theirs = space.write("theirs", &[config_map("a", "1").with("/data/legacy", "old")]);
    space.kubectl(&["apply", "-f", theirs.to_str().unwrap()]);
    let ours = space.write("ours", &[config_map("a", "1")]);
    let told = |arguments: &[&str]| {
        let outcome = space.sync(&ours).args(arguments).run();
        outcome.assert_end(0, "Succeeded", ALL_RUN);
        outcome.events("warning").iter().filter(|line| line["message"].as_str().unwrap().contains("client-side")).count()
    };
    assert_eq!((told(&["--replace", "--sync-option", "ServerSideApply=true"]), told_data(&space)), (0, json!({"value": "1"})));
    assert_eq!(managers(&space, "configmap/a"), ["kubectl-client-side-apply Update", "syncwave Update"]);
    assert_eq!((told(&[]), told_data(&space)), (1, json!({"value": "1"})));
    assert_eq!(managers(&space, "configmap/a"), ["syncwave Apply"]);
}

fn told_data(space: &Space) -> Object {
    space.get("configmap/a").unwrap()["data"].clone()
}
