//! Phases: their order as the API server's time stamps show it, failure, and what is waited for.

use crate::support::{ObjectExt, SOON, Space, config_map, deployment, eventually, job};

/// R401 R402 R404 R405: read from `creationTimestamp`, which every client sees; hooks of more than a second make them differ.
#[test]
fn r402_phases_follow_each_other_by_creation_timestamps() {
    let Some(space) = Space::open("phases") else { return };
    let target = space.write(
        "phases",
        &[
            job("fail", "echo never").hook("SyncFail"),
            job("post", "sleep 1.2").hook("PostSync"),
            job("during", "sleep 1.2").hook("Sync"),
            config_map("plain", "1"),
            job("pre", "sleep 1.2").hook("PreSync"),
        ],
    );
    let outcome = space.sync(&target).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    let at = |what: &str| space.created_at(what);
    let times = [at("job/pre"), at("configmap/plain"), at("job/during"), at("job/post")];
    assert!(times[0] < times[1] && times[1] <= times[2] && times[2] < times[3], "{times:?}");
    assert_eq!(space.names("jobs"), ["during", "post", "pre"]);
    assert_eq!(outcome.not_run(), ["Job/fail: notNeeded"]);
    space.assert_no_finalizer();
}

/// R405 R407 R408 R625 R628.
#[test]
fn r405_syncfail_follows_the_failure_by_creation_timestamps_and_postsync_never_comes() {
    let Some(space) = Space::open("syncfail") else { return };
    let target = space.write(
        "syncfail",
        &[
            config_map("plain", "1"),
            job("during", "sleep 1.2; echo no; exit 3").hook("Sync"),
            job("post", "echo never").hook("PostSync"),
            job("fail", "echo told").hook("SyncFail"),
        ],
    );
    let outcome = space.sync(&target).run();
    outcome.assert_end(1, "Failed", "one or more synchronization tasks completed unsuccessfully");
    assert!(space.created_at("job/during") < space.created_at("job/fail"));
    assert_eq!(space.names("jobs"), ["during", "fail"]);
    assert_eq!(
        outcome.results(),
        [
            "Sync ConfigMap/plain Synced Succeeded: configmap/plain created",
            "Sync Job/during Synced Failed: Job has reached the specified backoff limit",
            "SyncFail Job/fail Synced Succeeded: Reached expected number of succeeded pods",
        ]
    );
    assert_eq!((outcome.log("during"), outcome.log("fail")), (vec![(1, "no")], vec![(1, "told")]));
    assert_eq!(outcome.not_run(), ["Job/post: blocked"]);
}

/// R604 [D], corrected: an operation whose last group was applied well ends at once (R626, second point), so a SyncFail hook that
/// never runs does not make anything waited for. It shows when a part of the group is refused: with the hook the Deployment is
/// waited for before the operation fails (R626, first point; R1514), without it it is not (R643).
#[test]
fn r604_a_syncfail_hook_makes_the_rest_of_a_refused_group_waited_for() {
    let Some(space) = Space::open("lone") else { return };
    let slow = || deployment("slow", "sleep 5; touch /tmp/ready; exec sleep 600");
    let alert = || job("alert", "echo told").hook("SyncFail");
    let outcome = space.sync(&space.write("well", &[slow(), alert()])).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(outcome.results(), ["Sync Deployment/slow Synced Running: deployment.apps/slow created"]);
    assert!(outcome.waited().is_empty(), "{:?}", outcome.waited());
    space.kubectl(&["delete", "deployment", "slow"]);

    let refused = || config_map("Refused", "1");
    let is_ready = || space.get("deployment/slow").unwrap()["status"]["availableReplicas"] == 1;
    let outcome = space.sync(&space.write("without", &[slow(), refused()])).run();
    assert_eq!((outcome.code, is_ready()), (Some(1), false), "nobody waits");
    space.kubectl(&["delete", "deployment", "slow"]);

    let outcome = space.sync(&space.write("with", &[slow(), refused(), alert()])).run();
    assert_eq!((outcome.code, is_ready()), (Some(1), true), "the operation fails when the Deployment is ready");
    let message = outcome.last()["message"].as_str().unwrap();
    assert!(message.starts_with("one or more synchronization tasks completed unsuccessfully, reason: "), "{message}");
    assert_eq!(outcome.log("alert"), [(1, "told")]);
}

/// R637 [D], confirmed: with a Sync hook and one group only the hook is waited for.
#[test]
fn r637_a_deployment_that_never_gets_ready_does_not_hold_a_sync_hook_of_its_group() {
    let Some(space) = Space::open("never") else { return };
    let target = space.write("never", &[deployment("never", "exec sleep 600"), job("during", "sleep 1").hook("Sync")]);
    let outcome = space.sync(&target).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert_eq!(
        outcome.results(),
        [
            "Sync Deployment/never Synced Running: deployment.apps/never created",
            "Sync Job/during Synced Succeeded: Reached expected number of succeeded pods",
        ]
    );
}

/// R409 [D], confirmed: the old one goes first, and nobody is told that its deletion is waited for.
#[test]
fn r409_an_old_syncfail_hook_is_deleted_and_created_again() {
    let Some(space) = Space::open("again") else { return };
    let target = space.write("again", &[job("pre", "exit 1").hook("PreSync"), job("fail", "echo told").hook("SyncFail")]);
    let waited = std::cell::RefCell::new(Vec::new());
    let uid = || {
        let outcome = space.sync(&target).run();
        outcome.assert_end(1, "Failed", "one or more synchronization tasks completed unsuccessfully");
        assert_eq!(outcome.log("fail"), [(1, "told")]);
        waited.borrow_mut().extend(outcome.waited().into_iter().map(str::to_owned));
        space.uid("job/fail")
    };
    assert_ne!(uid(), uid());
    let waited = waited.take();
    assert_eq!(waited.iter().filter(|text| *text == "waiting for completion of hook batch/Job/fail").count(), 2, "{waited:?}");
    assert!(!waited.iter().any(|text| text == "waiting for deletion of hook batch/Job/fail"), "{waited:?}");
    assert_eq!(space.births("apis/batch/v1", "jobs", "fail").len(), 2);
    space.assert_no_finalizer();
}

/// R311 [D], confirmed: with only HookSucceeded the second phase applies over the finished object of the first, and passes at once.
#[test]
fn r311_a_job_of_two_phases_without_before_hook_creation_runs_once() {
    let Some(space) = Space::open("twophases") else { return };
    let target =
        space.write("two", &[job("both", "sleep 1; echo ran").hook("PreSync,PostSync").policy("HookSucceeded"), config_map("plain", "1")]);
    let outcome = space.sync(&target).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert_eq!(outcome.started(), ["PreSync Job/both", "Sync ConfigMap/plain", "PostSync Job/both"]);
    assert_eq!(outcome.log("both"), [(1, "ran")], "its log comes once");
    assert_eq!(space.births("apis/batch/v1", "jobs", "both").len(), 1);
    // A deletion at the end is not waited for (R212).
    eventually("its policy counts", SOON, || space.names("jobs").is_empty().then_some(()));
}
