//! One container: waiting, pulled, started, running, ended, started again. Moves itself one step at a time; when its
//! turn comes and whether it is started again is decided by `super::pod`.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::behaviour::{self, Behaviour, End, Part};
use super::config;
use super::printer::{Printer, later};
use super::site::Site;
use crate::sim::actors::Tone;
use crate::sim::fields::{self, int, text};
use crate::sim::rng::Rng;

/// How long an image takes that nobody pulled before, and one that is only checked.
const PULL: Duration = Duration::from_millis(300);
const CHECK: Duration = Duration::from_millis(100);
/// From the image to the running process.
const START: Duration = Duration::from_millis(50);
/// How long the first failed pull is shown as such before the back-off is.
const SHOW_ERROR: Duration = Duration::from_secs(2);
/// Pause after a failed pull and after a crash; it doubles each time.
const BACK_OFF: Duration = Duration::from_secs(10);
const MAX_BACK_OFF: Duration = Duration::from_secs(300);
/// A container that ran this long has recovered.
const RECOVERED: Duration = Duration::from_secs(600);
/// How often a container that lacks its configuration is tried again.
const RECONFIGURE: Duration = Duration::from_secs(10);

/// Where a container stands.
#[derive(Debug)]
pub(super) enum State {
    /// Its turn has not come.
    Waiting,
    Pulling {
        since: Timestamp,
        until: Timestamp,
    },
    /// The pull failed. `next` is when the back-off is shown or, after that, the next pull; none if there is none.
    Unpulled {
        reason: &'static str,
        message: String,
        next: Option<Timestamp>,
        retry: Timestamp,
    },
    Unconfigured {
        message: String,
        again: Timestamp,
    },
    Starting {
        until: Timestamp,
    },
    Running(Running),
    /// It crashed, and is started again later.
    BackingOff {
        until: Timestamp,
        pause: Duration,
    },
    Ended(Ended),
}

/// A running container.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) started: Timestamp,
    pub(super) is_ready: bool,
    ready_at: Option<Timestamp>,
    /// When the readiness probe fails next.
    complain_at: Option<Timestamp>,
    printer: Printer,
    end: Option<End>,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) exit: i32,
    pub(super) reason: String,
    pub(super) message: Option<String>,
    pub(super) started: Timestamp,
    pub(super) finished: Timestamp,
}

/// A container of a pod.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) name: String,
    pub(super) part: Part,
    pub(super) state: State,
    /// How the run before ended.
    pub(super) last: Option<Ended>,
    pub(super) restarts: u32,
    rule: Option<usize>,
    pulls: u32,
    crashes: u32,
}

impl Container {
    pub(super) fn new(name: &str, part: Part, rule: Option<usize>) -> Self {
        Self { name: name.to_owned(), part, state: State::Waiting, last: None, restarts: 0, rule, pulls: 0, crashes: 0 }
    }

    fn me(&self) -> (&str, Part) {
        (&self.name, self.part)
    }

