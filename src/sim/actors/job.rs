//! The Job controller (traces T01–T03): creates pods, counts ended ones exactly once by their finalizer, and decides
//! when a Job is complete or has failed. Judgement is in `super::verdict`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::pods::{self, PodName};
use super::queue::ObjectRef;
use super::verdict::{self, Verdict};
use super::world::{LAG, MANAGER, World};
use crate::sim::Propagation;
use crate::sim::fields::{self, Condition, int, list, stamp, text, time};

const NAME: &str = "job-controller";
/// Keeps a pod until it is counted.
const TRACKING: &str = "batch.kubernetes.io/job-tracking";
/// The first pause after a failed pod; it doubles with each further one.
const BACK_OFF: Duration = Duration::from_secs(10);
const MAX_BACK_OFF: Duration = Duration::from_secs(600);

/// What the controller remembers of Jobs: failures since the last success.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    failures: BTreeMap<String, (u32, Timestamp)>,
}

/// The pods of a Job, by what they count for.
struct Pods {
    active: Vec<Arc<Value>>,
    /// Being deleted, and not ended.
    terminating: Vec<Arc<Value>>,
    succeeded: Vec<Arc<Value>>,
    failed: Vec<Arc<Value>>,
}

impl Pods {
    fn of(world: &World, job: &Value) -> Self {
        let mut pods = Self { active: Vec::new(), terminating: Vec::new(), succeeded: Vec::new(), failed: Vec::new() };
        for pod in world.controlled(job, "", "pods") {
            let side = match text(&pod, "/status/phase") {
                "Succeeded" => &mut pods.succeeded,
                "Failed" => &mut pods.failed,
                // A pod that was removed by force has ended, whatever it said last.
                _ if int(&pod, "/metadata/deletionGracePeriodSeconds") == Some(0) => &mut pods.failed,
                _ if fields::is_deleting(&pod) => &mut pods.terminating,
                _ => &mut pods.active,
            };
            side.push(pod);
        }
        pods
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Value>> {
        [&self.active, &self.terminating, &self.succeeded, &self.failed].into_iter().flatten()
    }
}

/// Returns whether a change of a Job is looked at without the usual batching.
pub(super) fn is_urgent(before: Option<&Value>, after: Option<&Value>) -> bool {
    let generation = |job: Option<&Value>| job.map(|job| (fields::generation(job), fields::is_deleting(job)));
    generation(before) != generation(after)
}

impl Jobs {
    /// Looks after one Job; returns when to look again.
    pub(super) fn reconcile(&mut self, world: &mut World, place: &ObjectRef) -> Option<Duration> {
        let Some(job) = world.get(place) else {
            release_orphans(world, place);
            return None;
        };
        let pods = Pods::of(world, &job);
        if fields::is_deleting(&job) {
            release(world, pods.all());
            return None;
        }
        if let Some(ended) = verdict::finished_at(&job) {
            release(world, pods.all());
            self.failures.remove(fields::uid(&job));
            return expire(world, place, &job, ended);
        }
        self.sync(world, place, &job, pods)
    }

    fn sync(&mut self, world: &mut World, place: &ObjectRef, job: &Value, mut pods: Pods) -> Option<Duration> {
        let now = world.now();
        let tally = Tally::of(job, &pods);
        self.remember(fields::uid(job), &tally, now);
        let suspended = fields::flag(job, "/spec/suspend");
        let verdict = verdict::of(job, &tally.totals(pods.active.len(), verdict::restarts(&pods.active)), now);
        let mut again = None;
        if verdict.is_some() || suspended {
            for pod in std::mem::take(&mut pods.active) {
                pods::delete(world, job, &pod, NAME);
                pods.terminating.push(pod);
            }
        } else {
            again = self.staff(world, job, &mut pods, tally.succeeded(), now);
        }
        let done = verdict.filter(|_| tally.is_settled() && pods.active.is_empty() && pods.terminating.is_empty());
        write_status(world, place, &tally, &pods, verdict, done);
        tell(world, job, done, suspended);
        release(world, tally.fresh.iter().chain(&tally.counted_with_finalizer));
        let deadline = verdict::deadline(job).filter(|_| verdict.is_none() && !suspended);
        let deadline = deadline.and_then(|due| Duration::try_from(due.duration_since(now)).ok());
        let pending = (!tally.is_settled() || (verdict.is_some() && done.is_none() && pods.terminating.is_empty())).then_some(LAG);
        [again, deadline, pending].into_iter().flatten().min()
    }

