//! Chapter 16.P of the test matrix: whole operations over the pure core.

use super::world::{Fate, Setup, World, finished, hook, resource, sync};
use crate::model::OperationPhase;
use crate::operation::Request;

/// An old migration that is over and still has its finalizer, two waves, an object to prune, a smoke test at the end.
fn full_life(deployment: Fate) -> World {
    let migrate = hook("m", "PreSync").fate(Fate::Healthy(2));
    let specs = vec![
        migrate.clone(),
        resource("ConfigMap", "c"),
        resource("Deployment", "d").wave(1).fate(deployment),
        hook("s", "PostSync").policy("HookSucceeded"),
    ];
    let request = Request { prune: true, ..Request::default() };
    let candidates = vec![resource("ConfigMap", "x")];
    let mut world = World::new(Setup { specs, leftovers: vec![migrate], candidates, request, ..Setup::default() });
    world.lock("Job/m");
    world
}

/// R1516: what was told to go is known to be going from the answer, whatever the view says.
#[test]
fn t188_r122_r204_r508_r520_r619_a_full_life() {
    let world = finished(full_life(Fate::Healthy(2)));
    assert_eq!(
        world.calls(),
        [
            "unlock old Job/m",
            "delete old Job/m",
            "apply Job/m",
            "unlock Job/m",
            "prune ConfigMap/x",
            "apply ConfigMap/c",
            "apply Deployment/d",
            "apply Job/s",
            "unlock Job/s",
            "delete Job/s",
        ]
    );
    assert_eq!(
        world.messages(),
        [
            "waiting for deletion of hook batch/Job/m",
            "waiting for completion of hook batch/Job/m",
            "waiting for healthy state of /ConfigMap/c and 1 more resources",
            "waiting for deletion of /ConfigMap/x",
            "waiting for healthy state of apps/Deployment/d",
            "waiting for completion of hook batch/Job/s",
            "successfully synced (no more tasks)",
        ]
    );
    assert_eq!(
        world.results(),
        [
            "PreSync Job/m Synced Succeeded",
            "Sync ConfigMap/x Pruned Succeeded",
            "Sync ConfigMap/c Synced Succeeded",
            "Sync Deployment/d Synced Succeeded",
            "PostSync Job/s Synced Succeeded",
        ]
    );
    assert!(world.left().contains(&"Job/m".to_owned()), "its policy keeps it for the next sync");
}

/// T192: R301 R303 R613: names and results are those of the records, whenever it is rebuilt.
#[test]
fn t192_an_operation_that_is_rebuilt_from_its_records_at_any_moment_goes_on_as_if_nothing_had_happened() {
    let whole = finished(full_life(Fate::Healthy(2)));
    let told = |world: &World| (world.calls(), world.messages(), world.results());
    let mut moments = 1;
    let mut moment = 0;
    while moment < moments {
        let mut world = full_life(Fate::Healthy(2));
        moments = 0;
        while world.op.finished_at().is_none() {
            if moments == moment {
                world.rebuild();
            }
            moments += 1;
            world.decide();
            if world.queue.is_empty() { world.tick() } else { world.answer(0) }
        }
        assert_eq!(told(&world), told(&whole), "rebuilt at moment {moment}");
        moment += 1;
    }
    assert!(moments > 15, "only {moments} moments");
}

#[test]
fn t189_r625_r628_a_full_life_that_ends_badly() {
    let world = finished(full_life(Fate::Degraded(2)));
    assert_eq!(
        (world.op.phase(), world.op.message()),
        (OperationPhase::Failed, "one or more synchronization tasks completed unsuccessfully")
    );
    assert!(!world.calls().contains(&"apply Job/s".to_owned()));
    assert_eq!(world.left(), ["ConfigMap/c", "Deployment/d", "Job/m"]);
}

#[test]
fn t193_r513_r610_the_destination_namespace_of_a_late_wave_is_created_before_everything() {
    let world = finished(sync([resource("Namespace", "shop").wave(3), resource("ConfigMap", "c"), resource("Deployment", "d")]));
    assert_eq!(world.calls()[0], "apply Namespace/shop");
    assert_eq!(world.calls()[1..], ["apply ConfigMap/c", "apply Deployment/d"]);
    let nameless = finished(sync([resource("Namespace", "shop").wave(3), resource("ConfigMap", "x-").generated()]));
    assert_eq!(nameless.op.message(), "one or more objects failed to apply (dry run)");
    assert_eq!(nameless.calls(), ["apply Namespace/shop"], "it comes before the dry pass");
}

#[test]
fn t54_r405_r611_a_destination_namespace_that_is_refused_ends_it_and_starts_no_syncfail() {
    let world = finished(sync([resource("Namespace", "shop").fate(Fate::Refused), resource("ConfigMap", "c"), hook("alert", "SyncFail")]));
    assert_eq!((world.op.phase(), world.op.message()), (OperationPhase::Failed, "the namespace failed to apply, reason: shop refused"));
    assert_eq!(world.calls(), ["apply Namespace/shop"]);
}

/// R219: the dry pass of a sync that fails in it has touched nothing, not even a finalizer.
#[test]
fn t42_t43_t45_r219_r612_a_dry_pass_that_fails_leaves_everything_alone_and_one_that_succeeds_no_results() {
    let old = hook("h", "PreSync");
    let mut specs = vec![old.clone(), hook("alert", "SyncFail"), resource("ConfigMap", "x-").generated()];
    let mut world = World::new(Setup { specs: specs.clone(), leftovers: vec![old.clone()], ..Setup::default() });
    world.lock("Job/h");
    let world = finished(world);
    assert_eq!(world.op.message(), "one or more objects failed to apply (dry run)");
    assert!(world.calls().is_empty());
    assert_eq!(world.op.results()[0].message, "from x-: cannot use generate name with apply");
    assert_eq!(world.results().len(), 1);
    specs.pop();
    let mut world = sync(specs.into_iter().chain([resource("ConfigMap", "c")]));
    world.settle();
    assert_eq!(world.results(), ["PreSync Job/h Synced Running"]);
}
