//! Which rows the table shows, in which order: groups, folds and filters flattened into one list, so that drawing is indexing.

use std::collections::BTreeMap;

use crate::model::Phase;
use crate::operation::timeline::Stage;
use crate::tui::board::Board;
use crate::tui::row::{Group, Row};

/// A line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Group(Group),
    /// Index into the board's rows.
    Row(usize),
}

/// What is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) filter: String,
    pub(super) problems_only: bool,
    pub(super) only: Option<Phase>,
    /// What the person folded or unfolded.
    pub(super) folds: BTreeMap<Group, bool>,
}

const GROUPS: [Group; 8] = [
    Group::Phase(Phase::PreSync),
    Group::Phase(Phase::Sync),
    Group::Phase(Phase::PostSync),
    Group::Phase(Phase::SyncFail),
    Group::Phase(Phase::PreDelete),
    Group::Phase(Phase::Delete),
    Group::Phase(Phase::PostDelete),
    Group::Left,
];

impl Choice {
    /// Returns whether rows are left out for another reason than folding.
    pub(super) fn is_narrowed(&self) -> bool {
        self.problems_only || self.only.is_some() || !self.filter.is_empty()
    }

    /// Returns whether a group shows only its header.
    pub(super) fn is_folded(&self, group: Group, board: &Board) -> bool {
        !self.is_narrowed() && self.folds.get(&group).copied().unwrap_or_else(|| folds_by_itself(group, board))
    }

    fn shows(&self, row: &Row) -> bool {
        (!self.problems_only || row.problem)
            && self.only.is_none_or(|phase| row.group == Group::Phase(phase))
            && (self.filter.is_empty() || row.matches(&self.filter))
    }

    /// Puts the lines of a board into `lines`.
    pub(super) fn flatten(&self, board: &Board, lines: &mut Vec<Line>) {
        lines.clear();
        let mut buckets: [Vec<usize>; GROUPS.len()] = Default::default();
        let mut total = [0; GROUPS.len()];
        for (at, row) in board.rows().iter().enumerate() {
            let Some(bucket) = GROUPS.iter().position(|group| *group == row.group) else { continue };
            total[bucket] += 1;
            if self.shows(row) {
                buckets[bucket].push(at);
            }
        }
        for ((group, rows), total) in GROUPS.into_iter().zip(buckets).zip(total) {
            if total == 0 || (self.is_narrowed() && rows.is_empty()) {
                continue;
            }
            lines.push(Line::Group(group));
            if !self.is_folded(group, board) {
                lines.extend(rows.into_iter().map(Line::Row));
            }
        }
    }
}

/// A phase shows its rows when it has begun; before, and when it will not come, its header says enough.
fn folds_by_itself(group: Group, board: &Board) -> bool {
    let Group::Phase(phase) = group else { return true };
    if board.operation().is_none() {
        return false;
    }
    let holds_all_up = board.blocker().and_then(|(row, _)| board.rows().get(row)).is_some_and(|row| row.group == group);
    match board.rail().iter().find(|cell| cell.phase == phase && !holds_all_up).map(|cell| cell.stage) {
        Some(Stage::Waiting | Stage::Skipped | Stage::Armed) => true,
        Some(Stage::Running | Stage::Done | Stage::Failed) | None => false,
    }
}
