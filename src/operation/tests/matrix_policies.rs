//! Chapters 16.H and 16.I of the test matrix: delete policies, finalizers, terminate, where the table does not say it.

use super::world::{Fate, Setup, Spec, World, failed, finished, hook, pod_hook, resource, sync};
use crate::model::{HealthStatus, OperationPhase, Phase, TaskState};
use crate::operation::{Event, Request, Step};

fn end(world: &World) -> (OperationPhase, &str) {
    (world.op.phase(), world.op.message())
}

fn count(world: &World, word: &str) -> usize {
    world.calls().iter().filter(|call| call.starts_with(word)).count()
}

/// One hook of each policy.
fn three(fate: &Fate) -> Vec<Spec> {
    let policies = ["BeforeHookCreation", "HookSucceeded", "HookFailed"];
    let hooks = policies.iter().enumerate();
    hooks.map(|(at, policy)| pod_hook(&format!("hook-{}", at + 1), "Sync").policy(policy).fate(fate.clone())).collect()
}

fn terminate(world: &mut World) {
    world.publish(Event::TerminateRequested { by: "olga".to_owned() });
}

fn that_becomes_a_hook(new: Spec, wave: i64, prune: bool) -> World {
    let specs = vec![new, resource("Deployment", "web"), resource("ConfigMap", "last").wave(2)];
    let candidates = vec![resource("Job", "c").wave(wave).fate(Fate::Healthy(0))];
    let request = Request { prune, ..Request::default() };
    finished(World::new(Setup { specs, candidates, request, ..Setup::default() }))
}

/// The end of an ordinary object, or that it was left alone, says nothing of the hook that it has become.
#[test]
fn r124_r205_an_ordinary_object_that_becomes_a_sync_hook_is_deleted_by_the_hook_and_runs_as_one() {
    for (wave, prune) in [(0, true), (0, false), (-1, true), (-1, false), (1, true), (1, false)] {
        let world = that_becomes_a_hook(hook("c", "Sync").fate(Fate::Healthy(2)), wave, prune);
        assert_eq!(world.op.phase(), OperationPhase::Succeeded, "{wave} {prune}");
        let own: Vec<String> = world.calls().into_iter().filter(|call| call.ends_with("Job/c")).collect();
        assert_eq!(own, ["delete old Job/c", "apply Job/c", "unlock Job/c"], "{wave} {prune}");
        assert_eq!(world.state(Phase::Sync, "Job/c"), TaskState::Succeeded);
    }
}

/// R118: what has become a hook is not pruned any more, be it made anew or taken over.
#[test]
fn r118_r124_an_ordinary_object_that_becomes_a_presync_hook_is_not_pruned_after_it_has_run() {
    for policy in ["BeforeHookCreation", "HookFailed"] {
        let world = that_becomes_a_hook(hook("c", "PreSync").policy(policy).fate(Fate::Healthy(2)), 0, true);
        assert_eq!(world.op.phase(), OperationPhase::Succeeded);
        assert!(!world.calls().contains(&"prune Job/c".to_owned()), "{policy}: {:?}", world.calls());
        assert!(world.left().contains(&"Job/c".to_owned()), "{policy}");
    }
}

/// The prune is gone before its turn and leaves no result; it does not come back after a later phase that has made the hook.
#[test]
fn r124_what_was_to_be_pruned_and_was_made_anew_as_a_hook_has_no_prune_any_more() {
    let world = that_becomes_a_hook(hook("c", "PreSync").fate(Fate::Healthy(2)), 0, true);
    assert_eq!(world.op.results().iter().filter(|result| *result.task.key.name == *"c").count(), 1, "{:?}", world.results());
    let hooks = vec![hook("c", "PostSync"), resource("ConfigMap", "a")];
    let request = Request { prune: true, ..Request::default() };
    let candidates = vec![resource("Job", "c").wave(1)];
    let mut world = World::new(Setup { specs: hooks, candidates, request, ..Setup::default() });
    world.take_away("Job/c");
    let world = finished(world);
    assert_eq!(world.results(), ["Sync ConfigMap/a Synced Succeeded", "PostSync Job/c Synced Succeeded"]);
    let left: Vec<String> = world.op.not_run().into_iter().map(|left| left.reason).collect();
    assert_eq!(left, ["the object is gone already"]);
}

