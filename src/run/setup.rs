//! What the person wants, checked: command line and configuration become settings and one piece of work. Every contradiction ends
//! here or in [`super::job`], with a sentence, before anything is opened.

use std::path::PathBuf;

use directories::ProjectDirs;

use crate::cli::{Command, Options as CliOptions, PlanOptions, Speed, SyncOptions};
use crate::config::{self, Presence, Value};
use crate::demo::{self, Shipped};
use crate::failure::Failure;

use super::job::Job;
use super::target;

/// What holds for every command.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) options: CliOptions,
    pub(super) loaded: config::Loaded,
    pub(super) config_file: PathBuf,
    pub(super) state_dir: PathBuf,
}

/// What to do.
#[derive(Debug)]
pub(super) enum Work {
    /// Play a story.
    Demo(Box<Job>),
    Sync(Box<Job>),
    Plan(Box<Job>),
    /// Print the permissions that a plan needs.
    Rights(Box<Job>),
    Diff(Box<Job>),
    /// Delete the app.
    Delete(Box<Job>),
    /// Open the screens on a target.
    Open(Box<Job>),
    /// Open the gallery of stories.
    Gallery,
}

impl Settings {
    /// Reads the configuration and puts the options on top.
    pub(super) fn load(options: CliOptions) -> Result<Self, Failure> {
        let folders = ProjectDirs::from("", "", "syncwave");
        let (config_file, presence) = match (&options.config, &folders) {
            (Some(file), _) => (file.clone(), Presence::Required),
            (None, Some(folders)) => (folders.config_dir().join("config.toml"), Presence::Optional),
            (None, None) => (PathBuf::from("syncwave.toml"), Presence::Optional),
        };
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let mut loaded = config::load(&config_file, presence, variables).map_err(|error| Failure::diagnostic(&error))?;
        override_with(&mut loaded, &options);
        let state_dir = match (&options.state_dir, &folders) {
            (Some(folder), _) => folder.clone(),
            (None, Some(folders)) => folders.state_dir().unwrap_or(folders.data_local_dir()).to_owned(),
            (None, None) => std::env::temp_dir().join("syncwave"),
        };
        Ok(Self { options, loaded, config_file, state_dir })
    }

    /// Returns why nothing may be written, if so.
    pub(super) fn read_only(&self) -> Option<String> {
        self.loaded.config.read_only.then(|| format!("read-only is set ({})", self.loaded.origin("safety", "read_only")))
    }

    /// Returns the kubeconfig file; `~/` stands for the home folder.
    pub(super) fn kubeconfig(&self) -> Option<PathBuf> {
        let file = self.loaded.config.kubeconfig.clone()?;
        let home = file.strip_prefix("~").ok().and_then(|rest| Some(directories::BaseDirs::new()?.home_dir().join(rest)));
        Some(home.unwrap_or(file))
    }
}

fn override_with(loaded: &mut config::Loaded, options: &CliOptions) {
    if let Some(context) = &options.context {
        loaded.override_with("--context", "cluster", "context", Value::Text(context.clone()));
    }
    if let Some(file) = &options.kubeconfig {
        loaded.override_with("--kubeconfig", "cluster", "kubeconfig", Value::Text(file.display().to_string()));
    }
    if options.read_only {
        loaded.override_with("--read-only", "safety", "read_only", Value::Flag(true));
    }
    if options.no_color {
        loaded.override_with("--no-color", "ui", "color", Value::Flag(false));
    }
}

impl Work {
    /// Returns what the person should know before it begins.
    pub(super) fn notice(&self) -> Option<&str> {
        match self {
            Self::Demo(job)
            | Self::Sync(job)
            | Self::Plan(job)
            | Self::Diff(job)
            | Self::Rights(job)
            | Self::Delete(job)
            | Self::Open(job) => job.notice.as_deref(),
            Self::Gallery => None,
        }
    }

