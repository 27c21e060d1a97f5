//! Opens what an operation needs: clock, cluster and session; and closes it again. Knows neither what is asked of the session nor who shows
//! it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use crate::cli::Speed;
use crate::clock::Clock;
use crate::engine::session::{self, Connector, Opening, OperationIds, SessionHandle, Terminal};
use crate::failure::{Exit, Failure};
use crate::manifest::LoadOptions;
use crate::scratch::Scratch;
use crate::sim::SimCluster;
use crate::sim::story::Story;

use super::job::{Job, Place};
use super::lua;
use super::setup::Settings;

/// How long a session that nobody listens to any more may take to come to its end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A session and everything that it stands on.
pub(super) struct World {
    pub(super) session: SessionHandle,
    pub(super) clock: Clock,
    pub(super) base: Base,
}

/// What a session stands on. Dropping it ends whatever still runs.
pub(super) struct Base {
    /// Everything that must not outlive the world.
    pub(super) tasks: JoinSet<()>,
    /// The session's loop, which comes to its own end.
    host: JoinSet<()>,
    cluster: Option<SimCluster>,
    scratch: Option<Scratch>,
}

impl World {
    /// Opens the session of a job. Must be called inside the runtime.
    pub(super) fn open(job: &Job, settings: &Settings, terminal: Terminal) -> Result<Self, Failure> {
        let mut host = JoinSet::new();
        let clock = clock(&job.place, settings);
        let (connector, cluster, operation_ids) = connect(job, settings, (clock, terminal));
        let scratch = if cluster.is_some() { Some(forgotten()?) } else { None };
        let state_dir = scratch.as_ref().map_or_else(|| settings.state_dir.clone(), |scratch| scratch.path().to_owned());
        // The embedded cluster has no Argo CD.
        let rules = lua::sources(settings, clock)?;
        let opening = Opening {
            app: job.app.clone(),
            namespace: job.namespace.clone(),
            source: job.source.clone(),
            load: LoadOptions {
                app: job.app.clone(),
                namespace: job.namespace.clone(),
                values: job.values.clone(),
                parameters: job.parameters.clone(),
            },
            revision: job.revision.clone(),
            state_dir,
            skip_unchanged: settings.loaded.config.skip_unchanged,
            read_only: settings.read_only(),
            protected: if cluster.is_some() { Vec::new() } else { settings.loaded.config.protected.clone() },
            unattended: super::is_headless(&settings.options) && !settings.options.yes,
            rules: if cluster.is_some() { rules.with_argocd_cm(None) } else { rules },
            clock,
            connector,
            operation_ids,
        };
        let session = session::open(opening, &mut host);
        Ok(Self { session, clock, base: Base { tasks: JoinSet::new(), host, cluster, scratch } })
    }

    /// Ends the session and waits for it a moment.
    pub(super) async fn close(self) {
        drop(self.session);
        self.base.close().await;
    }
}

impl Base {
    /// Ends what still runs, and the cluster last. The session has been dropped; what it is writing down gets a moment to be finished.
    pub(super) async fn close(self) {
        let Self { mut tasks, mut host, cluster, scratch } = self;
        let ended = tokio::time::timeout(LAST_WORDS, async { while host.join_next().await.is_some() {} });
        if ended.await.is_err() {
            tracing::warn!("the session was ended in the middle of an operation");
        }
        host.shutdown().await;
        tasks.shutdown().await;
        drop((cluster, scratch));
    }
}

/// Returns a sleep until so long after a time of a clock.
pub(super) fn until(clock: Clock, began: Timestamp, passed: Duration) -> impl Future<Output = ()> + Send + use<> {
    let at = SignedDuration::try_from(passed).ok().and_then(|passed| began.checked_add(passed).ok());
    async move { clock.sleep_until(at.unwrap_or(Timestamp::MIN)).await }
}

fn clock(place: &Place, settings: &Settings) -> Clock {
    match (place, settings.options.speed) {
        (Place::Kubeconfig, _) => Clock::real(),
        (Place::Embedded { story, .. }, Some(Speed::Times(times))) => Clock::starting_at(story.clock.start, times),
        (Place::Embedded { story, .. }, Some(Speed::Max)) => Clock::starting_at(story.clock.start, 1.0),
        (Place::Embedded { story, .. }, None) => Clock::starting_at(story.clock.start, story.clock.speed),
    }
}

fn connect(job: &Job, settings: &Settings, (clock, terminal): (Clock, Terminal)) -> (Connector, Option<SimCluster>, OperationIds) {
    match &job.place {
        Place::Kubeconfig => {
            let connector = Connector::Kubeconfig { file: settings.kubeconfig(), context: job.context.clone(), terminal };
            (connector, None, OperationIds::Random)
        }
        Place::Embedded { story, name } => {
            let seed = settings.options.seed.unwrap_or(story.seed);
            let cluster = SimCluster::start(&with_namespace(story, job), clock, seed);
            let connector = Connector::Client {
                client: cluster.client(),
                context: "embedded".to_owned(),
                cluster: "in process".to_owned(),
                namespace: story.sync.namespace.clone().unwrap_or_else(|| "default".to_owned()),
            };
            (connector, Some(cluster), OperationIds::Fixed(format!("{name}-{seed}")))
        }
    }
}

/// A cluster that nobody could prepare has the destination namespace already.
fn with_namespace(story: &Story, job: &Job) -> Story {
    let is_there = |name: &str| name == "default" || story.sync.namespace.as_deref() == Some(name);
    match job.namespace.as_deref() {
        Some(name) if !is_there(name) => {
            story.clone().with_objects([serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})])
        }
        Some(_) | None => story.clone(),
    }
}

/// A folder for the state of an embedded cluster, which is forgotten with it.
fn forgotten() -> Result<Scratch, Failure> {
    let place = std::env::temp_dir();
    Scratch::new(&place, "syncwave-embedded").map_err(|error| {
        let way = "set TMPDIR to a folder that can be written";
        Failure::new(Exit::Usage, format!("cannot make a folder in `{}`: {error}; {way}", place.display()))
    })
}
