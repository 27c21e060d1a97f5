//! Says what a session waits for before there is an operation or a plan, once that takes longer than expected. What is done, and how long
//! it may take, is not its business.

use std::pin::pin;
use std::time::Duration;

use tokio::sync::mpsc;

use super::session::{Answer, Waiting};
use crate::clock::Clock;

/// After this time it is said what is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who is told, by which clock, and after which time of it.
#[derive(Clone, Copy)]
pub(super) struct Patience<'a> {
    pub(super) clock: Clock,
    pub(super) answers: &'a mpsc::Sender<Answer>,
    pub(super) after: Duration,
}

impl<'a> Patience<'a> {
    /// A clock that runs fast makes nobody wait longer.
    pub(super) fn new(clock: Clock, answers: &'a mpsc::Sender<Answer>) -> Self {
        let after = Duration::try_from_secs_f64(PATIENCE.as_secs_f64() * clock.speed().max(1.0)).unwrap_or(Duration::MAX);
        Self { clock, answers, after }
    }

    /// Does a piece of work. `what` is a fragment behind "waiting for".
    pub(super) async fn with<T>(self, what: impl FnOnce() -> String, work: impl Future<Output = T>) -> T {
        let since = self.clock.now();
        let mut work = pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = self.clock.sleep(self.after) => {}
        }
        self.tell(Some(Waiting { what: what(), since })).await;
        let done = work.await;
        self.tell(None).await;
        done
    }

    async fn tell(self, waiting: Option<Waiting>) {
        if self.answers.send(Answer::Waiting(waiting)).await.is_err() {
            tracing::debug!("nobody waits for answers any more");
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn the_wait_is_five_seconds_of_the_person_however_fast_the_clock() {
        let (answers, _told) = mpsc::channel(1);
        let after = |speed| Patience::new(Clock::starting_at(Timestamp::UNIX_EPOCH, speed), &answers).after;
        assert_eq!([0.5, 1.0, 1_000.0].map(after), [5, 5, 5_000].map(Duration::from_secs));
        assert_eq!(after(f64::MAX), Duration::MAX);
    }
}
