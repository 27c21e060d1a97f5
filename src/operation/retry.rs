//! Attempts: after a failure the whole operation begins anew, as often and as late as the request allows (spec topic 10). What an
//! attempt did is kept.

use jiff::{SignedDuration, Timestamp};

use super::event::{Event, Record, StepOutcome};
use super::next::later;
use super::{Attempt, Conclusion, Effect, Operation, Respite, Slot, Waiting, messages};
use crate::model::OperationPhase;

impl Operation {
    /// The end of an attempt: final, or a pause before the next one (spec R1003, R1004, R1010).
    pub(super) fn end_or_retry(&self, conclusion: &Conclusion, now: Timestamp) -> Event {
        let is_final = self.is_unsettled() || self.is_deletion() && !self.may_run_hooks_again();
        let is_over = conclusion.phase == OperationPhase::Succeeded || self.terminate.is_some() || is_final;
        let pause = SignedDuration::try_from(self.request.retry.pause(self.retries())).unwrap_or(SignedDuration::MAX);
        match later(now, pause) {
            Some(at) if !is_over && self.request.retry.allows(self.retries()) => {
                let message = format!("{}. Retrying attempt #{} at {}.", conclusion.message, self.retries() + 1, at.strftime("%-I:%M%p"));
                Event::RetryScheduled { attempt: self.attempt + 1, at, message }
            }
            Some(_) | None => {
                let message = if conclusion.phase == OperationPhase::Succeeded {
                    conclusion.message.clone()
                } else {
                    format!("{}{}", conclusion.message, self.retried())
                };
                Event::OperationFinished { phase: conclusion.phase, message }
            }
        }
    }

    /// Something may have run, and whether it has is for a person to find out: another attempt could run it twice (decision 23).
    fn is_unsettled(&self) -> bool {
        self.steps.values().any(|state| matches!(state.outcome, Some(StepOutcome::Unsettled { .. })))
    }

    /// How many retries have begun, or are waited for.
    fn retries(&self) -> u32 {
        self.attempt - 1 + u32::from(self.respite.is_some())
    }

    /// What is said behind the message of an operation that was retried in vain (spec R907, R1010).
    fn retried(&self) -> String {
        match self.retries() {
            0 => String::new(),
            retries => format!(" (retried {retries} times)."),
        }
    }

    /// The pause between two attempts is over (spec R1005).
    pub(super) fn begin_attempt(&self, now: Timestamp) -> Vec<Effect> {
        let is_due = self.respite.as_ref().is_some_and(|respite| now >= respite.until);
        if is_due { vec![Effect::Record(Event::AttemptStarted { attempt: self.attempt + 1 })] } else { Vec::new() }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "`Operation::apply` is exhaustive and hands each part its own events")]
    pub(super) fn apply_attempt(&mut self, record: &Record) {
        match &record.event {
            Event::RetryScheduled { at, message, .. } => {
                let (phase, failure) =
                    self.conclusion.take().map_or((OperationPhase::Failed, message.clone()), |end| (end.phase, end.message));
                self.message.clone_from(message);
                self.waiting = Waiting::default();
                self.respite = Some(Respite { since: record.at, until: *at, phase, message: failure });
            }
            Event::AttemptStarted { attempt } => self.start_anew(record.at, *attempt),
            _ => {}
        }
    }

    /// Nothing is forgotten of what was seen; what was done begins anew (spec R1008).
    fn start_anew(&mut self, at: Timestamp, attempt: u32) {
        let Some(respite) = self.respite.take() else { return };
        if self.is_deletion() {
            return self.go_on_anew(at, attempt, respite);
        }
        self.turn_to(at, attempt, respite);
        self.results.clear();
        self.phases.clear();
        self.waves.clear();
        self.slots = vec![Slot::default(); self.plan.tasks.len()];
        self.dry_pass_done = false;
        self.group_ran = false;
        self.run_finished_at = None;
        self.pauses.clear();
        self.running.clear();
        self.steps.clear();
    }

    /// A deletion repeats only what failed.
    fn go_on_anew(&mut self, at: Timestamp, attempt: u32, respite: Respite) {
        self.turn_to(at, attempt, respite);
        self.looks.begin_attempt();
        self.forget_failed_hooks();
    }

    /// Keeps what became of the attempt that has failed, and counts the next one.
    fn turn_to(&mut self, at: Timestamp, attempt: u32, respite: Respite) {
        self.attempts.push(Attempt {
            number: self.attempt,
            phase: respite.phase,
            message: respite.message,
            started_at: self.attempt_started_at,
            finished_at: respite.since,
            results: self.results.clone(),
            phases: self.phases.clone(),
            waves: self.waves.clone(),
            slots: self.slots.clone(),
        });
        self.message = messages::retrying(attempt - 1);
        self.attempt = attempt;
        self.attempt_started_at = at;
    }
}
