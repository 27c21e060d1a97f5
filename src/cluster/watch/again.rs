//! Objects about which a slow rule has not said its last word: they were left out of a look at many, or met the limit of time. Their last
//! news may have come, so they are asked about again later, one at a time. Owns when; what comes of it is folded by the observer.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use super::View;
use crate::clock::Clock;
use crate::cluster::judge::{Look, Open};
use crate::cluster::locked;
use crate::model::{Object, ResourceKey};

/// Time for the look that left an object out to come to its end.
const SOON: SignedDuration = SignedDuration::from_secs(1);
/// An object that met the limit by itself is asked about after this time; twice as long each further time in a row,
const LATER: SignedDuration = SignedDuration::from_secs(30);
/// and never longer than this.
const LATEST: SignedDuration = SignedDuration::from_secs(240);
/// An object that met the limit so often in a row holds its watch no more by what happens to it.
const IN_A_ROW: u32 = 2;

/// An object as it was seen, and why its rule has not said its last word.
pub(super) type Question = (Object, Open);

/// Who is asked about again.
#[derive(Debug)]
pub(super) struct Again {
    /// Of the machine: an embedded cluster may run faster, but rules do not.
    clock: Clock,
    waiting: Mutex<BTreeMap<ResourceKey, Waiting>>,
    came: Notify,
}

#[derive(Debug)]
struct Waiting {
    object: Object,
    due: Timestamp,
    /// How often it met the limit by itself, in a row.
    late: u32,
}

impl Again {
    pub(super) fn new() -> Self {
        Self { clock: Clock::real(), waiting: Mutex::default(), came: Notify::new() }
    }

    /// Notes whether there is an open question about an object, and as what it was seen. Comes after the observer has seen it.
    pub(super) fn note(&self, key: &ResourceKey, question: Option<Question>) {
        let mut waiting = locked(&self.waiting);
        let known = waiting.remove(key);
        let Some((object, open)) = question else { return };
        let late = known.as_ref().map_or(0, |known| known.late);
        let (due, late) = match (open, known) {
            (Open::LeftOut, Some(known)) if late > 0 => (known.due.min(self.after(LATER)), late),
            (Open::LeftOut, _) => (self.after(SOON), late),
            (Open::Late, _) => (self.after(LATER.saturating_mul(2_i32.saturating_pow(late.min(8))).min(LATEST)), late + 1),
        };
        waiting.insert(key.clone(), Waiting { object, due, late });
        self.came.notify_one();
    }

    /// Returns why an object is not judged now whatever happens to it, if so: each time would hold its watch for a second.
    pub(super) fn rest(&self, key: &ResourceKey) -> Option<String> {
        let late = locked(&self.waiting).get(key).map(|known| known.late).filter(|late| *late >= IN_A_ROW)?;
        Some(format!(
            "left out for now: the health rule of {} met its limit of time {late} times in a row for this object, so that it is asked again \
             within {} s; let it do less",
            key.kind,
            LATER.as_secs()
        ))
    }

    fn after(&self, pause: SignedDuration) -> Timestamp {
        self.clock.now().checked_add(pause).unwrap_or(Timestamp::MAX)
    }

    /// Returns whose turn is next, and when.
    fn next(&self) -> Option<(Timestamp, ResourceKey, Object)> {
        let waiting = locked(&self.waiting);
        let (key, first) = waiting.iter().min_by_key(|(_, one)| one.due)?;
        Some((first.due, key.clone(), first.object.clone()))
    }

    /// Forgets an object that is not as it was any more, unless it has been noted anew.
    fn forget(&self, key: &ResourceKey, object: &Object) {
        let mut waiting = locked(&self.waiting);
        if waiting.get(key).is_some_and(|known| known.object == *object) {
            waiting.remove(key);
        }
    }
}

/// Asks again, one object at a time, for ever.
pub(super) async fn ask(view: Arc<View>) {
    loop {
        let again = &view.again;
        let Some((due, key, object)) = again.next() else {
            again.came.notified().await;
            continue;
        };
        if again.clock.now() < due {
            tokio::select! {
                () = again.clock.sleep_until(due) => {}
                () = again.came.notified() => {}
            }
            continue;
        }
        let is_as_seen = || locked(&view.observer).is_as_seen(&key, &object);
        let judged = if is_as_seen() { Some(view.judge.judged(&object, Look::One).await) } else { None };
        // What has been seen meanwhile was judged by whoever saw it.
        match judged.filter(|_| is_as_seen()) {
            Some(judged) => {
                view.tell(|observer| observer.judged_again(&key, &object, judged.live));
                again.note(&key, judged.open.map(|open| (object, open)));
            }
            None => again.forget(&key, &object),
        }
    }
}
