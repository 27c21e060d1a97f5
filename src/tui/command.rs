//! The line that begins with `:`: which commands there are, completion, and a helpful word about unknown ones. Obeys none of them; that is
//! the program's part.

use crate::config::distance;

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Sync,
    Terminate,
    Approve,
    Pause,
    Delete,
    Diff,
    Attempts,
    Logs,
    History,
    Log,
    Help,
    Plan,
    Quit,
}

/// Name and meaning of each command, in alphabetical order of names.
const COMMANDS: [(&str, Command); 14] = [
    ("approve", Command::Approve),
    ("attempts", Command::Attempts),
    ("delete", Command::Delete),
    ("diff", Command::Diff),
    ("help", Command::Help),
    ("history", Command::History),
    ("log", Command::Log),
    ("logs", Command::Logs),
    ("pause", Command::Pause),
    ("plan", Command::Plan),
    ("q", Command::Quit),
    ("quit", Command::Quit),
    ("sync", Command::Sync),
    ("terminate", Command::Terminate),
];

/// Reads a command line without its colon; `None` if there is nothing on it.
///
/// # Errors
/// A sentence that names what is unknown and the nearest command.
pub(crate) fn parse(line: &str) -> Result<Option<Command>, String> {
    let mut words = line.split_whitespace();
    let Some(name) = words.next() else { return Ok(None) };
    let Some((_, command)) = COMMANDS.iter().find(|(known, _)| *known == name) else {
        return Err(format!("there is no command `:{name}`; did you mean `:{}`?", nearest(name)));
    };
    match words.next() {
        Some(more) => Err(format!("`:{name}` takes nothing more, and `{more}` stands behind it")),
        None => Ok(Some(*command)),
    }
}

/// Returns what the line becomes when it is completed: as far as all commands agree that begin like it.
pub(crate) fn complete(line: &str) -> Option<String> {
    let start = line.trim_start();
    let mut found = COMMANDS.iter().map(|(name, _)| *name).filter(|name| name.starts_with(start));
    let first = found.next()?;
    let common = found.fold(first, |common, name| {
        let length = common.bytes().zip(name.bytes()).take_while(|(one, other)| one == other).count();
        &common[..length]
    });
    Some(if common.len() > start.len() { common } else { first }.to_owned())
}

/// Returns the commands that begin like the line, for a hint beside it.
pub(crate) fn candidates(line: &str) -> Vec<&'static str> {
    let start = line.trim_start();
    COMMANDS.iter().map(|(name, _)| *name).filter(|name| name.starts_with(start)).collect()
}

fn nearest(name: &str) -> &'static str {
    COMMANDS.iter().map(|(known, _)| *known).min_by_key(|known| distance(name, known)).unwrap_or("help")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_command_names_the_nearest() {
        assert_eq!(parse("sync"), Ok(Some(Command::Sync)));
        assert_eq!(parse("  "), Ok(None));
        assert_eq!(parse("snyc").unwrap_err(), "there is no command `:snyc`; did you mean `:sync`?");
        assert!(parse("terminat").unwrap_err().contains("`:terminate`"));
        assert!(parse("q now").unwrap_err().contains("`now`"));
    }

    #[test]
    fn completion_goes_as_far_as_it_is_clear() {
        assert_eq!(complete("t").as_deref(), Some("terminate"));
        assert_eq!(complete("lo").as_deref(), Some("log"));
        assert_eq!(complete("h").as_deref(), Some("help"));
        assert_eq!(complete("x"), None);
        assert_eq!(candidates("h"), ["help", "history"]);
    }
}
