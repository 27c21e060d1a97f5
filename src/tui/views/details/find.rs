//! A search in the open tab: what is searched for, which lines have it, and which of them it has come to. The lines of a running operation
//! change, and break elsewhere at another width: they are looked through again then, and the chosen one is kept.

use super::{DetailsView, Tab, yaml_of};
use crate::tui::clean;
use crate::tui::model::Model;
use crate::tui::row::{contains, find};
use crate::tui::views::text::{Sought, TextLine};
use crate::tui::views::{Notice, Outbox};

/// The search.
#[derive(Clone, Debug, Default)]
pub(super) struct Find {
    text: String,
    /// The lines that have it, in order.
    hits: Vec<usize>,
    /// Which of them it has come to.
    at: Option<usize>,
    /// What that line says; empty in YAML, whose lines stay where they are.
    words: String,
    /// Where the lines of YAML stand that have been looked through, and how many they are: they never change where they stand.
    yaml: Option<(usize, usize)>,
}

impl Find {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What the lines are drawn with.
    pub(super) fn sought(&self) -> Sought<'_> {
        Sought { hits: &self.hits, here: self.here() }
    }

    /// Returns the line that it has come to.
    pub(super) fn here(&self) -> Option<usize> {
        self.hits.get(self.at?).copied()
    }

    /// Goes to another text, with the same words.
    pub(super) fn leave(&mut self) {
        *self = Self { text: std::mem::take(&mut self.text), ..Self::default() };
    }

    /// Returns how far it has come: `/port  2/5`; `None` without a search.
    pub(super) fn notes(&self) -> Option<String> {
        let at = self.at.map_or(0, |at| at + 1);
        (!self.text.is_empty()).then(|| format!("/{}  {at}/{}", self.text, self.hits.len()))
    }

    fn look_through(&mut self, lines: &[TextLine]) {
        let has = |line: &TextLine| line.iter().any(|(text, _)| contains(text, &self.text));
        let hits: Vec<usize> = (0..lines.len()).filter(|at| has(&lines[*at])).collect();
        let same = self.here().and_then(|here| {
            let says_it = |at: &usize| words(&lines[hits[*at]]) == self.words;
            (0..hits.len()).filter(says_it).min_by_key(|at| hits[*at].abs_diff(here))
        });
        (self.yaml, self.hits) = (None, hits);
        self.at = same.or(self.at).map(|at| at.min(self.hits.len().saturating_sub(1))).filter(|_| !self.hits.is_empty());
    }

    fn look_through_yaml(&mut self, lines: &[String]) {
        let place = Some((lines.as_ptr().addr(), lines.len()));
        if self.yaml == place {
            return;
        }
        self.hits = (0..lines.len()).filter(|at| contains(&lines[*at], &self.text)).collect();
        self.yaml = place;
        self.at = self.at.map(|at| at.min(self.hits.len().saturating_sub(1))).filter(|_| !self.hits.is_empty());
    }
}

fn words(line: &TextLine) -> String {
    line.iter().map(|(text, _)| text.as_str()).collect()
}

impl DetailsView {
    /// Takes what is typed, and shows the first line from the top of the screen on that has it.
    pub(super) fn seek(&mut self, text: &str, model: &Model) {
        self.find = Find { text: text.to_owned(), ..Find::default() };
        self.find_again(model);
        let top = self.scroll.visible().start;
        let at = self.find.hits.partition_point(|line| *line < top);
        self.arrive(if at < self.find.hits.len() { at } else { 0 }, model);
    }

    /// Goes to the next or the previous line that has it, round and round.
    pub(super) fn find_next(&mut self, forward: bool, model: &Model, out: &mut Outbox) {
        if self.find.text.is_empty() {
            return out.say(Notice::plain("nothing to find yet: press / and type"));
        }
        self.find_again(model);
        let count = self.find.hits.len();
        if count == 0 {
            return out.say(Notice::plain(format!("no line has `{}`", self.find.text)));
        }
        let next = match (self.find.at, forward) {
            (None, true) => Some(0),
            (None, false) => Some(count - 1),
            (Some(at), true) => Some(at + 1).filter(|at| *at < count),
            (Some(at), false) => at.checked_sub(1),
        };
        if next.is_none() {
            out.say(Notice::plain(if forward { "the search went on from the top" } else { "the search went on from the bottom" }));
        }
        self.arrive(next.unwrap_or(if forward { 0 } else { count - 1 }), model);
    }

    /// Looks through the lines that may have changed, and keeps the chosen one.
    pub(super) fn find_again(&mut self, model: &Model) {
        if self.find.text.is_empty() {
            return;
        }
        match yaml_of(model, &self.task.key).filter(|_| self.tab == Tab::Yaml) {
            Some(lines) => self.find.look_through_yaml(lines),
            // They have been laid out anew for this frame.
            None => self.find.look_through(&self.lines),
        }
    }

    fn arrive(&mut self, at: usize, model: &Model) {
        self.find.at = Some(at).filter(|at| *at < self.find.hits.len());
        let Some(here) = self.find.here() else { return };
        self.scroll.reveal(here);
        let Some(line) = self.yaml(model).filter(|_| self.tab == Tab::Yaml).and_then(|lines| lines.get(here)) else {
            self.find.words = self.lines.get(here).map(words).unwrap_or_default();
            return;
        };
        // Only YAML is wider than the screen.
        let Some((before, rest)) = find(line, &self.find.text).and_then(|start| line.split_at_checked(start)) else { return };
        let start = clean::columns(before);
        let end = start + rest.get(..self.find.text.len()).map_or(0, clean::columns);
        self.scroll.show_columns(start..end, self.width);
    }
}
