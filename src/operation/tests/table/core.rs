//! Plays the rows of the table over the pure core and its pretended cluster.

use super::{Act, Played, Rows, Scenario, When, each_row, is_told};
use crate::operation::tests::world::World;
use crate::operation::{Event, Operation};

/// Longer than any row takes.
const LONG: usize = 4_000;

/// Ticks until the operation says so; returns how many facts there were when it did.
fn until_told(world: &mut World, text: &str, from: usize) -> usize {
    let mut fold = Operation::start(&world.history[0]).unwrap();
    world.history[1..from].iter().for_each(|record| fold.apply(record));
    let mut seen = from;
    for _ in 0..LONG {
        world.settle();
        while seen < world.history.len() {
            fold.apply(&world.history[seen]);
            seen += 1;
            if is_told(text, fold.message()) {
                return seen;
            }
        }
        world.tick();
    }
    panic!("it never said {text:?}; {:?}", world.messages())
}

fn until(world: &mut World, when: When, from: usize) -> usize {
    match when {
        When::Told(text) => until_told(world, text, from),
        When::After(seconds) => {
            world.run(usize::try_from(seconds).unwrap());
            world.settle();
            world.history.len()
        }
        When::Ended => {
            world.run(LONG);
            let count = world.history.len();
            assert!(world.op.finished_at().is_some(), "still {:?}: {}", world.op.phase(), world.op.message());
            (0..5).for_each(|_| world.tick());
            count
        }
    }
}

fn perform(world: &mut World, act: &Act) {
    let by = || "olga".to_owned();
    match act {
        Act::Terminate => world.publish(Event::TerminateRequested { by: by() }),
        Act::Approve => world.publish(Event::PruneApproved { keys: world.op.unconfirmed(), by: by() }),
        Act::Delete(short) => {
            let (kind, name) = short.split_once('/').unwrap();
            world.remove(kind, name);
        }
        Act::Free(short) => world.unlock_by_hand(short),
        Act::Becomes(short, fate) => world.becomes(short, fate.clone()),
        Act::Refuse(refusal) => world.refusals.push(refusal.clone()),
        Act::Relent => world.refusals.clear(),
    }
}

fn play(row: &Scenario) -> Played {
    let mut world = World::new(row.setup.clone());
    world.refusals.clone_from(&row.refusals);
    let mut moments = Vec::new();
    for point in &row.points {
        moments.push(until(&mut world, point.when, moments.last().copied().unwrap_or(1)));
        point.acts.iter().for_each(|act| perform(&mut world, act));
    }
    let left = world.left();
    let locked = left.iter().filter(|short| world.live(short).is_some_and(crate::model::Live::has_hook_finalizer)).cloned().collect();
    Played { records: world.history, moments, left, locked }
}

macro_rules! played {
    ($($file:ident: $($name:ident),+;)+) => {
        $($(
            #[test]
            fn $name() {
                super::$file::$name().rows().iter().for_each(|row| row.check(&play(row)));
            }
        )+)+
    };
}
each_row!(played);
