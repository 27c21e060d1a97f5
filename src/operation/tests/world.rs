//! A pretended cluster for the core: obeys effects, moves objects along their fate, publishes facts. No I/O, no clock of its own.

mod news;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::{Assessment, HealthStatus, Live, Origin, Phase, ResourceKey, Role, TaskId, TaskState, Traits, annotation};
use crate::operation::{Effect, Event, Operation, Record, Step, StepOutcome};
use crate::plan::{Candidate, Kind, Manifest, Plan, PlanInput, Shape};

pub(super) use super::spec::{Fate, Setup, Spec, deleting, hook, pod_hook, resource, selecting};
use super::table::Refusal;
use super::trace;

pub(super) const NOON: &str = "2026-03-01T12:00:00Z";

/// What the server answers to a call that goes wrong.
type Fault = fn(&TaskId, &Step) -> Option<StepOutcome>;

pub(super) fn failed(error: &str) -> StepOutcome {
    StepOutcome::Failed { error: error.to_owned() }
}

#[derive(Clone, Debug)]
struct Thing {
    kind: Arc<str>,
    live: Live,
    fate: Fate,
    age: u8,
}

impl Thing {
    /// What is in deletion says nothing else, unless our finalizer holds it (spec R215).
    fn health(&self) -> Assessment {
        let pending = Fate::Is(HealthStatus::Progressing, "Pending deletion");
        if self.live.is_leaving() { pending.assess(&self.kind, self.age) } else { self.fate.assess(&self.kind, self.age) }
    }
}

pub(super) struct World {
    pub(super) op: Operation,
    pub(super) now: Timestamp,
    pub(super) history: Vec<Record>,
    pub(super) queue: VecDeque<(TaskId, Step)>,
    things: BTreeMap<ResourceKey, Thing>,
    fates: BTreeMap<ResourceKey, VecDeque<Fate>>,
    serial: u64,
    /// Fails every finalizer removal.
    pub(super) finalizers_stick: bool,
    /// How many seconds the server's clock is behind ours.
    pub(super) clock_ahead: i64,
    pub(super) faults: Vec<Fault>,
    pub(super) refusals: Vec<Refusal>,
    /// What the next look of a deletion finds, made in this moment by somebody else.
    pub(super) appears: Vec<Spec>,
    /// Each look finds it anew.
    pub(super) appears_again: bool,
    /// News of the watches that have not been heard yet, oldest first; `None`: all are heard at once.
    unheard: Option<VecDeque<Event>>,
}

pub(super) fn live_of(spec: &Spec, serial: u64, assessment: Assessment, finalizers: &[&str]) -> Live {
    Live {
        uid: format!("uid-{serial}").into(),
        resource_version: serial,
        generation: None,
        observed_generation: None,
        deletion: None,
        finalizers: finalizers.iter().map(|name| (*name).to_owned()).collect(),
        traits: Traits::of(&spec.object()),
        operation: None,
        app: None,
        assessment,
    }
}

