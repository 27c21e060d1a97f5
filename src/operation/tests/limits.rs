//! Limits of time, stalls, and breakpoints.

use std::time::Duration;

use super::world::{Fate, Setup, Spec, World, hook, resource};
use crate::model::{OperationPhase, Phase, TaskState, Wave};
use crate::operation::{Breakpoint, Event, Limits, Request};

fn with(request: Request, specs: Vec<Spec>) -> World {
    World::new(Setup { specs, request, ..Setup::default() })
}

fn limited(limits: Limits, specs: Vec<Spec>) -> World {
    with(Request { limits, ..Request::default() }, specs)
}

fn finished(mut world: World) -> World {
    world.run(600);
    assert!(world.op.finished_at().is_some(), "still {:?}: {}", world.op.phase(), world.op.message());
    world
}

fn seconds(number: u64) -> Option<Duration> {
    Some(Duration::from_secs(number))
}

#[test]
fn r1513_a_hook_beyond_its_limit_is_ended_and_fails_and_the_alarm_is_raised() {
    let limits = Limits { hook: seconds(10), ..Limits::default() };
    let specs = vec![hook("migrate", "PreSync").fate(Fate::Never), resource("ConfigMap", "c"), hook("alert", "SyncFail")];
    let world = finished(limited(limits, specs));
    assert_eq!(world.op.phase(), OperationPhase::Failed);
    assert_eq!(world.results(), ["PreSync Job/migrate Synced Failed", "SyncFail Job/alert Synced Succeeded"]);
    assert_eq!(world.op.results()[0].message, "did not end within 10s, the limit of a hook");
    assert!(world.calls().contains(&"delete running Job/migrate".to_owned()), "{:?}", world.calls());
    assert_eq!(world.left(), ["Job/alert"], "what failed by its limit does not go on");
}

#[test]
fn r1513_a_phase_beyond_its_limit_fails_what_runs_in_it() {
    let limits = Limits { phase: seconds(20), ..Limits::default() };
    let specs = vec![resource("Deployment", "web").fate(Fate::Never), resource("ConfigMap", "late").wave(1), hook("alert", "SyncFail")];
    let world = finished(limited(limits, specs));
    assert_eq!(world.results(), ["Sync Deployment/web Synced Failed", "SyncFail Job/alert Synced Succeeded"]);
    assert_eq!(world.op.results()[0].message, "Sync did not end within 20s, the limit of a phase");
}

#[test]
fn r1505_a_phase_limit_ends_the_wait_for_an_old_hook_that_does_not_go() {
    let limits = Limits { phase: seconds(20), ..Limits::default() };
    let request = Request { limits, ..Request::default() };
    let spec = hook("migrate", "PreSync");
    let mut world = World::new(Setup { specs: vec![spec.clone()], leftovers: vec![spec], request, ..Setup::default() });
    world.hold("Job/migrate", "example.com/backup");
    let world = finished(world);
    assert_eq!(world.op.phase(), OperationPhase::Failed);
    assert_eq!(world.state(Phase::PreSync, "Job/migrate"), TaskState::Error);
}

/// Whoever deleted it: this operation before its creation, somebody else, or this operation by its policy.
#[test]
fn r1505_r1513_a_phase_limit_ends_the_wait_for_an_old_hook_before_its_phase_and_in_syncfail() {
    for (phase, policy, is_deleted) in [
        (Phase::PreSync, "BeforeHookCreation", true),
        (Phase::PostSync, "HookSucceeded", true),
        (Phase::SyncFail, "BeforeHookCreation", false),
        (Phase::SyncFail, "BeforeHookCreation", true),
        (Phase::SyncFail, "HookFailed", false),
    ] {
        let old = hook("old", phase.as_str()).policy(policy);
        let fate = if phase == Phase::SyncFail { Fate::Degraded(1) } else { Fate::Healthy(1) };
        let specs = vec![old.clone(), resource("Deployment", "d").fate(fate), resource("ConfigMap", "late").wave(1)];
        let request = Request { limits: Limits { phase: seconds(20), ..Limits::default() }, ..Request::default() };
        let mut world = World::new(Setup { specs, leftovers: vec![old], request, ..Setup::default() });
        world.hold("Job/old", "example.com/backup");
        if is_deleted {
            world.remove("Job", "old");
        }
        world.run(15);
        assert_eq!(world.op.waited_for().len(), 1, "{phase} {policy}: {}", world.op.message());
        let world = finished(world);
        assert_eq!((world.op.phase(), world.state(phase, "Job/old")), (OperationPhase::Failed, TaskState::Error), "{phase} {policy}");
        let said = &world.op.results().iter().find(|result| *result.task.key.name == *"old").unwrap().message;
        assert_eq!(*said, format!("{phase} did not end within 20s, the limit of a phase"));
        assert!(world.op.finished_at().unwrap().duration_since(world.op.started_at()).as_secs() < 25);
    }
}

