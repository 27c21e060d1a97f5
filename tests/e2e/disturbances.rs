//! What other people and programs do to the objects of a running sync, and to what is heard of them.

use std::time::Duration;

use crate::support::{ObjectExt, Relay, SOON, Space, config_map, deployment, eventually, job};

/// R617 R618: an ordinary object that is waited for and really goes away.
#[test]
fn r617_a_resource_that_somebody_deletes_while_it_is_waited_for_fails_the_operation() {
    let Some(space) = Space::open("missing") else { return };
    let target = space.write("missing", &[deployment("never", "exec sleep 600"), config_map("next", "1").wave(1)]);
    let running = space.sync(&target).start();
    running.wait_until_waiting("waiting for healthy state of apps/Deployment/never");
    space.kubectl(&["delete", "deployment", "never"]);
    let outcome = running.finish();
    let reason = "Resource apps/Deployment/never is missing, it might have been deleted";
    outcome.assert_end(1, "Failed", &format!("one or more synchronization tasks completed unsuccessfully, reason: {reason}"));
    assert_eq!(outcome.results(), [format!("Sync Deployment/never SyncFailed Error: {reason}")]);
}

/// A hook Pod that ends after somebody has deleted it still has a result: our finalizer keeps it until it was read (R215).
/// R1549: what had an end is not missing.
#[test]
fn r215_a_finished_hook_that_is_deleted_at_once_is_read_first() {
    let Some(space) = Space::open("ttl") else { return };
    let hook = job("pre", "echo ran").hook("PreSync").with("/spec/ttlSecondsAfterFinished", 0);
    let outcome = space.sync(&space.write("ttl", &[hook, config_map("next", "1")])).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(outcome.results()[0], "PreSync Job/pre Synced Succeeded: Reached expected number of succeeded pods");
    assert_eq!(outcome.log("pre"), [(1, "ran")]);
    eventually("the TTL took it", SOON, || space.names("jobs").is_empty().then_some(()));
}

/// The destination goes away in the middle: the hook's finalizer must not hold the namespace for ever (R1504).
#[test]
fn r1504_a_namespace_that_is_deleted_in_the_middle_of_a_sync_goes_away() {
    let Some(space) = Space::open("outer") else { return };
    let inner = space.another_namespace("doomed");
    let inside = |object: serde_json::Value| object.with("/metadata/namespace", inner.clone());
    let target = space.write("doomed", &[inside(job("pre", "sleep 600").hook("PreSync")), inside(config_map("next", "1"))]);
    let running = space.sync(&target).start();
    running.wait_for_task("pre", "Running");
    space.kubectl(&["delete", "namespace", &inner, "--wait=false"]);
    let outcome = running.finish();
    assert_eq!((outcome.code, outcome.last()["phase"].as_str()), (Some(1), Some("Failed")), "{:?}", outcome.results());
    eventually("the namespace is gone", Duration::from_secs(180), || {
        space.kubectl(&["get", "namespace", &inner, "--ignore-not-found"]).is_empty().then_some(())
    });
}

/// R216 R1502: a program that was killed leaves a finalizer behind; the next sync takes it away and runs the hook again.
#[test]
fn r1502_the_next_sync_cleans_up_after_one_that_was_killed() {
    let Some(space) = Space::open("killed") else { return };
    let target = space.write("killed", &[job("pre", "sleep 3; echo ran").hook("PreSync"), config_map("next", "1")]);
    let running = space.sync(&target).start();
    running.wait_for_task("pre", "Running");
    running.signal("KILL");
    assert_eq!(running.code(), None);
    let first = space.uid("job/pre");
    space.kubectl(&["delete", "job", "pre", "--wait=false"]);
    let outcome = space.sync(&target).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(outcome.log("pre"), [(1, "ran")]);
    assert_ne!(space.uid("job/pre"), first);
    space.assert_no_finalizer();
}

/// R1531: an ordinary Job that its TTL removes right after it has completed; seen on Argo CD: the sync fails although the Job did
/// its work. Here it counts as what it was.
#[test]
fn r1531_an_ordinary_job_that_completes_and_expires_does_not_fail_the_sync() {
    let Some(space) = Space::open("expires") else { return };
    let load = job("load", "sleep 1").with("/spec/ttlSecondsAfterFinished", 0);
    let outcome = space.sync(&space.write("expires", &[load, config_map("next", "1").wave(1)])).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(outcome.results()[0], "Sync Job/load Synced Succeeded: Reached expected number of succeeded pods");
}

/// A second hand on the same object between two applies is no error, and a Pod that is evicted is one.
#[test]
fn r410_a_hook_pod_that_somebody_deletes_fails_its_job() {
    let Some(space) = Space::open("evicted") else { return };
    let target = space.write("evicted", &[job("pre", "echo here; sleep 600").hook("PreSync")]);
    let running = space.sync(&target).start();
    let pod = running.wait_for("its log", |line| line["event"] == "log")["pod"].as_str().unwrap().to_owned();
    space.kubectl(&["delete", "pod", &pod, "--wait=false"]);
    let outcome = running.finish();
    outcome.assert_end(1, "Failed", "one or more synchronization tasks completed unsuccessfully");
    assert_eq!(outcome.results(), ["PreSync Job/pre Synced Failed: Job has reached the specified backoff limit"]);
    assert_eq!(outcome.log("pre"), [(1, "here")]);
}

/// Decision 4: something between here and the API server keeps watches back. The end of a hook is seen all the same.
#[test]
fn decision_4_a_sync_whose_watches_never_open_is_polled_and_says_so() {
    let Some(space) = Space::open("unwatched") else { return };
    let target = space.write("unwatched", &[job("pre", "echo ran").hook("PreSync"), config_map("next", "1")]);
    let relay = Relay::losing(&space, &format!("GET /apis/batch/v1/namespaces/{}/jobs?watch", space.namespace));
    let outcome = space.sync(&target).kubeconfig(relay.kubeconfig()).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert!(relay.lost() > 0);
    let told =
        format!("jobs in {} cannot be watched: the API server did not answer within 30 s; reading them every 2 s instead", space.namespace);
    assert!(outcome.events("warning").iter().any(|line| line["message"] == told.as_str()), "{:?}", outcome.events("warning"));
}