#[test]
fn r206_r522_a_deletion_that_is_refused_fails_the_group_although_another_one_is_on_its_way() {
    let specs = vec![hook("a", "PreSync"), hook("b", "PreSync"), hook("new", "PreSync")];
    let mut world = World::new(Setup { specs: specs.clone(), leftovers: specs[..2].to_vec(), ..Setup::default() });
    world.faults.push(|task, step| (matches!(step, Step::DeleteOldHook { .. }) && *task.key.name == *"b").then(|| failed("no")));
    let world = finished(world);
    assert_eq!(count(&world, "apply"), 0);
    assert_eq!(world.op.phase(), OperationPhase::Failed);
    assert_eq!(world.op.results()[0].message, "failed to delete resource: no");
    assert_eq!(world.state(Phase::PreSync, "Job/b"), TaskState::Error);
}

#[test]
fn r216_whatever_its_policy_an_old_hook_loses_the_finalizer_and_a_failure_ends_the_group() {
    let leftovers = three(&Fate::Healthy(0));
    let mut world = World::new(Setup { specs: leftovers.clone(), leftovers: leftovers.clone(), ..Setup::default() });
    ["Pod/hook-1", "Pod/hook-2", "Pod/hook-3"].iter().for_each(|short| world.lock(short));
    world.settle();
    assert_eq!((count(&world, "unlock old"), count(&world, "delete old")), (3, 1));
    let mut world = World::new(Setup { specs: leftovers.clone(), leftovers, ..Setup::default() });
    world.lock("Pod/hook-2");
    world.finalizers_stick = true;
    let world = finished(world);
    assert_eq!(world.calls(), ["unlock old Pod/hook-2", "delete Pod/hook-3"], "HookFailed deletes what was not reached, too");
    assert_eq!(world.op.results()[0].message, "failed to remove hook finalizer: denied by a webhook");
    assert_eq!(world.op.phase(), OperationPhase::Failed);
}

/// R210: what was never reached, but is there from an earlier sync, goes as well.
#[test]
fn r210_leftovers_of_hooks_that_were_not_reached_go_by_their_policy() {
    let late = hook("late", "PostSync").policy("HookFailed");
    let specs = vec![hook("bad", "PreSync").fate(Fate::Degraded(0)), late.clone()];
    let mut world = finished(World::new(Setup { specs, leftovers: vec![late], ..Setup::default() }));
    world.tick();
    assert!(world.live("Job/late").is_none());
}

/// Also when a hook goes with its own success (decision 9), in the middle of the operation.
#[test]
fn t126_r212_an_early_deletion_that_is_refused_does_not_fail_the_operation() {
    let specs = vec![
        hook("h", "PreSync").policy("HookSucceeded"),
        resource("Deployment", "d"),
        hook("last", "PostSync").policy("HookSucceeded"),
        hook("alert", "SyncFail"),
    ];
    let request = Request { delete_succeeded_hooks_early: true, ..Request::default() };
    let mut world = World::new(Setup { specs, request, ..Setup::default() });
    world.faults.push(|_, step| matches!(step, Step::DeleteHook { .. }).then(|| failed("no")));
    let world = finished(world);
    assert_eq!((world.op.phase(), count(&world, "apply Job/alert")), (OperationPhase::Succeeded, 0), "{:?}", world.calls());
    assert_eq!((world.state(Phase::PreSync, "Job/h"), world.state(Phase::PostSync, "Job/last")), (TaskState::Error, TaskState::Error));
    assert_eq!((count(&world, "delete Job/h"), count(&world, "delete Job/last")), (1, 1), "one call each");
}

