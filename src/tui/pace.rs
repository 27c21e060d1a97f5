//! When to draw: the first change after silence at once, a storm at most 60 times a second, and never without a change. Numbers only;
//! the loop asks and sleeps.

use std::time::Duration;

use jiff::Timestamp;

/// Shortest time between two frames.
const FRAME: Duration = Duration::from_micros(16_667);

/// The deadline of the next frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    due: Option<Timestamp>,
    drawn_at: Timestamp,
}

impl Pace {
    /// Makes a pace with a first frame that is due at once.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { due: Some(now), drawn_at: Timestamp::MIN }
    }

    /// Returns when the next frame is due; `None` while nothing has changed.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// Notes that the next frame would differ from the last one.
    pub(super) fn change(&mut self, now: Timestamp) {
        let soonest = self.drawn_at.checked_add(FRAME).unwrap_or(self.drawn_at);
        self.due.get_or_insert(soonest.max(now));
    }

    /// Notes that a frame was drawn.
    pub(super) fn drawn(&mut self, now: Timestamp) {
        self.drawn_at = now;
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_micros(micros)
    }

    #[test]
    fn the_first_change_after_silence_is_drawn_at_once() {
        let mut pace = Pace::new(at(0));
        assert_eq!(pace.due(), Some(at(0)));
        pace.drawn(at(100));
        assert_eq!(pace.due(), None, "nothing has changed");
        pace.change(at(5_000_000));
        assert_eq!(pace.due(), Some(at(5_000_000)));
    }

    #[test]
    fn a_storm_of_changes_is_drawn_60_times_a_second() {
        let mut pace = Pace::new(at(0));
        let mut frames = 0;
        for now in (0..1_000_000).step_by(100).map(at) {
            pace.change(now);
            if pace.due().is_some_and(|due| due <= now) {
                pace.drawn(now);
                frames += 1;
            }
        }
        assert!((58..=60).contains(&frames), "{frames}");
    }
}
