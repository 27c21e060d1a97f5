//! Two journeys of an operator through the UI, on a real cluster.

use crate::support::{ObjectExt, Screen, Space, config_map, job};

/// Opens, syncs, reads a log while it runs, terminates, syncs one resource without hooks, quits.
#[test]
fn an_operator_reads_a_log_terminates_syncs_one_resource_and_quits() {
    let Some(space) = Space::open("ui-terminate") else { return };
    let target = space.write(
        "journey",
        &[
            job("migrate", "for n in $(seq 1 500); do echo \"step $n\"; sleep 0.3; done").hook("PreSync"),
            config_map("other", "1"),
            config_map("settings", "1"),
        ],
    );
    let mut screen = Screen::open(&space, &[target.as_os_str()]);
    screen.shows(&["PLANNED", "Job/migrate", "settings"]);
    assert!(space.names("jobs").is_empty(), "nothing runs yet");
    screen.press("s");
    screen.shows(&["─ Sync ─", "PreSync 1: Job/migrate", "2 create"]);
    screen.press("enter");
    screen.shows(&["SYNCING", "for Job/migrate", "step 3"]);
    screen.press("l");
    screen.shows(&["migrate", "main", "attempt 1/1", "step 8"]);
    screen.press("esc");
    screen.shows(&["SYNCING", "next Sync wave 0"]);
    screen.press("t");
    screen.shows(&["Terminate the running sync?", "delete  Job/migrate", "not run SyncFail hooks"]);
    screen.press("y");
    // Its last lines, whichever they are.
    screen.shows(&["TERMINATED", "nothing had been applied", "did not run", "last error lines of migrate", " step "]);
    assert!(space.names("configmaps").is_empty());

    screen.press("down");
    screen.shows(&["▌▸ Sync"]);
    screen.press("enter");
    screen.shows(&["▌▾ Sync"]);
    screen.press("down");
    screen.press("down");
    screen.press("S");
    screen.shows(&["(•) this one", "Selective sync, without hooks", "ConfigMap/settings", "1: 1 create"]);
    screen.press("enter");
    screen.shows(&["SUCCEEDED"]);
    assert_eq!(space.names("configmaps"), ["settings"]);
    screen.press("q");
    assert_eq!(screen.finish(), 0);
    space.assert_no_finalizer();
}

/// A typed sync starts at once; a failure names the hook and how it ended, with its last lines; the exit code says so too.
#[test]
fn an_operator_sees_at_once_why_a_typed_sync_failed() {
    let Some(space) = Space::open("ui-fails") else { return };
    let target = space.write(
        "fails",
        &[
            job("check", "echo looking; echo 'no answer from orders-db' >&2; exit 7").hook("PreSync"),
            config_map("settings", "1"),
            job("alert", "echo told").hook("SyncFail"),
        ],
    );
    let mut screen = Screen::open(&space, &["sync".as_ref(), target.as_os_str()]);
    screen.shows(&["FAILED", "Job/check", "exit 7", "no answer from orders-db", "did not run"]);
    assert_eq!(space.names("jobs"), ["alert", "check"]);
    screen.press("H");
    screen.shows(&["operations since the program started", "FAILED"]);
    screen.press("esc");
    screen.shows(&["FAILED", "no answer from orders-db"]);
    screen.press("q");
    assert_eq!(screen.finish(), 1);
}
