//! What each row, wave and phase of a screen shows: derived from the fold, never stored in it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{HealthStatus, Phase, ResultCode, Task, TaskId, TaskState, Wave};
use crate::plan::{NotRun, NotRunCode};

use super::{Operation, Span};

/// How far something is. Each has one glyph, one word and one colour on every screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stage {
    /// Its turn has not come.
    Waiting,
    /// Being applied, or running, or not healthy yet.
    Running,
    Done,
    Failed,
    /// Will not run (any more) in this operation.
    Skipped,
    /// A SyncFail hook that runs only if the operation fails.
    Armed,
}

/// What a task's row shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TaskRow {
    pub(crate) stage: Stage,
    /// One word: the health of a resource (`Progressing`), the state of a hook (`Succeeded`), `waiting`, `not run`, `Pruned` …
    pub(crate) word: &'static str,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) finished_at: Option<Timestamp>,
    /// The newest text: health message if there is one, else the result's message, else why it waits.
    pub(crate) message: String,
}

/// What a wave shows in the rail.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WaveCell {
    pub(crate) wave: Wave,
    pub(crate) stage: Stage,
    pub(crate) span: Span,
    pub(crate) done: usize,
    pub(crate) total: usize,
}

/// What a phase shows in the rail.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PhaseCell {
    pub(crate) phase: Phase,
    pub(crate) stage: Stage,
    pub(crate) span: Span,
    pub(crate) waves: Vec<WaveCell>,
    pub(crate) done: usize,
    pub(crate) total: usize,
}

/// Numbers for the title of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) done: usize,
    pub(crate) failed: usize,
    pub(crate) total: usize,
}

impl Operation {
    /// Returns what the row of a task shows.
    pub(crate) fn row(&self, task: &Task) -> TaskRow {
        let progress = self.progress(&task.id);
        let result = self.result(&task.id).filter(|_| progress.is_some() || !self.shares_result(task));
        let (stage, word) = match result {
            Some(result) => self.stage_of_result(task, result.code, result.state),
            None => self.stage_without_result(task, progress.is_some()),
        };
        TaskRow {
            stage,
            word,
            started_at: progress.and_then(|progress| progress.started_at),
            finished_at: progress.and_then(|progress| progress.finished_at),
            message: self.row_message(task, result.map(|result| result.message.as_str()), stage),
        }
    }

    /// A prune task and a Sync hook of one object share a result key (spec R124, R613).
    fn shares_result(&self, task: &Task) -> bool {
        self.result(&task.id).is_some_and(|result| result.task != task.id)
    }

    fn stage_of_result(&self, task: &Task, code: ResultCode, state: TaskState) -> (Stage, &'static str) {
        match (code, state) {
            (ResultCode::Pruned, _) if self.is_deletion() && self.is_leaving(task) => (Stage::Running, "deleting"),
            (ResultCode::Pruned, _) if self.is_deletion() => (Stage::Done, "gone"),
            (ResultCode::PruneSkipped, _) => (Stage::Skipped, "kept"),
            (_, TaskState::Succeeded) if self.request.dry_run => (Stage::Done, "tried"),
            (ResultCode::Pruned, _) => (Stage::Done, "Pruned"),
            (ResultCode::SyncFailed, _) => (Stage::Failed, "SyncFailed"),
            (_, TaskState::Failed) => (Stage::Failed, if task.is_hook() { "Failed" } else { "Degraded" }),
            (_, TaskState::Error) => (Stage::Failed, "Error"),
            (_, TaskState::Succeeded) => {
                (Stage::Done, if task.is_hook() { "Succeeded" } else { self.health_word(task).unwrap_or("Synced") })
            }
            (_, TaskState::Running | TaskState::Pending | TaskState::Terminating) => self.stage_of_running(task),
        }
    }

    /// A resource of the last group keeps the state Running in its result for ever (spec R1540); what is shown is derived.
    fn stage_of_running(&self, task: &Task) -> (Stage, &'static str) {
        let health = self.live.get(&task.id.key).and_then(|live| live.assessment.status());
        if !task.is_hook() && (self.finished_at.is_some() || health != Some(HealthStatus::Progressing)) {
            return match health {
                None => (Stage::Done, "Synced"),
                Some(HealthStatus::Healthy) => (Stage::Done, "Healthy"),
                Some(HealthStatus::Degraded) => (Stage::Failed, "Degraded"),
                Some(other) => (Stage::Running, other.as_str()),
            };
        }
        (Stage::Running, if task.is_hook() { "Running" } else { health.map_or("Running", HealthStatus::as_str) })
    }

    fn stage_without_result(&self, task: &Task, started: bool) -> (Stage, &'static str) {
        if task.unmodified || (!started && self.is_there_already(task)) {
            return (Stage::Skipped, "in sync");
        }
        if self.finished_at.is_some() {
            return (Stage::Skipped, "not run");
        }
        if started {
            let deleting = task.is_hook() && self.is_old_hook_in_deletion(&task.id);
            let word = match (deleting, task.id.phase) {
                (true, _) => "deleting old",
                (false, Phase::Delete) => "deleting",
                (false, _) => "applying",
            };
            return (Stage::Running, word);
        }
        if task.id.phase == Phase::SyncFail { (Stage::Armed, "armed") } else { (Stage::Waiting, "waiting") }
    }

