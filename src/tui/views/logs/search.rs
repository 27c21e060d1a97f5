//! Searching in a log: while it is typed, and from match to match.

use crossterm::event::KeyEvent;

use crate::tui::clean;
use crate::tui::log_store::LogStore;
use crate::tui::widgets::prompt::PromptOutcome;

use super::find::Needle;
use super::rows::Anchor;
use super::{Follow, LogsContext, LogsOutcome, LogsView, Shown};

/// A search being typed, and what to return to if it is given up.
#[derive(Debug)]
pub(super) struct Typing {
    needle: Needle,
    cursor: Option<Anchor>,
    follow: Follow,
}

impl LogsView {
    pub(super) fn start_typing(&mut self) {
        let cursor = self.rows.anchor(self.cursor.selected);
        self.typing = Some(Typing { needle: self.choice.needle.clone(), cursor, follow: self.follow });
        self.prompt.set("");
    }

    pub(super) fn type_key(&mut self, key: KeyEvent, store: &LogStore, context: &LogsContext<'_>) -> LogsOutcome {
        match self.prompt.key(key) {
            PromptOutcome::Ignored => return LogsOutcome::Ignored,
            PromptOutcome::Moved => {}
            PromptOutcome::Changed => self.look_for_typed(store, context),
            PromptOutcome::Submitted => {
                self.prompt.accept();
                self.typing = None;
            }
            PromptOutcome::Cancelled => self.give_up(),
        }
        LogsOutcome::Changed
    }

    fn give_up(&mut self) {
        let Some(typing) = self.typing.take() else { return };
        self.choice.needle = typing.needle;
        self.follow = typing.follow;
        if let Some(anchor) = typing.cursor {
            self.cursor.selected = self.rows.row_at(anchor);
        }
    }

    /// Goes to the first line from where the search began that has what was typed so far.
    pub(super) fn look_for_typed(&mut self, store: &LogStore, context: &LogsContext<'_>) {
        self.choice.needle = Needle::new(self.prompt.text());
        let Some(log) = store.log(&self.operation, &self.task) else { return };
        self.renew(log, context);
        let from = self.typing.as_ref().and_then(|typing| typing.cursor).map(|anchor| self.rows.row_at(anchor));
        if let Some(row) = from {
            self.cursor.selected = row;
        }
        let shown = Shown { log: Some(log), context };
        let hits = self.rows.hits();
        let here = self.current().unwrap_or_default();
        let index = hits.partition_point(|number| *number < here);
        if let Some(number) = hits.get(index).or_else(|| hits.back()).copied() {
            self.go_to(number, &shown);
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
