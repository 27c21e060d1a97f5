//! What a screen needs of one operation, or of a plan that has not run: rows, rail, numbers and sentences, kept up to date fact by
//! fact. Folds with the core's `Operation::apply` and never decides anything itself; knows no keys, colours or rectangles.

mod sentences;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::happening::{self, Happening};
use super::row::{self, Row};
use super::tally::Tally;
use crate::engine::session::{Action, Planned};
use crate::model::{Phase, ResourceKey, TaskId, Wave};
use crate::operation::timeline::{Counts, PhaseCell, Stage};
use crate::operation::verdict::{Blocker, Tone, Verdict};
use crate::operation::{Event, Operation, Record};
use crate::plan::{Kind, Plan};

/// One operation or plan as the screens see it.
#[derive(Debug)]
pub(crate) struct Board {
    /// Counts the operations of this program from 1; 0 for a plan.
    number: usize,
    plan: Arc<Plan>,
    operation: Option<Operation>,
    actions: BTreeMap<TaskId, Action>,
    /// Tasks in the order of the plan, then what the plan leaves out.
    rows: Vec<Row>,
    by_key: HashMap<ResourceKey, Vec<usize>>,
    stale: Stale,
    tally: Tally,
    rail: Vec<PhaseCell>,
    verdict: Verdict,
    blocker: Option<(usize, Blocker)>,
    gate: String,
    upcoming: String,
    /// The wave that comes next.
    next: Option<(Phase, Wave)>,
    /// Limits of time that run, the next one first.
    countdowns: Vec<(&'static str, Timestamp)>,
    /// Objects whose deletion waits for a person.
    unconfirmed: Vec<ResourceKey>,
    happening: Option<Happening>,
    dry_pass_done: bool,
    /// When the newest fact was true.
    heard_at: Timestamp,
    /// Grows whenever a row may look different.
    version: u64,
}

/// What has to be computed anew before the next frame.
#[derive(Debug, Default)]
struct Stale {
    all: bool,
    any: bool,
    rows: BTreeSet<usize>,
}

impl Board {
    /// Makes the board of a plan that has not run.
    pub(crate) fn preview(planned: &Planned) -> Self {
        Self::new(0, planned.plan.clone(), None, planned.actions.clone())
    }

    /// Makes the board of an operation from its first fact; `None` if it is another fact.
    pub(crate) fn start(number: usize, record: &Record, actions: BTreeMap<TaskId, Action>) -> Option<Self> {
        let operation = Operation::start(record)?;
        Some(Self::new(number, operation.plan().clone(), Some(operation), actions))
    }

    fn new(number: usize, plan: Arc<Plan>, operation: Option<Operation>, actions: BTreeMap<TaskId, Action>) -> Self {
        let (rows, by_key) = rows_of(&plan);
        let verdict = Verdict { tone: Tone::Working, word: "", text: String::new() };
        let mut board = Self {
            number,
            plan,
            operation,
            actions,
            rows,
            by_key,
            stale: Stale { all: true, any: true, rows: BTreeSet::new() },
            tally: Tally::default(),
            rail: Vec::new(),
            verdict,
            blocker: None,
            gate: String::new(),
            upcoming: String::new(),
            next: None,
            countdowns: Vec::new(),
            unconfirmed: Vec::new(),
            happening: None,
            dry_pass_done: false,
            heard_at: Timestamp::UNIX_EPOCH,
            version: 0,
        };
        board.settle(Timestamp::UNIX_EPOCH);
        board
    }

    /// Folds a fact.
    pub(crate) fn apply(&mut self, record: &Record) {
        let Some(operation) = &mut self.operation else { return };
        operation.apply(record);
        self.heard_at = record.at;
        self.stale.any = true;
        if !Arc::ptr_eq(&self.plan, operation.plan()) {
            self.plan = operation.plan().clone();
            (self.rows, self.by_key) = rows_of(&self.plan);
        }
        match touched(&record.event) {
            Touched::Everything => self.stale.all = true,
            Touched::Key(key) => self.stale.rows.extend(self.by_key.get(key).into_iter().flatten()),
            Touched::Nothing => {}
        }
        self.dry_pass_done |= matches!(record.event, Event::DryPassFinished);
        if let Some(happening) = happening::of(record, operation) {
            self.happening = Some(happening);
        }
    }

