//! The words of the command line: commands, options and their values (cli.md), and the sentences for what cannot be read.
//! Owns no behaviour; `crate::run` decides what an option means. An option that is not built yet is unknown here.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::config::distance;
use crate::operation::Breakpoint;
use crate::plan::{HookSelector, Selector};

/// Run and watch a Kubernetes sync with Argo CD's hooks, phases and waves.
#[derive(Debug, Parser)]
#[command(name = "syncwave", version, max_term_width = 110, disable_help_subcommand = true)]
#[command(override_usage = "syncwave [OPTIONS] [TARGET]\n       syncwave [OPTIONS] <COMMAND>")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// An app of the configuration, a file, a folder, a kustomization, a Helm chart, or `-` for standard input: opens the screens on it, nothing runs yet
    #[arg(help_heading = "Arguments")]
    pub(crate) target: Option<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play a story on the embedded cluster; without STORY a gallery to choose from
    Demo {
        /// Name of the story
        story: Option<String>,
    },
    /// Run a sync; with the screens in a terminal, otherwise with printed events
    #[command(override_usage = "syncwave sync [OPTIONS] <TARGET>")]
    Sync {
        /// An app of the configuration, a file, a folder, a kustomization, a Helm chart, or `-` for standard input
        target: Option<String>,
        #[command(flatten)]
        plan: PlanOptions,
        #[command(flatten)]
        sync: SyncOptions,
    },
    /// Delete the app with everything that it owns, its PreDelete hooks before and its PostDelete hooks after
    #[command(override_usage = "syncwave delete [OPTIONS] <TARGET>")]
    Delete {
        /// A file, a folder, a kustomization, a Helm chart, or `-` for standard input
        target: Option<String>,
        #[command(flatten)]
        deletion: DeleteOptions,
    },
    /// Print what a sync would do, in order, with what would not run and why; writes nothing
    #[command(override_usage = "syncwave plan [OPTIONS] <TARGET>")]
    Plan {
        /// An app of the configuration, a file, a folder, a kustomization, a Helm chart, or `-` for standard input
        target: Option<String>,
        #[command(flatten)]
        plan: PlanOptions,
        /// Print the Roles and the ClusterRole that this very plan needs instead, and what the current user lacks of them
        #[arg(long)]
        rbac: bool,
    },
    /// Print what is different between the cluster and the manifests, as the server's dry run says; writes nothing, exits with 1 if something is
    #[command(override_usage = "syncwave diff [OPTIONS] <TARGET>")]
    Diff {
        /// An app of the configuration, a file, a folder, a kustomization, a Helm chart, or `-` for standard input
        target: Option<String>,
        #[command(flatten)]
        plan: PlanOptions,
    },
    /// Print the health of each object in files, as it stands in its status, and the rule that decided; asks no cluster but for the argocd-cm of `[health]`
    #[command(override_usage = "syncwave health [OPTIONS] <FILE>...")]
    Health {
        /// A file, a folder, a kustomization, a Helm chart, or `-` for standard input
        #[arg(value_name = "FILE")]
        files: Vec<String>,
        /// Folder of Lua health rules, laid out like Argo CD's `resource_customizations`; they go before the built-in rules
        #[arg(long, value_name = "DIR")]
        lua: Option<PathBuf>,
    },
    /// The configuration in force
    Config {
        #[command(subcommand)]
        what: ConfigCommand,
    },
}

/// What to show of the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every key with its value
    Show {
        /// Say where each value comes from
        #[arg(long)]
        origin: bool,
    },
    /// Print the path of the configuration file
    Path,
}

/// Options that mean the same everywhere.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options for every command")]
pub(crate) struct Options {
    /// Configuration file
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Kubeconfig file, otherwise the one that kubectl would use
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// Destination namespace
    #[arg(short, long, global = true, value_name = "NS")]
    pub(crate) namespace: Option<String>,
    /// Name of the app, otherwise that of the target's folder
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) app: Option<String>,
    /// Use the embedded cluster instead of a kubeconfig, as a story scripts it
    #[arg(long, global = true, value_name = "STORY", num_args = 0..=1, default_missing_value = "")]
    pub(crate) embedded: Option<String>,
    /// Folder for the inventory and the log
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Write nothing to the cluster
    #[arg(long, global = true)]
    pub(crate) read_only: bool,
    /// Print events instead of opening the screens
    #[arg(long, global = true)]
    pub(crate) headless: bool,
    /// Format of what is printed; implies --headless
    #[arg(short, long, global = true, value_name = "FORMAT")]
    pub(crate) output: Option<Format>,
    /// No colours; the variable NO_COLOR does the same
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// How much goes to the program's own log
    #[arg(long, global = true, value_name = "LEVEL", default_value = "info")]
    pub(crate) log_level: LogLevel,
    /// How fast the clock of the embedded cluster runs; `max` never waits
    #[arg(long, global = true, value_name = "N|max", value_parser = Speed::parse)]
    pub(crate) speed: Option<Speed>,
    /// Seed of the embedded cluster's chance
    #[arg(long, global = true, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Answer the program's own questions with yes; never a confirmation that a manifest asks for
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,
}

