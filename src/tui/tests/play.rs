//! Plays operations for tests of screens: facts in the order in which an engine would publish them, at times that the test chooses.

use std::collections::BTreeMap;
use std::sync::Arc;

use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use serde_json::json;

use crate::engine::session::{Action, Answer, Ask, Place, Planned};
use crate::model::{
    Assessment, Container, ContainerState, Health, HealthStatus, Kinds, Live, Object, Occurrence, OperationPhase, Origin, Phase, PodView,
    ResourceKey, ResultCode, TaskId, TaskState, Traits, Wave, annotation,
};
use crate::operation::{Event, LogContent, LogLine, Record, Request, Step, StepOutcome};
use crate::plan::impact::Impact;
use crate::plan::{Candidate, Manifest, Plan, PlanInput, Shape};
use crate::tui::app::{App, Begin, Effect, Msg};
use crate::tui::model::Story;
use crate::tui::theme::Look;
use crate::tui::views::diff::work::Job;

pub(super) const START: &str = "2026-03-01T12:03:46Z";

/// A manifest, written short.
pub(super) fn object(kind: &str, name: &str, wave: i64, hook: &str) -> Manifest {
    let api_version = match kind {
        "Job" => "batch/v1",
        "Deployment" => "apps/v1",
        "Ingress" => "networking.k8s.io/v1",
        "HorizontalPodAutoscaler" => "autoscaling/v2",
        "CronJob" => "batch/v1",
        _ => "v1",
    };
    let mut annotations = BTreeMap::new();
    if wave != 0 {
        annotations.insert(annotation::SYNC_WAVE, wave.to_string());
    }
    if !hook.is_empty() {
        annotations.insert(annotation::HOOK, hook.to_owned());
    }
    let metadata = json!({"name": name, "namespace": "shop", "annotations": annotations});
    Manifest {
        object: Object::new(json!({"apiVersion": api_version, "kind": kind, "metadata": metadata})),
        origin: Origin { file: format!("deploy/{name}.yaml").into(), line: 1 },
    }
}

/// The app of the design's pictures.
pub(super) fn orders() -> Vec<Manifest> {
    vec![
        object("ServiceAccount", "migrator", -1, "PreSync"),
        object("Job", "db-migrate", 0, "PreSync"),
        object("ServiceAccount", "orders-api", -1, ""),
        object("ConfigMap", "orders-config", 0, ""),
        object("Secret", "orders-env", 0, ""),
        object("Service", "orders-api", 0, ""),
        object("Deployment", "orders-worker", 1, ""),
        object("Deployment", "orders-api", 1, ""),
        object("HorizontalPodAutoscaler", "orders-api", 2, ""),
        object("Ingress", "orders", 2, ""),
        object("CronJob", "orders-cleanup", 5, ""),
        object("Job", "smoke-test", 0, "PostSync"),
        object("Job", "notify", 1, "PostSync"),
        object("Job", "page-oncall", 0, "SyncFail"),
    ]
}

/// Makes the plan of manifests; `extra` are objects without one.
pub(super) fn plan(manifests: &[Manifest], extra: &[&str]) -> Plan {
    let candidates: Vec<Candidate> = extra
        .iter()
        .map(|name| Candidate {
            key: ResourceKey::new("", "ConfigMap", "shop", name),
            version: "v1".into(),
            live: live(7, HealthStatus::Healthy, ""),
        })
        .collect();
    Plan::build(&PlanInput {
        app: "orders-api",
        namespace: "shop",
        revision: "9f31c2d0aa97f3e5",
        operation: "op",
        started_at: START.parse().unwrap(),
        manifests,
        kinds: &Kinds::default(),
        candidates: &candidates,
        selection: None,
        shape: &Shape::default(),
    })
}

pub(super) fn place() -> Place {
    Place {
        app: "orders-api".into(),
        context: "kind-dev".into(),
        cluster: "https://127.0.0.1:6443".into(),
        namespace: "shop".into(),
        source: "kustomize overlays/dev".into(),
        revision: "9f31c2d0aa97f3e5".into(),
        read_only: None,
        protected: false,
    }
}

pub(super) fn live(version: u64, status: HealthStatus, message: &str) -> Live {
    judged("ConfigMap", version, status, message)
}

/// The rule that the program brings along for a kind.
fn own_rule(key: &ResourceKey) -> String {
    if key.group.is_empty() { key.kind.to_string() } else { format!("{}/{}", key.group, key.kind) }
}

