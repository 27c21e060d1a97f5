//! The program behind the screens: layers of views, at most one dialog, at most one line of input. Turns messages into changes of the model
//! and into effects for the loop; does no I/O and knows no terminal, so that a whole journey of keys is a test.

use std::collections::VecDeque;
use std::sync::Arc;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind};
use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::action::Action;
use super::clean;
use super::command::{self, Command};
use super::dialogs::Dialog;
use super::dialogs::quit::QuitDialog;
use super::dialogs::report::ReportDialog;
use super::dialogs::sync::{Scope, SyncDialog};
use super::footer;
use super::keymap::Context;
use super::model::{Busy, Model, Story, Yaml};
use super::theme::Look;
use super::views::diagnostics::DiagnosticsView;
use super::views::gallery::GalleryView;
use super::views::help::HelpView;
use super::views::history::HistoryView;
use super::views::log_screen::LogScreen;
use super::views::operation::OperationView;
use super::views::{Leaving, Notice, Outbox, Outcome, Shown, View, Wish};
use super::widgets::prompt::{Prompt, PromptOutcome};
use crate::engine::session::{Answer, Ask, FailureKind, Planned};
use crate::operation::{LogLine, Record, Request};

/// Something that happened outside.
pub(crate) enum Msg<'a> {
    Terminal(Event),
    Facts(&'a mut Vec<Arc<Record>>),
    Lines(&'a mut Vec<LogLine>),
    Answer(Answer),
    /// A full second has passed while clocks are on the screen.
    Tick,
}

/// Something that only the loop can do.
#[derive(Debug)]
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
}

