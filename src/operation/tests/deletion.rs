//! The deletion of an app: stages, retries, confirmations, what stays.

use std::time::Duration;

use proptest::prelude::*;

use super::world::{Fate, Setup, Spec, World, deleting, deletion, hook, resource};
use crate::model::{HealthStatus, OperationPhase, Options, Phase, annotation};
use crate::operation::{Event, Limits, Operation, Request, Step};
use crate::plan::Deletion;

fn finished(mut world: World) -> World {
    world.run(400);
    assert!(world.op.finished_at().is_some(), "still {:?}: {}", world.op.phase(), world.op.message());
    world
}

fn left_behind(world: &World) -> Vec<String> {
    world.op.left_behind().into_iter().map(|left| format!("{} {}: {}", left.task.phase, left.task.key.short(), left.reason)).collect()
}

/// Without a finalizer the deletion of a hook may be heard in one breath with its end.
#[test]
fn r1111_r1549_a_predelete_hook_that_has_ended_and_expired_in_one_breath_is_not_run_again() {
    let mut world = deletion([hook("bye", "PreDelete").fate(Fate::Healthy(2))], [resource("ConfigMap", "a")]);
    world.settle();
    world.tick();
    world.tick();
    world.remove("Job", "bye");
    world.tick();
    let world = finished(world);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded, "{:?}", world.results());
    assert_eq!(world.calls(), ["apply Job/bye", "prune ConfigMap/a"]);
}

#[test]
fn r1108_r1109_hooks_start_together_waves_go_from_the_highest_down_and_postdelete_comes_last() {
    let hooks = [hook("bye", "PreDelete"), hook("bye2", "PreDelete").wave(1), hook("after", "PostDelete")];
    let world =
        finished(deletion(hooks, [resource("ConfigMap", "a"), resource("Secret", "s").wave(1), resource("ConfigMap", "low").wave(-2)]));
    assert_eq!(
        world.calls(),
        [
            "apply Job/bye",
            "apply Job/bye2",
            "prune Secret/s",
            "prune Job/bye2",
            "prune ConfigMap/a",
            "prune Job/bye",
            "prune ConfigMap/low",
            "apply Job/after"
        ]
    );
    assert_eq!(world.left(), ["Job/after"]);
    assert_eq!(
        left_behind(&world),
        [
            "PostDelete Job/after: nothing deletes a PostDelete hook with the delete policy BeforeHookCreation after it has succeeded; HookSucceeded would"
        ]
    );
}

#[test]
fn r1111_a_hook_that_has_ended_and_is_gone_at_once_has_ended() {
    let mut world = deletion([hook("bye", "PreDelete")], [resource("ConfigMap", "a")]);
    world.settle();
    world.tick();
    world.becomes("Job/bye", Fate::Vanishes(2));
    world.tick();
    let world = finished(world);
    assert_eq!((world.calls(), world.op.attempt()), (vec!["apply Job/bye".to_owned(), "prune ConfigMap/a".to_owned()], 1));
}

#[test]
fn r1109_the_next_wave_waits_until_the_last_one_is_gone() {
    let mut world = deletion([], [resource("ConfigMap", "a"), resource("ConfigMap", "b").wave(1)]);
    world.hold("ConfigMap/b", "example.com/busy");
    (0..20).for_each(|_| {
        world.settle();
        world.tick();
    });
    assert_eq!(world.op.message(), "waiting for deletion of /ConfigMap/b");
    assert_eq!(world.calls(), ["prune ConfigMap/b"]);
}

/// Whoever deleted it, and whether or not it would have been deleted by us.
#[test]
fn r1109_nothing_is_deleted_while_anything_of_the_app_is_in_deletion() {
    for option in ["", "Delete=false"] {
        let mut world = deletion([], [resource("ConfigMap", "stuck").option(option), resource("ConfigMap", "high").wave(5)]);
        world.hold("ConfigMap/stuck", "example.com/backup");
        world.remove("ConfigMap", "stuck");
        world.run(30);
        assert_eq!(world.calls(), Vec::<String>::new(), "{option}");
        assert_eq!(world.op.message(), "waiting for deletion of /ConfigMap/stuck");
        world.unlock_by_hand("ConfigMap/stuck");
        let world = finished(world);
        assert_eq!((world.op.phase(), world.calls()), (OperationPhase::Succeeded, vec!["prune ConfigMap/high".to_owned()]), "{option}");
        assert!(world.left().is_empty());
    }
}

