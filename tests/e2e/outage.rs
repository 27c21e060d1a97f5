//! The API server goes away in the middle of a sync and comes back. Needs a cluster whose parts can be stopped: set
//! `SYNCWAVE_E2E_COMPONENT` to the path of `tests/cluster/component`.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::{ObjectExt, Outcome, Running, Space, alone, config_map, job, skipped};

const VARIABLE: &str = "SYNCWAVE_E2E_COMPONENT";

fn component(script: &str, action: &str, part: &str) {
    let status = Command::new(script).args([action, part]).status().unwrap();
    assert!(status.success(), "{script} {action} {part}");
}

/// A part that does not run. It starts again even after a failed assertion: every other test needs it.
struct Stopped<'a> {
    space: &'a Space,
    script: &'a str,
    part: &'a str,
}

impl<'a> Stopped<'a> {
    fn stop(space: &'a Space, script: &'a str, part: &'a str) -> Self {
        component(script, "stop", part);
        Self { space, script, part }
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        component(self.script, "start", self.part);
        // A panic in here would end all tests; whoever needs the API server says what is missing.
        for _ in 0..300 {
            if self.space.try_kubectl(&["get", "--raw", "/readyz"]).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// Returns the script that stops parts of the cluster, or says that the test is skipped.
fn script() -> Option<String> {
    let script = std::env::var(VARIABLE).ok().filter(|script| !script.is_empty());
    if script.is_none() {
        skipped("outage", &format!("set {VARIABLE} to the path of tests/cluster/component"));
    }
    script
}

/// A hook that prints 40 lines in ten seconds.
fn ticking() -> Value {
    job("pre", "for n in $(seq 1 40); do echo \"tick $n\"; sleep 0.25; done").hook("PreSync")
}

/// Takes a part away in the middle of the lines for a while; the sync succeeds and has every line once.
fn ends_well_without<'a>(running: Running<'_>, stop: impl FnOnce() -> Stopped<'a>, time: Duration) -> Outcome {
    running.wait_for("the fifth line", |line| line["line"] == "tick 5");
    let stopped = stop();
    std::thread::sleep(time);
    drop(stopped);
    let outcome = running.finish();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    let expected: Vec<String> = (1..=40).map(|n| format!("tick {n}")).collect();
    let seen: Vec<&str> = outcome.log("pre").into_iter().map(|(_, line)| line).collect();
    assert_eq!(seen, expected);
    outcome
}

/// Decision 4: level-triggered. The log is resumed without loss and without repetition.
#[test]
fn an_api_server_that_stops_for_a_while_delays_a_sync_and_nothing_else() {
    let Some(script) = script() else { return };
    let _alone = alone();
    let Some(space) = Space::open_alone("outage") else { return };
    let target = space.write("outage", &[ticking(), config_map("plain", "1"), job("post", "echo after").hook("PostSync")]);
    let running = space.sync(&target).start();
    let outcome = ends_well_without(running, || Stopped::stop(&space, &script, "kube-apiserver"), Duration::from_secs(3));
    assert_eq!(outcome.log("post"), [(1, "after")]);
    assert_eq!(space.names("jobs"), ["post", "pre"]);
    let news: Vec<&str> =
        outcome.lines.iter().filter_map(|line| line["event"].as_str()).filter(|event| event.starts_with("cluster.")).collect();
    assert_eq!(news, ["cluster.lost", "cluster.back"]);
    space.assert_no_finalizer();
}

/// The kubelet serves the logs; what was printed while it was away comes afterwards.
#[test]
fn a_kubelet_that_starts_again_costs_no_line_of_a_log() {
    let Some(script) = script() else { return };
    let _alone = alone();
    let Some(space) = Space::open_alone("kubelet") else { return };
    let hook = ticking().policy("HookSucceeded");
    let running = space.sync(&space.write("kubelet", &[hook])).start();
    ends_well_without(running, || Stopped::stop(&space, &script, "kubelet"), Duration::from_secs(2));
}

/// Exit 4 when the cluster does not answer; 130 for the second interrupt, when it stops to answer in the middle.
#[test]
fn a_cluster_that_does_not_answer_holds_nobody() {
    let Some(script) = script() else { return };
    let _alone = alone();
    let Some(space) = Space::open_alone("dead") else { return };
    let target = space.write("dead", &[job("pre", "sleep 600").hook("PreSync")]);
    let running = space.sync(&target).start();
    running.wait_for_task("pre", "Running");
    let stopped = Stopped::stop(&space, &script, "kube-apiserver");
    running.signal("INT");
    running.wait_for("the terminate", |line| line["event"] == "terminate.requested");
    // A person is not so quick, and what comes within 0.1 s counts as an echo.
    std::thread::sleep(Duration::from_millis(400));
    running.signal("INT");
    assert_eq!(running.code(), Some(130));

    let outcome = space.sync(&target).run();
    assert_eq!((outcome.code, outcome.lines.len()), (Some(4), 0), "{}", outcome.errors);
    assert!(outcome.errors.contains("10.90.0.1") || outcome.errors.contains("https://"), "names the server: {}", outcome.errors);
    drop(stopped);
}
