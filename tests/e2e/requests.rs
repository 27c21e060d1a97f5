//! What a sync can be asked for: retries, dry runs, limits, breakpoints, options of the whole operation.

use serde_json::{Value, json};

use crate::support::{ObjectExt, SOON, Space, config_map, deployment, eventually, job};

const UNSUCCESSFUL: &str = "one or more synchronization tasks completed unsuccessfully";

/// R1003 R1004 R1008 R1010 R1012: a retry is a whole new sync, and everything of the first attempt is kept.
#[test]
fn r1008_a_retry_runs_every_hook_again_and_keeps_results_and_logs_of_each_attempt() {
    let Some(space) = Space::open("retry") else { return };
    let target = space.write(
        "retry",
        &[
            job("pre", "echo pre ran").hook("PreSync"),
            job("bad", "echo it breaks; exit 3").hook("Sync"),
            job("alert", "echo alarm").hook("SyncFail"),
        ],
    );
    let outcome = space.sync(&target).args(&["--retry-limit", "1", "--retry-backoff-duration", "1s"]).run();
    outcome.assert_end(1, "Failed", &format!("{UNSUCCESSFUL} (retried 1 times)."));
    let attempts = outcome.last()["attempts"].as_array().unwrap();
    assert_eq!((attempts.len(), attempts[0]["attempt"].as_u64(), attempts[0]["message"].as_str()), (1, Some(1), Some(UNSUCCESSFUL)));
    assert_eq!(attempts[0]["results"].as_array().unwrap().len(), 3);
    let scheduled = outcome.events("retry.scheduled");
    assert_eq!((scheduled.len(), scheduled[0]["attempt"].as_u64()), (1, Some(2)));
    let lines = |hook: &str| -> Vec<(u64, u64)> {
        let own = outcome.events("log").into_iter().filter(|line| line["task"]["name"] == hook);
        own.map(|line| (line["attempt"].as_u64().unwrap(), line["podAttempt"].as_u64().unwrap())).collect()
    };
    for hook in ["pre", "bad", "alert"] {
        assert_eq!(lines(hook), [(1, 1), (2, 1)], "{hook}");
    }
    space.assert_no_finalizer();
}

/// R1011: what has been repaired in the meantime succeeds with the plain words.
#[test]
fn r1011_a_retry_that_works_succeeds() {
    let Some(space) = Space::open("retry-works") else { return };
    let target = space.write(
        "works",
        &[job("needs", "test -f /config/ok")
            .hook("PreSync")
            .with("/spec/template/spec/volumes", volumes())
            .with("/spec/template/spec/containers/0/volumeMounts", mounts())],
    );
    let running =
        space.sync(&target).args(&["--retry-limit", "-1", "--retry-backoff-duration", "1s", "--retry-backoff-factor", "1"]).start();
    running.wait_for("a retry", |line| line["event"] == "retry.scheduled");
    space.kubectl(&["-n", &space.namespace, "create", "configmap", "gate", "--from-literal=ok=yes"]);
    let outcome = running.finish();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert!(!outcome.last()["attempts"].as_array().unwrap().is_empty());
}

fn volumes() -> Value {
    json!([{"name": "config", "configMap": {"name": "gate", "optional": true}}])
}

fn mounts() -> Value {
    json!([{"name": "config", "mountPath": "/config"}])
}

/// R907 R908: a terminate between two attempts ends the operation at once.
#[test]
fn r908_a_terminate_between_two_attempts_ends_the_operation() {
    let Some(space) = Space::open("retry-term") else { return };
    let target = space.write("term", &[job("bad", "exit 1").hook("PreSync")]);
    let running = space.sync(&target).args(&["--retry-limit", "9", "--retry-backoff-duration", "60s"]).start();
    running.wait_for("a retry", |line| line["event"] == "retry.scheduled");
    running.signal("INT");
    running.finish().assert_end(3, "Failed", "Operation terminated (retried 1 times).");
}