    /// The container in the spec of its pod.
    fn spec<'a>(&self, pod: &'a Value) -> &'a Value {
        let list = if self.part == Part::Main { "/spec/containers" } else { "/spec/initContainers" };
        fields::list(pod, list).iter().find(|container| container["name"] == *self.name).unwrap_or(&Value::Null)
    }

    /// Its turn has come: the image is pulled.
    pub(super) fn begin(&mut self, site: &mut Site<'_>) {
        let spec = self.spec(site.pod);
        let (image, policy) = (text(spec, "/image").to_owned(), text(spec, "/imagePullPolicy"));
        let story = site.world.story.clone();
        let rule = behaviour::rule(&story, self.rule);
        let present = site.shared.images.contains(&image);
        if !is_image_name(&image) {
            let message =
                format!("Failed to apply default image tag \"{image}\": couldn't parse image name \"{image}\": invalid reference format");
            site.tell(self.me(), Tone::Warning, "InspectFailed", &message);
            site.tell(self.me(), Tone::Warning, "Failed", "Error: InvalidImageName");
            self.state = State::Unpulled { reason: "InvalidImageName", message, next: None, retry: Timestamp::MAX };
        } else if policy == "Never" || (present && policy != "Always") {
            site.tell(self.me(), Tone::Normal, "Pulled", &format!("Container image \"{image}\" already present on machine"));
            self.configure(site);
        } else {
            let scripted = rule.and_then(|rule| rule.pull(self.pulls as usize)).and_then(|pull| pull.delay);
            let until = later(site.now, scripted.unwrap_or(if present { CHECK } else { PULL }));
            site.tell(self.me(), Tone::Normal, "Pulling", &format!("Pulling image \"{image}\""));
            self.state = State::Pulling { since: site.now, until };
        }
    }

    /// Moves on by one step; returns whether it did.
    pub(super) fn advance(&mut self, site: &mut Site<'_>) -> bool {
        let now = site.now;
        match &mut self.state {
            State::Waiting | State::Ended(_) => false,
            State::Pulling { since, until } => {
                let (since, until) = (*since, *until);
                until <= now && self.end_pull(site, since)
            }
            State::Unpulled { next, retry, .. } => {
                let (next, retry) = (*next, *retry);
                next.is_some_and(|next| next <= now) && self.after_failed_pull(site, retry)
            }
            State::Unconfigured { again, .. } => {
                let is_due = *again <= now;
                is_due && self.configure(site)
            }
            State::Starting { until } => {
                let is_due = *until <= now;
                is_due && self.start(site)
            }
            State::Running(_) => self.run(site),
            State::BackingOff { until, .. } => {
                let is_due = *until <= now;
                if is_due {
                    self.begin(site);
                }
                is_due
            }
        }
    }

    /// Returns when it moves on by itself.
    pub(super) fn next(&self) -> Option<Timestamp> {
        match &self.state {
            State::Waiting | State::Ended(_) => None,
            State::Pulling { until, .. } | State::Starting { until } | State::BackingOff { until, .. } => Some(*until),
            State::Unpulled { next, .. } => *next,
            State::Unconfigured { again, .. } => Some(*again),
            State::Running(running) => {
                let end = running.end.as_ref().map(|end| later(running.started, end.after));
                [end, running.ready_at, running.complain_at, running.printer.next()].into_iter().flatten().min()
            }
        }
    }

    /// Something that it may have been waiting for has changed.
    pub(super) fn poke(&mut self, now: Timestamp) {
        if let State::Unconfigured { again, .. } = &mut self.state {
            *again = now;
        }
    }

    fn end_pull(&mut self, site: &mut Site<'_>, since: Timestamp) -> bool {
        let image = text(self.spec(site.pod), "/image").to_owned();
        let story = site.world.story.clone();
        let pull = behaviour::rule(&story, self.rule).and_then(|rule| rule.pull(self.pulls as usize));
        self.pulls += 1;
        if let Some(error) = pull.and_then(|pull| pull.error.as_deref()) {
            site.tell(self.me(), Tone::Warning, "Failed", &format!("Failed to pull image \"{image}\": {error}"));
            site.tell(self.me(), Tone::Warning, "Failed", "Error: ErrImagePull");
            let retry = later(site.now, doubled(self.pulls - 1));
            let next = Some(later(site.now, SHOW_ERROR).min(retry));
            self.state = State::Unpulled { reason: "ErrImagePull", message: error.to_owned(), next, retry };
            return true;
        }
        let took = site.now.duration_since(since).as_millis();
        let message =
            format!("Successfully pulled image \"{image}\" in {took}ms ({took}ms including waiting). Image size: 48237112 bytes.");
        site.tell(self.me(), Tone::Normal, "Pulled", &message);
        site.shared.images.insert(image);
        self.configure(site);
        true
    }

    fn after_failed_pull(&mut self, site: &mut Site<'_>, retry: Timestamp) -> bool {
        if retry <= site.now {
            self.begin(site);
            return true;
        }
        let image = text(self.spec(site.pod), "/image").to_owned();
        if let State::Unpulled { reason, message, next, .. } = &mut self.state {
            *message = format!("Back-off pulling image \"{image}\": {reason}: {message}");
            (*reason, *next) = ("ImagePullBackOff", Some(retry));
        }
        site.tell(self.me(), Tone::Normal, "BackOff", &format!("Back-off pulling image \"{image}\""));
        site.tell(self.me(), Tone::Warning, "Failed", "Error: ImagePullBackOff");
        true
    }

    /// Makes the container, unless something that it is configured with is missing.
    fn configure(&mut self, site: &mut Site<'_>) -> bool {
        let story = site.world.story.clone();
        let scripted = behaviour::rule(&story, self.rule).and_then(|rule| rule.config_error.clone());
        let missing = scripted.or_else(|| config::missing_variable(site.world, fields::namespace(site.pod), self.spec(site.pod)));
        match missing {
            Some(message) => {
                site.tell(self.me(), Tone::Warning, "Failed", &format!("Error: {message}"));
                self.state = State::Unconfigured { message, again: later(site.now, RECONFIGURE) };
            }
            None => self.state = State::Starting { until: later(site.now, START) },
        }
        true
    }

    fn start(&mut self, site: &mut Site<'_>) -> bool {
        if self.last.is_some() {
            self.restarts += 1;
        }
        let (pod, now) = (site.pod, site.now);
        let spec = self.spec(pod);
        let story = site.world.story.clone();
        let rule = behaviour::rule(&story, self.rule);
        let attempt = match (rule, self.rule) {
            (Some(rule), Some(number)) => site.shared.attempt(number, site.scope(rule), self.name.clone()),
            (None, _) | (_, None) => 0,
        };
        let Behaviour { lines, end, steps } = behaviour::of(rule, attempt, pod, spec, self.part);
        site.world.plan_run(pod, &steps, end.as_ref().map(|end| end.after));
        let seed = site.seed(&self.name, self.restarts);
        let ready_after = behaviour::ready_after(rule, pod, spec, self.part, &mut Rng::new(seed));
        site.world.logs.open(fields::namespace(pod), fields::name(pod), fields::uid(pod), &self.name);
        site.tell(self.me(), Tone::Normal, "Created", &format!("Created container: {}", self.name));
        site.tell(self.me(), Tone::Normal, "Started", &format!("Started container {}", self.name));
        let complains =
            !spec["readinessProbe"].is_null() || rule.is_some_and(|rule| rule.ready.as_ref().is_some_and(|ready| ready.message.is_some()));
        self.state = State::Running(Running {
            started: now,
            is_ready: false,
            ready_at: ready_after.map(|after| later(now, after)),
            complain_at: complains.then(|| later(now, Duration::from_secs(1).max(initial_delay(spec)))),
            printer: Printer::new(&lines, now, seed),
            end,
        });
        true
    }

    /// Prints, becomes ready, ends; each at its own time.
    fn run(&mut self, site: &mut Site<'_>) -> bool {
        let State::Running(running) = &mut self.state else { return false };
        let end = running.end.as_ref().map(|end| later(running.started, end.after)).filter(|end| *end <= site.now);
        print(running, site, &self.name, end.unwrap_or(site.now));
        if let (Some(at), Some(end)) = (end, running.end.take_if(|_| end.is_some())) {
            let reason = end.reason.unwrap_or_else(|| if end.exit == 0 { "Completed" } else { "Error" }.to_owned());
            self.finish(site, at, (end.exit, reason, end.message));
            return true;
        }
        if running.ready_at.is_some_and(|at| at <= site.now) {
            running.ready_at = None;
            running.complain_at = None;
            running.is_ready = true;
            return true;
        }
        if running.complain_at.is_some_and(|at| at <= site.now) {
            self.complain(site);
            return true;
        }
        false
    }

    fn complain(&mut self, site: &mut Site<'_>) {
        let period = int(self.spec(site.pod), "/readinessProbe/periodSeconds").unwrap_or(10).max(1);
        let story = site.world.story.clone();
        let ready = behaviour::rule(&story, self.rule).and_then(|rule| rule.ready.as_ref());
        let message = ready.and_then(|ready| ready.message.as_deref()).unwrap_or("HTTP probe failed with statuscode: 503");
        site.tell(self.me(), Tone::Warning, "Unhealthy", &format!("Readiness probe failed: {message}"));
        if let State::Running(running) = &mut self.state {
            running.complain_at = Some(later(site.now, Duration::from_secs(period.unsigned_abs())));
        }
    }

    fn finish(&mut self, site: &Site<'_>, finished: Timestamp, (exit, reason, message): (i32, String, Option<String>)) {
        let State::Running(running) = &self.state else { return };
        let started = running.started;
        site.world.logs.close(fields::namespace(site.pod), fields::name(site.pod), fields::uid(site.pod), &self.name);
        self.state = State::Ended(Ended { exit, reason, message, started, finished });
    }

    /// A signal ends it now.
    pub(super) fn kill(&mut self, site: &mut Site<'_>, exit: i32) {
        let State::Running(running) = &mut self.state else { return };
        print(running, site, &self.name, site.now);
        self.finish(site, site.now, (exit, "Error".to_owned(), None));
    }

    /// Returns whether it pays no attention to being asked to end.
    pub(super) fn ignores_term(&self, site: &Site<'_>) -> bool {
        behaviour::rule(&site.world.story, self.rule).is_some_and(|rule| rule.ignore_term)
    }

    pub(super) fn is_unconfigured(&self) -> bool {
        matches!(self.state, State::Unconfigured { .. })
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, State::Running(_))
    }

    pub(super) fn is_ready(&self) -> bool {
        matches!(&self.state, State::Running(Running { is_ready: true, .. }))
    }

    pub(super) fn ended(&self) -> Option<&Ended> {
        match &self.state {
            State::Ended(ended) => Some(ended),
            _ => None,
        }
    }

    /// Starts it again after it ended: the first time at once, then after growing pauses.
    pub(super) fn restart(&mut self, site: &mut Site<'_>) {
        let Some(ended) = self.ended().cloned() else { return };
        let ran = Duration::try_from(ended.finished.duration_since(ended.started)).unwrap_or_default();
        self.crashes = if ran >= RECOVERED { 0 } else { self.crashes + 1 };
        let finished = ended.finished;
        self.last = Some(ended);
        match self.crashes.checked_sub(2) {
            None => self.begin(site),
            Some(doublings) => {
                let pause = doubled(doublings);
                let message = format!("Back-off restarting failed container {} in pod {}", self.name, site.pod_in_messages());
                site.tell(self.me(), Tone::Warning, "BackOff", &message);
                self.state = State::BackingOff { until: later(finished, pause), pause };
            }
        }
    }
}

