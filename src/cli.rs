//! The words of the command line: the commands here, the options and their values (cli.md), and the sentences for what cannot be read
//! in files of their own. Owns no behaviour; `crate::run` decides what an option means. An option that is not built yet is unknown here.

mod options;
mod refusal;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::config::distance;

pub(crate) use options::{Approval, DeleteOptions, Format, LogLevel, Options, PlanOptions, Speed, Strategy, SyncOptions};

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
        _ => Declined::Wrong(refusal::sentence(&error, &arguments)),
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

/// Commands of the contract that this version does not have; as a target each of them would be a surprise.
pub(crate) const COMMANDS_NOT_BUILT: [&str; 11] =
    ["lint", "terminate", "history", "show", "logs", "replay", "report", "cluster", "completions", "man", "help"];

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
