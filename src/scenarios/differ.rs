//! Shows where two texts of many lines differ: the first differing lines with their neighbours, and of long lines the place.

use std::fmt::Write as _;

/// How many differing lines are shown.
const SHOWN: usize = 8;
/// How much of a line is shown on both sides of its first difference.
const AROUND: usize = 160;

/// Returns a readable difference, or nothing.
pub(super) fn between(one: &str, first: &str, other: &str, second: &str) -> Option<String> {
    if first == second {
        return None;
    }
    let (left, right): (Vec<&str>, Vec<&str>) = (first.lines().collect(), second.lines().collect());
    let start = left.iter().zip(&right).take_while(|(a, b)| a == b).count();
    let same_end = left[start..].iter().rev().zip(right[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (left_end, right_end) = (left.len() - same_end, right.len() - same_end);
    let mut text = format!("  line {}, {} lines {one}, {} lines {other}\n", start + 1, left_end - start, right_end - start);
    for line in left[..start].iter().rev().take(2).rev() {
        writeln!(text, "    {}", cut(line, 0)).unwrap();
    }
    for at in start..left_end.max(right_end).min(start + SHOWN) {
        let (a, b) = (left[..left_end].get(at), right[..right_end].get(at));
        let place = a.zip(b).map_or(0, |(a, b)| a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count());
        if a == b {
            writeln!(text, "    {}", cut(a.unwrap_or(&""), 0)).unwrap();
            continue;
        }
        for (sign, line) in [('-', a), ('+', b)] {
            if let Some(line) = line {
                writeln!(text, "  {sign} {}", cut(line, place)).unwrap();
            }
        }
    }
    if left_end.max(right_end) > start + SHOWN {
        writeln!(text, "    …").unwrap();
    }
    write!(text, "  (- {one}, + {other})").unwrap();
    Some(text)
}

/// Cuts a long line around a place.
fn cut(line: &str, place: usize) -> String {
    let start = line.floor_char_boundary(place.saturating_sub(AROUND / 2));
    let end = line.floor_char_boundary((start + 2 * AROUND).min(line.len()));
    let (before, after) = (if start > 0 { "…" } else { "" }, if end < line.len() { "…" } else { "" });
    format!("{before}{}{after}", &line[start..end])
}

#[test]
fn a_difference_shows_the_first_lines_that_differ() {
    assert_eq!(between("a", "1\n2\n", "b", "1\n2\n"), None);
    let text = between("expected", "1\n2\n3\n4\n", "printed", "1\n2\nx\n4\n").unwrap();
    assert_eq!(text, "  line 3, 1 lines expected, 1 lines printed\n    1\n    2\n  - 3\n  + x\n  (- expected, + printed)");
    let text = between("a", "1\n", "b", "1\n2\n").unwrap();
    assert_eq!(text, "  line 2, 0 lines a, 1 lines b\n    1\n  + 2\n  (- a, + b)");
}
