//! Public bugs of the reference by their numbers, and that the core does the right thing.

use super::world::{Fate, Setup, World, hook, resource, sync};
use crate::model::{OperationPhase, Phase, TaskState};
use crate::operation::{Event, Request, Retry};

fn count(world: &World, call: &str) -> usize {
    world.calls().iter().filter(|one| *one == call).count()
}

fn terminate(world: &mut World) {
    world.publish(Event::TerminateRequested { by: "ann".to_owned() });
}

fn with_old_hook(request: Request) -> World {
    let migrate = hook("migrate", "PreSync").fate(Fate::Healthy(4));
    let specs = vec![migrate.clone(), resource("ConfigMap", "a"), resource("Deployment", "web").wave(1)];
    World::new(Setup { specs, leftovers: vec![migrate], request, ..Setup::default() })
}

/// #14929: a hook was deleted and created again by every pass.
#[test]
fn issue_14929_however_many_passes_there_are_a_hook_is_deleted_and_created_once() {
    let mut world = with_old_hook(Request::default());
    for _ in 0..20 {
        world.settle();
        world.tick_one_by_one();
    }
    world.run(20);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
    assert_eq!((count(&world, "delete old Job/migrate"), count(&world, "apply Job/migrate")), (1, 1), "{:?}", world.calls());
}

/// #15292: and by a restart of the controller.
#[test]
fn issue_15292_t192_a_rebuilt_operation_neither_deletes_nor_creates_a_hook_again() {
    let mut world = with_old_hook(Request::default());
    for _ in 0..20 {
        world.decide();
        world.rebuild();
        world.answer(0);
        world.rebuild();
        world.tick_one_by_one();
    }
    world.run(20);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
    assert_eq!((count(&world, "delete old Job/migrate"), count(&world, "apply Job/migrate")), (1, 1), "{:?}", world.calls());
}

/// #27507: and by a retry, in the middle of it.
#[test]
fn issue_27507_each_attempt_deletes_and_creates_a_hook_once() {
    let retry = Retry { limit: Some(2), ..Retry::default() };
    let specs = vec![
        hook("migrate", "PreSync").fate(Fate::Healthy(3)),
        resource("Deployment", "web").fate(Fate::Degraded(1)),
        resource("ConfigMap", "last").wave(1),
    ];
    let mut world = World::new(Setup { specs, request: Request { retry, ..Request::default() }, ..Setup::default() });
    world.run(200);
    assert_eq!((world.op.attempt(), world.op.phase()), (3, OperationPhase::Failed));
    assert_eq!((count(&world, "delete old Job/migrate"), count(&world, "apply Job/migrate")), (2, 3), "{:?}", world.calls());
    assert!(world.locked().is_empty());
}

/// #20119: and when another hook of its group failed.
#[test]
fn issue_20119_a_hook_whose_sibling_fails_is_neither_deleted_nor_created_again() {
    for fate in [Fate::Refused, Fate::Degraded(1)] {
        let mut world = sync([hook("good", "PreSync").fate(Fate::Healthy(5)), hook("bad", "PreSync").fate(fate.clone())]);
        world.run(60);
        assert_eq!(world.op.phase(), OperationPhase::Failed, "{fate:?}");
        assert_eq!(count(&world, "apply Job/good"), 1, "{fate:?}: {:?}", world.calls());
        assert!(!world.calls().iter().any(|call| call.starts_with("delete") && call.ends_with("Job/good")), "{:?}", world.calls());
        assert_eq!(world.state(Phase::PreSync, "Job/good"), TaskState::Succeeded, "{fate:?}: it is waited for");
    }
}

/// #21055 R1501 R1549: an end that was seen counts, also when the object has gone before anybody asked for it; one that was not seen is
/// never taken for a success.
#[test]
fn issue_21055_a_hook_that_is_gone_is_judged_by_what_was_seen_of_it() {
    for (fate, expected) in [(Fate::Healthy(2), TaskState::Succeeded), (Fate::Degraded(2), TaskState::Failed)] {
        let mut world = sync([hook("ttl", "PreSync").fate(fate), resource("ConfigMap", "a")]);
        world.settle();
        world.tick();
        world.tick();
        world.take_away("Job/ttl");
        world.run(30);
        assert_eq!(world.state(Phase::PreSync, "Job/ttl"), expected);
    }
    let mut world = sync([hook("ttl", "PreSync").fate(Fate::Healthy(9)), resource("ConfigMap", "a")]);
    world.settle();
    world.take_away("Job/ttl");
    world.run(30);
    assert_eq!(world.results(), ["PreSync Job/ttl SyncFailed Error"]);
    assert_eq!(world.op.results()[0].message, "Resource batch/Job/ttl is missing, it might have been deleted");
}

