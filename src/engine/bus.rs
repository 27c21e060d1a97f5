//! The two lanes between whoever produces an operation's facts and whoever shows them. Facts are few and never lost; log lines are many,
//! and a reader that does not keep up makes the producer wait (the sender decides for how long, and says so in a gap line).
//! Knows nothing of what the facts mean.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::operation::{LogLine, Record};

/// How many log lines wait for a slow reader.
pub(crate) const LOG_LANE: usize = 4_096;

/// Producer's end of both lanes.
#[derive(Clone, Debug)]
pub(crate) struct Publisher {
    facts: mpsc::UnboundedSender<Arc<Record>>,
    logs: mpsc::Sender<LogLine>,
}

/// Consumer's end of both lanes.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) facts: mpsc::UnboundedReceiver<Arc<Record>>,
    pub(crate) logs: mpsc::Receiver<LogLine>,
}

/// Makes a pair of ends.
pub(crate) fn lanes() -> (Publisher, Subscription) {
    #[expect(clippy::disallowed_methods, reason = "facts are few and must never be lost or block the engine")]
    let (fact_sender, facts) = mpsc::unbounded_channel();
    let (log_sender, logs) = mpsc::channel(LOG_LANE);
    (Publisher { facts: fact_sender, logs: log_sender }, Subscription { facts, logs })
}

impl Publisher {
    /// Publishes a fact. A consumer that has gone away is no error: the operation goes on.
    pub(crate) fn publish(&self, record: Arc<Record>) {
        if self.facts.send(record).is_err() {
            tracing::debug!("nobody listens to facts any more");
        }
    }

    /// Publishes a log line, waiting for room.
    pub(crate) async fn line(&self, line: LogLine) {
        if self.logs.send(line).await.is_err() {
            tracing::debug!("nobody listens to log lines any more");
        }
    }

    /// Publishes a log line if there is room now; gives it back otherwise.
    pub(crate) fn try_line(&self, line: LogLine) -> Option<LogLine> {
        match self.logs.try_send(line) {
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => None,
            Err(mpsc::error::TrySendError::Full(line)) => Some(line),
        }
    }
}