fn doubled(times: u32) -> Duration {
    BACK_OFF.saturating_mul(2_u32.saturating_pow(times)).min(MAX_BACK_OFF)
}

fn initial_delay(spec: &Value) -> Duration {
    Duration::from_secs(int(spec, "/readinessProbe/initialDelaySeconds").unwrap_or(0).unsigned_abs())
}

fn print(running: &mut Running, site: &Site<'_>, container: &str, until: Timestamp) {
    let (namespace, pod, uid) = (fields::namespace(site.pod), fields::name(site.pod), fields::uid(site.pod));
    running.printer.print(until, pod, |at, text| {
        for line in text.split(|byte| *byte == b'\n') {
            site.world.logs.append(namespace, pod, uid, container, at, line);
        }
    });
}

/// Image names are lower case up to the tag, without blanks.
fn is_image_name(image: &str) -> bool {
    let name = image.split('@').next().unwrap_or_default();
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, tag),
        _ => (name, "latest"),
    };
    let (host, rest) = path.split_once('/').filter(|(host, _)| host.contains(['.', ':'])).unwrap_or(("", path));
    let ok = |text: &str, upper: bool| {
        text.chars().all(|letter| {
            letter.is_ascii_digit() || letter.is_ascii_lowercase() || "._-/:".contains(letter) || upper && letter.is_ascii_uppercase()
        })
    };
    !rest.is_empty() && !tag.is_empty() && ok(host, true) && ok(rest, false) && ok(tag, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_names_are_told_from_other_text() {
        for good in ["busybox", "ghcr.io/acme/web:1.2-RC1", "localhost:5000/a/b@sha256:0f", "Registry.example.com/a:b"] {
            assert!(is_image_name(good), "{good}");
        }
        for bad in ["", "Busybox", "a b", "web:", "acme/Web:1", "web:1 "] {
            assert!(!is_image_name(bad), "{bad}");
        }
    }
}
