//! What a command of a manifest does, when that can be read: `sleep`, `echo`, `exit` and simple shell scripts made of
//! them. So manifests that no story speaks of behave believably. Guesses nothing: other commands are told apart.

use std::collections::BTreeMap;
use std::time::Duration;

use super::words::{self, Token};
use crate::sim::story::{LogLine, LogText};

/// What a command prints and how it ends.
#[derive(Debug, Default)]
pub(super) struct Scripted {
    pub(super) lines: Vec<LogLine>,
    /// When it ends and with what code; none for never.
    pub(super) end: Option<(Duration, i32)>,
    /// The last command is a program that nobody knows: a server would run on.
    pub(super) ends_unknown: bool,
}

/// How long a program takes that nobody knows.
const PROGRAM: Duration = Duration::from_millis(500);
/// More steps than any script of a manifest that ends.
const MOST_STEPS: usize = 20_000;

/// Reads a command line; none if nothing in it is known.
pub(super) fn read(command: &[&str], variables: &BTreeMap<String, String>) -> Option<Scripted> {
    let (program, arguments) = command.split_first()?;
    match base(program) {
        "sh" | "bash" | "ash" | "dash" => {
            let (script, exits) = script_of(arguments)?;
            let mut player = Player { variables: variables.clone(), exits_on_error: exits, ..Player::default() };
            player.play(script)?;
            Some(player.result())
        }
        "sleep" | "echo" | "printf" | "true" | "false" => {
            let mut player = Player { variables: variables.clone(), ..Player::default() };
            let words: Vec<Word> =
                command.iter().map(|word| Word { text: (*word).to_owned(), is_template: false, is_quoted: true }).collect();
            player.command(&words, true);
            Some(player.result())
        }
        _ => None,
    }
}

fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// The script after `-c`, and whether `-e` is among the options.
fn script_of<'a>(arguments: &[&'a str]) -> Option<(&'a str, bool)> {
    let mut exits = false;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let letters = argument.strip_prefix('-')?;
        exits |= letters.contains('e');
        if letters.ends_with('c') {
            return rest.next().map(|script| (*script, exits));
        }
        if letters.ends_with('o') {
            rest.next();
        }
    }
    None
}

#[derive(Clone, Debug)]
struct Word {
    text: String,
    is_template: bool,
    is_quoted: bool,
}

/// Runs a script on paper: time passes only in `sleep` and in unknown programs.
#[derive(Default)]
struct Player {
    variables: BTreeMap<String, String>,
    exits_on_error: bool,
    now: Duration,
    status: i32,
    lines: Vec<LogLine>,
    /// Ended by `exit`, or never ending.
    over: Option<Option<i32>>,
    knows_something: bool,
    last_is_unknown: bool,
    steps: usize,
}

impl Player {
    fn result(self) -> Scripted {
        let end = match self.over {
            Some(code) => code.map(|code| (self.now, code)),
            None => Some((self.now, self.status)),
        };
        Scripted { lines: self.lines, end, ends_unknown: self.last_is_unknown && self.over.is_none() }
    }

    fn play(&mut self, script: &str) -> Option<()> {
        self.block(script)?;
        self.knows_something.then_some(())
    }

    /// Runs a piece of a script. Words are split when their line is reached, so that variables are known by then.
    fn block(&mut self, script: &str) -> Option<()> {
        let tokens = {
            let variables = &self.variables;
            words::split(script, &|name| variables.get(name).cloned().or_else(|| assigned(script, name)))?
        };
        let mut rest = tokens.as_slice();
        let mut joined_by = ";";
        while !rest.is_empty() && self.over.is_none() {
            self.steps += 1;
            if self.steps > MOST_STEPS {
                self.over = Some(None);
                return Some(());
            }
            if let Some((Token::Operator(operator), after)) = rest.split_first() {
                joined_by = operator;
                rest = after;
                continue;
            }
            let runs = match joined_by {
                "&&" => self.status == 0,
                "||" => self.status != 0,
                _ => true,
            };
            rest = self.statement(rest, runs)?;
            let tested = matches!(rest.first(), Some(Token::Operator("&&" | "||")));
            if self.exits_on_error && runs && self.status != 0 && !tested && self.over.is_none() {
                self.over = Some(Some(self.status));
            }
            joined_by = ";";
        }
        Some(())
    }