/// #21055: the news that a hook is gone may overtake the answer that its finalizer is off. The last group is through by then, and its end
/// must not wait for a finalizer that nobody removes any more.
#[test]
fn issue_21055_a_hook_that_goes_with_its_finalizer_does_not_hold_the_end() {
    let mut world = sync([hook("ttl", "PreSync").fate(Fate::Healthy(2)), resource("ConfigMap", "a")]);
    world.settle();
    world.tick();
    world.tick();
    world.remove("Job", "ttl");
    world.decide();
    let calls: Vec<String> = world.queue.iter().map(|(task, _)| task.key.short()).collect();
    assert_eq!(calls, ["Job/ttl", "ConfigMap/a"], "{:?}", world.calls());
    world.answer(1);
    world.answer_late(0);
    world.run(30);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded, "{:?}", world.calls());
    assert_eq!(count(&world, "look Job/ttl"), 0, "its finalizer is known to be off: {:?}", world.calls());
}

/// #29464 R1502: and one that the view has lost while the last group runs is asked for before the end.
#[test]
fn issue_29464_a_hook_that_is_lost_while_the_last_group_runs_does_not_hold_the_end() {
    let mut world = sync([hook("pre", "PreSync").fate(Fate::Healthy(2)), resource("ConfigMap", "a")]);
    world.settle();
    world.tick();
    world.tick();
    world.lose("Job/pre");
    world.run(30);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded, "{:?}", world.calls());
    assert!(world.locked().is_empty());
}

/// #8586 R1531: a Job with a short time to live that has completed and expired between two looks has done its work; any other object
/// that is gone is missing.
#[test]
fn issue_8586_a_job_that_has_completed_and_expired_is_no_missing_object() {
    for (kind, expected) in [("Job", OperationPhase::Succeeded), ("Deployment", OperationPhase::Failed)] {
        let mut world = sync([resource(kind, "x").fate(Fate::Healthy(2)), resource("ConfigMap", "next").wave(1)]);
        world.settle();
        world.tick();
        world.tick();
        world.take_away(&format!("{kind}/x"));
        world.run(30);
        assert_eq!(world.op.phase(), expected, "{kind}: {:?}", world.results());
    }
}

/// #8586 R1531 again: between its end and its going it is in deletion for a while, and says only that.
#[test]
fn issue_8586_r1549_a_job_whose_deletion_is_heard_before_its_end_was_judged_is_no_missing_object() {
    for (fate, expected) in [(Fate::Healthy(2), OperationPhase::Succeeded), (Fate::Degraded(2), OperationPhase::Failed)] {
        let mut world = sync([resource("Job", "x").fate(fate), resource("ConfigMap", "next").wave(1)]);
        world.settle();
        world.tick();
        world.tick();
        world.remove("Job", "x");
        world.tick();
        world.run(30);
        assert_eq!(world.op.phase(), expected, "{:?}", world.results());
        assert_eq!((count(&world, "look Job/x"), world.op.results()[0].code), (0, crate::model::ResultCode::Synced));
    }
    let mut world = sync([resource("Job", "x").fate(Fate::Healthy(9)), resource("ConfigMap", "next").wave(1)]);
    world.settle();
    world.remove("Job", "x");
    world.tick();
    world.run(30);
    assert_eq!(world.op.results()[0].message, "Resource batch/Job/x is missing, it might have been deleted", "no end was seen");
}

/// #29464 R1502: the view has lost a completed hook in the moment of its clean-up.
#[test]
fn issue_29464_a_completed_hook_that_the_view_has_lost_is_asked_for_and_loses_its_finalizer() {
    let hooks = [hook("quick", "PreSync").fate(Fate::Healthy(1)).policy("HookSucceeded"), hook("slow", "PreSync").fate(Fate::Healthy(3))];
    let mut world = sync(hooks);
    world.settle();
    world.tick();
    world.settle();
    assert_eq!(world.state(Phase::PreSync, "Job/quick"), TaskState::Succeeded);
    world.lose("Job/quick");
    world.run(30);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
    assert_eq!(count(&world, "look Job/quick"), 1, "{:?}", world.calls());
    assert!(world.locked().is_empty());
    assert_eq!(count(&world, "delete Job/quick"), 1, "its policy holds too");
}

