//! Where the sync screen stands: its lines, the cursor in them, folds and filters, and how each of them moves. Changes nothing but the
//! view; knows no dialogs and no other screens.

use std::collections::BTreeSet;

use super::OperationView;
use super::lines::Line;
use crate::model::Phase;
use crate::tui::action::Action;
use crate::tui::board::Board;
use crate::tui::row::Group;
use crate::tui::views::{Notice, Outbox, Outcome, go};

/// How many rows below the chosen one stay in sight, so that what comes next is seen.
const AHEAD: usize = 2;

impl OperationView {
    fn select_row(&mut self, row: usize) {
        if let Some(at) = self.lines.iter().position(|line| *line == Line::Row(row)) {
            self.cursor.select(at, self.lines.len());
        }
    }

    pub(super) fn step(&mut self, action: Action) -> Outcome {
        let (height, len) = (self.cache.table_height, self.lines.len());
        let outcome = go(&mut self.cursor, action, height, len);
        if outcome == Outcome::Consumed {
            self.follow = false;
            self.back = 0;
            self.cursor.keep_visible(height, len);
        }
        outcome
    }

    fn scroll(&mut self, rows: isize) {
        self.back = self.back.saturating_add_signed(rows);
    }

    pub(super) fn go(&mut self, action: Action) -> Outcome {
        let page = self.cache.log_height.max(2) as isize - 1;
        match (action, self.in_log) {
            (_, false) => return self.step(action),
            (Action::Up, true) => self.scroll(1),
            (Action::Down, true) => self.scroll(-1),
            (Action::PageUp, true) => self.scroll(page),
            (Action::PageDown, true) => self.scroll(-page),
            (Action::Top, true) => self.back = usize::MAX / 2,
            (Action::Bottom, true) => self.back = 0,
            _ => return Outcome::Ignored,
        }
        Outcome::Consumed
    }

    pub(super) fn fold(&mut self, board: &Board, folded: Option<bool>) {
        let Some(group) = self.group(board) else { return };
        let is_folded = self.choice.is_folded(group, board);
        self.choice.folds.insert(group, folded.unwrap_or(!is_folded));
        self.follow = false;
        self.cache.stale = true;
    }

    pub(super) fn fold_all(&mut self, board: &Board) {
        let groups: BTreeSet<Group> = board.rows().iter().map(|row| row.group).collect();
        let any_open = groups.iter().any(|group| !self.choice.is_folded(*group, board));
        self.choice.folds = groups.into_iter().map(|group| (group, any_open)).collect();
        self.follow = false;
        self.cache.stale = true;
    }

    /// Goes to the next problem: first what everything waits for, then what failed, round and round.
    pub(super) fn problem(&mut self, board: &Board, forward: bool, out: &mut Outbox) {
        self.follow = false;
        let problems: Vec<usize> = (0..board.tasks()).filter(|row| board.rows()[*row].problem).collect();
        let here = self.row().unwrap_or_default();
        let next = if forward {
            problems.iter().find(|row| **row > here || self.row().is_none()).or(problems.first())
        } else {
            problems.iter().rev().find(|row| **row < here).or(problems.last())
        };
        let at_problem = self.row().is_some_and(|row| problems.contains(&row));
        let next = match board.blocker() {
            Some((blocker, _)) if !at_problem => Some(blocker),
            Some(_) | None => next.copied(),
        };
        match next {
            Some(row) => {
                self.choice.folds.insert(board.rows()[row].group, false);
                self.choice.flatten(board, &mut self.lines);
                self.select_row(row);
                self.cache.stale = true;
            }
            None => out.say(Notice::plain("there is no problem")),
        }
    }

    pub(super) fn back(&mut self) -> Outcome {
        if self.in_log {
            self.in_log = false;
        } else if !self.choice.filter.is_empty() {
            self.choice.filter.clear();
        } else if self.choice.problems_only {
            self.choice.problems_only = false;
        } else if self.choice.only.is_some() {
            self.choice.only = None;
        } else {
            return Outcome::Ignored;
        }
        self.cache.stale = true;
        Outcome::Consumed
    }

    pub(super) fn narrow(&mut self, only: Option<Phase>) {
        self.choice.only = only;
        self.cache.stale = true;
    }

    pub(super) fn rebuild(&mut self, board: &Board) {
        let before = self.lines.get(self.cursor.selected).copied();
        self.choice.flatten(board, &mut self.lines);
        let kept = before.and_then(|line| self.lines.iter().position(|found| *found == line));
        self.cursor.select(kept.unwrap_or(self.cursor.selected), self.lines.len());
        if self.cache.of.is_none_or(|(number, _)| number != board.number()) {
            let mut namespaces = board.rows().iter().map(|row| &row.namespace).filter(|namespace| !namespace.is_empty());
            let first = namespaces.next();
            self.cache.several_namespaces = namespaces.any(|namespace| Some(namespace) != first);
        }
        self.cache.of = Some((board.number(), board.version()));
        self.cache.stale = false;
    }

    pub(super) fn follow_focus(&mut self, board: &Board) {
        let Some(row) = board.focus().filter(|_| self.follow) else { return };
        let line = self.lines.iter().position(|line| *line == Line::Row(row));
        let group = board.rows().get(row).map(|row| Line::Group(row.group));
        let header = || self.lines.iter().position(|line| Some(*line) == group);
        if let Some(at) = line.or_else(header) {
            self.cursor.select(at, self.lines.len());
        }
    }

    pub(super) fn keep_in_sight(&mut self) {
        let (height, len) = (self.cache.table_height, self.lines.len());
        self.cursor.keep_visible(height, len);
        let ahead = AHEAD.min(height.saturating_sub(1) / 2);
        let lowest = (self.cursor.selected + ahead + 1).saturating_sub(height).min(len.saturating_sub(height));
        self.cursor.top = self.cursor.top.max(lowest.min(self.cursor.selected));
    }
}