/// What a plan was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PlanFor {
    /// To have something to show; with `sync`, to start it at once.
    Opening {
        sync: bool,
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
            line: None,
            commands: Prompt::default(),
            searches: Prompt::default(),
            notice: None,
            plans: VecDeque::new(),
            effects: Vec::new(),
        }
    }

    /// Begins with a session that has been opened: asks for the plan, and with `sync` starts it as soon as it is there.
    pub(crate) fn open(&mut self, target: String, request: Request, sync: bool) {
        self.model.begin(target, request);
        self.plans.clear();
        self.dialog = None;
        if !self.model.stories.is_empty() {
            self.views.truncate(1);
            self.views.push(Box::new(OperationView::new(Shown::Home, false)));
        }
        self.model.busy = Some(Busy::Planning);
        self.plan(PlanFor::Opening { sync });
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

    fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Planned(planned) => self.planned(&planned),
            Answer::Started { .. } => {}
            Answer::Refused { reason } => {
                self.model.busy = None;
                self.report("Refused", &reason);
            }
            Answer::Failed { kind, report } => self.failed(kind, report),
            Answer::Object { key, yaml } => {
                let yaml = match yaml {
                    Ok(text) => Yaml::Lines(text.lines().map(|line| clean::text(line).into_owned()).collect()),
                    Err(reason) => Yaml::Missing(clean::text(&reason).into_owned()),
                };
                self.model.yaml.insert(key, yaml);
            }
        }
    }

    fn report(&mut self, title: &'static str, text: &str) {
        if text.lines().count() > 1 || text.len() > 70 {
            self.dialog = Some(Box::new(ReportDialog::new(title, text)));
        } else {
            self.notice = Some(Notice::bad(clean::text(text)));
        }
    }

    fn planned(&mut self, planned: &Arc<Planned>) {
        match self.plans.pop_front() {
            Some(PlanFor::Opening { sync }) => {
                self.model.busy = None;
                self.model.set_preview(planned);
                if sync {
                    self.sync_at_once();
                }
            }
            Some(PlanFor::Showing) => {
                self.model.busy = None;
                self.model.set_preview(planned);
                self.model.shows_plan = true;
            }
            Some(PlanFor::Dialog) | None => {
                self.model.place = Some(planned.place.clone());
                self.model.planned = Some(planned.clone());
                self.tell_dialog(Ok(planned.clone()));
            }
        }
    }

    /// A sync that was typed starts by itself; in a protected context the app's name is asked for.
    fn sync_at_once(&mut self) {
        if let Err(reason) = self.model.may(Action::Sync) {
            return self.say(Notice::bad(reason));
        }
        let mut out = Outbox::default();
        if self.model.is_protected() {
            let dialog = SyncDialog::new(&self.model, vec![Scope::Everything], false, &mut out);
            out.wish(Wish::Dialog(Box::new(dialog)));
        } else {
            out.ask(Ask::Sync { request: self.model.request.clone() });
        }
        self.grant(out);
    }

    /// Of several plans that the dialog asked for, the last one counts.
    fn tell_dialog(&mut self, planned: Result<Arc<Planned>, Vec<String>>) {
        if !self.plans.contains(&PlanFor::Dialog)
            && let Some(dialog) = &mut self.dialog
        {
            dialog.planned(planned);
        }
    }

    fn failed(&mut self, kind: FailureKind, report: String) {
        self.model.busy = None;
        match self.plans.pop_front() {
            Some(PlanFor::Opening { .. }) => self.effects.push(Effect::Fail { kind, report }),
            Some(PlanFor::Showing) => self.report("There is no plan", &report),
            Some(PlanFor::Dialog) => {
                let lines = report.lines().map(|line| clean::text(line).into_owned()).collect();
                self.tell_dialog(Err(lines));
            }
            None => self.report("The sync did not start", &report),
        }
    }

    fn top(&self) -> &dyn View {
        &**self.views.last().expect("the first view is never taken away")
    }

    fn terminal(&mut self, event: Event) -> bool {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                self.key(key);
                true
            }
            Event::Paste(text) => {
                self.paste(&text);
                true
            }
            Event::Resize(..) => true,
            Event::Key(_) | Event::Mouse(_) | Event::FocusGained | Event::FocusLost => false,
        }
    }

    fn paste(&mut self, text: &str) {
        if let Some(dialog) = &mut self.dialog {
            dialog.pasted(text);
        } else if let Some(purpose) = self.line {
            self.prompt(purpose).insert(text);
            self.typed(purpose, PromptOutcome::Changed);
        }
    }

    fn prompt(&mut self, purpose: LineFor) -> &mut Prompt {
        match purpose {
            LineFor::Command => &mut self.commands,
            LineFor::Search => &mut self.searches,
        }
    }

    fn key(&mut self, key: KeyEvent) {
        self.notice = None;
        if self.dialog.is_some() {
            return self.dialog_key(key);
        }
        if let Some(purpose) = self.line {
            return self.line_key(purpose, key);
        }
        let mut out = Outbox::default();
        let action = self.model.keymap.action(self.top().context(), key);
        let view = self.views.last_mut().expect("the first view is never taken away");
        if let Some(action) = action
            && view.update(action, &self.model, &mut out) == Outcome::Ignored
        {
            self.general(action, key, &mut out);
        }
        self.grant(out);
    }

    fn dialog_key(&mut self, key: KeyEvent) {
        let Some(dialog) = &mut self.dialog else { return };
        if dialog.typed(key) {
            return;
        }
        let mut out = Outbox::default();
        if let Some(action) = self.model.keymap.action(Context::Dialog, key) {
            dialog.update(action, &self.model, &mut out);
        }
        self.grant(out);
    }

    fn line_key(&mut self, purpose: LineFor, key: KeyEvent) {
        if purpose == LineFor::Command && key.code == KeyCode::Tab {
            if let Some(text) = command::complete(self.commands.text()) {
                self.commands.set(&text);
            }
            return;
        }
        let is_interrupt = self.model.keymap.action(Context::General, key) == Some(Action::Quit);
        let outcome = if is_interrupt { PromptOutcome::Cancelled } else { self.prompt(purpose).key(key) };
        self.typed(purpose, outcome);
    }

    fn typed(&mut self, purpose: LineFor, outcome: PromptOutcome) {
        match (outcome, purpose) {
            (PromptOutcome::Submitted, LineFor::Command) => {
                self.line = None;
                let text = self.commands.accept();
                self.command(&text);
            }
            (PromptOutcome::Submitted, LineFor::Search) => {
                self.line = None;
                self.searches.accept();
            }
            (PromptOutcome::Cancelled, _) => {
                self.line = None;
                self.prompt(purpose).set("");
                if purpose == LineFor::Search {
                    self.search("");
                }
            }
            (PromptOutcome::Changed, LineFor::Search) => {
                let text = self.searches.text().to_owned();
                self.search(&text);
            }
            (PromptOutcome::Changed | PromptOutcome::Moved | PromptOutcome::Ignored, _) => {}
        }
    }

    fn search(&mut self, text: &str) {
        if let Some(view) = self.views.last_mut() {
            view.search(text, &self.model);
        }
    }

    /// What a verb means on every screen.
    fn general(&mut self, action: Action, key: KeyEvent, out: &mut Outbox) {
        match action {
            Action::Command => {
                self.commands.set("");
                self.line = Some(LineFor::Command);
            }
            Action::Help => out.wish(Wish::OpenHelp),
            Action::Redraw => self.effects.push(Effect::Redraw),
            Action::Header => self.model.header = !self.model.header,
            Action::Quit => self.quit(out),
            Action::Back => self.back(key, out),
            _ => {}
        }
    }

    fn back(&mut self, key: KeyEvent, out: &mut Outbox) {
        let is_story = self.views.len() == 2 && !self.model.stories.is_empty();
        if self.top().context() == Context::Sync && self.model.hide_plan() {
            return;
        }
        if is_story && self.model.running().is_some() {
            out.wish(Wish::Dialog(Box::<QuitDialog>::default()));
        } else if self.views.len() > 1 {
            out.wish(Wish::Close);
            if is_story {
                self.effects.push(Effect::CloseSession);
            }
        } else if key.code == KeyCode::Esc {
            out.say(Notice::plain("this is the first screen; q leaves"));
        } else {
            self.quit(out);
        }
    }

    fn quit(&mut self, out: &mut Outbox) {
        if self.model.running().is_some() {
            out.wish(Wish::Dialog(Box::<QuitDialog>::default()));
        } else {
            out.wish(Wish::Leave(Leaving::Now));
        }
    }

    fn command(&mut self, text: &str) {
        let mut out = Outbox::default();
        match command::parse(text) {
            Err(sentence) => out.say(Notice::bad(sentence)),
            Ok(None) => {}
            Ok(Some(Command::Quit)) => self.quit(&mut out),
            Ok(Some(Command::Help)) => out.wish(Wish::OpenHelp),
            Ok(Some(Command::Log)) => out.wish(Wish::Open(Box::new(DiagnosticsView::new()))),
            Ok(Some(Command::History)) => out.wish(Wish::Open(Box::new(HistoryView::new(&self.model)))),
            Ok(Some(Command::Plan)) => out.wish(Wish::ShowPlan),
            Ok(Some(Command::Sync)) => self.home(Action::Sync, &mut out),
            Ok(Some(Command::Terminate)) => self.home(Action::Terminate, &mut out),
            Ok(Some(Command::Approve)) => self.home(Action::Approve, &mut out),
            Ok(Some(Command::Logs)) => self.home(Action::Logs, &mut out),
        }
        self.grant(out);
    }

    /// Gives a verb to the sync screen, wherever one is.
    fn home(&mut self, action: Action, out: &mut Outbox) {
        let view = self.views.iter_mut().rev().find(|view| view.context() == Context::Sync);
        match view {
            Some(view) => _ = view.update(action, &self.model, out),
            None => out.say(Notice::bad("nothing is open yet")),
        }
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
            Wish::OpenLogs { shown, task } => match LogScreen::open(shown, task, &self.model) {
                Some(screen) => self.views.push(Box::new(screen)),
                None => self.say(Notice::plain("nothing has run yet: there is no log")),
            },
            Wish::OpenHelp => {
                let help = HelpView::new(self.top().context(), self.top().title());
                self.views.push(Box::new(help));
            }
            Wish::Close => {
                if self.views.len() > 1 {
                    self.views.pop();
                }
            }
            Wish::Dialog(dialog) => self.dialog = Some(dialog),
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
        }
    }

    fn show_plan(&mut self) {
        if self.views.iter().all(|view| view.context() != Context::Sync) {
            return self.say(Notice::bad("nothing is open yet"));
        }
        if self.model.running().is_some() {
            return self.say(Notice::bad("a sync is running: its plan is on the screen"));
        }
        self.model.busy = Some(Busy::Planning);
        self.say(Notice::plain("planning…"));
        self.plan(PlanFor::Showing);
    }

    fn ask(&mut self, ask: Ask) {
        match &ask {
            Ask::Plan { .. } => self.plans.push_back(PlanFor::Dialog),
            Ask::Sync { .. } => self.model.busy = Some(Busy::Starting),
            Ask::Object { key } => _ = self.model.yaml.entry(key.clone()).or_insert(Yaml::Asked),
            Ask::Terminate { .. } | Ask::Approve { .. } | Ask::Follow { .. } => {}
        }
        self.effects.push(Effect::Ask(ask));
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

    /// Returns when the next frame is due because of time alone: the next full second of the running operation.
    pub(crate) fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        let operation = self.model.running()?.operation()?;
        if !self.top().ticks(&self.model) && self.dialog.is_none() {
            return None;
        }
        let passed = now.duration_since(operation.started_at()).max(SignedDuration::ZERO);
        operation.started_at().checked_add(SignedDuration::from_secs(passed.as_secs() + 1)).ok()
    }
}