#[test]
fn r634_r1513_a_phase_limit_ends_the_wait_for_a_person_who_confirms_a_prune() {
    for wave in [0, 1] {
        let limits = Limits { phase: seconds(20), ..Limits::default() };
        let request = Request { limits, prune: true, ..Request::default() };
        let candidates = vec![resource("ConfigMap", "old").option("Prune=confirm")];
        let specs = vec![resource("ConfigMap", "first").wave(-wave), hook("alert", "SyncFail")];
        let mut world = World::new(Setup { specs, candidates, request, ..Setup::default() });
        world.run(15);
        assert_eq!(world.op.message(), "waiting for pruning confirmation of /ConfigMap/old");
        let world = finished(world);
        assert_eq!((world.op.phase(), world.state(Phase::Sync, "ConfigMap/old")), (OperationPhase::Failed, TaskState::Error));
        let said = world.op.results().iter().find(|result| *result.task.key.name == *"old").unwrap();
        assert_eq!(said.message, "Sync did not end within 20s, the limit of a phase");
        assert_eq!(world.state(Phase::SyncFail, "Job/alert"), TaskState::Succeeded);
        assert!(world.left().contains(&"ConfigMap/old".to_owned()));
    }
}

/// A breakpoint before the phase stands before the wait for its old hooks.
#[test]
fn a_breakpoint_before_syncfail_holds_although_an_old_hook_still_goes() {
    let alert = hook("alert", "SyncFail");
    let specs = vec![alert.clone(), resource("Deployment", "d").fate(Fate::Degraded(1)), resource("ConfigMap", "late").wave(1)];
    let pause_before = vec![Breakpoint::parse("SyncFail").unwrap()];
    let request = Request { pause_before, ..Request::default() };
    let mut world = World::new(Setup { specs, leftovers: vec![alert], request, ..Setup::default() });
    world.hold("Job/alert", "example.com/backup");
    world.remove("Job", "alert");
    world.run(10);
    assert_eq!(world.op.message(), "paused before SyncFail wave 0");
    world.publish(Event::Resumed { by: "olga".to_owned() });
    world.settle();
    assert_eq!(world.op.message(), "waiting for completion of hook batch/Job/alert");
    world.unlock_by_hand("Job/alert");
    assert_eq!(finished(world).state(Phase::SyncFail, "Job/alert"), TaskState::Succeeded);
}

#[test]
fn a_stall_is_said_after_its_time_and_then_each_time_after_twice_as_long() {
    let request = Request { stall_after: Duration::from_secs(60), ..Request::default() };
    let mut world = with(request, vec![hook("migrate", "PreSync").fate(Fate::Never)]);
    world.run(500);
    let stalls: Vec<i64> = world
        .history
        .iter()
        .filter(|record| matches!(record.event, Event::Stalled { .. }))
        .map(|record| record.at.duration_since(world.op.started_at()).as_secs())
        .collect();
    assert_eq!(stalls, [60, 120, 240, 480]);
    assert!(world.op.verdict(world.now).text.ends_with("no change for 8m20s"), "{}", world.op.verdict(world.now).text);
}

/// Nothing is waited for in the words of a sync, but a call has no answer: silence is worse than failure.
#[test]
fn a_call_without_an_answer_is_a_stall_too() {
    let request = Request { stall_after: Duration::from_secs(60), ..Request::default() };
    let mut world = with(request, vec![resource("ConfigMap", "a")]);
    for _ in 0..70 {
        world.decide();
        world.tick();
    }
    let verdict = world.op.verdict(world.now).text;
    assert_eq!(verdict, "applying 1 object of Sync wave 0; no change for 1m10s");
}

#[test]
fn watches_that_do_not_open_are_a_stall_too() {
    let request = Request { stall_after: Duration::from_secs(60), ..Request::default() };
    let mut world = with(request, vec![resource("ConfigMap", "a")]);
    world.close_watches();
    for _ in 0..70 {
        world.decide();
        world.tick();
    }
    assert!(world.calls().is_empty());
    assert_eq!(world.op.verdict(world.now).text, "opening watches on everything in the plan; no change for 1m10s");
}

#[test]
fn progress_ends_a_stall() {
    let request = Request { stall_after: Duration::from_secs(60), ..Request::default() };
    let mut world = with(request, vec![hook("migrate", "PreSync").fate(Fate::Healthy(90)), hook("smoke", "PostSync").fate(Fate::Never)]);
    world.run(80);
    assert!(world.op.stalled_since().is_some());
    world.run(20);
    assert_eq!(world.op.stalled_since(), None);
}

fn stopping(text: &str, specs: Vec<Spec>) -> World {
    with(Request { pause_before: vec![Breakpoint::parse(text).unwrap()], ..Request::default() }, specs)
}

#[test]
fn a_breakpoint_writes_nothing_until_a_person_lets_the_operation_go_on() {
    let mut world = stopping("PostSync", vec![hook("migrate", "PreSync"), resource("ConfigMap", "c"), hook("smoke", "PostSync")]);
    world.run(30);
    let paused = *world.op.paused().unwrap();
    assert_eq!((paused.phase, paused.wave), (Phase::PostSync, Wave(0)));
    assert_eq!(world.op.message(), "paused before PostSync wave 0");
    let before = world.calls();
    assert_eq!(before, ["apply Job/migrate", "unlock Job/migrate", "apply ConfigMap/c"]);
    world.run(100);
    assert_eq!(world.calls(), before);
    world.publish(Event::Resumed { by: "olga".to_owned() });
    let world = finished(world);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
    assert_eq!(world.calls()[3..], ["apply Job/smoke", "unlock Job/smoke"]);
}