#[test]
fn r1109_what_stays_and_is_deleted_by_somebody_holds_the_stages_that_have_not_begun() {
    for is_late in [false, true] {
        let kept = resource("ConfigMap", "kept").option("Delete=false").wave(9);
        let mut world = deletion([hook("after", "PostDelete").fate(Fate::Healthy(5))], [kept, resource("ConfigMap", "low")]);
        world.hold("ConfigMap/kept", "example.com/backup");
        world.run(if is_late { 4 } else { 1 });
        assert_eq!(world.calls().contains(&"apply Job/after".to_owned()), is_late);
        world.remove("ConfigMap", "kept");
        world.run(50);
        assert_eq!(world.op.finished_at().is_some(), is_late, "{}", world.op.message());
        if !is_late {
            assert_eq!(world.op.message(), "waiting for deletion of /ConfigMap/kept");
            world.unlock_by_hand("ConfigMap/kept");
        }
        let world = finished(world);
        assert_eq!((world.op.phase(), world.calls().last().unwrap().as_str()), (OperationPhase::Succeeded, "apply Job/after"));
    }
}

#[test]
fn r1109_r1513_a_phase_limit_ends_the_wait_for_what_somebody_else_deletes() {
    let setup = deleting([], [resource("ConfigMap", "stuck"), resource("ConfigMap", "high").wave(5)]);
    let limits = Limits { phase: Some(Duration::from_secs(20)), ..Limits::default() };
    let mut world = World::new(Setup { request: Request { limits, ..setup.request }, ..setup });
    world.hold("ConfigMap/stuck", "example.com/backup");
    world.remove("ConfigMap", "stuck");
    let world = finished(world);
    assert_eq!(world.op.phase(), OperationPhase::Failed);
    assert!(world.op.message().ends_with("Delete did not end within 20s, the limit of a phase"), "{}", world.op.message());
    assert!(world.calls().is_empty());
}

#[test]
fn t176_r1111_a_failed_predelete_hook_stays_and_is_made_again_after_growing_pauses() {
    let mut world = deletion([hook("bye", "PreDelete").fate(Fate::Degraded(1)), hook("good", "PreDelete")], [resource("ConfigMap", "a")]);
    let mut made = Vec::new();
    for _ in 0..60 {
        world.settle();
        if made.last().map(|(_, uid)| uid) != world.live("Job/bye").map(|live| &live.uid) {
            made.push((
                world.now.duration_since(world.op.started_at()).as_secs(),
                world.live("Job/bye").map(|live| live.uid.clone()).unwrap(),
            ));
        }
        world.tick();
    }
    let moments: Vec<i64> = made.iter().map(|(at, _)| *at).collect();
    assert_eq!(moments, [0, 7, 19, 41], "5, 10 and 20 s after each failure, and a second for the deletion");
    assert!(
        world.op.message().starts_with("error executing pre-delete hooks: PreDelete hook(s) failed: shop/bye. Retrying attempt #4 at"),
        "{}",
        world.op.message()
    );
    assert_eq!(world.calls().iter().filter(|call| *call == "apply Job/good").count(), 1, "what succeeded does not run again");
    assert!(world.live("ConfigMap/a").unwrap().deletion.is_none());
    world.set_fate("Job/bye", &Fate::Healthy(1));
    let world = finished(world);
    assert_eq!((world.op.phase(), world.op.attempt(), world.left().len()), (OperationPhase::Succeeded, 5, 0));
    assert_eq!(world.op.attempts().len(), 4);
}

