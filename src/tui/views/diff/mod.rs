//! The diff screen: for each resource what a sync would change in it, as one text or side by side, and from here the sync of what was
//! marked. Holds where a person looks: the chosen resource, folds, marks, what is searched for. What was compared is the model's.

mod choosing;
mod find;
mod layout;
mod list;
mod moving;
mod notes;
mod page;
mod paint;
mod ruler;
mod script;
#[cfg(test)]
mod tests;
mod words;
pub(crate) mod work;
mod wrapping;

use std::collections::BTreeSet;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::choosing::Outside;
use self::find::Search;
use self::layout::{Panes, Wanted};
use self::page::{Looks, Page, Shape};
use self::script::{LIGHT, Script, Size, is_light};
use self::work::{Done, Job, Product, Ticket, Work};
use self::wrapping::Wrapping;
use super::text::Scroll;
use super::{Outbox, Outcome, View, Wish};
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

/// What the rows of the page were made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Laid {
    looks: Looks,
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
    wraps: bool,
    page: Page,
    /// The entry of the page, and what its rows were made for.
    of: Option<usize>,
    laid: Option<Laid>,
    unfolds: bool,
    scroll: Scroll,
    /// How many lines come and go, as far as somebody has counted.
    sizes: Vec<Option<Size>>,
    search: Search,
    /// Work for which there was no time in a frame, and what of it is waited for.
    jobs: Vec<Job>,
    writing: Option<Ticket>,
    counting: Option<Ticket>,
    wrapping: Option<Wrapping>,
    outside: Outside,
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
            wraps: false,
            page: Page::default(),
            of: None,
            laid: None,
            unfolds: false,
            scroll: Scroll::default(),
            sizes: Vec::new(),
            search: Search::default(),
            jobs: Vec::new(),
            writing: None,
            counting: None,
            wrapping: None,
            outside: Outside::default(),
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
            self.sizes = vec![None; found.entries.len()];
            (self.of, self.counting) = (None, None);
            self.find_again(found);
            if !self.search.needle.is_empty() {
                self.look_for(found);
            }
        }
        let len = self.len(found);
        self.list.select(self.list.selected, len);
        let panes = self.panes(model, self.area);
        self.list.keep_visible(usize::from(panes.list.height), len);
        if len > 0 && self.of != Some(self.list.selected) {
            self.turn_to(found, self.list.selected);
        }
        self.lay(model, found, &panes);
        self.scroll.settle(self.page.height(), usize::from(panes.body.height));
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

    /// Turns to another resource. What is large is written beside the frames.
    fn turn_to(&mut self, found: &Found, at: usize) {
        let Some(entry) = found.entries.get(at) else { return };
        let is_another = self.chosen.as_ref() != Some(&entry.task);
        if is_another {
            self.scroll.reset();
        }
        self.chosen = Some(entry.task.clone());
        (self.of, self.laid) = (Some(at), None);
        if let Some(ticket) = self.writing.take() {
            ticket.give_up();
        }
        match found.planned.differences.get(&entry.task) {
            Some(difference) if is_light(difference, &mut { LIGHT }) => self.open(Arc::new(Script::new(difference))),
            Some(difference) => {
                let ticket = Ticket::default();
                self.writing = Some(ticket.clone());
                self.jobs.push(Job { ticket, work: Work::Script(difference.clone()) });
                self.page = Page::default();
            }
            None => self.page = Page::default(),
        }
    }

    /// Opens the lines of the chosen resource.
    fn open(&mut self, script: Arc<Script>) {
        if let Some(size) = self.of.and_then(|at| self.sizes.get_mut(at)) {
            *size = Some(script.size);
        }
        self.page = Page::new(script);
        self.give_up_wrapping();
        if self.unfolds {
            self.page.open_all();
        }
        self.laid = None;
    }

    /// Counts the lines of what the list shows: as many as a frame has time for at once, the others beside the frames.
    fn measure(&mut self, found: &Found, height: usize) {
        let (mut left, mut later) = (LIGHT, Vec::new());
        for at in self.list.visible(height, self.len(found)) {
            let (Some(entry), Some(size @ None)) = (found.entries.get(at), self.sizes.get_mut(at)) else { continue };
            let Some(difference) = found.planned.differences.get(&entry.task) else { continue };
            if is_light(difference, &mut left) {
                *size = Some(Size::of(difference));
            } else if self.counting.is_none() {
                later.push((at, difference.clone()));
            }
        }
        if !later.is_empty() {
            let ticket = Ticket::default();
            self.counting = Some(ticket.clone());
            self.jobs.push(Job { ticket, work: Work::Sizes(later) });
        }
    }

    fn take_sizes(&mut self, ticket: &Ticket, sizes: &[(usize, Size)]) {
        if !self.counting.as_ref().is_some_and(|counting| counting.is(ticket)) {
            return;
        }
        self.counting = None;
        for (at, counted) in sizes {
            if let Some(size) = self.sizes.get_mut(*at) {
                *size = Some(*counted);
            }
        }
    }

    /// Asks for the work that there was no time for.
    fn send(&mut self, out: &mut Outbox) {
        for job in self.jobs.drain(..) {
            out.wish(Wish::Work(job));
        }
    }

    fn look(&mut self, action: Action, model: &Model, out: &mut Outbox) -> Outcome {
        match action {
            Action::DiffSides => self.turn_sides(out),
            Action::Wrap => self.turn_wrap(model),
            Action::Fold => self.fold(model, out),
            Action::FoldAll => self.fold_all(model),
            Action::DiffFields => self.lists_fields = !self.lists_fields,
            Action::DiffSame => self.lists_same = !self.lists_same,
            Action::Refresh => out.ask(Ask::Diff { request: self.request.clone() }),
            Action::Filter => out.wish(Wish::Search),
            Action::FindNext => self.next_hit(true, model, out),
            Action::FindPrevious => self.next_hit(false, model, out),
            Action::Back if !self.search.needle.is_empty() => self.end_search(),
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
        self.settle_search();
        self.outside.give_up();
        // Several keys may come between two frames.
        self.refresh(model);
        let outcome = if self.go(action, model) || self.look(action, model, out) == Outcome::Consumed {
            Outcome::Consumed
        } else {
            self.choose(action, model, out)
        };
        self.send(out);
        outcome
    }

    fn search(&mut self, text: &str, model: &Model) {
        self.seek(text, model);
    }

    fn search_text(&self) -> &str {
        self.search.needle.text()
    }

    fn settle(&mut self, model: &Model, area: Rect, out: &mut Outbox) {
        self.area = area;
        self.refresh(model);
        self.show_ready(out);
        self.send(out);
    }

    fn done(&mut self, done: &Done, model: &Model) {
        let Done { ticket, product } = done;
        match product {
            Product::Script(script) if self.writing.as_ref().is_some_and(|writing| writing.is(ticket)) => {
                self.writing = None;
                self.open(script.clone());
                self.refresh(model);
                self.show_hit(model);
            }
            Product::Script(_) => {}
            Product::Breaks(breaks) => self.take_breaks((ticket, breaks), model),
            Product::Sizes(sizes) => self.take_sizes(ticket, sizes),
            Product::Hits(hits) => self.take_hits((ticket, hits), model),
            Product::Showing(showing) => self.take_showing(ticket, showing),
        }
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
            Action::Wrap,
            Action::Refresh,
            Action::Yaml,
            Action::Copy,
            Action::DiffViewer,
        ]
    }

    fn title(&self) -> &'static str {
        "diff"
    }

    fn ticks(&self, model: &Model) -> bool {
        model.comparison.asked().is_some()
    }
}

impl Drop for DiffView {
    fn drop(&mut self) {
        self.search.give_up();
        self.give_up_wrapping();
        self.outside.give_up();
        for ticket in self.writing.iter().chain(&self.counting) {
            ticket.give_up();
        }
    }
}
