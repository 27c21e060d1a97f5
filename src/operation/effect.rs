//! What the core asks of the shell. Says what, never how: the calls are made in `engine`.

use std::sync::Arc;

use crate::model::TaskId;

use super::event::{Event, Step};

/// One thing to do. Every effect but `Record` is begun by publishing its fact (`StepStarted`, `LogOpened`) before the call,
/// so that the same state never asks twice.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// Publish this fact.
    Record(Event),
    /// Do this for the task.
    Step { task: TaskId, step: Step },
    /// Look again at what the app owns; begun by `SearchStarted`, answered by `SearchFinished`.
    LookAgain,
    /// Follow the log of this container from its first byte.
    FollowLog { task: TaskId, namespace: Arc<str>, pod: Arc<str>, uid: Arc<str>, container: Arc<str>, pod_attempt: u32 },
}
