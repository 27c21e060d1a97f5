//! Topic 11: a deletion beside a running sync, and hooks that seem to have run already.

use crate::support::{ObjectExt, SOON, Space, config_map, eventually, job};

const DELETED: &str = "successfully deleted";

/// R1104 [D], confirmed as far as it goes: a running sync blocks the deletion. Corrected (R1537): it does not wait for its end behind
/// somebody's back, but says who runs it; when that is ended, the deletion goes on.
#[test]
fn r1104_r1537_a_deletion_is_refused_while_a_sync_runs() {
    let Some(space) = Space::open("delete-busy") else { return };
    let target = space.write("app", &[config_map("a", "1").hook("PreSync").wave(-1), job("slow", "sleep 600").hook("PreSync")]);
    let running = space.sync(&target).start();
    running.wait_for_task("slow", "Running");
    let refused = space.delete(&target).run();
    assert_eq!((refused.code, refused.lines.len()), (Some(2), 0), "{}", refused.errors);
    assert!(
        refused.errors.contains(" is being synced to namespace ") && refused.errors.contains(" already, by process "),
        "{}",
        refused.errors
    );
    assert_eq!((space.names("configmaps"), space.names("jobs")), (vec!["a".to_owned()], vec!["slow".to_owned()]));
    running.signal("INT");
    running.finish().assert_end(3, "Failed", "Operation terminated");
    space.delete(&target).run().assert_end(0, "Succeeded", DELETED);
    eventually("nothing is left", SOON, || (space.names("configmaps").is_empty() && space.names("jobs").is_empty()).then_some(()));
}

/// R1111 [D], corrected (R1536): a PreDelete hook with a generated name is made once, not in every look again, and goes with the app.
#[test]
fn r1111_a_predelete_hook_with_a_generated_name_runs_once() {
    let Some(space) = Space::open("delete-named") else { return };
    let target = space.write("app", &[config_map("a", "1"), job("bye", "sleep 2; echo bye").hook("PreDelete").generated()]);
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let outcome = space.delete(&target).run();
    outcome.assert_end(0, "Succeeded", DELETED);
    assert_eq!((outcome.log("bye-"), space.births("apis/batch/v1", "jobs", "bye-").len()), (vec![(1, "bye")], 1));
    assert_eq!((space.names("configmaps").len(), space.names("jobs").len()), (0, 0));
}

/// R1111 [D], corrected: what a `PostSync,PreDelete` hook has left of the last sync does not count as its run before the deletion.
#[test]
fn r1111_a_leftover_of_the_last_sync_does_not_count_as_run_before_the_deletion() {
    let Some(space) = Space::open("delete-both") else { return };
    let target = space.write("app", &[config_map("a", "1"), job("both", "echo ran").hook("PostSync,PreDelete")]);
    let outcome = space.sync(&target).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert_eq!(outcome.log("both"), [(1, "ran")]);
    let outcome = space.delete(&target).run();
    outcome.assert_end(0, "Succeeded", DELETED);
    assert_eq!(outcome.log("both"), [(1, "ran")], "it ran for the deletion, too");
    let (births, history) = (space.births("apis/batch/v1", "jobs", "both"), space.history("api/v1", "configmaps"));
    let gone = history.iter().find(|change| change.kind == "DELETED" && change.name() == "a").unwrap().revision();
    assert!(births.len() == 2 && births[1] < gone, "{births:?} {gone}");
    assert_eq!((space.names("configmaps").len(), space.names("jobs").len()), (0, 0));
}
