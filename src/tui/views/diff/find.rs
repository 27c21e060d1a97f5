//! Searching in the text of the chosen resource. What is found opens the fold that hides it.

use super::DiffView;
use super::page::Shape;
use super::paint::{GUTTER, SIGN};
use crate::tui::clean;
use crate::tui::model::Model;
use crate::tui::views::{Notice, Outbox};

impl DiffView {
    /// Finds the lines that have what is searched for.
    pub(super) fn find_hits(&mut self) {
        self.hit = None;
        self.hits.clear();
        if !self.needle.is_empty() {
            let lines = self.page.texts.iter().enumerate();
            self.hits.extend(lines.filter(|(_, line)| self.needle.is_in(&line.text)).map(|(at, _)| at));
        }
    }

    /// Goes to the next or the previous line that has it, round and round.
    pub(super) fn next_hit(&mut self, forward: bool, model: &Model, out: &mut Outbox) {
        if self.needle.is_empty() {
            return out.say(Notice::plain("nothing to find yet: press / and type"));
        }
        if self.hits.is_empty() {
            return out.say(Notice::plain(format!("no line of this resource has `{}`", self.needle.text())));
        }
        let index = match (self.hit, forward) {
            (None, _) => Some(0),
            (Some(here), true) => Some(self.hits.partition_point(|at| *at <= here)).filter(|index| *index < self.hits.len()),
            (Some(here), false) => self.hits.partition_point(|at| *at < here).checked_sub(1),
        };
        if index.is_none() {
            out.say(Notice::plain(if forward { "the search went on from the top" } else { "the search went on from the bottom" }));
        }
        let index = index.unwrap_or(if forward { 0 } else { self.hits.len() - 1 });
        self.go_to_hit(self.hits[index], model);
    }

    pub(super) fn go_to_hit(&mut self, line: usize, model: &Model) {
        self.hit = Some(line);
        self.page.uncover(line);
        self.show_line(line, model);
        let Some(text) = self.page.texts.get(line) else { return };
        let Some(found) = self.needle.find(&text.text, 0) else { return };
        let columns = clean::columns(&text.text[..found.start])..clean::columns(&text.text[..found.end]);
        let width = self.panes(model, self.area).body.width;
        let width = if self.shape == Shape::Sides { (width / 2).saturating_sub(GUTTER + 1) } else { width.saturating_sub(SIGN) };
        self.scroll.show_columns(columns, usize::from(width));
    }
}
