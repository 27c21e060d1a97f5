//! Everything that the screens show and that is not a matter of looking: boards, logs, where we are, what may be done. Changed only by
//! facts, answers and time; views read it. Knows no keys and no cells.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Size;

use super::action::Action;
use super::board::Board;
use super::comparison::Comparison;
use super::keymap::Keymap;
use super::log_store::{self, LogStore};
use super::theme::{Look, Theme};
use super::views::Shown;
use crate::engine::session::{Place, Planned, Waiting};
use crate::model::{ResourceKey, TaskId};
use crate::operation::{LogLine, Record, Request};

/// How many finished operations keep their boards; older ones leave the list.
const BOARDS: usize = 20;

/// A story of the gallery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Story {
    pub(crate) name: String,
    pub(crate) about: String,
    /// How long it takes, for people.
    pub(crate) length: String,
}

/// A live object's YAML, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Yaml {
    Asked,
    Lines(Vec<String>),
    Missing(String),
}

/// What the session does for us right now, beside an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Busy {
    /// Loading manifests, connecting, planning.
    Planning,
    /// A sync was asked for and has not begun.
    Starting,
}

/// What is shown and may be done.
pub(crate) struct Model {
    pub(crate) theme: Theme,
    pub(crate) keymap: Keymap,
    pub(crate) size: Size,
    /// The time that the next frame shows.
    pub(crate) now: Timestamp,
    pub(crate) stories: Vec<Story>,
    /// Name of the open session's story or target, until its place is known.
    pub(crate) target: String,
    pub(crate) place: Option<Place>,
    /// What a sync is asked with, unless a dialog says otherwise.
    pub(crate) request: Request,
    /// What the deletion of the app is asked with.
    pub(crate) deletion: Request,
    pub(crate) planned: Option<Arc<Planned>>,
    /// What a sync would change, field by field.
    pub(crate) comparison: Comparison,
    preview: Option<Board>,
    /// Operations since the program started, oldest first.
    operations: VecDeque<Board>,
    /// Whether the plan is shown although operations are there.
    pub(crate) shows_plan: bool,
    pub(crate) logs: LogStore,
    pub(crate) yaml: BTreeMap<ResourceKey, Yaml>,
    pub(crate) busy: Option<Busy>,
    /// When the first frame showed that.
    pub(crate) busy_since: Option<Timestamp>,
    /// What is waited for before there is a plan or an operation, if that takes longer than expected.
    pub(crate) waiting: Option<Waiting>,
    /// Why the last plan could not be made, as lines.
    pub(crate) trouble: Vec<String>,
    pub(crate) header: bool,
    /// In which times of day are shown.
    pub(crate) zone: TimeZone,
    started: usize,
}

impl Model {
    /// Makes a model without a session.
    pub(crate) fn new(look: Look) -> Self {
        Self {
            theme: Theme::new(look),
            keymap: Keymap::shipped(),
            size: Size::new(80, 24),
            now: Timestamp::UNIX_EPOCH,
            stories: Vec::new(),
            target: String::new(),
            place: None,
            request: Request::default(),
            deletion: Request::deletion(),
            planned: None,
            comparison: Comparison::default(),
            preview: None,
            operations: VecDeque::new(),
            shows_plan: false,
            logs: LogStore::new(log_store::BUDGET),
            yaml: BTreeMap::new(),
            busy: None,
            busy_since: None,
            waiting: None,
            trouble: Vec::new(),
            header: true,
            zone: TimeZone::UTC,
            started: 0,
        }
    }

    /// Forgets the session before, for a new one.
    pub(crate) fn begin(&mut self, target: String, request: Request) {
        let old = std::mem::replace(self, Self::new(Look::default()));
        self.theme = old.theme;
        self.keymap = old.keymap;
        self.size = old.size;
        self.now = old.now;
        self.stories = old.stories;
        self.header = old.header;
        self.zone = old.zone;
        self.target = target;
        self.deletion =
            Request { options: request.options.clone(), stall_after: request.stall_after, by: request.by.clone(), ..Request::deletion() };
        self.request = request;
    }

    /// The session has been asked for something that takes its time.
    pub(crate) fn begin_work(&mut self, busy: Busy) {
        self.busy = Some(busy);
        self.busy_since = None;
    }

    /// Takes a plan to be shown when nothing runs.
    pub(crate) fn set_preview(&mut self, planned: &Arc<Planned>) {
        self.place = Some(planned.place.clone());
        self.preview = Some(Board::preview(planned));
        self.planned = Some(planned.clone());
    }

