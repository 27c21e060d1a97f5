//! The deletion of an app.

use serde_json::json;

use crate::support::{Object, ObjectExt, Relay, SOON, Space, alone, config_map, deployment, eventually, job, pod};

const DELETED: &str = "successfully deleted";

/// R1106 R1108 R1109 R1113 T173 T174 T175: hooks first, waves downwards, PostDelete last; policies say what stays.
#[test]
fn t173_r1108_hooks_before_and_after_and_waves_from_the_highest_down() {
    let Some(space) = Space::open("delete") else { return };
    let target = space.write(
        "app",
        &[
            config_map("base", "1"),
            deployment("web", "touch /tmp/ready; exec sleep 600").wave(1),
            config_map("top", "1").wave(2),
            job("migrate", "echo 1").hook("PreSync"),
            job("backup", "echo saving; sleep 1; echo saved").hook("PreDelete"),
            job("goodbye", "echo gone").hook("PostDelete"),
            job("cleaned", "echo gone").hook("PostDelete").policy("HookSucceeded"),
        ],
    );
    space.sync(&target).run();
    let outcome = space.delete(&target).run();
    outcome.assert_end(0, "Succeeded", DELETED);
    assert_eq!(outcome.lines[0]["kind"], "delete");
    assert_eq!(outcome.log("backup"), [(1, "saving"), (1, "saved")]);
    assert_eq!((space.names("configmaps"), space.names("deployments")), (Vec::<String>::new(), Vec::new()));
    // Of two PostDelete hooks that succeeded, only the one with HookSucceeded goes.
    assert_eq!(space.names("jobs"), ["goodbye"]);
    assert_eq!(outcome.left_behind().len(), 1, "{:?}", outcome.left_behind());
    let maps = space.history("api/v1", "configmaps");
    let gone = |name: &str| maps.iter().find(|change| change.kind == "DELETED" && change.name() == name).unwrap().revision();
    let deployments = space.history("apis/apps/v1", "deployments");
    let web = deployments.iter().find(|change| change.kind == "DELETED").unwrap().revision();
    let order =
        [space.job_reached("backup", "Complete"), gone("top"), web, gone("base"), space.births("apis/batch/v1", "jobs", "goodbye")[0]];
    assert!(order.is_sorted(), "{order:?}");
    space.assert_no_finalizer();
}

/// A PreDelete hook that runs until there is a ConfigMap `go`.
fn held() -> Object {
    let mounted = json!([{"name": "go", "mountPath": "/go"}]);
    let bye = job("bye", "true").hook("PreDelete").with("/spec/template/spec/containers/0/volumeMounts", mounted);
    bye.with("/spec/template/spec/volumes", json!([{"name": "go", "configMap": {"name": "go"}}]))
}

/// R1109d R1208: an object in the place of another one, one that appears while a hook runs, and what an earlier version has left.
#[test]
fn r1109_what_becomes_the_apps_while_it_is_deleted_and_what_it_left_long_ago_go_too() {
    let Some(space) = Space::open("delete-late") else { return };
    let account = |name: &str| json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
    let target = space.write("app", &[config_map("a", "1"), account("old").hook("PreSync"), held()]);
    space.sync(&target).run();
    let target = space.write("app", &[config_map("a", "1"), held()]);
    let id = |what: &str| space.get(what).unwrap()["metadata"]["annotations"]["syncwave.dev/tracking-id"].as_str().unwrap().to_owned();
    let own = id("configmap/a");
    let late = id("serviceaccount/old").replace("/old", "/late");
    let with_id = |mut object: serde_json::Value, id: &str| {
        object["metadata"]["namespace"] = space.namespace.as_str().into();
        object["metadata"]["annotations"]["syncwave.dev/tracking-id"] = id.into();
        object
    };
    let running = space.delete(&target).start();
    running.wait_for_task("bye", "Running");
    space.kubectl(&["-n", &space.namespace, "delete", "configmap", "a"]);
    space.create(&with_id(config_map("a", "2"), &own));
    space.create(&with_id(account("late"), &late));
    space.create(&config_map("go", "1"));
    let outcome = running.finish();
    outcome.assert_end(0, "Succeeded", DELETED);
    assert!(space.get("configmap/a").is_none() && space.get("serviceaccount/late").is_none() && space.get("serviceaccount/old").is_none());
    let result = |what: &str| outcome.results().iter().any(|text| text.starts_with(&format!("Delete {what} Pruned")));
    assert!(result("ConfigMap/a") && result("ServiceAccount/late") && result("ServiceAccount/old"), "{:?}", outcome.results());
    assert!(outcome.left_behind().is_empty(), "{:?}", outcome.left_behind());
}

