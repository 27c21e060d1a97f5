//! The end of an operation whose loop failed: whoever watches it must not wait for ever. Knows how far the facts have come, and nothing
//! of what they mean.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::bus::Publisher;
use crate::clock::Clock;
use crate::model::OperationPhase;
use crate::operation::{Event, Record};

/// What has been published of an operation, in case that its loop fails.
#[derive(Debug, Default)]
pub(super) struct Told {
    seq: AtomicU64,
    is_finished: AtomicBool,
}

impl Told {
    /// Notes what has just been published.
    pub(super) fn note(&self, record: &Record) {
        self.seq.store(record.seq, Ordering::SeqCst);
        self.is_finished.fetch_or(matches!(record.event, Event::OperationFinished { .. }), Ordering::SeqCst);
    }

    /// Publishes the end, unless it has been.
    pub(super) fn end(&self, operation: &Arc<str>, clock: Clock, publisher: &Publisher) {
        if self.is_finished.load(Ordering::SeqCst) {
            return;
        }
        let message = "the program failed in the middle of the operation; see its log, and sync again".to_owned();
        let event = Event::OperationFinished { phase: OperationPhase::Error, message };
        let record = Record { operation: operation.clone(), seq: self.seq.load(Ordering::SeqCst) + 1, at: clock.now(), event };
        publisher.publish(Arc::new(record));
    }
}

/// Returns what a panic said.
pub(super) fn words(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason is known")
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;

    use futures::FutureExt as _;

    use super::super::bus::lanes;
    use super::*;
    use crate::cluster::fake;

    #[tokio::test(start_paused = true)]
    async fn an_operation_whose_loop_fails_ends_visibly_and_once() {
        let clock = Clock::starting_at(fake::epoch(), 1.0);
        let (publisher, mut subscription) = lanes();
        let id: Arc<str> = "op".into();
        let told = Told::default();
        told.note(&Record { operation: id.clone(), seq: 41, at: clock.now(), event: Event::DryPassFinished });
        told.end(&id, clock, &publisher);
        let record = subscription.facts.recv().await.unwrap();
        assert!(record.seq == 42 && matches!(&record.event, Event::OperationFinished { phase: OperationPhase::Error, .. }), "{record:?}");
        told.note(&record);
        told.end(&id, clock, &publisher);
        assert!(subscription.facts.try_recv().is_err());
        let panic = AssertUnwindSafe(async { assert!(id.is_empty(), "{id} is not empty") }).catch_unwind().await.unwrap_err();
        assert_eq!(words(&*panic), "op is not empty");
    }
}
