//! The program behind the screens: layers of views, at most one dialog, at most one line of input. Turns messages into changes of the model
//! and into effects for the loop; does no I/O and knows no terminal, so that a whole journey of keys is a test.

mod answers;
mod keys;

use std::collections::VecDeque;
use std::sync::Arc;

use crossterm::event::Event as Input;
use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::dialogs::Dialog;
use super::footer;
use super::keymap::Context;
use super::model::{Busy, Model, Story, Yaml};
use super::theme::Look;
use super::viewer::Showing;
use super::views::diff::work::{Done, Job};
use super::views::gallery::GalleryView;
use super::views::help::HelpView;
use super::views::log_screen::LogScreen;
use super::views::operation::OperationView;
use super::views::{Leaving, Notice, Outbox, Shown, View, Wish};
use super::widgets::prompt::Prompt;
use crate::engine::session::{Answer, Ask, FailureKind};
use crate::operation::{Event, LogLine, Operation, Record, Request};
use crate::plan::Kind;

/// Something that happened outside.
pub(crate) enum Msg<'a> {
    Terminal(Input),
    Facts(&'a mut Vec<Arc<Record>>),
    Lines(&'a mut Vec<LogLine>),
    Answer(Answer),
    /// Something was done beside the frames.
    Done(Done),
    /// A full second has passed while clocks are on the screen.
    Tick,
}

/// Something that only the loop can do.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "few are ever alive, and none is kept")]
pub(crate) enum Effect {
    Ask(Ask),
    /// Open the session of this story, and call [`App::open`].
    OpenStory(usize),
    /// The session is not needed any more.
    CloseSession,
    Leave(Leaving),
    /// There is nothing to show: leave and report this.
    Fail {
        kind: FailureKind,
        report: String,
    },
    /// Draw every cell anew.
    Redraw,
    /// Put this on the clipboard.
    Copy(String),
    /// Lend the terminal to the viewer of differences.
    Show(Box<Showing>),
    /// Do this on another thread, and give the result back as [`Msg::Done`].
    Work(Job),
}

/// What begins as soon as its plan is there.
#[derive(Debug)]
pub(crate) enum Begin {
    Nothing,
    Sync,
    /// The deletion of the app, asked with this.
    Deletion(Box<Request>),
}

/// What a plan was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PlanFor {
    /// To have something to show; what was typed starts at once.
    Opening {
        begin: Option<Kind>,
    },
    Showing,
    Dialog,
}

/// What the line at the bottom is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineFor {
    Command,
    Search,
}

/// The program.
pub(crate) struct App {
    pub(crate) model: Model,
    /// The lowest first; never empty.
    views: Vec<Box<dyn View>>,
    dialog: Option<Box<dyn Dialog>>,
    /// A dialog that comes back when no more than so many views are open.
    aside: Option<(usize, Box<dyn Dialog>)>,
    line: Option<LineFor>,
    commands: Prompt,
    searches: Prompt,
    notice: Option<Notice>,
    plans: VecDeque<PlanFor>,
    effects: Vec<Effect>,
}

impl App {
    /// Makes the program for one target; [`App::open`] follows.
    pub(crate) fn new(look: Look) -> Self {
        Self::with(Model::new(look), Box::new(OperationView::new(Shown::Home, false)))
    }

    /// Makes the program with a gallery of stories as its first screen.
    pub(crate) fn gallery(look: Look, stories: Vec<Story>) -> Self {
        let mut model = Model::new(look);
        model.stories = stories;
        Self::with(model, Box::<GalleryView>::default())
    }

    fn with(model: Model, first: Box<dyn View>) -> Self {
        Self {
            model,
            views: vec![first],
            dialog: None,
            aside: None,
            line: None,
            commands: Prompt::default(),
            searches: Prompt::default(),
            notice: None,
            plans: VecDeque::new(),
            effects: Vec::new(),
        }
    }

