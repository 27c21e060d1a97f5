//! A search in the open tab: what is searched for, which line it has come to, and how far that is.

use super::{DetailsView, Tab};
use crate::tui::model::Model;
use crate::tui::row::contains;
use crate::tui::views::text::Sought;
use crate::tui::views::{Notice, Outbox};

/// The search.
#[derive(Clone, Debug, Default)]
pub(super) struct Find {
    text: String,
    /// The line it has come to.
    here: Option<usize>,
    /// Which match that is, and how many lines have one.
    place: Option<(usize, usize)>,
}

impl Find {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What the lines are drawn with.
    pub(super) fn sought(&self) -> Sought<'_> {
        Sought { text: &self.text, here: self.here }
    }

    /// Goes to another text, with the same words.
    pub(super) fn leave(&mut self) {
        (self.here, self.place) = (None, None);
    }

    /// Returns how far it has come: `/port  2/5`; `None` without a search.
    pub(super) fn notes(&self) -> Option<String> {
        if self.text.is_empty() {
            return None;
        }
        let place = self.place.map(|(at, all)| format!("  {at}/{all}")).unwrap_or_default();
        Some(format!("/{}{place}", self.text))
    }
}

impl DetailsView {
    /// Takes what is typed, and shows the first line from the top of the screen on that has it.
    pub(super) fn seek(&mut self, text: &str, model: &Model) {
        self.find = Find { text: text.to_owned(), ..Find::default() };
        let hits = self.hits(model);
        let top = self.scroll.visible().start;
        let at = hits.partition_point(|line| *line < top);
        self.arrive(&hits, if at < hits.len() { at } else { 0 });
    }

    /// Goes to the next or the previous line that has it, round and round.
    pub(super) fn find_next(&mut self, forward: bool, model: &Model, out: &mut Outbox) {
        if self.find.text.is_empty() {
            return out.say(Notice::plain("nothing to find yet: press / and type"));
        }
        let hits = self.hits(model);
        if hits.is_empty() {
            return out.say(Notice::plain(format!("no line has `{}`", self.find.text)));
        }
        let next = match (self.find.here, forward) {
            (None, true) => Some(0),
            (None, false) => Some(hits.len() - 1),
            (Some(here), true) => Some(hits.partition_point(|line| *line <= here)).filter(|at| *at < hits.len()),
            (Some(here), false) => hits.partition_point(|line| *line < here).checked_sub(1),
        };
        if next.is_none() {
            out.say(Notice::plain(if forward { "the search went on from the top" } else { "the search went on from the bottom" }));
        }
        self.arrive(&hits, next.unwrap_or(if forward { 0 } else { hits.len() - 1 }));
    }

    fn arrive(&mut self, hits: &[usize], at: usize) {
        self.find.here = hits.get(at).copied();
        self.find.place = Some((if hits.is_empty() { 0 } else { at + 1 }, hits.len()));
        if let Some(line) = self.find.here {
            self.scroll.reveal(line);
        }
    }

    /// Returns the lines of the open tab that have it.
    fn hits(&self, model: &Model) -> Vec<usize> {
        if self.find.text.is_empty() {
            return Vec::new();
        }
        match self.yaml(model).filter(|_| self.tab == Tab::Yaml) {
            Some(lines) => (0..lines.len()).filter(|at| contains(&lines[*at], &self.find.text)).collect(),
            None => (0..self.lines.len()).filter(|at| self.lines[*at].iter().any(|(text, _)| contains(text, &self.find.text))).collect(),
        }
    }
}
