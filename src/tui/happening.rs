//! The last thing that happened, as one line: the sentence at the bottom of the sync screen. Facts that say nothing to a person
//! give none.

use jiff::Timestamp;

use super::clean;
use crate::model::{ResultCode, Role, TaskState};
use crate::operation::timeline::Stage;
use crate::operation::verdict::short_time;
use crate::operation::{Event, Operation, Record};

/// A sentence and when it became true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Happening {
    pub(crate) at: Timestamp,
    pub(crate) stage: Stage,
    pub(crate) text: String,
}

/// Returns the sentence of a fact, after it has been folded.
pub(crate) fn of(record: &Record, operation: &Operation) -> Option<Happening> {
    let (stage, text) = sentence(record, operation)?;
    Some(Happening { at: record.at, stage, text: clean::text(&text).into_owned() })
}

fn sentence(record: &Record, operation: &Operation) -> Option<(Stage, String)> {
    match &record.event {
        Event::WatchesOpened { polled } if polled.is_empty() => Some((Stage::Done, "watching every kind of the plan".to_owned())),
        Event::WatchesOpened { polled } => Some((Stage::Waiting, format!("polling {}: watching is not allowed there", polled.join(", ")))),
        Event::DryPassFinished => Some((Stage::Done, "preflight done, nothing is written yet".to_owned())),
        Event::WaveStarted { phase, wave } => Some((Stage::Running, format!("{phase} wave {wave} started"))),
        Event::WaveFinished { phase, wave } => {
            let span = operation.wave_span(*phase, *wave)?;
            let took = span.finished_at?.duration_since(span.started_at?);
            Some((Stage::Done, format!("{phase} wave {wave} finished in {}", short_time(took))))
        }
        Event::PhaseFinished { phase, result } => {
            let stage = if *result == TaskState::Succeeded { Stage::Done } else { Stage::Failed };
            Some((stage, format!("{phase} {}", result.as_str().to_lowercase())))
        }
        Event::TaskChanged { task, code, state, message } => changed(&task.key.short(), task.role, *code, *state, message),
        Event::Occurred { occurrence } if occurrence.warning => {
            let times = if occurrence.count > 1 { format!(" ×{}", occurrence.count) } else { String::new() };
            Some((Stage::Waiting, format!("{}{times} {}: {}", occurrence.reason, occurrence.about.short(), occurrence.message)))
        }
        Event::TerminateRequested { by } => Some((Stage::Running, format!("{by} asked to terminate"))),
        Event::TimedOut => Some((Stage::Failed, "the time limit of the operation has passed".to_owned())),
        Event::RetryScheduled { message, .. } => Some((Stage::Failed, message.clone())),
        Event::AttemptStarted { .. } => Some((Stage::Running, operation.message().to_owned())),
        Event::PauseRequested { by } => Some((Stage::Waiting, format!("{by} wants a pause before the next wave"))),
        Event::Paused { phase, wave } => Some((Stage::Waiting, format!("paused before {phase} wave {wave}"))),
        Event::Resumed { by } => Some((Stage::Running, format!("{by} lets it go on"))),
        Event::Stalled { since } => {
            Some((Stage::Waiting, format!("nothing has changed for {}", short_time(record.at.duration_since(*since)))))
        }
        Event::ClusterLost { since } => {
            Some((Stage::Waiting, format!("the API server has not answered for {}", short_time(record.at.duration_since(*since)))))
        }
        Event::ClusterBack { since } => {
            Some((Stage::Done, format!("the API server answers again, after {}", short_time(record.at.duration_since(*since)))))
        }
        Event::Warned { text, .. } => Some((Stage::Waiting, text.clone())),
        Event::PruneApproved { keys, by } => Some((Stage::Done, format!("{by} confirmed {} deletions", keys.len()))),
        Event::OperationFinished { message, .. } => {
            let stage = if operation.phase() == crate::model::OperationPhase::Succeeded { Stage::Done } else { Stage::Failed };
            let dry = if operation.request().dry_run { "dry run: " } else { "" };
            Some((stage, format!("{dry}{message}")))
        }
        Event::SearchFinished { found } if !found.is_empty() => {
            let more = if found.len() == 1 { "object" } else { "objects" };
            Some((Stage::Running, format!("{} more {more} of the app found", found.len())))
        }
        Event::OperationStarted { .. }
        | Event::SearchStarted
        | Event::SearchFinished { .. }
        | Event::PhaseStarted { .. }
        | Event::RunStarted { .. }
        | Event::StepStarted { .. }
        | Event::StepFinished { .. }
        | Event::RunFinished { .. }
        | Event::Waiting { .. }
        | Event::LiveObserved { .. }
        | Event::LiveGone { .. }
        | Event::PodObserved { .. }
        | Event::PodGone { .. }
        | Event::Occurred { .. }
        | Event::LogOpened { .. }
        | Event::LogClosed { .. }
        | Event::Concluded { .. } => None,
    }
}

fn changed(name: &str, role: Role, code: ResultCode, state: TaskState, message: &str) -> Option<(Stage, String)> {
    let detail = if message.is_empty() { String::new() } else { format!(": {message}") };
    match state {
        TaskState::Failed | TaskState::Error => Some((Stage::Failed, format!("{name} failed{detail}"))),
        _ if code == ResultCode::SyncFailed => Some((Stage::Failed, format!("{name} failed{detail}"))),
        TaskState::Succeeded if role == Role::Hook => Some((Stage::Done, format!("{name} succeeded{detail}"))),
        TaskState::Succeeded | TaskState::Pending | TaskState::Running | TaskState::Terminating => None,
    }
}
