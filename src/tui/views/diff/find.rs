//! Searching in all resources of the comparison: while the text is typed, and from match to match. What is found opens the fold that hides
//! it. The lines are looked through beside the frames; where the person is then is decided when the answer comes.

use std::sync::Arc;

use super::words::Said;
use super::work::{Hits, Job, Ticket, Work};
use super::{DiffView, layout};
use crate::tui::comparison::Found;
use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::views::logs::find::Needle;
use crate::tui::views::{Notice, Outbox};

/// A line of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) entry: usize,
    pub(super) line: usize,
}

/// What is searched for, and what has been found.
#[derive(Debug, Default)]
pub(super) struct Search {
    pub(super) needle: Needle,
    ticket: Ticket,
    /// `None`: it is still looked for.
    hits: Option<Arc<Hits>>,
    pub(super) here: Option<Spot>,
    /// Where the person was before it was typed, and how far the text was scrolled.
    origin: Option<(Spot, usize)>,
    /// The first match is gone to as soon as it is known.
    seeks: bool,
}

impl Search {
    /// Returns how many lines of a resource have it.
    pub(super) fn count(&self, entry: usize) -> usize {
        self.hits.as_ref().map_or(0, |hits| hits.lines(entry).len())
    }

    /// Gives up what is being looked for.
    pub(super) fn give_up(&self) {
        self.ticket.give_up();
    }
}

impl DiffView {
    /// Takes the text while it is typed; an empty one goes back to where it began.
    pub(super) fn seek(&mut self, text: &str, model: &Model) {
        let spot = Spot { entry: self.list.selected, line: self.top_line() };
        let origin = *self.search.origin.get_or_insert((spot, self.scroll.visible().start));
        self.search.needle = Needle::new(text);
        self.search.seeks = !text.is_empty();
        if text.is_empty() {
            self.end_search();
            let len = self.found(model).map_or(0, |found| self.len(found));
            self.list.select(origin.0.entry, len);
            self.refresh(model);
            self.scroll.place(origin.1);
        } else if let Some(found) = self.found(model) {
            self.look_for(found);
        }
    }

    /// The search is typed to its end.
    pub(super) fn settle_search(&mut self) {
        self.search.origin = None;
    }

    pub(super) fn end_search(&mut self) {
        self.search.give_up();
        self.search = Search::default();
    }

    /// Looks for it in all resources, beside the frames.
    pub(super) fn look_for(&mut self, found: &Found) {
        self.search.give_up();
        let ticket = Ticket::default();
        (self.search.ticket, self.search.hits, self.search.here) = (ticket.clone(), None, None);
        let (needle, planned, entries) = (self.search.needle.clone(), found.planned.clone(), found.entries.clone());
        self.jobs.push(Job { ticket, work: Work::Search { needle, planned, entries } });
    }

    /// Takes what was found.
    pub(super) fn take_hits(&mut self, (ticket, hits): (&Ticket, &Arc<Hits>), model: &Model) {
        if !self.search.ticket.is(ticket) {
            return;
        }
        self.search.hits = Some(hits.clone());
        let Some(found) = self.found(model).filter(|_| std::mem::take(&mut self.search.seeks)) else { return };
        let len = self.len(found);
        let (from, _) = self.search.origin.unwrap_or((Spot { entry: self.list.selected, line: self.top_line() }, 0));
        if let Some(spot) = self.first_from(from, len) {
            self.go_to_spot(spot, model);
        }
    }

    fn top_line(&self) -> usize {
        self.page.seen(self.scroll.visible()).find_map(|(row, _)| row.line()).unwrap_or_default()
    }

    /// Returns the first match from a line on; if there is none below it in its resource, the first one there.
    fn first_from(&self, from: Spot, len: usize) -> Option<Spot> {
        let hits = self.search.hits.as_ref()?;
        let lines = hits.lines(from.entry);
        let entry = if lines.is_empty() || from.entry >= len {
            hits.beside(from.entry, len, true).or_else(|| hits.end(len, true))?
        } else {
            from.entry
        };
        let lines = hits.lines(entry);
        let below = if entry == from.entry { lines.partition_point(|line| *line < from.line) } else { 0 };
        lines.get(below).or(lines.first()).map(|line| Spot { entry, line: *line })
    }

