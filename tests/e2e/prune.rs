//! Deleting what no manifest asks for any more.

use crate::support::{ObjectExt, SOON, Space, config_map, eventually};

/// Deletions of the last group are not waited for (R626).
fn only(space: &Space, names: &[&str]) {
    eventually(&format!("only {names:?}"), SOON, || (space.names("configmaps") == names).then_some(()));
}

/// R505 R507 R508 T191: the highest wave first, each prune group at the lowest wave that is left, what is applied last.
#[test]
fn r505_prune_goes_through_the_waves_backwards_and_before_the_rest() {
    let Some(space) = Space::open("prune") else { return };
    let keep = |value: &str| config_map("keep", value).wave(1);
    let one = space.write(
        "one",
        &[config_map("a", "1"), config_map("b", "1").wave(1), config_map("c", "1").wave(2), config_map("d", "1").wave(2), keep("1")],
    );
    let two = space.write("two", &[keep("2")]);
    space.sync(&one).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(space.names("configmaps"), ["a", "b", "c", "d", "keep"]);
    let outcome = space.sync(&two).arg("--prune").run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(space.names("configmaps"), ["keep"]);
    let history = space.history("api/v1", "configmaps");
    let gone = |name: &str| history.iter().find(|change| change.kind == "DELETED" && change.name() == name).unwrap().revision();
    let applied = history.iter().find(|change| change.object["data"]["value"] == "2").unwrap().revision();
    let order = [gone("c").max(gone("d")), gone("b"), gone("a"), applied];
    assert!(order.is_sorted() && gone("b") > gone("c").min(gone("d")), "{order:?}");
    let mut results = outcome.results();
    results[..2].sort();
    assert_eq!(
        results,
        [
            "Sync ConfigMap/c Pruned Succeeded: pruned",
            "Sync ConfigMap/d Pruned Succeeded: pruned",
            "Sync ConfigMap/b Pruned Succeeded: pruned",
            "Sync ConfigMap/a Pruned Succeeded: pruned",
            "Sync ConfigMap/keep Synced Running: configmap/keep configured",
        ]
    );
}

/// R631 R602: without `--prune` it stays, and says so. R118: a hook that is no longer asked for is never pruned.
#[test]
fn r631_without_prune_it_stays_and_hooks_are_never_pruned() {
    let Some(space) = Space::open("prune-off") else { return };
    let one = space.write("one", &[config_map("a", "1"), config_map("hook", "1").hook("PreSync"), config_map("keep", "1")]);
    let two = space.write("two", &[config_map("keep", "1")]);
    space.sync(&one).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let outcome = space.sync(&two).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(
        outcome.results(),
        [
            "Sync ConfigMap/a PruneSkipped Succeeded: ignored (requires pruning)",
            "Sync ConfigMap/keep Synced Running: configmap/keep unchanged",
        ]
    );
    space.sync(&two).arg("--prune").run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    only(&space, &["hook", "keep"]);
}

/// R1207 and decision 24: only what carries our own tracking id may be pruned, with and without the inventory.
#[test]
fn r1207_without_the_inventory_prune_finds_its_own_objects_and_no_others() {
    let Some(space) = Space::open("prune-lost") else { return };
    space.create(&config_map("stranger", "1"));
    let one = space.write("one", &[config_map("a", "1"), config_map("keep", "1")]);
    let two = space.write("two", &[config_map("keep", "1")]);
    space.sync(&one).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    std::fs::remove_dir_all(space.state()).expect("the inventory was there");
    let outcome = space.sync(&two).arg("--prune").run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    only(&space, &["keep", "stranger"]);
}
