//! The sync screen: what runs, what comes next, why it waits, what the hook prints, how it ended. Holds the cursor, folds, filters and
//! marks; everything that it shows comes from a board. The cursor follows the blocker until the person moves it.

mod blocker;
mod choosing;
mod header;
mod layout;
mod lines;
mod moving;
mod panes;
mod picture;
mod rail;
mod table;
mod texts;
mod timeline;

pub(super) use self::blocker::{container_word, pod_line};
pub(super) use self::panes::newest_events;

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::layout::{Needs, Panes};
use self::lines::{Choice, Line};
use self::texts::{Cache, GroupText};
use super::attempts::AttemptsView;
use super::details::{DetailsView, Tab};
use super::diff::{DiffView, Opening};
use super::history::HistoryView;
use super::{Notice, Outbox, Outcome, Shown, View, Wish};
use crate::engine::session::Ask;
use crate::model::{Phase, ResourceKey, TaskId};
use crate::operation::LogLine;
use crate::operation::timeline::Stage;
use crate::tui::action::Action;
use crate::tui::board::Board;
use crate::tui::keymap::Context;
use crate::tui::model::Model;
use crate::tui::row::Group;
use crate::tui::widgets::cursor::Cursor;

/// Kinds whose pods print something.
const WITH_PODS: [&str; 7] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod"];

/// Kinds of Kubernetes' own groups that never have pods; of others one cannot know.
const WITHOUT_PODS: [&str; 14] = [
    "ConfigMap",
    "Secret",
    "Service",
    "ServiceAccount",
    "Ingress",
    "HorizontalPodAutoscaler",
    "Namespace",
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "NetworkPolicy",
    "PersistentVolumeClaim",
];

fn has_pods(kind: &str) -> bool {
    !WITHOUT_PODS.contains(&kind)
}

/// The sync screen.
pub(crate) struct OperationView {
    shown: Shown,
    cursor: Cursor,
    lines: Vec<Line>,
    choice: Choice,
    marks: BTreeSet<ResourceKey>,
    last_mark: Option<ResourceKey>,
    follow: bool,
    /// The log pane has the keys.
    in_log: bool,
    /// Rows of the log pane scrolled up.
    back: usize,
    cache: Cache,
    /// Objects whose pods' logs were asked for, of the operation with this number.
    followed: (usize, BTreeSet<ResourceKey>),
}

impl OperationView {
    /// Makes the view of a board. A failed operation of the past opens with its problems only.
    pub(crate) fn new(shown: Shown, problems_only: bool) -> Self {
        Self {
            shown,
            cursor: Cursor::default(),
            lines: Vec::new(),
            choice: Choice { problems_only, ..Choice::default() },
            marks: BTreeSet::new(),
            last_mark: None,
            follow: true,
            in_log: false,
            back: 0,
            cache: Cache { stale: true, ..Cache::default() },
            followed: (0, BTreeSet::new()),
        }
    }

    fn row(&self) -> Option<usize> {
        match self.lines.get(self.cursor.selected)? {
            Line::Row(row) => Some(*row),
            Line::Group(_) => None,
        }
    }

    fn group(&self, board: &Board) -> Option<Group> {
        match self.lines.get(self.cursor.selected)? {
            Line::Row(row) => board.rows().get(*row).map(|row| row.group),
            Line::Group(group) => Some(*group),
        }
    }