    fn statement<'t>(&mut self, tokens: &'t [Token], runs: bool) -> Option<&'t [Token]> {
        match keyword(tokens.first()) {
            Some("for") => self.for_loop(tokens, runs),
            Some("while" | "until") => self.endless_loop(tokens, runs),
            Some("if" | "case" | "function" | "{" | "do" | "done" | "select") => None,
            _ => self.pipeline(tokens, runs),
        }
    }

    /// Commands up to the end of the statement; in a pipe only the last one prints.
    fn pipeline<'t>(&mut self, tokens: &'t [Token], runs: bool) -> Option<&'t [Token]> {
        let end = tokens.iter().position(|token| matches!(token, Token::Operator(";" | "\n" | "&&" | "||"))).unwrap_or(tokens.len());
        let mut commands = tokens[..end].split(|token| *token == Token::Operator("|")).peekable();
        while let Some(command) = commands.next() {
            let is_last = commands.peek().is_none();
            if runs && self.over.is_none() {
                let (words, prints) = redirected(command);
                self.command(&words, prints && is_last);
            }
        }
        Some(&tokens[end..])
    }

    fn for_loop<'t>(&mut self, tokens: &'t [Token], runs: bool) -> Option<&'t [Token]> {
        let (body, after) = body_of(tokens)?;
        let head: Vec<&str> = tokens[..tokens.len() - after.len()].iter().map_while(plain).take_while(|word| *word != "do").collect();
        let ["for", name, "in", items @ ..] = head.as_slice() else { return None };
        for item in items.iter().flat_map(|item| expand_range(item)) {
            if !runs || self.over.is_some() {
                break;
            }
            let named = |text: &str| text.replace(&format!("\u{0}{name}\u{0}"), &item);
            self.body(body, &named)?;
        }
        Some(after)
    }

    /// `while true`: the lines of one round repeat for ever.
    fn endless_loop<'t>(&mut self, tokens: &'t [Token], runs: bool) -> Option<&'t [Token]> {
        let (body, after) = body_of(tokens)?;
        let head: Vec<&str> = tokens.iter().map_while(plain).take_while(|word| *word != "do").filter(|word| !word.is_empty()).collect();
        if !matches!(head.as_slice(), ["while", "true" | ":"] | ["until", "false"]) {
            return None;
        }
        if runs {
            let (begun, first) = (self.now, self.lines.len());
            self.body(body, &|text: &str| text.to_owned())?;
            let round = self.now - begun;
            if self.over.is_none() {
                self.over = Some(None);
                for line in self.lines[first..].iter_mut().filter(|_| !round.is_zero()) {
                    line.every = Some(round);
                    line.count = None;
                }
            }
        }
        Some(after)
    }

    fn body(&mut self, body: &[Token], named: &dyn Fn(&str) -> String) -> Option<()> {
        let mut rest = body;
        let mut joined_by = ";";
        while !rest.is_empty() && self.over.is_none() {
            if let Some((Token::Operator(operator), after)) = rest.split_first() {
                joined_by = operator;
                rest = after;
                continue;
            }
            let runs = !(joined_by == "&&" && self.status != 0 || joined_by == "||" && self.status == 0);
            let end = rest.iter().position(|token| matches!(token, Token::Operator(";" | "\n" | "&&" | "||"))).unwrap_or(rest.len());
            let statement: Vec<Token> = rest[..end].iter().map(|token| renamed(token, named)).collect();
            if matches!(keyword(statement.first()), Some("for" | "while" | "until" | "if" | "case")) {
                return None;
            }
            self.pipeline(&statement, runs)?;
            self.steps += 1;
            if self.steps > MOST_STEPS {
                self.over = Some(None);
            }
            rest = &rest[end..];
            joined_by = ";";
        }
        Some(())
    }

    fn command(&mut self, words: &[Word], prints: bool) {
        let Some((program, arguments)) = words.split_first() else { return };
        self.last_is_unknown = false;
        let texts: Vec<&str> = arguments.iter().map(|word| word.text.as_str()).collect();
        match (base(&program.text), texts.as_slice()) {
            ("exec", _) => {
                self.command(arguments, prints);
                if !self.last_is_unknown {
                    self.over.get_or_insert(Some(self.status));
                }
                return;
            }
            ("echo" | "printf", _) => self.print(arguments, prints),
            ("sleep", times) => self.sleep(times),
            ("exit", codes) => self.over = Some(Some(codes.first().and_then(|code| code.parse().ok()).unwrap_or(self.status))),
            ("true" | ":", _) => self.status = 0,
            ("false" | "test" | "[", _) => self.status = 1,
            ("set", options) => self.exits_on_error |= options.iter().any(|option| option.starts_with('-') && option.contains('e')),
            ("export" | "trap" | "cd" | "mkdir" | "umask" | "readonly", _) => self.status = 0,
            (assignment, _) if is_assignment(assignment) => self.status = 0,
            _ => {
                self.now += PROGRAM;
                self.status = 0;
                self.last_is_unknown = true;
                return;
            }
        }
        self.knows_something |= matches!(base(&program.text), "echo" | "printf" | "sleep" | "exit" | "true" | "false");
    }

    fn print(&mut self, arguments: &[Word], prints: bool) {
        self.status = 0;
        let options =
            arguments.iter().take_while(|word| !word.is_quoted && matches!(word.text.as_str(), "-n" | "-e" | "-ne" | "-en" | "-E"));
        let words = &arguments[options.count()..];
        let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ").replace("\\n", "\n").replace("\\t", "\t");
        let is_template = words.iter().any(|word| word.is_template);
        for line in text.strip_suffix('\n').unwrap_or(&text).split('\n').filter(|_| prints) {
            let text = if is_template { LogText::Template(line.to_owned()) } else { LogText::Bytes(line.as_bytes().to_vec()) };
            self.lines.push(LogLine { first: self.now, every: None, count: None, text });
        }
    }

    fn sleep(&mut self, times: &[&str]) {
        self.status = 0;
        for time in times {
            let (number, unit) = time.split_at(time.trim_end_matches(|letter: char| letter.is_ascii_alphabetic()).len());
            let factor = match unit {
                "" | "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                "d" => 86_400.0,
                _ => return self.over = Some(None),
            };
            match number.parse::<f64>().ok().and_then(|number| Duration::try_from_secs_f64(number * factor).ok()) {
                Some(time) => self.now = self.now.saturating_add(time),
                None => return self.status = 1,
            }
        }
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_'))
}