impl World {
    pub(super) fn new(setup: Setup) -> Self {
        let now: Timestamp = NOON.parse().unwrap();
        let manifests: Vec<Manifest> = setup
            .specs
            .iter()
            .enumerate()
            .map(|(at, spec)| Manifest { object: spec.object(), origin: Origin { file: "test.yaml".into(), line: at + 1 } })
            .collect();
        let mut serial = 1;
        let mut things = BTreeMap::new();
        let mut put = |spec: &Spec| {
            serial += 1;
            let thing = Thing {
                kind: spec.kind.into(),
                live: live_of(spec, serial, spec.fate.assess(spec.kind, u8::MAX), &[]),
                fate: spec.fate.clone(),
                age: u8::MAX,
            };
            things.insert(spec.key(), thing);
        };
        setup.leftovers.iter().for_each(&mut put);
        setup.candidates.iter().for_each(&mut put);
        let candidates: Vec<Candidate> = setup
            .candidates
            .iter()
            .map(|spec| Candidate { key: spec.key(), version: "v1".into(), live: things[&spec.key()].live.clone() })
            .collect();
        let shape = Shape {
            options: setup.request.options.clone(),
            hooks: setup.request.hooks,
            skip_hooks: setup.request.skip_hooks.clone(),
            new_namespace: setup.new_namespace.clone(),
            unmodified: setup.unmodified.iter().map(Spec::key).collect(),
            ignores: false,
        };
        let input = PlanInput {
            app: "shop",
            namespace: "shop",
            revision: "0123456789abcdef",
            operation: "op-1",
            started_at: now,
            manifests: &manifests,
            kinds: &setup.kinds,
            candidates: &candidates,
            selection: setup.request.selection.as_deref(),
            shape: &shape,
        };
        let plan = match setup.kind {
            Kind::Sync => Plan::build(&input),
            Kind::Delete => Plan::of_deletion(&input, &setup.deletion),
        };
        let fates = fates_of(&plan, &setup.specs);
        let started = Event::OperationStarted {
            asked_at: now,
            plan: Arc::new(plan),
            request: Arc::new(setup.request),
            context: "test".into(),
            cluster: "test".into(),
        };
        let record = Record { operation: "op-1".into(), seq: 1, at: now, event: started };
        let op = Operation::start(&record).unwrap();
        let mut world = Self {
            op,
            now,
            history: vec![record],
            queue: VecDeque::new(),
            things,
            fates,
            serial,
            finalizers_stick: false,
            clock_ahead: 0,
            faults: Vec::new(),
            refusals: Vec::new(),
            appears: Vec::new(),
            appears_again: false,
            unheard: None,
        };
        let seen: Vec<(ResourceKey, Live)> = world.things.iter().map(|(key, thing)| (key.clone(), thing.live.clone())).collect();
        for (key, live) in seen {
            world.publish(Event::LiveObserved { key, live: Box::new(live) });
        }
        for (short, finalizer) in &setup.held {
            world.hold(short, finalizer);
        }
        for (kind, name) in setup.leaving.iter().filter_map(|short| short.split_once('/')) {
            world.remove(kind, name);
        }
        world.publish(Event::WatchesOpened { polled: Vec::new() });
        world
    }

    pub(super) fn publish(&mut self, event: Event) {
        let record = Record { operation: "op-1".into(), seq: self.history.len() as u64 + 1, at: self.now, event };
        self.op.apply(&record);
        self.history.push(record);
    }

    /// Obeys until there is nothing to decide; calls wait in the queue.
    pub(super) fn decide(&mut self) {
        for _ in 0..10_000 {
            let effects = self.op.next(self.now);
            if effects.is_empty() {
                return;
            }
            for effect in effects {
                match effect {
                    Effect::Record(event) => self.publish(event),
                    Effect::Step { task, step } => {
                        assert!(!self.queue.contains(&(task.clone(), step.clone())), "asked twice: {task:?} {step:?}");
                        self.publish(Event::StepStarted { task: task.clone(), step: step.clone() });
                        self.queue.push_back((task, step));
                    }
                    Effect::LookAgain => {
                        self.publish(Event::SearchStarted);
                        let found = self.look();
                        self.publish(Event::SearchFinished { found });
                    }
                    Effect::FollowLog { task, pod, uid, container, pod_attempt, .. } => {
                        self.publish(Event::LogOpened {
                            task: task.clone(),
                            pod: pod.clone(),
                            uid: uid.clone(),
                            container: container.clone(),
                            pod_attempt,
                        });
                        self.publish(Event::LogClosed { task, pod, uid, container });
                    }
                }
            }
        }
        panic!("the core never comes to rest");
    }

    fn look(&mut self) -> Vec<Candidate> {
        let appears = if self.appears_again { self.appears.clone() } else { std::mem::take(&mut self.appears) };
        let make = |spec: &Spec| {
            self.serial += 1;
            let live = live_of(spec, self.serial, spec.fate.assess(spec.kind, u8::MAX), &[]);
            self.things.insert(spec.key(), Thing { kind: spec.kind.into(), live: live.clone(), fate: spec.fate.clone(), age: u8::MAX });
            Candidate { key: spec.key(), version: "v1".into(), live }
        };
        appears.iter().map(make).collect()
    }

    /// Answers one call of the queue.
    pub(super) fn answer(&mut self, at: usize) {
        let Some((task, step)) = self.queue.remove(at) else { return };
        let outcome = self.perform(&task, &step);
        self.publish(Event::StepFinished { task, step, outcome });
    }

