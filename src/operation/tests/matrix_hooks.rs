//! Chapter 16.G of the test matrix: hooks run and are waited for.

use std::time::Duration;

use super::world::{Fate, Setup, World, failed, finished, hook, pod_hook, resource, selecting, sync};
use crate::model::{HealthStatus, OperationPhase, Phase, Role, TaskState};
use crate::operation::messages::{Wait, waiting};
use crate::operation::{Event, Limits, Request, Step, StepOutcome};

const UNSUCCESSFUL: &str = "one or more synchronization tasks completed unsuccessfully";
const EXIT_1: Fate = Fate::Is(HealthStatus::Degraded, "container \"main\" failed with exit code 1");
const DONE: Fate = Fate::Is(HealthStatus::Healthy, "");

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

#[test]
fn t103_r628_r1520_reasons_are_distinct_and_sorted_and_only_those_of_refused_objects() {
    for (names, error, expected) in [
        (&["a"][..], "namespace not found", "one or more objects failed to apply, reason: namespace not found"),
        (&["a", "b"], "namespace not found", "one or more objects failed to apply, reason: namespace not found"),
        (&["b", "a"], "", "one or more objects failed to apply, reason: a refused,b refused"),
    ] {
        let mut world = sync(names.iter().map(|name| resource("ConfigMap", name).fate(Fate::Refused)));
        if !error.is_empty() {
            world.faults.push(|_, step| (*step == Step::Apply).then(|| failed("namespace not found")));
        }
        assert_eq!(finished(world).op.message(), expected);
    }
    let world = finished(sync([pod_hook("h", "PreSync").fate(EXIT_1)]));
    assert_eq!(end(&world), (OperationPhase::Failed, UNSUCCESSFUL));
}

#[test]
fn t104_r407_r621_r627_r629_running_until_every_syncfail_hook_is_over() {
    let mut world = sync([
        pod_hook("pre", "PreSync").fate(Fate::Refused),
        pod_hook("alert", "SyncFail").fate(Fate::Healthy(3)),
        pod_hook("broken", "SyncFail"),
    ]);
    world.faults.push(|task, step| (*step == Step::Apply && *task.key.name == *"pre").then(|| failed("task in error")));
    world.faults.push(|task, step| (*step == Step::Apply && *task.key.name == *"broken").then(|| failed("failed to apply")));
    world.run(2);
    assert_eq!(end(&world), (OperationPhase::Running, "waiting for completion of hook /Pod/alert"));
    let world = finished(world);
    let text = "one or more objects failed to apply, reason: task in error\none or more SyncFail hooks failed, reason: failed to apply";
    assert!(world.messages().iter().all(|message| !message.contains("no more tasks")));
    assert_eq!(world.op.phase(), OperationPhase::Failed);
    let completed = text.replace("one or more objects failed to apply", UNSUCCESSFUL);
    assert!([text, completed.as_str()].contains(&world.op.message()), "{}", world.op.message());
}

#[test]
fn t111_r408_a_refused_syncfail_hook_does_not_stop_the_other_one() {
    let world = finished(sync([
        resource("ConfigMap", "c").fate(Fate::Refused),
        hook("good", "SyncFail"),
        hook("bad", "SyncFail").fate(Fate::Refused),
    ]));
    assert_eq!(
        world.results(),
        ["Sync ConfigMap/c SyncFailed Failed", "SyncFail Job/bad SyncFailed Failed", "SyncFail Job/good Synced Succeeded"]
    );
    assert!(!world.live("Job/good").unwrap().has_hook_finalizer());
    assert_eq!(world.op.phase(), OperationPhase::Failed);
}

