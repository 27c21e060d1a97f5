//! Counts what a script has used of its time. Owns the two limits, of time and of steps; knows nothing of Lua.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::Limits;

/// Between two looks at the stopwatch, which costs more than a step. Few, because each step may be a call that takes some milliseconds.
const STRIDE: u64 = 16;
/// What `line` holds while no limit is reached.
const WITHIN: u64 = u64::MAX;

/// The meter of one machine. Whatever has passed a limit stays beyond it until the next start, so that a script that catches the error
/// meets it again at its next step.
pub(super) struct Meter {
    limits: Limits,
    steps: AtomicU64,
    began: AtomicU64,
    /// The line at which the limit was met, 0 for an unknown one.
    line: AtomicU64,
}

impl Meter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { limits: limits.clone(), steps: AtomicU64::new(0), began: AtomicU64::new(0), line: AtomicU64::new(WITHIN) }
    }

    /// Begins to count for a new run.
    pub(super) fn start(&self) {
        self.steps.store(0, Relaxed);
        self.line.store(WITHIN, Relaxed);
        self.began.store(nanoseconds((self.limits.stopwatch)()), Relaxed);
    }

    /// Counts one step and returns whether the script may go on.
    pub(super) fn step(&self) -> bool {
        let steps = self.steps.fetch_add(1, Relaxed);
        if self.is_exhausted() || steps >= self.limits.steps {
            return false;
        }
        !steps.is_multiple_of(STRIDE) || self.elapsed() < self.limits.deadline
    }

    /// Notes that a limit was met, at which line. The first place counts.
    pub(super) fn exhaust(&self, line: Option<usize>) {
        if !self.is_exhausted() {
            self.line.store(line.map_or(0, |line| line as u64), Relaxed);
        }
    }

    /// Returns whether the script has met a limit, whatever it did afterwards.
    pub(super) fn is_exhausted(&self) -> bool {
        self.line.load(Relaxed) != WITHIN
    }

    /// Returns the line at which the limit was met.
    pub(super) fn line(&self) -> Option<usize> {
        usize::try_from(self.line.load(Relaxed)).ok().filter(|line| self.is_exhausted() && *line > 0)
    }

    /// Returns what was too much.
    pub(super) fn sentence(&self) -> String {
        if self.steps.load(Relaxed) > self.limits.steps {
            format!("it did not end within {} steps", self.limits.steps)
        } else {
            format!("it did not end within {} s", self.limits.deadline.as_secs_f64())
        }
    }

    fn elapsed(&self) -> Duration {
        Duration::from_nanos(nanoseconds((self.limits.stopwatch)()).saturating_sub(self.began.load(Relaxed)))
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