/// Options that shape the plan.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct PlanOptions {
    /// Sync only this resource; may be repeated; hooks do not run
    #[arg(long, value_name = "[GROUP:]KIND:[NAMESPACE/]NAME", value_parser = Selector::parse)]
    pub(crate) resource: Vec<Selector>,
    /// Delete what the app owns and no manifest asks for any more
    #[arg(long)]
    pub(crate) prune: bool,
    /// Run hooks although only some resources are selected
    #[arg(long)]
    pub(crate) hooks: bool,
    /// Leave out the hooks of a phase, or one of them; may be repeated
    #[arg(long, value_name = "PHASE[:KIND/NAME]", value_parser = HookSelector::parse)]
    pub(crate) skip_hook: Vec<HookSelector>,
    /// `hook` runs hooks, `apply` applies everything else
    #[arg(long, value_name = "STRATEGY")]
    pub(crate) strategy: Option<Strategy>,
    /// Delete and create again what cannot be changed
    #[arg(long)]
    pub(crate) force: bool,
    /// Replace objects instead of applying them, the same as --sync-option Replace=true
    #[arg(long)]
    pub(crate) replace: bool,
    /// The same as --sync-option ServerSideApply=true
    #[arg(long)]
    pub(crate) server_side: bool,
    /// Option of the whole operation, for example CreateNamespace=true; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_option)]
    pub(crate) sync_option: Vec<String>,
    /// Revision to record, otherwise the git commit of the target or a hash of its manifests
    #[arg(long, value_name = "TEXT")]
    pub(crate) revision: Option<String>,
    /// Values file of a Helm chart; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) values: Vec<PathBuf>,
    /// Value of a Helm chart; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_parameter)]
    pub(crate) parameter: Vec<String>,
}

/// Options of a sync that do not change its plan.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SyncOptions {
    /// Pause after each wave that is not the last
    #[arg(long, value_name = "DURATION", value_parser = crate::config::duration)]
    pub(crate) wave_delay: Option<Duration>,
    /// Say what every task would do, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How often a failed operation starts anew; negative: without end
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) retry_limit: Option<i64>,
    /// Pause before the first retry
    #[arg(long, value_name = "DURATION", value_parser = retry_duration)]
    pub(crate) retry_backoff_duration: Option<Duration>,
    /// How much longer each further pause is
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) retry_backoff_factor: Option<u32>,
    /// Longest pause before a retry; 0: no limit
    #[arg(long, value_name = "DURATION", value_parser = retry_duration)]
    pub(crate) retry_backoff_max_duration: Option<Duration>,
    /// Terminate the operation when it lasts longer, retries included
    #[arg(long, value_name = "DURATION", value_parser = limit)]
    pub(crate) timeout: Option<Duration>,
    /// Fail what still runs when a phase lasts longer
    #[arg(long, value_name = "DURATION", value_parser = limit)]
    pub(crate) phase_timeout: Option<Duration>,
    /// End and fail a hook that runs longer
    #[arg(long, value_name = "DURATION", value_parser = limit)]
    pub(crate) hook_timeout: Option<Duration>,
    /// Write nothing from this phase or wave on until a person lets it go on; may be repeated
    #[arg(long, value_name = "PHASE[/WAVE]", value_parser = Breakpoint::parse)]
    pub(crate) pause_before: Vec<Breakpoint>,
    /// Sync objects of an Argo CD Application all the same; without the screens it needs --yes
    #[arg(long)]
    pub(crate) take_over: bool,
    /// Confirm in advance a deletion that a manifest wants to be confirmed; may be repeated
    #[arg(long, value_name = "KIND/NAME", value_parser = Approval::parse)]
    pub(crate) approve: Vec<Approval>,
}

