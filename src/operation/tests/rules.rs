//! One test for each rule that the main path needs.

use super::world::{Fate, Setup, World, finished, hook, resource, sync};
use crate::model::{OperationPhase, Phase, TaskState};
use crate::operation::{Event, Request, Step, StepOutcome};
use crate::plan::{NewNamespace, NotRunCode};

#[test]
fn r626_single_step_without_hooks_ends_when_everything_was_sent() {
    let world = finished(sync([resource("ConfigMap", "a"), resource("Deployment", "web").fate(Fate::Never)]));
    assert_eq!(world.op.message(), "successfully synced (all tasks run)");
    assert_eq!(world.results(), ["Sync ConfigMap/a Synced Running", "Sync Deployment/web Synced Running"]);
}

#[test]
fn r622_an_empty_list_is_a_success_without_tasks() {
    let world = finished(sync([]));
    assert_eq!((world.op.phase(), world.op.message()), (OperationPhase::Succeeded, "successfully synced (no more tasks)"));
}

#[test]
fn r604_a_multi_step_sync_waits_for_health_before_the_next_wave() {
    let mut world = sync([resource("Deployment", "db").fate(Fate::Healthy(3)), resource("ConfigMap", "late").wave(1)]);
    world.settle();
    assert_eq!(world.op.message(), "waiting for healthy state of apps/Deployment/db");
    assert_eq!(world.calls(), ["apply Deployment/db"]);
    let world = finished(world);
    assert_eq!(world.results(), ["Sync Deployment/db Synced Succeeded", "Sync ConfigMap/late Synced Running"]);
}

#[test]
fn r520_kinds_of_one_group_go_one_after_the_other_and_a_refusal_does_not_stop_later_kinds() {
    let mut world = sync([
        resource("Deployment", "web"),
        resource("ConfigMap", "b").fate(Fate::Refused),
        resource("ConfigMap", "a"),
        resource("Secret", "s"),
    ]);
    world.decide();
    assert_eq!(world.calls(), ["apply Secret/s"]);
    let world = finished(world);
    assert_eq!(world.calls(), ["apply Secret/s", "apply ConfigMap/a", "apply ConfigMap/b", "apply Deployment/web"]);
    assert_eq!(world.op.message(), "one or more synchronization tasks completed unsuccessfully, reason: b refused");
    assert!(world.messages()[0].starts_with("waiting for healthy state of /Secret/s and 2 more resources"), "{:?}", world.messages());
}

#[test]
fn r626_when_nothing_of_the_group_was_taken_the_objects_failed_to_apply() {
    let world = finished(sync([resource("ConfigMap", "a").fate(Fate::Refused), resource("ConfigMap", "b").fate(Fate::Refused)]));
    assert_eq!(world.op.message(), "one or more objects failed to apply, reason: a refused,b refused");
}

#[test]
fn r205_an_old_hook_is_deleted_and_nothing_else_of_its_group_is_created_until_it_is_gone() {
    let old = hook("migrate", "PreSync");
    let mut world =
        World::new(Setup { specs: vec![hook("migrate", "PreSync"), hook("other", "PreSync")], leftovers: vec![old], ..Setup::default() });
    let before = world.live("Job/migrate").unwrap().uid.clone();
    world.settle();
    assert_eq!(world.calls(), ["delete old Job/migrate"]);
    assert_eq!(world.op.message(), "waiting for deletion of hook batch/Job/migrate");
    assert!(world.op.results().is_empty());
    let world = finished(world);
    assert_eq!(world.calls()[1..3], ["apply Job/migrate", "apply Job/other"]);
    assert_ne!(world.live("Job/migrate").unwrap().uid, before);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
}

#[test]
fn r207_an_old_hook_that_is_gone_before_the_answer_to_its_deletion_comes_is_gone() {
    let mut world =
        World::new(Setup { specs: vec![hook("migrate", "PreSync")], leftovers: vec![hook("migrate", "PreSync")], ..Setup::default() });
    world.decide();
    world.answer_late(0);
    assert!(world.live("Job/migrate").is_none(), "an answer does not bring it back");
    let world = finished(world);
    assert_eq!(world.calls(), ["delete old Job/migrate", "apply Job/migrate", "unlock Job/migrate"]);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
}

