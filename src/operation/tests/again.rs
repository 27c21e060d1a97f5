//! A deletion looks again at what the app owns (spec R1109d).

use super::world::{Fate, World, deletion, finished, hook, resource};
use crate::model::{OperationPhase, Phase};
use crate::operation::{Event, Operation, Step, StepOutcome};

fn looks(world: &World) -> usize {
    world.history.iter().filter(|record| record.event == Event::SearchStarted).count()
}

fn assert_replays(world: &World) {
    let mut fold = Operation::start(&world.history[0]).unwrap();
    world.history[1..].iter().for_each(|record| fold.apply(record));
    assert!(fold == world.op, "T192: the records alone tell everything");
}

#[test]
fn r1109_what_a_predelete_hook_makes_goes_with_the_app_in_its_wave() {
    let mut world = deletion([hook("bye", "PreDelete").fate(Fate::Healthy(2)), hook("after", "PostDelete")], [resource("ConfigMap", "a")]);
    world.appears =
        vec![resource("Secret", "late").wave(2), resource("ConfigMap", "kept").option("Delete=false"), hook("after", "PostDelete")];
    let world = finished(world);
    assert_eq!(world.calls(), ["apply Job/bye", "prune Secret/late", "prune ConfigMap/a", "prune Job/bye", "apply Job/after"]);
    let results = world.results();
    assert!(results.contains(&"Delete Secret/late Pruned Succeeded".to_owned()), "{results:?}");
    assert!(results.contains(&"Delete ConfigMap/kept PruneSkipped Succeeded".to_owned()), "{results:?}");
    let at = |phase: Phase| world.op.plan().tasks.iter().rposition(|task| task.id.phase == phase);
    assert!(at(Phase::Delete) < at(Phase::PostDelete), "the rows stand where they run");
    assert_eq!(looks(&world), 2, "after the hooks, and at the end");
    assert_replays(&world);
}

#[test]
fn r1109_an_object_of_the_app_in_the_place_of_a_planned_one_is_deleted_too() {
    let mut world = deletion([hook("bye", "PreDelete").fate(Fate::Healthy(2))], [resource("ConfigMap", "a"), resource("ConfigMap", "b")]);
    world.settle();
    world.replace("ConfigMap", "a");
    world.appears = vec![resource("ConfigMap", "a")];
    let world = finished(world);
    assert_eq!(world.calls(), ["apply Job/bye", "prune ConfigMap/a", "prune ConfigMap/b", "prune Job/bye"]);
    assert_eq!((world.left().len(), world.op.left_behind().len()), (0, 0));
    assert_replays(&world);
}

#[test]
fn r1109_what_is_made_again_while_the_objects_go_is_deleted_before_the_postdelete_hooks_run() {
    let mut world = deletion([hook("after", "PostDelete")], [resource("ConfigMap", "a")]);
    world.appears = vec![resource("ConfigMap", "a"), resource("Pod", "p")];
    let world = finished(world);
    assert_eq!(world.calls(), ["prune ConfigMap/a", "prune ConfigMap/a", "prune Pod/p", "apply Job/after"]);
    assert_eq!(world.op.results().len(), 3, "one result for each object");
    assert_replays(&world);
}

#[test]
fn r1109_what_somebody_goes_on_making_is_given_up_and_named() {
    let mut world = deletion([hook("after", "PostDelete")], [resource("ConfigMap", "a")]);
    (world.appears, world.appears_again) = (vec![resource("ConfigMap", "again")], true);
    let world = finished(world);
    assert_eq!((world.op.phase(), looks(&world)), (OperationPhase::Succeeded, 5), "{:?}", world.results());
    let left: Vec<String> = world.op.left_behind().into_iter().map(|left| format!("{}: {}", left.task.key.short(), left.reason)).collect();
    assert_eq!(left[0], "ConfigMap/again: ignored (something makes it again and again while the app is being deleted)");
    let told = world.op.warnings().iter().filter(|(_, text)| text.contains("end that first, and delete again")).count();
    assert_eq!(told, 1);
    assert_eq!(world.calls().last().unwrap(), "apply Job/after");
    assert_replays(&world);
}

#[test]
fn r1109_what_postdelete_hooks_make_is_not_looked_for_when_one_of_them_runs_again() {
    let mut world = deletion([hook("after", "PostDelete").fate(Fate::Degraded(1))], [resource("ConfigMap", "a")]);
    while world.op.attempt() == 1 {
        world.settle();
        world.tick();
    }
    assert_eq!(looks(&world), 1, "at the end of the cascade");
    world.appears = vec![resource("ConfigMap", "farewell")];
    world.set_fate("Job/after", &Fate::Healthy(1));
    let world = finished(world);
    assert_eq!((world.op.phase(), looks(&world)), (OperationPhase::Succeeded, 1));
    assert!(!world.calls().contains(&"prune ConfigMap/farewell".to_owned()));
}

/// Minutes may lie between two attempts, and what was made again in the first says nothing about the second.
#[test]
fn r1109_each_attempt_of_a_deletion_has_all_of_its_looks() {
    let mut world = deletion([hook("after", "PostDelete").fate(Fate::Degraded(1))], [resource("ConfigMap", "a")]);
    (world.appears, world.appears_again) = (vec![resource("ConfigMap", "again")], true);
    let is_over = |world: &World| world.history.iter().any(|record| matches!(record.event, Event::RetryScheduled { .. }));
    while !is_over(&world) {
        world.settle();
        world.tick();
    }
    assert_eq!((world.op.attempt(), looks(&world)), (1, 5));
    world.publish(Event::AttemptStarted { attempt: 2 });
    let task = world.op.plan().tasks.iter().map(|task| &task.id).find(|id| id.key == resource("ConfigMap", "a").key()).unwrap().clone();
    let step = Step::Prune { uid: "another".into() };
    world.publish(Event::StepStarted { task: task.clone(), step: step.clone() });
    world.publish(Event::StepFinished { task, step, outcome: StepOutcome::Gone });
    world.decide();
    assert!(looks(&world) > 5);
    assert_replays(&world);
}

#[test]
fn r1109_an_app_without_anything_is_not_looked_for_twice() {
    assert_eq!(looks(&finished(deletion([], []))), 0);
}

#[test]
fn r1109_a_look_that_comes_back_after_a_terminate_adds_nothing() {
    let mut world = deletion([], [resource("ConfigMap", "a")]);
    world.publish(Event::SearchStarted);
    world.publish(Event::TerminateRequested { by: "ann".to_owned() });
    let candidate = crate::plan::Candidate {
        key: resource("ConfigMap", "late").key(),
        version: "v1".into(),
        live: super::world::live_of(&resource("ConfigMap", "late"), 900, crate::model::Assessment::NoRule, &[]),
    };
    world.publish(Event::SearchFinished { found: vec![candidate] });
    assert_eq!(world.op.plan().tasks.len(), 1);
    assert_eq!(finished(world).op.phase(), OperationPhase::Failed);
}
