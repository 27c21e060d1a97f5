//! Searching in a log: while the text is typed, and from match to match.

use crate::tui::clean;
use crate::tui::log_store::LogStore;

use super::find::Needle;
use super::rows::Anchor;
use super::{Follow, LogsContext, LogsOutcome, LogsView, Shown};

/// What to return to if a search is given up while it is typed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    place: Option<Anchor>,
    follow: Follow,
}

impl LogsView {
    /// Returns what is searched for.
    pub(crate) fn search_text(&self) -> &str {
        self.choice.needle.text()
    }

    /// Takes the text of a search while it is typed, and goes to the first line from where it began that has it. An empty text ends the
    /// search and returns to that place.
    pub(crate) fn search(&mut self, text: &str, store: &LogStore, context: &LogsContext<'_>) {
        let here = Origin { place: self.rows.anchor(self.cursor.selected), follow: self.follow };
        let origin = *self.origin.get_or_insert(here);
        self.choice.needle = Needle::new(text);
        self.only_matches &= !text.is_empty();
        self.follow = origin.follow;
        self.settle(store, context, self.area);
        if let Some(place) = origin.place {
            self.cursor.selected = self.rows.row_at(place);
        }
        if text.is_empty() {
            self.origin = None;
        } else {
            self.go_to_first(&Shown { log: store.log(&self.operation, &self.task), context });
        }
        self.settle(store, context, self.area);
    }

    /// Goes to the first match from here on, else to the last one before.
    fn go_to_first(&mut self, shown: &Shown<'_>) {
        let hits = self.rows.hits();
        let here = self.current().unwrap_or_default();
        let index = hits.partition_point(|number| *number < here);
        if let Some(number) = hits.get(index).or_else(|| hits.back()).copied() {
            self.go_to(number, shown);
        }
    }

    pub(super) fn next_hit(&mut self, shown: &Shown<'_>) -> LogsOutcome {
        let hits = self.rows.hits();
        let here = self.current();
        let index = here.map_or(0, |here| hits.partition_point(|number| *number <= here));
        let (found, wrapped) = (hits.get(index).or_else(|| hits.front()).copied(), index >= hits.len());
        self.arrive(found, wrapped.then_some("the search went on from the top"), shown)
    }

    pub(super) fn previous_hit(&mut self, shown: &Shown<'_>) -> LogsOutcome {
        let hits = self.rows.hits();
        let index = self.current().map_or(0, |here| hits.partition_point(|number| *number < here));
        let (found, wrapped) = (index.checked_sub(1).and_then(|index| hits.get(index)).or_else(|| hits.back()).copied(), index == 0);
        self.arrive(found, wrapped.then_some("the search went on from the bottom"), shown)
    }

    fn arrive(&mut self, found: Option<u64>, note: Option<&str>, shown: &Shown<'_>) -> LogsOutcome {
        if self.needle().is_empty() {
            return LogsOutcome::Flash("nothing to find yet: press / and type".to_owned());
        }
        let Some(number) = found else { return LogsOutcome::Flash(format!("no line has `{}`", self.needle().text())) };
        self.go_to(number, shown);
        note.map_or(LogsOutcome::Changed, |note| LogsOutcome::Flash(note.to_owned()))
    }

    /// Goes to the place of the needle in a line.
    fn go_to(&mut self, number: u64, shown: &Shown<'_>) {
        self.pause(shown);
        let row = self.rows.row_of(number);
        let text = shown.log.and_then(|log| log.line(number)).and_then(|line| line.text());
        let Some((text, found)) = text.and_then(|text| Some((text, self.needle().find(&text.text, 0)?))) else {
            self.cursor.selected = row;
            return;
        };
        let before = &text.text[..found.start];
        if self.wrap {
            let mut end = 0;
            let offset = clean::wrapped(&text.text, self.width).take_while(|part| {
                end += part.len();
                end <= before.len()
            });
            self.cursor.selected = row + offset.count();
        } else {
            self.cursor.selected = row;
            let (start, end) = (clean::columns(before), clean::columns(&text.text[..found.end]));
            if start < self.scroll || end > self.scroll + self.width {
                self.scroll = if end <= self.width { 0 } else { start.saturating_sub(self.width / 3) };
            }
        }
    }

    pub(super) fn toggle_only_matches(&mut self) -> LogsOutcome {
        if self.needle().is_empty() {
            return LogsOutcome::Flash("nothing to find yet: press / and type".to_owned());
        }
        self.only_matches = !self.only_matches;
        LogsOutcome::Changed
    }
}
