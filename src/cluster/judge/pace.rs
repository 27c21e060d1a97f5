//! How a slow rule has done so far, and whether it is worth asking again. A kind may have hundreds of objects: what takes a second for each
//! of them, only to fail, would hold everything that waits for a first look. Owns the limits and the sentences; runs nothing.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::clock::Clock;
use crate::cluster::locked;
use crate::model::Assessment;

/// A failure that took this long is a costly one: a limit of time, of steps or of memory was met.
const COSTLY: SignedDuration = SignedDuration::from_millis(250);
/// After so many costly failures in a row a rule is left out,
const IN_A_ROW: u32 = 3;
/// for so long: the machine may have been busy with something else.
const REST: SignedDuration = SignedDuration::from_secs(30);

/// The rule of one group and kind.
#[derive(Debug)]
pub(super) struct Pace {
    /// Of the machine: an embedded cluster may run faster, but rules do not.
    pub(super) clock: Clock,
    turns: Semaphore,
    past: Mutex<Past>,
}

#[derive(Debug, Default)]
struct Past {
    /// Costly failures since the last answer that was none.
    costly: u32,
    rests_until: Option<Timestamp>,
    /// It was stuck once. It is never run again, so that threads do not pile up.
    is_stuck: bool,
}

impl Pace {
    /// Lets so many runs share the machine.
    pub(super) fn new(threads: usize) -> Self {
        Self { clock: Clock::real(), turns: Semaphore::new(threads), past: Mutex::default() }
    }

    /// Waits until the rule may be run. The turn ends when it is dropped.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // An error would mean that it was closed, which nobody does.
        self.turns.acquire().await.ok()
    }

    /// Returns why the rule is not run now, if so.
    pub(super) fn refusal(&self, kind: &str) -> Option<String> {
        let past = locked(&self.past);
        if past.is_stuck {
            return Some(is_stuck(kind));
        }
        let is_resting = past.rests_until.is_some_and(|end| self.clock.now() < end);
        is_resting.then(|| {
            format!(
                "the health rule of {kind} met its limits {} times in a row, so it is left out for {} s; let it do less for each object",
                past.costly,
                REST.as_secs()
            )
        })
    }

    /// Notes what came of a run, and how long it took.
    pub(super) fn ended(&self, assessment: &Assessment, took: SignedDuration) {
        let mut past = locked(&self.past);
        if !matches!(assessment, Assessment::Error(_)) || took < COSTLY {
            *past = Past { is_stuck: past.is_stuck, ..Past::default() };
            return;
        }
        past.costly += 1;
        past.rests_until = if past.costly >= IN_A_ROW { self.clock.now().checked_add(REST).ok() } else { None };
    }

    /// Notes that a run does not come back, and returns the sentence about it.
    pub(super) fn stuck(&self, kind: &str) -> String {
        locked(&self.past).is_stuck = true;
        is_stuck(kind)
    }
}

fn is_stuck(kind: &str) -> String {
    format!("the health rule of {kind} does not come to its end, so it is not run again; take the long steps out of it")
}
