//! Variants of the acceptance stories: other words in the manifests of `assets/demo`, other hands on the keys.

use crate::support::{Object, ObjectExt, SOON, Screen, Space, config_map, eventually, job, story};

/// A2 with `Skip,PreSync`. R108 R1535: beside another type, Skip has no effect, and the plan says so: the Deployment is a hook.
#[test]
fn a2_skip_beside_presync_is_a_presync_hook() {
    let Some(space) = Space::open("a2-skip") else { return };
    let account = format!("--serviceaccount={}:switcher", space.namespace);
    space.kubectl(&["create", "serviceaccount", "switcher"]);
    space.kubectl(&["create", "rolebinding", "switcher", "--clusterrole=admin", &account]);
    space.kubectl(&["create", "service", "clusterip", "web", "--tcp=80:8080"]);
    let words = [
        ("argocd.argoproj.io/hook: Skip", "argocd.argoproj.io/hook: Skip,PreSync"),
        ("image: \"ghcr.io/acme/web:2\"", "image: busybox, command: [sleep, \"3600\"]"),
    ];
    let target = space.write_text("skip", &story("blue-green", &words));
    let outcome = space.sync(&target).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert_eq!(outcome.started(), ["PreSync Deployment/web", "Sync ConfigMap/web-template", "Sync Job/switch", "PostSync Job/verify"]);
    assert_eq!(outcome.not_run(), ["Job/remove-green: notNeeded"]);
    assert_eq!(space.names("deployments"), ["web", "web-green"]);
    let told = outcome.events("warning").into_iter().any(|line| line["message"].as_str().unwrap().contains("Skip"));
    assert!(told, "{:?}", outcome.events("warning"));
    space.assert_no_finalizer();
}

/// A Job whose pod does not listen to SIGTERM and has ten minutes to do so.
fn deaf() -> Object {
    let hook = job("drain-queue", "trap '' TERM; echo draining; while true; do sleep 1; done").hook("PreSync");
    hook.with("/spec/template/spec/terminationGracePeriodSeconds", 600)
}

/// Ends the pod that would hold the namespace for ten minutes.
fn end_pods(space: &Space) {
    space.kubectl(&["delete", "pods", "--all", "--force", "--grace-period=0"]);
}

/// A6, the pod ignores SIGTERM. R906: nobody waits for it, but the next sync does, and says what it waits for.
#[test]
fn a6_a_pod_that_ignores_sigterm_does_not_hold_a_terminate() {
    let Some(space) = Space::open("a6-deaf") else { return };
    let target = space.write("deaf", &[deaf(), config_map("web", "1")]);
    let running = space.sync(&target).start();
    running.wait_for("its log", |line| line["event"] == "log");
    running.signal("INT");
    let outcome = running.finish();
    outcome.assert_end(3, "Failed", "Operation terminated");
    assert_eq!(outcome.results(), ["PreSync Job/drain-queue Synced Failed: Terminated"]);
    let pod = space.names("pods").pop().expect("it has ten minutes");
    let live = eventually("the collector ends the pod, too", SOON, || {
        let live = space.get(&format!("pod/{pod}")).expect("it has ten minutes");
        (!live["metadata"]["deletionTimestamp"].is_null()).then_some(live)
    });
    assert_eq!(live["status"]["phase"], "Running");

    let running = space.sync(&target).start();
    running.wait_until_waiting("waiting for deletion of hook batch/Job/drain-queue");
    end_pods(&space);
    running.wait_for("its log", |line| line["event"] == "log");
    running.signal("INT");
    running.finish().assert_end(3, "Failed", "Operation terminated");
    end_pods(&space);
}

/// A6: terminate, pressed and confirmed three times in a row.
#[test]
fn a6_a_terminate_that_is_pressed_three_times_ends_the_operation_once() {
    let Some(space) = Space::open("a6-keys") else { return };
    let target = space.write("deaf", &[deaf(), config_map("web", "1"), job("alert", "true").hook("SyncFail")]);
    let mut screen = Screen::open(&space, &["sync".as_ref(), target.as_os_str()]);
    screen.shows(&["SYNCING", "draining"]);
    screen.press("t");
    screen.shows(&["Terminate the running sync?"]);
    for key in ["y", "t", "y", "t", "y"] {
        screen.press(key);
    }
    screen.shows(&["TERMINATED", "nothing had been applied", "did not run · Job/alert"]);
    screen.press("q");
    assert_eq!(screen.finish(), 3);
    assert!(space.births("apis/batch/v1", "jobs", "alert").is_empty());
    space.assert_no_finalizer();
    end_pods(&space);
}