    /// What the log pane shows: the chosen row, or what everything waits for.
    fn log_task<'a>(&self, board: &'a Board) -> Option<&'a TaskId> {
        let row = self.row().or_else(|| board.focus())?;
        board.task_id(row)
    }

    fn open(&mut self, tab: Tab, board: &Board, model: &Model, out: &mut Outbox) {
        let Some(task) = self.row().and_then(|row| board.task_id(row)) else {
            return out.say(Notice::plain("choose a resource first"));
        };
        let view = DetailsView::new(self.shown, task.clone(), tab, model, out);
        out.wish(Wish::Open(Box::new(view)));
    }

    fn open_attempts(&self, board: &Board, model: &Model, out: &mut Outbox) {
        match board.operation() {
            None => out.say(Notice::plain("nothing has run yet")),
            Some(operation) if operation.attempts().is_empty() => out.say(Notice::plain("this is the first attempt; none came before it")),
            Some(_) => out.wish(Wish::Open(Box::new(AttemptsView::new(self.shown, model)))),
        }
    }

    fn open_diff(&self, board: &Board, model: &Model, out: &mut Outbox) {
        let task = self.row().and_then(|row| board.task_id(row)).cloned();
        let opening = Opening { request: model.request.clone(), task, marks: self.markable(board), has_dialog: false };
        let view = DiffView::new(opening, out);
        out.wish(Wish::Open(Box::new(view)));
    }

    fn open_logs(&self, board: &Board, out: &mut Outbox) {
        match self.log_task(board) {
            Some(task) => out.wish(Wish::OpenLogs { shown: self.shown, task: task.clone() }),
            None => out.say(Notice::plain("choose a resource first")),
        }
    }

    fn with_board(&mut self, action: Action, board: &Board, model: &Model, out: &mut Outbox) -> Outcome {
        match action {
            Action::Open if self.row().is_none() => self.fold(board, None),
            Action::Open | Action::Details => self.open(Tab::Overview, board, model, out),
            Action::Yaml => self.open(Tab::Yaml, board, model, out),
            Action::Events => self.open(Tab::Events, board, model, out),
            Action::Logs => self.open_logs(board, out),
            Action::Left => self.fold(board, Some(true)),
            Action::Right => self.fold(board, Some(false)),
            Action::FoldAll => self.fold_all(board),
            Action::NextProblem => self.problem(board, true, out),
            Action::PreviousProblem => self.problem(board, false, out),
            Action::Mark => self.mark(board),
            Action::MarkRange => self.mark_range(board),
            Action::Pause | Action::Delete | Action::Sync | Action::SyncMarked | Action::Terminate | Action::Approve => {
                self.ask_to_change(action, board, model, out);
            }
            Action::Attempts => self.open_attempts(board, model, out),
            Action::Diff => self.open_diff(board, model, out),
            _ => return Outcome::Ignored,
        }
        Outcome::Consumed
    }

    fn without_board(&mut self, action: Action, model: &Model, out: &mut Outbox) -> Outcome {
        let is_deletion = model.board(self.shown).is_some_and(Board::is_deletion);
        match action {
            Action::NextPane | Action::PreviousPane if self.cache.log_height > 0 => self.in_log = !self.in_log,
            Action::ClearMarks => self.marks.clear(),
            Action::Follow => {
                self.follow = !self.follow;
                self.back = 0;
            }
            Action::ProblemsOnly => self.choice.problems_only = !self.choice.problems_only,
            Action::AllPhases => self.narrow(None),
            Action::OnlyPreSync => self.narrow(Some(if is_deletion { Phase::PreDelete } else { Phase::PreSync })),
            Action::OnlySync => self.narrow(Some(if is_deletion { Phase::Delete } else { Phase::Sync })),
            Action::OnlyPostSync => self.narrow(Some(if is_deletion { Phase::PostDelete } else { Phase::PostSync })),
            Action::OnlySyncFail => self.narrow(Some(Phase::SyncFail)),
            Action::Filter => out.wish(Wish::Search),
            Action::History => out.wish(Wish::Open(Box::new(HistoryView::new(model)))),
            Action::Diff => out.say(Notice::bad("nothing is open yet")),
            Action::Pause | Action::Delete | Action::Attempts | Action::Sync | Action::SyncMarked | Action::Terminate | Action::Approve => {
                let reason = model.may(action).err().unwrap_or_else(|| "nothing is open yet".to_owned());
                out.say(Notice::bad(reason));
            }
            _ => return Outcome::Ignored,
        }
        self.cache.stale = true;
        Outcome::Consumed
    }

    /// The log pane of a Deployment needs its pods' logs, which nobody follows unless asked.
    fn follow_logs(&mut self, board: &Board, out: &mut Outbox) {
        if self.shown != Shown::Home || board.operation().is_none() {
            return;
        }
        if self.followed.0 != board.number() {
            self.followed = (board.number(), BTreeSet::new());
        }
        let Some(row) = self.row().or_else(|| board.focus()).and_then(|row| board.rows().get(row).map(|state| (row, state))) else {
            return;
        };
        let (at, row) = row;
        let began = matches!(row.stage, Stage::Running | Stage::Done | Stage::Failed);
        let Some(task) = board.task_id(at) else { return };
        if began && !row.hook && !row.prune && WITH_PODS.contains(&&*row.kind) && self.followed.1.insert(task.key.clone()) {
            out.ask(Ask::Follow { key: task.key.clone() });
        }
    }

    fn panes(&self, board: Option<&Board>, model: &Model, area: Rect) -> Panes {
        let moves = board.is_some_and(|board| board.has_failed() || board.stalled_since().is_some());
        layout::panes(area, Needs { header: model.header, moves })
    }
}

impl View for OperationView {
    fn context(&self) -> Context {
        Context::Sync
    }

    fn update(&mut self, action: Action, model: &Model, out: &mut Outbox) -> Outcome {
        if action == Action::Back {
            return self.back();
        }
        if self.go(action) == Outcome::Consumed {
            return Outcome::Consumed;
        }
        if let Some(board) = model.board(self.shown)
            && self.with_board(action, board, model, out) == Outcome::Consumed
        {
            return Outcome::Consumed;
        }
        self.without_board(action, model, out)
    }

    fn search(&mut self, text: &str, _model: &Model) {
        text.clone_into(&mut self.choice.filter);
        self.cache.stale = true;
    }

    fn search_text(&self) -> &str {
        &self.choice.filter
    }

    fn settle(&mut self, model: &Model, area: Rect, out: &mut Outbox) {
        let board = model.board(self.shown);
        let panes = self.panes(board, model, area);
        self.cache.table_height = usize::from(panes.table.height);
        self.cache.log_height = usize::from(panes.log.height);
        let Some(board) = board else {
            self.lines.clear();
            return;
        };
        if self.cache.stale || self.cache.of != Some((board.number(), board.version())) {
            self.rebuild(board);
        }
        self.follow_focus(board);
        self.keep_in_sight();
        self.refresh_texts(board, model, &panes);
        let received = self.log_task(board).and_then(|task| model.log(board, task)).map_or(0, |log| log.numbers().count());
        self.back = self.back.min(received.saturating_sub(self.cache.log_height));
        self.follow_logs(board, out);
    }

    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        let board = model.board(self.shown);
        self.draw_all(model, board, &self.panes(board, model, area), buffer);
    }

    fn shows(&self, line: &LogLine, model: &Model) -> bool {
        let task = model.board(self.shown).and_then(|board| self.log_task(board));
        self.cache.log_height > 0 && task == Some(&line.task)
    }

    fn verbs(&self) -> &'static [Action] {
        &[
            Action::Logs,
            Action::Details,
            Action::Events,
            Action::Sync,
            Action::Terminate,
            Action::Approve,
            Action::Pause,
            Action::Attempts,
            Action::NextProblem,
            Action::Help,
            Action::Diff,
            Action::Yaml,
            Action::Mark,
            Action::Filter,
            Action::History,
            Action::Command,
        ]
    }

    fn title(&self) -> &'static str {
        "sync screen"
    }
}
