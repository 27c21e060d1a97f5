//! The list of resources beside the text, and below it what the sync would do, wave for wave, where there is room.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::script::Size;
use super::{DiffView, Focus};
use crate::tui::comparison::{Entry, Found, Sort};
use crate::tui::dialogs::wrapped;
use crate::tui::model::Model;
use crate::tui::paint::{self, Pen};
use crate::tui::row::short_kind;
use crate::tui::theme::Role;

/// Columns of the last field: `prune OFF`.
const SIZE: u16 = 10;
/// Widest list in which kinds are shortened.
const SHORT: u16 = 45;
/// What each sign means.
const LEGEND: [(Sort, &str); 6] = [
    (Sort::Change, "change"),
    (Sort::Create, "create"),
    (Sort::Prune, "prune"),
    (Sort::Same, "same"),
    (Sort::Hook, "hook"),
    (Sort::Refused, "refused"),
];

/// Returns the role of a sort.
pub(super) fn role(sort: Sort) -> Role {
    match sort {
        Sort::Refused => Role::Bad,
        Sort::Unknown | Sort::Change | Sort::Replace | Sort::Recreate => Role::Warn,
        Sort::Create => Role::Added,
        Sort::Prune => Role::Removed,
        Sort::Hook => Role::Key,
        Sort::Owners | Sort::Same | Sort::Run => Role::Dim,
    }
}

/// Returns `+3 −3`, or the word where lines say less.
pub(super) fn size_words(entry: &Entry, size: Option<Size>, prunes: bool) -> String {
    match (entry.sort, size) {
        (Sort::Prune, _) if !prunes => "prune OFF".to_owned(),
        (Sort::Change | Sort::Hook, Some(Size { added, removed: 0 })) => format!("+{added}"),
        (Sort::Change | Sort::Hook, Some(Size { added: 0, removed })) => format!("−{removed}"),
        (Sort::Change | Sort::Hook, Some(Size { added, removed })) => format!("+{added} −{removed}"),
        (Sort::Create, Some(size)) => format!("+{}", size.added),
        (sort, _) => sort.word().to_owned(),
    }
}

impl DiffView {
    pub(super) fn draw_list(&self, model: &Model, found: &Found, area: Rect, buffer: &mut Buffer) {
        let len = self.len(found);
        for (row, at) in self.list.visible(usize::from(area.height), len).enumerate() {
            let Some(entry) = found.entries.get(at) else { break };
            self.draw_entry(model, (at, entry), Rect { y: area.y + row as u16, height: 1, ..area }, buffer);
        }
        let below = Rect { y: area.y + (len as u16).min(area.height), height: area.height.saturating_sub(len as u16), ..area };
        if len < usize::from(area.height) {
            self.draw_below(model, found, below, buffer);
        }
    }

    fn draw_entry(&self, model: &Model, (at, entry): (usize, &Entry), row: Rect, buffer: &mut Buffer) {
        let theme = model.theme;
        let Some(mut pen) = Pen::row(buffer, row, 0) else { return };
        let is_chosen = at == self.list.selected;
        let is_marked = self.marks.contains(&entry.task.key);
        let cursor = if self.focus == Focus::List { Role::Running } else { Role::Dim };
        pen.put(if is_chosen { "▌" } else { " " }, theme.style(cursor));
        pen.put(entry.sort.glyph(), theme.style(role(entry.sort)));
        pen.put(if is_marked { "*" } else { " " }, theme.style(Role::Marked));
        let name = pen.rest().saturating_sub(SIZE + 4);
        let kind = if row.width < SHORT { short_kind(&entry.kind) } else { &entry.kind };
        let style = theme.style(if entry.sort.is_quiet() { Role::Dim } else { Role::Text });
        pen.field(&format!("{kind}/{}", entry.name), name, style);
        let wave = entry.wave.map_or_else(|| "–".to_owned(), |wave| wave.to_string());
        pen.number(&wave, 3, theme.style(Role::Dim)).skip(1);
        let (last, style) = match self.search.count(at) {
            0 => (size_words(entry, self.sizes.get(at).copied().flatten(), self.request.prune), role(entry.sort)),
            lines => (format!("/{lines} found"), Role::Marked),
        };
        pen.field(&last, SIZE, theme.style(style));
        if is_chosen && self.focus == Focus::List {
            paint::tint(buffer, row, 0, theme.style(Role::Text).add_modifier(Modifier::BOLD));
        }
    }

    /// What is not listed, what the signs mean, and what a sync would do, as far as there is room.
    fn draw_below(&self, model: &Model, found: &Found, area: Rect, buffer: &mut Buffer) {
        let theme = model.theme;
        let mut rows = 0..area.height;
        let mut line = |buffer: &mut Buffer, text: &str, role: Role| {
            let Some(mut pen) = rows.next().and_then(|row| Pen::row(buffer, area, row)) else { return };
            pen.put(" ", theme.style(Role::Text)).fit(text, theme.style(role));
        };
        if !self.lists_same {
            let same = found.entries[found.different..].iter().filter(|entry| entry.sort == Sort::Same).count();
            let hooks = found.entries.len() - found.different - same;
            if same > 0 {
                line(buffer, &format!("= {same} the same (i lists them)"), Role::Dim);
            }
            if hooks > 0 {
                line(buffer, &format!("◇ {hooks} hook{} (i lists them)", if hooks == 1 { "" } else { "s" }), Role::Dim);
            }
        }
        line(buffer, "", Role::Dim);
        if usize::from(area.height) > found.groups.len() + 8 {
            line(buffer, "a sync would do", Role::Strong);
            for (name, words) in &found.groups {
                line(buffer, &format!(" {name:<12} {words}"), Role::Text);
            }
            if !found.consequences.is_empty() {
                for part in wrapped(&format!("! {}", found.consequences), usize::from(area.width).saturating_sub(2)) {
                    line(buffer, &part, Role::Warn);
                }
            }
            line(buffer, "", Role::Dim);
        }
        line(buffer, "signs", Role::Strong);
        for pair in LEGEND.chunks(2) {
            let text: String = pair.iter().map(|(sort, word)| format!(" {} {word:<12}", sort.glyph())).collect();
            line(buffer, &text, Role::Dim);
        }
    }
}
