//! What else a request can ask for: dry runs, the automatic Namespace, options of the whole operation, only what is out of sync.

use super::world::{Fate, Setup, Spec, World, hook, resource};
use crate::model::OperationPhase;
use crate::operation::{Breakpoint, Event, Request, Retry};
use crate::plan::{Hooks, NewNamespace, NotRunCode};

fn finished(mut world: World) -> World {
    world.run(200);
    assert!(world.op.finished_at().is_some(), "still {:?}: {}", world.op.phase(), world.op.message());
    world
}

#[test]
fn r1318_r1528_a_dry_run_operation_says_what_every_task_would_do_and_writes_nothing() {
    let specs = vec![
        hook("pre", "PreSync").policy("HookSucceeded"),
        resource("ConfigMap", "a"),
        resource("ConfigMap", "c"),
        hook("smoke", "PostSync"),
        hook("alert", "SyncFail"),
    ];
    let request = Request { dry_run: true, prune: true, ..Request::default() };
    let leftovers = vec![hook("pre", "PreSync").policy("HookSucceeded")];
    let candidates = vec![resource("ConfigMap", "b")];
    let world = finished(World::new(Setup { specs, leftovers, candidates, request, ..Setup::default() }));
    assert_eq!((world.op.phase(), world.op.message()), (OperationPhase::Succeeded, "successfully synced (no more tasks)"));
    assert_eq!(
        world.results(),
        [
            "Sync ConfigMap/b Pruned Succeeded",
            "PreSync Job/pre Synced Succeeded",
            "Sync ConfigMap/a Synced Succeeded",
            "Sync ConfigMap/c Synced Succeeded",
            "PostSync Job/smoke Synced Succeeded",
            "SyncFail Job/alert Synced Succeeded",
        ]
    );
    assert_eq!(world.op.results()[0].message, "pruned (dry run)");
    assert!(world.calls().iter().all(|call| call.starts_with("try ")), "{:?}", world.calls());
}

#[test]
fn r1318_a_dry_run_without_pruning_skips_what_would_be_pruned() {
    let request = Request { dry_run: true, ..Request::default() };
    let setup = Setup { specs: Vec::new(), candidates: vec![resource("ConfigMap", "b")], request, ..Setup::default() };
    assert_eq!(finished(World::new(setup)).results(), ["Sync ConfigMap/b PruneSkipped Succeeded"]);
}

fn into_new_namespace(specs: Vec<Spec>, new_namespace: NewNamespace) -> World {
    World::new(Setup { specs, new_namespace, ..Setup::default() })
}

#[test]
fn r515_r1008_a_retry_does_not_make_a_namespace_again_that_the_attempt_before_has_made() {
    let retry = Retry { limit: Some(1), ..Retry::default() };
    let request = Request { retry, pause_before: vec![Breakpoint::parse("PreSync").unwrap()], ..Request::default() };
    let specs = vec![resource("ConfigMap", "a").fate(Fate::Refused)];
    let mut world = World::new(Setup { specs, request, new_namespace: NewNamespace::Yes, ..Setup::default() });
    world.run(5);
    assert!(world.op.paused().is_some() && world.calls().is_empty(), "the Namespace is of PreSync");
    world.publish(Event::Resumed { by: "olga".to_owned() });
    let world = finished(world);
    assert_eq!(world.op.attempt(), 2);
    assert_eq!(world.calls(), ["apply Namespace/shop", "apply ConfigMap/a", "apply ConfigMap/a"]);
    assert_eq!(world.results(), ["Sync ConfigMap/a SyncFailed Failed"]);
    let left: Vec<(String, NotRunCode, String)> =
        world.op.not_run().into_iter().map(|left| (left.task.id.key.short(), left.code, left.reason)).collect();
    assert_eq!(left, [("Namespace/shop".to_owned(), NotRunCode::NotNeeded, "it is there already".to_owned())]);
}