#[test]
fn r1111_the_time_limit_ends_a_deletion_whose_hook_fails_and_the_hook_stays() {
    let mut setup = deleting([hook("bye", "PreDelete").fate(Fate::Degraded(1))], [resource("ConfigMap", "a")]);
    setup.request.limits = Limits { operation: Some(Duration::from_secs(10)), ..Limits::default() };
    let world = finished(World::new(setup));
    assert!(world.op.timed_out && !world.op.is_terminated() && world.op.phase() == OperationPhase::Failed);
    assert!(
        world.op.message().starts_with("the deletion is not complete, and its time limit has passed: error executing pre-delete hooks")
    );
    assert_eq!(world.left(), ["ConfigMap/a", "Job/bye"]);
    assert!(world.live("ConfigMap/a").unwrap().deletion.is_none());
}

#[test]
fn r1116_a_hook_that_the_server_refuses_ends_the_deletion_and_nothing_is_deleted() {
    let world = finished(deletion([hook("bye", "PreDelete").fate(Fate::Refused)], [resource("ConfigMap", "a")]));
    assert_eq!((world.op.phase(), world.op.message()), (OperationPhase::Failed, "error executing pre-delete hooks: shop/bye: bye refused"));
    assert_eq!(world.left(), ["ConfigMap/a"]);
}

#[test]
fn r1536_an_old_hook_proves_nothing_it_is_deleted_and_made_anew() {
    let spec = hook("bye", "PreDelete").policy("HookSucceeded");
    let world = finished(World::new(Setup { leftovers: vec![spec.clone()], ..deleting([spec], [resource("ConfigMap", "a")]) }));
    assert_eq!(world.calls(), ["delete old Job/bye", "apply Job/bye", "prune ConfigMap/a", "prune Job/bye"]);
}

#[test]
fn r1115_an_old_hook_with_a_hook_finalizer_does_not_hold_up_the_deletion() {
    let mut world = World::new(Setup {
        leftovers: vec![hook("both", "PreSync,PreDelete")],
        ..deleting([hook("both", "PreSync,PreDelete")], [hook("migrate", "PreSync")])
    });
    world.hold("Job/migrate", annotation::ARGO_HOOK_FINALIZER);
    world.hold("Job/both", annotation::HOOK_FINALIZER);
    let world = finished(world);
    assert_eq!(
        world.calls(),
        ["unlock old Job/both", "delete old Job/both", "apply Job/both", "unlock old Job/migrate", "prune Job/both", "prune Job/migrate"]
    );
    assert!(world.left().is_empty());
}

#[test]
fn t128_r216_r220_a_deletion_hook_whose_manifest_lists_the_finalizer_loses_it_when_it_has_completed() {
    for (policy, left) in [("HookSucceeded", 0), ("BeforeHookCreation", 1)] {
        let world = finished(deletion([hook("after", "PostDelete").policy(policy).locked()], [resource("ConfigMap", "a")]));
        assert_eq!(world.calls()[..3], ["prune ConfigMap/a", "apply Job/after", "unlock Job/after"]);
        assert_eq!((world.op.phase(), world.left().len()), (OperationPhase::Succeeded, left), "{policy}: {:?}", world.calls());
        assert!(world.live("Job/after").is_none_or(|live| !live.has_hook_finalizer()), "{policy}");
    }
    let world = finished(deletion([hook("bye", "PreDelete").locked()], [resource("ConfigMap", "a")]));
    assert_eq!(world.calls(), ["apply Job/bye", "unlock Job/bye", "prune ConfigMap/a", "prune Job/bye"]);
    assert!(world.left().is_empty());
}

#[test]
fn t128_r1502_a_locked_deletion_hook_that_the_view_has_lost_is_found_before_it_counts_as_gone() {
    let mut world = deletion([hook("bye", "PreDelete").fate(Fate::Healthy(1)).locked(), hook("after", "PostDelete")], []);
    world.settle();
    world.tick();
    world.lose("Job/bye");
    let world = finished(world);
    let calls = ["apply Job/bye", "look Job/bye", "unlock Job/bye", "prune Job/bye", "apply Job/after"];
    assert_eq!((world.op.phase(), world.calls()), (OperationPhase::Succeeded, calls.map(str::to_owned).to_vec()));
}