    fn remember(&mut self, uid: &str, tally: &Tally, now: Timestamp) {
        if !tally.fresh.is_empty() {
            let entry = self.failures.entry(uid.to_owned()).or_insert((0, now));
            let fresh = || tally.fresh.iter().filter(|pod| text(pod, "/status/phase") != "Succeeded");
            let failed = u32::try_from(fresh().count()).unwrap_or(u32::MAX);
            let last = fresh().filter_map(|pod| ended_at(pod)).max().unwrap_or(now);
            *entry = if failed == 0 { (0, now) } else { (entry.0.saturating_add(failed), last) };
        }
    }

    /// Creates missing pods, after the pause that failures cost, and deletes surplus ones.
    fn staff(&self, world: &mut World, job: &Value, pods: &mut Pods, succeeded: i64, now: Timestamp) -> Option<Duration> {
        let parallelism = int(job, "/spec/parallelism").unwrap_or(1);
        let wanted = match int(job, "/spec/completions") {
            Some(completions) => parallelism.min(completions - succeeded),
            // Without a number of completions, the first success ends the creation of pods.
            None if succeeded > 0 => parallelism.min(pods.active.len() as i64),
            None => parallelism,
        };
        let wanted = usize::try_from(wanted).unwrap_or(0);
        if pods.active.len() > wanted {
            pods::least_missed(&mut pods.active);
            let surplus = pods.active.len() - wanted;
            for pod in pods.active.drain(..surplus) {
                pods::delete(world, job, &pod, NAME);
                pods.terminating.push(pod);
            }
            return None;
        }
        let wait = self.pause(fields::uid(job), now);
        // A pod that is still ending is replaced when it has ended.
        while pods.active.len() + pods.terminating.len() < wanted {
            if wait.is_some() {
                return wait;
            }
            match pods::create(world, job, new_pod(job), NAME) {
                Ok(pod) => pods.active.push(pod),
                Err(_) => return Some(pods::REFUSED),
            }
        }
        None
    }

    /// Returns how long the next pod has to wait for failed ones.
    fn pause(&self, uid: &str, now: Timestamp) -> Option<Duration> {
        let (failures, last) = self.failures.get(uid)?;
        let doublings = failures.checked_sub(1)?;
        let pause = BACK_OFF.saturating_mul(2_u32.saturating_pow(doublings)).min(MAX_BACK_OFF);
        let due = last.saturating_add(pause).ok()?;
        Duration::try_from(due.duration_since(now)).ok().filter(|wait| !wait.is_zero())
    }
}

fn new_pod(job: &Value) -> Value {
    let mut pod = pods::from_template(job, PodName::Generated);
    for (key, value) in [
        ("batch.kubernetes.io/controller-uid", fields::uid(job)),
        ("batch.kubernetes.io/job-name", fields::name(job)),
        ("controller-uid", fields::uid(job)),
        ("job-name", fields::name(job)),
    ] {
        fields::set_entry(&mut pod, "labels", key, value);
    }
    pod["metadata"]["finalizers"] = json!([TRACKING]);
    pod
}

/// When the last container of a pod ended, in whole seconds as the status says it.
fn ended_at(pod: &Value) -> Option<Timestamp> {
    list(pod, "/status/containerStatuses").iter().filter_map(|status| time(status, "/state/terminated/finishedAt")).max()
}

/// Ended pods on their way into the counters: noted by uid first, then freed of the finalizer, then counted.
struct Tally {
    /// Ended and not noted yet.
    fresh: Vec<Arc<Value>>,
    /// Noted, and their finalizer is still there.
    counted_with_finalizer: Vec<Arc<Value>>,
    /// Uids that were noted and whose pods are free: they move into the counters now.
    moving: [Vec<String>; 2],
    /// Uids that stay noted.
    staying: [Vec<String>; 2],
    counters: [i64; 2],
}

const SIDES: [&str; 2] = ["succeeded", "failed"];

impl Tally {
    fn of(job: &Value, pods: &Pods) -> Self {
        let counters = SIDES.map(|side| int(job, &format!("/status/{side}")).unwrap_or(0));
        let mut tally =
            Self { fresh: vec![], counted_with_finalizer: vec![], moving: Default::default(), staying: Default::default(), counters };
        for (side, ended) in [&pods.succeeded, &pods.failed].into_iter().enumerate() {
            let noted = list(job, &format!("/status/uncountedTerminatedPods/{}", SIDES[side]));
            let held = |uid: &str| ended.iter().any(|pod| fields::uid(pod) == uid && fields::has_finalizer(pod, TRACKING));
            for uid in noted.iter().filter_map(Value::as_str) {
                let list = if held(uid) { &mut tally.staying } else { &mut tally.moving };
                list[side].push(uid.to_owned());
            }
            for pod in ended.iter().filter(|pod| fields::has_finalizer(pod, TRACKING)) {
                if tally.staying[side].iter().any(|uid| uid == fields::uid(pod)) {
                    tally.counted_with_finalizer.push(Arc::clone(pod));
                } else {
                    tally.staying[side].push(fields::uid(pod).to_owned());
                    tally.fresh.push(Arc::clone(pod));
                }
            }
        }
        tally
    }