#[test]
fn r617_an_answer_that_is_older_than_the_end_of_an_object_does_not_bring_it_back() {
    let spec = resource("Deployment", "web").fate(Fate::Vanishes(1));
    let mut world = sync([spec, resource("ConfigMap", "next").wave(1)]);
    world.decide();
    world.answer_late(0);
    let world = finished(world);
    assert_eq!(world.op.results()[0].message, "Resource apps/Deployment/web is missing, it might have been deleted");
    assert_eq!(world.op.phase(), OperationPhase::Failed);
}

#[test]
fn r308_a_hook_without_before_hook_creation_is_judged_by_its_old_outcome() {
    let spec = hook("migrate", "PreSync").policy("HookSucceeded").fate(Fate::Degraded(0));
    let world = finished(World::new(Setup { specs: vec![spec.clone()], leftovers: vec![spec], ..Setup::default() }));
    assert_eq!(world.calls(), ["apply Job/migrate", "unlock Job/migrate"]);
    assert_eq!(world.op.phase(), OperationPhase::Failed);
}

#[test]
fn r208_hook_succeeded_deletes_when_the_whole_operation_has_succeeded() {
    let specs = [
        hook("migrate", "PreSync").policy("HookSucceeded"),
        resource("Deployment", "web").fate(Fate::Healthy(5)),
        hook("smoke", "PostSync"),
    ];
    let mut world = sync(specs.clone());
    world.run(4);
    assert!(world.left().contains(&"Job/migrate".to_owned()), "it lives on during Sync (R211)");
    world = finished(world);
    world.tick();
    assert_eq!(world.left(), ["Deployment/web", "Job/smoke"]);
    let failing = [specs[0].clone(), specs[1].clone(), hook("smoke", "PostSync").fate(Fate::Degraded(1))];
    let mut world = finished(sync(failing));
    world.tick();
    assert!(world.left().contains(&"Job/migrate".to_owned()), "it stays when the operation fails (R210)");
}

#[test]
fn r209_hook_failed_deletes_every_such_hook_when_the_operation_fails() {
    let good = hook("migrate", "PreSync").policy("HookFailed");
    let bad = hook("smoke", "PostSync").policy("HookFailed").fate(Fate::Degraded(1));
    let mut world = finished(sync([good, resource("ConfigMap", "c"), bad]));
    world.tick();
    assert_eq!(world.left(), ["ConfigMap/c"], "also the one that had succeeded");
}

#[test]
fn r217_a_completed_hook_keeps_its_finalizer_until_its_group_is_over() {
    let mut world = sync([hook("fast", "PreSync"), hook("slow", "PreSync").fate(Fate::Healthy(4))]);
    world.run(2);
    assert_eq!(world.state(Phase::PreSync, "Job/fast"), TaskState::Succeeded);
    assert!(world.live("Job/fast").unwrap().has_hook_finalizer());
    let world = finished(world);
    assert!(!world.live("Job/fast").unwrap().has_hook_finalizer());
}

#[test]
fn r307_an_ordinary_object_with_only_generate_name_fails_in_the_dry_pass_and_nothing_starts() {
    let world = finished(sync([resource("ConfigMap", "x-").generated(), hook("alert", "SyncFail"), resource("ConfigMap", "ok")]));
    assert_eq!((world.op.phase(), world.op.message()), (OperationPhase::Failed, "one or more objects failed to apply (dry run)"));
    assert_eq!(world.op.results()[0].message, "from x-: cannot use generate name with apply");
    assert!(world.calls().is_empty());
}

#[test]
fn r302_a_hook_with_generate_name_is_named_by_revision_phase_and_start() {
    let world = finished(sync([hook("mig-", "PreSync").generated()]));
    assert_eq!(world.left(), ["Job/mig-0123456-presync-1772366400"]);
}