/// The value that a script gives a variable somewhere: `NAME=value`, or a mark that a loop fills in.
fn assigned(script: &str, name: &str) -> Option<String> {
    let is_looped = script.split("for ").skip(1).any(|rest| rest.trim_start().starts_with(&format!("{name} in")));
    if is_looped {
        return Some(format!("\u{0}{name}\u{0}"));
    }
    let start = script.find(&format!("{name}="))? + name.len() + 1;
    let rest = &script[start..];
    let end = rest.find([';', '\n', ' ', '&']).unwrap_or(rest.len());
    Some(rest[..end].trim_matches(['"', '\'']).to_owned())
}

/// A word of the head of a loop; the end of its line counts as an empty one.
fn plain(token: &Token) -> Option<&str> {
    match token {
        Token::Word { text, .. } => Some(text),
        Token::Operator(";" | "\n") => Some(""),
        Token::Operator(_) | Token::Redirect { .. } => None,
    }
}

fn keyword(token: Option<&Token>) -> Option<&str> {
    match token? {
        Token::Word { text, is_quoted: false, .. } => Some(text),
        Token::Word { .. } | Token::Operator(_) | Token::Redirect { .. } => None,
    }
}

fn renamed(token: &Token, named: &dyn Fn(&str) -> String) -> Token {
    match token {
        Token::Word { text, is_template, is_quoted } => Token::Word { text: named(text), is_template: *is_template, is_quoted: *is_quoted },
        Token::Operator(_) | Token::Redirect { .. } => token.clone(),
    }
}

/// The tokens between `do` and `done` of the first loop, and what follows it.
fn body_of(tokens: &[Token]) -> Option<(&[Token], &[Token])> {
    let start = tokens.iter().position(|token| keyword(Some(token)) == Some("do"))? + 1;
    let end = start + tokens[start..].iter().position(|token| keyword(Some(token)) == Some("done"))?;
    Some((&tokens[start..end], &tokens[end + 1..]))
}

/// `{1..5}`, the output of `seq`, or a single word.
fn expand_range(item: &str) -> Vec<String> {
    let range = item.strip_prefix('{').and_then(|item| item.strip_suffix('}')).and_then(|inner| inner.split_once(".."));
    if let Some((first, last)) = range
        && let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>())
    {
        return (first..=last.min(first.saturating_add(10_000))).map(|number| number.to_string()).collect();
    }
    item.split_whitespace().map(str::to_owned).collect()
}

