//! Where an operation pauses, and what is written before: the first step that makes the destination Namespace, calls that are out, and the
//! clock of a phase.

use std::time::Duration;

use super::world::{Fate, Setup, Spec, World, finished, hook, resource};
use crate::model::{OperationPhase, Phase, Wave};
use crate::operation::{Breakpoint, Event, Limits, Request};
use crate::plan::NewNamespace;

fn stopping(places: &[&str], specs: Vec<Spec>, new_namespace: NewNamespace) -> World {
    let pause_before = places.iter().map(|text| Breakpoint::parse(text).unwrap()).collect();
    World::new(Setup { specs, new_namespace, request: Request { pause_before, ..Request::default() }, ..Setup::default() })
}

fn go_on(world: &mut World) {
    world.publish(Event::Resumed { by: "olga".to_owned() });
    world.run(20);
}

fn namespace() -> Spec {
    resource("Namespace", "shop")
}

#[test]
fn r610_a_breakpoint_before_the_first_phase_stands_before_the_destination_namespace() {
    let hooked = || hook("migrate", "PreSync");
    for (place, specs, new_namespace) in [
        ("Sync", vec![namespace(), resource("ConfigMap", "c")], NewNamespace::No),
        ("Sync/0", vec![namespace(), resource("ConfigMap", "c")], NewNamespace::No),
        ("Sync/0", vec![namespace().wave(3), resource("ConfigMap", "c")], NewNamespace::No),
        ("PreSync", vec![hooked(), resource("ConfigMap", "c")], NewNamespace::Yes),
        ("PreSync", vec![hooked().wave(-1), resource("ConfigMap", "c")], NewNamespace::Yes),
        ("PreSync", vec![namespace(), hooked(), resource("ConfigMap", "c")], NewNamespace::No),
    ] {
        let what = format!("{place} {new_namespace:?} {} manifests", specs.len());
        let mut world = stopping(&[place], specs, new_namespace);
        world.run(10);
        let paused = world.op.paused().unwrap_or_else(|| panic!("no pause: {what}"));
        assert!(world.calls().is_empty(), "{what}: {:?}", world.calls());
        assert!(world.op.phase_span(paused.phase).is_none(), "{what}: nothing has begun");
        go_on(&mut world);
        assert_eq!((world.op.phase(), world.calls()[0].as_str()), (OperationPhase::Succeeded, "apply Namespace/shop"), "{what}");
        assert_eq!(world.history.iter().filter(|record| matches!(record.event, Event::Paused { .. })).count(), 1, "{what}");
    }
}

/// A group that needs no destination Namespace comes before the group which that belongs to.
fn other() -> Spec {
    resource("Namespace", "other")
}

#[test]
fn r610_a_breakpoint_before_a_later_group_holds_although_the_namespace_of_that_group_was_made_first() {
    for (place, specs) in [
        ("Sync", vec![other().hooked("PreSync").fate(Fate::Healthy(3)), namespace(), resource("ConfigMap", "c")]),
        ("Sync/2", vec![other(), namespace().wave(2), resource("ConfigMap", "c").wave(2)]),
    ] {
        let mut world = stopping(&[place], specs, NewNamespace::No);
        world.run(10);
        assert!(world.op.paused().is_some(), "{place}: {:?}", world.calls());
        assert_eq!(world.calls()[..2], ["apply Namespace/shop", "apply Namespace/other"], "{place}");
        assert!(!world.calls().contains(&"apply ConfigMap/c".to_owned()), "{place}: {:?}", world.calls());
        go_on(&mut world);
        assert_eq!(world.op.phase(), OperationPhase::Succeeded, "{place}");
    }
    let specs = vec![hook("migrate", "PreSync"), resource("ConfigMap", "c")];
    let mut world = stopping(&["Sync"], specs, NewNamespace::Yes);
    world.run(10);
    assert_eq!(world.op.paused().map(|paused| (paused.phase, paused.wave)), Some((Phase::Sync, Wave(0))));
    assert_eq!(world.calls(), ["apply Namespace/shop", "apply Job/migrate", "unlock Job/migrate"]);
}

#[test]
fn r610_r1513_the_clock_of_a_phase_does_not_start_with_the_destination_namespace() {
    let specs = vec![other().hooked("PreSync").fate(Fate::Healthy(15)), namespace(), resource("Deployment", "d").fate(Fate::Healthy(10))];
    let specs = [specs, vec![hook("smoke", "PostSync")]].concat();
    let limits = Limits { phase: Some(Duration::from_secs(20)), ..Limits::default() };
    let world = finished(World::new(Setup { specs, request: Request { limits, ..Request::default() }, ..Setup::default() }));
    assert_eq!(world.op.phase(), OperationPhase::Succeeded, "{:?}", world.results());
    let began = |phase| world.op.phase_span(phase).unwrap().started_at.unwrap();
    assert_eq!(began(Phase::Sync).duration_since(began(Phase::PreSync)).as_secs(), 15);
}

