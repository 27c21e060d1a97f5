//! Counts the stages of rows by phase and wave, so that one changed row costs one step and not a walk over the plan.
//! Gives the same rail and numbers as the core's own; a test compares them.

use std::collections::BTreeMap;

use crate::model::{Phase, Wave};
use crate::operation::Operation;
use crate::operation::timeline::{Counts, PhaseCell, Stage, WaveCell};

const STAGES: [Stage; 6] = [Stage::Waiting, Stage::Running, Stage::Done, Stage::Failed, Stage::Skipped, Stage::Armed];

/// How many rows are in each stage, by phase and wave.
#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<(Phase, Wave), [usize; 6]>);

impl Tally {
    /// Counts a row in.
    pub(crate) fn add(&mut self, phase: Phase, wave: Wave, stage: Stage) {
        self.0.entry((phase, wave)).or_default()[index(stage)] += 1;
    }

    /// Takes a row out that was counted in.
    pub(crate) fn remove(&mut self, phase: Phase, wave: Wave, stage: Stage) {
        let count = &mut self.0.entry((phase, wave)).or_default()[index(stage)];
        *count = count.saturating_sub(1);
    }

    /// Returns the cells of the rail; times come from the operation, if there is one.
    pub(crate) fn rail(&self, operation: Option<&Operation>) -> Vec<PhaseCell> {
        let mut cells: Vec<PhaseCell> = Vec::new();
        for ((phase, wave), stages) in &self.0 {
            if cells.last().is_none_or(|cell| cell.phase != *phase) {
                let span = operation.and_then(|operation| operation.phase_span(*phase)).copied().unwrap_or_default();
                cells.push(PhaseCell { phase: *phase, stage: Stage::Waiting, span, waves: Vec::new(), done: 0, total: 0 });
            }
            let Some(cell) = cells.last_mut() else { continue };
            let span = operation.and_then(|operation| operation.wave_span(*phase, *wave)).copied().unwrap_or_default();
            let (done, total) = (stages[index(Stage::Done)], stages.iter().sum());
            cell.waves.push(WaveCell { wave: *wave, stage: summary(stages), span, done, total });
            cell.done += done;
            cell.total += total;
        }
        for cell in &mut cells {
            if cell.phase == Phase::Delete {
                // In the order in which they go (spec R1109).
                cell.waves.reverse();
            }
            let mut stages = [0; 6];
            cell.waves.iter().for_each(|wave| stages[index(wave.stage)] += 1);
            cell.stage = summary(&stages);
        }
        cells
    }

    /// Returns how many tasks are done and failed. SyncFail hooks count only once they run.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for ((phase, _), stages) in &self.0 {
            counts.done += stages[index(Stage::Done)];
            counts.failed += stages[index(Stage::Failed)];
            let idle = if *phase == Phase::SyncFail { stages[index(Stage::Skipped)] } else { 0 };
            counts.total += stages.iter().sum::<usize>() - stages[index(Stage::Armed)] - idle;
        }
        counts
    }
}

fn index(stage: Stage) -> usize {
    match stage {
        Stage::Waiting => 0,
        Stage::Running => 1,
        Stage::Done => 2,
        Stage::Failed => 3,
        Stage::Skipped => 4,
        Stage::Armed => 5,
    }
}

/// The stage of many: the worst news first, then what moves.
fn summary(stages: &[usize; 6]) -> Stage {
    let has = |stage: Stage| stages[index(stage)] > 0;
    let only = |wanted: &[Stage]| STAGES.iter().all(|stage| wanted.contains(stage) || !has(*stage));
    if has(Stage::Failed) {
        Stage::Failed
    } else if has(Stage::Running) {
        Stage::Running
    } else if only(&[Stage::Armed]) {
        Stage::Armed
    } else if only(&[Stage::Skipped]) {
        Stage::Skipped
    } else if only(&[Stage::Done, Stage::Skipped]) {
        Stage::Done
    } else if has(Stage::Done) {
        Stage::Running
    } else {
        Stage::Waiting
    }
}
