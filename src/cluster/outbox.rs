//! Facts on their way from whoever sees them to the loop that publishes them, in the order in which they were seen.
//! Nothing waits here: the loop takes everything at once, so a busy cluster makes batches, not queues.

use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::locked;
use crate::model::TaskId;
use crate::operation::Event;

/// The queue. Shared by everything that observes.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: Mutex<Vec<Event>>,
    arrived: Notify,
}

impl Outbox {
    /// Adds a fact.
    pub(crate) fn push(&self, event: Event) {
        self.extend([event]);
    }

    /// Adds facts that must stay together and in order.
    pub(crate) fn extend(&self, events: impl IntoIterator<Item = Event>) {
        locked(&self.queue).extend(events);
        self.arrived.notify_one();
    }

    /// Takes everything there is.
    pub(crate) fn drain(&self) -> Vec<Event> {
        std::mem::take(&mut *locked(&self.queue))
    }

    /// Returns when something has arrived since the last call. Cancel-safe: a missed wake-up stays stored.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }
}

/// Says what a person should know about one task while a call is still under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reporter {
    outbox: Option<Arc<Outbox>>,
    task: Option<TaskId>,
}

impl Reporter {
    /// Reports to the operation, on behalf of a task if there is one.
    pub(crate) fn new(outbox: &Arc<Outbox>, task: Option<&TaskId>) -> Self {
        Self { outbox: Some(outbox.clone()), task: task.cloned() }
    }

    /// Publishes a warning; without an operation it only goes to the program's own log.
    pub(crate) fn warn(&self, text: String) {
        tracing::warn!("{text}");
        if let Some(outbox) = &self.outbox {
            outbox.push(Event::Warned { task: self.task.clone(), text });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn facts_leave_in_the_order_in_which_they_came_and_only_once() {
        let outbox = Arc::new(Outbox::default());
        let reporter = Reporter::new(&outbox, None);
        reporter.warn("one".into());
        reporter.warn("two".into());
        outbox.arrived().await;
        let texts: Vec<Event> = outbox.drain();
        assert_eq!(texts, [warned("one"), warned("two")]);
        assert!(outbox.drain().is_empty());
    }

    fn warned(text: &str) -> Event {
        Event::Warned { task: None, text: text.into() }
    }
}