/// Decision 4: a Pod that a deletion finds, where Pods may be read by name and not be listed.
#[test]
fn r1109_a_pod_that_is_found_where_pods_may_not_be_listed_is_seen_to_its_end() {
    let Some(space) = Space::open("delete-blind") else { return };
    space.sync(&space.write("app", &[config_map("a", "1"), held()])).run();
    let id = space.get("configmap/a").unwrap()["metadata"]["annotations"]["syncwave.dev/tracking-id"].as_str().unwrap().to_owned();
    let mut late = pod("late", "trap 'sleep 2; exit 0' TERM; sleep 600 & wait");
    let target = space.write("app", &[config_map("a", "1"), late.clone(), held()]);
    let kubeconfig = space.account(&["get", "create", "update", "patch", "delete"]);
    let running = space.delete(&target).kubeconfig(&kubeconfig).start();
    running.wait_for_task("bye", "Running");
    late["metadata"]["namespace"] = space.namespace.as_str().into();
    late["metadata"]["annotations"]["syncwave.dev/tracking-id"] = id.replace("/ConfigMap:", "/Pod:").replace("/a", "/late").into();
    space.create(&late);
    space.create(&config_map("go", "1"));
    let outcome = running.finish();
    outcome.assert_end(0, "Succeeded", DELETED);
    assert!(space.get("pod/late").is_none() && outcome.results().iter().any(|text| text.starts_with("Delete Pod/late Pruned")));
    let polled =
        |line: &&serde_json::Value| line["message"].as_str().is_some_and(|text| text.starts_with("may not watch ") && text.contains("Pod"));
    assert_eq!(outcome.events("warning").into_iter().filter(polled).count(), 1, "{:?}", outcome.events("warning"));
}

/// R1109: the webhook that converts a kind is down, and nobody names the kind. Every other deletion would be told of it, too.
#[test]
fn r1109_a_kind_whose_webhook_is_down_is_told_of_once_and_slows_nothing() {
    let _alone = alone();
    let Some(space) = Space::open_alone("delete-wreck") else { return };
    let version = |name: &str, storage: bool| {
        let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
        json!({"name": name, "served": true, "storage": storage, "schema": schema})
    };
    let client = json!({"url": "https://127.0.0.1:9/convert"});
    space.removes("customresourcedefinition", "wrecks.broken.example.com");
    space.create(&json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "wrecks.broken.example.com"},
        "spec": {
            "group": "broken.example.com", "scope": "Namespaced", "names": {"plural": "wrecks", "singular": "wreck", "kind": "Wreck"},
            "versions": [version("v1", true), version("v2", false)],
            "conversion": {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": client}},
        },
    }));
    space.kubectl(&["wait", "--for=condition=Established", "crd/wrecks.broken.example.com", "--timeout=30s"]);
    eventually("the kind is served", SOON, || space.try_kubectl(&["get", "wrecks.v1.broken.example.com"]).ok());
    space.create(&json!({"apiVersion": "broken.example.com/v1", "kind": "Wreck", "metadata": {"name": "w"}}));
    assert!(space.try_kubectl(&["get", "wrecks.v2.broken.example.com"]).is_err(), "its webhook is down");
    let target = space.write("app", &[config_map("a", "1"), job("bye", "sleep 1").hook("PreDelete")]);
    space.sync(&target).run();
    let outcome = space.delete(&target).run();
    space.kubectl(&[
        "patch",
        "crd",
        "wrecks.broken.example.com",
        "--type=json",
        "-p",
        r#"[{"op":"replace","path":"/spec/conversion","value":{"strategy":"None"}}]"#,
    ]);
    outcome.assert_end(0, "Succeeded", DELETED);
    let warnings = outcome.events("warning");
    let told = warnings.iter().filter(|line| line["message"].as_str().unwrap().starts_with("wrecks cannot be listed in ")).count();
    assert_eq!(told, 1, "{warnings:?}");
    let at = |line: &serde_json::Value| line["time"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let over = outcome.events("task.changed").into_iter().rfind(|line| line["task"]["phase"] == "PreDelete").map(at).unwrap();
    let took = at(outcome.last()).duration_since(over);
    assert!(took < jiff::SignedDuration::from_secs(4), "two looks: {took:?}");
}

