//! The controllers of the embedded cluster, and the one loop that drives them and the kubelet: it drains the changes
//! of the store in the order of their revisions and does what is due on the clock, one thing at a time. So a story
//! plays the same way each time. Knows the store's interface and no HTTP.

mod address;
mod apiservice;
mod autoscaler;
mod budget;
mod claims;
mod daemonset;
mod deployment;
mod dispatch;
mod events;
mod garbage;
mod index;
mod job;
mod namespace;
mod pods;
mod preload;
mod queue;
mod replicaset;
mod rollout;
mod scheduler;
mod statefulset;
mod steps;
mod verdict;
mod workflow;
mod world;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub(super) use events::{Note, Tone};
pub(super) use pods::is_finished;
pub(super) use queue::ObjectRef;
pub(super) use world::World;

use super::kubelet::Kubelet;
use super::logbook::Logbook;
use super::store::Store;
use super::story::Story;
use crate::clock::Clock;
use queue::{Actor, Task};

/// How long before the story the objects of its beginning were made.
const BEFORE: Duration = Duration::from_secs(300);
/// How soon a task may ask for itself again.
const SOONEST: Duration = Duration::from_millis(1);
/// More tasks than the objects of any beginning need to settle.
const MOST_TASKS: usize = 1_000_000;

/// All controllers and the kubelet.
pub(crate) struct Actors {
    world: World,
    kubelet: Kubelet,
    jobs: job::Jobs,
    scheduler: scheduler::Scheduler,
    addresses: address::Addresses,
    /// The revision up to which changes were seen.
    seen: u64,
}

impl Actors {
    /// Makes the nodes, the storage classes and the first objects of a story, and lets them settle: when this
    /// returns, Deployments among them are available and their pods run.
    pub(crate) fn prepare(store: Store, logs: Logbook, story: Arc<Story>, clock: Clock, seed: u64) -> Self {
        let world = World::new(store, logs, story, clock, seed);
        let mut actors = Self {
            world,
            kubelet: Kubelet::default(),
            jobs: job::Jobs::default(),
            scheduler: scheduler::Scheduler::default(),
            addresses: address::Addresses::default(),
            seen: 0,
        };
        let begin = actors.world.now();
        let before = begin.checked_sub(BEFORE).unwrap_or(begin);
        actors.world.pretend(Some(before));
        preload::make(&actors.world);
        actors.settle(begin);
        actors.observe();
        actors.world.store.backdate(before);
        actors.world.pretend(None);
        steps::plan(&mut actors.world);
        actors
    }

    /// Runs for ever.
    pub(crate) async fn run(mut self) {
        let mut revision = self.world.store.revision();
        let clock = self.world.clock();
        loop {
            revision.update();
            self.observe();
            if let Some(task) = self.world.queue.take(self.world.now()) {
                self.perform(&task);
                // Requests get their turn between two tasks.
                tokio::task::yield_now().await;
                continue;
            }
            // Both branches only wait; nothing is lost when the other one wins.
            let gone = match self.world.queue.next() {
                Some(at) => tokio::select! {
                    biased;
                    changed = revision.changed() => changed.is_err(),
                    () = clock.sleep_until(at) => false,
                },
                None => revision.changed().await.is_err(),
            };
            if gone {
                return;
            }
        }
    }

    /// Does what is due before the story begins, in pretended time.
    fn settle(&mut self, begin: Timestamp) {
        for _ in 0..MOST_TASKS {
            self.observe();
            let Some(at) = self.world.queue.next().filter(|at| *at < begin) else { return };
            self.world.pretend(Some(at.max(self.world.now())));
            if let Some(task) = self.world.queue.take(at) {
                self.perform(&task);
            }
        }
    }

    fn perform(&mut self, task: &Task) {
        let (world, place) = (&mut self.world, &task.object);
        let again = match task.actor {
            Actor::Namespace => namespace::reconcile(world, place),
            Actor::Garbage => {
                garbage::reconcile(world, place);
                None
            }
            Actor::Deployment => deployment::reconcile(world, place),
            Actor::ReplicaSet => replicaset::reconcile(world, place),
            Actor::StatefulSet => statefulset::reconcile(world, place),
            Actor::DaemonSet => daemonset::reconcile(world, place),
            Actor::Job => self.jobs.reconcile(world, place),
            Actor::Autoscaler => autoscaler::reconcile(world, place),
            Actor::Budget => {
                budget::reconcile(world, place);
                None
            }
            Actor::Address => {
                self.addresses.reconcile(world, place);
                None
            }
            Actor::ApiService => {
                apiservice::reconcile(world, place);
                None
            }
            Actor::Claim => claims::reconcile(world, place),
            Actor::Workflow => workflow::reconcile(world, place),
            Actor::Scheduler => self.scheduler.reconcile(world, place),
            Actor::Kubelet => self.kubelet.reconcile(world, place),
            Actor::Timeline => {
                steps::perform(world, place);
                None
            }
        };
        if let Some(delay) = again {
            // Time has to pass between two looks, or a mistake would stop the virtual clock.
            self.world.wake(task.actor, task.object.clone(), delay.max(SOONEST));
        }
    }
}

#[cfg(test)]
mod tests;
