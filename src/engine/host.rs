//! Runs a session: takes what consumers ask, prepares plans beside it, and keeps at most one running operation. Connects when it first
//! has to, and again if that failed. Everything it starts ends with it; how a plan is made is not its business.

mod shared;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, Id, JoinSet};

use self::shared::Shared;
use super::begin::{Ready, begin, preview_notes};
use super::bus::Publisher;
use super::compare::{self, Depth};
use super::local::{self, Control, Start};
use super::prepare::{Obstacle, Prepared};
use super::rights;
use super::session::{Answer, Ask, FailureKind, Opening, OperationIds, Planned};
use super::{respect, windows};
use crate::model::ResourceKey;
use crate::operation::Request;
use crate::plan::Kind;

/// What a piece of work in the background came to.
enum Outcome {
    /// It has answered by itself.
    Answered,
    Ready(Box<Ready>),
    NotReady(Obstacle),
    /// It may not begin; a whole sentence.
    Refused(String),
}

/// An operation that runs, or has ended and is still being watched.
struct Running {
    controls: mpsc::Sender<Control>,
    finished: watch::Receiver<bool>,
    id: Arc<str>,
    tasks: JoinSet<()>,
}

/// The session's loop and its state.
pub(super) struct Host {
    shared: Arc<Shared>,
    publisher: Publisher,
    work: JoinSet<Outcome>,
    preparing: Option<AbortHandle>,
    running: Option<Running>,
    operations: u32,
    /// The last sync was stopped before it began.
    was_stopped: bool,
}

impl Host {
    pub(super) fn new(opening: Opening, publisher: Publisher, answers: mpsc::Sender<Answer>) -> Self {
        Self {
            shared: Arc::new(Shared::new(opening, answers)),
            publisher,
            work: JoinSet::new(),
            preparing: None,
            running: None,
            operations: 0,
            was_stopped: false,
        }
    }

    /// Serves until nobody asks any more and no operation runs.
    pub(super) async fn run(mut self, mut asks: mpsc::Receiver<Ask>) {
        loop {
            tokio::select! {
                biased;
                ask = asks.recv() => match ask {
                    Some(ask) => self.take(ask).await,
                    None => break,
                },
                Some(outcome) = self.work.join_next_with_id(), if !self.work.is_empty() => self.done(outcome).await,
            }
        }
        self.work.shutdown().await;
        if let Some(mut running) = self.running.take() {
            // An error means that the operation's task has ended.
            let _ended = running.finished.wait_for(|is_finished| *is_finished).await.is_err();
            running.tasks.shutdown().await;
        }
    }

    async fn take(&mut self, ask: Ask) {
        match ask {
            Ask::Plan { request } => self.plan(Kind::Sync, request, Depth::Plan),
            Ask::Diff { request } => self.plan(Kind::Sync, request, Depth::Diff),
            Ask::PlanDeletion { request } => self.plan(Kind::Delete, request, Depth::Plan),
            Ask::Rights { request } => self.rights(request),
            Ask::Sync { request } => self.begin(Kind::Sync, request).await,
            Ask::Delete { request } => self.begin(Kind::Delete, request).await,
            Ask::Terminate { by } => self.terminate(by).await,
            Ask::Approve { keys, by } => self.approve(keys, by).await,
            Ask::Pause { by } => self.tell_running(Control::Pause { by }, "there is nothing to stop before").await,
            Ask::Resume { by } => self.tell_running(Control::Resume { by }, "there is nothing to go on with").await,
            Ask::DropPause { by } => self.tell_running(Control::DropPause { by }, "no pause is wanted").await,
            Ask::Object { key } => self.object(key),
            Ask::Follow { key } => self.follow(key).await,
        }
    }