    /// The server does what one call of the queue asks for, but its answer comes a second later, after what the watch has to say.
    pub(super) fn answer_late(&mut self, at: usize) {
        let Some((task, step)) = self.queue.remove(at) else { return };
        let outcome = self.perform(&task, &step);
        self.tick();
        self.publish(Event::StepFinished { task, step, outcome });
    }

    fn perform(&mut self, task: &TaskId, step: &Step) -> StepOutcome {
        let outcome = self.answer_of(task, step);
        if !matches!(step, Step::Look | Step::Try | Step::Discover) {
            self.tell_of_write(&task.key);
        }
        outcome
    }

    fn answer_of(&mut self, task: &TaskId, step: &Step) -> StepOutcome {
        let key = &task.key;
        if let Some(outcome) = self.faults.iter().find_map(|fault| fault(task, step)) {
            return outcome;
        }
        if let Some(refusal) = self.refusals.iter().find(|refusal| refusal.concerns(task, step)) {
            return refusal.outcome(step);
        }
        match step {
            Step::Apply => self.create(task),
            Step::Try => done_saying(format!("{}/{} created (dry run)", key.kind.to_lowercase(), key.name)),
            Step::Discover => done(None),
            Step::Look | Step::Adopt { .. } => self.things.get(key).map_or(StepOutcome::Gone, |thing| done(Some(thing.live.clone()))),
            Step::Prune { uid } | Step::DeleteOldHook { uid } | Step::DeleteHook { uid, .. } | Step::TerminateDelete { uid } => {
                self.delete(key, uid)
            }
            Step::RemoveOldFinalizer { uid }
            | Step::RemoveFinalizer { uid }
            | Step::RemoveLeftFinalizer { uid }
            | Step::TerminateFinalizer { uid } => self.unlock(key, uid),
        }
    }

    /// What becomes of an object that is applied now: an object that is there goes on as it does.
    fn next_fate(&mut self, key: &ResourceKey) -> Fate {
        let is_there = self.things.contains_key(key);
        let Some(fates) = self.fates.get_mut(key) else { return Fate::NoRule };
        let fate = fates.front().cloned().unwrap_or(Fate::NoRule);
        if !is_there && fates.len() > 1 {
            fates.pop_front();
        }
        fate
    }