    /// Begins with a session that has been opened: asks for the plan, and starts what was typed as soon as it is there.
    pub(crate) fn open(&mut self, target: String, request: Request, begin: Begin) {
        self.model.begin(target, request);
        self.plans.clear();
        (self.dialog, self.aside) = (None, None);
        if !self.model.stories.is_empty() {
            self.views.truncate(1);
            self.views.push(Box::new(OperationView::new(Shown::Home, false)));
        }
        self.model.begin_work(Busy::Planning);
        match begin {
            Begin::Nothing => self.plan(PlanFor::Opening { begin: None }),
            Begin::Sync => self.plan(PlanFor::Opening { begin: Some(Kind::Sync) }),
            Begin::Deletion(request) => {
                self.model.deletion = *request;
                self.plans.push_back(PlanFor::Opening { begin: Some(Kind::Delete) });
                self.effects.push(Effect::Ask(Ask::PlanDeletion { request: self.model.deletion.clone() }));
            }
        }
    }

    /// Shows a sentence at the bottom.
    pub(crate) fn say(&mut self, notice: Notice) {
        self.notice = Some(notice);
    }

    fn plan(&mut self, purpose: PlanFor) {
        self.plans.push_back(purpose);
        self.effects.push(Effect::Ask(Ask::Plan { request: self.model.request.clone() }));
    }

    /// Takes a message. Returns whether the next frame would differ.
    pub(crate) fn update(&mut self, message: Msg<'_>) -> bool {
        match message {
            Msg::Terminal(event) => self.terminal(event),
            Msg::Facts(records) => self.facts(records),
            Msg::Lines(lines) => self.lines(lines),
            Msg::Answer(answer) => {
                self.answer(answer);
                true
            }
            Msg::Done(done) => {
                self.views.iter_mut().for_each(|view| view.done(&done, &self.model));
                true
            }
            Msg::Tick => true,
        }
    }