#[test]
fn t130_r603_r905_r906_r909_every_running_hook_is_ended_whatever_its_policy_and_nothing_is_waited_for() {
    let mut world = sync(three(&Fate::Never).into_iter().chain([resource("Pod", "my-pod")]));
    world.run(2);
    let now = world.now;
    terminate(&mut world);
    assert_eq!(world.op.phase(), OperationPhase::Terminating);
    let world = finished(world);
    assert_eq!(end(&world), (OperationPhase::Failed, "Operation terminated"));
    assert_eq!(world.op.finished_at(), Some(now));
    let hooks = world.op.results().iter().filter(|result| result.task.key.name.starts_with("hook-"));
    assert!(hooks.clone().all(|result| (result.state, result.message.as_str()) == (TaskState::Failed, "Terminated")));
    assert_eq!(hooks.count(), 3);
    assert_eq!((count(&world, "unlock running"), count(&world, "delete running")), (3, 3));
    assert_eq!(world.state(Phase::Sync, "Pod/my-pod"), TaskState::Succeeded);
    assert!(world.live("Pod/my-pod").unwrap().deletion.is_none());
    assert!(world.live("Pod/hook-1").unwrap().deletion.is_some(), "still on its way");
}

#[test]
fn r903_a_finalizer_of_a_completed_hook_that_cannot_be_removed_makes_the_end_of_a_terminate_an_error() {
    for is_refused in [true, false] {
        let mut world = sync([pod_hook("a", "Sync").fate(Fate::Healthy(0)), pod_hook("endless", "Sync").fate(Fate::Never)]);
        world.run(2);
        world.faults.push(|_, step| matches!(step, Step::RemoveFinalizer { .. }).then(|| failed("update failed")));
        terminate(&mut world);
        world.decide();
        if !is_refused {
            world.faults.clear();
        }
        let world = finished(world);
        let expected = if is_refused {
            (OperationPhase::Error, "Operation termination had errors")
        } else {
            (OperationPhase::Failed, "Operation terminated")
        };
        assert_eq!(end(&world), expected);
        assert_eq!(count(&world, "unlock Pod/a"), 1, "it is not tried for ever");
    }
}

#[test]
fn t134_r905_a_running_hook_that_is_gone_counts_as_terminated() {
    let mut world = sync([hook("h", "PreSync").fate(Fate::Vanishes(1))]);
    world.settle();
    world.tick();
    terminate(&mut world);
    let world = finished(world);
    assert_eq!(end(&world), (OperationPhase::Failed, "Operation terminated"));
    assert_eq!(world.results(), ["PreSync Job/h Synced Succeeded"]);
    assert_eq!(world.op.results()[0].message, "Terminated");
}

#[test]
fn r905_a_hook_that_has_ended_unseen_keeps_its_outcome_and_a_failed_one_goes_by_its_policy() {
    let healthy = Fate::Is(HealthStatus::Healthy, "all migrated");
    let mut world = sync(three(&Fate::Never));
    world.settle();
    for name in ["Pod/hook-1", "Pod/hook-2", "Pod/hook-3"] {
        world.becomes(name, healthy.clone());
    }
    world.tick();
    terminate(&mut world);
    let world = finished(world);
    assert!(world.op.results().iter().all(|result| (result.state, result.message.as_str()) == (TaskState::Succeeded, "all migrated")));
    assert_eq!((count(&world, "unlock"), count(&world, "delete")), (3, 1));
    assert_eq!(end(&world), (OperationPhase::Failed, "Operation terminated"));
}

#[test]
fn r220_r1502_a_leftover_that_goes_by_its_policy_loses_its_finalizer_first_and_does_not_hang() {
    let left = || hook("late", "PostSync").policy("HookFailed");
    let specs = vec![hook("pre", "PreSync").fate(Fate::Degraded(1)), left()];
    let mut world = World::new(Setup { specs, leftovers: vec![left()], ..Setup::default() });
    world.lock("Job/late");
    let mut world = finished(world);
    assert_eq!(world.calls()[2..], ["unlock left Job/late", "delete Job/late"]);
    world.tick();
    assert_eq!(world.left(), ["Job/pre"]);
}
