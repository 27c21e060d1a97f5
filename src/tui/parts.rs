//! Characters that we take for one and a terminal may keep in several cells: flags, half-width letters with a voicing mark. Where such a
//! terminal gets something else for the first cell only, the other part stays on the screen; so those cells are written in any case.

use ratatui::buffer::{Buffer, CellDiffOption, CellWidth as _};
use ratatui::layout::Position;
use unicode_width::UnicodeWidthChar as _;

/// Bytes of the shortest of them: two letters.
const SHORTEST: usize = 4;

/// Where the last picture had the second parts of such characters.
#[derive(Debug, Default)]
pub(super) struct Parts(Vec<Position>);

impl Parts {
    /// Lets the cells be written in which a terminal may still have a part, and remembers those of this picture.
    pub(super) fn mark(&mut self, buffer: &mut Buffer) {
        for position in self.0.drain(..) {
            if let Some(cell) = buffer.cell_mut(position) {
                cell.set_diff_option(CellDiffOption::AlwaysUpdate);
            }
        }
        for (at, cell) in buffer.content.iter().enumerate().filter(|(_, cell)| has_parts(cell.symbol())) {
            let (x, y) = buffer.pos_of(at);
            self.0.extend((1..cell.cell_width()).map(|step| Position { x: x + step, y }));
        }
    }
}

fn has_parts(symbol: &str) -> bool {
    symbol.len() >= SHORTEST
        && symbol.chars().filter(|part| part.width().is_some_and(|width| width > 0) || matches!(part, '\u{ff9e}' | '\u{ff9f}')).count() > 1
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn picture(text: &str) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 8, 1));
        buffer.set_string(0, 0, text, Style::new());
        buffer
    }

    #[test]
    fn what_a_terminal_keeps_in_two_cells_is_overwritten_in_both() {
        for text in ["\u{25cc}\u{ff9e}", "ｶ\u{ff9e}", "🇩🇪"] {
            let mut parts = Parts::default();
            let (mut old, mut new, mut next) = (picture(text), picture("x"), picture("x"));
            parts.mark(&mut old);
            parts.mark(&mut new);
            let written = |one: &Buffer, other: &Buffer| one.diff(other).iter().map(|(x, _, _)| *x).collect::<Vec<_>>();
            assert!(written(&old, &new).starts_with(&[0, 1]), "{text}");
            parts.mark(&mut next);
            assert!(written(&picture("x"), &next).is_empty(), "{text}: once is enough");
        }
    }

    #[test]
    fn wide_letters_and_marks_are_one_part() {
        for text in ["世", "e\u{301}", "👍", "abc", "─"] {
            assert!(!has_parts(text), "{text}");
        }
    }
}