#[test]
fn t128_a_pause_in_a_deletion_does_not_wait_for_a_finalizer_that_nobody_removes() {
    let mut world = deletion([hook("bye", "PreDelete").locked()], [resource("ConfigMap", "a")]);
    world.settle();
    world.publish(Event::PauseRequested { by: "ann".to_owned() });
    world.run(20);
    assert!(world.op.paused().is_some(), "{:?}", world.calls());
    world.publish(Event::Resumed { by: "ann".to_owned() });
    assert!(finished(world).left().is_empty());
}

/// T127 in a deletion: what follows would wait for the hook for ever.
#[test]
fn t127_r1116_a_finalizer_of_a_deletion_hook_that_cannot_be_removed_ends_the_deletion_and_is_told() {
    let mut world = deletion([hook("after", "PostDelete").policy("HookSucceeded").locked()], [resource("ConfigMap", "a")]);
    world.finalizers_stick = true;
    let world = finished(world);
    assert_eq!(world.op.phase(), OperationPhase::Failed);
    assert!(world.op.message().contains("denied by a webhook"), "{}", world.op.message());
    assert!(world.live("Job/after").unwrap().deletion.is_none(), "it would hang in its deletion");
}

fn limited(hooks: Vec<Spec>, leftovers: Vec<Spec>) -> World {
    let setup = deleting(hooks, [resource("ConfigMap", "a"), resource("ConfigMap", "low").wave(-1)]);
    let limits = Limits { phase: Some(Duration::from_secs(20)), ..Limits::default() };
    World::new(Setup { leftovers, request: Request { limits, ..setup.request }, ..setup })
}

/// The view loses a PreDelete hook just before its turn in the cascade, so that it counts as gone; the PostDelete hook of its name finds it.
#[test]
fn r1109_r1502_an_object_that_was_lost_and_is_a_hook_again_is_not_waited_for_as_deleted() {
    let mut world = deletion([hook("both", "PreDelete,PostDelete").fate(Fate::Healthy(0))], []);
    world.decide();
    world.answer(0);
    world.lose("Job/both");
    let world = finished(world);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
    assert_eq!(world.calls()[..2], ["apply Job/both", "apply Job/both"]);
    assert_eq!(world.results().last().unwrap(), "PostDelete Job/both Synced Succeeded");
}

#[test]
fn r1505_r1513_a_phase_limit_ends_the_wait_of_a_deletion_for_an_old_hook() {
    let bye = hook("bye", "PreDelete");
    let mut world = limited(vec![bye.clone()], vec![bye]);
    world.hold("Job/bye", "example.com/busy");
    let world = finished(world);
    let expected = "error executing pre-delete hooks: shop/bye: PreDelete did not end within 20s, the limit of a phase";
    assert_eq!((world.op.phase(), world.op.message()), (OperationPhase::Failed, expected));
    assert!(world.live("ConfigMap/a").unwrap().deletion.is_none(), "nothing else was deleted");
}

#[test]
fn r1513_a_phase_limit_ends_the_wait_for_an_object_that_does_not_go() {
    let mut world = limited(Vec::new(), Vec::new());
    world.hold("ConfigMap/a", "example.com/busy");
    let world = finished(world);
    let expected =
        "one or more objects could not be deleted, reason: ConfigMap shop/a: Delete did not end within 20s, the limit of a phase";
    assert_eq!((world.op.phase(), world.op.message()), (OperationPhase::Failed, expected));
    assert_eq!((world.op.deleted(), world.op.attempt()), ((0, 2), 1));
    assert!(world.live("ConfigMap/low").unwrap().deletion.is_none(), "its turn did not come");
}

#[test]
fn r1108_r1513_a_postdelete_hook_that_runs_is_not_left_behind_when_the_cascade_fails_late() {
    let mut world = limited(vec![hook("after", "PostDelete").fate(Fate::Healthy(30))], Vec::new());
    world.hold("ConfigMap/low", "example.com/busy");
    while world.live("Job/after").is_none() {
        if world.live("ConfigMap/low").is_some_and(|live| live.deletion.is_some()) {
            world.lose("ConfigMap/low");
        }
        world.settle();
        world.tick();
    }
    world.find("ConfigMap/low");
    let world = finished(world);
    assert!(world.results().iter().all(|text| !text.contains("Running")), "{:?}", world.results());
}

