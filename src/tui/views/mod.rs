//! The screens. A view holds where a person looks — cursor, filter, tab — and never what is looked at: that is the [`Model`]'s.
//! It turns verbs into wishes and draws itself from the model without changing anything.

pub(crate) mod attempts;
pub(crate) mod details;
pub(crate) mod diagnostics;
pub(crate) mod diff;
pub(crate) mod gallery;
pub(crate) mod help;
pub(crate) mod history;
pub(crate) mod log_screen;
pub(crate) mod logs;
pub(crate) mod operation;
pub(super) mod text;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::diff::work::{Done, Job};
use super::action::Action;
use super::dialogs::Dialog;
use super::keymap::Context;
use super::model::Model;
use super::viewer::Showing;
use super::widgets::cursor::Cursor;
use crate::engine::session::Ask;
use crate::model::TaskId;
use crate::operation::LogLine;

/// Whether a verb meant something to a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Consumed,
    /// The program may find a meaning.
    Ignored,
}

/// Moves in a list, the same way on every screen.
fn go(list: &mut Cursor, action: Action, height: usize, len: usize) -> Outcome {
    match action {
        Action::Up => list.move_by(-1, len),
        Action::Down => list.move_by(1, len),
        Action::Top => list.home(),
        Action::Bottom => list.end(height, len),
        Action::PageUp => list.page(-1, height, len),
        Action::PageDown => list.page(1, height, len),
        _ => return Outcome::Ignored,
    }
    Outcome::Consumed
}

/// A short sentence at the bottom of the screen, until the next key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) text: String,
    pub(crate) bad: bool,
}

impl Notice {
    /// Makes a notice of something that went as it should.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), bad: false }
    }

    /// Makes a notice of something that cannot be done.
    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self { text: text.into(), bad: true }
    }
}

/// How the program is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// Nothing runs here.
    Now,
    /// The screens close, the operation goes on in this process until it ends.
    Detached,
    /// The operation is terminated, and the program ends when it has ended.
    Terminated,
}

/// Which board a view shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The running or newest operation, or the plan.
    Home,
    /// An operation of this program, from 1, read-only.
    Past(usize),
}

/// What a view or a dialog wants to happen.
#[expect(clippy::large_enum_variant, reason = "few are ever alive, and none is kept")]
pub(crate) enum Wish {
    Ask(Ask),
    Open(Box<dyn View>),
    /// The same, and the dialog that is open now comes back when the view closes.
    OpenAside(Box<dyn View>),
    /// Logs of a task, the whole screen.
    OpenLogs {
        shown: Shown,
        task: TaskId,
    },
    OpenHelp,
    /// Close the topmost view.
    Close,
    Dialog(Box<dyn Dialog>),
    CloseDialog,
    Say(Notice),
    /// Begin the line for a filter or a search.
    Search,
    /// Play a story of the gallery.
    Story(usize),
    /// Ask for a plan and show it.
    ShowPlan,
    Leave(Leaving),
    /// Put this on the clipboard.
    Copy(String),
    /// Show a difference in the person's viewer.
    Show(Box<Showing>),
    /// Do this beside the frames.
    Work(Job),
}

/// Wishes, in order.
#[derive(Default)]
pub(crate) struct Outbox(pub(crate) Vec<Wish>);

impl Outbox {
    /// Adds a wish.
    pub(crate) fn wish(&mut self, wish: Wish) {
        self.0.push(wish);
    }

    /// Asks the session.
    pub(crate) fn ask(&mut self, ask: Ask) {
        self.wish(Wish::Ask(ask));
    }

    /// Shows a sentence at the bottom.
    pub(crate) fn say(&mut self, notice: Notice) {
        self.wish(Wish::Say(notice));
    }
}

/// A screen.
pub(crate) trait View {
    /// Returns whose keys hold here.
    fn context(&self) -> Context;

    /// Obeys a verb.
    fn update(&mut self, action: Action, model: &Model, out: &mut Outbox) -> Outcome;

    /// Takes the text of the `/` line while it is typed; an empty one ends filter or search.
    fn search(&mut self, _text: &str, _model: &Model) {}

    /// Returns the text of the filter or search in force.
    fn search_text(&self) -> &str {
        ""
    }

    /// Brings cursor and cached lines up to date with the model, for a picture of this area. Called once before each frame.
    fn settle(&mut self, model: &Model, area: Rect, out: &mut Outbox);

    /// Takes work that was wished for, by whichever view.
    fn done(&mut self, _done: &Done, _model: &Model) {}

    /// Draws itself. Changes nothing, and touches only what is visible.
    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer);

    /// Returns the verbs that the footer shows, the most important first.
    fn verbs(&self) -> &'static [Action];

    /// Returns the name for the title of the help screen.
    fn title(&self) -> &'static str;

    /// Returns whether this line of a log is on the screen.
    fn shows(&self, _line: &LogLine, _model: &Model) -> bool {
        false
    }

    /// Returns whether something that the view shows changes with time alone.
    fn ticks(&self, model: &Model) -> bool {
        model.running().is_some() || model.busy.is_some()
    }
}