/// A live object as this rule judges it.
fn judged(rule: &str, version: u64, status: HealthStatus, message: &str) -> Live {
    Live {
        uid: format!("uid-{version}").into(),
        resource_version: version,
        generation: None,
        observed_generation: None,
        deletion: None,
        finalizers: Vec::new(),
        traits: Traits::of(&Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap"}))),
        operation: None,
        app: None,
        assessment: Assessment::Known(Health { status, message: message.to_owned(), rule: rule.to_owned() }),
    }
}

/// An app on a screen, and the operation that it shows.
pub(super) struct Play {
    pub(super) app: App,
    pub(super) plan: Arc<Plan>,
    pub(super) place: Place,
    pub(super) now: Timestamp,
    pub(super) size: Size,
    pub(super) asks: Vec<Ask>,
    pub(super) others: Vec<Effect>,
    /// Why no sync may begin.
    pub(super) blocked: Option<String>,
    /// What tasks do beyond their objects, by the names of these.
    pub(super) effects: Vec<(&'static str, Impact)>,
    /// Work beside the frames waits until the test does it.
    pub(super) is_slow: bool,
    pub(super) jobs: Vec<Job>,
    operation: Arc<str>,
    seq: u64,
    version: u64,
}

impl Play {
    /// Opens a target and answers its plan.
    pub(super) fn open(manifests: &[Manifest], extra: &[&str]) -> Self {
        Self::with(App::new(Look { ascii: false, monochrome: true }), manifests, extra, place())
    }

    pub(super) fn with(app: App, manifests: &[Manifest], extra: &[&str], place: Place) -> Self {
        let mut play = Self::asked(app, manifests, extra, place);
        play.answer_plan();
        play
    }

    /// Opens a session whose plan is not there yet.
    pub(super) fn unplanned() -> Self {
        Self::asked(App::new(Look { ascii: false, monochrome: true }), &orders(), &[], place())
    }

    fn asked(app: App, manifests: &[Manifest], extra: &[&str], place: Place) -> Self {
        let mut play = Self {
            app,
            plan: Arc::new(plan(manifests, extra)),
            place,
            now: START.parse().unwrap(),
            size: Size::new(80, 24),
            asks: Vec::new(),
            others: Vec::new(),
            blocked: None,
            effects: Vec::new(),
            is_slow: false,
            jobs: Vec::new(),
            operation: "op-1".into(),
            seq: 0,
            version: 100,
        };
        let request = Request { by: "alice".to_owned(), ..Request::default() };
        play.app.open("deploy/".to_owned(), request, Begin::Nothing);
        play.collect();
        play
    }

    /// Answers the oldest plan that was asked for.
    pub(super) fn answer_plan(&mut self) {
        let actions = self.plan.tasks.iter().enumerate().map(|(at, task)| {
            let action = match (task.is_hook(), task.is_prune()) {
                (true, _) => Action::Run,
                (_, true) => Action::Prune,
                _ if at % 3 == 0 => Action::Unchanged,
                _ if at % 3 == 1 => Action::Configure,
                _ => Action::Create,
            };
            (task.id.clone(), action)
        });
        let mut effects: BTreeMap<TaskId, Vec<Impact>> = BTreeMap::new();
        for (name, effect) in &self.effects {
            let task = self.plan.tasks.iter().find(|task| *task.id.key.name == **name && !task.is_hook()).unwrap();
            effects.entry(task.id.clone()).or_default().push(effect.clone());
        }
        let planned = Planned {
            actions: actions.collect(),
            effects,
            blocked: self.blocked.clone(),
            ..Planned::new(self.place.clone(), self.plan.clone(), Vec::new())
        };
        self.tell(Answer::Planned(Arc::new(planned)));
    }

    pub(super) fn tell(&mut self, answer: Answer) {
        self.app.update(Msg::Answer(answer));
        self.collect();
    }

    fn collect(&mut self) {
        for effect in self.app.take_effects() {
            match effect {
                Effect::Ask(ask) => self.asks.push(ask),
                Effect::Work(job) => self.jobs.push(job),
                other => self.others.push(other),
            }
        }
    }

    /// Publishes a fact.
    pub(super) fn fact(&mut self, event: Event) -> &mut Self {
        self.seq += 1;
        let record = Record { operation: self.operation.clone(), seq: self.seq, at: self.now, event };
        self.app.update(Msg::Facts(&mut vec![Arc::new(record)]));
        self
    }

    pub(super) fn start(&mut self) -> &mut Self {
        let request = Request { by: "alice".to_owned(), ..Request::default() };
        self.start_with(request)
    }

    pub(super) fn start_with(&mut self, request: Request) -> &mut Self {
        let plan = self.plan.clone();
        self.fact(Event::OperationStarted {
            asked_at: self.now,
            plan,
            request: Arc::new(request),
            context: "kind-dev".into(),
            cluster: "https://127.0.0.1:6443".into(),
        });
        self.fact(Event::WatchesOpened { polled: Vec::new() }).fact(Event::DryPassFinished)
    }

    /// Begins another operation.
    pub(super) fn again(&mut self, id: &str) -> &mut Self {
        self.operation(id);
        self.start()
    }

    /// The facts that follow are of this operation.
    pub(super) fn operation(&mut self, id: &str) {
        self.operation = id.into();
        self.seq = 0;
    }

    pub(super) fn after(&mut self, seconds: f64) -> &mut Self {
        self.settle();
        self.now += SignedDuration::from_secs_f64(seconds);
        self
    }

    /// Returns the task of this kind and name.
    pub(super) fn task(&self, name: &str) -> TaskId {
        let (kind, name) = name.split_once('/').unwrap();
        let found = self.plan.tasks.iter().find(|task| *task.id.key.kind == *kind && *task.id.key.name == *name);
        found.unwrap_or_else(|| panic!("no task {kind}/{name}")).id.clone()
    }

    pub(super) fn wave(&mut self, phase: Phase, wave: i64) -> &mut Self {
        if self.app.model.operations().next().unwrap().operation().unwrap().phase_span(phase).is_none() {
            self.fact(Event::PhaseStarted { phase });
        }
        self.fact(Event::WaveStarted { phase, wave: Wave(wave) })
    }

    pub(super) fn wave_done(&mut self, phase: Phase, wave: i64) -> &mut Self {
        self.fact(Event::WaveFinished { phase, wave: Wave(wave) })
    }

    pub(super) fn phase_done(&mut self, phase: Phase, result: TaskState) -> &mut Self {
        self.fact(Event::PhaseFinished { phase, result })
    }

    /// The server takes an object; it is not healthy yet if it has a health.
    pub(super) fn apply(&mut self, name: &str, message: &str) -> &mut Self {
        let task = self.task(name);
        self.version += 1;
        let live = judged(&own_rule(&task.key), self.version, HealthStatus::Progressing, "");
        self.fact(Event::StepStarted { task: task.clone(), step: Step::Apply });
        let outcome = StepOutcome::Done { message: message.to_owned(), live: Some(Box::new(live)) };
        self.fact(Event::StepFinished { task, step: Step::Apply, outcome })
    }

    pub(super) fn health(&mut self, name: &str, status: HealthStatus, message: &str) -> &mut Self {
        let key = self.task(name).key;
        self.version += 1;
        let live = judged(&own_rule(&key), self.version, status, message);
        self.fact(Event::LiveObserved { key, live: Box::new(live) })
    }

    pub(super) fn change(&mut self, name: &str, state: TaskState, message: &str) -> &mut Self {
        let task = self.task(name);
        self.fact(Event::TaskChanged { task, code: ResultCode::Synced, state, message: message.to_owned() })
    }

    /// Applied and done in one go.
    pub(super) fn done(&mut self, name: &str, message: &str) -> &mut Self {
        self.apply(name, message).health(name, HealthStatus::Healthy, "").change(name, TaskState::Succeeded, "")
    }

    pub(super) fn pod(&mut self, owner: &str, name: &str, phase: &str, state: ContainerState) -> &mut Self {
        let owner = self.task(owner).key;
        let ready = matches!(state, ContainerState::Running { .. }) && phase == "Running" && !name.ends_with("x2x1m");
        let container = Container { name: "app".into(), init: false, state, ready, restarts: 0 };
        let pod = PodView {
            namespace: "shop".into(),
            name: name.into(),
            uid: format!("uid-{name}").into(),
            owner,
            phase: phase.to_owned(),
            created: Some(self.now),
            deleting: false,
            unscheduled: None,
            containers: vec![container],
        };
        self.fact(Event::PodObserved { pod })
    }

    pub(super) fn warning(&mut self, owner: &str, pod: &str, reason: &str, message: &str, count: u32) -> &mut Self {
        let owner = self.task(owner).key;
        let occurrence = Occurrence {
            about: ResourceKey::new("", "Pod", "shop", pod),
            owner,
            warning: true,
            reason: reason.to_owned(),
            message: message.to_owned(),
            count,
            at: Some(self.now),
        };
        self.fact(Event::Occurred { occurrence })
    }

    pub(super) fn waiting(&mut self, on: &[&str]) -> &mut Self {
        let on: Vec<TaskId> = on.iter().map(|name| self.task(name)).collect();
        let is_prune = on[0].role == crate::model::Role::Prune;
        let message = format!("waiting for {}{}", if is_prune { "pruning confirmation of " } else { "" }, on[0].key.in_message());
        self.fact(Event::Waiting { message, on })
    }

    pub(super) fn open_log(&mut self, name: &str, pod: &str, attempt: u32) -> &mut Self {
        let task = self.task(name);
        let uid = format!("uid-{pod}").into();
        self.fact(Event::LogOpened { task, pod: pod.into(), uid, container: "app".into(), pod_attempt: attempt })
    }

    pub(super) fn print(&mut self, name: &str, pod: &str, attempt: u32, lines: &[&str]) -> &mut Self {
        let task = self.task(name);
        for (at, line) in lines.iter().enumerate() {
            let time = self.now + SignedDuration::from_millis(at as i64 * 100);
            let line = LogLine {
                operation: self.operation.clone(),
                task: task.clone(),
                pod: pod.into(),
                container: "app".into(),
                attempt: 1,
                pod_attempt: attempt,
                at: time,
                log_time: Some(time),
                content: LogContent::Line { text: line.as_bytes().into(), continued: false },
            };
            self.app.update(Msg::Lines(&mut vec![line]));
        }
        self
    }

    pub(super) fn finish(&mut self, phase: OperationPhase, message: &str) -> &mut Self {
        self.fact(Event::Concluded { phase, message: message.to_owned(), cleanup: None });
        self.fact(Event::OperationFinished { phase, message: message.to_owned() })
    }

    /// Presses keys: `s`, `ctrl-k`, `enter`, or words in quotes to be typed.
    pub(super) fn press(&mut self, keys: &str) -> &mut Self {
        for text in keys.split_whitespace() {
            if let Some(word) = text.strip_prefix('\'') {
                word.chars().for_each(|letter| self.key(KeyCode::Char(letter), KeyModifiers::NONE));
            } else {
                let (code, modifiers) = key(text);
                self.key(code, modifiers);
            }
        }
        self
    }

    fn key(&mut self, code: KeyCode, modifiers: KeyModifiers) {
        self.settle();
        self.app.update(Msg::Terminal(Input::Key(KeyEvent::new(code, modifiers))));
        self.collect();
    }

    pub(super) fn settle(&mut self) {
        self.app.settle(self.now, self.size);
        self.collect();
        while !self.is_slow && !self.jobs.is_empty() {
            self.work();
            self.app.settle(self.now, self.size);
            self.collect();
        }
    }

    /// Does what is done beside the frames.
    pub(super) fn work(&mut self) -> &mut Self {
        for job in std::mem::take(&mut self.jobs) {
            if let Some(done) = job.run() {
                self.app.update(Msg::Done(done));
            }
        }
        self
    }

    pub(super) fn resize(&mut self, width: u16, height: u16) -> &mut Self {
        self.size = Size::new(width, height);
        self
    }

    /// Returns the picture.
    pub(super) fn buffer(&mut self) -> Buffer {
        self.settle();
        let area = Rect::new(0, 0, self.size.width, self.size.height);
        let mut buffer = Buffer::empty(area);
        self.app.draw(area, &mut buffer);
        buffer
    }

    /// Returns the picture as text.
    pub(super) fn screen(&mut self) -> String {
        text(&self.buffer())
    }

    pub(super) fn at(&mut self, width: u16, height: u16) -> String {
        self.resize(width, height).screen()
    }
}

/// Returns the rows of a picture, without the spaces at their ends.
pub(super) fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let rows: Vec<String> =
        buffer.content.chunks(width).map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned()).collect();
    rows.join("\n")
}

