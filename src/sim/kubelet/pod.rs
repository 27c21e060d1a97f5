//! One pod on its node: mounts, init containers in order, then the others; restarts by its policy; its end, by itself
//! or because somebody deletes it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::behaviour::{self, Part};
use super::config;
use super::container::Container;
use super::printer::later;
use super::site::Site;
use super::status;
use crate::sim::Propagation;
use crate::sim::actors::{ObjectRef, Tone, World, is_finished};
use crate::sim::fields::{self, int, is_deleting, list, text, time};

/// The pause before a volume is tried again; it doubles.
const REMOUNT: Duration = Duration::from_secs(1);
const MAX_REMOUNT: Duration = Duration::from_secs(122);
/// The exit code of a container that a signal ended.
const TERMINATED: i32 = 143;
const KILLED: i32 = 137;

/// A pod that runs on a node.
#[derive(Debug)]
pub(super) struct PodRun {
    pub(super) uid: String,
    pub(super) ip: String,
    pub(super) began: Timestamp,
    /// Init containers first.
    pub(super) containers: Vec<Container>,
    /// Why the pod as a whole has failed.
    pub(super) failure: Option<(&'static str, &'static str)>,
    is_mounted: bool,
    remount: Option<(Timestamp, Duration)>,
    /// Somebody was told that it is being ended.
    is_told: bool,
    /// The status says what is.
    is_written: bool,
}

impl PodRun {
    pub(super) fn new(world: &World, pod: &Value, address: u32) -> Self {
        let make = |container: &Value, part| Container::new(text(container, "/name"), part, behaviour::rule_for(world, pod, container));
        let part = |container: &Value| if container["restartPolicy"] == "Always" { Part::Sidecar } else { Part::Init };
        let init = list(pod, "/spec/initContainers").iter().map(|container| make(container, part(container)));
        let main = list(pod, "/spec/containers").iter().map(|container| make(container, Part::Main));
        Self {
            uid: fields::uid(pod).to_owned(),
            ip: format!("10.244.{}.{}", address / 250, address % 250 + 2),
            began: world.now(),
            containers: init.chain(main).collect(),
            failure: None,
            is_mounted: false,
            remount: None,
            is_told: false,
            is_written: false,
        }
    }

    /// Plays the pod up to now and writes its status; returns when it has to be looked at again.
    pub(super) fn play(&mut self, site: &mut Site<'_>) -> Option<Timestamp> {
        if int(site.pod, "/metadata/deletionGracePeriodSeconds") == Some(0) && is_deleting(site.pod) {
            // Only finalizers of others hold it.
            return None;
        }
        let dying = is_deleting(site.pod).then(|| time(site.pod, "/metadata/deletionTimestamp").unwrap_or(site.now));
        let deadline = dying.or_else(|| self.pass_deadline(site));
        if let Some(deadline) = deadline {
            self.end_all(site, deadline);
        } else {
            self.mount(site);
        }
        while self.step(site, deadline.is_some()) {
            self.is_written = false;
        }
        if dying.is_some() && !self.containers.iter().any(Container::is_running) {
            self.leave(site);
            return None;
        }
        // Most of the time only a line was printed, and nothing is to be written.
        if !self.is_written {
            status::write(self, site);
            self.is_written = true;
        }
        self.next(site, deadline)
    }

    /// When something happens to the pod by itself.
    fn next(&self, site: &Site<'_>, deadline: Option<Timestamp>) -> Option<Timestamp> {
        let is_ending = deadline.is_some();
        let containers = self.containers.iter().filter(|container| !is_ending || container.is_running()).filter_map(Container::next);
        let remount = self.remount.filter(|_| !self.is_mounted && !is_ending).map(|(at, _)| at);
        let end = match deadline {
            Some(at) => Some(at).filter(|at| *at > site.now),
            None => pod_deadline(self, site.pod).filter(|_| !self.is_over(site.pod)),
        };
        containers.chain(remount).chain(end).min()
    }

    /// Returns whether the pod waits for something that it is configured with.
    pub(super) fn is_blocked(&self) -> bool {
        !self.is_mounted || self.containers.iter().any(Container::is_unconfigured)
    }

    /// Something that the pod may have been waiting for has changed.
    pub(super) fn poke(&mut self, now: Timestamp) {
        self.containers.iter_mut().for_each(|container| container.poke(now));
        if let Some((at, _)) = &mut self.remount {
            *at = now;
        }
    }

    /// Mounts the volumes, or says which one cannot be mounted.
    fn mount(&mut self, site: &mut Site<'_>) {
        if self.is_mounted || self.remount.is_some_and(|(at, _)| at > site.now) {
            return;
        }
        match config::missing_volume(site.world, site.pod) {
            None => self.is_mounted = true,
            Some((volume, problem)) => {
                self.is_written = false;
                site.tell_pod(Tone::Warning, "FailedMount", &format!("MountVolume.SetUp failed for volume \"{volume}\" : {problem}"));
                let pause = self.remount.map_or(REMOUNT, |(_, pause)| (pause * 2).min(MAX_REMOUNT));
                self.remount = Some((later(site.now, pause), pause));
            }
        }
    }

