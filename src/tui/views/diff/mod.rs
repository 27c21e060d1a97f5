//! The diff screen: for each resource what a sync would change in it, as one text or side by side, and from here the sync of what was
//! marked. Holds where a person looks: the chosen resource, folds, marks, what is searched for. What was compared is the model's.

mod choosing;
mod find;
mod layout;
mod list;
mod notes;
mod page;
mod paint;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::layout::{Panes, Wanted};
use self::page::{Page, Shape, Size};
use super::logs::find::Needle;
use super::text::Scroll;
use super::{Notice, Outbox, Outcome, View, Wish};
use crate::engine::session::Ask;
use crate::model::{ResourceKey, TaskId};
use crate::operation::Request;
use crate::tui::action::Action;
use crate::tui::comparison::{Entry, Found};
use crate::tui::keymap::Context;
use crate::tui::model::Model;
use crate::tui::widgets::cursor::Cursor;

/// What the screen opens with.
pub(crate) struct Opening {
    /// The sync whose changes are shown.
    pub(crate) request: Request,
    /// The resource to begin with.
    pub(crate) task: Option<TaskId>,
    pub(crate) marks: BTreeSet<ResourceKey>,
    /// A dialog waits below and comes back when the screen closes.
    pub(crate) has_dialog: bool,
}

/// Who gets the keys that move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Focus {
    List,
    Text,
}

/// What is known of the size of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    /// Nobody has looked yet.
    Unknown,
    /// Too large to be counted before it is opened.
    Large,
    Lines(Size),
}

/// What the rows of the page were made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Laid {
    shape: Shape,
    width: usize,
    fields: bool,
    same: bool,
}

/// The diff screen.
pub(crate) struct DiffView {
    request: Request,
    has_dialog: bool,
    list: Cursor,
    chosen: Option<TaskId>,
    focus: Focus,
    marks: BTreeSet<ResourceKey>,
    /// Ignored differences and what stays the same are shown too.
    lists_same: bool,
    /// Owners of fields are listed.
    lists_fields: bool,
    /// As a person wants it; `None`: as the width says.
    wanted: Option<Shape>,
    shape: Shape,
    page: Page,
    /// The entry of the page, and what its rows were made for.
    of: Option<usize>,
    laid: Option<Laid>,
    unfolds: bool,
    scroll: Scroll,
    sizes: Vec<Measure>,
    needle: Needle,
    hits: Vec<usize>,
    hit: Option<usize>,
    /// Version of the answer that all this is about.
    seen: Option<u64>,
    area: Rect,
}

impl DiffView {
    /// Opens the screen, and asks for the comparison.
    pub(crate) fn new(opening: Opening, out: &mut Outbox) -> Self {
        out.ask(Ask::Diff { request: opening.request.clone() });
        Self {
            request: opening.request,
            has_dialog: opening.has_dialog,
            list: Cursor::default(),
            chosen: opening.task,
            focus: Focus::List,
            marks: opening.marks,
            lists_same: false,
            lists_fields: false,
            wanted: None,
            shape: Shape::Unified,
            page: Page::default(),
            of: None,
            laid: None,
            unfolds: false,
            scroll: Scroll::default(),
            sizes: Vec::new(),
            needle: Needle::default(),
            hits: Vec::new(),
            hit: None,
            seen: None,
            area: Rect::default(),
        }
    }

