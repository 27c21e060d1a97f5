//! How a value is written in one line of YAML, or as a block of lines. For people: what it writes can be read back, but what is compared is
//! never read from it.

use serde_json::Value;

/// A text of several lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block<'a> {
    /// The sign that stands where a value would: `|`, and how the end is to be read.
    pub(super) head: &'static str,
    pub(super) lines: Vec<&'a str>,
}

/// Returns a text as a block; `None` if it has one line only, or something that no line can hold.
pub(super) fn block(text: &str) -> Option<Block<'_>> {
    if !text.contains('\n') || text.trim_matches(['\n', ' ']).is_empty() || text.contains(is_unprintable) {
        return None;
    }
    // A reader takes the indentation from the first line, unless it is told.
    let is_shifted = text.starts_with([' ', '\n', '\t']);
    let (body, end) = match text.strip_suffix('\n') {
        None => (text, "-"),
        Some(body) if body.ends_with('\n') => (body, "+"),
        Some(body) => (body, ""),
    };
    let head = match (is_shifted, end) {
        (false, "-") => "|-",
        (false, "+") => "|+",
        (false, _) => "|",
        (true, "-") => "|2-",
        (true, "+") => "|2+",
        (true, _) => "|2",
    };
    Some(Block { head, lines: body.split('\n').collect() })
}

/// Returns the name of a field, with quotes if it needs them.
pub(super) fn name(name: &str) -> String {
    text(name)
}

/// Returns whether a value is written in one line: it is no map or list with something in it.
pub(super) fn is_inline(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// Returns a value that is written in one line.
pub(super) fn inline(value: &Value) -> Option<String> {
    match value {
        Value::String(value) => Some(text(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => is_inline(value).then(|| value.to_string()),
    }
}

fn text(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// JSON's quotes are YAML's; JSON leaves more letters as they are than a line can hold.
fn quoted(text: &str) -> String {
    let json = Value::from(text).to_string();
    if !json.contains(is_unprintable) {
        return json;
    }
    let written =
        json.chars().map(|letter| if is_unprintable(letter) { format!("\\u{:04x}", u32::from(letter)) } else { letter.to_string() });
    written.collect()
}

fn is_unprintable(letter: char) -> bool {
    (letter.is_control() && !matches!(letter, '\n' | '\t')) || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn is_plain(text: &str) -> bool {
    let (Some(first), Some(last)) = (text.chars().next(), text.chars().last()) else { return false };
    let is_safe =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '/' | '.' | '+' | '-' | '(' | '$' | '=' | '^' | '~' | ';');
    let is_start = is_safe(first) && !matches!(first, '=' | '~');
    let is_list = text == "-" || text.starts_with("- ") || text.starts_with("---") || text.starts_with("...");
    let has_sign = text.contains(": ") || text.contains(" #") || last == ':' || last == ' ' || text.contains(['\n', '\t', '\r']);
    is_start && !is_list && !has_sign && !text.contains(is_unprintable) && !is_word(text) && !is_number(text)
}

/// Words that some readers take for something else than a text.
fn is_word(text: &str) -> bool {
    const WORDS: [&str; 10] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "~"];
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Texts that some readers take for a number or a date.
fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-', '.']);
    let Some(first) = digits.chars().next() else { return text.len() <= 1 };
    let lower = digits.to_ascii_lowercase();
    if text.starts_with(['.', '+', '-']) && ["inf", "nan"].contains(&lower.as_str()) {
        return true;
    }
    let is_of = |letters: &str| lower.chars().all(|letter| letter.is_ascii_digit() || letters.contains(letter));
    let is_hex = lower.strip_prefix("0x").is_some_and(|rest| rest.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '_'));
    first.is_ascii_digit() && (is_hex || is_of("_.+-e:") || is_of("ob_") || is_date(&lower))
}

/// `2026-03-01T09:00:00Z` and its like.
fn is_date(lower: &str) -> bool {
    lower.chars().all(|letter| letter.is_ascii_digit() || "-+:.tz ".contains(letter)) && lower.contains('-')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_has_quotes_where_it_could_be_taken_for_something_else() {
        for (value, expected) in [
            (json!("registry/orders-api:2.13.4"), "registry/orders-api:2.13.4"),
            (json!("5b1e0c77"), "5b1e0c77"),
            (json!("++++++++"), "++++++++"),
            (json!("two words"), "two words"),
            (json!("--verbose=1"), "--verbose=1"),
            (json!("80"), "\"80\""),
            (json!("1.5"), "\"1.5\""),
            (json!("5e10"), "\"5e10\""),
            (json!("0x1F"), "\"0x1F\""),
            (json!("010"), "\"010\""),
            (json!("12:30"), "\"12:30\""),
            (json!("2026-03-01"), "\"2026-03-01\""),
            (json!("2026-03-01T09:00:00Z"), "\"2026-03-01T09:00:00Z\""),
            (json!("yes"), "\"yes\""),
            (json!("Null"), "\"Null\""),
            (json!(".inf"), "\".inf\""),
            (json!(""), "\"\""),
            (json!("-"), "\"-\""),
            (json!("a: b"), "\"a: b\""),
            (json!("a #b"), "\"a #b\""),
            (json!("a:"), "\"a:\""),
            (json!(" a"), "\" a\""),
            (json!("*"), "\"*\""),
            (json!("{a}"), "\"{a}\""),
            (json!("a\nb"), "\"a\\nb\""),
            (json!("\u{1b}[31m"), "\"\\u001b[31m\""),
            (json!("\u{85}\u{2028}"), "\"\\u0085\\u2028\""),
            (json!(80), "80"),
            (json!(true), "true"),
            (json!(null), "null"),
            (json!({}), "{}"),
            (json!([]), "[]"),
        ] {
            assert_eq!(inline(&value).as_deref(), Some(expected), "{value}");
        }
        assert_eq!(inline(&json!({"a": 1})), None);
    }

    #[test]
    fn a_text_of_several_lines_is_a_block_and_says_how_it_ends() {
        for (text, expected) in [
            ("a\nb\n", Some(("|", vec!["a", "b"]))),
            ("a\nb", Some(("|-", vec!["a", "b"]))),
            ("a\n\n\n", Some(("|+", vec!["a", "", ""]))),
            ("  a\nb\n", Some(("|2", vec!["  a", "b"]))),
            ("\na", Some(("|2-", vec!["", "a"]))),
            ("one line", None),
            ("\n\n", None),
            ("a\r\nb", None),
            ("a\n\u{1b}b", None),
        ] {
            assert_eq!(block(text).map(|block| (block.head, block.lines)), expected, "{text:?}");
        }
    }
}
