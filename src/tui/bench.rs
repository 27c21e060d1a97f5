//! A sync screen of any size for measurements: the same program that a person sees, without a terminal. Each call takes in a fact, brings
//! the screen up to date and draws it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use serde_json::json;

use super::app::{App, Msg};
use super::theme::Look;
use crate::engine::session::{Action, Answer, Place, Planned};
use crate::model::{Assessment, Health, HealthStatus, Kinds, Live, Object, Origin, Phase, TaskId, Traits, Wave};
use crate::operation::{Event, LogContent, LogLine, Record, Request, Step, StepOutcome};
use crate::plan::{Manifest, Plan, PlanInput};

/// Waves of the made-up app.
const WAVES: usize = 20;
/// The screen that the budget is about.
const SIZE: Size = Size::new(200, 50);
/// Lines of the log under the table.
const LINES: usize = 2_000;

/// Returns what draws one frame of a running sync with so many resources.
pub(crate) fn bench_frame(resources: usize) -> impl FnMut() {
    let mut scene = Scene::new(resources);
    scene.begin();
    let mut buffer = Buffer::empty(Rect::new(0, 0, SIZE.width, SIZE.height));
    move || {
        scene.step();
        buffer.reset();
        scene.app.settle(scene.now, SIZE);
        scene.app.draw(buffer.area, &mut buffer);
    }
}

struct Scene {
    app: App,
    plan: Arc<Plan>,
    now: Timestamp,
    seq: u64,
}

impl Scene {
    fn new(resources: usize) -> Self {
        let manifests: Vec<Manifest> = (0..resources).map(manifest).collect();
        let plan = Plan::build(&PlanInput {
            app: "large",
            namespace: "large",
            revision: "4c1d0aa97f3e52b1",
            operation: "bench",
            started_at: Timestamp::UNIX_EPOCH,
            manifests: &manifests,
            kinds: &Kinds::default(),
            candidates: &[],
            selection: None,
        });
        Self { app: App::new(Look::default()), plan: Arc::new(plan), now: Timestamp::UNIX_EPOCH, seq: 0 }
    }

    /// Half of the waves are done, the next one waits for its first object.
    fn begin(&mut self) {
        self.app.open("large".to_owned(), Request::default(), false);
        let actions: BTreeMap<TaskId, Action> = self.plan.tasks.iter().map(|task| (task.id.clone(), Action::Create)).collect();
        let planned = Planned { place: place(), plan: self.plan.clone(), actions, notes: Vec::new() };
        self.app.update(Msg::Answer(Answer::Planned(Arc::new(planned))));
        let plan = self.plan.clone();
        let request = Arc::new(Request::default());
        self.fact(Event::OperationStarted { plan: plan.clone(), request, context: "bench".into(), cluster: "in process".into() });
        self.fact(Event::PhaseStarted { phase: Phase::Sync });
        let half = (WAVES / 2) as i64;
        for wave in 0..=half {
            self.fact(Event::WaveStarted { phase: Phase::Sync, wave: Wave(wave) });
        }
        for task in plan.tasks.iter().filter(|task| task.wave <= Wave(half)) {
            let status = if task.wave < Wave(half) { HealthStatus::Healthy } else { HealthStatus::Progressing };
            let done = StepOutcome::Done { message: "created".to_owned(), live: Some(Box::new(live(1, status))) };
            self.fact(Event::StepStarted { task: task.id.clone(), step: Step::Apply });
            self.fact(Event::StepFinished { task: task.id.clone(), step: Step::Apply, outcome: done });
        }
        let on: Vec<TaskId> = plan.tasks.iter().filter(|task| task.wave == Wave(half)).map(|task| task.id.clone()).collect();
        let first = on.first().cloned();
        self.fact(Event::Waiting { message: "waiting".to_owned(), on });
        if let Some(task) = first {
            self.print(&task);
        }
    }

    fn print(&mut self, task: &TaskId) {
        let line = |number: usize| LogLine {
            operation: "bench".into(),
            task: task.clone(),
            pod: "pod-x2x1m".into(),
            container: "app".into(),
            attempt: 1,
            pod_attempt: 1,
            at: self.now,
            log_time: Some(self.now),
            content: LogContent::Line { text: format!("INFO  batch {number} of {LINES} written").into_bytes().into(), continued: false },
        };
        let mut lines: Vec<LogLine> = (0..LINES).map(line).collect();
        self.app.update(Msg::Lines(&mut lines));
    }

    /// Something changes: the object that everything waits for reports its health again.
    fn step(&mut self) {
        self.now += SignedDuration::from_millis(16);
        let waiting = self.plan.tasks.iter().find(|task| task.wave == Wave((WAVES / 2) as i64));
        if let Some(key) = waiting.map(|task| task.id.key.clone()) {
            let live = Box::new(live(self.seq, HealthStatus::Progressing));
            self.fact(Event::LiveObserved { key, live });
        }
    }

    fn fact(&mut self, event: Event) {
        self.seq += 1;
        let record = Record { operation: "bench".into(), seq: self.seq, at: self.now, event };
        self.app.update(Msg::Facts(&mut vec![Arc::new(record)]));
    }
}

fn manifest(number: usize) -> Manifest {
    let kinds = [("v1", "ConfigMap"), ("apps/v1", "Deployment"), ("v1", "Service"), ("v1", "Secret")];
    let (api_version, kind) = kinds[number % kinds.len()];
    let annotations = json!({"argocd.argoproj.io/sync-wave": (number % WAVES).to_string()});
    let metadata = json!({"name": format!("object-{number:05}"), "annotations": annotations});
    Manifest {
        object: Object::new(json!({"apiVersion": api_version, "kind": kind, "metadata": metadata})),
        origin: Origin { file: "large.yaml".into(), line: number + 1 },
    }
}

fn live(resource_version: u64, status: HealthStatus) -> Live {
    let message = format!("{resource_version} of 9999999 replicas are available");
    Live {
        uid: "5f0c1d0a".into(),
        resource_version,
        generation: Some(1),
        observed_generation: Some(1),
        deletion: None,
        finalizers: Vec::new(),
        traits: Traits::of(&Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap"}))),
        assessment: Assessment::Known(Health { status, message, rule: "bench".to_owned() }),
    }
}

fn place() -> Place {
    Place {
        app: "large".into(),
        context: "bench".into(),
        cluster: "in process".into(),
        namespace: "large".into(),
        source: "large.yaml".into(),
        revision: "4c1d0aa97f3e52b1".into(),
        read_only: None,
        protected: false,
    }
}