/// R1318 [D], corrected (R1528): a dry run deletes no old hook, neither by BeforeHookCreation nor by HookSucceeded, and takes no
/// finalizer off. Every task has a result.
#[test]
fn r1318_a_dry_run_says_everything_and_writes_nothing() {
    let Some(space) = Space::open("dry") else { return };
    let first = space.write(
        "first",
        &[
            config_map("a", "1"),
            config_map("old", "1"),
            job("pre", "true").hook("PreSync"),
            job("gone", "true").hook("PreSync").policy("HookSucceeded"),
        ],
    );
    space.sync(&first).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    // The deletion at the end of a sync is not waited for (R212).
    eventually("the policy counts after a real sync", SOON, || (space.names("jobs") == ["pre"]).then_some(()));
    let left = || config_map("left", "1").hook("PostSync").policy("HookSucceeded");
    space.create(&left().with("/metadata/finalizers", json!(["syncwave.dev/hook-finalizer"])));
    let second = space.write("second", &[config_map("a", "2"), config_map("new", "1"), job("pre", "true").hook("PreSync"), left()]);
    let state =
        || space.kubectl(&["get", "configmaps,jobs", "-o", "jsonpath={range .items[*]}{.metadata.uid} {.metadata.resourceVersion} {end}"]);
    let before = state();
    let outcome = space.sync(&second).args(&["--dry-run", "--prune"]).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    // R606: within one kind the order is that of the answers.
    let mut results = outcome.results();
    results[2..4].sort();
    assert_eq!(
        results,
        [
            "Sync ConfigMap/old Pruned Succeeded: pruned (dry run)",
            "PreSync Job/pre Synced Succeeded: job.batch/pre configured (dry run)",
            "Sync ConfigMap/a Synced Succeeded: configmap/a configured (dry run)",
            "Sync ConfigMap/new Synced Succeeded: configmap/new created (dry run)",
            "PostSync ConfigMap/left Synced Succeeded: configmap/left configured (dry run)",
        ]
    );
    assert_eq!(state(), before);
}

/// R1547: what only the server can find does not change the outcome of a dry run, as in Argo CD, but it is said.
#[test]
fn r1547_a_dry_run_tells_what_the_server_would_refuse() {
    let Some(space) = Space::open("dry-bad") else { return };
    let target = space.write("bad", &[config_map("a", "1").with("/data", "nonsense")]);
    let outcome = space.sync(&target).arg("--dry-run").run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    let said: Vec<&str> = outcome.events("warning").iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert!(said.iter().any(|text| text.starts_with("the API server would refuse it: ")), "{said:?}");
}

/// R1513: a hook beyond its limit is ended with its pod, fails, and the alarm is raised, whose own pod comes within the limit, too.
#[test]
fn r1513_a_hook_beyond_its_limit_is_ended_and_syncfail_runs() {
    let Some(space) = Space::open("hook-limit") else { return };
    let target = space.write("limit", &[job("pre", "echo asleep; sleep 600").hook("PreSync"), job("alert", "echo alarm").hook("SyncFail")]);
    let outcome = space.sync(&target).args(&["--hook-timeout", "15s"]).run();
    outcome.assert_end(1, "Failed", UNSUCCESSFUL);
    assert_eq!(outcome.results()[0], "PreSync Job/pre Synced Failed: did not end within 15s, the limit of a hook");
    assert_eq!(outcome.log("alert"), [(1, "alarm")]);
    eventually("the hook is gone", SOON, || space.names("jobs").iter().all(|name| name != "pre").then_some(()));
    space.assert_no_finalizer();
}

/// R911: an operation beyond its limit is terminated and says so.
#[test]
fn r911_an_operation_beyond_its_limit_is_terminated() {
    let Some(space) = Space::open("limit") else { return };
    let target = space.write("limit", &[deployment("never", "exec sleep 600"), config_map("next", "1").wave(1)]);
    let outcome = space.sync(&target).args(&["--timeout", "3s"]).run();
    outcome.assert_end(3, "Failed", "Operation terminated, triggered by controller sync timeout");
    assert_eq!(space.names("configmaps").len(), 0);
}