    /// The answer, if it is about this request.
    fn found<'a>(&self, model: &'a Model) -> Option<&'a Found> {
        model.comparison.found().filter(|found| found.request == self.request)
    }

    fn len(&self, found: &Found) -> usize {
        if self.lists_same { found.entries.len() } else { found.different }
    }

    fn entry<'a>(&self, found: &'a Found) -> Option<&'a Entry> {
        found.entries[..self.len(found)].get(self.list.selected)
    }

    fn panes(&self, model: &Model, area: Rect) -> Panes {
        layout::panes(area, self.looks(model))
    }

    fn looks(&self, model: &Model) -> Wanted {
        Wanted { header: model.header, shape: self.wanted }
    }

    /// Keys move in the list only where there is one.
    fn moves_in_list(&self, panes: &Panes) -> bool {
        self.focus == Focus::List && !panes.list.is_empty()
    }

    /// Brings page and rows up to date with the answer and with what is chosen.
    fn refresh(&mut self, model: &Model) {
        let Some(found) = self.found(model) else {
            (self.page, self.of, self.laid, self.seen) = (Page::default(), None, None, None);
            return self.scroll.settle(0, 0);
        };
        if self.seen != Some(model.comparison.version()) {
            self.seen = Some(model.comparison.version());
            self.sizes = vec![Measure::Unknown; found.entries.len()];
            self.of = None;
            self.find_again(found);
        }
        let len = self.len(found);
        self.list.select(self.list.selected, len);
        let panes = self.panes(model, self.area);
        self.list.keep_visible(usize::from(panes.list.height), len);
        if len > 0 && self.of != Some(self.list.selected) {
            self.turn_to(found, self.list.selected);
        }
        self.lay(model, found, &panes);
        self.scroll.settle(self.page.rows.len(), usize::from(panes.body.height));
        self.measure(found, usize::from(panes.list.height));
    }

    /// The same resource stays chosen when there is another answer.
    fn find_again(&mut self, found: &Found) {
        let wanted = self.chosen.as_ref();
        let at = wanted.and_then(|task| found.entries.iter().position(|entry| entry.task == *task));
        if let Some(at) = at.filter(|at| *at < self.len(found)) {
            self.list.select(at, found.entries.len());
        }
    }

    fn turn_to(&mut self, found: &Found, at: usize) {
        let Some(entry) = found.entries.get(at) else { return };
        let is_another = self.chosen.as_ref() != Some(&entry.task);
        let difference = found.planned.differences.get(&entry.task);
        self.page = difference.map(|difference| Page::new(difference)).unwrap_or_default();
        if self.unfolds {
            self.page.open_all();
        }
        if is_another {
            self.scroll.reset();
        }
        if let Some(size) = self.sizes.get_mut(at) {
            *size = Measure::Lines(self.page.size);
        }
        self.chosen = Some(entry.task.clone());
        (self.of, self.laid) = (Some(at), None);
        self.find_hits();
    }

    fn lay(&mut self, model: &Model, found: &Found, panes: &Panes) {
        let shape = layout::shape(self.area, self.looks(model));
        let laid = Laid { shape, width: usize::from(panes.body.width), fields: self.lists_fields, same: self.lists_same };
        self.shape = shape;
        let Some(entry) = self.entry(found).filter(|_| self.laid != Some(laid)) else { return };
        let subject = notes::Subject { found, entry, zone: &model.zone, width: laid.width, fields: laid.fields, ignored: laid.same };
        let (first, last) = (subject.first(), subject.last());
        let number = first.len();
        self.page.notes = first.into_iter().chain(last).collect();
        self.page.lay(shape, number);
        self.laid = Some(laid);
    }

    /// Counts the lines of what the list shows.
    fn measure(&mut self, found: &Found, height: usize) {
        for at in self.list.visible(height, self.len(found)) {
            let (Some(entry), Some(size @ Measure::Unknown)) = (found.entries.get(at), self.sizes.get_mut(at)) else { continue };
            let difference = found.planned.differences.get(&entry.task);
            *size = difference.and_then(|difference| Size::of(difference)).map_or(Measure::Large, Measure::Lines);
        }
    }

    fn step(&mut self, action: Action, height: usize, len: usize) {
        match action {
            Action::Up | Action::DiffPrevious => self.list.move_by(-1, len),
            Action::Down | Action::DiffNext => self.list.move_by(1, len),
            Action::Top => self.list.home(),
            Action::Bottom => self.list.end(height, len),
            Action::PageUp => self.list.page(-1, height, len),
            Action::PageDown => self.list.page(1, height, len),
            _ => {}
        }
    }

    /// Moves in the list or in the text. Returns whether the verb was one that moves.
    fn go(&mut self, action: Action, model: &Model) -> bool {
        let panes = self.panes(model, self.area);
        let len = self.found(model).map_or(0, |found| self.len(found));
        let in_list = self.moves_in_list(&panes) && !matches!(action, Action::Left | Action::Right);
        match action {
            Action::DiffNext | Action::DiffPrevious => self.step(action, usize::from(panes.list.height), len),
            Action::Up | Action::Down | Action::Top | Action::Bottom | Action::PageUp | Action::PageDown if in_list => {
                self.step(action, usize::from(panes.list.height), len);
            }
            Action::NextPane | Action::PreviousPane | Action::Open => {
                self.focus = if self.focus == Focus::List { Focus::Text } else { Focus::List };
            }
            _ => return self.scroll.go(action),
        }
        true
    }

    fn turn_sides(&mut self, out: &mut Outbox) {
        if self.area.width < layout::WITH_LIST {
            return out.say(Notice::plain(format!("both sides need {} columns", layout::WITH_LIST)));
        }
        self.wanted = Some(if self.shape == Shape::Sides { Shape::Unified } else { Shape::Sides });
    }

    fn fold(&mut self, model: &Model, out: &mut Outbox) {
        let Some(line) = self.page.turn(self.scroll.visible()) else {
            return out.say(Notice::plain("there is no fold on the screen"));
        };
        self.show_line(line, model);
    }

    fn fold_all(&mut self, model: &Model) {
        let seen = self.page.rows.get(self.scroll.visible()).unwrap_or_default().iter().find_map(|row| row.line());
        self.unfolds = self.page.turn_all();
        match seen {
            Some(line) => self.show_line(line, model),
            None => self.laid = None,
        }
    }

    /// Makes the rows anew and scrolls to a line of the text.
    fn show_line(&mut self, line: usize, model: &Model) {
        self.laid = None;
        self.refresh(model);
        if let Some(row) = self.page.row_of(line) {
            self.scroll.reveal(row);
        }
    }

    fn look(&mut self, action: Action, model: &Model, out: &mut Outbox) -> Outcome {
        match action {
            Action::DiffSides => self.turn_sides(out),
            Action::Fold => self.fold(model, out),
            Action::FoldAll => self.fold_all(model),
            Action::DiffFields => self.lists_fields = !self.lists_fields,
            Action::DiffSame => self.lists_same = !self.lists_same,
            Action::Refresh => out.ask(Ask::Diff { request: self.request.clone() }),
            Action::Filter => out.wish(Wish::Search),
            Action::FindNext => self.next_hit(true, model, out),
            Action::FindPrevious => self.next_hit(false, model, out),
            Action::Back if !self.needle.is_empty() => self.search("", model),
            _ => return Outcome::Ignored,
        }
        Outcome::Consumed
    }
}