fn key(text: &str) -> (KeyCode, KeyModifiers) {
    let (text, modifiers) = text.strip_prefix("ctrl-").map_or((text, KeyModifiers::NONE), |rest| (rest, KeyModifiers::CONTROL));
    let code = match text {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "backtab" => KeyCode::BackTab,
        "space" => KeyCode::Char(' '),
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "pgdn" => KeyCode::PageDown,
        "pgup" => KeyCode::PageUp,
        other => KeyCode::Char(other.chars().next().unwrap()),
    };
    (code, modifiers)
}

/// The moment of the design's pictures: a Deployment holds everything up.
pub(super) fn blocked_by_deployment() -> Play {
    let mut play = Play::open(&orders(), &[]);
    play.start().after(0.1).wave(Phase::PreSync, -1).done("ServiceAccount/migrator", "serviceaccount/migrator created");
    play.after(0.3).wave_done(Phase::PreSync, -1).wave(Phase::PreSync, 0).apply("Job/db-migrate", "job.batch/db-migrate created");
    play.pod("Job/db-migrate", "db-migrate-9kq2p", "Running", ContainerState::Running { since: None });
    play.open_log("Job/db-migrate", "db-migrate-9kq2p", 1);
    play.print("Job/db-migrate", "db-migrate-9kq2p", 1, &["migrate v2.14.0", "INFO  current version 40, target 42", "INFO  done"]);
    let ended = ContainerState::Terminated { exit_code: 0, reason: "Completed".to_owned(), at: None };
    play.after(11.9).pod("Job/db-migrate", "db-migrate-9kq2p", "Succeeded", ended);
    play.health("Job/db-migrate", HealthStatus::Healthy, "Reached expected number of succeeded pods");
    play.change("Job/db-migrate", TaskState::Succeeded, "Reached expected number of succeeded pods");
    play.wave_done(Phase::PreSync, 0).phase_done(Phase::PreSync, TaskState::Succeeded);
    play.wave(Phase::Sync, -1)
        .done("ServiceAccount/orders-api", "serviceaccount/orders-api unchanged")
        .after(0.1)
        .wave_done(Phase::Sync, -1);
    play.wave(Phase::Sync, 0).done("ConfigMap/orders-config", "configmap/orders-config configured");
    play.done("Secret/orders-env", "secret/orders-env unchanged").done("Service/orders-api", "service/orders-api unchanged");
    play.after(0.4)
        .wave_done(Phase::Sync, 0)
        .wave(Phase::Sync, 1)
        .apply("Deployment/orders-worker", "deployment.apps/orders-worker configured");
    play.apply("Deployment/orders-api", "deployment.apps/orders-api configured").waiting(&["Deployment/orders-api"]);
    for (pod, state) in [("9kq2p", "Running"), ("mm4zt", "Running"), ("x2x1m", "Running")] {
        play.pod("Deployment/orders-api", &format!("orders-api-7d9f6-{pod}"), state, ContainerState::Running { since: None });
    }
    play.health(
        "Deployment/orders-api",
        HealthStatus::Progressing,
        "Waiting for rollout to finish: 2 of 3 updated replicas are available...",
    );
    play.after(22.0).health("Deployment/orders-worker", HealthStatus::Healthy, "").change(
        "Deployment/orders-worker",
        TaskState::Succeeded,
        "",
    );
    play.open_log("Deployment/orders-api", "orders-api-7d9f6-x2x1m", 3);
    play.print(
        "Deployment/orders-api",
        "orders-api-7d9f6-x2x1m",
        3,
        &[
            "INFO  connecting to postgres://orders-db:5432/orders",
            "WARN  readiness: db pool 0/10 (dial tcp 10.3.4.9:5432: i/o timeout)",
            "WARN  readiness: db pool 0/10 (dial tcp 10.3.4.9:5432: i/o timeout)",
            "ERROR probe /readyz -> 503 pool exhausted; retry in 1s",
            "WARN  readiness: db pool 1/10",
            "INFO  acquired first connection after 5.2s",
            "INFO  http: listening on :8080",
            "ERROR probe /readyz -> 503 warming cache 12%",
        ],
    );
    play.after(5.0).warning("Deployment/orders-api", "orders-api-7d9f6-x2x1m", "Unhealthy", "Readiness probe failed: 503", 9).after(4.0);
    play
}