/// While it is paused nothing is written; a signal lets it go on.
#[test]
fn a_breakpoint_holds_everything_until_it_is_let_go() {
    let Some(space) = Space::open("pause") else { return };
    let target = space.write("pause", &[config_map("a", "1"), job("smoke", "true").hook("PostSync")]);
    let running = space.sync(&target).args(&["--pause-before", "PostSync"]).start();
    let paused = running.wait_for("the pause", |line| line["event"] == "paused");
    assert_eq!((paused["phase"].as_str(), paused["wave"].as_i64()), (Some("PostSync"), Some(0)));
    assert_eq!((space.names("configmaps").len(), space.names("jobs").len()), (1, 0));
    running.signal("USR1");
    running.wait_for("going on", |line| line["event"] == "resumed");
    running.finish().assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert_eq!(space.names("jobs"), ["smoke"]);
}

/// R515 R516 R610: the Namespace is made first; in the next sync it is there, and nothing says so.
#[test]
fn r515_a_missing_namespace_is_made_when_it_is_asked_for() {
    let Some(space) = Space::open("create-ns") else { return };
    let fresh = format!("{}-fresh", space.namespace);
    space.removes("namespace", &fresh);
    let target = space.write("ns", &[config_map("a", "1")]);
    let sync = || space.sync(&target).namespace(&fresh).args(&["--sync-option", "CreateNamespace=true"]).run();
    let first = sync();
    first.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(
        first.results(),
        [
            format!("PreSync Namespace/{fresh} Synced Running: namespace/{fresh} created"),
            "Sync ConfigMap/a Synced Running: configmap/a created".to_owned()
        ]
    );
    assert_eq!(sync().results(), ["Sync ConfigMap/a Synced Running: configmap/a unchanged"]);
}

/// R730: only what is out of sync is applied; the rest is named, and hooks run all the same.
#[test]
fn r730_only_what_is_out_of_sync_is_applied() {
    let Some(space) = Space::open("out-of-sync") else { return };
    let target = space.write("both", &[config_map("a", "1"), config_map("b", "1"), job("pre", "true").hook("PreSync")]);
    space.sync(&target).run();
    let changed = space.write("changed", &[config_map("a", "1"), config_map("b", "2"), job("pre", "true").hook("PreSync")]);
    let outcome = space.sync(&changed).args(&["--sync-option", "ApplyOutOfSyncOnly=true"]).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(outcome.started(), ["PreSync Job/pre", "Sync ConfigMap/b"]);
    assert_eq!(outcome.not_run(), ["ConfigMap/a: notNeeded"]);
}

/// R813 and T152 [D], confirmed as to the hooks: with the strategy `apply` none runs (a history is the controller's). R1529: which hooks
/// run can be chosen.
#[test]
fn r813_which_hooks_run_can_be_chosen() {
    let Some(space) = Space::open("choose") else { return };
    let target = space.write(
        "choose",
        &[config_map("a", "1"), config_map("b", "1"), job("one", "true").hook("PreSync"), job("two", "true").hook("PostSync")],
    );
    // R606: within one kind the order is that of the answers.
    let started = |arguments: &[&str]| {
        let mut started = space.sync(&target).args(arguments).run().started();
        started.sort_by_key(|task| (task.contains("PostSync"), task.contains("Sync ConfigMap"), task.clone()));
        started
    };
    assert_eq!(started(&["--strategy", "apply"]), ["Sync ConfigMap/a", "Sync ConfigMap/b"]);
    assert_eq!(started(&["--resource", "ConfigMap:a", "--hooks"]), ["PreSync Job/one", "Sync ConfigMap/a", "PostSync Job/two"]);
    assert_eq!(started(&["--skip-hook", "PreSync", "--skip-hook", "PostSync:Job/two"]), ["Sync ConfigMap/a", "Sync ConfigMap/b"]);
}