    fn total(&self, side: usize) -> i64 {
        self.counters[side] + (self.moving[side].len() + self.staying[side].len()) as i64
    }

    fn succeeded(&self) -> i64 {
        self.total(0)
    }

    fn totals(&self, active: usize, restarts: i64) -> verdict::Totals {
        verdict::Totals { succeeded: self.total(0), failed: self.total(1), active, restarts }
    }

    /// Whether every ended pod is in the counters, or gets there with this write.
    fn is_settled(&self) -> bool {
        self.staying.iter().all(Vec::is_empty) && self.moving.iter().all(Vec::is_empty)
    }
}

fn write_status(world: &World, place: &ObjectRef, tally: &Tally, pods: &Pods, verdict: Option<Verdict>, done: Option<Verdict>) {
    let now = world.now();
    let ready = pods.active.iter().filter(|pod| pods::is_ready(pod)).count();
    world.update_status(MANAGER, place, |job| {
        set_suspension(job, now);
        if text(job, "/status/startTime").is_empty() && !fields::flag(job, "/spec/suspend") {
            job["status"]["startTime"] = stamp(now).into();
        }
        fields::set_counts(job, &[("active", pods.active.len() as i64)]);
        job["status"]["ready"] = ready.into();
        job["status"]["terminating"] = pods.terminating.len().into();
        job["status"]["uncountedTerminatedPods"] = json!({});
        for (side, name) in SIDES.into_iter().enumerate() {
            fields::set_counts(job, &[(name, tally.counters[side] + tally.moving[side].len() as i64)]);
            if !tally.staying[side].is_empty() {
                job["status"]["uncountedTerminatedPods"][name] = json!(tally.staying[side]);
            }
        }
        if let Some(verdict) = verdict {
            verdict.write(job, done.is_some(), now);
        }
    });
}

/// Notes that a Job is suspended, or goes on.
fn set_suspension(job: &mut Value, now: Timestamp) {
    let (suspend, was) = (fields::flag(job, "/spec/suspend"), fields::holds(job, "Suspended"));
    if suspend && !was {
        let condition = Condition { kind: "Suspended", status: "True", reason: "JobSuspended", message: "Job suspended" };
        fields::set_condition(job, condition, now);
        if let Some(status) = job["status"].as_object_mut() {
            status.remove("startTime");
        }
    } else if !suspend && was {
        let condition = Condition { kind: "Suspended", status: "False", reason: "JobResumed", message: "Job resumed" };
        fields::set_condition(job, condition, now);
        job["status"]["startTime"] = stamp(now).into();
    }
}

fn tell(world: &mut World, before: &Value, done: Option<Verdict>, suspended: bool) {
    match done {
        Some(Verdict::Complete) => world.normal(before, NAME, "Completed", "Job completed"),
        Some(Verdict::Failed(cause)) => world.warning(before, NAME, cause.reason(), cause.message()),
        None => {}
    }
    match (suspended, fields::holds(before, "Suspended")) {
        (true, false) => world.normal(before, NAME, "Suspended", "Job suspended"),
        (false, true) => world.normal(before, NAME, "Resumed", "Job resumed"),
        (true, true) | (false, false) => {}
    }
}

/// Frees pods of the finalizer.
fn release<'a>(world: &World, pods: impl IntoIterator<Item = &'a Arc<Value>>) {
    for pod in pods.into_iter().filter(|pod| fields::has_finalizer(pod, TRACKING)) {
        world.update(MANAGER, &ObjectRef::of("", "pods", pod), |pod| fields::remove_finalizer(pod, TRACKING));
    }
}

/// Frees the pods of a Job that is gone.
fn release_orphans(world: &World, place: &ObjectRef) {
    let pods = world.store.list("", "pods", Some(&place.namespace));
    let orphaned = |pod: &&Arc<Value>| {
        fields::controller(pod).is_some_and(|owner| {
            owner["kind"] == "Job" && owner["name"] == *place.name && world.index.by_uid(text(owner, "/uid")).is_none()
        })
    };
    release(world, pods.iter().filter(orphaned));
}

/// Deletes a Job when its time to live is over.
fn expire(world: &World, place: &ObjectRef, job: &Value, ended: Timestamp) -> Option<Duration> {
    let seconds = int(job, "/spec/ttlSecondsAfterFinished")?;
    let due = ended.saturating_add(Duration::from_secs(seconds.unsigned_abs())).ok()?;
    match Duration::try_from(due.duration_since(world.now())) {
        Ok(wait) if !wait.is_zero() => Some(wait),
        Ok(_) | Err(_) => {
            world.delete(place, fields::uid(job), Propagation::Foreground, None);
            None
        }
    }
}
