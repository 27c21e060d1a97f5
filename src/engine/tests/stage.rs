//! A session over the embedded cluster, on paused time: asks it, collects its facts and log lines.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::engine::rules::RuleSources;
use crate::engine::session::{Answer, Ask, Connector, Opening, OperationIds, SessionHandle, Waiting, open};
use crate::manifest::{LoadOptions, Source};
use crate::model::{ResultCode, TaskState};
use crate::operation::{Event, LogContent, LogLine, Operation, Record, Request};
use crate::sim::story::Story;
use crate::sim::{Match, Outcome, Rule, SimCluster};

/// Longer than anything here takes on the cluster's clock.
pub(super) const LONG: Duration = Duration::from_secs(3_600);

pub(super) struct Stage {
    pub(super) sim: SimCluster,
    pub(super) folder: tempfile::TempDir,
    pub(super) tasks: JoinSet<()>,
    pub(super) session: SessionHandle,
    pub(super) records: Vec<Arc<Record>>,
    pub(super) lines: Vec<LogLine>,
    pub(super) operation: Option<Operation>,
    /// What was said to be waited for; `None`: not any more.
    pub(super) waits: Vec<Option<Waiting>>,
    pub(super) opening: Opening,
}

impl Stage {
    pub(super) fn new(pods: &str, manifests: &str) -> Self {
        Self::with(pods, manifests, |_| {})
    }

    pub(super) fn with(pods: &str, manifests: &str, change: impl FnOnce(&mut Opening)) -> Self {
        Self::of_story(&format!("objects: [{{apiVersion: v1, kind: Namespace, metadata: {{name: shop}}}}]\n{pods}"), manifests, change)
    }

    /// A cluster that holds only what its story says.
    pub(super) fn of_story(story: &str, manifests: &str, change: impl FnOnce(&mut Opening)) -> Self {
        let clock = Clock::starting_at("2026-03-01T09:00:00Z".parse().unwrap(), 1.0);
        let story = format!("apiVersion: sim/v1\nkind: Scenario\nmetadata: {{name: test}}\n{story}");
        let sim = SimCluster::start(&Story::parse(&story, "story.yaml").unwrap(), clock, 7);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("app.yaml");
        std::fs::write(&file, manifests).unwrap();
        let mut opening = Opening {
            app: "web".into(),
            namespace: Some("shop".into()),
            source: Source::File(file),
            load: LoadOptions::default(),
            revision: Some("4c1d0aa97f3e52b1".into()),
            state_dir: folder.path().join("state"),
            read_only: None,
            protected: vec!["*prod*".into()],
            unattended: false,
            rules: RuleSources::default(),
            clock,
            connector: Connector::Client {
                client: sim.client(),
                context: "embedded".into(),
                cluster: "in process".into(),
                namespace: "default".into(),
            },
            skip_unchanged: true,
            operation_ids: OperationIds::Fixed("web-7".into()),
        };
        change(&mut opening);
        let mut tasks = JoinSet::new();
        let session = open(opening.clone(), &mut tasks);
        Self { sim, folder, tasks, session, records: Vec::new(), lines: Vec::new(), operation: None, waits: Vec::new(), opening }
    }

    /// The program is killed in the middle of whatever it does, and started again; ids of its operations begin with `prefix`.
    pub(super) async fn restart(&mut self, prefix: &str) {
        // The process takes no leave.
        self.tasks.shutdown().await;
        // What the session's loop had started is dropped when its turn comes.
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.session = self.another(prefix);
        self.records.clear();
        self.operation = None;
    }

    /// Opens another session on the same cluster and state folder.
    pub(super) fn another(&mut self, prefix: &str) -> SessionHandle {
        self.opening.operation_ids = OperationIds::Fixed(prefix.to_owned());
        open(self.opening.clone(), &mut self.tasks)
    }

    /// Somebody else changes a Job.
    pub(super) fn change_job(&self, name: &str, change: impl FnOnce(&mut serde_json::Value)) {
        self.sim.store().update("somebody", "batch", "jobs", "shop", name, change).unwrap();
    }

    /// Sentences that the operation has told, without those of tasks.
    pub(super) fn told(&self) -> Vec<&str> {
        let told = self.records.iter().filter_map(|record| match &record.event {
            Event::Warned { task: None, text } => Some(text.as_str()),
            _ => None,
        });
        told.collect()
    }

