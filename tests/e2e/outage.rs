//! The API server goes away in the middle of a sync and comes back. Needs a cluster whose parts can be stopped: set
//! `SYNCWAVE_E2E_COMPONENT` to the path of `tests/cluster/component`.

use std::process::Command;
use std::time::Duration;

use crate::support::{ObjectExt, Space, alone, config_map, job};

const VARIABLE: &str = "SYNCWAVE_E2E_COMPONENT";

fn component(script: &str, action: &str) {
    let status = Command::new(script).args([action, "kube-apiserver"]).status().unwrap();
    assert!(status.success(), "{script} {action} kube-apiserver");
}

/// Starts the API server again even after a failed assertion: every other test needs it.
struct Stopped<'a>(&'a str);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        component(self.0, "start");
    }
}

/// Decision 4: level-triggered. The log is resumed without loss and without repetition.
#[test]
fn an_api_server_that_stops_for_a_while_delays_a_sync_and_nothing_else() {
    let Ok(script) = std::env::var(VARIABLE) else {
        return crate::support::skipped("outage", &format!("set {VARIABLE} to the path of tests/cluster/component"));
    };
    let _alone = alone();
    let Some(space) = Space::open_alone("outage") else { return };
    let target = space.write(
        "outage",
        &[
            job("pre", "for n in $(seq 1 40); do echo \"tick $n\"; sleep 0.25; done").hook("PreSync"),
            config_map("plain", "1"),
            job("post", "echo after").hook("PostSync"),
        ],
    );
    let running = space.sync(&target).start();
    running.wait_for("the fifth line", |line| line["line"] == "tick 5");
    component(&script, "stop");
    let stopped = Stopped(&script);
    std::thread::sleep(Duration::from_secs(3));
    drop(stopped);
    let outcome = running.finish();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    let expected: Vec<String> = (1..=40).map(|n| format!("tick {n}")).collect();
    let seen: Vec<&str> = outcome.log("pre").into_iter().map(|(_, line)| line).collect();
    assert_eq!(seen, expected);
    assert_eq!(outcome.log("post"), [(1, "after")]);
    assert_eq!(space.names("jobs"), ["post", "pre"]);
    space.assert_no_finalizer();
}