    /// Decides what to do.
    pub(super) fn of(command: Option<Command>, target: Option<String>, settings: &Settings) -> Result<Self, Failure> {
        let options = &settings.options;
        if let (Some(_), Some(target)) = (&command, &target) {
            return Err(Failure::usage(format!("`{target}` stands before the command; write the command first, then its TARGET")));
        }
        match command {
            Some(Command::Demo { story }) => demo(story.as_deref(), settings),
            Some(Command::Sync { target, plan, sync }) => {
                Ok(Self::Sync(Box::new(Job::of_target(named(target, "sync", options)?, plan, sync, settings)?)))
            }
            Some(Command::Delete { target, deletion }) => {
                Ok(Self::Delete(Box::new(Job::of_deletion(named(target, "delete", options)?, deletion, settings)?)))
            }
            Some(Command::Plan { target, plan, rbac }) => {
                let job = Box::new(Job::of_target(named(target, "plan", options)?, plan, SyncOptions::default(), settings)?);
                Ok(if rbac { Self::Rights(job) } else { Self::Plan(job) })
            }
            Some(Command::Diff { target, plan }) => {
                Ok(Self::Diff(Box::new(Job::of_target(named(target, "diff", options)?, plan, SyncOptions::default(), settings)?)))
            }
            Some(Command::Config { .. } | Command::Health { .. }) | None => open(target, settings),
        }
    }
}

fn open(target: Option<String>, settings: &Settings) -> Result<Work, Failure> {
    if let Some(target) = &target {
        target::refuse_misspelt(target, settings)?;
    }
    if super::is_headless(&settings.options) {
        return Err(Failure::usage(match target {
            Some(target) => format!("the screens need a terminal; use `syncwave sync {target}` or `syncwave plan {target}`"),
            None => "the screens need a terminal; use `syncwave demo`, `syncwave sync TARGET` or `syncwave plan TARGET`".to_owned(),
        }));
    }
    refuse_max_speed(&settings.options)?;
    // `--embedded` takes the next word for its story; one that is none is meant as the target.
    let word = settings.options.embedded.as_deref().filter(|word| !word.is_empty() && Shipped::find(word).is_none());
    let Some(target) = target.or_else(|| word.map(str::to_owned)) else { return Ok(Work::Gallery) };
    Ok(Work::Open(Box::new(Job::of_target(target, PlanOptions::default(), SyncOptions::default(), settings)?)))
}

fn demo(story: Option<&str>, settings: &Settings) -> Result<Work, Failure> {
    let options = &settings.options;
    for (option, given) in [
        ("--embedded", options.embedded.is_some()),
        ("--kubeconfig", options.kubeconfig.is_some()),
        ("--context", options.context.is_some()),
        ("--namespace", options.namespace.is_some()),
    ] {
        if given {
            return Err(Failure::usage(format!("`demo` plays on a cluster of its own; leave `{option}` out")));
        }
    }
    if !super::is_headless(options) {
        refuse_max_speed(options)?;
        if story.is_none() {
            return Ok(Work::Gallery);
        }
    }
    let name = story.unwrap_or(demo::FIRST);
    let shipped = Shipped::find(name).ok_or_else(|| unknown_story(name))?;
    Ok(Work::Demo(Box::new(Job::of_story(shipped, settings)?)))
}

fn refuse_max_speed(options: &CliOptions) -> Result<(), Failure> {
    if options.speed == Some(Speed::Max) {
        return Err(Failure::usage(
            "`--speed max` leaves nothing to see on the screens; add `--headless`, or give a number, for example `--speed 10`",
        ));
    }
    Ok(())
}

pub(super) fn unknown_story(name: &str) -> Failure {
    Failure::usage(format!("there is no story `{name}`; choose one of: {}", demo::names()))
}

/// `--embedded` takes the next word for its story; a target there is meant as the target.
fn named(target: Option<String>, command: &str, options: &CliOptions) -> Result<String, Failure> {
    if let Some(target) = target {
        return Ok(target);
    }
    match options.embedded.as_deref() {
        Some(word) if !word.is_empty() && Shipped::find(word).is_none() => Ok(word.to_owned()),
        Some(_) | None => Err(Failure::usage(format!(
            "`{command}` needs a TARGET: an app of the configuration, a file, a folder, a kustomization, a Helm chart, or `-` for standard input"
        ))),
    }
}
