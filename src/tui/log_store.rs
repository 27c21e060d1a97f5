//! Keeps what containers print, as printable lines, within one budget of bytes. Owns the order of the lines of each task, what is known of
//! their streams, and the count of everything that is not kept. Knows nothing of screens: a view brings its own choice, width and position.
//!
//! When the budget is used up, the task that takes most loses its oldest lines: a talkative Deployment cannot push out the log of a hook.

mod level;
mod line;
mod source;
mod task_log;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::TaskId;
use crate::operation::{Event, LogLine, Record};

pub(crate) use level::Level;
#[cfg(test)]
pub(crate) use line::LINE_LIMIT;
pub(crate) use line::{Content, StoredLine, Text};
#[cfg(test)]
pub(crate) use source::Exit;
pub(crate) use source::Source;
pub(crate) use task_log::TaskLog;

/// What a store may take if nobody says otherwise.
pub(crate) const BUDGET: usize = 16 * 1024 * 1024;

/// The logs of all tasks of all operations that the program has seen.
#[derive(Debug)]
pub(crate) struct LogStore {
    operations: HashMap<Arc<str>, HashMap<TaskId, TaskLog>>,
    budget: usize,
    bytes: usize,
}

impl Default for LogStore {
    fn default() -> Self {
        Self::new(BUDGET)
    }
}

impl LogStore {
    /// Makes an empty store that never takes more than `budget` bytes.
    pub(crate) fn new(budget: usize) -> Self {
        Self { operations: HashMap::new(), budget, bytes: 0 }
    }

    /// Returns how many bytes the lines take.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the log of a task; `None` if nothing has been heard of one.
    pub(crate) fn log(&self, operation: &str, task: &TaskId) -> Option<&TaskLog> {
        self.operations.get(operation)?.get(task)
    }

    /// Takes in a piece of a log.
    pub(crate) fn push(&mut self, line: LogLine) {
        let log = self.operations.entry(line.operation.clone()).or_default().entry(line.task.clone()).or_default();
        let before = log.bytes;
        log.push(line);
        self.bytes = self.bytes + log.bytes - before;
        if self.bytes > self.budget {
            self.evict();
        }
    }

    /// Takes in what a fact says about streams and pods.
    pub(crate) fn observe(&mut self, record: &Record) {
        match &record.event {
            Event::LogOpened { task, pod, uid, container, pod_attempt } => {
                let log = self.operations.entry(record.operation.clone()).or_default().entry(task.clone()).or_default();
                let before = log.bytes;
                log.opened(pod, uid, container, *pod_attempt, record.at);
                self.bytes = self.bytes + log.bytes - before;
            }
            Event::LogClosed { task, pod, uid, container } => {
                if let Some(log) = self.operations.get_mut(&record.operation).and_then(|tasks| tasks.get_mut(task)) {
                    log.closed(pod, uid, container, record.at);
                }
            }
            Event::PodObserved { pod } => self.each_log(&record.operation, |log| log.pod_observed(pod)),
            Event::PodGone { name, uid, .. } => self.each_log(&record.operation, |log| log.pod_gone(name, uid)),
            Event::OperationStarted { .. }
            | Event::WatchesOpened { .. }
            | Event::DryPassFinished
            | Event::SearchStarted
            | Event::SearchFinished { .. }
            | Event::PhaseStarted { .. }
            | Event::WaveStarted { .. }
            | Event::RunStarted { .. }
            | Event::StepStarted { .. }
            | Event::StepFinished { .. }
            | Event::RunFinished { .. }
            | Event::TaskChanged { .. }
            | Event::WaveFinished { .. }
            | Event::PhaseFinished { .. }
            | Event::Waiting { .. }
            | Event::LiveObserved { .. }
            | Event::LiveGone { .. }
            | Event::Occurred { .. }
            | Event::PruneApproved { .. }
            | Event::Concluded { .. }
            | Event::TerminateRequested { .. }
            | Event::TimedOut
            | Event::RetryScheduled { .. }
            | Event::AttemptStarted { .. }
            | Event::PauseRequested { .. }
            | Event::Paused { .. }
            | Event::Resumed { .. }
            | Event::Stalled { .. }
            | Event::ClusterLost { .. }
            | Event::ClusterBack { .. }
            | Event::Warned { .. }
            | Event::OperationFinished { .. } => {}
        }
    }

    fn each_log(&mut self, operation: &str, change: impl FnMut(&mut TaskLog)) {
        if let Some(tasks) = self.operations.get_mut(operation) {
            tasks.values_mut().for_each(change);
        }
    }

    /// Makes room in steps of a sixty-fourth of the budget, so that the search for the largest log is rare.
    fn evict(&mut self) {
        let goal = self.budget - self.budget / 64;
        while self.bytes > goal {
            let logs = self.operations.values_mut().flat_map(HashMap::values_mut);
            let Some(largest) = logs.max_by_key(|log| log.bytes).filter(|log| !log.lines.is_empty()) else { return };
            let before = largest.bytes;
            largest.drop_oldest(self.bytes - goal);
            self.bytes = self.bytes + largest.bytes - before;
        }
    }
}