#[test]
fn r408_a_syncfail_hook_that_is_refused_adds_a_second_line_and_the_others_run() {
    let world = finished(sync([
        hook("pre", "PreSync").fate(Fate::Degraded(1)),
        hook("alert", "SyncFail"),
        hook("broken", "SyncFail").wave(3).fate(Fate::Refused),
    ]));
    assert_eq!(
        world.op.message(),
        "one or more synchronization tasks completed unsuccessfully\none or more SyncFail hooks failed, reason: broken refused"
    );
    assert_eq!(world.state(Phase::SyncFail, "Job/alert"), TaskState::Succeeded);
}

#[test]
fn r626_syncfail_starts_at_once_while_other_hooks_of_the_group_still_run() {
    let mut world =
        sync([hook("long", "Sync").fate(Fate::Healthy(5)), resource("ConfigMap", "bad").fate(Fate::Refused), hook("alert", "SyncFail")]);
    world.settle();
    assert!(world.calls().contains(&"apply Job/alert".to_owned()), "{:?}", world.calls());
    assert_eq!(world.state(Phase::Sync, "Job/long"), TaskState::Running);
    assert_eq!(world.op.phase(), OperationPhase::Running);
    let world = finished(world);
    assert_eq!(world.state(Phase::Sync, "Job/long"), TaskState::Succeeded);
}

#[test]
fn r505_prune_waves_run_backwards_and_are_computed_anew() {
    let candidates = vec![
        resource("ConfigMap", "a"),
        resource("ConfigMap", "b").wave(1),
        resource("ConfigMap", "c").wave(2),
        resource("ConfigMap", "d").wave(2),
    ];
    let setup = Setup {
        specs: vec![resource("ConfigMap", "keep").wave(1)],
        candidates,
        request: Request { prune: true, ..Request::default() },
        ..Setup::default()
    };
    let world = finished(World::new(setup));
    assert_eq!(world.calls(), ["prune ConfigMap/c", "prune ConfigMap/d", "prune ConfigMap/b", "prune ConfigMap/a", "apply ConfigMap/keep"]);
    assert!(world.messages().contains(&"waiting for deletion of /ConfigMap/c and 1 more resources".to_owned()), "{:?}", world.messages());
}

/// R1519: what is confirmed is an object, not a time.
#[test]
fn r634_an_unconfirmed_prune_holds_its_group_until_it_is_approved() {
    let candidates = vec![resource("ConfigMap", "a").option("Prune=confirm"), resource("ConfigMap", "b")];
    let setup = Setup {
        specs: vec![resource("ConfigMap", "keep")],
        candidates,
        request: Request { prune: true, ..Request::default() },
        ..Setup::default()
    };
    let mut world = World::new(setup);
    world.run(5);
    assert_eq!(world.op.message(), "waiting for pruning confirmation of /ConfigMap/a");
    assert!(world.calls().is_empty());
    let keys = world.op.waiting.on.iter().map(|id| id.key.clone()).collect();
    assert_eq!(world.op.unconfirmed().len(), 1);
    world.publish(Event::PruneApproved { keys, by: "olga".to_owned() });
    assert!(world.op.unconfirmed().is_empty(), "nobody is asked again, however long its group has to wait for something else");
    let world = finished(world);
    assert_eq!(world.calls(), ["prune ConfigMap/a", "prune ConfigMap/b", "apply ConfigMap/keep"]);
}

#[test]
fn r1504_a_running_hook_that_somebody_deletes_fails_after_twenty_seconds_and_its_finalizer_goes() {
    let mut world = sync([hook("migrate", "PreSync").fate(Fate::Never), resource("ConfigMap", "c")]);
    world.run(2);
    world.remove("Job", "migrate");
    world.run(19);
    assert_eq!(world.state(Phase::PreSync, "Job/migrate"), TaskState::Running);
    let mut world = finished(world);
    assert_eq!(world.state(Phase::PreSync, "Job/migrate"), TaskState::Failed);
    world.tick();
    assert!(world.left().is_empty());
}

