//! Chapter 16.E of the test matrix: syncs without hooks, where the table does not say it.

use super::world::{Fate, World, finished, resource, sync};
use crate::model::{HealthStatus, OperationPhase, Phase, TaskState};

const UNSUCCESSFUL: &str = "one or more synchronization tasks completed unsuccessfully";

fn end(world: &World) -> (OperationPhase, &str) {
    (world.op.phase(), world.op.message())
}

#[test]
fn t65_t66_r615_r617_r642_an_object_that_only_the_view_has_lost_stays_running() {
    let mut world = sync([resource("Service", "a").fate(Fate::Never), resource("ConfigMap", "late").wave(1)]);
    world.settle();
    world.lose("Service/a");
    world.settle();
    assert_eq!(world.calls().last().map(String::as_str), Some("look Service/a"));
    for _ in 0..3 {
        world.run(2);
        assert_eq!(world.results(), ["Sync Service/a Synced Running"], "no decision yet");
    }
}

#[test]
fn r643_one_refused_object_beside_an_applied_one_is_noticed_a_pass_later() {
    let world = finished(sync([resource("ConfigMap", "a"), resource("ConfigMap", "b").fate(Fate::Refused)]));
    assert_eq!(end(&world), (OperationPhase::Failed, format!("{UNSUCCESSFUL}, reason: b refused").as_str()));
    assert_eq!(world.results(), ["Sync ConfigMap/a Synced Succeeded", "Sync ConfigMap/b SyncFailed Failed"]);
    assert_eq!(world.messages()[0], "waiting for healthy state of /ConfigMap/a");
}

#[test]
fn r615_r638_r639_only_healthy_degraded_and_no_rule_end_a_wait_and_what_succeeded_is_not_judged_again() {
    for (fate, expected) in [
        (Fate::Is(HealthStatus::Suspended, "paused"), TaskState::Running),
        (Fate::Is(HealthStatus::Missing, ""), TaskState::Running),
        (Fate::Is(HealthStatus::Unknown, "?"), TaskState::Running),
        (Fate::Unclear("script"), TaskState::Running),
        (Fate::Is(HealthStatus::Progressing, ""), TaskState::Running),
        (Fate::Is(HealthStatus::Healthy, ""), TaskState::Succeeded),
        (Fate::NoRule, TaskState::Succeeded),
        (Fate::Degraded(0), TaskState::Failed),
    ] {
        let later = resource("Deployment", "later").wave(1).fate(Fate::Never);
        let mut world = sync([resource("Deployment", "first").fate(fate.clone()), later, resource("ConfigMap", "last").wave(2)]);
        world.run(3);
        assert_eq!(world.state(Phase::Sync, "Deployment/first"), expected, "{fate:?}");
        if expected == TaskState::Succeeded {
            world.becomes("Deployment/first", Fate::Degraded(0));
            world.run(3);
            assert_eq!(world.state(Phase::Sync, "Deployment/first"), TaskState::Succeeded, "{fate:?}");
            assert_eq!(world.op.phase(), OperationPhase::Running);
        }
    }
}