#[test]
fn a_breakpoint_with_a_wave_stands_before_that_wave_only() {
    let specs = vec![resource("ConfigMap", "a"), resource("ConfigMap", "b").wave(1), resource("ConfigMap", "c").wave(2)];
    let mut world = stopping("Sync/1", specs);
    world.run(10);
    assert_eq!(world.calls(), ["apply ConfigMap/a"]);
    world.publish(Event::Resumed { by: "olga".to_owned() });
    assert_eq!(finished(world).calls().len(), 3);
}

#[test]
fn a_pause_that_is_wanted_comes_before_the_next_group_and_the_wish_can_be_taken_back() {
    let specs = || vec![resource("Deployment", "a").fate(Fate::Healthy(5)), resource("ConfigMap", "b").wave(1)];
    let mut world = with(Request::default(), specs());
    world.run(2);
    world.publish(Event::PauseRequested { by: "olga".to_owned() });
    world.run(20);
    assert!(world.op.paused().is_some());
    assert_eq!(world.calls(), ["apply Deployment/a"]);
    let mut other = with(Request::default(), specs());
    other.run(2);
    other.publish(Event::PauseRequested { by: "olga".to_owned() });
    other.publish(Event::Resumed { by: "olga".to_owned() });
    assert_eq!(finished(other).op.phase(), OperationPhase::Succeeded);
}

#[test]
fn a_paused_operation_can_be_terminated() {
    let mut world = stopping("Sync", vec![hook("migrate", "PreSync"), resource("ConfigMap", "c")]);
    world.run(10);
    assert!(world.op.paused().is_some());
    world.publish(Event::TerminateRequested { by: "olga".to_owned() });
    world.decide();
    assert_eq!((world.op.phase(), world.op.message()), (OperationPhase::Failed, "Operation terminated"));
}

#[test]
fn a_pause_does_not_count_for_the_limit_of_its_phase() {
    let specs = vec![resource("ConfigMap", "a"), resource("Deployment", "b").wave(1).fate(Fate::Healthy(5))];
    let limits = Limits { phase: seconds(20), ..Limits::default() };
    let pause_before = vec![Breakpoint::parse("Sync/1").unwrap()];
    let mut world = with(Request { limits, pause_before, ..Request::default() }, [specs, vec![hook("smoke", "PostSync")]].concat());
    world.run(100);
    assert!(world.op.paused().is_some());
    world.publish(Event::Resumed { by: "olga".to_owned() });
    assert_eq!(finished(world).op.phase(), OperationPhase::Succeeded);
}

#[test]
fn a_hook_that_somebody_creates_again_and_again_is_given_up() {
    let spec = hook("migrate", "PreSync");
    let mut world = World::new(Setup { specs: vec![spec.clone()], leftovers: vec![spec], ..Setup::default() });
    for _ in 0..20 {
        world.settle();
        if world.op.finished_at().is_some() {
            break;
        }
        if world.live("Job/migrate").is_some_and(|live| live.deletion.is_some()) {
            world.recreate("Job/migrate");
        }
    }
    assert_eq!(world.op.phase(), OperationPhase::Failed);
    assert!(world.op.results()[0].message.contains("was deleted 5 times before its creation"), "{:?}", world.op.results());
    assert_eq!(world.calls().len(), 5);
}

#[test]
fn the_limits_that_run_are_told_with_their_ends_the_next_one_first() {
    let limits = Limits { hook: seconds(30), phase: seconds(90), operation: seconds(60) };
    let mut world = limited(limits, vec![hook("migrate", "PreSync").fate(Fate::Never)]);
    world.run(2);
    let names = |world: &World| world.op.countdowns().iter().map(|(name, _)| *name).collect::<Vec<_>>();
    assert_eq!(names(&world), ["hook", "operation", "phase"]);
    let ends: Vec<i64> = world.op.countdowns().iter().map(|(_, at)| at.duration_since(world.op.started_at()).as_secs()).collect();
    assert_eq!(ends, [30, 60, 90]);
    let world = finished(world);
    assert!(world.op.countdowns().is_empty());
    assert!(with(Request::default(), vec![hook("migrate", "PreSync")]).op.countdowns().is_empty());
}

#[test]
fn a_breakpoint_that_can_still_come_needs_a_person() {
    let mut world = stopping("PreSync", vec![hook("migrate", "PreSync"), resource("ConfigMap", "c")]);
    assert!(world.op.needs_a_person());
    world.run(5);
    assert!(world.op.paused().is_some() && world.op.needs_a_person());
    world.publish(Event::Resumed { by: "olga".to_owned() });
    assert!(!world.op.needs_a_person());
    let world = finished(world);
    assert!(!world.op.needs_a_person() && !world.op.can_pause());
    assert!(!stopping("PostSync", vec![resource("ConfigMap", "c")]).op.needs_a_person(), "there is nothing in that phase");
}
