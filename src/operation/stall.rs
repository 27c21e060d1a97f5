//! Time that passes without progress: limits that end it (spec R911, R1513), and the sentence that nothing changes.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::event::{Event, Record, Step};
use super::next::later;
use super::verdict::short_time;
use super::{Effect, Limits, Operation};
use crate::model::{OperationPhase, Phase, Task};

impl Operation {
    /// Returns when the whole operation has lasted too long; a decided end comes by itself.
    pub(super) fn times_out_at(&self) -> Option<Timestamp> {
        let is_ending = self.conclusion.is_some() || self.phase == OperationPhase::Terminating;
        after(self.began_at, self.request.limits.operation.filter(|_| !is_ending))
    }

    pub(super) fn is_out_of_time(&self, now: Timestamp) -> bool {
        self.times_out_at().is_some_and(|at| now >= at)
    }

    /// Returns why a task has no time left, as its result says it.
    pub(super) fn overdue(&self, task: &Task, now: Timestamp) -> Option<String> {
        if let Some(limit) = self.request.limits.hook
            && self.hook_deadline(task).is_some_and(|at| now >= at)
        {
            return Some(format!("did not end within {}, the limit of a hook", said(limit)));
        }
        self.phase_overdue(task.id.phase, now)
    }

    pub(super) fn phase_overdue(&self, phase: Phase, now: Timestamp) -> Option<String> {
        let limit = self.request.limits.phase?;
        (now >= self.phase_ends_at(phase)?).then(|| format!("{phase} did not end within {}, the limit of a phase", said(limit)))
    }

    fn hook_deadline(&self, task: &Task) -> Option<Timestamp> {
        after(self.progress(&task.id)?.applied_at?, self.request.limits.hook.filter(|_| task.is_hook()))
    }

    pub(super) fn phase_deadline(&self, task: &Task) -> Option<Timestamp> {
        self.phase_ends_at(task.id.phase)
    }

    /// When a phase has lasted too long; pauses do not count.
    fn phase_ends_at(&self, phase: Phase) -> Option<Timestamp> {
        let end = after(self.phases.get(&phase)?.started_at?, self.request.limits.phase)?;
        later(end, self.pauses.get(&phase).copied().unwrap_or_default())
    }

    /// Moments at which a hook or a phase has lasted too long.
    pub(super) fn deadlines(&self) -> Vec<Timestamp> {
        let hooks = self.running_tasks().filter_map(|task| self.hook_deadline(task));
        let open = self.phases.iter().filter(|(_, span)| span.finished_at.is_none());
        hooks.chain(open.filter_map(|(phase, _)| self.phase_ends_at(*phase))).collect()
    }

    /// Returns the limits of time that run now, the next one first: what each limits, and when it is over.
    pub(crate) fn countdowns(&self) -> Vec<(&'static str, Timestamp)> {
        if self.finished_at.is_some() || self.request.limits == Limits::default() {
            return Vec::new();
        }
        let is_at_work = self.conclusion.is_none() && self.respite.is_none() && self.paused.is_none();
        let hook = self.running_tasks().filter_map(|task| self.hook_deadline(task)).min().filter(|_| is_at_work);
        let open = self.phases.iter().filter(|(_, span)| span.finished_at.is_none() && is_at_work);
        let phase = open.filter_map(|(phase, _)| self.phase_ends_at(*phase)).min();
        let named = [("hook", hook), ("phase", phase), ("operation", self.times_out_at())];
        let mut running: Vec<_> = named.into_iter().filter_map(|(name, at)| Some((name, at?))).collect();
        running.sort_by_key(|(_, at)| *at);
        running
    }

    /// Returns since when nothing that is waited for has changed, if it is long enough to be said (issue of every person on call).
    pub(crate) fn stalled_since(&self) -> Option<Timestamp> {
        (self.stalls > 0).then_some(self.changed_at)
    }

    /// Returns when it is said (again) that nothing changes: after the time that was asked for, then each time after twice as long.
    pub(super) fn stalls_at(&self) -> Option<Timestamp> {
        // Whatever it is: a call without an answer is waited for without a word of the core.
        let is_explained = self.paused.is_some() || self.respite.is_some() || self.is_said_to_be_blocked();
        let is_waiting = self.conclusion.is_none() && !is_explained;
        let patience = self.request.stall_after.checked_mul(2_u32.checked_pow(self.stalls)?)?;
        after(self.changed_at, Some(patience).filter(|patience| is_waiting && !patience.is_zero()))
    }

    pub(super) fn stall(&self, now: Timestamp) -> Option<Effect> {
        self.stalls_at().is_some_and(|at| now >= at).then_some(Effect::Record(Event::Stalled { since: self.changed_at }))
    }

    /// What a person would call progress ends a stall. What only repeats itself, such as a pull that fails again, does not.
    pub(super) fn note_progress(&mut self, record: &Record) {
        if self.is_progress(&record.event) {
            self.changed_at = record.at;
            self.stalls = 0;
        }
    }

    fn is_progress(&self, event: &Event) -> bool {
        match event {
            Event::LiveObserved { key, live } => self.live.get(key).is_none_or(|known| {
                (&known.uid, &known.assessment, known.deletion, &known.finalizers)
                    != (&live.uid, &live.assessment, live.deletion, &live.finalizers)
            }),
            Event::PodObserved { pod } => self.pods.get(&pod.uid).is_none_or(|known| known.phase != pod.phase),
            Event::StepStarted { step, .. } | Event::StepFinished { step, .. } => *step != Step::Look,
            Event::Waiting { message, .. } => self.waiting.message != *message,
            Event::SearchFinished { found } => !found.is_empty(),
            Event::OperationStarted { .. }
            | Event::WatchesOpened { .. }
            | Event::DryPassFinished
            | Event::PhaseStarted { .. }
            | Event::WaveStarted { .. }
            | Event::RunStarted { .. }
            | Event::RunFinished { .. }
            | Event::TaskChanged { .. }
            | Event::WaveFinished { .. }
            | Event::PhaseFinished { .. }
            | Event::LiveGone { .. }
            | Event::PodGone { .. }
            | Event::PruneApproved { .. }
            | Event::Concluded { .. }
            | Event::TerminateRequested { .. }
            | Event::TimedOut
            | Event::RetryScheduled { .. }
            | Event::AttemptStarted { .. }
            | Event::Paused { .. }
            | Event::Resumed { .. }
            | Event::OperationFinished { .. } => true,
            Event::Occurred { .. }
            | Event::SearchStarted
            | Event::LogOpened { .. }
            | Event::LogClosed { .. }
            | Event::PauseRequested { .. }
            | Event::Stalled { .. }
            | Event::ClusterLost { .. }
            | Event::ClusterBack { .. }
            | Event::Warned { .. } => false,
        }
    }
}

fn after(at: Timestamp, time: Option<Duration>) -> Option<Timestamp> {
    later(at, SignedDuration::try_from(time?).ok()?)
}

fn said(time: Duration) -> String {
    SignedDuration::try_from(time).map(short_time).unwrap_or_default()
}
