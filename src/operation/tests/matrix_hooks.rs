//! Chapter 16.G of the test matrix: hooks run and are waited for, where the table does not say it.

use std::time::Duration;

use super::world::{Fate, Setup, World, finished, hook, pod_hook, resource, sync};
use crate::model::{HealthStatus, OperationPhase, Phase, TaskState};
use crate::operation::messages::{Wait, waiting};
use crate::operation::{Event, Limits, Request, Step, StepOutcome};

const UNSUCCESSFUL: &str = "one or more synchronization tasks completed unsuccessfully";
const EXIT_1: Fate = Fate::Is(HealthStatus::Degraded, "container \"main\" failed with exit code 1");

fn end(world: &World) -> (OperationPhase, &str) {
    (world.op.phase(), world.op.message())
}

/// Decision 4: a view that was wrong once is believed again.
#[test]
fn decision_4_r205_r631_what_the_view_has_lost_and_found_again_is_deleted_and_pruned_as_if_it_had_never_been_away() {
    let specs = vec![hook("first", "PreSync").wave(-1).fate(Fate::Healthy(3)), hook("old", "PreSync").fate(Fate::Healthy(3))];
    let request = Request { prune: true, ..Request::default() };
    let setup = Setup {
        specs: specs.clone(),
        leftovers: specs[1..].to_vec(),
        candidates: vec![resource("ConfigMap", "gone")],
        request,
        ..Setup::default()
    };
    let mut world = World::new(setup);
    world.settle();
    for short in ["Job/old", "ConfigMap/gone"] {
        world.lose(short);
        world.find(short);
    }
    let world = finished(world);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
    for call in ["delete old Job/old", "prune ConfigMap/gone"] {
        assert!(world.calls().contains(&call.to_owned()), "{call}: {:?}", world.calls());
    }
    assert!(world.op.not_run().is_empty());
}

/// The answer to its creation knows of the finalizer, the news of the time before do not.
#[test]
fn decision_4_r1502_what_comes_back_older_than_it_was_known_does_not_come_back() {
    let old = hook("old", "PreSync").policy("HookFailed").fate(Fate::Healthy(0));
    let mut world = World::new(Setup { specs: vec![old.clone()], leftovers: vec![old], ..Setup::default() });
    let before = world.live("Job/old").unwrap().clone();
    world.decide();
    world.answer(0);
    let key = world.op.plan().tasks[0].id.key.clone();
    world.lose("Job/old");
    world.publish(Event::LiveObserved { key, live: Box::new(before) });
    let world = finished(world);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
    assert!(world.locked().is_empty(), "{:?}", world.calls());
}

/// An answer has no place in the order of the news, so it brings nothing back.
/// News that were on their way before its deletion come after the answer that it is gone.
#[test]
fn decision_4_what_was_in_deletion_and_is_gone_is_not_brought_back_by_what_it_was_before() {
    let mut world = sync([resource("ConfigMap", "a"), hook("slow", "PostSync").fate(Fate::Never)]);
    world.run(2);
    let before = world.live("ConfigMap/a").unwrap().clone();
    let key = world.op.results()[0].task.key.clone();
    world.remove("ConfigMap", "a");
    world.tick();
    assert!(world.op.live(&key).is_none());
    world.publish(Event::LiveObserved { key: key.clone(), live: Box::new(before) });
    assert!(world.op.live(&key).is_none());
}

#[test]
fn decision_4_an_answer_that_comes_after_the_news_that_its_object_is_gone_brings_it_not_back() {
    let mut world = sync([hook("pre", "PreSync").fate(Fate::Healthy(9))]);
    world.decide();
    let (task, step) = world.queue[0].clone();
    world.answer(0);
    let answer = world.live("Job/pre").unwrap().clone();
    world.take_away("Job/pre");
    let outcome = StepOutcome::Done { message: String::new(), live: Some(Box::new(answer)) };
    world.publish(Event::StepStarted { task: task.clone(), step: step.clone() });
    world.publish(Event::StepFinished { task: task.clone(), step, outcome });
    assert!(world.op.live(&task.key).is_none());
}

