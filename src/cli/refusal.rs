//! What is said of a command line that cannot be read: one sentence that names the word and the way out, instead of clap's own.
//! Knows clap's errors; decides nothing about commands that could be read.

use std::ffi::OsString;

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{Cli, command_like, is_command};

/// Returns the first word that is neither an option nor the value of one.
fn first_word(arguments: &[OsString]) -> Option<&str> {
    let command = Cli::command();
    let is_option = |word: &str, option: &clap::Arg| {
        let (long, short) = (option.get_long().map(|long| format!("--{long}")), option.get_short().map(|short| format!("-{short}")));
        [long, short].contains(&Some(word.to_owned()))
    };
    let takes_next = |word: &str| {
        let option = command.get_arguments().find(|option| is_option(word, option));
        option.is_some_and(|option| option.get_action().takes_values())
    };
    let words: Vec<&str> = arguments.iter().skip(1).filter_map(|word| word.to_str()).collect();
    let is_free = |at: usize| !(words[at].starts_with('-') || at > 0 && takes_next(words[at - 1]));
    (0..words.len()).find(|at| is_free(*at)).map(|at| words[at])
}

/// Options and commands of the contract that this version does not have.
const NOT_BUILT: [&str; 3] = ["--wait", "--detach", "--record"];

/// Returns the sentence for a command line that cannot be read.
pub(super) fn sentence(error: &clap::Error, arguments: &[OsString]) -> String {
    let text = |kind| context(error, kind);
    let argument = text(ContextKind::InvalidArg);
    let value = text(ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::UnknownArgument if !argument.starts_with('-') => surplus(&argument, first_word(arguments).and_then(command_like)),
        ErrorKind::UnknownArgument => unknown(&argument, &text(ContextKind::SuggestedArg)),
        ErrorKind::InvalidSubcommand => {
            let (wrong, near) = (text(ContextKind::InvalidSubcommand), text(ContextKind::SuggestedSubcommand));
            // A word behind one that is no command is no command either, whatever it looks like.
            if let Some(first) = first_word(arguments).filter(|first| *first != wrong && !is_command(first)) {
                return surplus(&wrong, command_like(first));
            }
            let advice =
                if near.is_empty() { "`syncwave --help` lists the commands".to_owned() } else { format!("did you mean `{near}`?") };
            format!("there is no command `{wrong}` here; {advice}")
        }
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            if why.starts_with('`') {
                return format!("{}: {why}", option_name(&argument));
            }
            format!("`{value}` is no value for {}: {why}", option_name(&argument))
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("{} needs a value; write {argument}", option_name(&argument)),
        ErrorKind::InvalidValue => {
            format!("`{value}` is no value for {}; choose one of: {}", option_name(&argument), text(ContextKind::ValidValue))
        }
        ErrorKind::ArgumentConflict => {
            format!("{} may be given only once, and not together with what excludes it; leave one out", option_name(&argument))
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "`config` needs to know what; write `syncwave config show` or `syncwave config path`".to_owned()
        }
        ErrorKind::InvalidUtf8 => "an argument is not valid UTF-8; write it as UTF-8".to_owned(),
        ErrorKind::MissingRequiredArgument => format!("{argument} is missing; `syncwave --help` shows how to write it"),
        _ => first_line(error),
    }
}

fn unknown(argument: &str, suggestion: &str) -> String {
    let name = argument.split('=').next().unwrap_or(argument);
    if NOT_BUILT.contains(&name) {
        return format!("the option `{name}` is not part of this version; leave it out");
    }
    if suggestion.is_empty() {
        format!("there is no option `{name}` here; `syncwave --help` lists the options")
    } else {
        format!("there is no option `{name}` here; did you mean `{suggestion}`?")
    }
}

/// A word is left over, perhaps because the command before it was not known as one.
fn surplus(argument: &str, command: Option<String>) -> String {
    let advice = match command {
        Some(command) => format!("did you mean the command `{command}`?"),
        None => format!("`syncwave --help` lists the commands, and `./{argument}` names a path that looks like one"),
    };
    format!("`{argument}` is one argument too many; {advice}")
}

fn option_name(argument: &str) -> String {
    format!("`{}`", argument.split([' ', '[', '=']).next().unwrap_or(argument))
}

fn context(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

fn first_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let line = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    format!("{line}; `syncwave --help` shows what can be written")
}