    /// Folds a fact. Returns the number of the operation if it has just begun.
    pub(crate) fn fact(&mut self, record: &Record) -> Option<usize> {
        self.logs.observe(record);
        if let Some(board) = self.board_of(&record.operation) {
            board.apply(record);
            return None;
        }
        let actions = self.planned.as_ref().map(|planned| planned.actions.clone()).unwrap_or_default();
        let board = Board::start(self.started + 1, record, actions)?;
        self.started += 1;
        self.operations.push_back(board);
        if self.operations.len() > BOARDS {
            self.operations.pop_front();
        }
        self.busy = None;
        self.shows_plan = false;
        Some(self.started)
    }

    fn board_of(&mut self, operation: &str) -> Option<&mut Board> {
        self.operations.iter_mut().rev().find(|board| board.operation().is_some_and(|found| **found.id() == *operation))
    }

    /// Keeps a line of a log.
    pub(crate) fn line(&mut self, line: LogLine) {
        self.logs.push(line);
    }

    /// Brings all boards up to date for a frame at `now`.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        self.now = now;
        self.busy_since = self.busy.and(self.busy_since.or(Some(now)));
        self.comparison.settle(now);
        if let Some(board) = &mut self.preview {
            board.settle(now);
        }
        for board in &mut self.operations {
            board.settle(now);
        }
    }

    /// Shows the newest operation again. Returns whether a plan stood before it.
    pub(crate) fn hide_plan(&mut self) -> bool {
        let hidden = self.shows_plan && !self.operations.is_empty();
        self.shows_plan &= !hidden;
        hidden
    }

    /// Returns the board that a view shows.
    pub(crate) fn board(&self, shown: Shown) -> Option<&Board> {
        match shown {
            Shown::Home if self.shows_plan => self.preview.as_ref(),
            Shown::Home => self.operations.back().or(self.preview.as_ref()),
            Shown::Past(number) => self.operations.iter().find(|board| board.number() == number),
        }
    }

    /// Returns the operations since the program started, newest first.
    pub(crate) fn operations(&self) -> impl ExactSizeIterator<Item = &Board> {
        self.operations.iter().rev()
    }

    /// Returns the board of the running operation.
    pub(crate) fn running(&self) -> Option<&Board> {
        self.operations.back().filter(|board| board.is_running())
    }

    /// Returns the log of a task on a board.
    pub(crate) fn log(&self, board: &Board, task: &TaskId) -> Option<&log_store::TaskLog> {
        self.logs.log(board.operation()?.id(), task)
    }

    /// Returns whether a verb may be used now.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub(crate) fn may(&self, action: Action) -> Result<(), String> {
        if !action.changes_cluster() {
            return Ok(());
        }
        if let Some(reason) = self.place.as_ref().and_then(|place| place.read_only.as_ref()) {
            return Err(format!("read-only: {reason}"));
        }
        let running = self.running().is_some();
        match action {
            Action::Terminate if !running => Err("nothing is running".to_owned()),
            Action::Terminate => Ok(()),
            Action::Approve if self.running().is_none_or(|board| board.unconfirmed().is_empty()) => {
                Err("no deletion waits for a confirmation".to_owned())
            }
            Action::Approve => Ok(()),
            Action::Pause => self.may_pause(),
            _ if running => Err(format!("a {} is running; ctrl-k terminates it", self.noun())),
            _ if self.busy == Some(Busy::Starting) => Err("an operation is just starting".to_owned()),
            _ => Ok(()),
        }
    }

    /// Returns what the newest operation is called.
    pub(crate) fn noun(&self) -> &'static str {
        self.operations.back().map_or("sync", Board::noun)
    }

    fn may_pause(&self) -> Result<(), String> {
        let Some((board, operation)) = self.running().and_then(|board| Some((board, board.operation()?))) else {
            return Err("nothing is running, so there is nothing to pause".to_owned());
        };
        let has_more = operation.respite().is_some() || board.next_wave().is_some();
        match operation.can_pause() {
            _ if operation.paused().is_some() || operation.is_pause_wanted() => Ok(()),
            false => Err("the operation is ending; there is nothing left to pause before".to_owned()),
            true if !has_more => Err("no wave is left to pause before".to_owned()),
            true => Ok(()),
        }
    }

    /// Returns the app's name, for titles.
    pub(crate) fn app_name(&self) -> &str {
        self.place.as_ref().map_or(&*self.target, |place| &*place.app)
    }

    /// Returns whether typing the app's name must confirm a change here.
    pub(crate) fn is_protected(&self) -> bool {
        self.place.as_ref().is_some_and(|place| place.protected)
    }
}
