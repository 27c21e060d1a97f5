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

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::live::{finalizers, time};
use super::locked;
use crate::model::annotation::{OPERATION_LABEL, TRACKING_ID};
use crate::model::{Assessment, Gvk, Live, Object, Tracking, Traits};
use pace::Pace;

/// How many objects are worth being judged at once, by whoever has many of them.
pub(crate) const AT_ONCE: usize = 16;

/// How many verdicts are kept. More objects than that are judged again when they are seen again.
const KEPT: usize = 4_096;

/// A script ends within a second. What has not come back after this is stuck in one long step, where nobody can stop it.
const STUCK: Duration = Duration::from_secs(3);

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

/// Judges live objects. Cloning shares the rules and what they have said.
#[derive(Clone)]
pub(crate) struct Judge {
    rules: Arc<dyn Rules>,
    verdicts: Arc<Mutex<HashMap<Arc<str>, Verdict>>>,
    /// How the slow rules have done so far.
    paces: Arc<Mutex<HashMap<GroupKind, Arc<Pace>>>>,
    /// How many runs of one slow rule share the machine. More would only take each other's time, which is limited.
    threads: usize,
}

/// What a slow rule said of one version of an object; empty until it has.
#[derive(Clone)]
struct Verdict {
    version: Arc<str>,
    said: Arc<OnceLock<Assessment>>,
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Judge {
    /// Makes a judge that has seen nothing yet.
    pub(crate) fn new(rules: Arc<dyn Rules>) -> Self {
        let threads = available_parallelism().map_or(1, NonZero::get).min(AT_ONCE);
        Self { rules, verdicts: Arc::default(), paces: Arc::default(), threads }
    }

    /// Returns what is to be known of a live object. Native rules answer at once, without a point where the caller waits; a script runs on
    /// a blocking thread, so that only the caller waits for it and nobody else.
    pub(crate) async fn live(&self, object: &Object) -> Live {
        let assessment = if self.rules.may_take_long(&object.gvk()) {
            self.aside(object, self.verdict(object)).await
        } else {
            self.rules.assess(object)
        };
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

    /// Returns the health of something that need not be live, so that its uid and version say nothing.
    pub(crate) async fn assess(&self, object: &Object) -> Assessment {
        if self.rules.may_take_long(&object.gvk()) { self.aside(object, Arc::default()).await } else { self.rules.assess(object) }
    }

    async fn aside(&self, object: &Object, said: Arc<OnceLock<Assessment>>) -> Assessment {
        let pace = self.pace(&object.gvk());
        let _turn = pace.turn().await;
        if let Some(said) = said.get() {
            return said.clone();
        }
        if let Some(sentence) = pace.refusal(&object.gvk().kind) {
            return Assessment::Error(sentence);
        }
        let (began, has_begun) = oneshot::channel();
        let (rules, judged, clock) = (self.rules.clone(), object.clone(), pace.clock);
        // Who asks for the same version meanwhile waits for this answer.
        let run = tokio::task::spawn_blocking(move || {
            let _unheard = began.send(()).is_err();
            let (start, mut took) = (clock.now(), None);
            let assessment = said.get_or_init(|| {
                let assessment = rules.assess(&judged);
                took = Some(clock.now().duration_since(start));
                assessment
            });
            (assessment.clone(), took)
        });
        // How long it had to wait for a thread is no fault of the rule; a thread that never comes is told by `run`.
        let _lost = has_begun.await.is_err();
        match timeout(STUCK, run).await {
            Ok(Ok((assessment, took))) => {
                // A machine that was busy for a second must not decide for good.
                if matches!(assessment, Assessment::Error(_)) {
                    locked(&self.verdicts).remove(object.text(&["metadata", "uid"]));
                }
                took.into_iter().for_each(|took| pace.ended(&assessment, took));
                assessment
            }
            Ok(Err(error)) => Assessment::Error(format!("the health rule of {} could not be run: {error}", object.key())),
            Err(_) => Assessment::Error(pace.stuck(&object.gvk().kind)),
        }
    }

    fn pace(&self, gvk: &Gvk) -> Arc<Pace> {
        let key = (gvk.group.clone(), gvk.kind.clone());
        locked(&self.paces).entry(key).or_insert_with(|| Arc::new(Pace::new(self.threads))).clone()
    }

    /// Returns the place of the verdict on this version of an object. What has no uid or no version is no stored object: nothing is kept.
    fn verdict(&self, object: &Object) -> Arc<OnceLock<Assessment>> {
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
        let said: Arc<OnceLock<Assessment>> = Arc::default();
        verdicts.insert(uid.into(), Verdict { version: version.into(), said: said.clone() });
        said
    }
}