    /// Brings everything up to date that facts or time have made stale. Called once before a frame, never while drawing.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        let ticking = self.is_running();
        if self.stale.any {
            self.refresh_rows();
        }
        if self.stale.any || ticking {
            self.refresh_sentences(now);
        }
        self.stale = Stale::default();
    }

    fn refresh_rows(&mut self) {
        let tasks = self.plan.tasks.len();
        self.refresh_blocker();
        if self.stale.all {
            self.tally = Tally::default();
            for position in 0..tasks {
                self.refresh_row(position);
                let row = &self.rows[position];
                self.tally.add(row.group_phase(), row.wave, row.stage);
            }
        } else {
            for position in std::mem::take(&mut self.stale.rows) {
                let row = &self.rows[position];
                self.tally.remove(row.group_phase(), row.wave, row.stage);
                self.refresh_row(position);
                let row = &self.rows[position];
                self.tally.add(row.group_phase(), row.wave, row.stage);
            }
        }
        self.rail = self.tally.rail(self.operation.as_ref());
        self.version += 1;
    }

    /// The row that holds everything up shows the most telling reason; when that changes, both rows do.
    fn refresh_blocker(&mut self) {
        let before = self.blocker.take().map(|(position, _)| position);
        let blocker = self.operation.as_ref().and_then(Operation::blocker);
        self.blocker = blocker.and_then(|blocker| Some((self.plan.position(&blocker.task)?, blocker)));
        let after = self.blocker.as_ref().map(|(position, _)| *position);
        self.stale.rows.extend(before.into_iter().chain(after));
    }

    fn refresh_row(&mut self, position: usize) {
        let task = &self.plan.tasks[position];
        let action = self.actions.get(&task.id);
        let row = &mut self.rows[position];
        match &self.operation {
            Some(operation) => {
                let is_blocker = self.blocker.as_ref().is_some_and(|(at, _)| *at == position);
                row::refresh(row, task, operation, &row::Beside { is_blocker, action, at: self.heard_at });
            }
            None => row::refresh_planned(row, task, action),
        }
    }

    /// Returns which operation of this program it is, from 1; 0 for a plan.
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// Returns the plan.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns whether it is the deletion of the app.
    pub(crate) fn is_deletion(&self) -> bool {
        self.plan.kind == Kind::Delete
    }

    /// Returns what the operation is called.
    pub(crate) fn noun(&self) -> &'static str {
        let is_dry = self.operation.as_ref().is_some_and(|operation| operation.request().dry_run);
        match (self.plan.kind, is_dry) {
            (Kind::Delete, _) => "deletion",
            (Kind::Sync, true) => "dry run",
            (Kind::Sync, false) => "sync",
        }
    }

    /// Returns the operation, unless this is only a plan.
    pub(crate) fn operation(&self) -> Option<&Operation> {
        self.operation.as_ref()
    }

    /// Returns all rows: tasks in the order of the plan, then what the plan leaves out.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Returns how many rows are tasks of the plan.
    pub(crate) fn tasks(&self) -> usize {
        self.plan.tasks.len()
    }

    /// Returns the id of the task in a row; of one that the plan leaves out too.
    pub(crate) fn task_id(&self, row: usize) -> Option<&TaskId> {
        let left = || self.plan.not_run.get(row.checked_sub(self.plan.tasks.len())?).map(|left| &left.task.id);
        self.plan.tasks.get(row).map(|task| &task.id).or_else(left)
    }

    /// Returns the row of a task.
    pub(crate) fn position(&self, task: &TaskId) -> Option<usize> {
        self.plan.position(task)
    }

    /// Returns what the plan does with a task, as far as the cluster has been asked.
    pub(crate) fn action(&self, task: &TaskId) -> Option<&Action> {
        self.actions.get(task)
    }

    /// Returns the cells of the rail.
    pub(crate) fn rail(&self) -> &[PhaseCell] {
        &self.rail
    }

    /// Returns the numbers of the table's title.
    pub(crate) fn counts(&self) -> Counts {
        self.tally.counts()
    }

    /// Returns the sentence of the verdict line.
    pub(crate) fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Returns the row that holds the operation up, and since when.
    pub(crate) fn blocker(&self) -> Option<(usize, Timestamp)> {
        self.blocker.as_ref().map(|(position, blocker)| (*position, blocker.since))
    }

    /// Returns the row that a person should look at: the blocker, else what failed first, else what runs.
    pub(crate) fn focus(&self) -> Option<usize> {
        let staged = |stage: Stage| self.rows[..self.tasks()].iter().position(|row| row.stage == stage);
        match self.blocker() {
            Some((position, _)) => Some(position),
            // Between two attempts nothing runs.
            None if self.is_running() => staged(Stage::Running).or_else(|| staged(Stage::Failed)),
            None => staged(Stage::Failed),
        }
    }

    /// Returns what a row waits for whose turn has not come.
    pub(crate) fn gate(&self) -> &str {
        &self.gate
    }

    /// Returns what comes next.
    pub(crate) fn upcoming(&self) -> &str {
        &self.upcoming
    }

    /// Returns the wave that comes next.
    pub(crate) fn next_wave(&self) -> Option<(Phase, Wave)> {
        self.next
    }

    /// Returns the limits of time that run, the next one first: what each limits, and when it is over.
    pub(crate) fn countdowns(&self) -> &[(&'static str, Timestamp)] {
        &self.countdowns
    }

    /// Returns since when nothing has changed, if that is long enough to be said.
    pub(crate) fn stalled_since(&self) -> Option<Timestamp> {
        self.operation.as_ref().filter(|_| self.is_running()).and_then(Operation::stalled_since)
    }

    /// Returns the objects whose deletion waits for a person.
    pub(crate) fn unconfirmed(&self) -> &[ResourceKey] {
        &self.unconfirmed
    }

    /// Returns the last thing that happened.
    pub(crate) fn happening(&self) -> Option<&Happening> {
        self.happening.as_ref()
    }

    /// Returns whether every task has passed the dry run.
    pub(crate) fn is_dry_pass_done(&self) -> bool {
        self.dry_pass_done
    }

    /// Returns whether the operation has not ended yet.
    pub(crate) fn is_running(&self) -> bool {
        self.operation.as_ref().is_some_and(|operation| operation.finished_at().is_none())
    }

    /// Returns whether the operation ended badly.
    pub(crate) fn has_failed(&self) -> bool {
        self.operation.as_ref().is_some_and(|operation| operation.finished_at().is_some()) && self.verdict.tone == Tone::Bad
    }

    /// Returns a number that grows whenever a row may look different.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }
}