#[test]
fn r904_terminate_ends_running_hooks_keeps_the_rest_and_starts_no_syncfail() {
    let done = hook("done", "PreSync").policy("HookFailed");
    let mut world = sync([done, hook("endless", "PreSync").fate(Fate::Never), resource("ConfigMap", "c"), hook("alert", "SyncFail")]);
    world.run(4);
    for by in ["olga", "olga", "paul"] {
        world.publish(Event::TerminateRequested { by: by.to_owned() });
    }
    let mut world = finished(world);
    world.tick();
    assert_eq!((world.op.phase(), world.op.message()), (OperationPhase::Failed, "Operation terminated"));
    assert_eq!(world.results(), ["PreSync Job/done Synced Succeeded", "PreSync Job/endless Synced Failed"]);
    assert_eq!(world.left(), ["Job/done"], "a completed hook is kept, also one with HookFailed");
    assert!(!world.live("Job/done").unwrap().has_hook_finalizer());
    assert!(world.op.not_run().iter().all(|left| left.code == NotRunCode::Terminated));
}

#[test]
fn r904_terminate_while_an_old_hook_is_deleted_leaves_no_result() {
    let spec = hook("migrate", "PreSync");
    let mut world = World::new(Setup { specs: vec![spec.clone()], leftovers: vec![spec], ..Setup::default() });
    world.settle();
    world.publish(Event::TerminateRequested { by: "olga".to_owned() });
    let world = finished(world);
    assert!(world.op.results().is_empty());
    assert_eq!(world.op.message(), "Operation terminated");
}

#[test]
fn r904_what_a_terminate_kept_from_being_sent_has_no_result_and_has_not_run() {
    let old = hook("migrate", "PreSync");
    let mut world = World::new(Setup { specs: vec![old.clone(), hook("new", "PreSync")], leftovers: vec![old], ..Setup::default() });
    world.faults.push(|_, step| {
        matches!(step, Step::DeleteOldHook { .. } | Step::RemoveOldFinalizer { .. } | Step::Apply).then_some(StepOutcome::Unsent)
    });
    while world.queue.is_empty() {
        world.tick();
        world.decide();
    }
    world.publish(Event::TerminateRequested { by: "olga".to_owned() });
    let world = finished(world);
    assert_eq!((world.op.message(), world.op.results().len()), ("Operation terminated", 0));
    let codes: Vec<NotRunCode> = world.op.not_run().iter().map(|left| left.code).collect();
    assert_eq!(codes, [NotRunCode::Terminated; 2]);
}

#[test]
fn terminate_before_the_watches_are_open_ends_at_once() {
    let mut world = sync([resource("ConfigMap", "a")]);
    world.publish(Event::TerminateRequested { by: "olga".to_owned() });
    let world = finished(world);
    assert!(world.calls().is_empty());
}

#[test]
fn r610_a_missing_destination_namespace_is_created_before_everything_else() {
    let mut namespace = resource("Namespace", "shop");
    namespace.fate = Fate::NoRule;
    let world = finished(sync([hook("migrate", "PreSync"), namespace, resource("ConfigMap", "c")]));
    assert_eq!(world.calls()[0], "apply Namespace/shop");
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
}

#[test]
fn r610_in_a_single_step_sync_the_namespace_is_not_judged_before_its_group() {
    let world = finished(sync([resource("Namespace", "shop"), resource("ConfigMap", "c")]));
    assert_eq!(world.results(), ["Sync Namespace/shop Synced Running", "Sync ConfigMap/c Synced Running"]);
    assert_eq!(world.op.message(), "successfully synced (all tasks run)");
}

#[test]
fn r615_a_degraded_resource_fails_its_wave_without_grace() {
    let world = finished(sync([resource("Deployment", "web").fate(Fate::Degraded(1)), resource("ConfigMap", "later").wave(1)]));
    assert_eq!(
        (world.op.phase(), world.op.message()),
        (OperationPhase::Failed, "one or more synchronization tasks completed unsuccessfully")
    );
    assert_eq!(world.results(), ["Sync Deployment/web Synced Failed"]);
}