#[test]
fn t102_r417_r418_what_is_said_while_waiting() {
    let world = sync([
        resource("Pod", "my-pod"),
        resource("Pod", "my-pod-2"),
        resource("Pod", "my-pod-3"),
        pod_hook("hook-1", "Sync"),
        pod_hook("hook-2", "Sync"),
    ]);
    let task = |name: &str| world.op.plan().tasks.iter().find(|task| *task.id.key.name == *name).unwrap();
    for (wait, names, expected) in [
        (Wait::Completion, &[][..], ""),
        (Wait::Completion, &["my-pod"], "waiting for healthy state of /Pod/my-pod"),
        (Wait::Completion, &["my-pod", "my-pod-2", "my-pod-3"], "waiting for healthy state of /Pod/my-pod and 2 more resources"),
        (Wait::Completion, &["hook-1"], "waiting for completion of hook /Pod/hook-1"),
        (Wait::Completion, &["hook-1", "hook-2"], "waiting for completion of hook /Pod/hook-1 and 1 more hooks"),
        (Wait::Completion, &["my-pod", "hook-1", "my-pod-2"], "waiting for completion of hook /Pod/hook-1 and 2 more resources"),
        (Wait::Deletion, &["my-pod"], "waiting for deletion of /Pod/my-pod"),
        (Wait::Deletion, &["my-pod", "my-pod-2", "my-pod-3"], "waiting for deletion of /Pod/my-pod and 2 more resources"),
        (Wait::Deletion, &["hook-1"], "waiting for deletion of hook /Pod/hook-1"),
        (Wait::Deletion, &["hook-1", "hook-2"], "waiting for deletion of hook /Pod/hook-1 and 1 more hooks"),
        (Wait::Deletion, &["my-pod", "hook-1", "my-pod-2"], "waiting for deletion of hook /Pod/hook-1 and 2 more resources"),
        (Wait::Confirmation, &["my-pod", "my-pod-2"], "waiting for pruning confirmation of /Pod/my-pod and 1 more resources"),
    ] {
        assert_eq!(waiting(wait, &names.iter().map(|name| task(name)).collect::<Vec<_>>()), expected);
    }
}

/// Whether an earlier sync has left it, or an earlier phase of this one.
#[test]
fn r209_r409_r1503_an_old_syncfail_hook_that_goes_by_its_policy_is_gone_before_the_new_one_comes() {
    for (phases, is_locked) in [("SyncFail", false), ("SyncFail", true), ("PreSync,SyncFail", false)] {
        let alert = hook("alert", phases).policy("HookFailed");
        let specs = vec![alert.clone(), resource("Deployment", "d").fate(Fate::Degraded(1)), resource("ConfigMap", "late").wave(1)];
        let mut world = World::new(Setup { specs, leftovers: vec![alert], ..Setup::default() });
        if is_locked {
            world.lock("Job/alert");
        }
        let deletes =
            |world: &World| world.queue.iter().any(|(task, step)| *task.key.name == *"alert" && matches!(step, Step::DeleteHook { .. }));
        while !deletes(&world) {
            world.decide();
            if world.queue.is_empty() {
                world.tick();
            } else if !deletes(&world) {
                world.answer(0);
            }
        }
        let (old, before) = (world.live("Job/alert").unwrap().uid.clone(), world.calls().len());
        for _ in 0..3 {
            world.tick();
            world.decide();
        }
        assert!(!world.calls()[before..].contains(&"apply Job/alert".to_owned()), "{:?}", world.calls());
        assert_eq!(world.op.message(), "waiting for completion of hook batch/Job/alert");
        world.settle();
        world.tick();
        world.settle();
        assert_eq!(world.calls().last().unwrap(), "apply Job/alert");
        assert!(world.live("Job/alert").unwrap().uid != old, "the alarm is raised");
        let world = finished(world);
        assert_eq!((world.op.phase(), world.state(Phase::SyncFail, "Job/alert")), (OperationPhase::Failed, TaskState::Succeeded));
    }
}

/// Nothing of the call is created before the old ones are gone.
#[test]
fn r206_r406_syncfail_hooks_start_together_also_when_the_old_object_of_one_does_not_go() {
    for is_deleted in [false, true] {
        let specs = vec![resource("ConfigMap", "c").fate(Fate::Refused), hook("b", "SyncFail"), hook("stuck", "SyncFail").wave(1)];
        let leftovers = vec![hook("stuck", "SyncFail")];
        let mut world = World::new(Setup { specs, leftovers, ..Setup::default() });
        world.hold("Job/stuck", "example.com/backup");
        if is_deleted {
            world.remove("Job", "stuck");
        }
        world.run(100);
        assert!(!world.calls().contains(&"apply Job/b".to_owned()), "{:?}", world.calls());
        assert_eq!(world.op.message(), "waiting for completion of hook batch/Job/stuck and 1 more hooks");
        let verdict = world.op.verdict(world.now).text;
        assert!(verdict.contains("Job/stuck and 1 more: in deletion, held by example.com/backup"), "{verdict}");
        world.unlock_by_hand("Job/stuck");
        let world = finished(world);
        assert_eq!(world.results()[1..], ["SyncFail Job/b Synced Succeeded", "SyncFail Job/stuck Synced Succeeded"]);
    }
}