    fn plan(&mut self, kind: Kind, request: Request, depth: Depth) {
        let (shared, id) = (self.shared.clone(), self.next_id());
        self.work.spawn(async move {
            match shared.prepare(kind, &request, id).await {
                Ok(mut prepared) => {
                    prepared.notes.extend(respect::idle(&request.ignore, &prepared.plan));
                    let request = windows::narrowed(request, &prepared);
                    prepared.notes.extend(request.windows.concerns());
                    let blocked = windows::refusal(&request, shared.opening.clock.now());
                    let server = prepared.connected.server.clone();
                    let noted = shared.waits(&server, preview_notes(&prepared, &request)).await;
                    prepared.notes.extend(noted);
                    let preview = shared.waits(&server, compare::preview(prepared, &request, depth)).await;
                    let planned = Planned { blocked, ..preview };
                    let planned = Arc::new(planned);
                    let answer = match depth {
                        Depth::Plan => Answer::Planned(planned),
                        Depth::Diff => Answer::Compared(Ok(planned)),
                    };
                    shared.answer(answer).await;
                }
                Err(obstacle) if depth == Depth::Diff => shared.answer(Answer::Compared(Err(obstacle.parts()))).await,
                Err(obstacle) => shared.answer(obstacle.into()).await,
            }
            Outcome::Answered
        });
    }

    fn rights(&mut self, request: Request) {
        let (shared, id) = (self.shared.clone(), self.next_id());
        self.work.spawn(async move {
            match shared.prepare(Kind::Sync, &request, id).await {
                Ok(prepared) => {
                    let rights = shared.waits(&prepared.connected.server, rights::look(&prepared, &request)).await;
                    shared.answer(Answer::Rights(Arc::new(rights))).await;
                }
                Err(obstacle) => shared.answer(obstacle.into()).await,
            }
            Outcome::Answered
        });
    }

    async fn begin(&mut self, kind: Kind, request: Request) {
        if let Some(reason) = self.why_not_now() {
            return self.shared.answer(Answer::Refused { reason }).await;
        }
        self.was_stopped = false;
        let (shared, id) = (self.shared.clone(), self.next_id());
        self.preparing = Some(self.work.spawn(async move {
            match shared.prepare(kind, &request, id).await {
                Ok(prepared) if shared.opening.unattended && prepared.place.protected => Outcome::NotReady(protected(&prepared)),
                Ok(prepared) => {
                    let server = prepared.connected.server.clone();
                    match shared.waits(&server, begin(&shared.opening, prepared, request)).await {
                        Ok(ready) => Outcome::Ready(ready),
                        Err(sentence) => Outcome::Refused(sentence),
                    }
                }
                Err(obstacle) => Outcome::NotReady(obstacle),
            }
        }));
    }

    fn why_not_now(&self) -> Option<String> {
        if let Some(reason) = &self.shared.opening.read_only {
            return Some(format!("nothing may be changed here: {reason}"));
        }
        if self.preparing.is_some() {
            return Some("an operation is being prepared already; wait for it, or terminate it".to_owned());
        }
        let running = self.running.as_ref().filter(|running| running.is_busy())?;
        Some(format!("the operation {} is still running; wait for its end, or terminate it", running.id))
    }

    async fn done(&mut self, outcome: Result<(Id, Outcome), tokio::task::JoinError>) {
        match outcome {
            Ok((_, Outcome::Answered)) => {}
            // It was ready in the moment of the terminate, which has said that nothing begins.
            Ok((id, _)) if self.preparing.as_ref().map(AbortHandle::id) != Some(id) => {}
            Ok((_, outcome)) => {
                self.preparing = None;
                match outcome {
                    Outcome::Answered => {}
                    Outcome::Ready(ready) => self.start(*ready).await,
                    Outcome::NotReady(obstacle) => self.shared.answer(obstacle.into()).await,
                    Outcome::Refused(reason) => self.shared.answer(Answer::Refused { reason }).await,
                }
            }
            // Only a terminate aborts, and it has answered.
            Err(error) if error.is_cancelled() => {}
            Err(error) => {
                self.preparing = None;
                tracing::error!("{error}");
                let report = "the program failed while it prepared this; see its log".to_owned();
                self.shared.answer(Answer::Failed { kind: FailureKind::Cluster, report }).await;
            }
        }
    }