/// #24187 R218: a webhook refuses, and the person is told which.
#[test]
fn issue_24187_a_finalizer_that_a_webhook_keeps_is_told_with_the_servers_words() {
    let mut world = sync([hook("pre", "PreSync")]);
    world.finalizers_stick = true;
    world.run(30);
    assert_eq!(world.op.phase(), OperationPhase::Failed);
    assert_eq!(world.op.results()[0].message, "Failed to remove hook finalizer: denied by a webhook");
    assert_eq!(count(&world, "unlock Job/pre"), 1, "it is not tried for ever");
}

/// #25475: the end of an old hook of the same name, heard late, is not the end of the new one.
#[test]
fn issue_25475_what_is_heard_late_of_an_old_hook_says_nothing_of_the_new_one() {
    let migrate = hook("migrate", "PreSync").fate(Fate::Healthy(5));
    let mut world = World::new(Setup { specs: vec![migrate.clone()], leftovers: vec![migrate], ..Setup::default() });
    let old = world.live("Job/migrate").unwrap().clone();
    world.settle();
    world.tick();
    world.settle();
    let key = world.op.plan().tasks[0].id.key.clone();
    assert_eq!(world.state(Phase::PreSync, "Job/migrate"), TaskState::Running);
    world.publish(Event::LiveObserved { key: key.clone(), live: Box::new(old.clone()) });
    world.publish(Event::LiveGone { key, uid: old.uid });
    world.settle();
    assert_eq!(world.state(Phase::PreSync, "Job/migrate"), TaskState::Running);
    world.run(30);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
}

/// #25475 again, when nobody has waited for the end of the old one: its news come after the answer to the new one's creation.
#[test]
fn issue_25475_news_of_an_object_that_are_older_than_its_successor_are_no_replacement() {
    let migrate = hook("migrate", "PreSync").policy("HookFailed").fate(Fate::Healthy(3));
    let mut world = World::new(Setup { specs: vec![migrate.clone()], leftovers: vec![migrate], ..Setup::default() });
    let old = world.live("Job/migrate").unwrap().clone();
    world.take_away_unheard("Job/migrate");
    world.settle();
    let key = world.op.plan().tasks[0].id.key.clone();
    assert_ne!(world.live("Job/migrate").unwrap().uid, old.uid);
    world.publish(Event::LiveObserved { key: key.clone(), live: Box::new(old.clone()) });
    world.settle();
    assert_eq!(world.state(Phase::PreSync, "Job/migrate"), TaskState::Running);
    world.publish(Event::LiveGone { key, uid: old.uid });
    world.run(30);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded, "{:?}", world.op.results());
    assert!(world.locked().is_empty());
}

/// #17155 #18613 R914: at every moment a terminate ends the operation, and asking again and again changes nothing.
#[test]
fn issue_17155_issue_18613_terminate_ends_it_at_any_moment_and_may_be_pressed_three_times() {
    let specs = || {
        vec![
            hook("pre", "PreSync").fate(Fate::Healthy(2)),
            resource("Deployment", "web").fate(Fate::Degraded(2)),
            resource("ConfigMap", "last").wave(1),
            hook("alarm", "SyncFail").policy("HookFailed"),
        ]
    };
    let retry = Retry { limit: Some(2), ..Retry::default() };
    for moment in 0..60 {
        let request = Request {
            retry: retry.clone(),
            pause_before: vec![crate::operation::Breakpoint::parse("SyncFail").unwrap()],
            ..Request::default()
        };
        let mut world = World::new(Setup { specs: specs(), request, ..Setup::default() });
        for turn in 0..moment {
            world.decide();
            if world.queue.is_empty() {
                world.tick();
            } else {
                world.answer(0);
            }
            if turn > 40 && world.op.paused().is_some() {
                world.publish(Event::Resumed { by: "bob".to_owned() });
            }
        }
        for _ in 0..3 {
            terminate(&mut world);
            world.decide();
        }
        world.run(30);
        assert!(world.op.finished_at().is_some(), "at {moment}: {}", world.op.message());
        assert!(world.op.is_terminated() && world.locked().is_empty(), "at {moment}: {:?}", world.locked());
        let ends = world.history.iter().filter(|record| matches!(record.event, Event::OperationFinished { .. })).count();
        assert_eq!(ends, 1, "at {moment}");
    }
}

