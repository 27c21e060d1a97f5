//! One piece of work, checked: what is synced, planned or deleted, where, and with which request. Owns how options, the section of the
//! app and the configuration are weighed; opens nothing and reads no manifests.

use std::path::PathBuf;

use crate::cli::{Approval, DeleteOptions, Options as CliOptions, PlanOptions, Strategy, SyncOptions};
use crate::config;
use crate::demo::{self, Shipped};
use crate::failure::Failure;
use crate::manifest::Source;
use crate::model::Options;
use crate::operation::{Limits, Request, Retry};
use crate::plan::{Hooks, Kind, Selector};
use crate::sim::story::Story;

use super::setup::{Settings, unknown_story};
use super::target::{self, Target};

/// Which cluster.
#[derive(Debug)]
pub(super) enum Place {
    /// The kubeconfig's.
    Kubeconfig,
    /// The embedded one, as this story scripts it.
    Embedded { story: Box<Story>, name: &'static str },
}

/// What is synced or planned, and where.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) place: Place,
    pub(super) source: Source,
    pub(super) app: String,
    /// Context of the kubeconfig; `None`: the current one.
    pub(super) context: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) revision: Option<String>,
    pub(super) values: Vec<PathBuf>,
    pub(super) parameters: Vec<String>,
    pub(super) request: Request,
    /// Deletions that are confirmed in advance.
    pub(super) approvals: Vec<Approval>,
    /// What the person should know before anything begins.
    pub(super) notice: Option<String>,
    pub(super) kind: Kind,
    /// After a deletion: what a sync from the screens is asked with.
    pub(super) sync_later: Option<Request>,
}

impl Job {
    /// Returns what a sync or a plan of a target is.
    pub(super) fn of_target(target: String, plan: PlanOptions, sync: SyncOptions, settings: &Settings) -> Result<Self, Failure> {
        let (options, config) = (&settings.options, &settings.loaded.config);
        let Target { source, app: named, notice } = Target::find(&target, settings)?;
        let place = place(&target, options)?;
        let app = match (&options.app, named) {
            (Some(app), Some((name, _))) if app != name => {
                return Err(Failure::usage(format!("`{name}` is an app of the configuration already; leave `--app {app}` out")));
            }
            (Some(app), _) => checked_app(app)?,
            (None, Some((name, _))) => name.to_owned(),
            (None, None) => source.app_name().unwrap_or_else(|| "app".to_owned()),
        };
        let section = named.map(|(_, section)| section);
        let request = asked(&plan, &sync, target::request(config, section, &app))?;
        // An option beats the section, which beats what holds for all.
        let own = section.and_then(|section| section.context.clone()).filter(|_| options.context.is_none());
        Ok(Self {
            place,
            source,
            app,
            context: own.or_else(|| config.context.clone()),
            namespace: options.namespace.clone().or_else(|| section.and_then(|section| section.namespace.clone())),
            revision: plan.reading.revision,
            values: plan.reading.values,
            parameters: plan.reading.parameter,
            request,
            approvals: sync.approve,
            notice,
            kind: Kind::Sync,
            sync_later: None,
        })
    }

    /// Returns what the deletion of a target is.
    pub(super) fn of_deletion(target: String, deletion: DeleteOptions, settings: &Settings) -> Result<Self, Failure> {
        let DeleteOptions { timeout, approve, sync_option, reading } = deletion;
        let plan = PlanOptions { sync_option, reading, ..PlanOptions::default() };
        let sync = SyncOptions { approve, ..SyncOptions::default() };
        let job = Self::of_target(target, plan, sync, settings)?;
        let request = Request {
            options: job.request.options.clone(),
            limits: Limits { operation: timeout, ..Limits::default() },
            stall_after: job.request.stall_after,
            by: job.request.by.clone(),
            ..Request::deletion()
        };
        Ok(Self { sync_later: Some(job.request), request, kind: Kind::Delete, ..job })
    }

    /// Returns the playing of a story.
    pub(super) fn of_story(shipped: &'static Shipped, settings: &Settings) -> Result<Self, Failure> {
        let story = parse(shipped.script)?;
        let app = match &settings.options.app {
            Some(app) => checked_app(app)?,
            None => story.sync.app.clone().unwrap_or_else(|| shipped.name.to_owned()),
        };
        let selection = story.sync.resources.iter().map(|text| Selector::parse(text)).collect::<Result<Vec<_>, _>>();
        let selection = selection.map_err(Failure::usage)?;
        let request = Request {
            prune: story.sync.prune,
            selection: (!selection.is_empty()).then_some(selection),
            wave_delay: settings.loaded.config.wave_delay,
            stall_after: settings.loaded.config.stall_after,
            by: "demo".to_owned(),
            ..Request::default()
        };
        Ok(Self {
            source: shipped.source(),
            app,
            context: None,
            namespace: story.sync.namespace.clone(),
            revision: story.sync.revision.clone(),
            values: Vec::new(),
            parameters: Vec::new(),
            request,
            approvals: Vec::new(),
            notice: None,
            kind: Kind::Sync,
            sync_later: None,
            place: Place::Embedded { story: Box::new(story), name: shipped.name },
        })
    }
}

