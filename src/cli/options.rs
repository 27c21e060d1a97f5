//! The options and their values: how each is written, what it may be, and what its help says. Knows no commands beside the ones it is
//! flattened into; what an option means is decided in `crate::run`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::operation::Breakpoint;
use crate::plan::{HookSelector, Selector};

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
    #[command(flatten)]
    pub(crate) reading: ReadingOptions,
}

/// Options of how a target is read.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReadingOptions {
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
    #[command(flatten)]
    pub(crate) reading: ReadingOptions,
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
