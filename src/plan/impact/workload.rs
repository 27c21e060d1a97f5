//! Objects with pods: which of their changes replace pods, how many, and in which manner; and which replace none. Compares what it is
//! given; asks nobody.

use std::collections::HashMap;

use serde_json::Value;

use super::sentence::{Cause, Halt, Impact, NoRoll, Roll, Setting};
use super::{Change, Paths, list, text};
use crate::model::{ResourceKey, Segment, Task};
use crate::plan::Plan;

/// Returns whether everything that changes is known to leave the pods alone, and there may be some. Other fields may set off a roll that
/// waits: an update strategy, a partition.
pub(super) fn spares_pods(change: &Change<'_>) -> bool {
    const DEPLOYMENT: &[&str] = &["minReadySeconds", "progressDeadlineSeconds", "revisionHistoryLimit", "strategy"];
    const STATEFUL_SET: &[&str] = &["minReadySeconds", "persistentVolumeClaimRetentionPolicy", "revisionHistoryLimit"];
    let harmless = match Sort::of(change.task) {
        Some(Sort::Deployment) => DEPLOYMENT,
        Some(Sort::StatefulSet) => STATEFUL_SET,
        Some(Sort::DaemonSet) => &["minReadySeconds", "revisionHistoryLimit"],
        Some(Sort::CronJob) => &["concurrencyPolicy", "schedule", "startingDeadlineSeconds", "timeZone"],
        Some(Sort::ReplicaSet | Sort::Rollout | Sort::Job | Sort::Pod) | None => return false,
    };
    change.paths.all().all(|path| match path.iter().map(Segment::name).collect::<Vec<_>>()[..] {
        [Some("metadata"), ..] => true,
        [Some("spec"), Some(field), ..] => harmless.contains(&field),
        _ => false,
    })
}

/// Objects with pods, by what they do when their template changes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Deployment,
    StatefulSet,
    DaemonSet,
    /// Also an old ReplicationController.
    ReplicaSet,
    /// Argo's.
    Rollout,
    CronJob,
    Job,
    Pod,
}

impl Sort {
    fn of(task: &Task) -> Option<Self> {
        let key = &task.id.key;
        Some(match (&*key.group, &*key.kind) {
            ("apps", "Deployment") => Self::Deployment,
            ("apps", "StatefulSet") => Self::StatefulSet,
            ("apps", "DaemonSet") => Self::DaemonSet,
            ("apps", "ReplicaSet") | ("", "ReplicationController") => Self::ReplicaSet,
            ("argoproj.io", "Rollout") => Self::Rollout,
            ("batch", "CronJob") => Self::CronJob,
            ("batch", "Job") => Self::Job,
            ("", "Pod") => Self::Pod,
            _ => return None,
        })
    }

    fn has_replicas(self) -> bool {
        matches!(self, Self::Deployment | Self::StatefulSet | Self::ReplicaSet | Self::Rollout)
    }

    /// Where its pods are described; a Pod describes itself.
    fn template(self) -> &'static [&'static str] {
        match self {
            Self::CronJob => &["spec", "jobTemplate"],
            Self::Pod => &["spec", "containers"],
            Self::Deployment | Self::StatefulSet | Self::DaemonSet | Self::ReplicaSet | Self::Rollout | Self::Job => &["spec", "template"],
        }
    }
}

pub(super) fn impacts(scalers: &Scalers<'_>, change: &Change<'_>) -> Vec<Impact> {
    let mut found = Vec::new();
    if let Some(sort) = Sort::of(change.task) {
        found.extend(template(sort, change));
        found.extend(sort.has_replicas().then(|| scales(scalers, change)).flatten());
        found.extend(halts(sort, change));
    }
    found.extend(bounds(change));
    found
}