/// R1111.5 T176: a failed hook stays, is made again after pauses, and what it waits for may be repaired in the meantime.
#[test]
fn t176_r1111_a_failing_predelete_hook_is_made_again_until_its_cause_is_repaired() {
    let Some(space) = Space::open("delete-fails") else { return };
    let mut backup = job("backup", "test -f /conf/go").hook("PreDelete");
    backup["spec"]["template"]["spec"]["volumes"] = json!([{"name": "conf", "configMap": {"name": "switch"}}]);
    backup["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "conf", "mountPath": "/conf"}]);
    space.create(&config_map("switch", "0"));
    let target = space.write("app", &[config_map("a", "1"), backup]);
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let running = space.delete(&target).start();
    running.wait_for_task("backup", "Failed");
    assert_eq!(space.names("configmaps"), ["a", "switch"]);
    assert!(space.get("job/backup").is_some(), "a failed hook stays to be looked at");
    space.kubectl(&["patch", "configmap", "switch", "--type=merge", "-p", r#"{"data":{"go":"1"}}"#]);
    let outcome = running.finish();
    outcome.assert_end(0, "Succeeded", DELETED);
    assert!(!outcome.last()["attempts"].as_array().unwrap().is_empty());
    assert_eq!((space.names("configmaps"), space.names("jobs").len()), (vec!["switch".to_owned()], 0));
}

/// cli.md: `--timeout` is exit 1, a signal is exit 3, and nothing was deleted; a repaired manifest deletes.
#[test]
fn t176_a_deletion_ends_by_its_limit_with_1_and_by_a_signal_with_3() {
    let Some(space) = Space::open("delete-limit") else { return };
    let target = space.write("app", &[config_map("a", "1"), job("backup", "exit 1").hook("PreDelete")]);
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let outcome = space.delete(&target).args(&["--timeout", "4s"]).run();
    assert_eq!((outcome.code, space.names("configmaps")), (Some(1), vec!["a".to_owned()]));
    let message = outcome.last()["message"].as_str().unwrap();
    // The pause before another attempt is longer: a failed hook stays, and one that runs at the limit is ended.
    let stays = message.contains("PreDelete hook(s) failed: ");
    assert!(stays || message.contains("waiting for completion of hook batch/Job/backup"), "{message}");
    assert_eq!(space.get("job/backup").is_some_and(|job| job["metadata"]["deletionTimestamp"].is_null()), stays);
    let running = space.delete(&target).start();
    running.wait_for_task("backup", "Failed");
    running.signal("INT");
    let outcome = running.finish();
    assert_eq!((outcome.code, space.names("configmaps")), (Some(3), vec!["a".to_owned()]));
    let repaired = space.write("app", &[config_map("a", "1"), job("backup", "exit 0").hook("PreDelete")]);
    space.delete(&repaired).run().assert_end(0, "Succeeded", DELETED);
    assert_eq!((space.names("configmaps").len(), space.names("jobs").len()), (0, 0));
}

/// R705 R706 R1110 T171 T178: what stays, what a person has to confirm, and what belongs to others.
#[test]
fn t171_t178_what_stays_and_what_has_to_be_confirmed() {
    let Some(space) = Space::open("delete-stays") else { return };
    let option = |name: &str, option: &str| config_map(name, "1").annotated("argocd.argoproj.io/sync-options", option);
    let target = space.write(
        "app",
        &[
            option("kept", "Delete=false"),
            config_map("helm", "1").annotated("helm.sh/resource-policy", "keep"),
            option("asks", "Prune=confirm"),
            config_map("a", "1"),
        ],
    );
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    space.create(&config_map("stranger", "1"));
    let running = space.delete(&target).start();
    running.wait_until_waiting("waiting for deletion confirmation of /ConfigMap/asks");
    assert_eq!(space.names("configmaps"), ["a", "asks", "helm", "kept", "stranger"]);
    running.signal("INT");
    assert_eq!(running.finish().code, Some(3));
    let slip = space.delete(&target).args(&["--approve", "Configmap/asks"]).run();
    assert_eq!(slip.code, Some(2));
    assert!(slip.errors.contains("did you mean `--approve ConfigMap/asks`?"), "{}", slip.errors);
    let outcome = space.delete(&target).args(&["--approve", "ConfigMap/asks"]).run();
    outcome.assert_end(0, "Succeeded", DELETED);
    assert_eq!(space.names("configmaps"), ["helm", "kept", "stranger"]);
    assert_eq!(
        outcome.left_behind(),
        ["ConfigMap/helm: ignored (helm.sh/resource-policy: keep)", "ConfigMap/kept: ignored (Delete=false)"]
    );
}

/// R1115: our own finalizer on a leftover never holds a deletion up; a foreign one does, by name, until somebody takes it off.
#[test]
fn r1115_a_leftover_with_a_hook_finalizer_goes_and_a_foreign_finalizer_is_waited_for() {
    let Some(space) = Space::open("delete-stuck") else { return };
    let target = space.write("app", &[config_map("a", "1"), config_map("pre", "1").hook("PreSync")]);
    space.sync(&target).run();
    let finalizer = |name: &str, text: &str| {
        let patch = format!(r#"{{"metadata":{{"finalizers":[{text}]}}}}"#);
        space.kubectl(&["patch", "configmap", name, "--type=merge", "-p", &patch]);
    };
    finalizer("pre", r#""syncwave.dev/hook-finalizer""#);
    finalizer("a", r#""example.com/busy""#);
    let running = space.delete(&target).start();
    running.wait_until_waiting("waiting for deletion of /ConfigMap/a");
    eventually("the leftover is gone", SOON, || (space.names("configmaps") == ["a"]).then_some(()));
    finalizer("a", "");
    running.finish().assert_end(0, "Succeeded", DELETED);
    assert!(space.names("configmaps").is_empty());
}

/// A program that is killed while its hook runs, and again in the middle of the objects, is run again and does no harm.
#[test]
fn r1111_a_killed_deletion_goes_on_where_it_was() {
    let Some(space) = Space::open("delete-killed") else { return };
    let objects = [config_map("a", "1"), config_map("b", "1").wave(1), job("backup", "sleep 6; echo saved").hook("PreDelete")];
    let target = space.write("app", &objects);
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    space.kubectl(&["patch", "configmap", "b", "--type=merge", "-p", r#"{"metadata":{"finalizers":["example.com/busy"]}}"#]);
    let running = space.delete(&target).start();
    running.wait_for_task("backup", "Running");
    running.kill();
    let uid = space.uid("job/backup");
    let running = space.delete(&target).start();
    running.wait_until_waiting("waiting for deletion of /ConfigMap/b");
    running.kill();
    assert_eq!(space.uid("job/backup"), uid, "the hook that ran was waited for, not made again");
    space.kubectl(&["patch", "configmap", "b", "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#]);
    eventually("it goes", SOON, || space.get("configmap/b").is_none().then_some(()));
    let outcome = space.delete(&target).run();
    outcome.assert_end(0, "Succeeded", DELETED);
    assert_eq!(outcome.not_run(), ["Job/backup: notNeeded"]);
    assert_eq!((space.names("configmaps").len(), space.names("jobs").len()), (0, 0));
    assert_eq!(space.births("apis/batch/v1", "jobs", "backup").len(), 1);
}

/// Decision 23, R214: nothing holds a hook of a deletion, so one whose creation got no answer may have run and be gone by its time to live.
/// It is not sent again unasked.
#[test]
fn decision_23_r214_a_hook_whose_answer_is_lost_and_that_is_gone_does_not_run_twice() {
    let Some(space) = Space::open("delete-unsure") else { return };
    let mut bye = job("bye", "echo saved").hook("PreDelete");
    bye["spec"]["ttlSecondsAfterFinished"] = 0.into();
    let target = space.write("app", &[config_map("a", "1"), bye]);
    space.sync(&target).run();
    let relay = Relay::losing(&space, "PATCH /apis/batch/v1/");
    let outcome = space.delete(&target).kubeconfig(relay.kubeconfig()).run();
    outcome.assert_end(
        1,
        "Failed",
        &format!(
            "error executing pre-delete hooks: {0}/bye: it is not known whether Job {0}/bye was created and has run: the API server did not \
             answer within 30 s; it is not sent again, because it could run twice: look for what it has done, then start the operation again",
            space.namespace
        ),
    );
    let births = || space.births("apis/batch/v1", "jobs", "bye").len();
    assert_eq!((relay.lost(), births(), space.get("job/bye").is_some(), space.get("configmap/a").is_some()), (1, 1, false, true));
    space.delete(&target).run().assert_end(0, "Succeeded", DELETED);
    assert_eq!((births(), space.get("configmap/a").is_some()), (2, false));
}

/// The same while it still runs: it is found, waited for, and runs once.
#[test]
fn decision_23_a_hook_whose_answer_is_lost_and_that_still_runs_is_waited_for() {
    let Some(space) = Space::open("delete-found") else { return };
    let target = space.write("app", &[config_map("a", "1"), job("bye", "sleep 40; echo saved").hook("PreDelete")]);
    space.sync(&target).run();
    let relay = Relay::losing(&space, "PATCH /apis/batch/v1/");
    let outcome = space.delete(&target).kubeconfig(relay.kubeconfig()).run();
    outcome.assert_end(0, "Succeeded", DELETED);
    assert_eq!((relay.lost(), space.births("apis/batch/v1", "jobs", "bye").len()), (1, 1));
    assert_eq!(outcome.log("bye"), [(1, "saved")]);
}
