//! How a slow rule has done so far, and whether it is worth asking for more of many objects. A kind may have hundreds: what takes a second
//! for each of them, only to fail, would hold everything that waits for a first look. Owns the budgets and the sentences; runs nothing.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};

use super::{Look, Open};
use crate::clock::Clock;
use crate::cluster::locked;

/// A failure that took this long is a costly one: a limit of time, of steps or of memory was met.
const COSTLY: SignedDuration = SignedDuration::from_millis(250);
/// How much of costly failures looks at many objects of the cluster put up with,
const OF_LOOKS: SignedDuration = SignedDuration::from_secs(3);
/// within this time.
const PERIOD: SignedDuration = SignedDuration::from_secs(30);
/// How much of them a command puts up with that asks once and never again.
const OF_COMMAND: SignedDuration = SignedDuration::from_secs(30);

/// How much time the failures of one rule may take, where it is asked about many objects. Good answers cost nothing, and pay nothing back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Budget {
    /// Comes back after a while: the machine may have been busy with something else.
    OfLooks,
    /// Is given once.
    OfCommand,
}

/// The rule of one group and kind.
#[derive(Debug)]
pub(super) struct Pace {
    /// Of the machine: an embedded cluster may run faster, but rules do not.
    pub(super) clock: Clock,
    budget: Budget,
    past: Mutex<Past>,
}

#[derive(Debug, Default)]
struct Past {
    /// What costly failures took since then.
    used: SignedDuration,
    since: Option<Timestamp>,
    /// It was stuck once. It is never run again, so that threads do not pile up.
    is_stuck: bool,
}

impl Pace {
    pub(super) fn new(budget: Budget) -> Self {
        Self { clock: Clock::real(), budget, past: Mutex::default() }
    }

    /// Returns why the rule is not run now, if so, and whether it may be later.
    pub(super) fn refusal(&self, kind: &str, look: Look) -> Option<(String, Option<Open>)> {
        if locked(&self.past).is_stuck {
            return Some((is_stuck(kind), None));
        }
        let sentence = self.used_up(kind).filter(|_| look == Look::Many)?;
        Some((sentence, Some(Open::LeftOut)))
    }

    /// Returns why the rule is not run for one of many objects now, if so.
    fn used_up(&self, kind: &str) -> Option<String> {
        let mut past = locked(&self.past);
        let has_passed = past.since.is_some_and(|since| self.clock.now().duration_since(since) >= PERIOD);
        if has_passed && self.budget == Budget::OfLooks {
            *past = Past { is_stuck: past.is_stuck, ..Past::default() };
        }
        let (limit, begins, ends) = match self.budget {
            Budget::OfLooks => (OF_LOOKS, "left out for now", "let it do less for each object"),
            Budget::OfCommand => (OF_COMMAND, "not judged", "let it do less for each object, or give fewer objects at once"),
        };
        let seconds = limit.as_secs();
        (past.used >= limit).then(|| format!("{begins}: the health rule of {kind} met its limits for {seconds} s in all; {ends}"))
    }

    /// Notes that the rule failed for one of many objects, and how long that took.
    pub(super) fn failed(&self, took: SignedDuration) {
        if took < COSTLY {
            return;
        }
        let mut past = locked(&self.past);
        past.used += took;
        past.since.get_or_insert_with(|| self.clock.now());
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