#[test]
fn r1513_a_pause_before_a_phase_gives_it_no_more_time() {
    let limits = Limits { phase: Some(Duration::from_secs(20)), ..Limits::default() };
    let request = Request { limits, pause_before: vec![Breakpoint::parse("PreSync").unwrap()], ..Request::default() };
    let mut world = World::new(Setup { specs: vec![hook("slow", "PreSync").fate(Fate::Never)], request, ..Setup::default() });
    world.run(100);
    world.publish(Event::Resumed { by: "olga".to_owned() });
    let world = finished(world);
    let took = world.op.finished_at().unwrap().duration_since(world.op.started_at());
    assert_eq!((world.op.phase(), took.as_secs()), (OperationPhase::Failed, 120));
}

/// Plays until the operation pauses; returns the calls that have no answer then.
fn out_at_the_pause(world: &mut World) -> Vec<String> {
    for _ in 0..50 {
        world.decide();
        if world.op.paused().is_some() {
            return world.queue.iter().map(|(task, step)| format!("{step:?} {}", task.key.short())).collect();
        }
        if world.queue.is_empty() { world.tick() } else { world.answer(0) }
    }
    panic!("no pause: {} {:?}", world.op.message(), world.calls());
}

#[test]
fn r208_a_pause_comes_after_the_answer_to_an_early_deletion_by_policy() {
    let specs = vec![hook("seed", "PreSync").policy("HookSucceeded"), resource("ConfigMap", "c")];
    let pause_before = vec![Breakpoint::parse("Sync").unwrap()];
    let request = Request { pause_before, delete_succeeded_hooks_early: true, ..Request::default() };
    let mut world = World::new(Setup { specs, request, ..Setup::default() });
    assert_eq!(out_at_the_pause(&mut world), Vec::<String>::new());
    assert_eq!(world.calls(), ["apply Job/seed", "unlock Job/seed", "delete Job/seed"]);
}

#[test]
fn r209_a_pause_before_syncfail_comes_after_the_answers_to_deletions_by_policy() {
    let specs = vec![
        hook("seed", "PreSync").policy("HookFailed"),
        resource("Deployment", "d").fate(Fate::Degraded(1)),
        resource("ConfigMap", "late").wave(1),
        hook("alert", "SyncFail"),
    ];
    let mut world = stopping(&["SyncFail"], specs, NewNamespace::No);
    assert_eq!(out_at_the_pause(&mut world), Vec::<String>::new());
    assert_eq!(world.calls().last().unwrap(), "delete Job/seed");
    go_on(&mut world);
    assert_eq!(world.calls().last().unwrap(), "unlock Job/alert");
}

/// They start together, whatever their waves (spec R406).
#[test]
fn r406_a_breakpoint_before_a_wave_of_syncfail_stands_before_all_of_its_hooks() {
    let specs = vec![resource("ConfigMap", "c").fate(Fate::Refused), hook("one", "SyncFail"), hook("two", "SyncFail").wave(2)];
    let mut world = stopping(&["SyncFail/2"], specs, NewNamespace::No);
    world.run(10);
    assert_eq!(world.op.paused().map(|paused| paused.wave), Some(Wave(2)), "{:?}", world.calls());
    go_on(&mut world);
    assert_eq!(world.calls()[1..3], ["apply Job/one", "apply Job/two"]);
}

#[test]
fn what_is_over_before_a_pause_ends_before_it_and_is_not_ended_again() {
    let specs = vec![hook("migrate", "PreSync").fate(Fate::Healthy(2)), resource("ConfigMap", "c")];
    let mut world = stopping(&["Sync"], specs, NewNamespace::No);
    world.run(10);
    let since = world.op.paused().unwrap().since;
    let ended = world.op.phase_span(Phase::PreSync).and_then(|span| span.finished_at);
    assert_eq!(ended, Some(since));
    world.now += jiff::SignedDuration::from_secs(300);
    go_on(&mut world);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
    assert_eq!(world.op.phase_span(Phase::PreSync).and_then(|span| span.finished_at), ended);
    let ends = |record: &&crate::operation::Record| {
        matches!(record.event, Event::PhaseFinished { phase: Phase::PreSync, .. } | Event::WaveFinished { phase: Phase::PreSync, .. })
    };
    assert_eq!(world.history.iter().filter(ends).count(), 2, "one wave and one phase");
}
