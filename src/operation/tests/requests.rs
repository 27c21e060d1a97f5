//! What else a request can ask for: dry runs, the automatic Namespace, options of the whole operation, only what is out of sync.

use super::world::{Fate, Setup, Spec, World, hook, resource};
use crate::model::{OperationPhase, Options};
use crate::operation::{Breakpoint, Event, Request, Retry};
use crate::plan::{Hooks, NewNamespace, NotRunCode};

fn options(items: &[&str]) -> Options {
    Options::new(items.iter().map(|item| (*item).to_owned()))
}

fn finished(mut world: World) -> World {
    world.run(200);
    assert!(world.op.finished_at().is_some(), "still {:?}: {}", world.op.phase(), world.op.message());
    world
}

fn pruning(candidates: Vec<Spec>, given: &[&str], prune: bool) -> World {
    let request = Request { prune, options: options(given), ..Request::default() };
    World::new(Setup { specs: vec![resource("ConfigMap", "keep")], candidates, request, ..Setup::default() })
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
fn t47_r515_r517_a_missing_namespace_is_made_first_and_alone() {
    let mut world = into_new_namespace(vec![resource("Pod", "p")], NewNamespace::Yes);
    world.decide();
    world.answer(0);
    let messages = world.messages();
    world.decide();
    assert_eq!(world.results(), ["PreSync Namespace/shop Synced Running"]);
    assert!(messages.is_empty());
    assert_eq!(world.messages()[0], "waiting for healthy state of /Namespace/shop");
}

#[test]
fn t53_r516_the_result_of_an_automatic_namespace_stays_running_for_ever() {
    let world = finished(into_new_namespace(vec![resource("ConfigMap", "a")], NewNamespace::Yes));
    assert_eq!(world.op.message(), "successfully synced (all tasks run)");
    assert_eq!(world.results(), ["PreSync Namespace/shop Synced Running", "Sync ConfigMap/a Synced Running"]);
    assert!(world.op.results()[0].task.key.namespace.is_empty());
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
fn t48_r610_the_namespace_comes_before_the_dry_pass() {
    let world = finished(into_new_namespace(vec![resource("ConfigMap", "x-").generated()], NewNamespace::Yes));
    assert_eq!(world.op.message(), "one or more objects failed to apply (dry run)");
    assert_eq!(world.results(), ["PreSync Namespace/shop Synced Running", "Sync ConfigMap/ SyncFailed Failed"]);
}

#[test]
fn t49_r515_a_namespace_that_a_manifest_asks_for_is_not_made_twice() {
    let world = into_new_namespace(vec![resource("Namespace", "shop"), resource("ConfigMap", "a")], NewNamespace::Yes);
    assert_eq!(world.op.plan().tasks.len(), 2);
    assert!(world.op.plan().tasks.iter().all(|task| !task.automatic));
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
fn t50_r515_without_need_or_wish_there_is_no_automatic_namespace() {
    assert_eq!(into_new_namespace(vec![resource("ConfigMap", "a")], NewNamespace::No).op.plan().tasks.len(), 1);
    assert_eq!(into_new_namespace(vec![resource("ConfigMap", "a")], NewNamespace::Yes).op.plan().tasks.len(), 2);
}

#[test]
fn t52_r515_a_namespace_that_cannot_be_looked_for_fails_its_task_with_the_servers_sentence() {
    let world = finished(into_new_namespace(vec![resource("ConfigMap", "a")], NewNamespace::Unclear("boom".to_owned())));
    assert_eq!(world.results(), ["PreSync Namespace/shop SyncFailed Error"]);
    assert_eq!(world.op.results()[0].message, "namespace auto creation failed: boom");
    assert_eq!(world.op.phase(), OperationPhase::Failed);
}

#[test]
fn t54_r611_a_namespace_that_cannot_be_made_ends_the_operation_and_starts_no_syncfail_hook() {
    let mut world = into_new_namespace(vec![resource("ConfigMap", "a"), hook("alert", "SyncFail")], NewNamespace::Yes);
    world.refuse("Namespace/shop");
    let world = finished(world);
    assert_eq!(world.op.message(), "the namespace failed to apply, reason: shop refused");
    assert_eq!(world.results(), ["PreSync Namespace/shop SyncFailed Failed"]);
}

#[test]
fn t69_t70_r632_r704_what_the_live_object_says_of_its_pruning_beats_the_operation() {
    for (on_live, given, result) in [
        ("Prune=false", &[][..], "PruneSkipped"),
        ("Prune=false", &["Prune=true"], "PruneSkipped"),
        ("Prune=false", &["Prune=false"], "PruneSkipped"),
        ("", &["Prune=false"], "PruneSkipped"),
        ("Prune=true", &["Prune=false"], "Pruned"),
        ("Prune=foo", &["Prune=confirm"], "Pruned"),
    ] {
        let world = finished(pruning(vec![resource("ConfigMap", "old").option(on_live)], given, true));
        assert_eq!(world.results()[0], format!("Sync ConfigMap/old {result} Succeeded"), "{on_live} {given:?}");
        if result == "PruneSkipped" {
            assert_eq!(world.op.results()[0].message, "ignored (no prune)");
        }
    }
}

#[test]
fn t71_t72_r634_a_prune_that_wants_to_be_confirmed_waits_wherever_that_is_said() {
    for (on_live, given) in [
        ("Prune=confirm", &[][..]),
        ("Prune=confirm", &["Prune=true"]),
        ("Prune=confirm", &["Prune=false"]),
        ("Prune=confirm", &["Prune=confirm"]),
        ("", &["Prune=confirm"]),
    ] {
        let mut world = pruning(vec![resource("ConfigMap", "old").option(on_live)], given, true);
        world.run(5);
        assert_eq!(world.op.message(), "waiting for pruning confirmation of /ConfigMap/old", "{on_live} {given:?}");
        assert!(world.op.results().is_empty());
        let keys = world.op.unconfirmed();
        world.publish(Event::PruneApproved { keys, by: "olga".to_owned() });
        assert_eq!(finished(world).results()[0], "Sync ConfigMap/old Pruned Succeeded");
    }
}

#[test]
fn t73_r1518_nobody_is_asked_to_confirm_what_is_not_pruned() {
    let world = finished(pruning(vec![resource("ConfigMap", "old").option("Prune=confirm")], &[], false));
    assert_eq!(world.results()[0], "Sync ConfigMap/old PruneSkipped Succeeded");
}

#[test]
fn t74_r1518_an_unconfirmed_prune_does_not_keep_the_rest_from_being_validated() {
    let request = Request { prune: true, ..Request::default() };
    let specs = vec![resource("ConfigMap", "x-").generated()];
    let candidates = vec![resource("ConfigMap", "old").option("Prune=confirm").wave(5)];
    let world = finished(World::new(Setup { specs, candidates, request, ..Setup::default() }));
    assert_eq!(world.op.message(), "one or more objects failed to apply (dry run)");
}

#[test]
fn t30_r506_prune_last_of_the_operation_puts_every_prune_behind_the_last_wave() {
    let candidates = (1..=4).map(|wave| resource("ConfigMap", &format!("p{wave}")).wave(wave)).collect();
    let world = finished(pruning(candidates, &["PruneLast=true"], true));
    assert_eq!(world.calls()[0], "apply ConfigMap/keep");
    assert_eq!(world.calls().len(), 5);
}

#[test]
fn t84_t85_t87_r730_only_what_is_out_of_sync_is_applied_and_the_rest_is_named() {
    let specs = vec![resource("ConfigMap", "new"), resource("ConfigMap", "same"), hook("pre", "PreSync"), resource("Namespace", "ns-3")];
    let unmodified = vec![resource("ConfigMap", "same"), resource("Namespace", "ns-3")];
    let candidates = vec![resource("ConfigMap", "extra")];
    let world = finished(World::new(Setup { specs, candidates, unmodified, ..Setup::default() }));
    assert_eq!(world.op.phase(), OperationPhase::Succeeded);
    assert_eq!(
        world.results(),
        ["PreSync Job/pre Synced Succeeded", "Sync ConfigMap/extra PruneSkipped Succeeded", "Sync ConfigMap/new Synced Running"]
    );
    let left: Vec<(String, NotRunCode)> = world.op.not_run().iter().map(|left| (left.task.id.key.short(), left.code)).collect();
    assert_eq!(left, [("Namespace/ns-3".to_owned(), NotRunCode::NotNeeded), ("ConfigMap/same".to_owned(), NotRunCode::NotNeeded)]);
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
fn t152_r813_the_strategy_apply_runs_everything_but_hooks() {
    let request = Request { hooks: Hooks::Never, ..Request::default() };
    let world =
        finished(World::new(Setup { specs: vec![hook("pre", "PreSync"), resource("ConfigMap", "a")], request, ..Setup::default() }));
    assert_eq!(world.calls(), ["apply ConfigMap/a"]);
    assert_eq!(world.op.not_run()[0].reason, "the strategy `apply` runs no hooks");
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
