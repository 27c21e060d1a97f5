//! Looking again at what an app owns while it is being deleted (spec R1109d): hooks and operators make objects, and put others in the place
//! of those that were planned. A look lists everything, so it is asked for only after something was done that may have changed the answer:
//! when the PreDelete hooks are through, and when the cascade has nothing left; never between two waves, because what appears there is found
//! at the end. The answer is a fact like any other.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::event::{Event, Step};
use super::{Effect, Operation, Slot, TaskResult};
use crate::model::{Phase, ResourceKey, ResultCode, Role, TaskId, TaskState};
use crate::plan::{Candidate, Plan};

/// Of each attempt. What still appears at the last look stays, because somebody goes on making it.
const LOOKS: u32 = 5;
const ENDLESS: &str = "ignored (something makes it again and again while the app is being deleted)";

/// How far the looks have come.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Looks {
    begun: u32,
    is_out: bool,
    /// Something was done since the last look that may have changed what the app owns.
    is_due: bool,
}

impl Looks {
    pub(super) fn note(&mut self, task: &TaskId, step: &Step) {
        // What PostDelete hooks make is not the app's any more, also when some of them run again.
        let is_of_app = task.phase != Phase::PostDelete;
        self.is_due |= is_of_app && matches!(step, Step::Apply | Step::Adopt { .. } | Step::Prune { .. });
    }

    /// A new attempt has all of its looks; what is due stays due.
    pub(super) fn begin_attempt(&mut self) {
        self.begun = 0;
    }
}

impl Operation {
    /// The look after the PreDelete hooks, before the first object goes. `None`: it is through, or not needed.
    pub(super) fn look_before_cascade(&self) -> Option<Vec<Effect>> {
        if self.phases.contains_key(&Phase::Delete) { None } else { self.look_again() }
    }

    /// The look at the end of the cascade, before the PostDelete hooks run, and the sentences about what it could not end.
    pub(super) fn look_after_cascade(&self) -> Option<Vec<Effect>> {
        // What PostDelete hooks make is not the app's any more.
        if self.phases.contains_key(&Phase::PostDelete) {
            return None;
        }
        if let Some(effects) = self.look_again() {
            return Some(effects);
        }
        let endless = self.plan.tasks.iter().filter(|task| self.result(&task.id).is_some_and(|result| result.message == ENDLESS));
        let is_told = |id: &TaskId| self.warnings.iter().any(|(task, _)| task.as_ref() == Some(id));
        let text = "something makes it again and again while the app is being deleted, so it stays; end that first, and delete again";
        let untold = endless.map(|task| &task.id).filter(|id| !is_told(id));
        let sentences = untold.map(|id| Effect::Record(Event::Warned { task: Some(id.clone()), text: text.to_owned() }));
        Some(sentences.collect()).filter(|effects: &Vec<Effect>| !effects.is_empty())
    }

    fn look_again(&self) -> Option<Vec<Effect>> {
        if self.looks.is_out {
            return Some(Vec::new());
        }
        (self.looks.is_due && self.looks.begun < LOOKS).then(|| vec![Effect::LookAgain])
    }

    /// Returns whether an object of the app is not in the plan yet. What has the name of a hook is the affair of that hook.
    fn is_new_belonging(&self, key: &ResourceKey, uid: &Arc<str>) -> bool {
        let is_hook = || self.hooks().any(|task| task.id.key == *key);
        match self.plan.task(&in_cascade(key)) {
            _ if self.gone.contains(uid) => false,
            Some(task) => self.own_uid(task) != Some(uid),
            None => !is_hook(),
        }
    }

    /// Returns what the plan of the deletion is about: objects that need not be looked at again.
    pub(crate) fn known_belongings(&self) -> BTreeSet<(ResourceKey, Arc<str>)> {
        let planned = self.plan.tasks.iter().filter(|task| task.id.phase == Phase::Delete);
        planned.filter_map(|task| Some((task.id.key.clone(), self.own_uid(task)?.clone()))).collect()
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "`Operation::apply` is exhaustive and hands each part its own events")]
    pub(super) fn apply_search(&mut self, at: Timestamp, event: &Event) {
        match event {
            Event::SearchStarted => self.looks = Looks { begun: self.looks.begun + 1, is_out: true, is_due: false },
            Event::SearchFinished { found } => {
                self.looks.is_out = false;
                // Nothing begins any more.
                if self.is_deletion() && self.conclusion.is_none() && self.terminate.is_none() && self.finished_at.is_none() {
                    self.take_found(at, found);
                }
            }
            _ => {}
        }
    }

    /// An object in the place of another one takes over its task, so that each object of the app has one result.
    fn take_found(&mut self, at: Timestamp, found: &[Candidate]) {
        let news: Vec<Candidate> =
            found.iter().filter(|candidate| self.is_new_belonging(&candidate.key, &candidate.live.uid)).cloned().collect();
        if news.is_empty() {
            return;
        }
        let anew: BTreeSet<TaskId> = news.iter().map(|candidate| in_cascade(&candidate.key)).collect();
        self.replant(self.plan.with_found(&news), &anew);
        for Candidate { key, live, .. } in &news {
            self.observe(at, key, live);
            if self.looks.begun >= LOOKS {
                self.set_result(at, &in_cascade(key), ResultCode::PruneSkipped, TaskState::Succeeded, ENDLESS);
            }
        }
    }

    /// Goes on with a plan that has more tasks; those of `anew` begin from the beginning.
    fn replant(&mut self, plan: Plan, anew: &BTreeSet<TaskId>) {
        let new = Arc::new(plan);
        let old = std::mem::replace(&mut self.plan, new.clone());
        let moved = |slots: &[Slot]| -> Vec<Slot> {
            let place = |id: &TaskId| old.position(id).and_then(|at| slots.get(at)).cloned().unwrap_or_default();
            new.tasks.iter().map(|task| place(&task.id)).collect()
        };
        self.attempts.iter_mut().for_each(|attempt| attempt.slots = moved(&attempt.slots));
        self.slots = moved(&self.slots);
        self.running = self.running.iter().filter_map(|at| new.position(&old.tasks[*at].id)).collect();
        let kept: Vec<TaskResult> = std::mem::take(&mut self.results).into_iter().filter(|result| !anew.contains(&result.task)).collect();
        let places: HashMap<&TaskId, usize> = kept.iter().enumerate().map(|(at, result)| (&result.task, at)).collect();
        for (task, slot) in new.tasks.iter().zip(&mut self.slots) {
            slot.result = places.get(&task.id).copied();
            if anew.contains(&task.id) {
                slot.progress = None;
            }
        }
        self.results = kept;
    }
}

fn in_cascade(key: &ResourceKey) -> TaskId {
    TaskId { phase: Phase::Delete, key: key.clone(), role: Role::Prune }
}
