//! Waves of a phase.

use crate::support::{ObjectExt, Space, config_map, deployment, job};

/// R402 R501 R615 R616: a wave begins when everything of the wave before is healthy.
#[test]
fn r616_a_wave_waits_for_a_slow_deployment() {
    let Some(space) = Space::open("slow") else { return };
    let target = space.write(
        "slow",
        &[
            config_map("after", "1").wave(1),
            deployment("slow", "sleep 3; touch /tmp/ready; exec sleep 600"),
            config_map("before", "1").wave(-5),
        ],
    );
    let outcome = space.sync(&target).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(outcome.waited().last(), Some(&"waiting for healthy state of apps/Deployment/slow"));
    let available =
        space.history("apis/apps/v1", "deployments").into_iter().find(|change| change.object["status"]["availableReplicas"] == 1);
    let born = |name: &str| space.births("api/v1", "configmaps", name)[0];
    let order = [
        born("before"),
        space.births("apis/apps/v1", "deployments", "slow")[0],
        available.expect("it became available").revision(),
        born("after"),
    ];
    assert!(order.is_sorted(), "{order:?}");
}

/// A second rollout: the gate must not believe the health of the generation before (decision 3).
#[test]
fn r413_a_wave_waits_for_the_new_generation_of_a_deployment() {
    let Some(space) = Space::open("rollout") else { return };
    let target = |name: &str, pause: u32| {
        let web = deployment("web", &format!("sleep {pause}; touch /tmp/ready; exec sleep 600"));
        space.write(name, &[web, config_map("after", name).wave(1)])
    };
    space.sync(&target("one", 0)).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let outcome = space.sync(&target("two", 2)).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let after = space.history("api/v1", "configmaps").into_iter().find(|change| change.object["data"]["value"] == "two").unwrap();
    let rolled_out = space.history("apis/apps/v1", "deployments").into_iter().find(|change| {
        let (status, generation) = (&change.object["status"], &change.object["metadata"]["generation"]);
        generation == 2 && status["observedGeneration"] == 2 && status["updatedReplicas"] == 1 && status["replicas"] == 1
    });
    assert!(rolled_out.expect("it rolled out").revision() < after.revision());
}

/// R502 R518 and decision 3: ten waves follow each other in order, and no time is spent between them.
/// R1515: nobody sleeps between waves.
#[test]
fn r518_waves_of_what_is_ready_at_once_take_no_time() {
    let Some(space) = Space::open("many") else { return };
    let objects: Vec<_> = (0..10).map(|wave| config_map(&format!("w{wave}"), "1").wave(9 - wave)).collect();
    let outcome = space.sync(&space.write("many", &objects)).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let history = space.history("api/v1", "configmaps");
    let births: Vec<&str> = history.iter().filter(|change| change.kind == "ADDED").map(|change| change.name()).collect();
    assert_eq!(births, ["w9", "w8", "w7", "w6", "w5", "w4", "w3", "w2", "w1", "w0"]);
    assert!(outcome.seconds() < 15.0, "{} s", outcome.seconds());
}

/// R520: one kind after the other inside a group, hooks of one wave at the same time; T116, second half.
#[test]
fn r520_jobs_of_one_wave_run_together_and_the_wave_ends_with_the_last() {
    let Some(space) = Space::open("together") else { return };
    let hook = |name: &str, pause: &str| job(name, &format!("sleep {pause}")).hook("PreSync");
    let target = space.write("together", &[hook("long", "10"), hook("short", "1"), hook("next", "0").wave(1)]);
    let outcome = space.sync(&target).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    let born = |name: &str| space.births("apis/batch/v1", "jobs", name)[0];
    assert!(born("long").max(born("short")) < space.job_reached("short", "Complete"));
    assert!(space.job_reached("long", "Complete") < born("next"));
    let waited = outcome.waited();
    assert_eq!(waited[0], "waiting for completion of hook batch/Job/long and 1 more hooks");
    assert!(waited.contains(&"waiting for completion of hook batch/Job/long"), "{waited:?}");
}
