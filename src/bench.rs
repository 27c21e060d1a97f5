//! What the benchmarks measure, reachable from outside because they link the crate as strangers. Makes up inputs of a size and does
//! one thing with them; not part of the program.

mod diffs;
mod effects;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::engine::rules::RuleSources;
use crate::engine::session::{self, Connector, Opening, OperationIds};
use crate::health;
use crate::health::script::{Customization, Limits, Scripts};
use crate::manifest::{LoadOptions, Source};
use crate::model::{Assessment, Health, HealthStatus, Kinds, Live, Object, Origin, ResultCode, Task, TaskState, Traits};
use crate::operation::{Event, Operation, Record, Request, Step, StepOutcome};
use crate::plan::{Manifest, Plan, PlanInput, Shape};
use crate::report::json::Json;
use crate::report::{self, End};
use crate::sim::SimCluster;
use crate::sim::story::Story;
use crate::tui::rehearsal::Rehearsal;

pub use diffs::{Comparison, Diffs};
pub use effects::Effects;

/// Waves of a made-up app.
const WAVES: usize = 20;
/// Facts about each task in [`Records`].
const FACTS: usize = 10;

/// Manifests of a large app.
#[derive(Debug)]
pub struct Manifests(Vec<Manifest>);

impl Manifests {
    /// Makes up `count` objects in 20 waves; every tenth is a hook.
    pub fn of(count: usize) -> Self {
        Self((0..count).map(manifest).collect())
    }

    /// Makes the plan and returns how many tasks it has.
    pub fn plan(&self) -> usize {
        self.build().tasks.len()
    }

    fn build(&self) -> Plan {
        Plan::build(&PlanInput {
            app: "large",
            namespace: "large",
            revision: "4c1d0aa97f3e52b1",
            operation: "bench",
            started_at: Timestamp::UNIX_EPOCH,
            manifests: &self.0,
            kinds: &Kinds::default(),
            candidates: &[],
            selection: None,
            shape: &Shape::default(),
        })
    }
}

fn manifest(number: usize) -> Manifest {
    let kinds = [("v1", "ConfigMap"), ("apps/v1", "Deployment"), ("v1", "Service"), ("v1", "Secret"), ("batch/v1", "Job")];
    let (api_version, kind) = kinds[number % kinds.len()];
    let mut annotations = json!({"argocd.argoproj.io/sync-wave": (number % WAVES).to_string()});
    if number.is_multiple_of(10) {
        annotations["argocd.argoproj.io/hook"] = json!("PreSync");
    }
    let metadata = json!({"name": format!("object-{number:05}"), "annotations": annotations});
    Manifest {
        object: Object::new(json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "data": {"key": "value"}})),
        origin: Origin { file: "large.yaml".into(), line: number + 1 },
    }
}

/// The facts of a large operation.
#[derive(Debug)]
pub struct Records(Vec<Record>);

impl Records {
    /// Makes up about `count` facts, ten for each task.
    pub fn of(count: usize) -> Self {
        let plan = Arc::new(Manifests::of(count / FACTS).build());
        let started = Event::OperationStarted {
            asked_at: Timestamp::UNIX_EPOCH,
            plan: plan.clone(),
            request: Arc::new(Request::default()),
            context: "bench".into(),
            cluster: "in process".into(),
        };
        let events = std::iter::once(started).chain(plan.tasks.iter().flat_map(facts));
        Self(events.enumerate().map(record).collect())
    }

    /// Folds them and returns how many tasks have a result.
    pub fn fold(&self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        let Some(mut operation) = Operation::start(first) else { return 0 };
        rest.iter().for_each(|record| operation.apply(record));
        operation.results().len()
    }

