//! Makes text from elsewhere (clusters, logs, files, arguments) harmless for a terminal without losing anything of it: what would
//! steer the terminal becomes a visible mark.

use std::borrow::Cow;

/// Returns the text with every control character as a mark: `␛` for escape, `\u{9b}` for those without a picture.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\0'..='\u{1f}' if steers(letter) => safe.push(picture(letter)),
            '\u{7f}' => safe.push('\u{2421}'),
            _ if steers(letter) => safe.extend(letter.escape_unicode()),
            _ => safe.push(letter),
        }
    }
    Cow::Owned(safe)
}

/// Returns bytes as harmless text; what is not UTF-8 becomes U+FFFD.
pub(crate) fn visible_bytes(bytes: &[u8]) -> String {
    visible(&String::from_utf8_lossy(bytes)).into_owned()
}

/// Controls, and characters that turn the direction of what follows. A tab stays.
fn steers(letter: char) -> bool {
    let turns = matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (letter.is_control() && letter != '\t')
}

fn picture(control: char) -> char {
    char::from_u32(0x2400 + u32::from(control)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_gets_through_and_nothing_is_lost() {
        for (text, expected) in [
            ("plain\ttext ✓ 日本", "plain\ttext ✓ 日本"),
            ("\u{1b}[31mred\u{1b}[0m", "␛[31mred␛[0m"),
            ("a\rb\nc\u{7}\u{7f}", "a␍b␊c␇␡"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("abc\u{202e}fed", "abc\\u{202e}fed"),
        ] {
            assert_eq!(visible(text), expected);
        }
        assert_eq!(visible_bytes(b"ok \xff\x1b"), "ok \u{fffd}␛");
    }
}
