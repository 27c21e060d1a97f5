//! How the program ends: the exit codes of cli.md, and the one place where a failure is written for people.
//! Knows nothing of what failed beyond its kind and its sentence.

use std::fmt;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

use crate::model::OperationPhase;
use crate::operation::Operation;
use crate::report::visible::visible;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The operation succeeded, or there was nothing to object to.
    Success,
    /// The operation failed.
    Failed,
    /// Wrong usage, configuration or manifests.
    Usage,
    /// The operation was terminated.
    Terminated,
    /// The operation ended with an error, or the cluster could not be reached or refused us.
    Cluster,
    /// SIGINT without an operation, or the second one.
    Interrupted,
    /// SIGTERM without an operation, or the second one.
    Killed,
}

impl Exit {
    /// Returns how an operation lets the program end.
    pub(crate) fn of(operation: &Operation) -> Self {
        if operation.is_terminated() { Self::Terminated } else { Self::of_phase(operation.phase()) }
    }

    /// Returns how an operation that nobody terminated lets the program end.
    pub(crate) fn of_phase(phase: OperationPhase) -> Self {
        match phase {
            OperationPhase::Succeeded => Self::Success,
            OperationPhase::Failed | OperationPhase::Running | OperationPhase::Terminating => Self::Failed,
            OperationPhase::Error => Self::Cluster,
        }
    }

    /// Returns the number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Terminated => 3,
            Self::Cluster => 4,
            Self::Interrupted => 130,
            Self::Killed => 143,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why the program ends before or without an operation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    exit: Exit,
    text: Text,
}

#[derive(Debug, PartialEq, Eq)]
enum Text {
    /// One sentence.
    Sentence(String),
    /// Several lines that are laid out already.
    Laid(String),
}

impl Failure {
    /// Makes a usage error: one sentence that names the thing and says what to do.
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self::new(Exit::Usage, sentence)
    }

    /// Makes a failure with a sentence of its own.
    pub(crate) fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Self { exit, text: Text::Sentence(visible(&sentence.into()).into_owned()) }
    }

    /// Makes a failure from text that is laid out already, such as an excerpt of a file with a caret.
    pub(crate) fn laid_out(exit: Exit, text: impl Into<String>) -> Self {
        let harmless: Vec<String> = text.into().lines().map(|line| visible(line).into_owned()).collect();
        Self { exit, text: Text::Laid(harmless.join("\n")) }
    }

    /// Makes a usage error from a diagnostic that shows its place in a file.
    pub(crate) fn diagnostic(error: &dyn Diagnostic) -> Self {
        Self::laid_out(Exit::Usage, render(error, Colour::Never))
    }

    /// Returns how the program ends.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// Writes the failure to standard error.
    pub(crate) fn print(&self, colour: Colour) {
        let text = match &self.text {
            Text::Sentence(_) => render(self, colour),
            Text::Laid(text) => format!("{}\n", text.trim_end_matches('\n')),
        };
        complain(&text);
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Text::Sentence(text) | Text::Laid(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Failure {}

impl Diagnostic for Failure {}

/// Whether colours are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Never,
    Always,
}

impl Colour {
    /// Decides for standard error.
    pub(crate) fn of_errors(no_colour: bool) -> Self {
        Self::decide(no_colour, std::io::stderr().is_terminal())
    }

    /// Decides for standard output.
    pub(crate) fn of_output(no_colour: bool) -> Self {
        Self::decide(no_colour, std::io::stdout().is_terminal())
    }

    fn decide(no_colour: bool, terminal: bool) -> Self {
        let asked_not_to = no_colour || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        if terminal && !asked_not_to && !dumb { Self::Always } else { Self::Never }
    }
}

fn render(error: &dyn Diagnostic, colour: Colour) -> String {
    let theme = match colour {
        Colour::Always => GraphicalTheme::unicode(),
        Colour::Never => GraphicalTheme::unicode_nocolor(),
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_wrap_lines(false).with_links(false);
    let mut text = String::new();
    match handler.render_report(&mut text, error) {
        Ok(()) => text,
        Err(_) => format!("{error}\n"),
    }
}

/// Writes to standard error; a closed one is nobody's problem.
pub(crate) fn complain(text: &str) {
    if let Err(error) = std::io::stderr().write_all(text.as_bytes()) {
        tracing::debug!(%error, "standard error is closed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let all = [Exit::Success, Exit::Failed, Exit::Usage, Exit::Terminated, Exit::Cluster, Exit::Interrupted, Exit::Killed];
        assert_eq!(all.map(Exit::code), [0, 1, 2, 3, 4, 130, 143]);
    }

    #[test]
    fn a_sentence_stays_on_one_line_however_long_it_is() {
        let sentence = "cannot read it; ".repeat(30);
        let text = render(&Failure::usage(sentence.clone()), Colour::Never);
        assert!(text.contains(sentence.trim_end()), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn what_a_server_says_never_steers_the_terminal() {
        let report = Failure::laid_out(Exit::Cluster, "refused by \u{1b}]0;title\u{7} proxy\n  second\u{1b}[2J line");
        let text = report.to_string();
        assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'), "{text:?}");
        assert!(text.contains("second") && text.lines().count() == 2, "{text}");
        assert!(!Failure::usage("a\u{1b}[31mb").to_string().contains('\u{1b}'));
    }
}