/// What a changed template does.
fn template(sort: Sort, change: &Change<'_>) -> Option<Impact> {
    let path = sort.template();
    if !change.paths.touch(path) {
        return None;
    }
    let cause = cause(change.paths, path);
    let nothing = |why| Some(Impact::RollsNothing { cause, why });
    match sort {
        Sort::Deployment | Sort::Rollout if is_on(change.after, "/spec/paused") => nothing(NoRoll::Paused),
        Sort::Deployment | Sort::Rollout | Sort::StatefulSet if replicas(change.after) == 0 => nothing(NoRoll::NoPods),
        Sort::Deployment => Some(Impact::Rolls { cause, pods: Some(replicas(change.after)), how: deployment(change.after) }),
        Sort::Rollout => Some(Impact::Rolls { cause, pods: Some(replicas(change.after)), how: rollout(change.after) }),
        Sort::StatefulSet => Some(stateful_set(cause, change.after)),
        Sort::DaemonSet => Some(daemon_set(cause, change)),
        Sort::ReplicaSet => nothing(NoRoll::NewPods),
        Sort::CronJob => nothing(NoRoll::NewJobs),
        Sort::Pod => restarts(change),
        // The server refuses it.
        Sort::Job => None,
    }
}

/// Returns whether nothing but images changes at and below a path.
fn cause(paths: Paths<'_>, path: &[&str]) -> Cause {
    let below = paths.all().filter(|changed| changed.iter().zip(path).all(|(segment, name)| segment.name() == Some(name)));
    let is_image = |changed: &[Segment]| changed.len() > path.len() && changed.last().and_then(Segment::name) == Some("image");
    let mut below = below.peekable();
    if below.peek().is_some() && below.all(is_image) { Cause::Image } else { Cause::Template }
}

fn replicas(object: &Value) -> u64 {
    number(object.pointer("/spec/replicas")).unwrap_or(1)
}

/// Returns a number that Kubernetes could mean: they have 32 bits.
fn number(value: Option<&Value>) -> Option<u64> {
    value?.as_u64().filter(|number| *number <= u64::from(u32::MAX))
}

fn is_on(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).and_then(Value::as_bool).unwrap_or_default()
}

/// How a percentage becomes a number of pods.
#[derive(Clone, Copy)]
enum Round {
    Up,
    Down,
}

/// Returns a number, or the part of all pods that a percentage is.
fn amount(value: Option<&Value>, of: u64, default: &str, round: Round) -> u64 {
    let part = |text: &str| {
        let percent: u64 = text.strip_suffix('%')?.parse().ok()?;
        let exact = percent.saturating_mul(of);
        Some(match round {
            Round::Up => exact.div_ceil(100),
            Round::Down => exact / 100,
        })
    };
    let given = number(value).or_else(|| part(value?.as_str()?));
    given.or_else(|| default.parse().ok()).or_else(|| part(default)).unwrap_or_default()
}

fn deployment(object: &Value) -> Roll {
    if text(object, "/spec/strategy/type") == "Recreate" {
        return Roll::AllAtOnce;
    }
    let pods = replicas(object);
    let surge = amount(object.pointer("/spec/strategy/rollingUpdate/maxSurge"), pods, "25%", Round::Up);
    let down = amount(object.pointer("/spec/strategy/rollingUpdate/maxUnavailable"), pods, "25%", Round::Down);
    // Nothing could move otherwise: the controller takes one down.
    Roll::Rolling { surge, down: if surge == 0 { down.max(1) } else { down.min(pods) } }
}

fn rollout(object: &Value) -> Roll {
    match object.pointer("/spec/strategy/blueGreen") {
        Some(strategy) => Roll::BlueGreen { by_hand: strategy.get("autoPromotionEnabled") == Some(&Value::Bool(false)) },
        None => Roll::Canary { steps: list(object, "/spec/strategy/canary/steps").count() },
    }
}

fn stateful_set(cause: Cause, object: &Value) -> Impact {
    let strategy = object.pointer("/spec/updateStrategy");
    if strategy.is_some_and(|strategy| text(strategy, "/type") == "OnDelete") {
        return Impact::RollsNothing { cause, why: NoRoll::OnDelete };
    }
    let rolling = |field: &str| strategy?.get("rollingUpdate")?.get(field);
    let pods = replicas(object);
    let first = number(object.pointer("/spec/ordinals/start")).unwrap_or_default();
    let partition = number(rolling("partition")).unwrap_or_default();
    let rolled = (first + pods).saturating_sub(partition.max(first));
    if rolled == 0 {
        return Impact::RollsNothing { cause, why: NoRoll::Partition(partition) };
    }
    let at_once = amount(rolling("maxUnavailable"), pods, "1", Round::Up).max(1);
    let from = if partition > first { partition } else { 0 };
    Impact::Rolls { cause, pods: Some(rolled), how: Roll::Ordered { at_once, from } }
}

