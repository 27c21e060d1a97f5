//! Chapter 16.E of the test matrix: syncs without hooks.

use super::world::{Fate, Setup, World, failed, finished, resource, sync};
use crate::model::{HealthStatus, OperationPhase, Phase, TaskState};
use crate::operation::{Request, Step, StepOutcome};

const UNSUCCESSFUL: &str = "one or more synchronization tasks completed unsuccessfully";

fn pruning(specs: Vec<super::world::Spec>, candidates: Vec<super::world::Spec>) -> World {
    World::new(Setup { specs, candidates, request: Request { prune: true, ..Request::default() }, ..Setup::default() })
}

fn end(world: &World) -> (OperationPhase, &str) {
    (world.op.phase(), world.op.message())
}

#[test]
fn t55_r626_two_new_objects_in_one_step() {
    let world = finished(sync([resource("Pod", "p"), resource("Service", "s")]));
    assert_eq!(end(&world), (OperationPhase::Succeeded, "successfully synced (all tasks run)"));
    assert_eq!(world.results(), ["Sync Service/s Synced Running", "Sync Pod/p Synced Running"]);
}

#[test]
fn t57_r504_r602_only_prunes_go_in_the_order_of_kinds_and_are_done_at_once() {
    let world = finished(pruning(vec![], vec![resource("Pod", "p"), resource("Service", "s")]));
    assert_eq!(end(&world), (OperationPhase::Succeeded, "successfully synced (all tasks run)"));
    assert_eq!(world.results(), ["Sync Service/s Pruned Succeeded", "Sync Pod/p Pruned Succeeded"]);
    assert!(world.op.results().iter().all(|result| result.message == "pruned"));
}

#[test]
fn t59_r626_r628_a_refused_object_is_the_only_result_and_the_reason() {
    let mut world = sync([resource("Service", "s")]);
    world.faults.push(|_, step| (*step == Step::Apply).then(|| failed("foo")));
    let world = finished(world);
    assert_eq!(end(&world), (OperationPhase::Failed, "one or more objects failed to apply, reason: foo"));
    assert_eq!(world.results(), ["Sync Service/s SyncFailed Failed"]);
    assert_eq!(world.op.results()[0].message, "foo");
}

#[test]
fn t60_r622_nothing_to_sync_has_no_results() {
    let world = finished(sync([]));
    assert_eq!(end(&world), (OperationPhase::Succeeded, "successfully synced (no more tasks)"));
    assert!(world.op.results().is_empty() && world.calls().is_empty());
}

#[test]
fn t61_r601_r616_r618_the_second_wave_comes_when_the_first_is_healthy() {
    let mut world = sync([resource("Service", "my-service"), resource("Service", "other").wave(5)]);
    world.settle();
    assert_eq!(end(&world), (OperationPhase::Running, "waiting for healthy state of /Service/my-service"));
    assert_eq!(world.results(), ["Sync Service/my-service Synced Running"]);
    let world = finished(world);
    assert_eq!(end(&world), (OperationPhase::Succeeded, "successfully synced (all tasks run)"));
    assert_eq!(world.results(), ["Sync Service/my-service Synced Succeeded", "Sync Service/other Synced Running"]);
}

#[test]
fn t26_t62_r604_r1511_one_group_is_one_step_whatever_its_health_and_its_wave() {
    for fate in [Fate::Never, Fate::Degraded(0)] {
        let world = finished(sync([resource("Deployment", "web").wave(-1).fate(fate), resource("ConfigMap", "c").wave(-1)]));
        assert_eq!(end(&world), (OperationPhase::Succeeded, "successfully synced (all tasks run)"));
    }
    let mut world = sync([super::world::hook("pre", "PreSync").wave(-1), super::world::hook("post", "PostSync").wave(1)]);
    world.settle();
    assert_eq!(end(&world), (OperationPhase::Running, "waiting for completion of hook batch/Job/pre"));
}

