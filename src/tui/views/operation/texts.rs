//! Everything of the sync screen that is text before it is a picture: made once when facts or time change it, drawn many times.

use super::OperationView;
use super::layout::{Density, Panes};
use super::rail::{self, Column, Piece};
use super::{panes, timeline};
use crate::operation::timeline::{PhaseCell, Stage};
use crate::operation::verdict::short_time;
use crate::tui::board::Board;
use crate::tui::model::Model;
use crate::tui::row::{Group, Row};

/// What is made once for each change and drawn many times.
#[derive(Default)]
pub(super) struct Cache {
    /// Number and version of the board, and what was chosen, when the lines were made.
    pub(super) of: Option<(usize, u64)>,
    pub(super) stale: bool,
    pub(super) groups: Vec<GroupText>,
    pub(super) rail: Vec<Piece>,
    pub(super) columns: Vec<Column>,
    pub(super) bars: Vec<timeline::Bar>,
    pub(super) several_namespaces: bool,
    pub(super) table_height: usize,
    pub(super) log_height: usize,
    pub(super) notes: String,
}

/// The header of a group, ready to be drawn.
pub(super) struct GroupText {
    pub(super) group: Group,
    pub(super) name: &'static str,
    pub(super) folded: bool,
    pub(super) stage: Stage,
    pub(super) state: String,
    pub(super) detail: String,
}

impl OperationView {
    pub(super) fn refresh_texts(&mut self, board: &Board, model: &Model, panes: &Panes) {
        self.cache.groups = board.rail().iter().map(|cell| self.phase_text(board, cell, model)).chain(self.left_text(board)).collect();
        self.cache.rail = rail::in_one_row(board, model.now, panes.density);
        self.cache.columns =
            if panes.density == Density::Wide { rail::in_three_rows(board, model.now, panes.rail.width) } else { Vec::new() };
        let room = usize::from(panes.timeline.height.saturating_sub(2));
        self.cache.bars = if panes.density == Density::Huge { timeline::bars(board, room) } else { Vec::new() };
        self.cache.notes = self.notes(board, model);
    }

    fn notes(&self, board: &Board, model: &Model) -> String {
        let mut notes = Vec::new();
        if let Some((of, at)) = board.countdowns().first() {
            notes.push(format!("limit of the {of} in {}", short_time(at.duration_since(model.now))));
        }
        if let Some(phase) = self.choice.only {
            notes.push(format!("only {phase}"));
        }
        if self.choice.problems_only {
            notes.push("problems only".to_owned());
        }
        if !self.choice.filter.is_empty() {
            notes.push(format!("/{}", self.choice.filter));
        }
        if !self.marks.is_empty() {
            notes.push(format!("{} marked", self.marks.len()));
        }
        notes.push(if self.follow { "follow on" } else { "follow off (F)" }.to_owned());
        notes.join(" · ")
    }

    fn phase_text(&self, board: &Board, cell: &PhaseCell, model: &Model) -> GroupText {
        let group = Group::Phase(cell.phase);
        let folded = self.choice.is_folded(group, board);
        let names = |stage: Option<Stage>| {
            let of_group = |row: &&Row| row.group == group && stage.is_none_or(|stage| row.stage == stage);
            let names: Vec<String> =
                board.rows().iter().filter(of_group).take(3).map(|row| format!("{}/{}", row.short_kind(), row.name)).collect();
            names.join(", ")
        };
        let detail = match cell.stage {
            Stage::Armed => format!("armed · {}", names(None)),
            Stage::Skipped => format!("did not run · {}", names(None)),
            _ if folded => format!("{}/{} · {}", cell.done, cell.total, names(None)),
            Stage::Waiting | Stage::Running | Stage::Done | Stage::Failed => format!("{}/{}{}", cell.done, cell.total, waves(cell)),
        };
        let time = rail::took(&cell.span, model.now);
        GroupText { group, name: cell.phase.as_str(), folded, stage: cell.stage, state: panes::group_state(cell.stage, time), detail }
    }

    fn left_text(&self, board: &Board) -> Option<GroupText> {
        let left = board.rows().len() - board.tasks();
        let first = board.rows().get(board.tasks())?;
        let folded = self.choice.is_folded(Group::Left, board);
        let more = if left > 1 { format!(" +{}", left - 1) } else { String::new() };
        let detail = format!("{left} · {}/{}: {}{more}", first.short_kind(), first.name, first.message);
        let state = panes::group_state(Stage::Skipped, None);
        Some(GroupText { group: Group::Left, name: "Not run", folded, stage: Stage::Skipped, state, detail })
    }
}

fn waves(cell: &PhaseCell) -> String {
    let list: Vec<String> = cell.waves.iter().take(12).map(|wave| wave.wave.to_string()).collect();
    match cell.waves.iter().find(|wave| wave.stage == Stage::Running) {
        Some(wave) if cell.waves.len() > 1 => format!(" · wave {} of {}", wave.wave, list.join(",")),
        Some(_) | None if cell.waves.len() > 1 => format!(" · waves {}", list.join(",")),
        Some(_) | None => String::new(),
    }
}