#[test]
fn skipped_and_unknown_hooks_never_run_and_say_why() {
    let specs = [hook("off", "Skip"), hook("typo", "presync"), hook("bye", "PreDelete"), resource("ConfigMap", "c")];
    let world = finished(sync(specs));
    assert_eq!(world.calls(), ["apply ConfigMap/c"]);
    let mut codes: Vec<_> = world.op.not_run().iter().map(|left| left.code.as_str()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["deleteHook", "skip", "unknownHook"]);
}

#[test]
fn the_wave_delay_holds_the_next_group_back() {
    let request = Request { wave_delay: std::time::Duration::from_secs(10), ..Request::default() };
    let mut world =
        World::new(Setup { specs: vec![resource("ConfigMap", "a"), resource("ConfigMap", "b").wave(1)], request, ..Setup::default() });
    world.run(9);
    assert_eq!(world.calls(), ["apply ConfigMap/a"]);
    assert!(world.op.wake_at(world.now).is_some());
    assert_eq!(finished(world).calls().len(), 2);
}

/// Whether the operation makes the Namespace, or a manifest asks for it.
#[test]
fn r518_r610_there_is_no_wave_delay_after_the_destination_namespace() {
    let namespace = resource("Namespace", "shop");
    for (specs, new_namespace) in
        [(vec![resource("ConfigMap", "a")], NewNamespace::Yes), (vec![namespace, resource("ConfigMap", "a")], NewNamespace::No)]
    {
        let request = Request { wave_delay: std::time::Duration::from_secs(10), ..Request::default() };
        let mut world = World::new(Setup { specs, new_namespace, request, ..Setup::default() });
        world.settle();
        assert_eq!(world.calls(), ["apply Namespace/shop", "apply ConfigMap/a"]);
    }
}

#[test]
fn phases_and_waves_start_and_finish_once_and_in_order() {
    let world =
        finished(sync([hook("pre", "PreSync"), resource("ConfigMap", "a"), resource("Deployment", "b").wave(2), hook("post", "PostSync")]));
    let line = |record: &crate::operation::Record| match &record.event {
        Event::PhaseStarted { phase } => Some(format!("+{phase}")),
        Event::WaveStarted { phase, wave } => Some(format!("+{phase} {wave}")),
        Event::WaveFinished { phase, wave } => Some(format!("-{phase} {wave}")),
        Event::PhaseFinished { phase, result } => Some(format!("-{phase} {}", result.as_str())),
        _ => None,
    };
    let lines: Vec<String> = world.history.iter().filter_map(line).collect();
    assert_eq!(
        lines,
        [
            "+PreSync",
            "+PreSync 0",
            "-PreSync 0",
            "-PreSync Succeeded",
            "+Sync",
            "+Sync 0",
            "-Sync 0",
            "+Sync 2",
            "-Sync 2",
            "-Sync Succeeded",
            "+PostSync",
            "+PostSync 0",
            "-PostSync 0",
            "-PostSync Succeeded"
        ]
    );
}

#[test]
fn a_prune_never_touches_an_object_that_replaced_the_one_it_was_about() {
    let request = Request { prune: true, ..Request::default() };
    let specs = vec![hook("slow", "PreSync").fate(Fate::Healthy(5)), resource("ConfigMap", "keep")];
    let mut world = World::new(Setup { specs, candidates: vec![resource("ConfigMap", "old")], request, ..Setup::default() });
    world.run(2);
    world.replace("ConfigMap", "old");
    let world = finished(world);
    assert!(!world.calls().contains(&"prune ConfigMap/old".to_owned()), "{:?}", world.calls());
    assert!(world.left().contains(&"ConfigMap/old".to_owned()));
    assert_eq!(world.op.results()[1].message, "ignored (replaced by another object of the same name)");
}

