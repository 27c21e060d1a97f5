//! How live objects are judged. The rules are handed in, so that this folder needs none of its own; owned here is when they run: a rule that
//! may take long runs on a thread of its own, and one version of an object is judged by it once. Knows neither kinds nor scripts.

mod pace;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::num::NonZero;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::available_parallelism;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::live::{finalizers, time};
use super::locked;
use crate::model::annotation::{OPERATION_LABEL, TRACKING_ID};
use crate::model::{Assessment, Gvk, Live, Object, Tracking, Traits};
use pace::{Budget, Pace};

/// How many objects are worth being judged at once, by whoever has many of them.
pub(crate) const AT_ONCE: usize = 16;

/// How many verdicts are kept. More objects than that are judged again when they are seen again.
const KEPT: usize = 4_096;

/// A script ends within a second. What has not come back after this is stuck in one long step, where nobody can stop it.
const STUCK: Duration = Duration::from_secs(3);

/// A script that fails after this met its limit of time, which another moment may be kinder to.
const LATE: SignedDuration = SignedDuration::from_secs(1);

/// The rules in force.
pub(crate) trait Rules: fmt::Debug + Send + Sync {
    /// Returns the health of an object.
    fn assess(&self, object: &Object) -> Assessment;

    /// Returns generation and observed generation.
    fn observed(&self, object: &Object) -> (Option<i64>, Option<i64>);

    /// Returns whether an assessment of this kind may take longer than a reaction may, as that of a script does.
    fn may_take_long(&self, gvk: &Gvk) -> bool;
}

/// Group and kind.
type GroupKind = (Arc<str>, Arc<str>);

/// Whom an object is judged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// For its own sake: its rule is always run, which takes a second at most.
    One,
    /// As one of many, so that failing rules have a budget of time for all of them.
    Many,
}

/// Why a rule has not said its last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    /// It was not run, because others had used up the budget of the look.
    LeftOut,
    /// It met its limit of time, perhaps because the machine was busy.
    Late,
}

/// What is to be known of a live object.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) live: Live,
    /// Whether asking again may bring another answer.
    pub(crate) open: Option<Open>,
}

/// Judges live objects. Cloning shares the rules and what they have said.
#[derive(Clone)]
pub(crate) struct Judge {
    rules: Arc<dyn Rules>,
    verdicts: Arc<Mutex<HashMap<Arc<str>, Verdict>>>,
    /// How the slow rules have done so far.
    paces: Arc<Mutex<HashMap<GroupKind, Arc<Pace>>>>,
    budget: Budget,
    /// Slow rules share the machine, all kinds together. More runs would only take each other's time, which is limited.
    turns: Arc<Semaphore>,
}

/// What a slow rule said of one version of an object; empty until it has.
#[derive(Clone)]
struct Verdict {
    version: Arc<str>,
    said: Arc<OnceLock<Said>>,
}

/// What a slow rule said, and how long it took.
#[derive(Clone)]
struct Said {
    assessment: Assessment,
    took: SignedDuration,
}

impl Said {
    /// A machine that was busy for a second must not decide for good.
    fn open(&self) -> Option<Open> {
        (self.is_failure() && self.took >= LATE).then_some(Open::Late)
    }