    /// Goes to the next or the previous line that has it, through all resources, round and round.
    pub(super) fn next_hit(&mut self, forward: bool, model: &Model, out: &mut Outbox) {
        if self.search.needle.is_empty() {
            return out.say(Notice::plain("nothing to find yet: press / and type"));
        }
        let (Some(hits), Some(found)) = (&self.search.hits, self.found(model)) else {
            return out.say(Notice::plain("still looking"));
        };
        let (entry, len) = (self.list.selected, self.len(found));
        let lines = hits.lines(entry);
        let index = match (self.search.here.filter(|here| here.entry == entry), forward) {
            (None, true) => Some(0),
            (None, false) => lines.len().checked_sub(1),
            (Some(here), true) => Some(lines.partition_point(|line| *line <= here.line)),
            (Some(here), false) => lines.partition_point(|line| *line < here.line).checked_sub(1),
        };
        let near = index.and_then(|index| lines.get(index)).map(|line| Spot { entry, line: *line });
        let end = |entry: usize| {
            let lines = hits.lines(entry);
            let line = if forward { lines.first() } else { lines.last() };
            line.map(|line| Spot { entry, line: *line })
        };
        let beside = near.or_else(|| hits.beside(entry, len, forward).and_then(end));
        let Some(spot) = beside.or_else(|| hits.end(len, forward).and_then(end)) else {
            return out.say(Notice::plain(format!("no line has `{}`", self.search.needle.text())));
        };
        if beside.is_none() {
            out.say(Notice::plain(if forward { "the search went on from the top" } else { "the search went on from the bottom" }));
        }
        self.go_to_spot(spot, model);
    }

    fn go_to_spot(&mut self, spot: Spot, model: &Model) {
        self.list.selected = spot.entry;
        self.search.here = Some(spot);
        self.refresh(model);
        self.show_hit(model);
    }

    /// Shows the line that was gone to, as soon as the lines of its resource are there.
    pub(super) fn show_hit(&mut self, model: &Model) {
        let Some(Spot { line, .. }) = self.search.here.filter(|here| self.of == Some(here.entry)) else { return };
        if self.page.script.texts.get(line).is_none() {
            return;
        }
        self.page.uncover(line);
        self.show_line(line, model);
        if let Some(wrapping) = &mut self.wrapping {
            wrapping.shows_hit = true;
            return;
        }
        let Some(text) = self.page.script.texts.get(line) else { return };
        let Some(found) = self.search.needle.find(&text.text, 0) else { return };
        if self.page.is_wrapped() {
            let row = self.page.row_of(line).unwrap_or_default() + self.page.part_of(line, found.start);
            return self.scroll.reveal(row);
        }
        let columns = text.ruler.column_of(&text.text, found.start)..text.ruler.column_of(&text.text, found.end);
        self.scroll.show_columns(columns, layout::columns(self.panes(model, self.area).body, self.shape));
    }

    /// Returns whether a line of the chosen resource is the match that was gone to.
    pub(super) fn is_here(&self, line: usize) -> bool {
        self.search.here.is_some_and(|here| self.of == Some(here.entry) && here.line == line)
    }

    /// Returns how far the search has come: `/timeout  3/17 · resource 2 of 5`.
    pub(super) fn search_words(&self, found: &Found) -> Option<Said> {
        let needle = self.search.needle.text();
        if needle.is_empty() {
            return None;
        }
        let Some(hits) = &self.search.hits else { return Some((format!("● looking for `{needle}`"), Role::Running)) };
        let (all, resources) = hits.before(self.len(found));
        if all == 0 {
            let more = if self.lists_same { "" } else { " · i lists what stays the same, too" };
            return Some((format!("no line has `{needle}`{more}"), Role::Warn));
        }
        let place = self.search.here.filter(|here| here.entry == self.list.selected && here.entry < self.len(found)).map(|here| {
            let (lines, before) = (hits.lines(here.entry), hits.before(here.entry));
            let number = before.0 + lines.partition_point(|line| *line < here.line) + 1;
            format!("{number}/{all} · resource {} of {resources}", before.1 + 1)
        });
        let place = place.unwrap_or_else(|| format!("{all} lines in {resources} resource{}", if resources == 1 { "" } else { "s" }));
        Some((format!("/{needle}  {place} · n N go on · esc ends"), Role::Marked))
    }
}
