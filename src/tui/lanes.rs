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

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::engine::bus;

    fn session(room: usize) -> (Lanes, mpsc::Receiver<Ask>, mpsc::Sender<Answer>, bus::Publisher) {
        let (asks, asked) = mpsc::channel(room);
        let (answer, answers) = mpsc::channel(4);
        let (publisher, subscription) = bus::lanes();
        (Lanes::of(SessionHandle { asks, answers, subscription }), asked, answer, publisher)
    }

    fn terminate(by: &str) -> Ask {
        Ask::Terminate { by: by.to_owned() }
    }

    #[tokio::test(start_paused = true)]
    async fn asks_that_do_not_fit_yet_are_sent_later_in_their_order() {
        let (mut lanes, mut asked, _answer, _publisher) = session(1);
        for by in ["a", "b", "c"] {
            lanes.ask(terminate(by)).unwrap();
        }
        for expected in ["a", "b", "c"] {
            let Some(Ask::Terminate { by }) = asked.recv().await else { panic!("an ask was lost") };
            assert_eq!(by, expected);
            if expected != "c" {
                assert!(matches!(lanes.next().await, Incoming::Lines(lines) if lines.is_empty()));
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_session_is_said_once_and_then_it_is_silent() {
        let (mut lanes, asked, answer, publisher) = session(1);
        drop((asked, answer, publisher));
        assert!(matches!(lanes.next().await, Incoming::Closed));
        assert!(tokio::time::timeout(std::time::Duration::from_secs(60), lanes.next()).await.is_err());
        assert_eq!(lanes.ask(terminate("a")).unwrap_err(), "the session has ended");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_session_nothing_comes_and_nothing_can_be_asked() {
        let mut lanes = Lanes::default();
        assert!(tokio::time::timeout(std::time::Duration::from_secs(60), lanes.next()).await.is_err());
        assert_eq!(lanes.ask(terminate("a")).unwrap_err(), "nothing is open");
    }

    #[tokio::test(start_paused = true)]
    async fn one_turn_takes_no_more_than_its_share() {
        let (mut lanes, _asked, _answer, publisher) = session(1);
        let record = Arc::new(Record {
            operation: "op".into(),
            seq: 1,
            at: jiff::Timestamp::UNIX_EPOCH,
            event: crate::operation::Event::DryPassFinished,
        });
        (0..1_000).for_each(|_| publisher.publish(record.clone()));
        let mut taken = Vec::new();
        while taken.iter().sum::<usize>() < 1_000 {
            let Incoming::Facts(records) = lanes.next().await else { panic!("only facts were sent") };
            taken.push(records.len());
        }
        assert_eq!(taken, [FACTS, FACTS, FACTS, 1_000 - 3 * FACTS]);
    }
}
