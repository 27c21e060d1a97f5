//! Breakpoints: the operation stops before a group until a person lets it go on, and writes nothing meanwhile.

use jiff::{SignedDuration, Timestamp};

use super::event::{Event, Record};
use super::{Breakpoint, Effect, Operation, Waiting};
use crate::model::{OperationPhase, Phase, Wave};

/// A pause that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paused {
    pub(crate) since: Timestamp,
    /// The group that comes next.
    pub(crate) phase: Phase,
    pub(crate) wave: Wave,
}

impl Operation {
    /// Returns whether a pause could still come: the end is not decided.
    pub(crate) fn can_pause(&self) -> bool {
        self.finished_at.is_none() && self.conclusion.is_none() && self.phase != OperationPhase::Terminating
    }

    /// Returns whether the operation waits for a person, or will: without anybody to let it go on it would never end.
    pub(crate) fn needs_a_person(&self) -> bool {
        let is_ahead = |point: &Breakpoint| {
            let is_phase_over = self.phases.get(&point.phase).is_some_and(|span| span.finished_at.is_some());
            !self.passed.contains(point) && !is_phase_over && self.plan.tasks.iter().any(|task| task.id.phase == point.phase)
        };
        self.can_pause() && (self.paused.is_some() || self.pause_wanted || self.request.pause_before.iter().any(is_ahead))
    }

    /// Returns what a breakpoint before this group asks for; `None`: there is none, go on. What is still being written ends first, and what
    /// is over ends before the pause: its time does not go on.
    pub(super) fn stop_before(&self, phase: Phase, wave: Wave) -> Option<Vec<Effect>> {
        if !self.pause_wanted && self.breakpoint_before(phase, wave).is_none() {
            return None;
        }
        if self.in_flight > 0 || !self.finalizers_to_remove().is_empty() {
            return Some(Vec::new());
        }
        let over = self.closing_before(phase, wave);
        Some(over.into_iter().chain([Event::Paused { phase, wave }]).map(Effect::Record).collect())
    }

    /// A breakpoint without a wave stands before the first group of its phase.
    fn breakpoint_before(&self, phase: Phase, wave: Wave) -> Option<&Breakpoint> {
        let is_meant = |point: &&Breakpoint| {
            point.phase == phase && point.wave.map_or(!self.phases.contains_key(&phase), |own| own == wave) && !self.passed.contains(point)
        };
        self.request.pause_before.iter().find(is_meant)
    }

    /// The clock of a phase that has not begun does not run.
    fn note_pause(&mut self, phase: Phase, lasted: SignedDuration) {
        if self.phases.contains_key(&phase) {
            let before = self.pauses.entry(phase).or_default();
            *before = before.saturating_add(lasted);
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "`Operation::apply` is exhaustive and hands each part its own events")]
    pub(super) fn apply_pause(&mut self, record: &Record) {
        match &record.event {
            Event::PauseRequested { .. } => self.pause_wanted = true,
            Event::Paused { phase, wave } => {
                self.paused = Some(Paused { since: record.at, phase: *phase, wave: *wave });
                self.message = format!("paused before {phase} wave {wave}");
                self.waiting = Waiting::default();
            }
            // Before the pause has come, it takes the wish for one back.
            Event::Resumed { .. } => {
                self.pause_wanted = false;
                if let Some(paused) = self.paused.take() {
                    self.note_pause(paused.phase, record.at.duration_since(paused.since));
                    let is_passed = |point: &&Breakpoint| point.phase == paused.phase && point.wave.is_none_or(|wave| wave == paused.wave);
                    self.passed.extend(self.request.pause_before.iter().filter(is_passed));
                    self.message.clear();
                }
            }
            _ => {}
        }
    }
}
