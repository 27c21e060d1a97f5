//! A line of input: for a filter, a search, a command, a name that confirms a danger. Owns the text, the place in it and the texts entered
//! before; what the text means is the caller's business.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::tui::clean;

/// How many entered texts are remembered.
const REMEMBERED: usize = 100;

/// A one-line editor.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prompt {
    text: String,
    /// Byte offset into the text, always between two characters.
    at: usize,
    history: Vec<String>,
    /// The remembered text that is shown, and what was typed before it.
    recalled: Option<(usize, String)>,
}

/// What a key did to a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PromptOutcome {
    /// The key is not the prompt's.
    Ignored,
    /// The place changed, at most.
    Moved,
    /// The text changed.
    Changed,
    /// Enter.
    Submitted,
    /// Escape.
    Cancelled,
}

/// The looks of a prompt.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PromptStyles {
    pub(crate) label: Style,
    pub(crate) text: Style,
    /// The cell in which the next character goes.
    pub(crate) cursor: Style,
}

impl Prompt {
    /// Returns the text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Replaces the text and goes to its end.
    pub(crate) fn set(&mut self, text: &str) {
        self.text.clear();
        self.at = 0;
        self.recalled = None;
        self.insert(text);
    }

    /// Inserts what was typed or pasted; line breaks and tabs become spaces, and what cannot be seen becomes visible.
    pub(crate) fn insert(&mut self, pasted: &str) {
        let spaced = pasted.trim_end_matches(['\r', '\n']).replace("\r\n", " ").replace(['\n', '\r', '\t'], " ");
        let text = clean::text(&spaced);
        self.text.insert_str(self.at, &text);
        self.at += text.len();
    }

    /// Remembers the text for the arrow keys, and empties the prompt. Returns the text.
    pub(crate) fn accept(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        self.at = 0;
        self.recalled = None;
        if !text.is_empty() && self.history.last() != Some(&text) {
            self.history.push(text.clone());
            if self.history.len() > REMEMBERED {
                self.history.remove(0);
            }
        }
        text
    }