/// It counts from the phase that began last: a PreDelete hook that stays when the app goes is cleaned up long after its own phase.
#[test]
fn r1113_r1513_a_phase_limit_ends_the_wait_for_a_hook_that_goes_by_its_policy_and_it_is_told() {
    for (phase, last) in [("PostDelete", "PostDelete"), ("PreDelete", "Delete")] {
        let mut world = limited(vec![hook("h", phase).policy("HookSucceeded").option("Delete=false")], Vec::new());
        while world.live("Job/h").is_none() {
            world.settle();
            world.tick();
        }
        world.hold("Job/h", "example.com/busy");
        if phase == "PreDelete" {
            world.hold("ConfigMap/a", "example.com/slow");
            world.run(15);
            world.unlock_by_hand("ConfigMap/a");
        }
        let begun = world.now;
        let world = finished(world);
        assert_eq!(world.op.phase(), OperationPhase::Succeeded, "{phase}: {}", world.op.message());
        let told = format!("{last} did not end within 20s, the limit of a phase");
        assert!(world.op.results().iter().any(|result| result.task.phase.as_str() == phase && result.message == told));
        assert_eq!(left_behind(&world).len(), 1, "{:?}", left_behind(&world));
        assert!(world.now.duration_since(begun).as_secs() > 4, "it was waited for");
    }
}

#[test]
fn r1111_a_hook_of_an_earlier_deletion_that_still_runs_is_waited_for() {
    let mut world = World::new(Setup {
        leftovers: vec![hook("bye", "PreDelete").fate(Fate::Never)],
        ..deleting([hook("bye", "PreDelete")], [resource("ConfigMap", "a")])
    });
    world.settle();
    assert_eq!((world.calls(), world.op.message()), (vec!["adopt Job/bye".to_owned()], "waiting for completion of hook batch/Job/bye"));
    // Somebody else makes another object of its name: its end says nothing.
    world.replace("Job", "bye");
    world.settle();
    let result = &world.op.attempts().first().map_or_else(|| world.op.results(), |attempt| &attempt.results)[0];
    assert!(result.message.contains("was replaced by another object"), "{result:?}");
    assert!(world.live("ConfigMap/a").unwrap().deletion.is_none());
}

#[test]
fn r1111_what_ran_before_an_interrupted_deletion_does_not_run_again_beside_what_is_left() {
    let setup = deleting([hook("bye", "PreDelete"), hook("after", "PostDelete")], [resource("ConfigMap", "a")]);
    let world = finished(World::new(Setup { deletion: Deletion { is_begun: true, ..Deletion::default() }, ..setup }));
    assert_eq!(world.calls(), ["prune ConfigMap/a", "apply Job/after"]);
    let reasons: Vec<String> = world.op.not_run().into_iter().map(|left| left.reason).collect();
    assert_eq!(reasons, ["it ran in an earlier deletion, which goes on with this one"]);
}

#[test]
fn t171_r705_r706_what_stays_is_not_touched_and_is_named() {
    let world = finished(deletion(
        [],
        [
            resource("ConfigMap", "gone"),
            resource("ConfigMap", "kept").option("Delete=false"),
            resource("Secret", "helm").annotated(annotation::HELM_RESOURCE_POLICY, "keep"),
            resource("CustomResourceDefinition", "widgets"),
        ],
    ));
    assert_eq!(world.calls(), ["prune ConfigMap/gone"]);
    assert_eq!(
        left_behind(&world),
        [
            "Delete Secret/helm: ignored (helm.sh/resource-policy: keep)",
            "Delete ConfigMap/kept: ignored (Delete=false)",
            "Delete CustomResourceDefinition/widgets: ignored (a CustomResourceDefinition is never deleted with an app)",
        ]
    );
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
}

#[test]
fn an_object_that_was_replaced_since_the_plan_was_made_is_left_alone_and_named() {
    let mut world = deletion([hook("bye", "PreDelete").fate(Fate::Healthy(3))], [resource("ConfigMap", "a"), resource("ConfigMap", "b")]);
    world.settle();
    world.replace("ConfigMap", "a");
    let world = finished(world);
    assert_eq!(left_behind(&world), ["Delete ConfigMap/a: ignored (replaced by another object of the same name)"]);
    assert_eq!(world.left(), ["ConfigMap/a"]);
}

