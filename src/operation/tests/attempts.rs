//! Retries: what a new attempt repeats, what it keeps, and how often it comes.

use std::time::Duration;

use super::world::{Fate, Setup, Spec, World, failed, hook, resource};
use crate::model::{Gvk, KindFact, Kinds, OperationPhase, Phase, TaskState};
use crate::operation::{Event, Request, Retry, Step};

fn retrying(limit: u32, specs: Vec<Spec>) -> World {
    let retry = Retry { limit: Some(limit), duration: Duration::from_secs(2), factor: 2, ..Retry::default() };
    World::new(Setup { specs, request: Request { retry, ..Request::default() }, ..Setup::default() })
}

fn finished(mut world: World) -> World {
    world.run(300);
    assert!(world.op.finished_at().is_some(), "still {:?}: {}", world.op.phase(), world.op.message());
    world
}

fn scheduled(world: &World) -> Vec<(u32, i64, String)> {
    let pause = |record: &crate::operation::Record| match &record.event {
        Event::RetryScheduled { attempt, at, message } => Some((*attempt, at.duration_since(record.at).as_secs(), message.clone())),
        _ => None,
    };
    world.history.iter().filter_map(pause).collect()
}

const FAILURE: &str = "one or more synchronization tasks completed unsuccessfully";

/// T139: a failure with attempts left is no end.
#[test]
fn r1004_r1006_r1522_a_retry_is_announced_for_when_it_happens_and_pauses_grow() {
    let world = finished(retrying(3, vec![hook("migrate", "PreSync").fate(Fate::Degraded(0))]));
    let pauses = scheduled(&world);
    assert_eq!(pauses.iter().map(|(attempt, seconds, _)| (*attempt, *seconds)).collect::<Vec<_>>(), [(2, 2), (3, 4), (4, 8)]);
    assert_eq!(pauses[0].2, format!("{FAILURE}. Retrying attempt #1 at 12:00PM."));
    let starts = |record: &crate::operation::Record| match &record.event {
        Event::AttemptStarted { .. } => Some(record.at),
        _ => None,
    };
    let first = world.history.iter().find_map(starts).unwrap();
    let announced = world.history.iter().find_map(|record| match &record.event {
        Event::RetryScheduled { at, .. } => Some(*at),
        _ => None,
    });
    assert_eq!(Some(first), announced);
}

#[test]
fn r1007_r1011_a_retry_that_works_ends_with_the_plain_words_of_success() {
    let mut world = retrying(5, vec![hook("migrate", "PreSync").fate(Fate::Degraded(1)), resource("ConfigMap", "c")]);
    world.run(2);
    assert!(world.op.respite().is_some(), "{}", world.op.message());
    assert!(world.op.wake_at(world.now).is_some());
    world.set_fate("Job/migrate", &Fate::Healthy(1));
    let world = finished(world);
    assert_eq!((world.op.phase(), world.op.message()), (OperationPhase::Succeeded, "successfully synced (all tasks run)"));
    assert_eq!(world.op.attempt(), 2);
}

#[test]
fn a_retry_keeps_the_results_times_and_messages_of_every_earlier_attempt() {
    let world = finished(retrying(2, vec![hook("migrate", "PreSync").fate(Fate::Degraded(1)), hook("alert", "SyncFail")]));
    let attempts = world.op.attempts();
    assert_eq!(attempts.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), [1, 2]);
    for attempt in attempts {
        assert_eq!(attempt.message, FAILURE);
        let states: Vec<TaskState> = attempt.results.iter().map(|result| result.state).collect();
        assert_eq!(states, [TaskState::Failed, TaskState::Succeeded], "r1012: SyncFail hooks run in every attempt");
        assert!(attempt.started_at < attempt.finished_at && !attempt.phases.is_empty());
    }
    assert!(attempts[0].finished_at < attempts[1].started_at);
    assert_eq!(world.op.results().len(), 2, "the last attempt has results of its own");
}

#[test]
fn r908_a_terminate_between_two_attempts_ends_the_operation_at_once_and_keeps_the_results() {
    let mut world = retrying(10, vec![hook("migrate", "PreSync").fate(Fate::Degraded(1))]);
    world.run(3);
    assert!(world.op.respite().is_some());
    world.publish(Event::TerminateRequested { by: "test".to_owned() });
    world.decide();
    assert_eq!((world.op.phase(), world.op.message()), (OperationPhase::Failed, "Operation terminated (retried 1 times)."));
    assert_eq!(world.results(), ["PreSync Job/migrate Synced Failed"]);
}