    /// Lets a key edit the text.
    pub(crate) fn key(&mut self, key: KeyEvent) -> PromptOutcome {
        if key.kind == KeyEventKind::Release {
            return PromptOutcome::Ignored;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => PromptOutcome::Submitted,
            KeyCode::Esc => PromptOutcome::Cancelled,
            KeyCode::Char(letter) if control => self.control(letter),
            KeyCode::Char(letter) if !key.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER) => {
                self.insert(letter.encode_utf8(&mut [0; 4]));
                PromptOutcome::Changed
            }
            KeyCode::Backspace => self.remove(self.before(self.at)..self.at),
            KeyCode::Delete => self.remove(self.at..self.after(self.at)),
            KeyCode::Left => self.go(self.before(self.at)),
            KeyCode::Right => self.go(self.after(self.at)),
            KeyCode::Home => self.go(0),
            KeyCode::End => self.go(self.text.len()),
            KeyCode::Up => self.recall(-1),
            KeyCode::Down => self.recall(1),
            _ => PromptOutcome::Ignored,
        }
    }

    fn control(&mut self, letter: char) -> PromptOutcome {
        match letter {
            'u' => self.remove(0..self.at),
            'k' => self.remove(self.at..self.text.len()),
            'w' => {
                let kept = self.text[..self.at].trim_end();
                let start = kept.rfind(' ').map_or(0, |space| space + 1);
                self.remove(start..self.at)
            }
            'h' => self.remove(self.before(self.at)..self.at),
            'a' => self.go(0),
            'e' => self.go(self.text.len()),
            _ => PromptOutcome::Ignored,
        }
    }

    fn remove(&mut self, range: std::ops::Range<usize>) -> PromptOutcome {
        if range.is_empty() {
            return PromptOutcome::Moved;
        }
        self.at = range.start;
        self.text.replace_range(range, "");
        PromptOutcome::Changed
    }

    fn go(&mut self, at: usize) -> PromptOutcome {
        self.at = at;
        PromptOutcome::Moved
    }

    fn before(&self, at: usize) -> usize {
        self.text[..at].char_indices().next_back().map_or(0, |(start, _)| start)
    }

    fn after(&self, at: usize) -> usize {
        self.text[at..].chars().next().map_or(at, |next| at + next.len_utf8())
    }

    fn recall(&mut self, step: isize) -> PromptOutcome {
        let (place, typed) = self.recalled.take().unwrap_or_else(|| (self.history.len(), self.text.clone()));
        let place = place.saturating_add_signed(step).min(self.history.len());
        let text = self.history.get(place).cloned().unwrap_or_else(|| typed.clone());
        let changed = text != self.text;
        self.at = text.len();
        self.text = text;
        self.recalled = (place < self.history.len()).then_some((place, typed));
        if changed { PromptOutcome::Changed } else { PromptOutcome::Moved }
    }

    /// Returns the prompt as it looks in `width` columns: the label, and as much of the text as fits around the place in it.
    pub(crate) fn line<'a>(&'a self, label: &'a str, width: usize, styles: PromptStyles) -> Line<'a> {
        let label = clean::head(label, width);
        let room = width - clean::columns(label);
        let shown = self.shown_from(room);
        let (before, rest) = (&self.text[shown..self.at], &self.text[self.at..]);
        let cell = clean::head(rest, 2);
        let cell = cell.char_indices().nth(1).map_or(cell, |(end, _)| &cell[..end]);
        let after = clean::head(&rest[cell.len()..], room.saturating_sub(clean::columns(before) + clean::columns(cell)));
        Line::from(vec![
            Span::styled(label, styles.label),
            Span::styled(before, styles.text),
            Span::styled(if cell.is_empty() { " " } else { cell }, styles.cursor),
            Span::styled(after, styles.text),
        ])
    }

    /// Leaves out the start of a text that is too long, so that its cursor stays in sight.
    fn shown_from(&self, room: usize) -> usize {
        let before = &self.text[..self.at];
        let hidden = (clean::columns(before) + 2).saturating_sub(room.max(2));
        if hidden == 0 { 0 } else { before.len() - clean::tail(before, hidden).0.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(prompt: &mut Prompt, code: KeyCode) -> PromptOutcome {
        prompt.key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn control(prompt: &mut Prompt, letter: char) -> PromptOutcome {
        prompt.key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL))
    }

    fn typed(text: &str) -> Prompt {
        let mut prompt = Prompt::default();
        for letter in text.chars() {
            press(&mut prompt, KeyCode::Char(letter));
        }
        prompt
    }

    fn shown(prompt: &Prompt, width: usize) -> String {
        prompt.line("/", width, PromptStyles::default()).to_string()
    }

    #[test]
    fn keys_edit_where_the_cursor_is() {
        let mut prompt = typed("db pool");
        press(&mut prompt, KeyCode::Left);
        press(&mut prompt, KeyCode::Backspace);
        assert_eq!(prompt.text(), "db pol");
        press(&mut prompt, KeyCode::Home);
        press(&mut prompt, KeyCode::Delete);
        press(&mut prompt, KeyCode::Char('D'));
        assert_eq!(prompt.text(), "Db pol");
        assert_eq!(press(&mut prompt, KeyCode::Enter), PromptOutcome::Submitted);
        assert_eq!(press(&mut prompt, KeyCode::Esc), PromptOutcome::Cancelled);
    }

    #[test]
    fn ctrl_w_removes_a_word_and_ctrl_u_the_rest() {
        let mut prompt = typed("sync --prune now ");
        assert_eq!(control(&mut prompt, 'w'), PromptOutcome::Changed);
        assert_eq!(prompt.text(), "sync --prune ");
        control(&mut prompt, 'w');
        assert_eq!(prompt.text(), "sync ");
        control(&mut prompt, 'u');
        assert_eq!(prompt.text(), "");
        assert_eq!(control(&mut prompt, 'u'), PromptOutcome::Moved);
        assert_eq!(control(&mut prompt, 'x'), PromptOutcome::Ignored);
    }

    #[test]
    fn what_is_pasted_becomes_one_harmless_line() {
        let mut prompt = typed("a");
        prompt.insert("two\r\nlines\u{1b}[2J\n");
        assert_eq!(prompt.text(), "atwo lines␛[2J");
    }

    #[test]
    fn entered_texts_come_back_with_the_arrow_keys() {
        let mut prompt = typed("first");
        assert_eq!(prompt.accept(), "first");
        prompt.set("second");
        prompt.accept();
        prompt.set("thi");
        press(&mut prompt, KeyCode::Up);
        press(&mut prompt, KeyCode::Up);
        press(&mut prompt, KeyCode::Up);
        assert_eq!(prompt.text(), "first");
        press(&mut prompt, KeyCode::Down);
        assert_eq!(prompt.text(), "second");
        press(&mut prompt, KeyCode::Down);
        assert_eq!(prompt.text(), "thi");
    }

    #[test]
    fn a_long_text_is_shown_around_its_cursor() {
        let mut prompt = typed("0123456789");
        assert_eq!(shown(&prompt, 20), "/0123456789 ");
        assert_eq!(shown(&prompt, 6), "/789 ");
        press(&mut prompt, KeyCode::Home);
        assert_eq!(shown(&prompt, 6), "/01234");
        for width in 0..6 {
            for _ in 0..12 {
                assert!(shown(&prompt, width).len() <= width.max(2) + 2);
                press(&mut prompt, KeyCode::Right);
            }
            press(&mut prompt, KeyCode::Home);
        }
    }

    #[test]
    fn a_released_key_does_nothing() {
        let mut prompt = typed("a");
        let key = KeyEvent::new_with_kind(KeyCode::Char('b'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(prompt.key(key), PromptOutcome::Ignored);
        assert_eq!(prompt.text(), "a");
    }
}