    async fn start(&mut self, Ready { prepared, unfinished, request }: Ready) {
        if let Some(mut before) = self.running.take() {
            // The watches of the last operation close before those of the next one open, so that its facts end with it.
            before.tasks.shutdown().await;
        }
        self.operations += 1;
        let (controls, taken) = mpsc::channel(16);
        let (sender, finished) = watch::channel(false);
        let id = prepared.id.clone();
        let start = Start {
            id: id.clone(),
            asked_at: prepared.started_at,
            plan: prepared.plan,
            request: Arc::new(request),
            context: prepared.place.context,
            server: prepared.place.cluster,
            cluster: prepared.connected.cluster,
            ledger: prepared.ledger,
            skip_unchanged: self.shared.opening.skip_unchanged,
            finder: prepared.finder,
            unfinished,
            warnings: prepared.notes,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(local::run(start, self.publisher.clone(), taken, sender));
        self.running = Some(Running { controls, finished, id: id.clone(), tasks });
        self.shared.answer(Answer::Started { operation: id }).await;
    }

    async fn terminate(&mut self, by: String) {
        if let Some(reason) = &self.shared.opening.read_only {
            let reason = format!("nothing may be changed here: {reason}");
            return self.shared.answer(Answer::Refused { reason }).await;
        }
        if let Some(preparing) = self.preparing.take() {
            preparing.abort();
            self.was_stopped = true;
        }
        match self.running.as_ref().filter(|running| running.is_busy()) {
            Some(running) => running.tell(Control::Terminate { by }).await,
            // Whoever presses the key again means the same sync.
            None if self.was_stopped => {
                let reason = "the operation was stopped before it began; nothing has been changed".to_owned();
                self.shared.answer(Answer::Refused { reason }).await;
            }
            None => self.shared.answer(Answer::Refused { reason: "no operation is running".to_owned() }).await,
        }
    }

    async fn approve(&mut self, keys: Vec<ResourceKey>, by: String) {
        if let Some(reason) = &self.shared.opening.read_only {
            let reason = format!("nothing may be changed here: {reason}");
            return self.shared.answer(Answer::Refused { reason }).await;
        }
        self.tell_running(Control::Approve { keys, by }, "there is nothing to confirm").await;
    }

    /// Hands something to the running operation; `otherwise` is what follows from there being none.
    async fn tell_running(&self, control: Control, otherwise: &str) {
        match self.running.as_ref().filter(|running| running.is_busy()) {
            Some(running) => running.tell(control).await,
            None => self.shared.answer(Answer::Refused { reason: format!("no operation is running, so {otherwise}") }).await,
        }
    }

    async fn follow(&mut self, key: ResourceKey) {
        match &self.running {
            Some(running) => running.tell(Control::Follow { key }).await,
            None => {
                let reason = format!("nothing has been synced yet, so there is no log of {key} to follow; start a sync first");
                self.shared.answer(Answer::Refused { reason }).await;
            }
        }
    }

    fn object(&mut self, key: ResourceKey) {
        let shared = self.shared.clone();
        self.work.spawn(async move {
            let yaml = shared.object(&key).await;
            shared.answer(Answer::Object { key, yaml }).await;
            Outcome::Answered
        });
    }

    fn next_id(&self) -> Arc<str> {
        match &self.shared.opening.operation_ids {
            OperationIds::Fixed(prefix) => format!("{prefix}-{}", self.operations + 1).into(),
            OperationIds::Random => random_id(self.shared.opening.clock.now()).into(),
        }
    }
}

impl Running {
    fn is_busy(&self) -> bool {
        !*self.finished.borrow()
    }

    async fn tell(&self, control: Control) {
        if self.controls.send(control).await.is_err() {
            tracing::debug!("the operation {} does not listen any more", self.id);
        }
    }
}

fn protected(prepared: &Prepared) -> Obstacle {
    let report = format!("the context `{}` is protected; add --yes, or start it from the screens", prepared.place.context);
    Obstacle { kind: FailureKind::Usage, report }
}

/// Makes an id that sorts by time: `20261121-031502-k3x9`.
fn random_id(now: Timestamp) -> String {
    use std::hash::{BuildHasher as _, Hasher as _};
    const LETTERS: &[u8; 32] = b"bcdfghjklmnpqrstvwxz23456789acde";
    // Each of these states is seeded by the system anew.
    let mut number = std::hash::RandomState::new().build_hasher().finish();
    let mut suffix = String::new();
    for _ in 0..4 {
        suffix.push(char::from(LETTERS[(number % 32) as usize]));
        number /= 32;
    }
    format!("{}-{suffix}", now.strftime("%Y%m%d-%H%M%S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_id_says_when_and_fits_into_a_label() {
        let id = random_id("2026-11-21T03:15:02Z".parse().unwrap());
        assert!(id.starts_with("20261121-031502-") && id.len() == 20, "{id}");
        assert_ne!(id, random_id("2026-11-21T03:15:02Z".parse().unwrap()));
    }
}