#[test]
fn t63_r630_r636_a_degraded_first_wave_ends_it_and_nothing_is_undone() {
    let specs = |fate| [resource("ConfigMap", "cm-1").fate(fate), resource("ConfigMap", "cm-2").wave(1).fate(Fate::Healthy(0))];
    let world = finished(sync(specs(Fate::Is(HealthStatus::Degraded, "no"))));
    assert_eq!(end(&world), (OperationPhase::Failed, UNSUCCESSFUL));
    assert_eq!(world.results(), ["Sync ConfigMap/cm-1 Synced Failed"]);
    assert_eq!(world.left(), ["ConfigMap/cm-1"]);
    let world = finished(sync(specs(Fate::Healthy(0))));
    assert_eq!(world.results(), ["Sync ConfigMap/cm-1 Synced Succeeded", "Sync ConfigMap/cm-2 Synced Running"]);
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
fn t67_r633_r635_a_prune_that_is_refused_fails_its_group_before_anything_is_applied() {
    let mut world = pruning(vec![resource("ConfigMap", "keep")], vec![resource("Service", "old")]);
    world.faults.push(|_, step| matches!(step, Step::Prune { .. }).then(|| failed("foo")));
    let world = finished(world);
    assert_eq!(end(&world), (OperationPhase::Failed, "one or more objects failed to apply, reason: foo"));
    assert_eq!(world.results(), ["Sync Service/old SyncFailed Failed"]);
    assert_eq!(world.calls(), ["prune Service/old"]);
}

#[test]
fn t68_r1517_what_is_gone_before_its_prune_counts_as_pruned() {
    let mut world = pruning(vec![], vec![resource("Service", "old")]);
    world.faults.push(|_, step| matches!(step, Step::Prune { .. }).then_some(StepOutcome::Gone));
    let world = finished(world);
    assert_eq!(end(&world), (OperationPhase::Succeeded, "successfully synced (all tasks run)"));
    assert_eq!(world.results(), ["Sync Service/old Pruned Succeeded"]);
}

#[test]
fn t77_r508_r619_what_is_already_going_is_not_deleted_again_and_the_next_group_waits_for_it() {
    let mut world = pruning(vec![resource("ConfigMap", "keep").wave(1)], vec![resource("ConfigMap", "old")]);
    world.lock("ConfigMap/old");
    world.remove("ConfigMap", "old");
    world.run(3);
    assert_eq!(end(&world), (OperationPhase::Running, "waiting for deletion of /ConfigMap/old"));
    assert_eq!(world.results(), ["Sync ConfigMap/old Pruned Succeeded"]);
    assert!(world.calls().is_empty(), "{:?}", world.calls());
    world.unlock_by_hand("ConfigMap/old");
    let world = finished(world);
    assert_eq!(world.calls(), ["apply ConfigMap/keep"]);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
}

#[test]
fn t58_r631_without_prune_nothing_is_deleted() {
    let world = finished(World::new(Setup { candidates: vec![resource("Service", "old")], ..Setup::default() }));
    assert_eq!(end(&world), (OperationPhase::Succeeded, "successfully synced (all tasks run)"));
    assert_eq!(world.results(), ["Sync Service/old PruneSkipped Succeeded"]);
    assert_eq!(world.op.results()[0].message, "ignored (requires pruning)");
    assert!(world.calls().is_empty());
}

#[test]
fn t83_r730_without_a_comparison_everything_is_applied() {
    let options = crate::model::Options::new(["ApplyOutOfSyncOnly=true".to_owned()]);
    let request = Request { prune: true, options, ..Request::default() };
    let specs = vec![resource("ConfigMap", "new"), resource("ConfigMap", "same")];
    let leftovers = vec![resource("ConfigMap", "same")];
    let world =
        finished(World::new(Setup { specs, leftovers, candidates: vec![resource("ConfigMap", "old")], request, ..Setup::default() }));
    assert_eq!(
        world.results(),
        ["Sync ConfigMap/old Pruned Succeeded", "Sync ConfigMap/new Synced Running", "Sync ConfigMap/same Synced Running"]
    );
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

/// R507 R520 R522: a prune and an apply of one wave are one group, the prune first, whatever the kinds are.
#[test]
fn t191_r418_r507_a_group_is_waited_for_with_its_prunes() {
    let mut world = pruning(
        vec![resource("ConfigMap", "c").fate(Fate::Never), resource("ConfigMap", "late").wave(1)],
        vec![resource("ConfigMap", "x"), resource("Pod", "y")],
    );
    world.settle();
    assert_eq!(world.calls(), ["prune ConfigMap/x", "prune Pod/y", "apply ConfigMap/c"]);
    assert_eq!(world.messages()[0], "waiting for healthy state of /ConfigMap/c and 2 more resources");
    let mut world = pruning(vec![resource("ConfigMap", "late").wave(1)], vec![resource("ConfigMap", "x"), resource("ConfigMap", "y")]);
    world.settle();
    assert_eq!(world.messages()[0], "waiting for healthy state of /ConfigMap/x and 1 more resources");
}

#[test]
fn t105_r518_r519_the_pause_follows_groups_that_are_not_the_last_and_never_a_wait() {
    let request = Request { wave_delay: std::time::Duration::from_secs(10), ..Request::default() };
    let specs = vec![
        resource("Pod", "a").wave(-1).fate(Fate::Healthy(4)),
        resource("Pod", "b").fate(Fate::Healthy(0)),
        super::world::hook("post", "PostSync").fate(Fate::Healthy(2)),
    ];
    let mut world = World::new(Setup { specs, request, ..Setup::default() });
    let start = world.now;
    let mut sent = Vec::new();
    while world.op.finished_at().is_none() {
        let before = world.calls().len();
        world.settle();
        let seconds = world.now.duration_since(start).as_secs();
        sent.extend(world.calls()[before..].iter().filter(|call| call.starts_with("apply")).map(|call| (seconds, call.clone())));
        world.tick();
    }
    let sent: Vec<(i64, &str)> = sent.iter().map(|(at, call)| (*at, call.as_str())).collect();
    assert_eq!(sent, [(0, "apply Pod/a"), (10, "apply Pod/b"), (20, "apply Job/post")], "the wait of 4 s is within the pause");
    assert_eq!(world.op.finished_at().unwrap().duration_since(start).as_secs(), 22, "no pause after the last group");
}