    /// One step of one container; returns whether there was one.
    fn step(&mut self, site: &mut Site<'_>, is_ending: bool) -> bool {
        let mut moved = false;
        if !is_ending {
            moved |= self.begin_next(site);
            moved |= self.restart_ended(site);
        }
        for container in self.containers.iter_mut().filter(|container| !is_ending || container.is_running()) {
            moved |= container.advance(site);
        }
        moved
    }

    /// Begins the containers whose turn has come.
    fn begin_next(&mut self, site: &mut Site<'_>) -> bool {
        if !self.is_mounted || self.is_over(site.pod) {
            return false;
        }
        let ready = |container: &Container| match container.part {
            Part::Init => container.ended().is_some_and(|ended| ended.exit == 0),
            Part::Sidecar => container.is_running(),
            Part::Main => true,
        };
        let upto = self.containers.iter().position(|container| !ready(container)).map_or(self.containers.len(), |place| place + 1);
        let mut moved = false;
        for container in self.containers[..upto].iter_mut().filter(|container| matches!(container.state, super::container::State::Waiting))
        {
            container.begin(site);
            moved = true;
        }
        moved
    }

    fn restart_ended(&mut self, site: &mut Site<'_>) -> bool {
        if self.is_over(site.pod) {
            return self.end_sidecars(site);
        }
        let policy = text(site.pod, "/spec/restartPolicy");
        let mut moved = false;
        for container in &mut self.containers {
            let Some(exit) = container.ended().map(|ended| ended.exit) else { continue };
            let again = match container.part {
                Part::Sidecar => true,
                Part::Init => exit != 0 && policy != "Never",
                Part::Main => policy == "Always" || policy == "OnFailure" && exit != 0,
            };
            if again {
                container.restart(site);
                moved = true;
            }
        }
        moved
    }

    fn end_sidecars(&mut self, site: &mut Site<'_>) -> bool {
        let mut moved = false;
        for sidecar in self.containers.iter_mut().filter(|container| container.part == Part::Sidecar && container.is_running()) {
            sidecar.kill(site, TERMINATED);
            moved = true;
        }
        moved
    }

    /// Returns whether nothing of the pod will run again.
    pub(super) fn is_over(&self, pod: &Value) -> bool {
        let policy = text(pod, "/spec/restartPolicy");
        let failed_for_good = |container: &Container| {
            policy == "Never" && container.part == Part::Init && container.ended().is_some_and(|ended| ended.exit != 0)
        };
        let done =
            |container: &Container| container.ended().is_some_and(|ended| policy == "Never" || policy == "OnFailure" && ended.exit == 0);
        let mut main = self.containers.iter().filter(|container| container.part == Part::Main);
        self.failure.is_some() || self.containers.iter().any(failed_for_good) || main.all(done)
    }

    /// Ends the containers: at once, or at the deadline those that do not listen.
    fn end_all(&mut self, site: &mut Site<'_>, deadline: Timestamp) {
        for container in self.containers.iter_mut().filter(|container| container.is_running()) {
            if !self.is_told {
                site.tell((&container.name, container.part), Tone::Normal, "Killing", &format!("Stopping container {}", container.name));
            }
            self.is_written = false;
            // A line that is due now is still printed.
            container.advance(site);
            if deadline <= site.now {
                container.kill(site, if container.ignores_term(site) { KILLED } else { TERMINATED });
            } else if !container.ignores_term(site) {
                container.kill(site, TERMINATED);
            }
        }
        self.is_told = true;
    }

    /// The pod has been active for too long.
    fn pass_deadline(&mut self, site: &Site<'_>) -> Option<Timestamp> {
        if self.failure.is_none() && (is_finished(site.pod) || pod_deadline(self, site.pod).is_none_or(|due| due > site.now)) {
            return None;
        }
        self.is_written &= self.failure.is_some();
        self.failure = Some(("DeadlineExceeded", "Pod was active on the node longer than the specified deadline"));
        let grace = int(site.pod, "/spec/terminationGracePeriodSeconds").unwrap_or(30).unsigned_abs();
        pod_deadline(self, site.pod).map(|due| later(due, Duration::from_secs(grace)))
    }

    /// All containers have ended: the object may go.
    fn leave(&mut self, site: &mut Site<'_>) {
        status::write(self, site);
        site.world.delete(&ObjectRef::of("", "pods", site.pod), &self.uid, Propagation::Background, Some(0));
    }
}

fn pod_deadline(run: &PodRun, pod: &Value) -> Option<Timestamp> {
    let seconds = int(pod, "/spec/activeDeadlineSeconds")?;
    Some(later(run.began, Duration::from_secs(seconds.unsigned_abs())))
}