#[test]
fn r1008_hooks_that_only_go_with_success_are_not_run_again_by_a_retry() {
    let specs = vec![hook("seed", "PreSync").policy("HookSucceeded"), hook("migrate", "PreSync").wave(1).fate(Fate::Degraded(1))];
    let world = finished(retrying(1, specs));
    let calls: Vec<String> = world.calls().into_iter().filter(|call| call.ends_with("seed")).collect();
    assert_eq!(calls, ["apply Job/seed", "unlock Job/seed", "apply Job/seed", "unlock Job/seed"], "never deleted, so never run again");
}

/// The check holds in every pass, and also while its answer is out.
#[test]
fn r608_a_retry_of_an_invalid_sync_begins_nothing_before_it_is_known_whether_its_kinds_are_served() {
    for is_served in [true, false] {
        let mut kinds = Kinds::default();
        kinds.insert(&Gvk::new("example.com/v1", "NetworkPolicy"), KindFact::NotFound("none".to_owned()));
        let specs = vec![hook("pre", "PreSync"), resource("NetworkPolicy", "n")];
        let request = Request { retry: Retry { limit: Some(1), ..Retry::default() }, ..Request::default() };
        let mut world = World::new(Setup { specs, kinds, request, ..Setup::default() });
        if !is_served {
            world.faults.push(|_, step| (*step == Step::Discover).then(|| failed("none")));
        }
        while world.op.attempt() == 1 {
            world.tick();
            world.decide();
        }
        world.decide();
        assert_eq!((world.calls(), world.queue.len()), (vec!["discover NetworkPolicy/n".to_owned()], 1));
        let world = finished(world);
        assert_eq!(world.calls().contains(&"apply Job/pre".to_owned()), is_served, "{:?}", world.calls());
        assert_eq!(world.op.phase(), if is_served { OperationPhase::Succeeded } else { OperationPhase::Failed });
    }
}

/// The pause after the first of two attempts: `pre` has succeeded, and a webhook has kept the finalizer of `smoke`; it is repaired now.
fn smoke_is_locked(smoke: Spec) -> World {
    let mut world = retrying(1, vec![hook("pre", "PreSync"), smoke]);
    world
        .faults
        .push(|task, step| (*task.key.name == *"smoke" && matches!(step, Step::RemoveFinalizer { .. })).then(|| failed("webhook is down")));
    while world.op.respite().is_none() {
        world.settle();
        world.tick();
    }
    assert_eq!(world.locked(), ["Job/smoke"]);
    world.faults.clear();
    world
}

#[test]
fn r216_r1502_a_finalizer_that_an_earlier_attempt_has_left_goes_when_the_hook_is_not_reached_again() {
    for policy in ["BeforeHookCreation", "HookFailed"] {
        let mut world = smoke_is_locked(hook("smoke", "PostSync").policy(policy));
        world.set_fate("Job/pre", &Fate::Degraded(1));
        let world = finished(world);
        assert_eq!((world.op.phase(), world.op.attempt()), (OperationPhase::Failed, 2));
        assert!(world.locked().is_empty(), "{policy}: {:?}", world.calls());
        assert_eq!(world.calls().last().unwrap(), "unlock Job/smoke");
        assert_eq!(world.state(Phase::PostSync, "Job/smoke"), TaskState::Pending, "it did not run in this attempt");
    }
}

#[test]
fn r903_r1502_a_terminate_takes_the_finalizer_that_an_earlier_attempt_has_left() {
    let mut world = smoke_is_locked(hook("smoke", "PostSync"));
    world.set_fate("Job/pre", &Fate::Never);
    world.run(8);
    assert_eq!((world.op.attempt(), world.op.phase()), (2, OperationPhase::Running));
    world.publish(Event::TerminateRequested { by: "test".to_owned() });
    let world = finished(world);
    assert_eq!(world.op.message(), "Operation terminated (retried 1 times).");
    assert!(world.locked().is_empty(), "{:?}", world.calls());
}

#[test]
fn r1502_a_finalizer_that_an_earlier_attempt_has_left_and_that_stays_is_tried_once_and_told() {
    let mut world = smoke_is_locked(hook("smoke", "PostSync"));
    world.finalizers_stick = true;
    world.set_fate("Job/pre", &Fate::Degraded(1));
    world.lose("Job/smoke");
    let world = finished(world);
    let last: Vec<String> = world.calls().into_iter().rev().take(2).collect();
    assert_eq!(last, ["unlock Job/smoke", "look Job/smoke"], "what the view has lost is asked for: {:?}", world.calls());
    let told = world.op.results().iter().find(|result| *result.task.key.name == *"smoke").unwrap();
    assert_eq!((told.state, &*told.message), (TaskState::Error, "Failed to remove hook finalizer: denied by a webhook"));
}