    /// Returns how many facts there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

fn record((at, event): (usize, Event)) -> Record {
    let passed = SignedDuration::from_millis(i64::try_from(at).unwrap_or(i64::MAX));
    Record { operation: "bench".into(), seq: at as u64 + 1, at: Timestamp::UNIX_EPOCH + passed, event }
}

fn facts(task: &Task) -> Vec<Event> {
    let id = || task.id.clone();
    let seen = |version, status| Event::LiveObserved { key: task.id.key.clone(), live: live(version, status) };
    let changed = |state| Event::TaskChanged { task: id(), code: ResultCode::Synced, state, message: "created".to_owned() };
    let done = StepOutcome::Done { message: "created".to_owned(), live: Some(live(1, HealthStatus::Progressing)) };
    vec![
        Event::StepStarted { task: id(), step: Step::Apply },
        Event::StepFinished { task: id(), step: Step::Apply, outcome: done },
        changed(TaskState::Running),
        seen(2, HealthStatus::Progressing),
        seen(3, HealthStatus::Progressing),
        seen(4, HealthStatus::Progressing),
        seen(5, HealthStatus::Progressing),
        seen(6, HealthStatus::Progressing),
        seen(7, HealthStatus::Healthy),
        changed(TaskState::Succeeded),
    ]
}

fn live(resource_version: u64, status: HealthStatus) -> Box<Live> {
    let health = Health { status, message: "1 of 2 replicas are available".to_owned(), rule: "bench".to_owned() };
    Box::new(Live {
        uid: "5f0c1d0a".into(),
        resource_version,
        generation: Some(1),
        observed_generation: Some(1),
        deletion: None,
        finalizers: Vec::new(),
        traits: Traits::of(&Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap"}))),
        operation: None,
        app: None,
        assessment: Assessment::Known(health),
    })
}

/// The sync screen of a large operation.
pub struct Frames {
    rehearsal: Rehearsal,
    /// What is seen of each object, over and over.
    next: Vec<Record>,
    at: usize,
}

impl Frames {
    /// Makes up a running operation of `resources` tasks, on a screen of this size.
    pub fn of(resources: usize, columns: u16, rows: u16) -> Self {
        let records = Records::of(resources * FACTS).0;
        let mut rehearsal = Rehearsal::new(columns, rows);
        rehearsal.facts(&records);
        let next = records.into_iter().filter(|record| matches!(record.event, Event::LiveObserved { .. })).collect();
        Self { rehearsal, next, at: 0 }
    }

    /// Draws a frame in which nothing has changed, and returns how many cells are not empty.
    pub fn draw(&mut self) -> usize {
        self.rehearsal.frame()
    }

    /// Folds one more fact and draws the frame after it.
    pub fn draw_after_a_fact(&mut self) -> usize {
        self.at = (self.at + 7) % self.next.len();
        self.rehearsal.fact(self.next[self.at].clone());
        self.rehearsal.frame()
    }
}

/// An app whose only work is its waves: one ConfigMap in each, done at once.
#[derive(Debug)]
pub struct Waves {
    source: Source,
    state: std::path::PathBuf,
}

impl Waves {
    /// Makes up an app of `count` waves; its state is kept in `state`.
    pub fn of(count: usize, state: std::path::PathBuf) -> Self {
        let text: String = (0..count)
            .map(|wave| {
                format!(
                    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: wave-{wave}\n  annotations: {{argocd.argoproj.io/sync-wave: '{wave}'}}\n---\n"
                )
            })
            .collect();
        // A source in memory is compiled in everywhere else; a benchmark can afford to keep one for ever.
        let files = Box::leak(Box::new([("waves.yaml", &*Box::leak(text.into_boxed_str()))]));
        Self { source: Source::Memory { name: "waves", files }, state }
    }

    /// Syncs them on a new embedded cluster with the clock of the machine, and returns how many lines of JSON that gave.
    ///
    /// # Panics
    /// The sync does not succeed.
    pub fn sync(&self) -> usize {
        let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
        runtime.block_on(self.operate())
    }

    async fn operate(&self) -> usize {
        let (story, clock) = (Story::default(), Clock::real());
        let cluster = SimCluster::start(&story, clock, 1);
        let mut tasks = JoinSet::new();
        let mut session = session::open(self.opening(&cluster, clock), &mut tasks);
        let (_sender, mut stops) = mpsc::channel(1);
        let mut out = Vec::new();
        let end = report::sync(&mut session, &mut stops, Request::default(), &mut Json::new(&mut out)).await;
        assert!(matches!(&end, End::Done(operation) if operation.phase() == crate::model::OperationPhase::Succeeded), "{end:?}");
        out.iter().filter(|byte| **byte == b'\n').count()
    }

    fn opening(&self, cluster: &SimCluster, clock: Clock) -> Opening {
        Opening {
            app: "waves".to_owned(),
            namespace: None,
            source: self.source.clone(),
            load: LoadOptions::default(),
            revision: Some("1".to_owned()),
            state_dir: self.state.clone(),
            read_only: None,
            protected: Vec::new(),
            unattended: true,
            rules: RuleSources::default(),
            clock,
            connector: Connector::Client {
                client: cluster.client(),
                context: "embedded".to_owned(),
                cluster: "in process".to_owned(),
                namespace: "default".to_owned(),
            },
            skip_unchanged: false,
            operation_ids: OperationIds::Fixed("bench".to_owned()),
        }
    }
}

/// Objects whose health is asked for, each with a status like that of a live one.
#[derive(Debug)]
pub struct Judgements {
    objects: Vec<Object>,
    rules: health::Rules,
}

/// A rule as people write them: conditions in a loop, and two numbers.
const RULE: &str = r#"
hs = { status = "Progressing", message = "Waiting" }
if obj.status == nil or obj.status.conditions == nil then return hs end
if obj.status.observedGeneration ~= obj.metadata.generation then return hs end
for _, condition in ipairs(obj.status.conditions) do
  if condition.type == "Failed" and condition.status == "True" then
    return { status = "Degraded", message = condition.message }
  end
  if condition.type == "Available" and condition.status == "True" then
    hs = { status = "Healthy", message = obj.status.readyReplicas .. " of " .. obj.spec.replicas .. " ready" }
  end
end
return hs
"#;

impl Judgements {
    /// Makes up `count` Deployments, and a Lua rule for Widgets.
    pub fn of(count: usize) -> Self {
        let rule = Customization::new("example.com/Widget", RULE, "bench").expect("the kind is no pattern");
        // The stopwatch stands still; the steps are counted all the same.
        let limits = Limits::new(Arc::new(|| std::time::Duration::ZERO), Arc::new(|| 0));
        let objects = (0..count).map(|number| workload("apps/v1", "Deployment", number)).collect();
        Self { objects, rules: health::Rules::default().with(Arc::new(Scripts::new(vec![rule], limits))) }
    }

    /// Makes Widgets of them, which the Lua rule judges.
    pub fn in_lua(count: usize) -> Self {
        Self { objects: (0..count).map(|number| workload("example.com/v1", "Widget", number)).collect(), ..Self::of(0) }
    }

    /// Judges them and returns how many are healthy.
    pub fn healthy(&self) -> usize {
        let is_healthy = |object: &&Object| self.rules.assess(object).status() == Some(HealthStatus::Healthy);
        self.objects.iter().filter(is_healthy).count()
    }
}

fn workload(api_version: &str, kind: &str, number: usize) -> Object {
    let labels = json!({"app.kubernetes.io/name": "shop", "app.kubernetes.io/instance": format!("object-{number:05}"), "tier": "web"});
    let condition = |kind: &str| json!({"type": kind, "status": "True", "reason": "MinimumReplicasAvailable", "message": "Deployment has minimum availability.", "lastUpdateTime": "2026-03-01T09:00:00Z", "lastTransitionTime": "2026-03-01T09:00:00Z"});
    let container = json!({"name": "main", "image": "registry.example.com/shop:v2", "ports": [{"containerPort": 8080, "protocol": "TCP"}], "env": [{"name": "A", "value": "b"}], "resources": {"limits": {"cpu": "1", "memory": "512Mi"}}});
    Object::new(json!({
        "apiVersion": api_version, "kind": kind,
        "metadata": {"name": format!("object-{number:05}"), "namespace": "shop", "generation": 3, "uid": "5f0c1d0a", "labels": labels},
        "spec": {"replicas": 3, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}},
        "status": {"observedGeneration": 3, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3, "conditions": [condition("Progressing"), condition("Available")]},
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_does_what_it_says() {
        assert_eq!(Manifests::of(100).plan(), 100);
        let records = Records::of(1_000);
        assert_eq!((records.count(), records.fold()), (1_001, 100));
        let mut frames = Frames::of(50, 80, 24);
        assert!(frames.draw() > 100 && frames.draw_after_a_fact() > 100);
        assert_eq!((Judgements::of(10).healthy(), Judgements::in_lua(10).healthy()), (10, 10));
        let mut diffs = Diffs::of(50, 5_000, (80, 24));
        let (text, other, waiting) = (diffs.draw(), diffs.leave(), diffs.open_again());
        assert!(diffs.work());
        let arrived = diffs.arrive();
        assert!(text > 500 && other > 500 && arrived == text && waiting < text, "{text} {other} {waiting} {arrived}");
        let mut wide = Diffs::wide(300_000, (80, 24));
        wide.wrap();
        let cut = wide.draw();
        assert!(wide.work() && wide.arrive() > cut, "it is wrapped beside the frames");
        wide.leave();
        wide.open_again();
        assert!(wide.work() && wide.arrive() > 0 && wide.work(), "its lines are written anew, and then wrapped");
        let comparison = Comparison::of(5_000);
        assert!((4_900..5_500).contains(&comparison.size()), "{}", comparison.size());
        assert!((20..40).contains(&comparison.lines()), "{}", comparison.lines());
        let effects = Effects::of(30);
        assert_eq!((effects.told(), effects.counted()), (40, 40), "two of each change, four children of each that goes");
        let state = tempfile::tempdir().unwrap();
        assert!(Waves::of(5, state.path().to_owned()).sync() > 10);
    }
}