fn daemon_set(cause: Cause, change: &Change<'_>) -> Impact {
    let strategy = change.after.pointer("/spec/updateStrategy");
    if strategy.is_some_and(|strategy| text(strategy, "/type") == "OnDelete") {
        return Impact::RollsNothing { cause, why: NoRoll::OnDelete };
    }
    let pods = change.facts.scheduled;
    if pods == Some(0) {
        return Impact::RollsNothing { cause, why: NoRoll::NoPods };
    }
    let rolling = |field: &str| strategy?.get("rollingUpdate")?.get(field);
    let how = pods.map_or(Roll::Unsaid, |of| Roll::Rolling {
        surge: amount(rolling("maxSurge"), of, "0", Round::Up),
        down: amount(rolling("maxUnavailable"), of, "1", Round::Up),
    });
    Impact::Rolls { cause, pods, how }
}

/// The image is almost all that can change in a Pod.
fn restarts(change: &Change<'_>) -> Option<Impact> {
    let image = |object: &Value, name: &str| {
        list(object, "/spec/containers").find(|container| text(container, "/name") == name).map(|found| text(found, "/image").to_owned())
    };
    let names = list(change.after, "/spec/containers").map(|container| text(container, "/name").to_owned());
    let containers: Vec<String> = names.filter(|name| image(change.before, name) != image(change.after, name)).collect();
    (!containers.is_empty()).then_some(Impact::Restarts { containers })
}

fn scales(scalers: &Scalers<'_>, change: &Change<'_>) -> Option<Impact> {
    let (from, to) = (replicas(change.before), replicas(change.after));
    (from != to).then(|| Impact::Scales { from, to, again: scalers.of_object(&change.task.id.key) })
}

/// The autoscalers of a plan, by namespace, kind and name of what they scale.
pub(super) struct Scalers<'a>(HashMap<[&'a str; 3], &'a Task>);

impl<'a> Scalers<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        let mut scalers = HashMap::new();
        for task in plan.tasks.iter().filter(|task| &*task.id.key.kind == "HorizontalPodAutoscaler") {
            let Some(target) = &task.target else { continue };
            let [kind, name] = ["kind", "name"].map(|field| target.text(&["spec", "scaleTargetRef", field]));
            scalers.entry([&*task.id.key.namespace, kind, name]).or_insert(task);
        }
        Self(scalers)
    }

    /// Returns the autoscaler that will set the replicas of an object again.
    fn of_object(&self, key: &ResourceKey) -> Option<String> {
        self.0.get(&[&*key.namespace, &*key.kind, &*key.name]).map(|task| task.id.key.short())
    }
}

fn halts(sort: Sort, change: &Change<'_>) -> Option<Impact> {
    let pointer = if sort.has_replicas() { "/spec/paused" } else { "/spec/suspend" };
    let halt = match (sort, is_on(change.before, pointer), is_on(change.after, pointer)) {
        (Sort::Deployment | Sort::Rollout, false, true) => Halt::RollsPaused,
        (Sort::Deployment | Sort::Rollout, true, false) => Halt::RollsResumed,
        (Sort::Job, false, true) => Halt::JobSuspended,
        (Sort::Job, true, false) => Halt::JobResumed,
        (Sort::CronJob, false, true) => Halt::RunsSuspended,
        (Sort::CronJob, true, false) => Halt::RunsResumed,
        _ => return None,
    };
    Some(Impact::Halts(halt))
}

/// An autoscaler keeps another number of pods.
fn bounds(change: &Change<'_>) -> Option<Impact> {
    if (&*change.task.id.key.group, &*change.task.id.key.kind) != ("autoscaling", "HorizontalPodAutoscaler") {
        return None;
    }
    let bounds = |object: &Value| {
        let most = number(object.pointer("/spec/maxReplicas"))?;
        let least = number(object.pointer("/spec/minReplicas")).unwrap_or(1);
        Some(format!("{least} to {most}"))
    };
    let (from, to) = (bounds(change.before)?, bounds(change.after)?);
    (from != to).then_some(Impact::Turns { what: Setting::Bounds, from, to })
}
