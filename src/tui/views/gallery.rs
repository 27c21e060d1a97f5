//! The gallery of stories: the first screen of `demo`. A line for each story, the first one chosen. Starts none itself: the view wishes for
//! it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::text::broken;
use super::{Outbox, Outcome, View, Wish, go};
use crate::tui::action::Action;
use crate::tui::clean;
use crate::tui::keymap::Context;
use crate::tui::model::Model;
use crate::tui::paint::{self, Pen};
use crate::tui::theme::Role;
use crate::tui::widgets::cursor::Cursor;

/// The list of stories.
#[derive(Debug, Default)]
pub(crate) struct GalleryView {
    cursor: Cursor,
    height: usize,
    len: usize,
}

impl View for GalleryView {
    fn context(&self) -> Context {
        Context::General
    }

    fn update(&mut self, action: Action, _model: &Model, out: &mut Outbox) -> Outcome {
        match action {
            Action::Open if self.len > 0 => out.wish(Wish::Story(self.cursor.selected)),
            _ => return go(&mut self.cursor, action, self.height, self.len),
        }
        Outcome::Consumed
    }

    fn settle(&mut self, model: &Model, area: Rect, _out: &mut Outbox) {
        self.len = model.stories.len();
        self.height = usize::from(list(area).height);
        self.cursor.keep_visible(self.height, self.len);
    }

    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        let theme = model.theme;
        if let Some(mut pen) = Pen::row(buffer, area, 0) {
            pen.put(" syncwave", theme.style(Role::Strong)).fit(" · stories on a cluster inside this program", theme.style(Role::Text));
        }
        let rule = Rect { y: area.y + 1, height: area.height.saturating_sub(1).min(1), ..area };
        paint::rule(buffer, rule, theme, "choose a story", "enter plays it");
        let list = list(area);
        let name = model.stories.iter().map(|story| clean::columns(&story.name)).max().unwrap_or_default() as u16 + 2;
        let visible = self.cursor.visible(usize::from(list.height), self.len);
        for (row, story) in model.stories[visible.clone()].iter().enumerate() {
            let Some(mut pen) = Pen::row(buffer, list, row as u16) else { return };
            let chosen = visible.start + row == self.cursor.selected;
            let style = theme.style(if chosen { Role::Strong } else { Role::Text });
            pen.put(if chosen { "▌" } else { " " }, theme.style(Role::Running)).skip(1);
            pen.end(" ", style).end(&story.length, theme.style(Role::Dim));
            pen.field(&story.name, name, if chosen { style.patch(theme.style(Role::Key)) } else { style });
            let is_cut = clean::is_wider(&story.about, usize::from(pen.rest()));
            pen.fit(&story.about, style);
            if chosen && is_cut {
                self.draw_whole(model, &story.about, list, buffer);
            }
        }
    }

    fn verbs(&self) -> &'static [Action] {
        &[Action::Open, Action::Command, Action::Help, Action::Quit]
    }

    fn title(&self) -> &'static str {
        "gallery"
    }

    fn ticks(&self, _model: &Model) -> bool {
        false
    }
}

impl GalleryView {
    /// The sentence of the chosen story below the list, where its row had no room for it.
    fn draw_whole(&self, model: &Model, about: &str, list: Rect, buffer: &mut Buffer) {
        let columns = usize::from(list.width.saturating_sub(4));
        for (row, part) in (self.len + 1..).zip(broken(about, columns, columns)) {
            let Some(mut pen) = u16::try_from(row).ok().and_then(|row| Pen::row(buffer, list, row)) else { return };
            pen.skip(2).fit(part, model.theme.style(Role::Dim));
        }
    }
}

fn list(area: Rect) -> Rect {
    Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area }
}