#[test]
fn r615_a_resource_that_somebody_recreates_while_it_is_waited_for_is_judged_by_its_name() {
    let mut world = sync([resource("Deployment", "web").fate(Fate::Healthy(6)), resource("ConfigMap", "late").wave(1)]);
    world.run(2);
    world.replace("Deployment", "web");
    let world = finished(world);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
    assert!(!world.calls().contains(&"look Deployment/web".to_owned()), "{:?}", world.calls());
}

#[test]
fn r1504_a_running_hook_that_somebody_recreates_fails_and_the_other_object_is_left_alone() {
    let mut world = sync([hook("migrate", "PreSync").fate(Fate::Never), resource("ConfigMap", "c")]);
    world.run(2);
    world.replace("Job", "migrate");
    let world = finished(world);
    assert_eq!(world.state(Phase::PreSync, "Job/migrate"), TaskState::Error);
    assert_eq!(world.left(), ["Job/migrate"]);
}

#[test]
fn r902_a_terminate_after_the_end_was_decided_is_noted_and_changes_nothing() {
    let mut world = sync([hook("migrate", "PreSync").policy("HookSucceeded")]);
    while world.op.conclusion.is_none() {
        world.decide();
        if world.queue.is_empty() { world.tick() } else { world.answer(0) }
    }
    world.publish(Event::TerminateRequested { by: "olga".to_owned() });
    let world = finished(world);
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
    assert!(world.op.is_terminated());
}

#[test]
fn r1504_the_limit_of_a_deleted_hook_counts_from_when_we_saw_it_not_by_the_servers_clock() {
    let mut world = sync([hook("migrate", "PreSync").fate(Fate::Never)]);
    world.run(2);
    world.clock_ahead = 3_600;
    world.remove("Job", "migrate");
    world.run(15);
    assert_eq!(world.state(Phase::PreSync, "Job/migrate"), TaskState::Running);
    assert_eq!(finished(world).state(Phase::PreSync, "Job/migrate"), TaskState::Failed);
}

#[test]
fn a_long_list_that_gets_shorter_is_said_once_a_second_not_once_for_each_object() {
    let specs = (0..400)
        .map(|at| resource("Deployment", &format!("d{at:03}")).fate(Fate::Healthy(if at == 0 { 3 } else { 1 })))
        .chain([resource("ConfigMap", "late").wave(1)]);
    let mut world = sync(specs);
    world.settle();
    world.tick_one_by_one();
    let said = world.history.iter().filter(|record| matches!(record.event, Event::Waiting { .. })).count();
    assert!(said < 60, "said {said} times for 400 objects");
    assert_eq!(finished(world).op.phase(), OperationPhase::Succeeded);
}

#[test]
fn r509_a_definition_goes_before_its_resource_also_when_the_kinds_name_comes_first() {
    let mut definition = resource("CustomResourceDefinition", "networkpolicies.example.com");
    definition.fate = Fate::NoRule;
    let world = finished(sync([definition.defines("example.com", "NetworkPolicy"), resource("NetworkPolicy", "deny")]));
    assert_eq!(world.calls(), ["apply CustomResourceDefinition/networkpolicies.example.com", "apply NetworkPolicy/deny"]);
}

/// However often it is said that a step begins and ends: a run that counts it never waits for more ends than come.
#[test]
fn r520_a_step_that_is_begun_twice_is_waited_for_once() {
    let mut world = sync([resource("ConfigMap", "a"), resource("ConfigMap", "b")]);
    world.decide();
    let (task, step) = world.queue[0].clone();
    world.publish(Event::StepStarted { task: task.clone(), step: step.clone() });
    world.decide();
    world.answer(0);
    let again = StepOutcome::Done { message: String::new(), live: None };
    world.publish(Event::StepFinished { task, step, outcome: again });
    assert!(world.op.next(world.now).is_empty(), "the other one is still out");
    let world = finished(world);
    assert_eq!(world.calls(), ["apply ConfigMap/a", "apply ConfigMap/b", "apply ConfigMap/a"], "the third is the one said twice");
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
}