    fn health_word(&self, task: &Task) -> Option<&'static str> {
        self.live.get(&task.id.key)?.assessment.status().map(HealthStatus::as_str)
    }

    fn row_message(&self, task: &Task, result: Option<&str>, stage: Stage) -> String {
        let health = self.live.get(&task.id.key).map(|live| live.assessment.message()).filter(|message| !message.is_empty());
        match (stage, result) {
            (Stage::Running, Some(text)) if !task.is_prune() => health.unwrap_or(text).to_owned(),
            (Stage::Failed, Some("")) => health.unwrap_or_default().to_owned(),
            (_, Some(text)) => text.to_owned(),
            (Stage::Armed, None) => "runs only if the sync fails".to_owned(),
            (Stage::Skipped, None) => self.why_not_run(task).1,
            (Stage::Waiting | Stage::Running | Stage::Done | Stage::Failed, None) => String::new(),
        }
    }

    /// Returns everything that did not run, with reason and code: what the plan left out, and what the end of the operation left.
    pub(crate) fn not_run(&self) -> Vec<NotRun> {
        let mut list = self.plan.not_run.clone();
        if self.finished_at.is_some() || self.conclusion.is_some() {
            let left = self
                .plan
                .tasks
                .iter()
                .filter(|task| !task.unmodified)
                .filter(|task| self.result(&task.id).is_none_or(|result| result.task != task.id && self.shares_result(task)));
            list.extend(left.map(|task| {
                let (code, reason) = self.why_not_run(task);
                NotRun { task: task.clone(), reason, code }
            }));
        }
        list
    }

    fn why_not_run(&self, task: &Task) -> (NotRunCode, String) {
        if task.unmodified {
            return (NotRunCode::NotNeeded, "it is as it should be (ApplyOutOfSyncOnly)".to_owned());
        }
        if self.is_there_already(task) {
            return (NotRunCode::NotNeeded, "it is there already".to_owned());
        }
        if self.terminate.is_some() {
            return (NotRunCode::Terminated, "the operation was terminated before its turn".to_owned());
        }
        if task.id.phase == Phase::SyncFail {
            let failed = self.conclusion.as_ref().is_some_and(|conclusion| conclusion.phase != crate::model::OperationPhase::Succeeded);
            let reason = if failed { "the operation failed before anything was applied" } else { "the sync did not fail" };
            return (if failed { NotRunCode::Blocked } else { NotRunCode::NotNeeded }, reason.to_owned());
        }
        if task.is_prune() && !self.is_there_to_prune(task) {
            return (NotRunCode::NotNeeded, "the object is gone already".to_owned());
        }
        (NotRunCode::Blocked, self.blocked_by())
    }

    fn blocked_by(&self) -> String {
        let failed = self.results.iter().find(|result| matches!(result.state, TaskState::Failed | TaskState::Error));
        failed.map_or_else(
            || "the operation ended before its turn".to_owned(),
            |result| format!("{} failed in {}", result.task.key.short(), result.task.phase),
        )
    }

    /// Returns the phases of the rail, in order; phases without tasks are left out.
    pub(crate) fn rail(&self) -> Vec<PhaseCell> {
        let mut cells: BTreeMap<Phase, BTreeMap<Wave, (Vec<Stage>, usize)>> = BTreeMap::new();
        for task in &self.plan.tasks {
            let stage = self.row(task).stage;
            let (stages, done) = cells.entry(task.id.phase).or_default().entry(task.wave).or_default();
            stages.push(stage);
            *done += usize::from(stage == Stage::Done);
        }
        cells.into_iter().map(|(phase, waves)| self.phase_cell(phase, waves)).collect()
    }

    fn phase_cell(&self, phase: Phase, waves: BTreeMap<Wave, (Vec<Stage>, usize)>) -> PhaseCell {
        let mut waves: Vec<WaveCell> = waves
            .into_iter()
            .map(|(wave, (stages, done))| WaveCell {
                wave,
                stage: summary(&stages),
                span: self.waves.get(&(phase, wave)).copied().unwrap_or_default(),
                done,
                total: stages.len(),
            })
            .collect();
        if phase == Phase::Delete {
            // In the order in which they go (spec R1109).
            waves.reverse();
        }
        let stages: Vec<Stage> = waves.iter().map(|wave| wave.stage).collect();
        PhaseCell {
            phase,
            stage: summary(&stages),
            span: self.phases.get(&phase).copied().unwrap_or_default(),
            done: waves.iter().map(|wave| wave.done).sum(),
            total: waves.iter().map(|wave| wave.total).sum(),
            waves,
        }
    }

    /// Returns how many tasks are done and failed. SyncFail hooks count only once they run.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for task in &self.plan.tasks {
            match self.row(task).stage {
                Stage::Armed => continue,
                Stage::Done => counts.done += 1,
                Stage::Failed => counts.failed += 1,
                Stage::Skipped if task.id.phase == Phase::SyncFail => continue,
                Stage::Skipped | Stage::Waiting | Stage::Running => {}
            }
            counts.total += 1;
        }
        counts
    }

    /// Returns the tasks that failed, in order of the plan.
    pub(crate) fn failed_tasks(&self) -> Vec<TaskId> {
        self.plan.tasks.iter().filter(|task| self.row(task).stage == Stage::Failed).map(|task| task.id.clone()).collect()
    }
}

fn summary(stages: &[Stage]) -> Stage {
    let has = |stage| stages.contains(&stage);
    let all = |stage| stages.iter().all(|other| *other == stage);
    if has(Stage::Failed) {
        Stage::Failed
    } else if has(Stage::Running) {
        Stage::Running
    } else if all(Stage::Armed) {
        Stage::Armed
    } else if all(Stage::Skipped) {
        Stage::Skipped
    } else if stages.iter().all(|stage| matches!(stage, Stage::Done | Stage::Skipped)) {
        Stage::Done
    } else if has(Stage::Done) {
        Stage::Running
    } else {
        Stage::Waiting
    }
}