#[test]
fn r406_r905_r1513_what_waits_for_an_old_syncfail_hook_ends_by_a_terminate_or_by_a_limit() {
    for is_limited in [false, true] {
        let specs = vec![resource("ConfigMap", "c").fate(Fate::Refused), hook("b", "SyncFail"), hook("stuck", "SyncFail")];
        let phase = is_limited.then(|| Duration::from_secs(20));
        let request = Request { limits: Limits { phase, ..Limits::default() }, ..Request::default() };
        let mut world = World::new(Setup { specs, leftovers: vec![hook("stuck", "SyncFail")], request, ..Setup::default() });
        world.hold("Job/stuck", "example.com/backup");
        world.run(15);
        if !is_limited {
            world.publish(Event::TerminateRequested { by: "olga".to_owned() });
        }
        let world = finished(world);
        assert_eq!(world.op.phase(), OperationPhase::Failed);
        assert!(!world.calls().contains(&"apply Job/b".to_owned()), "{:?}", world.calls());
        let said = [Phase::SyncFail].map(|phase| (world.state(phase, "Job/b"), world.state(phase, "Job/stuck")))[0];
        let state = if is_limited { TaskState::Error } else { TaskState::Pending };
        assert_eq!(said, (state, state));
    }
}

/// Argo CD deletes by HookFailed only when a pass finds the failure. A refused group starts its SyncFail hooks at once, and an old one
/// without BeforeHookCreation is applied over and counts by its old end, as any other hook (spec R308).
#[test]
fn r209_r308_r626_a_refused_group_applies_an_old_syncfail_hook_over_and_deletes_it_when_it_is_over() {
    let alert = hook("alert", "SyncFail").policy("HookFailed");
    let specs = vec![resource("ConfigMap", "c").fate(Fate::Refused), alert.clone()];
    let world = finished(World::new(Setup { specs, leftovers: vec![alert], ..Setup::default() }));
    assert_eq!(world.calls(), ["apply ConfigMap/c", "apply Job/alert", "unlock Job/alert", "delete Job/alert"]);
    assert_eq!((world.op.phase(), world.state(Phase::SyncFail, "Job/alert")), (OperationPhase::Failed, TaskState::Succeeded));
}

#[test]
fn r408_a_syncfail_hook_that_fails_leaves_the_message_alone() {
    let world = finished(sync([hook("pre", "PreSync").fate(EXIT_1), hook("alert", "SyncFail").fate(EXIT_1)]));
    assert_eq!(end(&world), (OperationPhase::Failed, UNSUCCESSFUL));
    assert_eq!(world.state(Phase::SyncFail, "Job/alert"), TaskState::Failed);
}

#[test]
fn r410_what_a_hook_said_last_stays_when_it_succeeds_without_a_word() {
    let rollout = "Waiting for rollout to finish: 0 of 1 updated replicas are available...";
    let mut world = sync([hook("h", "PreSync").fate(Fate::Is(HealthStatus::Progressing, rollout))]);
    world.run(2);
    world.becomes("Job/h", Fate::Is(HealthStatus::Healthy, ""));
    let world = finished(world);
    assert_eq!((world.op.results()[0].state, world.op.results()[0].message.as_str()), (TaskState::Succeeded, rollout));
}

#[test]
fn r416_a_hook_that_is_over_is_not_judged_again() {
    let mut world = sync([hook("h", "PreSync"), resource("Deployment", "d").fate(Fate::Healthy(5)), hook("post", "PostSync")]);
    world.run(3);
    assert_eq!(world.state(Phase::PreSync, "Job/h"), TaskState::Succeeded);
    world.becomes("Job/h", EXIT_1);
    assert_eq!(finished(world).op.phase(), OperationPhase::Succeeded);
}

#[test]
fn t116_r520_kinds_go_one_after_the_other_and_a_refusal_stops_none() {
    let mut world = sync([
        resource("Job", "a"),
        resource("Job", "b"),
        resource("ConfigMap", "c").fate(Fate::Refused),
        resource("ConfigMap", "d").fate(Fate::Refused),
    ]);
    world.decide();
    assert_eq!(world.calls(), ["apply ConfigMap/c", "apply ConfigMap/d"]);
    world.answer(0);
    world.decide();
    assert_eq!(world.calls().len(), 2, "the other answer is still out");
    world.answer(0);
    world.decide();
    assert_eq!(world.calls()[2..], ["apply Job/a", "apply Job/b"]);
}