    fn create(&mut self, task: &TaskId) -> StepOutcome {
        let fate = self.next_fate(&task.key);
        if fate == Fate::Refused {
            return StepOutcome::Failed { error: format!("{} refused", task.key.name) };
        }
        if task.role == Role::Hook && self.things.get(&task.key).is_some_and(|thing| thing.live.deletion.is_some()) {
            let error = "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted".to_owned();
            return StepOutcome::Failed { error };
        }
        self.serial += 1;
        let target = self.op.plan().task(task).and_then(|task| task.target.clone()).unwrap();
        let finalizers: Vec<String> = target.wire()["metadata"]["finalizers"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        let thing = self.things.entry(task.key.clone()).or_insert_with(|| Thing {
            kind: task.key.kind.clone(),
            live: Live {
                uid: format!("uid-{}", self.serial).into(),
                resource_version: 0,
                generation: None,
                observed_generation: None,
                deletion: None,
                finalizers: Vec::new(),
                traits: Traits::of(&target),
                operation: None,
                app: None,
                assessment: Assessment::NoRule,
            },
            fate,
            age: 0,
        });
        thing.live.resource_version = self.serial;
        // An apply leaves alone what others have put on.
        thing.live.finalizers.retain(|name| !annotation::is_hook_finalizer(name));
        thing.live.finalizers.extend(finalizers);
        thing.live.app = Some(self.op.plan().app.clone());
        thing.live.operation =
            Some(target.text(&["metadata", "labels", annotation::OPERATION_LABEL]).into()).filter(|id: &Arc<str>| !id.is_empty());
        thing.live.traits = Traits::of(&target);
        thing.live.assessment = thing.health();
        let group = if task.key.group.is_empty() { String::new() } else { format!(".{}", task.key.group) };
        StepOutcome::Done {
            message: format!("{}{group}/{} created", task.key.kind.to_lowercase(), task.key.name),
            live: Some(Box::new(thing.live.clone())),
        }
    }

    fn delete(&mut self, key: &ResourceKey, uid: &str) -> StepOutcome {
        let now = self.now.checked_sub(SignedDuration::from_secs(self.clock_ahead)).unwrap();
        let Some(thing) = self.things.get_mut(key).filter(|thing| *thing.live.uid == *uid) else { return StepOutcome::Gone };
        self.serial += 1;
        thing.live.resource_version = self.serial;
        thing.live.deletion = Some(now);
        thing.live.assessment = thing.health();
        done(Some(thing.live.clone()))
    }

    fn unlock(&mut self, key: &ResourceKey, uid: &str) -> StepOutcome {
        if self.finalizers_stick {
            return StepOutcome::Failed { error: "denied by a webhook".to_owned() };
        }
        let Some(thing) = self.things.get_mut(key).filter(|thing| *thing.live.uid == *uid) else { return StepOutcome::Gone };
        self.serial += 1;
        thing.live.resource_version = self.serial;
        thing.live.finalizers.retain(|name| !annotation::is_hook_finalizer(name));
        thing.live.assessment = thing.health();
        done(Some(thing.live.clone()))
    }

    /// One second passes: objects move along their fate, deletions complete.
    pub(super) fn tick(&mut self) {
        self.now = self.now.checked_add(SignedDuration::from_secs(1)).unwrap();
        let keys: Vec<ResourceKey> = self.things.keys().cloned().collect();
        for key in keys {
            self.age(&key);
        }
    }

    fn age(&mut self, key: &ResourceKey) {
        let Some(thing) = self.things.get_mut(key) else { return };
        thing.age = thing.age.saturating_add(1);
        let vanishes = matches!(thing.fate, Fate::Vanishes(after) if thing.age == after);
        if vanishes || (thing.live.deletion.is_some() && thing.live.finalizers.is_empty()) {
            let uid = thing.live.uid.clone();
            self.things.remove(key);
            return self.tell(Event::LiveGone { key: key.clone(), uid });
        }
        let assessment = thing.health();
        if assessment != thing.live.assessment {
            self.serial += 1;
            thing.live.assessment = assessment;
            thing.live.resource_version = self.serial;
            let live = Box::new(thing.live.clone());
            self.tell(Event::LiveObserved { key: key.clone(), live });
        }
    }

    /// Runs until the operation has ended, at most `ticks` seconds.
    pub(super) fn run(&mut self, ticks: usize) {
        for _ in 0..ticks {
            self.settle();
            if self.op.finished_at().is_some() {
                return;
            }
            self.tick();
        }
    }

    pub(super) fn settle(&mut self) {
        self.decide();
        while !self.queue.is_empty() {
            self.answer(0);
            self.decide();
        }
    }

    /// One second passes, and what changes is told and decided object by object.
    pub(super) fn tick_one_by_one(&mut self) {
        self.now = self.now.checked_add(SignedDuration::from_secs(1)).unwrap();
        let keys: Vec<ResourceKey> = self.things.keys().cloned().collect();
        for key in keys {
            self.age(&key);
            self.decide();
        }
    }

    /// Somebody else deletes an object and creates another one of the same name.
    pub(super) fn replace(&mut self, kind: &str, name: &str) {
        let key = self.things.keys().find(|key| *key.kind == *kind && *key.name == *name).cloned().unwrap();
        self.serial += 1;
        let thing = self.things.get_mut(&key).unwrap();
        let old = std::mem::replace(&mut thing.live.uid, format!("uid-{}", self.serial).into());
        thing.live.resource_version = self.serial;
        thing.live.finalizers.clear();
        let live = Box::new(thing.live.clone());
        self.publish(Event::LiveGone { key: key.clone(), uid: old });
        self.publish(Event::LiveObserved { key, live });
    }

    /// Somebody else deletes an object.
    pub(super) fn remove(&mut self, kind: &str, name: &str) {
        let key = self.things.keys().find(|key| *key.kind == *kind && *key.name == *name).cloned().unwrap();
        let uid = self.things[&key].live.uid.clone();
        self.delete(&key, &uid);
        let live = Box::new(self.things[&key].live.clone());
        self.publish(Event::LiveObserved { key, live });
    }

    /// What becomes of an object from its next creation on.
    pub(super) fn set_fate(&mut self, short: &str, fate: &Fate) {
        self.fates.iter_mut().filter(|(key, _)| key.short() == short).for_each(|(_, own)| *own = VecDeque::from([fate.clone()]));
    }

    fn key(&self, short: &str) -> ResourceKey {
        self.things.keys().find(|key| key.short() == short).cloned().unwrap()
    }

    /// A finalizer of somebody else is on an object.
    pub(super) fn hold(&mut self, short: &str, finalizer: &str) {
        let key = self.key(short);
        let thing = self.things.get_mut(&key).unwrap();
        thing.live.finalizers.push(finalizer.to_owned());
        let live = Box::new(thing.live.clone());
        self.publish(Event::LiveObserved { key, live });
    }

    /// An earlier operation has left its finalizer on an object.
    pub(super) fn lock(&mut self, short: &str) {
        self.hold(short, annotation::HOOK_FINALIZER);
    }

    /// What is being deleted goes, and somebody else creates another object of its name.
    pub(super) fn recreate(&mut self, short: &str) {
        let key = self.key(short);
        self.things.get_mut(&key).unwrap().live.deletion = None;
        self.replace(&key.kind, &key.name);
    }

    /// Somebody takes every finalizer off an object.
    pub(super) fn unlock_by_hand(&mut self, short: &str) {
        let key = self.key(short);
        self.things.get_mut(&key).unwrap().live.finalizers.clear();
    }

    /// An object changes its mind.
    pub(super) fn becomes(&mut self, short: &str, fate: Fate) {
        let key = self.key(short);
        self.things.get_mut(&key).unwrap().fate = fate;
    }

    /// The view loses an object that is still there.
    pub(super) fn lose(&mut self, short: &str) {
        let key = self.key(short);
        let uid = self.things[&key].live.uid.clone();
        self.publish(Event::LiveGone { key, uid });
    }

    /// The view has an object again that it had lost.
    pub(super) fn find(&mut self, short: &str) {
        let key = self.key(short);
        let live = Box::new(self.things[&key].live.clone());
        self.publish(Event::LiveObserved { key, live });
    }

    pub(super) fn left(&self) -> Vec<String> {
        self.things.keys().map(ResourceKey::short).collect()
    }

    pub(super) fn live(&self, short: &str) -> Option<&Live> {
        self.things.iter().find(|(key, _)| key.short() == short).map(|(_, thing)| &thing.live)
    }

    pub(super) fn results(&self) -> Vec<String> {
        trace::results(&self.op)
    }

    pub(super) fn calls(&self) -> Vec<String> {
        trace::calls(&self.history)
    }

    pub(super) fn messages(&self) -> Vec<String> {
        trace::messages(&self.history)
    }

    pub(super) fn state(&self, phase: Phase, short: &str) -> TaskState {
        let result = self.op.results().iter().find(|result| result.task.phase == phase && result.task.key.short() == short);
        result.map(|result| result.state).unwrap_or_default()
    }
}

fn done(live: Option<Live>) -> StepOutcome {
    StepOutcome::Done { message: String::new(), live: live.map(Box::new) }
}

fn done_saying(message: String) -> StepOutcome {
    StepOutcome::Done { message, live: None }
}

fn fates_of(plan: &Plan, specs: &[Spec]) -> BTreeMap<ResourceKey, VecDeque<Fate>> {
    let fate = |task: &crate::model::Task| {
        let origin = task.origin.as_ref()?;
        let spec = specs.get(origin.line - 1)?;
        Some((task.id.key.clone(), std::iter::once(&spec.fate).chain(&spec.later).cloned().collect()))
    };
    plan.tasks.iter().filter_map(fate).collect()
}

/// Runs to the end, which must come within 200 seconds.
pub(super) fn finished(mut world: World) -> World {
    world.run(200);
    assert!(world.op.finished_at().is_some(), "still {:?}: {}", world.op.phase(), world.op.message());
    world
}

pub(super) fn sync(specs: impl IntoIterator<Item = Spec>) -> World {
    World::new(Setup { specs: specs.into_iter().collect(), ..Setup::default() })
}

/// The deletion of an app that owns `owned`, and whose manifests are those of `owned` and `hooks`.
pub(super) fn deletion(hooks: impl IntoIterator<Item = Spec>, owned: impl IntoIterator<Item = Spec>) -> World {
    World::new(deleting(hooks, owned))
}
