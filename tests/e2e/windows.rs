//! Sync windows of the configuration, by the clock of this machine: they begin with a whole minute.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use crate::support::{ObjectExt, SOON, Space, config_map, eventually, job};

const BLOCKED: &str = "Sync operation blocked by sync window";

/// A deny window for the namespace of the test.
fn deny(space: &Space, schedule: &str, duration: &str) -> PathBuf {
    let window = format!("[[sync.windows]]\nkind = \"deny\"\nschedule = \"{schedule}\"\nduration = \"{duration}\"\n");
    space.write_text("windows", &format!("{window}namespaces = [\"{}\"]\n", space.namespace))
}

/// A minute that begins in eight seconds or later, and how many seconds there are until then.
fn next_minute() -> (Timestamp, i64) {
    let now = Timestamp::now().as_second();
    let begin = (now + 8).div_euclid(60) * 60 + 60;
    (Timestamp::from_second(begin).unwrap(), begin - now)
}

fn at(minute: Timestamp) -> String {
    minute.strftime("%M %H * * *").to_string()
}

/// R1406: exit 2, one sentence, nothing written.
#[test]
fn r1406_a_sync_in_a_closed_window_writes_nothing() {
    let Some(space) = Space::open("window-shut") else { return };
    let target = space.write("shut", &[config_map("a", "1")]);
    let outcome = space.sync(&target).arg("--config").arg(deny(&space, "* * * * *", "1h")).run();
    assert_eq!((outcome.code, outcome.lines.len()), (Some(2), 0), "{}", outcome.errors);
    let sentence = "cannot sync: blocked by sync window: the deny window `* * * * *` for 1h is active; no end of it is in sight";
    assert!(outcome.errors.contains(sentence), "{}", outcome.errors);
    assert_eq!(space.names("configmaps"), [""; 0]);
    assert!(space.history("api/v1", "configmaps").is_empty());
}

/// R1405 [D], corrected: a sync by hand is one from its first look on, so a window that lets such syncs pass holds it for no moment.
#[test]
fn r1405_a_window_for_manual_syncs_does_not_hold_the_first_step() {
    let Some(space) = Space::open("window-manual") else { return };
    let strict = deny(&space, "* * * * *", "1h");
    let text = format!("{}manual_sync = true\n", std::fs::read_to_string(strict).unwrap());
    let target = space.write("manual", &[job("pre", "true").hook("PreSync"), config_map("a", "1")]);
    let outcome = space.sync(&target).arg("--config").arg(space.write_text("manual-sync", &text)).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(outcome.waited(), ["waiting for completion of hook batch/Job/pre"]);
    assert!(outcome.events("warning").is_empty(), "{:?}", outcome.events("warning"));
}

/// T155 R1405: the hook ends in the window, and what comes next is written when the window is over, not before and not much later.
#[test]
fn t155_a_window_that_closes_half_way_holds_the_next_wave_and_lets_it_go_at_its_end() {
    let Some(space) = Space::open("window-half") else { return };
    let (begin, seconds) = next_minute();
    let hook = job("pre", &format!("sleep {}", seconds + 8)).hook("PreSync");
    let target = space.write("half", &[hook, config_map("after", "1")]);
    let outcome = space.sync(&target).arg("--config").arg(deny(&space, &at(begin), "40s")).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(outcome.waited(), ["waiting for completion of hook batch/Job/pre", BLOCKED]);
    let line = |event: &str| outcome.events(event).into_iter().find(|line| line["message"].as_str().unwrap_or_default().contains("window"));
    let time = line("waiting").unwrap()["time"].as_str().unwrap().parse::<Timestamp>().unwrap();
    assert!((time.duration_since(begin)).abs() < SignedDuration::from_secs(6), "blocked at {time}, not at {begin}");
    assert!(line("warning").is_some(), "which window, and until when");
    let born = space.kubectl(&["get", "configmap", "after", "-o", "jsonpath={.metadata.creationTimestamp}"]);
    let waited = born.parse::<Timestamp>().unwrap().duration_since(begin).as_secs();
    assert!((40..60).contains(&waited), "written {waited} s after the window had begun");
    space.assert_no_finalizer();
}

/// T138 and R912 [D], corrected (R1525): Argo CD's terminate hangs here, ours ends the operation.
#[test]
fn t138_a_terminate_in_a_closed_window_ends_the_hook_at_once() {
    let Some(space) = Space::open("window-term") else { return };
    let (begin, _) = next_minute();
    let target = space.write("term", &[job("pre", "sleep 600").hook("PreSync"), config_map("after", "1")]);
    let running = space.sync(&target).arg("--config").arg(deny(&space, &at(begin), "1h")).start();
    running.wait_until_waiting(BLOCKED);
    let asked = Timestamp::now();
    running.signal("INT");
    let outcome = running.finish();
    let took = Timestamp::now().duration_since(asked);
    outcome.assert_end(3, "Failed", "Operation terminated");
    assert!(took < SignedDuration::from_secs(60), "{took:?}");
    assert_eq!(outcome.results(), ["PreSync Job/pre Synced Failed: Terminated"]);
    eventually("the hook is gone", SOON, || space.names("jobs").is_empty().then_some(()));
    assert_eq!(space.names("configmaps"), [""; 0]);
}
