//! The sentences of a board: the verdict, what a row waits for, what comes next. Made anew when facts or time have changed them;
//! knows no rows' looks and no rectangles.

use jiff::Timestamp;

use super::Board;
use crate::model::{Phase, ResourceKey, Wave};
use crate::operation::Operation;
use crate::operation::timeline::Stage;
use crate::operation::verdict::{Tone, Verdict};
use crate::tui::clean;
use crate::tui::row::{self, Row};

impl Board {
    pub(super) fn refresh_sentences(&mut self, now: Timestamp) {
        self.verdict = match &self.operation {
            Some(operation) => operation.verdict(now),
            None => self.planned_verdict(),
        };
        if let std::borrow::Cow::Owned(brief) = row::brief(&self.verdict.text) {
            self.verdict.text = brief;
        }
        if self.stale.any {
            self.unconfirmed = self.find_unconfirmed();
            self.gate = self.gate_sentence();
            self.next = self.find_next_wave();
            self.countdowns = self.operation.as_ref().map(Operation::countdowns).unwrap_or_default();
            self.upcoming = self.upcoming_sentence();
        }
    }

    fn planned_verdict(&self) -> Verdict {
        let count = |wanted: &[&str]| self.actions.values().filter(|action| wanted.contains(&action.as_str())).count();
        if self.is_deletion() {
            let count = |phase: Phase| self.plan.tasks.iter().filter(|task| task.id.phase == phase).count();
            let hooks = count(Phase::PreDelete) + count(Phase::PostDelete);
            let text = format!("{} objects of the app, and {hooks} hooks", count(Phase::Delete));
            return Verdict { tone: Tone::Working, word: "TO DELETE", text };
        }
        if self.plan.tasks.is_empty() {
            return Verdict { tone: Tone::Working, word: "PLANNED", text: "nothing to do: the plan has no task".to_owned() };
        }
        let refused = count(&["refused"]) + self.plan.invalid.len();
        let changes = format!(
            "{} to create, {} to change, {} to prune, {} unchanged",
            count(&["create"]),
            count(&["configure"]),
            count(&["prune"]),
            count(&["unchanged"])
        );
        if refused > 0 {
            let text = format!("{refused} of {} tasks would fail; {changes}", self.plan.tasks.len());
            return Verdict { tone: Tone::Bad, word: "PLANNED", text };
        }
        Verdict { tone: Tone::Working, word: "PLANNED", text: format!("{changes}; press s to sync") }
    }

    /// What a row waits for whose turn has not come.
    fn gate_sentence(&self) -> String {
        if !self.is_running() {
            return String::new();
        }
        let mut waves = self.rail.iter().flat_map(|cell| cell.waves.iter().map(move |wave| (cell.phase, wave)));
        let current = waves.rfind(|(_, wave)| wave.stage == Stage::Running);
        current.map(|(phase, wave)| format!("after {phase} wave {}", wave.wave)).unwrap_or_default()
    }

    /// A prune that wants a confirmation is waited for only while it has none.
    fn find_unconfirmed(&self) -> Vec<ResourceKey> {
        self.operation.as_ref().filter(|_| self.is_running()).map(Operation::unconfirmed).unwrap_or_default()
    }

    fn upcoming_sentence(&self) -> String {
        if let Some(key) = self.unconfirmed.first() {
            return format!("A confirms: delete {}", clean::text(&key.short()));
        }
        let Some((phase, wave)) = self.next else { return String::new() };
        let lead = match &self.operation {
            Some(operation) if operation.paused().is_some() => "z goes on:",
            Some(operation) if operation.is_pause_wanted() => "pause, then",
            Some(_) | None => "next",
        };
        let waiting = |row: &&Row| row.group_phase() == phase && row.wave == wave && row.stage == Stage::Waiting;
        let mut rows = self.rows[..self.plan.tasks.len()].iter().filter(waiting);
        let names: Vec<String> = rows.by_ref().take(2).map(|row| format!("{}/{}", row.short_kind(), row.name)).collect();
        let more = rows.count();
        let more = if more > 0 { format!(" +{more}") } else { String::new() };
        format!("{lead} {phase} wave {wave}: {}{more}", names.join(", "))
    }

    fn find_next_wave(&self) -> Option<(Phase, Wave)> {
        if !self.is_running() {
            return None;
        }
        let mut waves = self.rail.iter().flat_map(|cell| cell.waves.iter().map(move |wave| (cell.phase, wave)));
        waves.find(|(_, wave)| wave.stage == Stage::Waiting).map(|(phase, wave)| (phase, wave.wave))
    }
}
