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
    /// Whether it is meant to show what the machine shows.
    is_real: bool,
}

impl Clock {
    /// Returns the clock of the machine. Must be called inside a tokio runtime.
    pub(crate) fn real() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
        let (epoch, started) = (Timestamp::now(), Instant::now());
        Self { epoch, started, speed: 1.0, is_real: true }
    }

    /// Returns a clock that shows `epoch` now and runs `speed` times as fast as tokio's clock.
    /// A speed that is not a positive number counts as 1.
    pub(crate) fn starting_at(epoch: Timestamp, speed: f64) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
        let started = Instant::now();
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { epoch, started, speed, is_real: false }
    }

    /// Returns the time of day.
    pub(crate) fn now(&self) -> Timestamp {
        let elapsed = self.started.elapsed().mul_f64(self.speed);
        SignedDuration::try_from(elapsed).map_or(self.epoch, |passed| self.epoch.saturating_add(passed).unwrap_or(self.epoch))
    }

    /// Returns how many times as fast as tokio's clock it runs.
    pub(crate) fn speed(&self) -> f64 {
        self.speed
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

/// From here on a difference is no correction of the machine's clock any more.
const JUMP: SignedDuration = SignedDuration::from_secs(5);

/// Notices that the machine slept or that its time of day was set. A clock goes on from where it was, because a limit that fires on what
/// was seen before a sleep would end hooks that have long succeeded; but that is said.
#[derive(Debug)]
pub(crate) struct Jumps {
    clock: Clock,
    told: SignedDuration,
}

impl Jumps {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, told: SignedDuration::ZERO }
    }

    /// Returns a sentence if there was a jump since the last look.
    pub(crate) fn look(&mut self) -> Option<String> {
        #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
        let ahead = if self.clock.is_real { Timestamp::now().duration_since(self.clock.now()) } else { SignedDuration::ZERO };
        self.tell(ahead)
    }

    /// `ahead`: how far the machine's time of day is ahead of the clock.
    fn tell(&mut self, ahead: SignedDuration) -> Option<String> {
        if ahead.saturating_sub(self.told).abs() < JUMP {
            return None;
        }
        self.told = ahead;
        let (by, way) = (SignedDuration::from_secs(ahead.as_secs()).abs(), if ahead.is_negative() { "behind" } else { "ahead of" });
        Some(format!(
            "the machine slept, or its clock was set: it is {by:#} {way} the time that has passed here, which limits of time, pauses and \
             sync windows of this operation go by"
        ))
    }
}

/// What comes again so soon is no second decision.
const ECHO: SignedDuration = SignedDuration::from_millis(100);

/// Tells a signal from its echo: `timeout` sends each twice, to the program and to its group, and a wrapper passes on what the terminal has
/// already sent to both.
#[derive(Debug)]
pub(crate) struct Echo {
    clock: Clock,
    last: Option<Timestamp>,
}

impl Echo {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, last: None }
    }

    /// Returns whether what came just now is an echo of what came before.
    pub(crate) fn is_one(&mut self) -> bool {
        let now = self.clock.now();
        let is_echo = self.last.is_some_and(|last| now.duration_since(last) < ECHO);
        // An echo has none of its own: whoever goes on sending is heard.
        if !is_echo {
            self.last = Some(now);
        }
        is_echo
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_comes_twice_at_once_is_one_decision_and_a_second_later_another() {
        let clock = Clock::real();
        let mut echo = Echo::new(clock);
        assert!(!echo.is_one());
        assert!(echo.is_one());
        clock.sleep(Duration::from_secs(1)).await;
        assert!(!echo.is_one());
        let mut goes_on = Vec::new();
        for _ in 0..4 {
            clock.sleep(Duration::from_millis(60)).await;
            goes_on.push(echo.is_one());
        }
        assert_eq!(goes_on, [true, false, true, false], "whoever holds the key down is heard");
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_at_speed_ten_shows_ten_seconds_after_one() {
        let epoch: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        let clock = Clock::starting_at(epoch, 10.0);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(clock.now().to_string(), "2026-03-01T09:00:10Z");
        clock.sleep_until("2026-03-01T09:00:20Z".parse().unwrap()).await;
        assert_eq!(clock.now().to_string(), "2026-03-01T09:00:20Z");
    }

    #[tokio::test]
    async fn a_jump_of_the_machines_clock_is_said_once_and_a_small_correction_never() {
        let mut jumps = Jumps::new(Clock::real());
        assert_eq!(jumps.look(), None);
        let seconds = SignedDuration::from_secs;
        let mut told = |ahead| jumps.tell(seconds(ahead)).map(|text| text.split(": it is ").nth(1).unwrap()[..24].to_owned());
        assert_eq!([told(4), told(-4), told(3_723)], [None, None, Some("1h 2m 3s ahead of the ti".to_owned())]);
        assert_eq!([told(3_725), told(-60)], [None, Some("1m behind the time that ".to_owned())]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_story_has_no_clock_that_could_jump() {
        let mut jumps = Jumps::new(Clock::starting_at(Timestamp::UNIX_EPOCH, 1.0));
        assert_eq!(jumps.look(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn sleeping_until_the_past_returns_at_once() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH, 1.0);
        clock.sleep_until(Timestamp::MIN).await;
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
    }
}