    fn is_failure(&self) -> bool {
        matches!(self.assessment, Assessment::Error(_))
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Judge {
    /// Makes a judge of live objects that has seen nothing yet.
    pub(crate) fn new(rules: Arc<dyn Rules>) -> Self {
        Self::within(Budget::OfLooks, rules)
    }

    /// Makes a judge for one command, which judges what it is given once.
    pub(crate) fn of_command(rules: Arc<dyn Rules>) -> Self {
        Self::within(Budget::OfCommand, rules)
    }

    fn within(budget: Budget, rules: Arc<dyn Rules>) -> Self {
        let turns = Arc::new(Semaphore::new(available_parallelism().map_or(1, NonZero::get)));
        Self { rules, verdicts: Arc::default(), paces: Arc::default(), budget, turns }
    }

    /// Returns the same judge on a machine with so many threads.
    #[cfg(test)]
    pub(crate) fn with_threads(self, threads: usize) -> Self {
        Self { turns: Arc::new(Semaphore::new(threads)), ..self }
    }

    /// Returns what is to be known of a live object that is looked at for its own sake.
    pub(crate) async fn live(&self, object: &Object) -> Live {
        self.judged(object, Look::One).await.live
    }

    /// Returns what is to be known of a live object that is one of many. Its assessment may be that it was left out.
    pub(crate) async fn live_among_many(&self, object: &Object) -> Live {
        self.judged(object, Look::Many).await.live
    }

    /// Returns what is to be known of a live object. Native rules answer at once, without a point where the caller waits; a script runs on
    /// a blocking thread, so that only the caller waits for it and nobody else.
    pub(crate) async fn judged(&self, object: &Object, look: Look) -> Judged {
        let (assessment, open) = if self.rules.may_take_long(&object.gvk()) {
            self.aside(object, self.verdict(object), look).await
        } else {
            (self.rules.assess(object), None)
        };
        Judged { live: self.known(object, assessment), open }
    }

    /// Returns what is to be known of a live object that is assessed already.
    pub(crate) fn known(&self, object: &Object, assessment: Assessment) -> Live {
        let (generation, observed_generation) = self.rules.observed(object);
        let value = object.wire();
        Live {
            uid: object.text(&["metadata", "uid"]).into(),
            resource_version: object.text(&["metadata", "resourceVersion"]).parse().unwrap_or_default(),
            generation,
            observed_generation,
            deletion: time(&value["metadata"]["deletionTimestamp"]),
            finalizers: finalizers(value),
            traits: Traits::of(object),
            app: object.annotation(TRACKING_ID).and_then(Tracking::parse).map(|tracking| tracking.app),
            operation: Some(object.text(&["metadata", "labels", OPERATION_LABEL])).filter(|id| !id.is_empty()).map(Into::into),
            assessment,
        }
    }

    /// Returns the health of something that need not be live, so that its uid and version say nothing. It is one of many.
    pub(crate) async fn assess(&self, object: &Object) -> Assessment {
        if self.rules.may_take_long(&object.gvk()) {
            self.aside(object, Arc::default(), Look::Many).await.0
        } else {
            self.rules.assess(object)
        }
    }

    async fn aside(&self, object: &Object, said: Arc<OnceLock<Said>>, look: Look) -> (Assessment, Option<Open>) {
        let (pace, kind) = (self.pace(&object.gvk()), object.gvk().kind);
        // An error would mean that it was closed, which nobody does.
        let _turn = self.turns.acquire().await.ok();
        if let Some(said) = said.get() {
            return (said.assessment.clone(), said.open());
        }
        if let Some((sentence, open)) = pace.refusal(&kind, look) {
            return (Assessment::Error(sentence), open);
        }
        let (began, has_begun) = oneshot::channel();
        let (rules, judged, clock) = (self.rules.clone(), object.clone(), pace.clock);
        // Who asks for the same version meanwhile waits for this answer.
        let run = tokio::task::spawn_blocking(move || {
            let _unheard = began.send(()).is_err();
            let (start, mut is_own) = (clock.now(), false);
            let said = said.get_or_init(|| {
                is_own = true;
                let assessment = rules.assess(&judged);
                Said { assessment, took: clock.now().duration_since(start) }
            });
            (said.clone(), is_own)
        });
        // How long it had to wait for a thread is no fault of the rule; a thread that never comes is told by `run`.
        let _lost = has_begun.await.is_err();
        match timeout(STUCK, run).await {
            Ok(Ok((said, is_own))) => {
                if said.is_failure() {
                    locked(&self.verdicts).remove(object.text(&["metadata", "uid"]));
                }
                if said.is_failure() && is_own && look == Look::Many {
                    pace.failed(said.took);
                }
                (said.assessment.clone(), said.open())
            }
            Ok(Err(error)) => (Assessment::Error(format!("the health rule of {} could not be run: {error}", object.key())), None),
            Err(_) => (Assessment::Error(pace.stuck(&kind)), None),
        }
    }

    fn pace(&self, gvk: &Gvk) -> Arc<Pace> {
        let key = (gvk.group.clone(), gvk.kind.clone());
        locked(&self.paces).entry(key).or_insert_with(|| Arc::new(Pace::new(self.budget))).clone()
    }

    /// Returns the place of the verdict on this version of an object. What has no uid or no version is no stored object: nothing is kept.
    fn verdict(&self, object: &Object) -> Arc<OnceLock<Said>> {
        let (uid, version) = (object.text(&["metadata", "uid"]), object.text(&["metadata", "resourceVersion"]));
        if uid.is_empty() || version.is_empty() {
            return Arc::default();
        }
        let mut verdicts = locked(&self.verdicts);
        if let Some(verdict) = verdicts.get(uid).filter(|verdict| *verdict.version == *version) {
            return verdict.said.clone();
        }
        if verdicts.len() >= KEPT {
            verdicts.clear();
        }
        let said: Arc<OnceLock<Said>> = Arc::default();
        verdicts.insert(uid.into(), Verdict { version: version.into(), said: said.clone() });
        said
    }
}