/// Makes the rows of a plan, and says which ones belong to an object.
fn rows_of(plan: &Plan) -> (Vec<Row>, HashMap<ResourceKey, Vec<usize>>) {
    let mut by_key: HashMap<ResourceKey, Vec<usize>> = HashMap::with_capacity(plan.tasks.len());
    for (position, task) in plan.tasks.iter().enumerate() {
        by_key.entry(task.id.key.clone()).or_default().push(position);
    }
    let mut rows: Vec<Row> = plan.tasks.iter().map(row::of_task).collect();
    rows.extend(plan.not_run.iter().map(row::of_left));
    (rows, by_key)
}

/// Which rows a fact concerns.
enum Touched<'a> {
    Everything,
    Key(&'a ResourceKey),
    Nothing,
}

fn touched(event: &Event) -> Touched<'_> {
    match event {
        Event::OperationStarted { .. }
        | Event::Concluded { .. }
        | Event::TerminateRequested { .. }
        | Event::TimedOut
        | Event::RetryScheduled { .. }
        | Event::AttemptStarted { .. }
        | Event::SearchFinished { .. }
        | Event::OperationFinished { .. } => Touched::Everything,
        Event::StepStarted { task, .. } | Event::StepFinished { task, .. } | Event::TaskChanged { task, .. } => Touched::Key(&task.key),
        Event::LiveObserved { key, .. } | Event::LiveGone { key, .. } => Touched::Key(key),
        Event::PodObserved { pod } => Touched::Key(&pod.owner),
        Event::SearchStarted
        | Event::WatchesOpened { .. }
        | Event::DryPassFinished
        | Event::PhaseStarted { .. }
        | Event::WaveStarted { .. }
        | Event::RunStarted { .. }
        | Event::RunFinished { .. }
        | Event::WaveFinished { .. }
        | Event::PhaseFinished { .. }
        | Event::Waiting { .. }
        | Event::PodGone { .. }
        | Event::Occurred { .. }
        | Event::LogOpened { .. }
        | Event::LogClosed { .. }
        | Event::PruneApproved { .. }
        | Event::PauseRequested { .. }
        | Event::Paused { .. }
        | Event::Resumed { .. }
        | Event::Stalled { .. }
        | Event::ClusterLost { .. }
        | Event::ClusterBack { .. }
        | Event::Warned { .. } => Touched::Nothing,
    }
}
