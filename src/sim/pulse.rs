//! A number that changes, and those who wait for that. They wake in the order in which they began to wait, so that a story plays the
//! same each time; tokio's `watch` wakes them in random order. Knows nothing of what the number counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

#[derive(Debug)]
struct Shared {
    value: AtomicU64,
    is_over: AtomicBool,
    changed: Notify,
}

/// Changes the number. Dropping it ends the wait of everybody.
#[derive(Debug)]
pub(crate) struct Sender(Arc<Shared>);

/// Waits for the number to change.
#[derive(Clone, Debug)]
pub(crate) struct Receiver {
    shared: Arc<Shared>,
    seen: u64,
}

/// Nobody changes the number any more.
#[derive(Debug)]
pub(crate) struct Over;

impl Sender {
    pub(crate) fn new(value: u64) -> Self {
        Self(Arc::new(Shared { value: AtomicU64::new(value), is_over: AtomicBool::new(false), changed: Notify::new() }))
    }

    /// Sets the number and wakes everybody.
    pub(crate) fn send_replace(&self, value: u64) {
        self.0.value.store(value, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }

    /// Counts one up and wakes everybody.
    pub(crate) fn count_up(&self) {
        self.0.value.fetch_add(1, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }

    /// Returns somebody who has seen the number as it is now.
    pub(crate) fn subscribe(&self) -> Receiver {
        Receiver { shared: self.0.clone(), seen: self.0.value.load(Ordering::SeqCst) }
    }
}

impl Default for Sender {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }
}

impl Receiver {
    /// Takes note of the number as it is now.
    pub(crate) fn update(&mut self) -> u64 {
        self.seen = self.shared.value.load(Ordering::SeqCst);
        self.seen
    }

    /// Returns when the number is another one than the one seen last. Cancel-safe.
    pub(crate) async fn changed(&mut self) -> Result<(), Over> {
        loop {
            let mut changed = std::pin::pin!(self.shared.changed.notified());
            // Whoever is on the list before looking misses no change.
            changed.as_mut().enable();
            let value = self.shared.value.load(Ordering::SeqCst);
            if value != self.seen {
                self.seen = value;
                return Ok(());
            }
            if self.shared.is_over.load(Ordering::SeqCst) {
                return Err(Over);
            }
            changed.await;
        }
    }

    /// Returns when the number is as meant.
    pub(crate) async fn wait_for(&mut self, is_meant: impl Fn(u64) -> bool) -> Result<(), Over> {
        while !is_meant(self.update()) {
            self.changed().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_wake_in_the_order_in_which_they_began_to() {
        let sender = Sender::new(5);
        let order = Mutex::new(Vec::new());
        let waits = (0..100).map(|number| {
            let (mut receiver, order) = (sender.subscribe(), &order);
            async move {
                receiver.changed().await.unwrap();
                order.lock().unwrap().push(number);
            }
        });
        let all = futures::future::join_all(waits.collect::<Vec<_>>());
        let change = async {
            tokio::task::yield_now().await;
            sender.send_replace(6);
        };
        futures::future::join(all, change).await;
        assert_eq!(*order.lock().unwrap(), (0..100).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_before_the_wait_is_not_missed_and_the_end_is_told() {
        let sender = Sender::new(1);
        let mut receiver = sender.subscribe();
        sender.count_up();
        assert!(receiver.changed().await.is_ok());
        sender.send_replace(9);
        assert!(receiver.wait_for(|value| value >= 9).await.is_ok());
        drop(sender);
        assert!(receiver.changed().await.is_err());
    }
}
