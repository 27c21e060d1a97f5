//! The one source of time. Owns the relation between tokio's clock and the time of day that records,
//! objects and screens show; nobody else may ask what time it is. Knows nothing of what happens at a time.
//!
//! Real time has the epoch "now" and speed 1. The embedded cluster starts at its story's epoch and may run
//! faster (`--speed N`). `--speed max` is a paused tokio runtime: the clock jumps as soon as everybody waits.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A clock value, cheap to copy. Stamps records and owns every sleep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    epoch: Timestamp,
    started: Instant,
    speed: f64,
}

impl Clock {
    /// Returns the clock of the machine. Must be called inside a tokio runtime.
    pub(crate) fn real() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
        let (epoch, started) = (Timestamp::now(), Instant::now());
        Self { epoch, started, speed: 1.0 }
    }

    /// Returns a clock that shows `epoch` now and runs `speed` times as fast as tokio's clock.
    /// A speed that is not a positive number counts as 1.
    pub(crate) fn starting_at(epoch: Timestamp, speed: f64) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
        let started = Instant::now();
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { epoch, started, speed }
    }

    /// Returns the time of day.
    pub(crate) fn now(&self) -> Timestamp {
        let elapsed = self.started.elapsed().mul_f64(self.speed);
        SignedDuration::try_from(elapsed).map_or(self.epoch, |passed| self.epoch.saturating_add(passed).unwrap_or(self.epoch))
    }

    /// Sleeps for `time` of this clock.
    pub(crate) async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time.div_f64(self.speed)).await;
    }

    /// Sleeps until this clock shows `at`; returns at once when it already does.
    pub(crate) async fn sleep_until(&self, at: Timestamp) {
        let left = at.duration_since(self.now());
        if let Ok(left) = Duration::try_from(left) {
            self.sleep(left).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_clock_at_speed_ten_shows_ten_seconds_after_one() {
        let epoch: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        let clock = Clock::starting_at(epoch, 10.0);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(clock.now().to_string(), "2026-03-01T09:00:10Z");
        clock.sleep_until("2026-03-01T09:00:20Z".parse().unwrap()).await;
        assert_eq!(clock.now().to_string(), "2026-03-01T09:00:20Z");
    }

    #[tokio::test(start_paused = true)]
    async fn sleeping_until_the_past_returns_at_once() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH, 1.0);
        clock.sleep_until(Timestamp::MIN).await;
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
    }
}
