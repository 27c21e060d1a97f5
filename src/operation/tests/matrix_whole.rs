//! Chapter 16.P of the test matrix: an operation that is rebuilt from its records.

use super::world::{Fate, Setup, World, finished, hook, resource};
use crate::operation::Request;

/// An old migration that is over and still has its finalizer, two waves, an object to prune, a smoke test at the end.
fn full_life() -> World {
    let migrate = hook("m", "PreSync").fate(Fate::Healthy(2));
    let specs = vec![
        migrate.clone(),
        resource("ConfigMap", "c"),
        resource("Deployment", "d").wave(1).fate(Fate::Healthy(2)),
        hook("s", "PostSync").policy("HookSucceeded"),
    ];
    let request = Request { prune: true, ..Request::default() };
    let candidates = vec![resource("ConfigMap", "x")];
    let mut world = World::new(Setup { specs, leftovers: vec![migrate], candidates, request, ..Setup::default() });
    world.lock("Job/m");
    world
}

/// T192: R301 R303 R613: names and results are those of the records, whenever it is rebuilt.
#[test]
fn t192_an_operation_that_is_rebuilt_from_its_records_at_any_moment_goes_on_as_if_nothing_had_happened() {
    let whole = finished(full_life());
    let told = |world: &World| (world.calls(), world.messages(), world.results());
    let mut moments = 1;
    let mut moment = 0;
    while moment < moments {
        let mut world = full_life();
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