#[test]
fn r515_a_hook_that_is_the_destination_is_made_by_its_phase_alone() {
    let hook = |phase| resource("Namespace", "shop").hooked(phase).policy("HookFailed");
    let world = finished(into_new_namespace(vec![hook("PreSync"), resource("ConfigMap", "a")], NewNamespace::Yes));
    assert_eq!((world.op.message(), world.op.not_run().len()), ("successfully synced (all tasks run)", 0));
    assert_eq!(world.results(), ["PreSync Namespace/shop Synced Succeeded", "Sync ConfigMap/a Synced Running"]);
    let late = into_new_namespace(vec![hook("PostSync"), resource("ConfigMap", "a")], NewNamespace::Yes);
    assert!(late.op.plan().tasks.iter().any(|task| task.automatic), "what comes before it needs the Namespace");
}

#[test]
fn r730_what_is_left_out_still_makes_a_sync_multi_step() {
    let specs = vec![resource("Deployment", "web").fate(Fate::Healthy(3)), resource("ConfigMap", "same").wave(1)];
    let unmodified = vec![resource("ConfigMap", "same").wave(1)];
    let mut world = World::new(Setup { specs, unmodified, ..Setup::default() });
    world.settle();
    assert_eq!(world.results(), ["Sync Deployment/web Synced Running"]);
    assert_eq!(finished(world).op.message(), "successfully synced (all tasks run)");
}

#[test]
fn r1529_hooks_run_in_a_selective_sync_only_if_asked_for() {
    let specs = || vec![hook("pre", "PreSync"), resource("ConfigMap", "a"), resource("ConfigMap", "b")];
    let request = Request { hooks: Hooks::Always, ..super::world::selecting(&["ConfigMap:a"]) };
    let world = finished(World::new(Setup { specs: specs(), request, ..Setup::default() }));
    assert_eq!(world.calls(), ["apply Job/pre", "unlock Job/pre", "apply ConfigMap/a"]);
    let usual = World::new(Setup { specs: specs(), request: super::world::selecting(&["ConfigMap:a"]), ..Setup::default() });
    assert_eq!(finished(usual).calls(), ["apply ConfigMap/a"]);
}

#[test]
fn decision_9_a_hook_that_goes_with_its_own_success_is_deleted_before_the_next_group_has_ended() {
    let specs = || {
        vec![
            hook("seed", "PreSync").policy("HookSucceeded"),
            resource("Deployment", "web").fate(Fate::Healthy(5)),
            hook("smoke", "PostSync"),
        ]
    };
    let request = Request { delete_succeeded_hooks_early: true, ..Request::default() };
    let world = finished(World::new(Setup { specs: specs(), request, ..Setup::default() }));
    let calls = world.calls();
    let at = |name: &str| calls.iter().position(|call| call == name).unwrap();
    assert!(at("unlock Job/seed") < at("delete Job/seed") && at("delete Job/seed") < at("apply Job/smoke"), "{calls:?}");
    let usual = finished(World::new(Setup { specs: specs(), ..Setup::default() }));
    assert_eq!(usual.calls().last().map(String::as_str), Some("delete Job/seed"));
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
}

#[test]
fn a_hook_can_be_left_out_by_name_and_the_plan_says_so() {
    let skip_hooks = vec![crate::plan::HookSelector::parse("PreSync:Job/one").unwrap()];
    let request = Request { skip_hooks, ..Request::default() };
    let world = finished(World::new(Setup { specs: vec![hook("one", "PreSync"), hook("two", "PreSync")], request, ..Setup::default() }));
    assert_eq!(world.calls(), ["apply Job/two", "unlock Job/two"]);
    assert_eq!((world.op.not_run()[0].code, &*world.op.not_run()[0].reason), (NotRunCode::Skip, "left out by --skip-hook PreSync:Job/one"));
}

/// The table says what runs, this why the rest does not.
#[test]
fn r804_r813_what_the_strategy_and_a_selection_leave_out_is_said() {
    let specs = || vec![hook("pre", "PreSync"), resource("ConfigMap", "a")];
    let request = Request { hooks: Hooks::Never, ..Request::default() };
    let world = finished(World::new(Setup { specs: specs(), request, ..Setup::default() }));
    assert_eq!(world.op.not_run()[0].reason, "the strategy `apply` runs no hooks");
    let world =
        finished(World::new(Setup { specs: specs(), request: super::world::selecting(&[":ConfigMap:nothing"]), ..Setup::default() }));
    assert!(world.op.not_run().iter().all(|left| left.code == NotRunCode::Selection));
    assert!(world.op.plan().warnings.iter().any(|warning| warning.message.contains("matches nothing")));
}