/// Options of a deletion.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DeleteOptions {
    /// Give up when the deletion lasts longer; without it a failed hook is tried again without end
    #[arg(long, value_name = "DURATION", value_parser = limit)]
    pub(crate) timeout: Option<Duration>,
    /// Confirm in advance a deletion that a manifest wants to be confirmed; may be repeated
    #[arg(long, value_name = "KIND/NAME", value_parser = Approval::parse)]
    pub(crate) approve: Vec<Approval>,
    /// Option of the whole deletion, for example PrunePropagationPolicy=background; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_option)]
    pub(crate) sync_option: Vec<String>,
    /// Revision to record, otherwise the git commit of the target or a hash of its manifests
    #[arg(long, value_name = "TEXT")]
    pub(crate) revision: Option<String>,
    /// Values file of a Helm chart; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) values: Vec<PathBuf>,
    /// Value of a Helm chart; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_parameter)]
    pub(crate) parameter: Vec<String>,
}

/// Whether hooks run (spec R813).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Strategy {
    Hook,
    Apply,
}

/// Format of printed events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Plain,
    Json,
}

/// How much goes to the program's own log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    Off,
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// How fast the embedded cluster's clock runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Speed {
    Times(f64),
    Max,
}

impl Speed {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        match text.strip_suffix('x').unwrap_or(text).parse::<f64>() {
            Ok(times) if times.is_finite() && times > 0.0 => Ok(Self::Times(times)),
            Ok(_) | Err(_) => Err("a speed is a positive number, for example 10, or `max`".to_owned()),
        }
    }
}

/// An object whose deletion is confirmed in advance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Approval {
    pub(crate) kind: String,
    pub(crate) name: String,
}

impl Approval {
    fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((kind, name)) if !kind.is_empty() && !name.is_empty() => Ok(Self { kind: kind.to_owned(), name: name.to_owned() }),
            Some(_) | None => Err("name the object as KIND/NAME, for example ConfigMap/settings".to_owned()),
        }
    }
}

impl fmt::Display for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

fn parse_parameter(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((name, _)) if !name.is_empty() => Ok(text.to_owned()),
        Some(_) | None => Err("write NAME=VALUE, for example image.tag=v2".to_owned()),
    }
}

fn parse_option(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => Ok(text.to_owned()),
        Some(_) | None => Err("write NAME=VALUE, for example CreateNamespace=true".to_owned()),
    }
}

/// A number without a unit is seconds, as in Argo CD (spec R1001).
fn retry_duration(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_secs).or_else(|_| crate::config::duration(text))
}

fn limit(text: &str) -> Result<Duration, String> {
    match crate::config::duration(text)? {
        Duration::ZERO => Err("a limit is longer than nothing; leave the option out for no limit".to_owned()),
        limit => Ok(limit),
    }
}

/// Why there is nothing to run.
#[derive(Debug)]
pub(crate) enum Declined {
    /// Help or version was asked for: text for standard output.
    Shown(String),
    /// A usage error, as one sentence.
    Wrong(String),
}

/// Reads the command line.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, Declined> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    Cli::try_parse_from(&arguments).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Declined::Shown(error.render().to_string()),
        _ => Declined::Wrong(sentence(&error, &arguments)),
    })
}

fn is_command(word: &str) -> bool {
    Cli::command().find_subcommand(word).is_some()
}

/// Returns the command that a word may be meant for; `None` if it is a command, or like none.
pub(crate) fn command_like(word: &str) -> Option<String> {
    let command = Cli::command();
    let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    let ways = |name: &&str| distance(&word.to_lowercase(), name);
    let near = names.iter().copied().min_by_key(ways).filter(|name| ways(name) <= 2.min(name.len() / 2))?;
    (!names.contains(&word)).then(|| near.to_owned())
}

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

/// Commands of the contract that this version does not have; as a target each of them would be a surprise.
pub(crate) const COMMANDS_NOT_BUILT: [&str; 11] =
    ["lint", "terminate", "history", "show", "logs", "replay", "report", "cluster", "completions", "man", "help"];

