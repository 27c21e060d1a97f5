//! Everything known of one object, in tabs: what the sync does with it and when, its live YAML, its events, its pods. Holds which tab is
//! open, where a person is in it and what is searched for; what the lines say is made in `facts`.

mod facts;
mod find;

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub(crate) use self::facts::unjudged;
use self::facts::{dim, events, overview, pods};
use self::find::Find;
use super::diff::{DiffView, Opening};
use super::text::{Scroll, TextLine, fitted};
use super::{Outbox, Outcome, Shown, View, Wish};
use crate::engine::session::Ask;
use crate::model::{ResourceKey, TaskId};
use crate::tui::action::Action;
use crate::tui::clean;
use crate::tui::keymap::Context;
use crate::tui::model::{Model, Yaml};
use crate::tui::paint::{self, Pen};
use crate::tui::theme::Role;

/// What of the object is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tab {
    Overview,
    Yaml,
    Events,
    Pods,
}

const TABS: [(Tab, &str); 4] = [(Tab::Overview, "details"), (Tab::Yaml, "yaml"), (Tab::Events, "events"), (Tab::Pods, "pods")];

/// Columns that the names of all tabs take.
const ALL_TABS: u16 = 35;

/// The details of a task's object.
pub(crate) struct DetailsView {
    shown: Shown,
    task: TaskId,
    tab: Tab,
    scroll: Scroll,
    find: Find,
    /// Columns that there is room for.
    width: usize,
    lines: Vec<TextLine>,
}

impl DetailsView {
    /// Makes the view and asks for what it needs.
    pub(crate) fn new(shown: Shown, task: TaskId, tab: Tab, model: &Model, out: &mut Outbox) -> Self {
        let view = Self { shown, task, tab, scroll: Scroll::default(), find: Find::default(), width: 0, lines: Vec::new() };
        view.ask(model, out);
        view
    }

    /// The live object is asked for each time its tab is opened.
    fn ask(&self, model: &Model, out: &mut Outbox) {
        if self.tab == Tab::Yaml && model.yaml.get(&self.task.key) != Some(&Yaml::Asked) {
            out.ask(Ask::Object { key: self.task.key.clone() });
        }
    }

    fn turn(&mut self, tab: Tab, model: &Model, out: &mut Outbox) {
        self.tab = tab;
        self.scroll.reset();
        self.find.leave();
        self.ask(model, out);
    }

    fn step(&mut self, forward: bool, model: &Model, out: &mut Outbox) {
        let at = TABS.iter().position(|(tab, _)| *tab == self.tab).unwrap_or_default();
        let (tab, _) = TABS[crate::tui::dialogs::turn(at, TABS.len(), forward)];
        self.turn(tab, model, out);
    }

    fn yaml<'a>(&self, model: &'a Model) -> Option<&'a [String]> {
        yaml_of(model, &self.task.key)
    }

    fn other_lines(&self, model: &Model) -> Vec<TextLine> {
        let Some(board) = model.board(self.shown) else { return Vec::new() };
        let task = board.plan().task(&self.task);
        match (self.tab, board.operation()) {
            (Tab::Overview, operation) => overview(model, board, &self.task, task, operation),
            (Tab::Events, Some(operation)) => events(model, operation, &self.task),
            (Tab::Pods, Some(operation)) => pods(model, operation, &self.task),
            (Tab::Events | Tab::Pods, None) => vec![dim("nothing has run yet")],
            (Tab::Yaml, _) => vec![match model.yaml.get(&self.task.key) {
                Some(Yaml::Missing(reason)) => vec![(reason.clone(), Role::Warn)],
                Some(Yaml::Asked | Yaml::Lines(_)) | None => dim("asking the cluster…"),
            }],
        }
    }
}

/// Returns the lines of an object, if they are there.
fn yaml_of<'a>(model: &'a Model, key: &ResourceKey) -> Option<&'a [String]> {
    match model.yaml.get(key) {
        Some(Yaml::Lines(lines)) => Some(lines),
        Some(Yaml::Asked | Yaml::Missing(_)) | None => None,
    }
}

impl View for DetailsView {
    fn context(&self) -> Context {
        Context::Details
    }