#[test]
fn t115_r406_syncfail_hooks_of_all_waves_start_together() {
    let mut world = sync([hook("pre", "PreSync").fate(Fate::Refused), hook("now", "SyncFail"), hook("later", "SyncFail").wave(5)]);
    world.decide();
    world.answer(0);
    world.decide();
    assert_eq!(world.calls()[1..], ["apply Job/now", "apply Job/later"]);
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
fn t93_r604_r616_r622_a_hook_an_object_and_a_syncfail_hook() {
    let mut world = sync([pod_hook("hook-1", "Sync").fate(Fate::Healthy(1)), resource("Pod", "p"), pod_hook("alert", "SyncFail")]);
    world.settle();
    assert_eq!(end(&world), (OperationPhase::Running, "waiting for completion of hook /Pod/hook-1 and 1 more resources"));
    assert_eq!(world.results().len(), 2);
    let world = finished(world);
    assert_eq!(end(&world), (OperationPhase::Succeeded, "successfully synced (no more tasks)"));
    assert_eq!(world.results(), ["Sync Pod/hook-1 Synced Succeeded", "Sync Pod/p Synced Succeeded"]);
}

#[test]
fn t96_t97_t98_t99_r404_r410_what_a_failure_in_each_phase_leaves() {
    let hooked = |phase: &str| vec![pod_hook("h", phase).fate(EXIT_1), resource("Pod", "p").fate(Fate::Healthy(0))];
    for (specs, results) in [
        (hooked("PreSync"), &["PreSync Pod/h Synced Failed"][..]),
        (hooked("Sync"), &["Sync Pod/h Synced Failed", "Sync Pod/p Synced Running"]),
        (hooked("PostSync"), &["Sync Pod/p Synced Succeeded", "PostSync Pod/h Synced Failed"]),
        (vec![pod_hook("h", "PostSync"), resource("Pod", "p").fate(EXIT_1)], &["Sync Pod/p Synced Failed"]),
    ] {
        let world = finished(sync(specs));
        assert_eq!(end(&world), (OperationPhase::Failed, UNSUCCESSFUL));
        let mut found = world.results();
        // Within one group Argo CD judges both in one pass.
        found.iter_mut().filter(|line| *line == "Sync Pod/p Synced Succeeded" && results[0].contains("Sync Pod/h")).for_each(|line| {
            *line = "Sync Pod/p Synced Running".to_owned();
        });
        assert_eq!(found, results);
        let told = world.op.results().iter().find(|result| result.state == TaskState::Failed).unwrap();
        assert_eq!(told.message, "container \"main\" failed with exit code 1");
        assert!(world.live("Pod/h").is_none_or(|live| !live.has_hook_finalizer()));
    }
}

/// R606: an empty message leaves the one before.
#[test]
fn t100_r216_r403_r605_a_hook_that_succeeds_without_a_message_keeps_the_servers() {
    for phase in [Phase::PreSync, Phase::Sync, Phase::PostSync] {
        let silent = Fate::Is(HealthStatus::Progressing, "");
        let mut world = sync([pod_hook("hook", phase.as_str()).fate(silent), resource("Pod", "p").fate(Fate::Healthy(0))]);
        world.settle();
        world.becomes("Pod/hook", DONE);
        let world = finished(world);
        assert_eq!(world.op.phase(), OperationPhase::Succeeded);
        let result = world.op.results().iter().find(|result| result.task.role == Role::Hook).unwrap();
        assert_eq!((result.task.phase, result.state, result.message.as_str()), (phase, TaskState::Succeeded, "pod/hook created"));
        let object = world.op.results().iter().find(|result| result.task.role == Role::Apply).unwrap();
        assert_eq!(object.task.phase, Phase::Sync);
        assert!(!world.live("Pod/hook").unwrap().has_hook_finalizer());
        assert_eq!(world.results().len(), 2);
    }
}

#[test]
fn t101_r637_a_sync_hook_does_not_wait_for_a_deployment_of_its_group() {
    let world = finished(sync([hook("h", "Sync"), resource("Deployment", "web").fate(Fate::Never)]));
    assert_eq!(end(&world), (OperationPhase::Succeeded, "successfully synced (no more tasks)"));
    assert_eq!(world.results(), ["Sync Deployment/web Synced Running", "Sync Job/h Synced Succeeded"]);
}

#[test]
fn t107_r215_a_hook_that_is_deleted_after_its_end_is_read_first() {
    let mut world = sync([hook("h", "PreSync").fate(Fate::Healthy(4)), resource("ConfigMap", "c")]);
    world.run(2);
    world.remove("Job", "h");
    let world = finished(world);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
    assert_eq!(world.op.results()[0].message, "ready");
}

#[test]
fn t108_r410_r414_a_hook_without_health_is_over_at_once_and_one_of_any_kind_when_it_is_healthy() {
    let world = finished(sync([
        resource("ConfigMap", "x").hooked("PreSync"),
        resource("Deployment", "d").hooked("PreSync").wave(1).fate(Fate::Healthy(2)),
        resource("Secret", "s"),
    ]));
    assert_eq!(world.results()[0], "PreSync ConfigMap/x Synced Succeeded");
    assert_eq!(world.op.results()[0].message, "x created");
    assert_eq!(world.results()[1], "PreSync Deployment/d Synced Succeeded");
}

#[test]
fn t109_r410_r415_suspended_is_waited_for_unknown_fails_and_so_does_an_error() {
    let suspended = Fate::Is(HealthStatus::Suspended, "Job suspended");
    let mut world = sync([hook("h", "PreSync").fate(suspended), resource("ConfigMap", "c")]);
    world.run(100);
    assert_eq!(world.state(Phase::PreSync, "Job/h"), TaskState::Running);
    assert_eq!(end(&world), (OperationPhase::Running, "waiting for completion of hook batch/Job/h"));
    assert_eq!(world.op.results()[0].message, "Job suspended");
    for (fate, state, message) in [
        (Fate::Is(HealthStatus::Unknown, "who knows"), TaskState::Failed, "who knows"),
        (Fate::Unclear("script broke"), TaskState::Error, "failed to get resource health: script broke"),
    ] {
        let world = finished(sync([hook("h", "PreSync").fate(fate), resource("ConfigMap", "c")]));
        assert_eq!(end(&world), (OperationPhase::Failed, UNSUCCESSFUL));
        assert_eq!(world.state(Phase::PreSync, "Job/h"), state);
        assert_eq!(world.op.results()[0].message, message);
    }
    let world = finished(sync([hook("h", "PreSync").fate(Fate::Is(HealthStatus::Missing, "")), resource("ConfigMap", "c")]));
    assert_eq!(world.op.results()[0].message, "h created");
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
fn t113_r307_an_ordinary_object_without_a_name_fails_it() {
    let world = finished(sync([resource("Pod", "x-").generated()]));
    assert_eq!(end(&world), (OperationPhase::Failed, "one or more objects failed to apply (dry run)"));
}

#[test]
fn t114_r109_r728_a_skipped_object_has_no_result_whatever_its_options() {
    let world = finished(sync([resource("Pod", "p").hooked("Skip").option("Replace=true"), hook("h", "Sync")]));
    assert_eq!(world.results(), ["Sync Job/h Synced Succeeded"]);
    assert_eq!(world.left(), ["Job/h"]);
}

#[test]
fn t92_r803_r810_without_hooks_neither_new_nor_old_ones_are_touched() {
    let setup = |items: &[&str]| Setup {
        specs: vec![hook("h", "PreSync"), resource("ConfigMap", "c")],
        leftovers: vec![hook("h", "PreSync").policy("HookSucceeded"), hook("old", "PostSync").policy("HookSucceeded")],
        request: selecting(items),
        ..Setup::default()
    };
    let world = finished(World::new(setup(&["batch:Job:h"])));
    assert_eq!(end(&world), (OperationPhase::Succeeded, "successfully synced (no more tasks)"));
    assert!(world.results().is_empty() && world.calls().is_empty());
    assert_eq!(finished(World::new(setup(&[":ConfigMap:c"]))).calls(), ["apply ConfigMap/c"]);
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