#[test]
fn t178_r1110_nothing_is_deleted_before_a_person_has_confirmed() {
    let owned = || {
        [
            resource("ConfigMap", "a").option("Prune=confirm"),
            resource("ConfigMap", "b").wave(1),
            resource("Secret", "s").option("Delete=confirm"),
        ]
    };
    let mut world = deletion([], owned());
    (0..5).for_each(|_| {
        world.settle();
        world.tick();
    });
    assert_eq!(world.op.message(), "waiting for deletion confirmation of /Secret/s and 1 more resources");
    assert_eq!((world.calls().len(), world.op.unconfirmed().len()), (0, 2));
    let keys = world.op.unconfirmed();
    world.publish(Event::PruneApproved { keys: keys[..1].to_vec(), by: "ann".to_owned() });
    world.settle();
    assert_eq!(world.op.message(), "waiting for deletion confirmation of /ConfigMap/a");
    world.publish(Event::PruneApproved { keys, by: "ann".to_owned() });
    assert!(finished(world).left().is_empty());
    let mut setup = deleting([], owned());
    setup.request.options = Options::new(["Delete=false".to_owned()]);
    let mut world = World::new(setup);
    world.settle();
    assert_eq!(world.op.message(), "waiting for deletion confirmation of /Secret/s", "what stays needs no confirmation");
}

#[test]
fn r1110_a_confirmation_that_only_the_manifest_asks_for_counts() {
    let mut setup = deleting([], []);
    setup.specs = vec![resource("ConfigMap", "a").option("Delete=confirm")];
    setup.candidates = vec![resource("ConfigMap", "a")];
    let mut world = World::new(setup);
    world.settle();
    assert_eq!(world.op.message(), "waiting for deletion confirmation of /ConfigMap/a");
}

#[test]
fn t175_r1112_r1113_policies_count_when_the_worst_health_agrees() {
    let hooks = [
        hook("one", "PostDelete").policy("HookSucceeded"),
        hook("two", "PostDelete").policy("HookSucceeded,HookFailed"),
        hook("three", "PostDelete").policy("HookFailed"),
    ];
    let world = finished(deletion(hooks, []));
    assert_eq!(world.left(), ["Job/three"]);
    assert_eq!(world.calls()[3..], ["delete Job/one", "delete Job/two"]);
    assert!(left_behind(&world)[0].contains("the delete policy HookFailed"), "{:?}", left_behind(&world));
}

/// Its health is lost while it goes: the whole object says nothing but that it is being deleted.
#[test]
fn r1113_the_end_waits_until_a_hook_that_goes_by_its_policy_is_gone() {
    let mut world = deletion([hook("after", "PostDelete").policy("HookSucceeded")], []);
    while world.live("Job/after").is_none_or(|live| live.deletion.is_none()) {
        world.settle();
        world.tick();
        if world.live("Job/after").is_some_and(|live| live.finalizers.is_empty()) {
            world.hold("Job/after", "example.com/slow");
        }
    }
    world.becomes("Job/after", Fate::Is(HealthStatus::Progressing, "Pending deletion"));
    world.run(20);
    assert_eq!((world.op.finished_at(), world.op.message()), (None, "waiting for deletion of hook batch/Job/after"));
    world.unlock_by_hand("Job/after");
    let world = finished(world);
    assert_eq!((world.left().len(), left_behind(&world).len()), (0, 0));
}

#[test]
fn an_object_whose_deletion_is_refused_ends_the_deletion_with_its_name() {
    let mut world = deletion([hook("after", "PostDelete")], [resource("ConfigMap", "a"), resource("ConfigMap", "b")]);
    world.decide();
    let (task, step) = world.queue.pop_front().unwrap();
    let outcome = crate::operation::StepOutcome::Failed { error: "configmaps \"a\" is forbidden".to_owned() };
    world.publish(Event::StepFinished { task, step, outcome });
    let world = finished(world);
    assert_eq!(world.op.message(), "one or more objects could not be deleted, reason: ConfigMap shop/a: configmaps \"a\" is forbidden");
    assert_eq!((world.left(), world.op.attempt()), (vec!["ConfigMap/a".to_owned()], 1));
}

