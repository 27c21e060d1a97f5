//! Delete policies, generated names, and the finalizer of hooks.

use std::time::Duration;

use serde_json::json;

use crate::support::{ObjectExt, SOON, Space, config_map, eventually, job};

/// Jobs of which some are about to be deleted: deletions at the end are not waited for (R212).
fn settled(space: &Space, count: usize) -> Vec<String> {
    eventually(&format!("{count} jobs"), SOON, || Some(space.names("jobs")).filter(|names| names.len() == count))
}

/// R208 R210 R211 T123, the operation succeeds.
#[test]
fn t123_after_success_only_hooks_with_hook_succeeded_are_gone() {
    let Some(space) = Space::open("succeeds") else { return };
    let hook = |name: &str, policy: &str| job(name, "echo done").hook("PreSync").policy(policy);
    let target = space.write(
        "succeeds",
        &[hook("before", "BeforeHookCreation"), hook("failed", "HookFailed"), hook("succeeded", "HookSucceeded"), config_map("plain", "1")],
    );
    let outcome = space.sync(&target).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(settled(&space, 2), ["before", "failed"]);
    let gone = space.history("apis/batch/v1", "jobs").into_iter().find(|change| change.kind == "DELETED").unwrap();
    let plain = space.births("api/v1", "configmaps", "plain")[0];
    assert!(plain < gone.revision(), "it lives until the operation has succeeded (R211)");
    assert_eq!(outcome.log("succeeded"), [(1, "done")], "and its log is kept");
    space.assert_no_finalizer();
}

/// R209 R210 T123, the operation fails: what a hook did itself does not count.
#[test]
fn t123_after_a_failure_only_hooks_with_hook_failed_are_gone() {
    let Some(space) = Space::open("fails") else { return };
    let hook = |name: &str, script: &str, policy: &str| job(name, script).hook("PreSync").policy(policy);
    let target = space.write(
        "fails",
        &[
            hook("before-0", "exit 0", "BeforeHookCreation"),
            hook("before-1", "exit 1", "BeforeHookCreation"),
            hook("failed-0", "exit 0", "HookFailed"),
            hook("failed-1", "exit 1", "HookFailed"),
            hook("succeeded-0", "exit 0", "HookSucceeded"),
            hook("succeeded-1", "exit 1", "HookSucceeded"),
        ],
    );
    let outcome = space.sync(&target).run();
    outcome.assert_end(1, "Failed", "one or more synchronization tasks completed unsuccessfully");
    assert_eq!(settled(&space, 4), ["before-0", "before-1", "succeeded-0", "succeeded-1"]);
    let end = |name: &str| outcome.results().iter().find(|text| text.contains(name)).unwrap().split(' ').nth(3).unwrap().to_owned();
    assert_eq!(["before-0", "failed-0", "succeeded-0"].map(end), ["Succeeded:"; 3]);
    assert_eq!(["before-1", "failed-1", "succeeded-1"].map(end), ["Failed:"; 3]);
    space.assert_no_finalizer();
}

/// R203 R204 R205 R207 T124: the default policy.
#[test]
fn t124_a_hook_of_the_default_policy_is_deleted_before_its_own_wave_and_made_anew() {
    let Some(space) = Space::open("before") else { return };
    let target = space.write("before", &[job("first", "sleep 1.2").hook("PreSync"), job("second", "echo ran").hook("PreSync").wave(1)]);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let outcome = space.sync(&target).run();
        outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
        assert_eq!(outcome.log("second"), [(1, "ran")]);
        seen.push((space.uid("job/second"), space.created_at("job/second")));
    }
    assert_ne!(seen[0].0, seen[1].0, "another uid");
    assert!(seen[0].1 < seen[1].1, "created later: {seen:?}");
    let deleted = |name: &str| {
        let history = space.history("apis/batch/v1", "jobs");
        history.iter().find(|change| change.kind == "DELETED" && change.name() == name).unwrap().revision()
    };
    let (first, second) = (space.births("apis/batch/v1", "jobs", "first"), space.births("apis/batch/v1", "jobs", "second"));
    let order = [second[0], deleted("first"), first[1], deleted("second"), second[1]];
    assert!(order.is_sorted(), "the second goes only when its wave comes (R204): {order:?}");
    space.assert_no_finalizer();
}

/// R301 R302 R310: two syncs, more than a second apart.
#[test]
fn r310_generated_names_pile_up_unless_a_policy_removes_them() {
    let Some(space) = Space::open("generate") else { return };
    let target = space.write(
        "generate",
        &[
            job("default", "echo 1").hook("PreSync").generated(),
            job("succeeded", "echo 2").hook("PreSync").policy("HookSucceeded").generated(),
            job("failed", "echo 3").hook("PreSync").policy("HookFailed").generated(),
        ],
    );
    let mut started = Vec::new();
    for round in 1..=2 {
        let outcome = space.sync(&target).arg("--revision").arg("foobarbaz").run();
        outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
        let at: jiff::Timestamp = outcome.last()["startedAt"].as_str().unwrap().parse().unwrap();
        started.push(at.as_second());
        let mut expected: Vec<String> =
            started.iter().flat_map(|at| ["default", "failed"].map(|name| format!("{name}-foobarb-presync-{at}"))).collect();
        expected.sort();
        assert_eq!(settled(&space, 2 * round), expected);
        std::thread::sleep(Duration::from_secs(1));
    }
    space.assert_no_finalizer();
}

/// R214 R215 R1504: our finalizer holds a running hook that somebody deletes; we give up after 20 s and let it go, where Argo CD
/// waits for ever (decision 21).
#[test]
fn r1504_a_running_hook_that_somebody_deletes_fails_after_a_while_and_is_let_go() {
    let Some(space) = Space::open("vanish") else { return };
    let target = space.write("vanish", &[job("pre", "echo here; sleep 600").hook("PreSync"), config_map("plain", "1")]);
    let running = space.sync(&target).start();
    running.wait_for("its log", |line| line["event"] == "log");
    space.kubectl(&["delete", "job", "pre", "--wait=false"]);
    let outcome = running.finish();
    assert_eq!((outcome.code, outcome.last()["phase"].as_str()), (Some(1), Some("Failed")));
    assert!(outcome.results()[0].starts_with("PreSync Job/pre Synced Failed: "), "{:?}", outcome.results());
    assert!((18.0..40.0).contains(&outcome.seconds()), "after 20 s: {}", outcome.seconds());
    assert_eq!(settled(&space, 0), [""; 0], "nothing holds it any more");
    assert_eq!(space.names("configmaps"), [""; 0]);
}

/// R220 [D], corrected (R1502): a hook that was left over with a hook finalizer, ours or Argo CD's, does not hang in its deletion.
#[test]
fn r220_a_hook_that_was_left_over_with_a_finalizer_does_not_hang_in_its_deletion() {
    let Some(space) = Space::open("held") else { return };
    let left = |name: &str| config_map(name, "1").hook("PostSync").policy("HookFailed");
    space.create(&left("ours").with("/metadata/finalizers", json!(["syncwave.dev/hook-finalizer"])));
    space.create(&left("argo").with("/metadata/finalizers", json!(["argocd.argoproj.io/hook-finalizer"])));
    let outcome = space.sync(&space.write("held", &[job("pre", "exit 1").hook("PreSync"), left("ours"), left("argo")])).run();
    outcome.assert_end(1, "Failed", "one or more synchronization tasks completed unsuccessfully");
    eventually("both are gone", SOON, || space.names("configmaps").is_empty().then_some(()));
}
