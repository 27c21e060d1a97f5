//! What a TARGET stands for: a path, or an app of the configuration when there is no path of that name (cli.md), and what the
//! configuration sets for its sync.

use std::path::{Path, PathBuf};

use directories::BaseDirs;

use super::setup::Settings;
use crate::cli::{COMMANDS_NOT_BUILT, command_like};
use crate::config::{App, Config, HookSucceeded, Origin};
use crate::failure::Failure;
use crate::manifest::{ManifestError, Source};
use crate::model::Options;
use crate::operation::{Limits, Request, Retry};
use crate::plan::ignore::IgnoreRules;

/// A target that was found.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) source: Source,
    /// The app that was named.
    pub(super) app: Option<(&'a str, &'a App)>,
    /// What the person should know about the choice.
    pub(super) notice: Option<String>,
}

impl<'a> Target<'a> {
    /// Finds what a word stands for. A path wins, because a script that names one must not change its meaning with a configuration.
    pub(super) fn find(word: &str, settings: &'a Settings) -> Result<Self, Failure> {
        let Some((name, app)) = settings.loaded.config.apps.get_key_value(word) else {
            return Ok(Self { source: path(word, settings)?, app: None, notice: None });
        };
        let place = settings.loaded.origin(&format!("apps.{name}"), "source");
        if Path::new(word).exists() {
            let notice = format!(
                "`{word}` is a path here and an app ({place}); the path is taken, and of the app only its windows and its ignored \
                 differences hold; write `./{word}` for the path, or go to another folder for the app"
            );
            return Ok(Self { source: path(word, settings)?, app: None, notice: Some(notice) });
        }
        let source = Source::of(&beside(&settings.config_file, &app.source)).map_err(|error| unreadable(name, &place, &error))?;
        Ok(Self { source, app: Some((name, app)), notice: None })
    }
}

/// Refuses a word that stands where a command may stand, is nothing that there is, and is almost a command.
pub(super) fn refuse_misspelt(word: &str, settings: &Settings) -> Result<(), Failure> {
    let is_there = settings.loaded.config.apps.contains_key(word) || Path::new(word).exists();
    match command_like(word).filter(|_| !is_there) {
        Some(command) => Err(Failure::usage(format!(
            "`{word}` is neither a command, nor a path, nor an app of the configuration; did you mean the command `{command}`?"
        ))),
        None => Ok(()),
    }
}

fn path(word: &str, settings: &Settings) -> Result<Source, Failure> {
    Source::of(word).map_err(|error| {
        let apps: Vec<&str> = settings.loaded.config.apps.keys().map(String::as_str).collect();
        match error {
            ManifestError::Missing { .. } if COMMANDS_NOT_BUILT.contains(&word) => {
                Failure::usage(format!("the command `{word}` is not part of this version; `syncwave --help` lists those that are"))
            }
            ManifestError::Missing { .. } if !apps.is_empty() => {
                Failure::usage(format!("`{word}` is neither a path nor an app of the configuration; it has: {}", apps.join(", ")))
            }
            error => Failure::diagnostic(&error),
        }
    })
}

fn unreadable(name: &str, place: &Origin, error: &ManifestError) -> Failure {
    let why = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    Failure::usage(format!("the source of the app `{name}` cannot be used: {error}{why}; correct it in {place}"))
}

/// Returns a source of the configuration as a path: relative to the file's folder, `~/` for the home folder.
pub(super) fn beside(config_file: &Path, source: &str) -> String {
    if source == "-" {
        return source.to_owned();
    }
    let home = source.strip_prefix("~/").and_then(|rest| Some(BaseDirs::new()?.home_dir().join(rest)));
    let path = home.unwrap_or_else(|| config_file.parent().map_or_else(|| PathBuf::from(source), |folder| folder.join(source)));
    path.to_string_lossy().into_owned()
}

/// Returns what `[sync]` and the section of an app set for a sync; the section wins. Windows are those that may concern the name.
pub(super) fn request(config: &Config, app: Option<&App>, name: &str) -> Request {
    let retry = app.map(|app| app.retry).unwrap_or_default();
    let options = app.and_then(|app| app.sync_options.as_ref()).unwrap_or(&config.sync_options);
    Request {
        prune: app.and_then(|app| app.prune).unwrap_or(config.prune),
        options: Options::new(options.iter().cloned()),
        wave_delay: config.wave_delay,
        retry: Retry {
            limit: retry.limit.unwrap_or(config.retry_limit).0,
            duration: retry.duration.unwrap_or(config.retry_duration),
            factor: retry.factor.unwrap_or(config.retry_factor).0,
            max_duration: retry.max_duration.unwrap_or(config.retry_max_duration),
        },
        delete_succeeded_hooks_early: config.hook_succeeded == HookSucceeded::Hook,
        stall_after: config.stall_after,
        limits: Limits { operation: config.timeout.0, phase: config.phase_timeout.0, hook: config.hook_timeout.0 },
        windows: config.windows_of(name),
        ignore: IgnoreRules::new(config.ignored_by(name).iter().cloned()),
        ..Request::default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{RetryLimit, TimeLimit};

    #[test]
    fn a_source_stands_beside_the_configuration() {
        let beside = |source| beside(Path::new("/etc/syncwave/config.toml"), source);
        assert_eq!(beside("deploy/"), "/etc/syncwave/deploy/");
        assert_eq!(beside("/srv/deploy"), "/srv/deploy");
        assert_eq!(beside("-"), "-");
        assert!(!beside("~/deploy").contains('~') || BaseDirs::new().is_none());
    }

    #[test]
    fn without_any_configuration_a_sync_has_the_defaults_of_the_engine() {
        let usual = Request { stall_after: Duration::from_secs(120), ..Request::default() };
        assert_eq!(request(&Config::default(), None, "shop"), usual);
    }

    /// Spec R1002: an app's own retries count whole, else those of all syncs, else none.
    #[test]
    fn the_section_of_an_app_beats_that_of_all_syncs() {
        let config = Config {
            prune: true,
            sync_options: vec!["Validate=false".into()],
            retry_limit: RetryLimit(Some(1)),
            timeout: TimeLimit(Some(Duration::from_secs(60))),
            ..Config::default()
        };
        let app = App { prune: Some(false), sync_options: Some(vec!["PruneLast=true".into()]), ..App::default() };
        let mut own = app.clone();
        own.retry.limit = Some(RetryLimit(None));
        own.retry.duration = Some(Duration::from_secs(9));
        let request = |app| request(&config, app, "shop");
        let (all, some) = (request(None), request(Some(&own)));
        assert_eq!((all.prune, all.options.items(), all.retry.limit), (true, &["Validate=false".to_owned()][..], Some(1)));
        assert_eq!((some.prune, some.options.items(), some.retry.limit), (false, &["PruneLast=true".to_owned()][..], None));
        assert_eq!((some.retry.duration, some.retry.factor), (Duration::from_secs(9), 2));
        assert_eq!(some.limits.operation, Some(Duration::from_secs(60)));
        assert_eq!(request(Some(&app)).retry, all.retry);
    }
}