    fn update(&mut self, action: Action, model: &Model, out: &mut Outbox) -> Outcome {
        match action {
            Action::Left | Action::Right => self.go_sideways(action == Action::Right, model),
            Action::Details | Action::NextPane => self.step(true, model, out),
            Action::PreviousPane => self.step(false, model, out),
            Action::Yaml => self.turn(Tab::Yaml, model, out),
            Action::Events => self.turn(Tab::Events, model, out),
            Action::Diff => {
                let (request, task) = (model.request.clone(), Some(self.task.clone()));
                let view = DiffView::new(Opening { request, task, marks: BTreeSet::new(), has_dialog: false }, out);
                out.wish(Wish::Open(Box::new(view)));
            }
            Action::Logs | Action::Open => out.wish(Wish::OpenLogs { shown: self.shown, task: self.task.clone() }),
            Action::Filter => out.wish(Wish::Search),
            Action::FindNext => self.find_next(true, model, out),
            Action::FindPrevious => self.find_next(false, model, out),
            Action::Back if !self.find.text().is_empty() => self.find = Find::default(),
            other if self.scroll.go(other) => {}
            _ => return Outcome::Ignored,
        }
        Outcome::Consumed
    }

    fn search(&mut self, text: &str, model: &Model) {
        self.seek(text, model);
    }

    fn search_text(&self) -> &str {
        self.find.text()
    }

    fn settle(&mut self, model: &Model, area: Rect, _out: &mut Outbox) {
        let height = usize::from(area.height.saturating_sub(2));
        self.width = usize::from(area.width.saturating_sub(1));
        let was_seen = self.find.here().is_some_and(|here| self.scroll.visible().contains(&here));
        match self.yaml(model).filter(|_| self.tab == Tab::Yaml).map(<[String]>::len) {
            Some(len) => self.scroll.settle(len, height),
            None => {
                self.lines = fitted(self.other_lines(model), self.width);
                self.scroll.settle(self.lines.len(), height);
            }
        }
        self.find_again(model);
        if let Some(here) = self.find.here().filter(|_| was_seen) {
            self.scroll.reveal(here);
        }
    }

    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        if let Some(mut pen) = Pen::row(buffer, area, 0) {
            let phase = self.task.phase.as_str();
            pen.put(" ", model.theme.style(Role::Text)).fit(&clean::text(&self.task.key.short()), model.theme.style(Role::Strong));
            pen.fit(&format!("  {} · {phase}", clean::text(&self.task.key.namespace)), model.theme.style(Role::Dim));
        }
        let rule = Rect { y: area.y + 1, height: area.height.saturating_sub(1).min(1), ..area };
        self.draw_tabs(model, rule, buffer);
        let body = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
        match self.yaml(model).filter(|_| self.tab == Tab::Yaml) {
            Some(lines) => self.scroll.draw_plain(model, lines, &self.find.sought(), body, buffer),
            None => self.scroll.draw_found(model, &self.lines, &self.find.sought(), body, buffer),
        }
    }

    fn verbs(&self) -> &'static [Action] {
        &[Action::Details, Action::Diff, Action::Yaml, Action::Events, Action::Logs, Action::Filter, Action::Back, Action::Help]
    }

    fn title(&self) -> &'static str {
        "details"
    }
}

impl DetailsView {
    /// The names of all tabs and where one is; where there is no room for that, the open tab.
    fn draw_tabs(&self, model: &Model, rule: Rect, buffer: &mut Buffer) {
        let theme = model.theme;
        let notes = self.find.notes().unwrap_or_else(|| self.scroll.notes());
        let is_wide = rule.width >= ALL_TABS;
        let has_room = usize::from(rule.width) >= usize::from(ALL_TABS) + clean::columns(&notes) + 4;
        paint::rule(buffer, rule, theme, "", if has_room { &notes } else { "" });
        let Some(mut pen) = Pen::row(buffer, rule, 0) else { return };
        pen.skip(2);
        for (tab, name) in TABS.into_iter().filter(|(tab, _)| is_wide || *tab == self.tab) {
            let style = theme.style(if tab == self.tab { Role::Chosen } else { Role::Dim });
            pen.put(" ", style).put(name, style).put(" ", style).skip(1);
        }
    }

    /// Half of what is seen, but no further than there is text in what is seen. Only YAML is wider than the screen.
    fn go_sideways(&mut self, right: bool, model: &Model) {
        let (step, seen) = ((self.width / 2).max(1), self.scroll.left() + self.width);
        let Some(lines) = self.yaml(model).filter(|_| self.tab == Tab::Yaml) else { return };
        if !right {
            return self.scroll.move_left(step);
        }
        if lines[self.scroll.visible()].iter().any(|line| clean::is_wider(line, seen)) {
            self.scroll.move_right(step, usize::MAX);
        }
    }
}