    /// Names of Jobs that carry a hook finalizer of ours.
    pub(super) fn locked(&self) -> Vec<String> {
        let is_locked = |job: &serde_json::Value| job["metadata"]["finalizers"].to_string().contains("syncwave.dev/hook-finalizer");
        let jobs = self.sim.store().list("batch", "jobs", Some("shop"));
        jobs.iter().filter(|job| is_locked(job)).map(|job| job["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Names of all Jobs.
    pub(super) fn jobs(&self) -> Vec<String> {
        let jobs = self.sim.store().list("batch", "jobs", Some("shop"));
        jobs.iter().map(|job| job["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }

    pub(super) fn write(&self, manifests: &str) {
        std::fs::write(self.folder.path().join("app.yaml"), manifests).unwrap();
    }

    pub(super) fn fault(&self, verb: &str, resource: &str, then: Outcome) {
        let when = Match { verbs: vec![verb.into()], resource: Some(resource.into()), ..Match::default() };
        self.sim.faults().add(Rule { when, then });
    }

    pub(super) async fn ask(&mut self, ask: Ask) {
        self.session.asks.send(ask).await.unwrap();
    }

    pub(super) async fn answer(&mut self) -> Answer {
        loop {
            match tokio::time::timeout(LONG, self.session.answers.recv()).await.unwrap().unwrap() {
                Answer::Waiting(waiting) => self.waits.push(waiting),
                answer => return answer,
            }
        }
    }

    pub(super) async fn start(&mut self, request: Request) {
        self.ask(Ask::Sync { request }).await;
        match self.answer().await {
            Answer::Started { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    /// Syncs to the end and returns the operation.
    pub(super) async fn sync(&mut self, request: Request) -> Operation {
        self.start(request).await;
        self.until(|event| matches!(event, Event::OperationFinished { .. })).await;
        self.operation.clone().unwrap()
    }

    /// Deletes the app to the end and returns the operation.
    pub(super) async fn delete(&mut self) -> Operation {
        self.start_deletion().await;
        self.until(|event| matches!(event, Event::OperationFinished { .. })).await;
        self.operation.clone().unwrap()
    }

    pub(super) async fn start_deletion(&mut self) {
        self.ask(Ask::Delete { request: Request::deletion() }).await;
        match self.answer().await {
            Answer::Started { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    /// The program is killed in the middle of whatever it does, and started again.
    pub(super) async fn kill(&mut self) {
        self.tasks.shutdown().await;
        self.session = open(self.opening.clone(), &mut self.tasks);
        self.operation = None;
    }

    /// Takes facts and lines until a fact comes that is meant.
    pub(super) async fn until(&mut self, is_meant: impl Fn(&Event) -> bool) {
        tokio::time::timeout(LONG, self.take(is_meant)).await.unwrap_or_else(|_| panic!("it never came; {:#?}", self.tail()));
        while let Ok(line) = self.session.subscription.logs.try_recv() {
            self.lines.push(line);
        }
    }

    pub(super) async fn take(&mut self, is_meant: impl Fn(&Event) -> bool) {
        loop {
            let record = tokio::select! {
                biased;
                line = self.session.subscription.logs.recv() => {
                    self.lines.extend(line);
                    continue;
                }
                record = self.session.subscription.facts.recv() => record.unwrap(),
            };
            match &mut self.operation {
                Some(operation) if operation.id() == &record.operation => operation.apply(&record),
                _ => self.operation = Operation::start(&record),
            }
            self.records.push(record.clone());
            if is_meant(&record.event) {
                return;
            }
        }
    }

    pub(super) fn tail(&self) -> Vec<&Event> {
        self.records.iter().rev().take(12).map(|record| &record.event).collect()
    }

    pub(super) fn texts(&self) -> Vec<String> {
        let text = |line: &LogLine| match &line.content {
            LogContent::Line { text, .. } => String::from_utf8_lossy(text).into_owned(),
            LogContent::Dropped(count) => format!("{count} missing"),
        };
        self.lines.iter().map(text).collect()
    }

    pub(super) fn position(&self, is_meant: impl Fn(&Event) -> bool) -> Option<usize> {
        self.records.iter().position(|record| is_meant(&record.event))
    }

    pub(super) fn results(&self) -> Vec<(String, ResultCode, TaskState, String)> {
        let operation = self.operation.as_ref().unwrap();
        operation.results().iter().map(|result| (result.task.key.short(), result.code, result.state, result.message.clone())).collect()
    }

    /// Nothing that the program started outlives its owner.
    pub(super) async fn close(self) {
        let Self { session, mut tasks, .. } = self;
        drop(session);
        tokio::time::timeout(LONG, async { while tasks.join_next().await.is_some() {} }).await.unwrap();
    }
}