/// Takes redirections off a command; returns whether what it prints still reaches the log.
fn redirected(tokens: &[Token]) -> (Vec<Word>, bool) {
    let mut words = Vec::new();
    let mut prints = true;
    let mut rest = tokens.iter();
    while let Some(token) = rest.next() {
        match token {
            Token::Word { text, is_template, is_quoted } => {
                words.push(Word { text: text.clone(), is_template: *is_template, is_quoted: *is_quoted });
            }
            Token::Redirect { of_errors } => {
                let to_log = matches!(rest.next(), Some(Token::Word { text, .. }) if text.starts_with('&') || text.starts_with("/dev/std"));
                prints &= *of_errors || to_log;
            }
            Token::Operator(_) => {}
        }
    }
    (words, prints)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(script: &str) -> Scripted {
        let variables = BTreeMap::from([("WHO".to_owned(), "world".to_owned())]);
        read(&["/bin/sh", "-c", script], &variables).unwrap()
    }

    fn printed(scripted: &Scripted) -> Vec<(u64, String)> {
        let text = |line: &LogLine| match &line.text {
            LogText::Template(text) => text.clone(),
            LogText::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        };
        scripted.lines.iter().map(|line| (line.first.as_secs(), text(line))).collect()
    }

    fn line(at: u64, text: &str) -> (u64, String) {
        (at, text.to_owned())
    }

    #[test]
    fn seed_002_echo_and_exit_1_fail_at_once_with_the_line() {
        let run = play("echo \"Pre Sync Job 1 - Fail\" ; exit 1\n");
        assert_eq!(printed(&run), [line(0, "Pre Sync Job 1 - Fail")]);
        assert_eq!(run.end, Some((Duration::ZERO, 1)));
    }

    #[test]
    fn sleeping_and_printing_take_turns() {
        let run = play("set -e\necho start  # a comment\nsleep 2; echo \"hello $WHO\" && sleep 1m\necho 'the end' >&2");
        assert_eq!(printed(&run), [line(0, "start"), line(2, "hello world"), line(62, "the end")]);
        assert_eq!(run.end, Some((Duration::from_secs(62), 0)));
    }

    #[test]
    fn what_follows_a_failure_depends_on_the_operator() {
        assert_eq!(printed(&play("false && echo a; true || echo b; false || echo c")), [line(0, "c")]);
        let run = play("set -eu; false; echo never");
        assert_eq!((printed(&run), run.end), (vec![], Some((Duration::ZERO, 1))));
    }

    #[test]
    fn loops_are_followed() {
        let run = play("for i in 1 2 3; do echo \"step $i\"; sleep 1; done; exit 3");
        assert_eq!(printed(&run), [line(0, "step 1"), line(1, "step 2"), line(2, "step 3")]);
        assert_eq!(run.end, Some((Duration::from_secs(3), 3)));
        assert_eq!(printed(&play("for n in $(seq 2 3); do echo $n; done")), [line(0, "2"), line(0, "3")]);
        let run = play("while true; do echo tick; sleep 5; done");
        assert_eq!((run.lines[0].every, run.end), (Some(Duration::from_secs(5)), None));
    }

    #[test]
    fn sleep_infinity_never_ends() {
        assert_eq!(read(&["sleep", "infinity"], &BTreeMap::new()).unwrap().end, None);
        assert_eq!(read(&["sleep", "1.5"], &BTreeMap::new()).unwrap().end, Some((Duration::from_millis(1500), 0)));
    }

    #[test]
    fn a_pipe_prints_what_its_last_command_prints() {
        let run = play("echo 'Deploy finished' | mail -s done \"$MAIL_TO\"; echo sent > /tmp/x; echo ok");
        assert_eq!(printed(&run), [line(0, "ok")]);
    }

    #[test]
    fn programs_that_nobody_knows_are_told_apart() {
        assert!(read(&["curl", "-X", "POST"], &BTreeMap::new()).is_none());
        assert!(read(&["sh", "-c", "npm run migrate"], &BTreeMap::new()).is_none());
        assert!(read(&["sh", "-c", "if true; then echo x; fi"], &BTreeMap::new()).is_none());
        assert!(play("echo starting; exec nginx -g 'daemon off;'").ends_unknown);
    }

    #[test]
    fn no_script_makes_the_reader_stumble() {
        for script in [
            "",
            "'",
            "\"$",
            "$(",
            "$((",
            "for",
            "for i in",
            "for i in 1; do",
            "while true; do done",
            ">",
            "echo >",
            "a |",
            "&&",
            "${",
            "sleep -1",
            "sleep x",
        ] {
            drop(read(&["sh", "-c", script], &BTreeMap::new()));
        }
    }
}
