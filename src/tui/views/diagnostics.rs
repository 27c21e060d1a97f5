//! The program's own log, as tui-logger keeps it. Writes nothing into it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;
use tui_logger::{TuiLoggerLevelOutput, TuiLoggerWidget, TuiWidgetEvent, TuiWidgetState};

use super::{Outbox, Outcome, View};
use crate::tui::action::Action;
use crate::tui::keymap::Context;
use crate::tui::model::Model;
use crate::tui::paint;
use crate::tui::theme::Role;

/// The log screen.
pub(crate) struct DiagnosticsView {
    state: TuiWidgetState,
}

impl DiagnosticsView {
    /// Makes the screen, at the newest line.
    pub(crate) fn new() -> Self {
        Self { state: TuiWidgetState::new() }
    }
}

impl View for DiagnosticsView {
    fn context(&self) -> Context {
        Context::General
    }

    fn update(&mut self, action: Action, _model: &Model, _out: &mut Outbox) -> Outcome {
        let event = match action {
            Action::Up | Action::PageUp => TuiWidgetEvent::PrevPageKey,
            Action::Down | Action::PageDown => TuiWidgetEvent::NextPageKey,
            Action::Bottom => TuiWidgetEvent::EscapeKey,
            _ => return Outcome::Ignored,
        };
        self.state.transition(event);
        Outcome::Consumed
    }

    fn settle(&mut self, _model: &Model, _area: Rect, _out: &mut Outbox) {
        tui_logger::move_events();
    }

    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        let theme = model.theme;
        paint::rule(buffer, Rect { height: area.height.min(1), ..area }, theme, "syncwave's own log", "pgup pgdn G");
        let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }.intersection(buffer.area);
        if body.width < 8 || body.height < 2 {
            return;
        }
        TuiLoggerWidget::default()
            .style(theme.style(Role::Text))
            .style_error(theme.style(Role::Bad))
            .style_warn(theme.style(Role::Warn))
            .style_info(theme.style(Role::Text))
            .style_debug(theme.style(Role::Dim))
            .style_trace(theme.style(Role::Dim))
            .output_separator(' ')
            .output_timestamp(Some("%H:%M:%S%.3f".to_owned()))
            .output_level(Some(TuiLoggerLevelOutput::Long))
            .output_target(true)
            .output_file(false)
            .output_line(false)
            .state(&self.state)
            .render(body, buffer);
    }

    fn verbs(&self) -> &'static [Action] {
        &[Action::Back, Action::Help]
    }

    fn title(&self) -> &'static str {
        "own log"
    }
}
