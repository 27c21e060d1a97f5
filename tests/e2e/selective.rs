//! A sync of chosen resources.

use crate::support::{ObjectExt, Space, config_map, deployment, job};

/// R801 R803 T146 T147.
#[test]
fn r803_a_selective_sync_applies_only_what_was_chosen_and_runs_no_hooks() {
    let Some(space) = Space::open("selective") else { return };
    let target = space.write(
        "selective",
        &[
            job("pre", "echo never").hook("PreSync"),
            config_map("a", "1"),
            config_map("b", "1"),
            deployment("web", "exec sleep 600"),
            job("post", "echo never").hook("PostSync"),
        ],
    );
    let outcome = space.sync(&target).args(&["--resource", ":ConfigMap:b"]).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(outcome.results(), ["Sync ConfigMap/b Synced Running: configmap/b created"]);
    assert_eq!(outcome.not_run(), ["ConfigMap/a: selection", "Deployment/web: selection", "Job/post: selection", "Job/pre: selection"]);
    assert_eq!((space.names("configmaps"), space.names("jobs").len()), (vec!["b".to_owned()], 0));

    let outcome = space.sync(&target).args(&["--resource", "Deployment:web", "--resource", "ConfigMap:a"]).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(outcome.started(), ["Sync ConfigMap/a", "Sync Deployment/web"]);
}

/// R804: nothing matches; the outcome is as recorded, and a warning says it.
#[test]
fn r804_a_selection_of_nothing_succeeds_with_a_warning() {
    let Some(space) = Space::open("nothing") else { return };
    let outcome = space.sync(&space.write("nothing", &[config_map("a", "1")])).args(&["--resource", "ConfigMap:nope"]).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert!(outcome.results().is_empty() && space.names("configmaps").is_empty());
    let warnings = outcome.events("warning");
    assert!(warnings.iter().any(|line| line["message"].as_str().unwrap().contains("nope")), "{warnings:?}");
}