impl View for DiffView {
    fn context(&self) -> Context {
        Context::Diff
    }

    fn update(&mut self, action: Action, model: &Model, out: &mut Outbox) -> Outcome {
        // Several keys may come between two frames.
        self.refresh(model);
        if self.go(action, model) || self.look(action, model, out) == Outcome::Consumed {
            return Outcome::Consumed;
        }
        self.choose(action, model, out)
    }

    fn search(&mut self, text: &str, model: &Model) {
        self.needle = Needle::new(text);
        self.find_hits();
        if let Some(hit) = self.hits.first() {
            self.go_to_hit(*hit, model);
        }
    }

    fn search_text(&self) -> &str {
        self.needle.text()
    }

    fn settle(&mut self, model: &Model, area: Rect, _out: &mut Outbox) {
        self.area = area;
        self.refresh(model);
    }

    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        self.draw_all(model, &self.panes(model, area), buffer);
    }

    fn verbs(&self) -> &'static [Action] {
        &[
            Action::DiffPrevious,
            Action::Fold,
            Action::Mark,
            Action::Sync,
            Action::Back,
            Action::Help,
            Action::DiffSame,
            Action::DiffFields,
            Action::DiffSides,
            Action::NextPane,
            Action::Filter,
            Action::Refresh,
            Action::Yaml,
            Action::Copy,
        ]
    }

    fn title(&self) -> &'static str {
        "diff"
    }

    fn ticks(&self, model: &Model) -> bool {
        model.comparison.asked().is_some()
    }
}