#[test]
fn r905_a_terminate_ends_running_hooks_and_deletes_nothing() {
    let mut world = deletion([hook("bye", "PreDelete").fate(Fate::Never)], [resource("ConfigMap", "a")]);
    world.settle();
    world.publish(Event::TerminateRequested { by: "ann".to_owned() });
    let mut world = finished(world);
    world.tick();
    assert_eq!((world.op.message(), world.left()), ("Operation terminated", vec!["ConfigMap/a".to_owned()]));
}

#[test]
fn p107_a_postdelete_hook_that_could_never_run_is_refused_before_anything_is_deleted() {
    let world = finished(deletion([hook("after", "PostDelete")], [resource("Namespace", "shop").wave(-1), resource("ConfigMap", "a")]));
    assert!(world.op.message().contains("Job shop/after could never run"), "{}", world.op.message());
    assert_eq!(world.left().len(), 2);
}

#[test]
fn r1111_what_has_the_name_of_a_hook_and_belongs_to_somebody_else_is_refused() {
    let strangers = [hook("bye", "PreDelete").key()].into();
    let setup = deleting([hook("bye", "PreDelete")], [resource("ConfigMap", "a")]);
    let leftovers = vec![resource("Job", "bye")];
    let world = finished(World::new(Setup { deletion: Deletion { strangers, ..Deletion::default() }, leftovers, ..setup }));
    assert!(world.op.message().contains("Job shop/bye exists and does not belong to the app shop"), "{}", world.op.message());
    assert_eq!(world.calls().len(), 0);
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => (0u8..5).prop_map(Fate::Healthy),
        2 => (0u8..5).prop_map(Fate::Degraded),
        1 => Just(Fate::NoRule),
        1 => Just(Fate::Refused),
        1 => (1u8..4).prop_map(Fate::Vanishes),
    ]
}

fn hooks() -> impl Strategy<Value = Vec<Spec>> {
    let phases =
        prop_oneof![3 => Just("PreDelete"), 3 => Just("PostDelete"), 1 => Just("PreDelete,PostDelete"), 1 => Just("PreSync,PreDelete")];
    let policy = prop_oneof![Just("BeforeHookCreation"), Just("HookSucceeded"), Just("HookFailed")];
    let one = (phases, policy, -1i64..2, fate());
    proptest::collection::vec(one, 0..4).prop_map(|all| {
        let named = all.into_iter().enumerate();
        named.map(|(at, (phases, policy, wave, fate))| hook(&format!("h{at}"), phases).policy(policy).wave(wave).fate(fate)).collect()
    })
}

fn owned() -> impl Strategy<Value = Vec<Spec>> {
    let kind = prop_oneof![Just("ConfigMap"), Just("Deployment"), Just("CustomResourceDefinition")];
    let option = prop_oneof![3 => Just(""), 1 => Just("Delete=false"), 1 => Just("Delete=foo"), 1 => Just("Prune=false")];
    proptest::collection::vec((kind, option, -2i64..3), 0..6).prop_map(|all| {
        let named = all.into_iter().enumerate();
        named.map(|(at, (kind, option, wave))| resource(kind, &format!("o{at}")).option(option).wave(wave)).collect()
    })
}

#[derive(Debug)]
struct Case {
    hooks: Vec<Spec>,
    owned: Vec<Spec>,
    leftovers: usize,
    picks: Vec<u8>,
    terminate_at: Option<usize>,
}

fn case() -> impl Strategy<Value = Case> {
    let picks = proptest::collection::vec(any::<u8>(), 1..40);
    (hooks(), owned(), 0usize..3, picks, proptest::option::weighted(0.4, 0usize..80))
        .prop_map(|(hooks, owned, leftovers, picks, terminate_at)| Case { hooks, owned, leftovers, picks, terminate_at })
}

