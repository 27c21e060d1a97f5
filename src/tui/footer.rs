//! The last row: what is being typed, else what there is to say, else the keys that matter here.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::action::Action;
use super::app::LineFor;
use super::clean;
use super::command;
use super::keymap::Binding;
use super::model::Model;
use super::paint::Pen;
use super::theme::Role;
use super::views::{Notice, View};
use super::widgets::prompt::{Prompt, PromptStyles};

/// Hint of the key that pauses, while the operation is paused.
const GO_ON: &str = "<z>go on…";

/// Narrowest row with words beside the keys.
const WORDS: u16 = 44;

/// Returns what is left of the screen for the view.
pub(super) fn body(area: Rect) -> Rect {
    Rect { height: if area.height > 1 { area.height - 1 } else { area.height }, ..area }
}

/// Returns the row of the footer; empty on a screen of one row.
pub(super) fn row(area: Rect) -> Rect {
    let body = body(area);
    Rect { y: body.bottom(), height: area.height - body.height, ..area }
}

/// Draws the footer.
pub(super) fn draw(
    model: &Model,
    view: &dyn View,
    line: Option<(LineFor, &Prompt)>,
    notice: Option<&Notice>,
    area: Rect,
    buffer: &mut Buffer,
) {
    if let Some((purpose, prompt)) = line {
        return typed(model, purpose, prompt, area, buffer);
    }
    let Some(mut pen) = Pen::row(buffer, area, 0) else { return };
    let theme = model.theme;
    pen.put(" ", theme.style(Role::Text));
    match notice {
        Some(notice) => _ = pen.fit(&notice.text, theme.style(if notice.bad { Role::Warn } else { Role::Text })),
        None => hints(model, view, &mut pen),
    }
}

fn typed(model: &Model, purpose: LineFor, prompt: &Prompt, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let label = match purpose {
        LineFor::Command => " :",
        LineFor::Search => " /",
    };
    let styles = PromptStyles { label: theme.style(Role::Key), text: theme.style(Role::Text), cursor: theme.style(Role::Chosen) };
    if area.is_empty() || !area.intersects(buffer.area) {
        return;
    }
    prompt.line(label, usize::from(area.width), styles).render(area, buffer);
    if purpose == LineFor::Command
        && let Some(mut pen) = Pen::row(buffer, area, 0)
    {
        let taken = clean::columns(prompt.text()) as u16 + 4;
        pen.skip(taken).fit(&command::candidates(prompt.text()).join("  "), theme.style(Role::Dim));
    }
}

/// The hints that fit; help always does.
fn hints(model: &Model, view: &dyn View, pen: &mut Pen<'_>) {
    let context = view.context();
    let bindings = view.verbs().iter().filter_map(|action| model.keymap.binding(context, *action));
    let help = model.keymap.binding(context, Action::Help).filter(|_| view.verbs().contains(&Action::Help));
    let reserved = help.map_or(0, |binding| width(model, binding));
    let is_read_only = model.place.as_ref().is_some_and(|place| place.read_only.is_some());
    let hidden = |action: Action| match action {
        Action::Help => true,
        Action::Approve | Action::Pause => model.may(action).is_err(),
        // Where nothing may be changed they stay, greyed out.
        Action::Sync | Action::Terminate => !is_read_only && model.may(action).is_err(),
        Action::Attempts => !has_attempts(model),
        _ => false,
    };
    for binding in bindings.filter(|binding| !hidden(binding.action)) {
        if width(model, binding) + reserved > pen.rest() {
            continue;
        }
        hint(model, binding, pen);
    }
    if let Some(binding) = help {
        hint(model, binding, pen);
    }
}

fn has_attempts(model: &Model) -> bool {
    model.operations().next().and_then(|board| board.operation()).is_some_and(|operation| !operation.attempts().is_empty())
}

/// The key that pauses lets a paused operation go on.
fn words<'a>(model: &Model, binding: &'a Binding) -> &'a str {
    let is_paused = || model.running().and_then(|board| board.operation()).is_some_and(|operation| operation.paused().is_some());
    if binding.action == Action::Pause && is_paused() { GO_ON } else { binding.hint.as_deref().unwrap_or_default() }
}

fn key(binding: &Binding) -> String {
    binding.keys.first().map(ToString::to_string).unwrap_or_default().replace("ctrl-", "^")
}

fn width(model: &Model, binding: &Binding) -> u16 {
    let text = if model.size.width < WORDS { clean::columns(&key(binding)) } else { clean::columns(words(model, binding)) };
    text as u16 + 1
}

fn hint(model: &Model, binding: &Binding, pen: &mut Pen<'_>) {
    let allowed = model.may(binding.action).is_ok();
    let theme = model.theme;
    let (strong, soft) =
        if allowed { (theme.style(Role::Key), theme.style(Role::Text)) } else { (theme.style(Role::Dim), theme.style(Role::Dim)) };
    let text = words(model, binding);
    if model.size.width < WORDS {
        pen.put(&key(binding), strong).skip(1);
        return;
    }
    match text.split_once('>') {
        Some((key, words)) if !words.is_empty() => pen.put(key, strong).put(">", strong).put(words, soft).skip(1),
        Some(_) | None => pen.put(text, soft).skip(1),
    };
}