fn sentence(error: &clap::Error, arguments: &[OsString]) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Cli, Declined> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn refusal(line: &str) -> String {
        match read(line) {
            Err(Declined::Wrong(sentence)) => sentence,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_stand_before_and_after_the_command() {
        for line in ["syncwave --app shop sync deploy -n x", "syncwave sync -n x deploy --app shop"] {
            let cli = read(line).unwrap();
            assert_eq!((cli.options.app.as_deref(), cli.options.namespace.as_deref()), (Some("shop"), Some("x")), "{line}");
            assert!(matches!(cli.command, Some(Command::Sync { target: Some(target), .. }) if target == "deploy"));
        }
    }

    #[test]
    fn a_word_that_is_no_command_is_a_target() {
        let cli = read("syncwave deploy/").unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.target.as_deref(), Some("deploy/"));
    }

    #[test]
    fn a_word_is_like_a_command_if_few_letters_differ() {
        for (word, command) in [
            ("sinc", Some("sync")),
            ("Sync", Some("sync")),
            ("delte", Some("delete")),
            ("demos", Some("demo")),
            ("sync", None),
            ("web", None),
            ("", None),
        ] {
            assert_eq!(command_like(word).as_deref(), command, "{word}");
        }
    }

    #[test]
    fn embedded_takes_a_story_or_none() {
        for (line, story) in [
            ("syncwave sync x --embedded", Some("")),
            ("syncwave sync x --embedded web-shop", Some("web-shop")),
            ("syncwave sync x --embedded=web-shop", Some("web-shop")),
            ("syncwave sync x", None),
        ] {
            assert_eq!(read(line).unwrap().options.embedded.as_deref(), story, "{line}");
        }
    }

    #[test]
    fn every_refusal_names_the_thing_and_says_what_to_do() {
        for (line, words) in [
            ("syncwave sync x --frobnicate", vec!["--frobnicate", "--help"]),
            ("syncwave sync x --wait", vec!["--wait", "not part of this version"]),
            ("syncwave sync x --retry-limit many", vec!["--retry-limit", "many"]),
            ("syncwave sync x --retry-backoff-factor 0", vec!["--retry-backoff-factor", "0"]),
            ("syncwave sync x --retry-backoff-duration soon", vec!["--retry-backoff-duration", "unit"]),
            ("syncwave sync x --timeout 0", vec!["--timeout", "no limit"]),
            ("syncwave delete x --timeout soon", vec!["--timeout", "unit"]),
            ("syncwave delete x --approve Job", vec!["--approve", "KIND/NAME"]),
            ("syncwave delete x --dry-run", vec!["--dry-run", "--help"]),
            ("syncwave sync x --hook-timeout 5", vec!["--hook-timeout", "unit"]),
            ("syncwave sync x --sync-option Prune", vec!["--sync-option", "NAME=VALUE"]),
            ("syncwave sync x --strategy wild", vec!["--strategy", "hook", "apply"]),
            ("syncwave sync x --skip-hook presync", vec!["--skip-hook", "PHASE[:KIND/NAME]"]),
            ("syncwave sync x --pause-before Sync/x", vec!["--pause-before", "PHASE[/WAVE]"]),
            ("syncwave sync x --prun", vec!["--prun", "--prune"]),
            ("syncwave sync x -o yaml", vec!["yaml", "--output", "json"]),
            ("syncwave sync x --speed fast", vec!["fast", "--speed", "max"]),
            ("syncwave sync x --speed 0", vec!["0", "--speed", "positive"]),
            ("syncwave sync x --seed a", vec!["a", "--seed"]),
            ("syncwave sync x --wave-delay 2", vec!["--wave-delay", "2s"]),
            ("syncwave sync x --resource Job", vec!["Job", "--resource", "KIND"]),
            ("syncwave sync x --approve Job", vec!["Job", "--approve", "KIND/NAME"]),
            ("syncwave sync x --parameter a", vec!["--parameter", "NAME=VALUE"]),
            ("syncwave sync x y", vec!["`y`", "--help"]),
            ("syncwave sinc x", vec!["`x`", "too many", "did you mean the command `sync`?"]),
            ("syncwave synk deploy/", vec!["`deploy/`", "did you mean the command `sync`?"]),
            ("syncwave web deploy/", vec!["`deploy/`", "too many", "--help"]),
            ("syncwave snyc x", vec!["did you mean the command `sync`?"]),
            ("syncwave --app sinc --headless plam -o json x", vec!["`x`", "did you mean the command `plan`?"]),
            ("syncwave --app sinc web x", vec!["`x`", "--help"]),
            ("syncwave sync sinc x", vec!["`x`", "--help"]),
            ("syncwave config", vec!["config show"]),
            ("syncwave config shwo", vec!["`shwo`", "did you mean `show`?"]),
            ("syncwave config x", vec!["`x`", "--help"]),
            ("syncwave sync x --tmieout 5s", vec!["--tmieout", "did you mean `--timeout`?"]),
            ("syncwave sync x --retry-limits 5", vec!["--retry-limits", "did you mean `--retry-limit`?"]),
            ("syncwave sync x --context", vec!["--context", "value"]),
            ("syncwave sync x --context a --context b", vec!["--context", "once"]),
        ] {
            let said = refusal(line);
            assert!(words.iter().all(|word| said.contains(word)), "{line}: {said}");
            assert!(!said.contains('\n'), "{line}: {said}");
        }
    }
}
