//! What we ask of Kubernetes: connecting, discovery, applying, deleting, watching, reading logs. Owns every request that leaves the
//! program. Must not know what an operation is about to do: it is told what to call and answers with what happened.

pub(crate) mod access;
pub(crate) mod apply;
mod assigned;
pub(crate) mod beside;
pub(crate) mod connect;
pub(crate) mod delete;
pub(crate) mod discovery;
#[cfg(test)]
pub(crate) mod fake;
pub(crate) mod foresee;
pub(crate) mod hints;
pub(crate) mod judge;
mod leftovers;
pub(crate) mod live;
pub(crate) mod logs;
mod migration;
pub(crate) mod outbox;
pub(crate) mod outgoing;
mod ownership;
pub(crate) mod pool;
mod read;
mod recreate;
mod replace;
mod retry;
pub(crate) mod trial;
mod unknown_fields;
mod unsure;
mod veil;
pub(crate) mod watch;
pub(crate) mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Method;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

pub(crate) use judge::Judge;
pub(crate) use outbox::{Outbox, Reporter};
pub(crate) use ownership::{Content, Snapshot};
pub(crate) use read::{Listed, Patience};
pub(crate) use wire::{CallError, Resource};

use self::pool::Load;
use self::wire::Answer;
use crate::clock::Clock;

/// A connected cluster. Cloning shares the connection, what discovery has found, and the limit of concurrent writes.
#[derive(Clone)]
pub(crate) struct Cluster {
    wire: wire::Wire,
    catalog: Arc<discovery::Catalog>,
    pool: Arc<pool::Pool>,
    judge: Judge,
    /// Cancelled when nobody wants to wait for another try any more.
    hurry: CancellationToken,
    /// Cancelled when no write may be sent any more.
    stop: CancellationToken,
    /// Whether nobody waits for its writes.
    is_aside: bool,
}

impl Cluster {
    /// Wraps a client whose own retries are off (decision 23).
    pub(crate) fn new(client: kube::Client, clock: Clock, judge: Judge) -> Self {
        Self {
            wire: wire::Wire::new(client, clock),
            catalog: Arc::default(),
            pool: Arc::new(pool::Pool::new(clock)),
            judge,
            hurry: CancellationToken::new(),
            stop: CancellationToken::new(),
            is_aside: false,
        }
    }

    /// Returns the same cluster with a token of its own: once cancelled, no request is tried again.
    pub(crate) fn with_hurry(&self, hurry: CancellationToken) -> Self {
        Self { hurry, ..self.clone() }
    }

    /// Returns the same cluster with a token of its own: once cancelled, nothing is written that has not been sent yet.
    pub(crate) fn with_stop(&self, stop: CancellationToken) -> Self {
        Self { hurry: stop.clone(), stop, ..self.clone() }
    }

    /// Returns the same cluster with another judge: rules may change from one operation to the next.
    pub(crate) fn with_judge(&self, judge: Judge) -> Self {
        Self { judge, ..self.clone() }
    }

    /// Returns the same cluster for writes that nobody waits for, so that they leave room for the others.
    pub(crate) fn aside(&self) -> Self {
        Self { is_aside: true, ..self.clone() }
    }

    /// Sends a write when its turn comes, unless nobody wants it any more by then.
    async fn write(&self, method: Method, path: &str, content_type: &str, body: &Value) -> Result<Answer, CallError> {
        let _place = if self.is_aside { self.pool.aside().await } else { None };
        let turn = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Err(CallError::Unsent),
            turn = self.pool.turn() => turn,
        };
        let answer = self.wire.send(method, path, content_type, body).await;
        turn.end(load(&answer));
        answer
    }

    /// Returns the clock that all pauses and limits use.
    pub(crate) fn clock(&self) -> Clock {
        self.wire.clock()
    }

    /// Returns how live objects are judged.
    pub(crate) fn judge(&self) -> &Judge {
        &self.judge
    }
}

fn load(answer: &Result<Answer, CallError>) -> Load {
    match answer {
        Err(CallError::Refused { code: 429 | 503, .. } | CallError::Refused { retry_after: Some(_), .. }) => Load::Busy,
        Ok(_) | Err(_) => Load::Fine,
    }
}

/// Locks a mutex whose contents stay consistent even if a holder panicked.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
