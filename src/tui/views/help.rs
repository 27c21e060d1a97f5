//! The keys of the screen below, made from the keymap: it cannot promise a key that does nothing. What is not allowed now is grey, with
//! the reason at the end of its line if there is room.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::text::{Scroll, TextLine};
use super::{Outbox, Outcome, View, Wish};
use crate::operation::timeline::Stage;
use crate::tui::action::Action;
use crate::tui::clean;
use crate::tui::keymap::{Binding, Context};
use crate::tui::model::Model;
use crate::tui::paint::{self, Pen};
use crate::tui::theme::{Role, glyph, stage_role};

/// Columns of the keys.
const KEYS: usize = 12;
/// Narrowest column of the page.
const COLUMN: u16 = 39;

/// The help of a screen.
pub(crate) struct HelpView {
    context: Context,
    of: &'static str,
    find: String,
    scroll: Scroll,
    lines: Vec<TextLine>,
}

impl HelpView {
    /// Makes the help of the screen with these keys and this title.
    pub(crate) fn new(context: Context, of: &'static str) -> Self {
        Self { context, of, find: String::new(), scroll: Scroll::default(), lines: Vec::new() }
    }

    fn blocks(&self, model: &Model) -> Vec<Vec<TextLine>> {
        let mut sections: BTreeMap<usize, (&str, Vec<&Binding>)> = BTreeMap::new();
        for (at, binding) in model.keymap.of(self.context).enumerate() {
            if !self.is_found(binding) {
                continue;
            }
            let known = sections.iter().find(|(_, (name, _))| *name == binding.section).map(|(at, _)| *at);
            sections.entry(known.unwrap_or(at)).or_insert_with(|| (&binding.section, Vec::new())).1.push(binding);
        }
        let block = |(name, bindings): (&str, Vec<&Binding>)| {
            let mut lines = vec![vec![(name.to_uppercase(), Role::Strong)]];
            lines.extend(bindings.into_iter().map(|binding| line(model, binding)));
            lines
        };
        let mut blocks: Vec<_> = sections.into_values().map(block).collect();
        if self.find.is_empty() {
            blocks.push(legend());
        }
        blocks
    }

    fn is_found(&self, binding: &Binding) -> bool {
        let has = |text: &str| crate::tui::row::contains(text, &self.find);
        has(&binding.help) || has(&binding.section) || binding.keys.iter().any(|key| has(&key.to_string()))
    }
}

fn line(model: &Model, binding: &Binding) -> TextLine {
    let keys: Vec<String> = binding.keys.iter().map(ToString::to_string).collect();
    let allowed = model.may(binding.action);
    let (key, text) = if allowed.is_ok() { (Role::Key, Role::Text) } else { (Role::Dim, Role::Dim) };
    let keys = keys.join(" ");
    let pad = KEYS.saturating_sub(clean::columns(&keys)).max(1);
    vec![(format!("{keys}{}", " ".repeat(pad)), key), (binding.help.clone(), text)]
}

fn legend() -> Vec<TextLine> {
    let mut lines = vec![vec![("GLYPHS".to_owned(), Role::Strong)]];
    for (stage, words) in [
        (Stage::Waiting, "its turn has not come"),
        (Stage::Running, "running, not healthy yet"),
        (Stage::Done, "done"),
        (Stage::Failed, "failed"),
        (Stage::Skipped, "does not run"),
        (Stage::Armed, "armed: a SyncFail hook"),
    ] {
        lines.push(vec![(format!("{:<12}", glyph(stage)), stage_role(stage)), (words.to_owned(), Role::Text)]);
    }
    lines.push(vec![(format!("{:<12}", "◇"), Role::Dim), ("a hook".to_owned(), Role::Text)]);
    lines
}

/// Puts blocks into columns: each next block goes to the shortest column.
fn arrange(blocks: Vec<Vec<TextLine>>, width: u16) -> Vec<TextLine> {
    let count = usize::from((width / COLUMN).clamp(1, 4));
    let room = usize::from(width) / count;
    let mut columns: Vec<Vec<TextLine>> = vec![Vec::new(); count];
    for block in blocks {
        let Some(shortest) = columns.iter_mut().min_by_key(|column| column.len()) else { break };
        if !shortest.is_empty() {
            shortest.push(Vec::new());
        }
        shortest.extend(block);
    }
    let height = columns.iter().map(Vec::len).max().unwrap_or_default();
    (0..height)
        .map(|row| {
            let mut line = Vec::new();
            for (at, column) in columns.iter().enumerate() {
                let mut pieces = column.get(row).cloned().unwrap_or_default();
                if let [(keys, _), (text, _)] = &mut pieces[..] {
                    *text = clean::fit(text, room.saturating_sub(clean::columns(keys) + 1)).into_owned();
                }
                let taken: usize = pieces.iter().map(|(text, _)| clean::columns(text)).sum();
                line.extend(pieces);
                if at + 1 < count {
                    line.push((" ".repeat(room.saturating_sub(taken).max(1)), Role::Text));
                }
            }
            line
        })
        .collect()
}

impl View for HelpView {
    fn context(&self) -> Context {
        Context::General
    }

    fn update(&mut self, action: Action, _model: &Model, out: &mut Outbox) -> Outcome {
        if self.scroll.go(action) {
            return Outcome::Consumed;
        }
        match action {
            Action::Filter => out.wish(Wish::Search),
            Action::Back if !self.find.is_empty() => self.find.clear(),
            Action::Help | Action::Open => out.wish(Wish::Close),
            _ => return Outcome::Ignored,
        }
        Outcome::Consumed
    }

    fn search(&mut self, text: &str, _model: &Model) {
        text.clone_into(&mut self.find);
        self.scroll.reset();
    }

    fn search_text(&self) -> &str {
        &self.find
    }

    fn settle(&mut self, model: &Model, area: Rect, _out: &mut Outbox) {
        self.lines = arrange(self.blocks(model), area.width.saturating_sub(1));
        self.scroll.settle(self.lines.len(), usize::from(area.height.saturating_sub(2)));
    }

    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        let theme = model.theme;
        if let Some(mut pen) = Pen::row(buffer, area, 0) {
            pen.put(" help", theme.style(Role::Strong)).put(&format!(" · {} · ", self.of), theme.style(Role::Text));
            pen.fit("keys you can press here (grey: not allowed now)", theme.style(Role::Dim));
        }
        let rule = Rect { y: area.y + 1, height: area.height.saturating_sub(1).min(1), ..area };
        paint::rule(buffer, rule, theme, "", &self.scroll.notes());
        let body = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
        self.scroll.draw(model, &self.lines, body, buffer);
    }

    fn verbs(&self) -> &'static [Action] {
        &[Action::Filter, Action::Back]
    }

    fn title(&self) -> &'static str {
        "help"
    }

    fn ticks(&self, _model: &Model) -> bool {
        false
    }
}