/// A hook runs and prints.
pub(super) fn blocked_by_hook() -> Play {
    let mut play = Play::open(&orders(), &[]);
    play.start().after(0.1).wave(Phase::PreSync, -1).done("ServiceAccount/migrator", "serviceaccount/migrator created");
    play.after(0.3).wave_done(Phase::PreSync, -1).wave(Phase::PreSync, 0).apply("Job/db-migrate", "job.batch/db-migrate created");
    play.waiting(&["Job/db-migrate"]).pod("Job/db-migrate", "db-migrate-9kq2p", "Running", ContainerState::Running { since: None });
    play.open_log("Job/db-migrate", "db-migrate-9kq2p", 1);
    play.print(
        "Job/db-migrate",
        "db-migrate-9kq2p",
        1,
        &[
            "migrate v2.14.0 (commit 9f31c2d)",
            "INFO  connecting to postgres://orders-db:5432/orders",
            "INFO  current version 40, target 42",
        ],
    );
    play.after(8.0);
    play
}

/// A PreSync hook failed three times, the SyncFail hook ran.
pub(super) fn failed() -> Play {
    let mut play = blocked_by_hook();
    let exit = || ContainerState::Terminated { exit_code: 1, reason: "Error".to_owned(), at: None };
    play.pod("Job/db-migrate", "db-migrate-9kq2p", "Failed", exit());
    for (at, pod) in ["db-migrate-mm4zt", "db-migrate-x2x1m"].into_iter().enumerate() {
        let attempt = at as u32 + 2;
        play.after(10.0).open_log("Job/db-migrate", pod, attempt).print(
            "Job/db-migrate",
            pod,
            attempt,
            &[
                "INFO  applying 0043_add_order_channel.sql",
                "ERROR relation \"orders\" is locked by pid 2211",
                "FATAL exiting: 1 migration failed",
            ],
        );
        play.pod("Job/db-migrate", pod, "Failed", exit());
    }
    play.warning("Job/db-migrate", "db-migrate-x2x1m", "BackoffLimitExceeded", "Job has reached the specified backoff limit", 1);
    play.health("Job/db-migrate", HealthStatus::Degraded, "Job has reached the specified backoff limit");
    play.change("Job/db-migrate", TaskState::Failed, "Job has reached the specified backoff limit");
    play.wave_done(Phase::PreSync, 0).phase_done(Phase::PreSync, TaskState::Failed);
    play.wave(Phase::SyncFail, 0).apply("Job/page-oncall", "job.batch/page-oncall created");
    play.after(3.1).change("Job/page-oncall", TaskState::Succeeded, "Reached expected number of succeeded pods");
    play.wave_done(Phase::SyncFail, 0).phase_done(Phase::SyncFail, TaskState::Succeeded);
    play.finish(OperationPhase::Failed, "one or more synchronization tasks completed unsuccessfully");
    play.after(2.0);
    play
}

