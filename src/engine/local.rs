//! The loop that runs one operation here: it folds facts, obeys `Operation::next`, and publishes whatever happens. Begins every effect
//! by publishing its fact. Knows no rules of a sync; after the end it goes on telling what it sees until it is dropped (decision 10).

mod work;

use std::collections::{BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use self::work::UnderWay;
use super::bus::Publisher;
use super::captures::{Captures, Wish};
use super::executor::{Executor, Means};
use super::finder::Finder;
use super::inventory::Ledger;
use super::sweep::Sweep;
use super::told::{Told, words};
use super::unfinished::Unfinished;
use crate::clock::{Clock, Jumps};
use crate::cluster::logs::LogTarget;
use crate::cluster::watch::{Wanted, Watches, Watching};
use crate::cluster::{Cluster, Outbox};
use crate::model::{Phase, ResourceKey};
use crate::operation::{Effect, Event, Operation, Record, Request};
use crate::plan::Plan;

/// From this many calls under way on, answers are gathered for a moment, so that the core is asked once for many.
const MANY: usize = 32;
const GATHER: Duration = Duration::from_millis(5);

/// What a session tells a running operation.
#[derive(Clone, Debug)]
pub(super) enum Control {
    Terminate {
        by: String,
    },
    /// A person confirms these prunes.
    Approve {
        keys: Vec<ResourceKey>,
        by: String,
    },
    /// Stop before the next group.
    Pause {
        by: String,
    },
    /// Go on after a pause, or take the wish for one back.
    Resume {
        by: String,
    },
    /// The wish for a pause is taken back, unless the pause has come.
    DropPause {
        by: String,
    },
    /// Follow the logs of this object's pods too.
    Follow {
        key: ResourceKey,
    },
}

/// Everything that an operation needs to run.
pub(super) struct Start {
    pub(super) id: Arc<str>,
    /// When the operation started: before its plan was made.
    pub(super) asked_at: Timestamp,
    pub(super) plan: Arc<Plan>,
    pub(super) request: Arc<Request>,
    pub(super) context: Arc<str>,
    pub(super) server: Arc<str>,
    pub(super) cluster: Cluster,
    pub(super) ledger: Ledger,
    /// Whether what would change nothing is not sent.
    pub(super) skip_unchanged: bool,
    pub(super) finder: Option<Arc<Finder>>,
    pub(super) unfinished: Unfinished,
    /// Sentences to be told at the beginning.
    pub(super) warnings: Vec<String>,
}

impl Start {
    fn first_fact(&self, at: Timestamp) -> Record {
        let (plan, request) = (self.plan.clone(), self.request.clone());
        let (context, cluster, asked_at) = (self.context.clone(), self.server.clone(), self.asked_at);
        let event = Event::OperationStarted { plan, request, context, cluster, asked_at };
        Record { operation: self.id.clone(), seq: 1, at, event }
    }
}

/// Runs an operation, and keeps telling what is seen after its end until it is dropped or nobody can control it any more.
/// `finished` becomes true with the operation's end.
pub(super) async fn run(start: Start, publisher: Publisher, controls: mpsc::Receiver<Control>, finished: watch::Sender<bool>) {
    let (id, clock) = (start.id.clone(), start.cluster.clock());
    let told = Arc::new(Told::default());
    let Some(local) = Local::begin(start, publisher.clone(), told.clone()) else { return };
    if let Err(panic) = AssertUnwindSafe(local.run(controls, finished.clone())).catch_unwind().await {
        tracing::error!("the operation {id} was given up: {}", words(&*panic));
        told.end(&id, clock, &publisher);
        finished.send_replace(true);
    }
}

struct Local {
    clock: Clock,
    jumps: Jumps,
    publisher: Publisher,
    told: Arc<Told>,
    operation: Operation,
    seq: u64,
    outbox: Arc<Outbox>,
    executor: Arc<Executor>,
    captures: Arc<Captures>,
    ledger: Ledger,
    watches: Watches,
    finder: Option<Arc<Finder>>,
    unfinished: Unfinished,
    cluster: Cluster,
    hurry: CancellationToken,
    /// Calls, logs and last looks; each returns logs that have to be followed.
    work: JoinSet<Vec<Wish>>,
    under_way: HashMap<Id, UnderWay>,
    /// Objects whose pods' logs somebody wants to see although they are no hooks.
    followed: BTreeSet<ResourceKey>,
    steps_out: usize,
    /// Last looks at the pods of hooks that are under way; the end waits for them.
    looks_out: usize,
    /// Whether nobody can control the operation any more.
    is_abandoned: bool,
    /// Whether anything has happened since the core was asked last.
    is_news: bool,
    asked_at: Timestamp,
}

impl Local {
    fn begin(start: Start, publisher: Publisher, told: Arc<Told>) -> Option<Self> {
        let clock = start.cluster.clock();
        let outbox = Arc::new(Outbox::default());
        let first = Arc::new(start.first_fact(clock.now()));
        let operation = Operation::start(&first)?;
        publisher.publish(first.clone());
        told.note(&first);
        start.warnings.into_iter().for_each(|text| outbox.push(Event::Warned { task: None, text }));
        let watches = Watches::open(&start.cluster, Watching { wanted: wanted(&start.plan), started_at: first.at }, outbox.clone());
        let captures = Arc::new(Captures::new(start.cluster.clone(), publisher.clone(), outbox.clone(), start.id));
        let hurry = CancellationToken::new();
        let seals = start.skip_unchanged.then(|| start.ledger.seals());
        let means = Means { cluster: start.cluster.clone(), watches: watches.clone(), captures: captures.clone(), outbox: outbox.clone() };
        let executor = Executor::new(means, start.plan, start.request, hurry.clone()).with_seals(seals);
        Some(Self {
            clock,
            jumps: Jumps::new(clock),
            publisher,
            told,
            operation,
            seq: 1,
            outbox,
            executor: Arc::new(executor),
            captures,
            ledger: start.ledger,
            watches,
            finder: start.finder,
            unfinished: start.unfinished,
            cluster: start.cluster,
            hurry,
            work: JoinSet::new(),
            under_way: HashMap::new(),
            followed: BTreeSet::new(),
            steps_out: 0,
            looks_out: 0,
            is_abandoned: false,
            is_news: true,
            asked_at: first.at,
        })
    }

    async fn run(mut self, mut controls: mpsc::Receiver<Control>, finished: watch::Sender<bool>) {
        self.sweep(&mut controls).await;
        loop {
            self.take_facts();
            if std::mem::take(&mut self.is_news) {
                self.obey(&finished).await;
                // The core may have more to say to the facts that its own effects made.
                tokio::task::yield_now().await;
                continue;
            }
            if !self.wait(&mut controls).await {
                return;
            }
        }
    }

    /// Ends what dead operations have left, before anything is written for this one.
    async fn sweep(&mut self, controls: &mut mpsc::Receiver<Control>) {
        if self.unfinished.dead().is_empty() {
            return;
        }
        let request = self.operation.request();
        let cluster = self.cluster.with_hurry(self.hurry.clone());
        let sweep = Sweep { cluster, propagation: request.options.propagation(), is_dry: request.dry_run };
        let mut sweep = std::pin::pin!(sweep.run(self.unfinished.dead().to_vec()));
        let swept = loop {
            tokio::select! {
                biased;
                control = controls.recv(), if !self.is_abandoned => match control {
                    Some(control) => self.take_control(control),
                    None => self.is_abandoned = true,
                },
                swept = &mut sweep => break swept,
            }
        };
        swept.sentences.into_iter().for_each(|text| self.publish(Event::Warned { task: None, text }));
        if !self.operation.request().dry_run {
            self.unfinished.swept(swept.left).await;
        }
    }

    /// Waits until anything happens; returns false when nobody can control the operation any more.
    async fn wait(&mut self, controls: &mut mpsc::Receiver<Control>) -> bool {
        let wake_at = self.operation.wake_at(self.asked_at).filter(|at| *at > self.asked_at);
        let clock = self.clock;
        let outbox = self.outbox.clone();
        tokio::select! {
            // Always in this order, so that a story plays the same way each time; what is rare comes first.
            biased;
            control = controls.recv(), if !self.is_abandoned => match control {
                Some(control) => self.take_control(control),
                None => self.is_abandoned = true,
            },
            Some(ended) = self.work.join_next_with_id(), if !self.work.is_empty() => self.ended(ended),
            () = outbox.arrived() => {}
            () = until(clock, wake_at) => self.is_news = true,
        }
        if self.steps_out > MANY {
            clock.sleep(GATHER).await;
        }
        // Without anybody to control it, a running operation still comes to its end.
        !(self.is_abandoned && self.operation.finished_at().is_some())
    }

    fn take_facts(&mut self) {
        while let Some(ended) = self.work.try_join_next_with_id() {
            self.ended(ended);
        }
        for event in self.outbox.drain() {
            self.publish(event);
        }
    }

    fn take_control(&mut self, control: Control) {
        match control {
            Control::Terminate { by } => {
                self.hurry.cancel();
                self.publish(Event::TerminateRequested { by });
            }
            Control::Approve { keys, by } => self.publish(Event::PruneApproved { keys, by }),
            Control::Pause { by } => self.publish(Event::PauseRequested { by }),
            Control::Resume { by } => self.publish(Event::Resumed { by }),
            Control::DropPause { by } => {
                if self.operation.paused().is_none() {
                    self.publish(Event::Resumed { by });
                }
            }
            Control::Follow { key } => {
                self.followed.insert(key);
                self.is_news = true;
            }
        }
    }

    /// Does what the core says now.
    async fn obey(&mut self, finished: &watch::Sender<bool>) {
        if let Some(text) = self.jumps.look() {
            self.publish(Event::Warned { task: None, text });
        }
        self.asked_at = self.clock.now();
        let mut effects = self.operation.next(self.asked_at);
        if self.looks_out > 0 && effects.iter().any(is_end) {
            // It will be said again when the last looks are through.
            effects.retain(|effect| !matches!(effect, Effect::Record(_)));
        }
        for effect in effects {
            match effect {
                Effect::Record(event) => self.record(event, finished).await,
                Effect::Step { task, step } => self.begin_step(task, step),
                Effect::LookAgain => self.begin_search(),
                Effect::FollowLog { task, namespace, pod, uid, container, pod_attempt } => {
                    self.begin_log(Wish { task, target: LogTarget { namespace, pod, uid, container }, pod_attempt });
                }
            }
        }
        for wish in self.wishes() {
            self.begin_log(wish);
        }
    }

    async fn record(&mut self, event: Event, finished: &watch::Sender<bool>) {
        let is_concluded = matches!(event, Event::Concluded { .. });
        match &event {
            // Before the first object goes: a deletion that is cut off from here on goes on without its PreDelete hooks.
            Event::PhaseStarted { phase: Phase::Delete } => {
                if let Err(text) = self.ledger.begin_deletion().await {
                    self.publish(Event::Warned { task: None, text });
                }
            }
            Event::TimedOut => self.hurry.cancel(),
            Event::AttemptStarted { attempt } => self.captures.begin_attempt(*attempt),
            _ => {}
        }
        if let Event::OperationFinished { phase, .. } = event {
            // Whoever sees the end may start the next operation at once.
            if !self.operation.request().dry_run {
                self.ledger.keep_unseen(self.finder.as_ref().map(|finder| finder.missed()).unwrap_or_default());
                self.ledger.close(&self.operation, phase).await;
                self.unfinished.close(&self.operation).await;
            }
            finished.send_replace(true);
        }
        self.publish(event);
        if is_concluded {
            self.look_for_unread_logs();
        }
    }

    fn publish(&mut self, event: Event) {
        self.seq += 1;
        let record = Arc::new(Record { operation: self.operation.id().clone(), seq: self.seq, at: self.clock.now(), event });
        self.operation.apply(&record);
        self.publisher.publish(record.clone());
        self.told.note(&record);
        self.is_news = true;
    }
}

/// Returns whether an effect ends an attempt.
fn is_end(effect: &Effect) -> bool {
    matches!(effect, Effect::Record(Event::OperationFinished { .. } | Event::RetryScheduled { .. }))
}

async fn until(clock: Clock, at: Option<Timestamp>) {
    match at {
        Some(at) => clock.sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// What to watch for a plan: everything that it may write.
fn wanted(plan: &Plan) -> Vec<Wanted> {
    let named = plan.tasks.iter().filter(|task| !task.id.key.name.is_empty());
    named.map(|task| Wanted { key: task.id.key.clone(), gvk: task.gvk(), hook: task.is_hook() }).collect()
}
