//! What comes from a session and what is asked of it, as one stream of messages in fair turns. A closed or missing session is silent.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::future;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver};

use crate::engine::session::{Answer, Ask, SessionHandle};
use crate::operation::{LogLine, Record};

/// Most facts of one turn: between two turns a key is looked at.
const FACTS: usize = 256;
/// Most lines of one turn.
const LINES: usize = 512;

/// Something from the session.
pub(super) enum Incoming {
    Facts(Vec<Arc<Record>>),
    Lines(Vec<LogLine>),
    Answer(Answer),
    /// The session has ended; said once.
    Closed,
}

/// The ends of an open session.
#[derive(Default)]
pub(super) struct Lanes {
    asks: Option<Sender<Ask>>,
    facts: Option<UnboundedReceiver<Arc<Record>>>,
    lines: Option<Receiver<LogLine>>,
    answers: Option<Receiver<Answer>>,
    /// What did not fit into the session's queue yet, in order.
    waiting: VecDeque<Ask>,
}

impl Lanes {
    /// Takes a session's ends.
    pub(super) fn of(handle: SessionHandle) -> Self {
        let SessionHandle { asks, answers, subscription } = handle;
        Self {
            asks: Some(asks),
            facts: Some(subscription.facts),
            lines: Some(subscription.logs),
            answers: Some(answers),
            waiting: VecDeque::new(),
        }
    }

    /// Asks without waiting; what the session cannot take yet is sent later.
    ///
    /// # Errors
    /// A sentence: there is no session any more.
    pub(super) fn ask(&mut self, ask: Ask) -> Result<(), String> {
        if self.asks.is_none() {
            return Err("nothing is open".to_owned());
        }
        self.waiting.push_back(ask);
        self.send()
    }

    fn send(&mut self) -> Result<(), String> {
        while let (Some(asks), Some(ask)) = (&self.asks, self.waiting.pop_front()) {
            match asks.try_send(ask) {
                Ok(()) => {}
                Err(TrySendError::Full(ask)) => {
                    self.waiting.push_front(ask);
                    return Ok(());
                }
                Err(TrySendError::Closed(_)) => {
                    self.asks = None;
                    return Err("the session has ended".to_owned());
                }
            }
        }
        Ok(())
    }

    /// Waits for the next message. Cancel-safe: nothing is taken from a lane before it is returned.
    pub(super) async fn next(&mut self) -> Incoming {
        let asks = self.asks.clone().filter(|_| !self.waiting.is_empty());
        tokio::select! {
            incoming = facts(&mut self.facts) => incoming,
            incoming = lines(&mut self.lines) => incoming,
            incoming = answers(&mut self.answers) => incoming,
            () = room(asks) => {
                if self.send().is_err() { Incoming::Closed } else { Incoming::Lines(Vec::new()) }
            }
        }
    }
}

async fn room(asks: Option<Sender<Ask>>) {
    match asks {
        Some(asks) => drop(asks.reserve().await),
        None => future::pending().await,
    }
}

async fn facts(lane: &mut Option<UnboundedReceiver<Arc<Record>>>) -> Incoming {
    let Some(receiver) = lane else { return future::pending().await };
    let mut records = Vec::new();
    if receiver.recv_many(&mut records, FACTS).await == 0 {
        *lane = None;
        return Incoming::Closed;
    }
    Incoming::Facts(records)
}

async fn lines(lane: &mut Option<Receiver<LogLine>>) -> Incoming {
    let Some(receiver) = lane else { return future::pending().await };
    let mut lines = Vec::new();
    if receiver.recv_many(&mut lines, LINES).await == 0 {
        *lane = None;
        return future::pending().await;
    }
    Incoming::Lines(lines)
}

async fn answers(lane: &mut Option<Receiver<Answer>>) -> Incoming {
    let Some(receiver) = lane else { return future::pending().await };
    match receiver.recv().await {
        Some(answer) => Incoming::Answer(answer),
        None => {
            *lane = None;
            future::pending().await
        }
    }
}
