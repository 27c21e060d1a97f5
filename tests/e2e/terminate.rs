//! Ending an operation. The story A6 has the hooks.

use std::time::Duration;

use crate::support::{ObjectExt, Running, SOON, Space, config_map, deployment, eventually, job, signal};

/// R904 R909: what was applied stays as it is, and its result too.
#[test]
fn r904_terminate_while_a_wave_is_waited_for_leaves_what_was_applied() {
    let Some(space) = Space::open("term-wave") else { return };
    let target = space.write("wave", &[deployment("never", "exec sleep 600"), config_map("next", "1").wave(1)]);
    let running = space.sync(&target).start();
    running.wait_until_waiting("waiting for healthy state of apps/Deployment/never");
    running.signal("INT");
    let outcome = running.finish();
    outcome.assert_end(3, "Failed", "Operation terminated");
    assert_eq!(outcome.results(), ["Sync Deployment/never Synced Running: deployment.apps/never created"]);
    assert_eq!(outcome.not_run(), ["ConfigMap/next: terminated"]);
    assert_eq!((space.names("deployments"), space.names("configmaps").len()), (vec!["never".to_owned()], 0));
}

/// R905: a pod that sleeps is deleted with its Job, and its log so far is there.
#[test]
fn r905_terminate_while_a_pod_sleeps_deletes_the_hook_and_keeps_its_log() {
    let Some(space) = Space::open("term-pod") else { return };
    let target = space.write("pod", &[job("pre", "echo asleep; sleep 600").hook("PreSync"), config_map("next", "1")]);
    let running = space.sync(&target).start();
    running.wait_for("its log", |line| line["event"] == "log");
    running.signal("INT");
    let outcome = running.finish();
    outcome.assert_end(3, "Failed", "Operation terminated");
    assert_eq!(outcome.results(), ["PreSync Job/pre Synced Failed: Terminated"]);
    assert_eq!(outcome.log("pre"), [(1, "asleep")]);
    eventually("the pod is gone", SOON, || space.names("pods").is_empty().then_some(()));
    eventually("the job is gone", SOON, || space.names("jobs").is_empty().then_some(()));
}

/// Whatever it does at the moment: an interrupt ends it with its code, and no hook keeps our finalizer.
#[test]
fn an_interrupt_at_any_moment_ends_it_with_its_code_and_leaves_no_finalizer() {
    let Some(space) = Space::open("any-moment") else { return };
    let hook = |name: &str, wave: i32| job(name, "sleep 600").hook("PreSync").wave(wave);
    let target = space
        .write("moment", &[config_map("first", "1").hook("PreSync").wave(-1), hook("one", 0), hook("two", 0), config_map("after", "1")]);
    for millis in [0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 120, 150, 200, 300] {
        let running = space.sync(&target).start();
        std::thread::sleep(Duration::from_millis(millis));
        has_begun_when_interrupted(&space, running);
    }
    // A slow machine may have begun none of them, so the last one is interrupted when it says something.
    let running = space.sync(&target).start();
    running.wait_for("what it waits for", |line| line["event"] == "waiting");
    assert!(has_begun_when_interrupted(&space, running));
    eventually("the hooks are gone", SOON, || space.names("jobs").is_empty().then_some(()));
}

/// Interrupts a sync, checks its end, and returns whether its operation had begun.
fn has_begun_when_interrupted(space: &Space, running: Running<'_>) -> bool {
    running.signal("INT");
    let outcome = running.finish();
    let has_begun = !outcome.lines.is_empty();
    if has_begun {
        outcome.assert_end(3, "Failed", "Operation terminated");
    } else {
        // Before its own handler is there the system ends it; afterwards it says 130 itself.
        assert!([Some(130), None].contains(&outcome.code), "{:?} {}", outcome.code, outcome.errors);
    }
    space.assert_no_finalizer();
    assert!(!space.names("configmaps").contains(&"after".to_owned()));
    has_begun
}

/// R904: a hook that waits for the deletion of its old object is pending, and a terminate gives it no result, also when the deletion had
/// not been sent yet.
#[test]
fn r904_a_terminate_before_an_old_hook_is_deleted_gives_no_result() {
    let Some(space) = Space::open("term-old") else { return };
    let hooks: Vec<_> = (0..30).map(|number| config_map(&format!("h{number}"), "1").hook("PreSync")).collect();
    let target = space.write("old", &hooks);
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    // One of the old hooks goes only when the test says so: however late the signal comes, the operation is not through.
    let hold = |names: &str| {
        space.kubectl(&["patch", "configmap", "h0", "--type=merge", "-p", &format!(r#"{{"metadata":{{"finalizers":{names}}}}}"#)])
    };
    for _ in 0..20 {
        hold(r#"["example.com/held"]"#);
        let running = space.sync(&target).start();
        running.wait_for("its first wave", |line| line["event"] == "wave.started");
        running.signal("INT");
        let outcome = running.finish();
        outcome.assert_end(3, "Failed", "Operation terminated");
        assert!(outcome.results().iter().all(|text| !text.contains("not sent: ")), "{:?}", outcome.results());
        hold("null");
        space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    }
}

/// cli.md: SIGHUP leaves the terminal, the operation goes on.
#[test]
fn a_hangup_does_not_end_the_operation() {
    let Some(space) = Space::open("hangup") else { return };
    let target = space.write("hangup", &[job("pre", "echo 1; sleep 2; echo 2").hook("PreSync")]);
    let running = space.sync(&target).start();
    running.wait_for("its log", |line| line["event"] == "log");
    running.signal("HUP");
    let outcome = running.finish();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert_eq!(outcome.log("pre"), [(1, "1"), (1, "2")]);
}

/// A pager that was left, a stalled collector of logs: the first signal ends the operation all the same, the second one the program.
#[test]
fn signals_count_although_nobody_reads_standard_output() {
    let Some(space) = Space::open("unread") else { return };
    let loud =
        "i=0; while [ $i -lt 3000 ]; do echo line $i that fills the pipe of standard output before long; i=$((i+1)); done; sleep 600";
    let mut child = space.sync(&space.write("unread", &[job("pre", loud).hook("PreSync"), config_map("next", "1")])).start_unread();
    eventually("its pod runs", SOON, || {
        space.kubectl(&["get", "pods", "-o", "jsonpath={.items[*].status.phase}"]).contains("Running").then_some(())
    });
    eventually("the pipe is full", SOON, || is_stuck(child.id()).then_some(()));
    signal(&child, "INT");
    eventually("the hook is ended", SOON, || space.names("jobs").is_empty().then_some(()));
    space.assert_no_finalizer();
    assert!(child.try_wait().unwrap().is_none(), "it still waits for its reader");
    signal(&child, "INT");
    let status = eventually("the program ends", SOON, || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(130));
}

/// Returns whether a program's main thread hangs in a write to a pipe.
fn is_stuck(id: u32) -> bool {
    // Number of the call on x86-64 and on ARM, and its first argument.
    std::fs::read_to_string(format!("/proc/{id}/syscall")).is_ok_and(|call| call.starts_with("1 0x1 ") || call.starts_with("64 0x1 "))
}
