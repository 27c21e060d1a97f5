//! What can go wrong while manifests are loaded: one sentence each, with the place, and the way out as help. Prints nothing itself.

use std::fmt;
use std::io;
use std::path::PathBuf;

use miette::{Diagnostic, SourceSpan};
use thiserror::Error;

use super::excerpt::Excerpt;
use super::node::Fault;

/// Why manifests could not be loaded. Always a usage error: nothing was sent to a cluster (decision 19, exit code 2).
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum ManifestError {
    #[error("`{}` does not exist", shown(.path))]
    #[diagnostic(help("give a file, a folder, a kustomization, a Helm chart, or `-` for standard input"))]
    Missing { path: PathBuf },
    #[error("cannot read `{}`", shown(.path))]
    Read { path: PathBuf, source: io::Error },
    #[error("`{file}` is not text: line {line} has bytes that are not UTF-8")]
    #[diagnostic(help("manifests are YAML or JSON in UTF-8; an archive has to be unpacked first"))]
    NotText { file: String, line: usize },
    #[error("no manifests in `{place}`")]
    #[diagnostic(help("{searched}"))]
    Empty { place: String, searched: &'static str },
    #[error("`{}` is a {kind} inside a folder of plain manifests", shown(.path))]
    #[diagnostic(help("give it as a target of its own, or move it out of the folder"))]
    Nested { path: PathBuf, kind: &'static str },
    #[error("{option} is for Helm charts, and `{place}` is none")]
    #[diagnostic(help("a chart is a folder with a Chart.yaml"))]
    NotAChart { option: &'static str, place: String },
    #[error("`{parameter}` is not a parameter")]
    #[diagnostic(help("write it as NAME=VALUE, for example --parameter image.tag=v2"))]
    Parameter { parameter: String },
    #[error("`{}` is a pipe, a socket or a device", shown(.path))]
    #[diagnostic(help("move it out of the folder, or name it as the target to have it read to its end"))]
    NoFile { path: PathBuf },
    #[error("`{place}` needs {tools}, which is not installed")]
    #[diagnostic(help("put it into a folder of PATH, or render the manifests elsewhere and give them as files or on standard input"))]
    ToolMissing { place: String, tools: &'static str },
    #[error("`{command}` failed ({status}){}", indented(.stderr))]
    ToolFailed { command: String, status: String, stderr: String },
    #[error("`{command}` was ended: it took longer than {seconds} s")]
    #[diagnostic(help("run it by hand to see what it waits for; remote bases and charts can be slow"))]
    ToolLate { command: String, seconds: u64 },
    /// A text that is no YAML, or an object that cannot be one (decision 19).
    #[error(transparent)]
    #[diagnostic(transparent)]
    Text(#[from] Box<TextError>),
}

/// A fault at a place of a text, with the text, so that a caret can stand under it.
#[derive(Debug, Error, Diagnostic)]
#[error("{file}:{line}:{column}: {problem}")]
pub(crate) struct TextError {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) problem: String,
    #[help]
    pub(crate) help: Option<String>,
    #[source_code]
    text: Excerpt,
    /// Absent where the line is too long to be shown.
    #[label("here")]
    at: Option<SourceSpan>,
}

impl ManifestError {
    pub(super) fn at(fault: Fault, file: &str, text: &str) -> Self {
        let file = visible(file);
        let help = fault.help.or_else(|| template_help(text, fault.at.offset)).or_else(|| parser_help(&fault.problem));
        let (text, at) = Excerpt::around(text, fault.at, &file);
        Self::Text(Box::new(TextError {
            line: fault.at.line,
            column: fault.at.column,
            problem: visible(&fault.problem),
            help,
            text,
            at,
            file,
        }))
    }
}

/// Says what probably happened where the parser only says what it expected.
fn parser_help(problem: &str) -> Option<String> {
    let help = if problem.contains("after double-quoted scalar") {
        r#"the text in double quotes ends before this; inside them a quote is written \" with one backslash, or put the whole text in single quotes"#
    } else if problem.contains("simple key expected") {
        "a key needs a colon after it; is the file cut off here?"
    } else {
        return None;
    };
    Some(help.to_owned())
}

fn template_help(text: &str, offset: usize) -> Option<String> {
    let line = text.get(..offset).map_or(0, |before| before.rfind('\n').map_or(0, |end| end + 1));
    let is_template = text.get(line..).is_some_and(|rest| rest.lines().take(1).any(|line| line.contains("{{")));
    is_template.then(|| "this looks like a Helm template: give the folder of its chart, the one with Chart.yaml, as the target".to_owned())
}

/// Returns a text with control characters written out.
pub(super) fn visible(text: &str) -> String {
    if text.chars().any(|letter| letter.is_control() && letter != '\n') {
        text.chars()
            .map(|letter| if letter.is_control() && letter != '\n' { letter.escape_default().to_string() } else { letter.into() })
            .collect()
    } else {
        text.to_owned()
    }
}

fn shown(path: &std::path::Path) -> impl fmt::Display {
    visible(&path.to_string_lossy())
}

/// Puts what a tool said under the sentence, at most its last 40 lines.
fn indented(stderr: &str) -> String {
    let said = visible(stderr.trim());
    let lines: Vec<&str> = said.lines().collect();
    let last = &lines[lines.len().saturating_sub(40)..];
    last.iter().fold(String::new(), |all, line| all + "\n  " + line)
}