/// #26180 R1503: applying a hook over one that somebody else deletes and something else holds is refused by the server; it is waited for.
#[test]
fn issue_26180_r309_r1503_a_hook_that_somebody_is_deleting_is_waited_for_and_then_created() {
    for policy in ["HookSucceeded", "BeforeHookCreation"] {
        let migrate = hook("migrate", "PreSync").policy(policy);
        let mut world = World::new(Setup { specs: vec![migrate.clone()], leftovers: vec![migrate], ..Setup::default() });
        world.hold("Job/migrate", "example.com/keep");
        world.remove("Job", "migrate");
        world.settle();
        for _ in 0..5 {
            world.tick();
            world.settle();
        }
        assert_eq!(world.op.message(), "waiting for deletion of hook batch/Job/migrate", "{policy}");
        assert_eq!(count(&world, "apply Job/migrate"), 0, "{policy}");
        world.unlock_by_hand("Job/migrate");
        world.run(30);
        assert_eq!(
            (world.op.phase(), count(&world, "apply Job/migrate")),
            (OperationPhase::Succeeded, 1),
            "{policy}: {:?}",
            world.results()
        );
    }
}

fn shared(options: &[&str]) -> World {
    let specs = vec![resource("ConfigMap", "one"), resource("ConfigMap", "two"), hook("pre", "PreSync")];
    let request = Request { options: crate::model::Options::new(options.iter().map(|option| (*option).to_owned())), ..Request::default() };
    let mut world = World::new(Setup { specs: specs.clone(), leftovers: specs[..2].to_vec(), request, ..Setup::default() });
    world.belongs_to("ConfigMap/one", "guestbook");
    world.run(30);
    world
}

#[test]
fn r1212_an_object_of_another_app_is_told_once_before_anything_is_written() {
    let world = shared(&[]);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
    let texts: Vec<&str> = world.op.warnings().iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["ConfigMap/one is part of applications shop and guestbook"]);
    let place = |is_it: &dyn Fn(&Event) -> bool| world.history.iter().position(|record| is_it(&record.event)).unwrap();
    assert!(place(&|event| matches!(event, Event::Warned { .. })) < place(&|event| matches!(event, Event::StepStarted { .. })));
}

#[test]
fn t154_r725_with_fail_on_shared_resource_nothing_is_written() {
    let world = shared(&["FailOnSharedResource=true"]);
    assert_eq!(
        (world.op.phase(), world.op.message()),
        (OperationPhase::Failed, "Shared resource found: ConfigMap/one is part of applications shop and guestbook")
    );
    assert!(world.calls().is_empty() && world.op.results().is_empty(), "{:?}", world.calls());
}

/// R725: looked at in every pass, so also when it happens in the middle.
#[test]
fn r725_an_object_that_another_app_takes_in_the_middle_ends_the_operation_before_the_next_group() {
    let options = crate::model::Options::new(["FailOnSharedResource=true".to_owned()]);
    let specs = vec![hook("pre", "PreSync").fate(Fate::Healthy(3)), resource("ConfigMap", "one")];
    let leftovers = vec![resource("ConfigMap", "one")];
    let mut world = World::new(Setup { specs, leftovers, request: Request { options, ..Request::default() }, ..Setup::default() });
    world.settle();
    world.belongs_to("ConfigMap/one", "guestbook");
    world.run(30);
    assert!(world.op.message().starts_with("Shared resource found: "), "{}", world.op.message());
    assert_eq!(count(&world, "apply ConfigMap/one"), 0);
    assert!(world.locked().is_empty());
}

#[test]
fn r725_an_object_that_another_app_takes_while_the_last_group_is_waited_for_ends_the_operation() {
    for is_hook_busy in [false, true] {
        let options = crate::model::Options::new(["FailOnSharedResource=true".to_owned()]);
        let (quick, slow) = if is_hook_busy { (1, 5) } else { (5, 1) };
        let last = [resource("Deployment", "web").fate(Fate::Healthy(quick)), hook("last", "Sync").fate(Fate::Healthy(slow))];
        let specs = [vec![resource("ConfigMap", "one"), hook("alert", "SyncFail")], last.map(|spec| spec.wave(1)).to_vec()].concat();
        let mut world = World::new(Setup { specs, request: Request { options, ..Request::default() }, ..Setup::default() });
        world.run(3);
        world.belongs_to("ConfigMap/one", "guestbook");
        world.settle();
        assert_eq!(world.op.finished_at().is_some(), !is_hook_busy, "a hook that runs is not left alone");
        world.run(30);
        assert_eq!(
            (world.op.phase(), world.op.message()),
            (OperationPhase::Failed, "Shared resource found: ConfigMap/one is part of applications shop and guestbook")
        );
        assert_eq!(count(&world, "apply Job/alert"), 0);
        assert!(world.locked().is_empty());
    }
}
