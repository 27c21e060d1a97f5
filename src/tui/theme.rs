//! Colours by role and glyphs by stage. The only place that knows a colour; it must not know any screen.
//! Without colour every role stays readable: state is always a glyph and a word too.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use crate::operation::timeline::Stage;
use crate::operation::verdict::Tone;

/// What a piece of text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Text,
    /// Titles and the row under the cursor.
    Strong,
    /// What matters less.
    Dim,
    Rule,
    /// The key in a hint.
    Key,
    Good,
    Bad,
    /// Waiting, degraded, to be noticed.
    Warn,
    Running,
    Marked,
    /// Where one types.
    Input,
    /// The chosen button or option.
    Chosen,
    /// A context in which a mistake is expensive.
    Protected,
    /// A line of a diff that the target has and the live object has not, and the other way round; the sign before it says so too.
    Added,
    Removed,
}

/// How the person wants the screens to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// Only ASCII characters (`--ascii`, or a locale without UTF-8).
    pub(crate) ascii: bool,
    /// No colours (`--no-color`, `NO_COLOR`).
    pub(crate) monochrome: bool,
}

/// Turns roles into styles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Theme {
    look: Look,
}

impl Theme {
    /// Makes the theme of a look.
    pub(crate) fn new(look: Look) -> Self {
        Self { look }
    }

    /// Returns the style of a role.
    pub(crate) fn style(self, role: Role) -> Style {
        let style = if self.look.monochrome { Style::new() } else { Style { fg: colour(role), ..Style::new() } };
        match role {
            Role::Strong | Role::Bad | Role::Marked => style.add_modifier(Modifier::BOLD),
            Role::Protected => style.add_modifier(Modifier::BOLD | Modifier::REVERSED),
            Role::Chosen => style.add_modifier(Modifier::REVERSED),
            Role::Input => style.add_modifier(Modifier::UNDERLINED),
            Role::Dim if self.look.monochrome => style.add_modifier(Modifier::DIM),
            Role::Text | Role::Dim | Role::Rule | Role::Key | Role::Good | Role::Warn | Role::Running | Role::Added | Role::Removed => {
                style
            }
        }
    }

    /// Returns whether only ASCII may be written.
    pub(crate) fn is_ascii(self) -> bool {
        self.look.ascii
    }

    /// Replaces every glyph of a finished picture by ASCII, if that is wanted.
    pub(crate) fn finish(self, buffer: &mut Buffer) {
        if !self.look.ascii {
            return;
        }
        for cell in &mut buffer.content {
            if !cell.symbol().is_ascii() {
                let plain = ascii(cell.symbol());
                cell.set_symbol(plain);
            }
        }
    }
}

fn colour(role: Role) -> Option<Color> {
    match role {
        Role::Text | Role::Strong | Role::Input | Role::Chosen => None,
        Role::Dim | Role::Rule => Some(Color::DarkGray),
        Role::Key => Some(Color::Cyan),
        Role::Good | Role::Added => Some(Color::Green),
        Role::Bad | Role::Protected | Role::Removed => Some(Color::Red),
        Role::Warn => Some(Color::Yellow),
        Role::Running => Some(Color::Blue),
        Role::Marked => Some(Color::Magenta),
    }
}

/// Returns the glyph of a stage.
pub(crate) fn glyph(stage: Stage) -> &'static str {
    match stage {
        Stage::Waiting => "○",
        Stage::Running => "●",
        Stage::Done => "✔",
        Stage::Failed => "✖",
        Stage::Skipped => "⊘",
        Stage::Armed => "·",
    }
}

/// Returns the role of a stage: red only for failed, green quietly, grey for the rest.
pub(crate) fn stage_role(stage: Stage) -> Role {
    match stage {
        Stage::Waiting | Stage::Skipped | Stage::Armed => Role::Dim,
        Stage::Running => Role::Running,
        Stage::Done => Role::Good,
        Stage::Failed => Role::Bad,
    }
}

/// Returns glyph and role of a verdict.
pub(crate) fn tone(tone: Tone) -> (&'static str, Role) {
    match tone {
        Tone::Working => ("●", Role::Running),
        Tone::Blocked | Tone::Stopping => ("●", Role::Warn),
        Tone::Paused => ("‖", Role::Warn),
        Tone::Good => ("✔", Role::Good),
        Tone::Bad => ("✖", Role::Bad),
    }
}

/// Returns a line in ASCII.
pub(crate) fn plain(line: &str) -> String {
    line.chars()
        .map(|found| if found.is_ascii() { found } else { ascii(found.encode_utf8(&mut [0; 4])).chars().next().unwrap_or('?') })
        .collect()
}

/// What stands for a glyph in ASCII. Letters of other alphabets have no counterpart.
fn ascii(symbol: &str) -> &'static str {
    match symbol {
        "✔" => "+",
        "●" | "•" => "*",
        "○" => ".",
        "✖" | "×" | "█" => "x",
        "⊘" | "·" | "─" | "━" | "—" | "–" | "−" => "-",
        "▓" => "#",
        "▒" | "░" => ":",
        "▾" => "v",
        "▸" | "→" | "▌" | "›" | "↪" => ">",
        "│" | "▏" | "┃" => "|",
        "┌" | "┐" | "└" | "┘" | "├" | "┴" | "┬" | "┤" => "+",
        "…" | "⋯" => "~",
        "◐" | "◇" => "o",
        "↑" => "^",
        "↓" => "v",
        "←" | "‹" => "<",
        "≥" => ">",
        "≤" => "<",
        "‖" => "=",
        "’" | "‘" => "'",
        "“" | "”" => "\"",
        "\u{a0}" => " ",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;

    const STAGES: [Stage; 6] = [Stage::Waiting, Stage::Running, Stage::Done, Stage::Failed, Stage::Skipped, Stage::Armed];

    #[test]
    fn an_ascii_picture_has_only_ascii() {
        let theme = Theme::new(Look { ascii: true, monochrome: false });
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        buffer.set_string(0, 0, "✔ é 世 …│ ok", Style::new());
        theme.finish(&mut buffer);
        let text: String = buffer.content.iter().map(|cell| cell.symbol()).collect();
        assert_eq!(text.trim_end(), "+ ? ?  ~| ok");
    }

    #[test]
    fn stages_differ_without_colour_in_both_character_sets() {
        let glyphs: std::collections::BTreeSet<_> = STAGES.map(glyph).into();
        assert_eq!(glyphs.len(), 6);
        let plain: std::collections::BTreeSet<_> = STAGES.map(|stage| ascii(glyph(stage))).into();
        assert_eq!(plain.len(), 5, "skipped and armed share the dash and differ by their word: {plain:?}");
        assert!(!plain.contains("?"));
    }

    #[test]
    fn without_colour_there_is_none() {
        let theme = Theme::new(Look { ascii: false, monochrome: true });
        for role in [Role::Bad, Role::Good, Role::Warn, Role::Protected, Role::Dim] {
            assert_eq!(theme.style(role).fg, None);
        }
    }
}