/// Plays a case with answers in the order that `picks` says; hooks that fail are repaired after a while.
fn play(case: &Case) -> World {
    let leftovers = case.hooks.iter().take(case.leftovers).filter(|spec| !matches!(spec.fate, Fate::Vanishes(_))).cloned().collect();
    let mut setup = deleting(case.hooks.clone(), case.owned.clone());
    setup.leftovers = leftovers;
    setup.request = Request { limits: Limits { operation: Some(Duration::from_secs(3_000)), ..Limits::default() }, ..setup.request };
    let mut world = World::new(setup);
    let mut picks = case.picks.iter().cycle();
    for turn in 0..2_000 {
        if case.terminate_at == Some(turn) {
            world.publish(Event::TerminateRequested { by: "test".to_owned() });
        }
        if turn == 200 {
            case.hooks
                .iter()
                .filter(|spec| spec.fate != Fate::Refused)
                .for_each(|spec| world.set_fate(&spec.key().short(), &Fate::Healthy(1)));
        }
        world.decide();
        if world.op.finished_at().is_some() {
            break;
        }
        let pick = usize::from(*picks.next().unwrap());
        match world.queue.len() {
            0 => world.tick(),
            _ if pick % 4 == 3 && turn % 3 == 0 => world.tick(),
            waiting => world.answer(pick % waiting),
        }
    }
    world
}

/// Walks the history: nothing is deleted before every PreDelete hook is done, and higher waves are gone before lower ones go.
pub(super) fn check_order(world: &World) -> Result<(), TestCaseError> {
    let mut fold = Operation::start(&world.history[0]).unwrap();
    let mut lowest = None;
    for record in &world.history[1..] {
        if let Event::StepStarted { task, step: Step::Prune { .. } } = &record.event {
            let pre = fold.plan().tasks.iter().filter(|task| task.id.phase == Phase::PreDelete);
            let open: Vec<_> = pre.filter(|task| fold.state(&task.id) != crate::model::TaskState::Succeeded).collect();
            prop_assert!(open.is_empty(), "{:?} is deleted while {open:?} is not done", task.key);
            let wave = fold.plan().task(task).unwrap().wave;
            prop_assert!(lowest.is_none_or(|lowest| wave <= lowest), "wave {wave} goes after wave {lowest:?}");
            let higher = fold.plan().tasks.iter().filter(|other| other.id.phase == Phase::Delete && other.wave > wave);
            prop_assert!(!higher.clone().any(|other| fold.is_leaving(other)), "wave {wave} goes before a higher one is gone");
            let unsent = higher.clone().find(|other| fold.result(&other.id).is_none());
            prop_assert!(unsent.is_none(), "wave {wave} goes before {unsent:?}");
            lowest = Some(wave);
        }
        if let Event::StepStarted { task, step: Step::Apply } = &record.event
            && task.phase == Phase::PostDelete
        {
            let (gone, all) = fold.deleted();
            let kept = fold.left_behind().iter().filter(|left| left.task.phase == Phase::Delete).count();
            prop_assert_eq!(gone + kept, all, "PostDelete starts before everything is gone");
        }
        fold.apply(record);
    }
    prop_assert_eq!(&fold, &world.op, "the history replays");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_deletion_ends_in_order_and_leaves_alone_what_stays(case in case()) {
        let world = play(&case);
        prop_assert!(world.op.finished_at().is_some(), "did not end: {} {:?}", world.op.message(), world.results());
        prop_assert!(world.op.next(world.now).is_empty() && world.queue.is_empty());
        check_order(&world)?;
        for spec in case.owned.iter().filter(|spec| spec.kind == "CustomResourceDefinition" || spec.has("Delete=false")) {
            let live = world.live(&spec.key().short());
            prop_assert!(live.is_some_and(|live| live.deletion.is_none()), "{} was touched", spec.name);
        }
        if world.op.phase() == OperationPhase::Succeeded {
            let left: Vec<String> = world.op.left_behind().into_iter().map(|left| left.task.key.short()).collect();
            prop_assert!(world.left().iter().all(|name| left.contains(name)), "{:?} is left, {left:?} is named", world.left());
        }
    }
}