/// Everything went well.
pub(super) fn succeeded() -> Play {
    let mut play = blocked_by_deployment();
    play.health("Deployment/orders-api", HealthStatus::Healthy, "").change("Deployment/orders-api", TaskState::Succeeded, "");
    play.wave_done(Phase::Sync, 1)
        .wave(Phase::Sync, 2)
        .done("HorizontalPodAutoscaler/orders-api", "hpa configured")
        .done("Ingress/orders", "ingress unchanged");
    play.after(0.5)
        .wave_done(Phase::Sync, 2)
        .wave(Phase::Sync, 5)
        .done("CronJob/orders-cleanup", "cronjob unchanged")
        .wave_done(Phase::Sync, 5);
    play.phase_done(Phase::Sync, TaskState::Succeeded).wave(Phase::PostSync, 0).done("Job/smoke-test", "job created").after(6.0);
    play.wave_done(Phase::PostSync, 0).wave(Phase::PostSync, 1).done("Job/notify", "job created").after(1.0).wave_done(Phase::PostSync, 1);
    play.phase_done(Phase::PostSync, TaskState::Succeeded);
    play.finish(OperationPhase::Succeeded, "successfully synced (all tasks run)");
    play.after(3.0);
    play
}

/// A person ended it while a hook ran.
pub(super) fn terminated() -> Play {
    let mut play = blocked_by_hook();
    play.fact(Event::TerminateRequested { by: "alice".to_owned() });
    play.after(1.0).change("Job/db-migrate", TaskState::Failed, "Terminated");
    play.finish(OperationPhase::Failed, "Operation terminated");
    play.after(2.0);
    play
}

/// The gallery.
pub(super) fn gallery() -> App {
    let story = |name: &str, about: &str| Story { name: name.to_owned(), about: about.to_owned(), length: "45s".to_owned() };
    App::gallery(
        Look { ascii: false, monochrome: true },
        vec![
            story("web-shop", "A shop is released; hooks prepare the database, the site rolls out, a smoke test checks it."),
            story("blue-green", "A hook switches from blue to green."),
            story("endless", "A hook that never ends, to be terminated."),
        ],
    )
}
