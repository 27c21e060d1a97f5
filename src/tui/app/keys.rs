//! Keys and pasted text: they belong to the dialog, else to the line that is being typed, else they are verbs for the topmost view, else for
//! the program.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind};

use super::{App, Effect, LineFor};
use crate::tui::action::Action;
use crate::tui::command::{self, Command};
use crate::tui::dialogs::quit::QuitDialog;
use crate::tui::keymap::Context;
use crate::tui::views::diagnostics::DiagnosticsView;
use crate::tui::views::history::HistoryView;
use crate::tui::views::{Leaving, Notice, Outbox, Outcome, Wish};
use crate::tui::widgets::prompt::{Prompt, PromptOutcome};

impl App {
    /// Takes an event of the terminal. Returns whether the next frame would differ.
    pub(super) fn terminal(&mut self, event: Event) -> bool {
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
            Ok(Some(Command::Pause)) => self.home(Action::Pause, &mut out),
            Ok(Some(Command::Diff)) if self.top().context() == Context::Diff => {}
            Ok(Some(Command::Diff)) => self.home(Action::Diff, &mut out),
            Ok(Some(Command::Delete)) => self.home(Action::Delete, &mut out),
            Ok(Some(Command::Attempts)) => self.home(Action::Attempts, &mut out),
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
}