    /// Takes what the loop has to do.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    fn facts(&mut self, records: &mut Vec<Arc<Record>>) -> bool {
        let any = !records.is_empty();
        for record in records.drain(..) {
            if matches!(record.event, Event::Paused { .. } | Event::Resumed { .. } | Event::OperationFinished { .. }) {
                // What was said about a pause is not true any more.
                self.notice = None;
            }
            self.model.fact(&record);
        }
        any
    }

    fn lines(&mut self, lines: &mut Vec<LogLine>) -> bool {
        let mut seen = false;
        for line in lines.drain(..) {
            seen = seen || self.top().shows(&line, &self.model);
            self.model.line(line);
        }
        seen
    }

    fn top(&self) -> &dyn View {
        &**self.views.last().expect("the first view is never taken away")
    }

    fn grant(&mut self, out: Outbox) {
        for wish in out.0 {
            self.grant_one(wish);
        }
    }

    fn grant_one(&mut self, wish: Wish) {
        match wish {
            Wish::Ask(ask) => self.ask(ask),
            Wish::Open(view) => self.views.push(view),
            Wish::OpenAside(view) => {
                self.aside = self.dialog.take().map(|dialog| (self.views.len(), dialog));
                self.views.push(view);
            }
            Wish::OpenLogs { shown, task } => match LogScreen::open(shown, task, &self.model) {
                Some(screen) => self.views.push(Box::new(screen)),
                None => self.say(Notice::plain("nothing has run yet: there is no log")),
            },
            Wish::OpenHelp => {
                let help = HelpView::new(self.top().context(), self.top().title());
                self.views.push(Box::new(help));
            }
            Wish::Close => self.close(),
            Wish::Dialog(dialog) => (self.dialog, self.aside) = (Some(dialog), None),
            Wish::CloseDialog => self.dialog = None,
            Wish::Say(notice) => self.notice = Some(notice),
            Wish::Search => {
                let text = self.top().search_text().to_owned();
                self.searches.set(&text);
                self.line = Some(LineFor::Search);
            }
            Wish::Story(story) => self.effects.push(Effect::OpenStory(story)),
            Wish::ShowPlan => self.show_plan(),
            Wish::Leave(leaving) => {
                self.dialog = None;
                self.effects.push(Effect::Leave(leaving));
            }
            Wish::Copy(text) => {
                self.say(Notice::plain("copied"));
                self.effects.push(Effect::Copy(text));
            }
            Wish::Show(showing) => self.effects.push(Effect::Show(showing)),
            Wish::Work(job) => self.effects.push(Effect::Work(job)),
        }
    }

    /// Closes the topmost view; a dialog that waited below it comes back.
    fn close(&mut self) {
        if self.views.len() > 1 {
            self.views.pop();
        }
        if self.aside.as_ref().is_some_and(|(views, _)| self.views.len() <= *views) {
            self.dialog = self.aside.take().map(|(_, dialog)| dialog);
        }
    }

    fn show_plan(&mut self) {
        if self.views.iter().all(|view| view.context() != Context::Sync) {
            return self.say(Notice::bad("nothing is open yet"));
        }
        if self.model.running().is_some() {
            return self.say(Notice::bad(format!("a {} is running: its plan is on the screen", self.model.noun())));
        }
        self.model.begin_work(Busy::Planning);
        self.say(Notice::plain("planning…"));
        self.plan(PlanFor::Showing);
    }

    fn ask(&mut self, ask: Ask) {
        match &ask {
            Ask::Plan { .. } | Ask::PlanDeletion { .. } => self.plans.push_back(PlanFor::Dialog),
            Ask::Diff { request } => return self.compare(request.clone()),
            Ask::Sync { .. } | Ask::Delete { .. } => {
                self.model.begin_work(Busy::Starting);
                // What was asked for is watched on the sync screen.
                self.views.retain(|view| view.context() != Context::Diff);
                self.aside = None;
            }
            Ask::Object { key } => _ = self.model.yaml.entry(key.clone()).or_insert(Yaml::Asked),
            Ask::Terminate { .. }
            | Ask::Approve { .. }
            | Ask::Pause { .. }
            | Ask::Resume { .. }
            | Ask::DropPause { .. }
            | Ask::Rights { .. }
            | Ask::Follow { .. } => {}
        }
        self.effects.push(Effect::Ask(ask));
    }

    fn compare(&mut self, request: Request) {
        self.effects.extend(self.model.comparison.want(request).map(Effect::Ask));
    }

    /// Brings everything up to date for a frame. Called once before each [`App::draw`].
    pub(crate) fn settle(&mut self, now: Timestamp, size: Size) {
        self.model.size = size;
        self.model.settle(now);
        if let Some(sentence) = self.dialog.as_mut().and_then(|dialog| dialog.settle(&self.model)) {
            self.dialog = None;
            self.notice = Some(Notice::plain(sentence));
        }
        let area = footer::body(Rect::from((ratatui::layout::Position::ORIGIN, size)));
        let mut out = Outbox::default();
        if let Some(view) = self.views.last_mut() {
            view.settle(&self.model, area, &mut out);
        }
        self.grant(out);
    }

    /// Draws a frame. Changes nothing.
    pub(crate) fn draw(&self, area: Rect, buffer: &mut Buffer) {
        self.top().draw(&self.model, footer::body(area), buffer);
        if let Some(dialog) = &self.dialog {
            dialog.draw(&self.model, footer::body(area), buffer);
        }
        let line = self.line.map(|purpose| match purpose {
            LineFor::Command => (purpose, &self.commands),
            LineFor::Search => (purpose, &self.searches),
        });
        footer::draw(&self.model, self.top(), line, self.notice.as_ref(), footer::row(area), buffer);
        self.model.theme.finish(buffer);
    }

    /// Returns when the next frame is due because of time alone: the next full second of the running operation, of a
    /// question that waits, or of other work of the session.
    pub(crate) fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        if !self.top().ticks(&self.model) && self.dialog.is_none() {
            return None;
        }
        let operation = self.model.running().and_then(|board| board.operation());
        let asked = || self.model.comparison.asked().and_then(|asked| asked.since);
        let since = operation.map(Operation::started_at).or_else(asked).or(self.model.busy_since)?;
        let passed = now.duration_since(since).max(SignedDuration::ZERO);
        since.checked_add(SignedDuration::from_secs(passed.as_secs() + 1)).ok()
    }
}
