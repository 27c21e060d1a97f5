//! The headless twin of the screens: drives one sync or one plan of a session and prints it, what a sync wants to be allowed, and the
//! health of files. Sees operations only as facts and folds them as every consumer does; knows neither the cluster nor the way manifests
//! are read.

pub(crate) mod changes;
pub(crate) mod diff;
mod drive;
mod escape;
pub(crate) mod health;
pub(crate) mod json;
pub(crate) mod plain;
pub(crate) mod plan;
pub(crate) mod rbac;
pub(crate) mod style;
mod summary;
mod task;
#[cfg(test)]
mod tests;
pub(crate) mod visible;

use std::io;

pub(crate) use drive::{End, Stop, delete, diff, plan, rights, sync};

use crate::model::TaskId;
use crate::operation::{LogLine, Operation, Record};

use changes::Change;

/// Prints an operation in one format.
pub(crate) trait Report {
    /// Prints a fact that `operation` has folded already, with the tasks that it changed.
    fn fact(&mut self, record: &Record, operation: &Operation, changes: &[Change<'_>]) -> io::Result<()>;

    /// Prints a log line.
    fn line(&mut self, line: &LogLine, operation: &Operation) -> io::Result<()>;

    /// Writes out what is printed so far.
    fn flush(&mut self) -> io::Result<()>;
}

/// What the operation was last said to wait for.
#[derive(Debug, Default)]
pub(crate) struct Waited {
    message: String,
    on: Vec<TaskId>,
}

impl Waited {
    /// Notes what the operation waits for; returns whether that is news.
    fn changes(&mut self, message: &str, on: &[TaskId]) -> bool {
        if self.message == message && self.on == on {
            return false;
        }
        self.message = message.to_owned();
        self.on = on.to_vec();
        true
    }
}
