//! Sync windows over a running operation (spec R1405): it stands still and goes on by itself, and can always be ended.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::world::{Fate, NOON, Setup, Spec, World, hook, resource};
use crate::model::{Attempt, OperationPhase, Window, WindowKind, Windows};
use crate::operation::verdict::Tone;
use crate::operation::{Event, Request};

const BLOCKED: &str = "Sync operation blocked by sync window";

fn deny(schedule: &str, seconds: u64) -> Window {
    Window::of_all(WindowKind::Deny, schedule, Duration::from_secs(seconds))
}

/// From 11 o'clock until so many seconds after noon.
fn until(seconds: u64) -> Window {
    deny("0 11 * * *", 3_600 + seconds)
}

fn world(specs: impl IntoIterator<Item = Spec>, windows: impl IntoIterator<Item = Window>) -> World {
    let request = Request { windows: Windows::new(windows), ..Request::default() };
    World::new(Setup { specs: specs.into_iter().collect(), request, ..Setup::default() })
}

fn noon_and(seconds: i64) -> Timestamp {
    NOON.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

#[test]
fn t155_r1405_an_active_deny_window_holds_a_running_operation_until_it_ends() {
    let mut world = world([hook("migrate", "PreSync"), resource("ConfigMap", "a")], [until(5)]);
    world.settle();
    assert_eq!((world.op.phase(), world.op.message()), (OperationPhase::Running, BLOCKED));
    assert_eq!(world.calls(), [""; 0]);
    let said = "the deny window `0 11 * * *` for 1h 5s is active; syncs are possible from 2026-03-01 12:00:05 UTC";
    assert_eq!(world.op.warnings(), [(None, format!("the sync stands still: {said}"))]);
    let verdict = world.op.verdict(world.now);
    assert_eq!((verdict.tone, verdict.text), (Tone::Blocked, format!("blocked by sync window: {said}")));
    let wake = world.op.wake_at(world.now).unwrap();
    assert_eq!(wake, noon_and(5) + SignedDuration::from_nanos(1));
    assert_eq!(world.op.next(noon_and(4)), []);
    assert_ne!(world.op.next(wake), []);
    world.run(60);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
    assert_eq!(&world.messages()[..2], [BLOCKED, ""]);
    assert_eq!(world.op.warnings().len(), 1, "it is said once");
}

#[test]
fn r1405_a_sync_outside_an_allow_window_stands_still_too_and_one_that_is_manual_does_not() {
    let allow = Window::of_all(WindowKind::Allow, "0 9 * * *", Duration::from_secs(3_600));
    let mut held = world([resource("ConfigMap", "a")], [allow.clone()]);
    held.run(3);
    assert_eq!((held.op.message(), held.op.finished_at()), (BLOCKED, None));
    let mut free = world([resource("ConfigMap", "a")], [Window { manual_sync: true, ..allow }]);
    free.run(3);
    assert_eq!(free.op.phase(), OperationPhase::Succeeded);
}

#[test]
fn r1405_an_operation_is_held_half_way_and_judges_nothing_meanwhile() {
    // It begins a nanosecond after noon, with the operation under way.
    let specs = || [hook("migrate", "PreSync").fate(Fate::Healthy(2)), resource("ConfigMap", "a")];
    let mut held = world(specs(), [deny("0 12 * * *", 10)]);
    held.run(8);
    assert_eq!(held.calls(), ["apply Job/migrate"], "what was begun goes on, nothing else begins");
    assert_eq!((held.results(), held.op.message()), (vec!["PreSync Job/migrate Synced Running".to_owned()], BLOCKED));
    held.run(60);
    assert_eq!(held.op.phase(), OperationPhase::Succeeded);
    assert!(held.op.finished_at().unwrap() >= noon_and(10));

    let mut overrun = world(specs(), [Window { sync_overrun: true, ..deny("0 12 * * *", 10) }]);
    overrun.run(60);
    assert_eq!(overrun.op.phase(), OperationPhase::Succeeded);
    assert!(overrun.op.finished_at().unwrap() < noon_and(10), "a sync that was allowed when it began goes on (spec R1404)");
    assert!(!overrun.messages().contains(&BLOCKED.to_owned()));
}

#[test]
fn t138_r912_r1525_a_terminate_ends_the_operation_in_a_closed_window_too() {
    for specs in [vec![hook("migrate", "PreSync").fate(Fate::Never)], vec![resource("ConfigMap", "a")]] {
        for begins in ["0 11 * * *", "0 12 * * *"] {
            let mut world = world(specs.clone(), [deny(begins, 86_000)]);
            world.run(3);
            assert_eq!(world.op.finished_at().is_some(), specs[0].kind == "ConfigMap" && begins == "0 12 * * *");
            world.publish(Event::TerminateRequested { by: "olga".to_owned() });
            world.run(3);
            assert!(world.op.finished_at().is_some(), "{:?} {begins}: {}", world.op.phase(), world.op.message());
            world.tick();
            assert_eq!(world.left().iter().filter(|name| name.starts_with("Job/")).count(), 0);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn r1405_no_group_begins_in_a_closed_window_and_every_operation_ends(
        windows in prop::collection::vec((0_u8..3, 1_u64..59, any::<bool>()), 1..4),
        fates in prop::collection::vec((0_u8..9, 0_i64..3), 1..6),
    ) {
        let window = |(kind, seconds, sync_overrun): &(u8, u64, bool)| Window {
            sync_overrun: *sync_overrun,
            ..Window::of_all(if *kind == 0 { WindowKind::Allow } else { WindowKind::Deny }, "* * * * *", Duration::from_secs(*seconds))
        };
        // Without this one an allow window that ends before a deny window does would leave no second at all.
        let always = Window::of_all(WindowKind::Allow, "* * * * *", Duration::from_secs(120));
        let windows = Windows::new(windows.iter().map(window).chain([always]));
        let specs = fates.iter().enumerate().map(|(at, (after, wave))| hook(&format!("h{at}"), "Sync").fate(Fate::Healthy(*after)).wave(*wave));
        let request = Request { windows: windows.clone(), ..Request::default() };
        let mut world = World::new(Setup { specs: specs.collect(), request, ..Setup::default() });
        world.run(600);
        prop_assert!(world.op.finished_at().is_some(), "{}", world.op.message());
        let attempt = Attempt { is_manual: true, started_at: Some(world.op.started_at()) };
        for record in &world.history {
            if matches!(record.event, Event::RunStarted { .. } | Event::Concluded { .. }) {
                prop_assert!(windows.blocker(attempt, record.at).is_none(), "{record:?}");
            }
        }
    }
}