/// What is asked for: options, and where there are none what is usual.
fn asked(plan: &PlanOptions, sync: &SyncOptions, usual: Request) -> Result<Request, Failure> {
    let hooks = match (plan.strategy, plan.hooks) {
        (Some(Strategy::Apply), true) => {
            return Err(Failure::usage("`--hooks` runs hooks and `--strategy apply` runs none; leave one of them out"));
        }
        (Some(Strategy::Apply), false) => Hooks::Never,
        (Some(Strategy::Hook) | None, true) => Hooks::Always,
        (Some(Strategy::Hook) | None, false) => Hooks::Usual,
    };
    let retry = Retry {
        limit: sync.retry_limit.map_or(usual.retry.limit, |limit| u32::try_from(limit).ok()),
        duration: sync.retry_backoff_duration.unwrap_or(usual.retry.duration),
        factor: sync.retry_backoff_factor.unwrap_or(usual.retry.factor),
        max_duration: sync.retry_backoff_max_duration.unwrap_or(usual.retry.max_duration),
    };
    let limits = Limits {
        operation: sync.timeout.or(usual.limits.operation),
        phase: sync.phase_timeout.or(usual.limits.phase),
        hook: sync.hook_timeout.or(usual.limits.hook),
    };
    Ok(Request {
        prune: plan.prune || usual.prune,
        dry_run: sync.dry_run,
        force: plan.force,
        options: options(plan, &usual.options),
        selection: (!plan.resource.is_empty()).then(|| plan.resource.clone()),
        hooks,
        skip_hooks: plan.skip_hook.clone(),
        wave_delay: sync.wave_delay.unwrap_or(usual.wave_delay),
        retry,
        limits,
        pause_before: sync.pause_before.clone(),
        take_over: sync.take_over,
        by: user(),
        ..usual
    })
}

/// Options of the command line, and those of the configuration that have another name.
fn options(plan: &PlanOptions, usual: &Options) -> Options {
    let switches = [(plan.replace, "Replace=true"), (plan.server_side, "ServerSideApply=true")];
    let switches = switches.iter().filter(|(on, _)| *on).map(|(_, option)| (*option).to_owned());
    let given: Vec<String> = plan.sync_option.iter().cloned().chain(switches).collect();
    let name = |item: &str| item.split_once('=').map_or(item, |(name, _)| name).to_owned();
    let is_given = |item: &&String| given.iter().any(|own| name(own) == name(item));
    let rest: Vec<String> = usual.items().iter().filter(|item| !is_given(item)).cloned().collect();
    Options::new(given.into_iter().chain(rest))
}

fn place(target: &str, options: &CliOptions) -> Result<Place, Failure> {
    let Some(word) = options.embedded.as_deref() else {
        for (option, given) in [("--speed", options.speed.is_some()), ("--seed", options.seed.is_some())] {
            if given {
                return Err(Failure::usage(format!(
                    "`{option}` is for the embedded cluster; add `--embedded`, or play a story with `demo`"
                )));
            }
        }
        return Ok(Place::Kubeconfig);
    };
    for (option, given) in [("--kubeconfig", options.kubeconfig.is_some()), ("--context", options.context.is_some())] {
        if given {
            return Err(Failure::usage(format!("`--embedded` is a cluster of its own; leave `{option}` out")));
        }
    }
    let (name, script) = match Shipped::find(word) {
        Some(shipped) => (shipped.name, shipped.script),
        None if word.is_empty() || word == target => ("embedded", demo::PLAIN_CLUSTER),
        None => return Err(unknown_story(word)),
    };
    Ok(Place::Embedded { story: Box::new(parse(script)?), name })
}

/// Reads a script that is compiled in.
pub(super) fn parse((file, text): (&str, &str)) -> Result<Story, Failure> {
    let story = Story::parse(text, file).map_err(|error| Failure::usage(error.to_string()))?;
    match story.object_files().first() {
        None => Ok(story),
        Some(pattern) => {
            Err(Failure::usage(format!("{file}: `objects` names the files `{pattern}`; a shipped story has its objects in itself")))
        }
    }
}

fn checked_app(app: &str) -> Result<String, Failure> {
    config::app_name(app).map_err(Failure::usage)?;
    Ok(app.to_owned())
}

fn user() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}
#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_asked_for_beats_what_is_usual() {
        let usual = Request {
            prune: true,
            options: Options::new(["Validate=false", "PruneLast=true"].map(str::to_owned)),
            retry: Retry { limit: Some(1), factor: 3, ..Retry::default() },
            limits: Limits { hook: Some(Duration::from_secs(9)), phase: Some(Duration::from_secs(8)), ..Limits::default() },
            ..Request::default()
        };
        let plan = PlanOptions { replace: true, sync_option: vec!["Validate=true".into()], ..PlanOptions::default() };
        let sync = SyncOptions { retry_limit: Some(-1), hook_timeout: Some(Duration::from_secs(5)), ..SyncOptions::default() };
        let asked = asked(&plan, &sync, usual).unwrap();
        assert_eq!(asked.options.items(), ["Validate=true", "Replace=true", "PruneLast=true"]);
        assert_eq!((asked.prune, asked.retry.limit, asked.retry.factor), (true, None, 3));
        assert_eq!((asked.limits.hook, asked.limits.phase), (Some(Duration::from_secs(5)), Some(Duration::from_secs(8))));
    }
}
