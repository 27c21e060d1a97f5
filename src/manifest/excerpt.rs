//! The few lines of a text that are shown around a fault, harmless for a terminal, with the line and column that the
//! whole text has. Nothing is shown of a Secret.

use miette::{MietteError, MietteSpanContents, NamedSource, SourceCode, SourceSpan, SpanContents};

use super::node::Mark;

/// A line that is longer is not shown, in bytes. Machines write JSON in lines of megabytes.
const SHOWN_LINE: usize = 400;
/// How much of a line beside it is shown, in characters.
const SHOWN_NEIGHBOUR: usize = 100;

/// The lines around a fault.
#[derive(Debug)]
pub(super) struct Excerpt {
    lines: NamedSource<String>,
    file: String,
    /// How many lines of the text stand before these.
    skipped: usize,
    /// The column of the fault from 0, in characters; miette would count bytes.
    column: usize,
}

impl Excerpt {
    /// Takes the line of a fault and its neighbours, and says where in them the caret stands; nowhere, if the line is
    /// too long to be shown or belongs to a Secret.
    pub(super) fn around(text: &str, at: Mark, file: &str) -> (Self, Option<SourceSpan>) {
        let before = text.get(..at.offset).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let mut following = text[start..].lines();
        let line = following.next().unwrap_or_default();
        if line.len() > SHOWN_LINE || is_of_secret(text, start) {
            return (Self::new(String::new(), at.line, at, file), None);
        }
        let mut lines = match before[..start].lines().next_back() {
            Some(previous) => beginning(previous) + "\n",
            None => String::new(),
        };
        let skipped = before.matches('\n').count().saturating_sub(1);
        let caret = lines.len() + before.len() - start;
        // A value that goes over several lines is marked in its first one.
        let rest = line.len().saturating_sub(before.len() - start);
        lines.push_str(&harmless(line));
        lines.push('\n');
        lines.push_str(&beginning(following.next().unwrap_or_default()));
        (Self::new(lines, skipped, at, file), Some(SourceSpan::from((caret, at.length.min(rest)))))
    }

    fn new(lines: String, skipped: usize, at: Mark, file: &str) -> Self {
        Self { lines: NamedSource::new(file, lines), file: file.to_owned(), skipped, column: at.column.saturating_sub(1) }
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(&'a self, span: &SourceSpan, before: usize, after: usize) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let found = self.lines.read_span(span, before, after)?;
        let line = self.skipped + found.line();
        Ok(Box::new(MietteSpanContents::new_named(self.file.clone(), found.data(), *found.span(), line, self.column, found.line_count())))
    }
}

/// Returns whether the document of the line that starts here may be a Secret. A line between two documents belongs to both, because
/// its neighbours are shown with it. The text is broken, so this looks at words, not at what they mean.
fn is_of_secret(text: &str, start: usize) -> bool {
    let is_separator = |line: &str| line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
    let mut document = (0, text.len());
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if is_separator(line) && at < start {
            document.0 = at;
        } else if is_separator(line) && at > start {
            document.1 = at;
            break;
        }
        at += line.len();
    }
    names_secret(&text[document.0..document.1])
}

fn names_secret(document: &str) -> bool {
    document.match_indices("kind").any(|(at, word)| {
        let rest = &document[at + word.len()..];
        let Some(value) = unquoted(rest).strip_prefix(':') else { return false };
        value
            .strip_prefix("Secret")
            .is_some_and(|rest| !rest.starts_with(|letter: char| letter.is_alphanumeric()) || rest.starts_with("List"))
    })
}

fn unquoted(text: &str) -> &str {
    text.trim_start_matches(|letter: char| letter.is_whitespace() || "\"'".contains(letter))
}

fn beginning(line: &str) -> String {
    harmless(line).chars().take(SHOWN_NEIGHBOUR).collect()
}

/// Returns a text whose control characters do nothing in a terminal. Every character keeps its length in bytes, so
/// that places in the text stay right.
fn harmless(text: &str) -> String {
    let replace = |letter: char| match letter {
        '\t' => letter,
        '\r' => ' ',
        _ if !letter.is_control() => letter,
        _ if letter.len_utf8() == 2 => '¿',
        _ => '?',
    };
    text.chars().map(replace).collect()
}
