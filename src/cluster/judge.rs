//! How live objects are judged. The rules are handed in, so that this folder needs none of its own; owned here is when they run: a rule that
//! may take long runs on a thread of its own, and one version of an object is judged by it once. Knows neither kinds nor scripts.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use super::live::{finalizers, time};
use super::locked;
use crate::model::annotation::{OPERATION_LABEL, TRACKING_ID};
use crate::model::{Assessment, Gvk, Live, Object, Tracking, Traits};

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
    /// Groups and kinds whose rule was stuck once. It is not run again, so that threads do not pile up.
    stuck: Arc<Mutex<HashSet<GroupKind>>>,
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
        Self { rules, verdicts: Arc::default(), stuck: Arc::default() }
    }

    /// Returns what is to be known of a live object. Native rules answer at once, without a point where the caller waits; a script runs on
    /// a blocking thread, so that only the caller waits for it and nobody else.
    pub(crate) async fn live(&self, object: &Object) -> Live {
        let assessment = if self.rules.may_take_long(&object.gvk()) { self.aside(object).await } else { self.rules.assess(object) };
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

    async fn aside(&self, object: &Object) -> Assessment {
        let said = self.verdict(object);
        if let Some(said) = said.get() {
            return said.clone();
        }
        let Gvk { group, kind, .. } = object.gvk();
        if locked(&self.stuck).contains(&(group.clone(), kind.clone())) {
            return is_stuck(object);
        }
        let (rules, judged) = (self.rules.clone(), object.clone());
        // Who asks for the same version meanwhile waits for this answer.
        let run = tokio::task::spawn_blocking(move || said.get_or_init(|| rules.assess(&judged)).clone());
        match tokio::time::timeout(STUCK, run).await {
            Ok(Ok(assessment)) => {
                // A machine that was busy for a second must not decide for good.
                if matches!(assessment, Assessment::Error(_)) {
                    locked(&self.verdicts).remove(object.text(&["metadata", "uid"]));
                }
                assessment
            }
            Ok(Err(error)) => Assessment::Error(format!("the health rule of {} could not be run: {error}", object.key())),
            Err(_) => {
                locked(&self.stuck).insert((group, kind));
                is_stuck(object)
            }
        }
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

fn is_stuck(object: &Object) -> Assessment {
    let kind = object.gvk().kind;
    Assessment::Error(format!("the health rule of {kind} does not come to its end, so it is not run again; take the long steps out of it"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use serde_json::json;

    use super::*;
    use crate::cluster::fake;
    use crate::model::{Health, HealthStatus};

    /// Counts how often it is asked; Widgets take long.
    #[derive(Debug, Default)]
    struct Counted(AtomicUsize);

    impl Rules for Counted {
        fn assess(&self, _object: &Object) -> Assessment {
            let message = format!("{}", self.0.fetch_add(1, Relaxed) + 1);
            Assessment::Known(Health { status: HealthStatus::Healthy, message, rule: "counted".to_owned() })
        }

        fn observed(&self, _object: &Object) -> (Option<i64>, Option<i64>) {
            (Some(2), Some(1))
        }

        fn may_take_long(&self, gvk: &Gvk) -> bool {
            *gvk.kind == *"Widget"
        }
    }

    fn object(kind: &str, uid: &str, version: &str) -> Object {
        Object::new(json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "a", "uid": uid, "resourceVersion": version}}))
    }

    #[tokio::test]
    async fn a_live_object_keeps_what_decisions_need() {
        let object = Object::new(json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {
            "name": "migrate", "uid": "u1", "resourceVersion": "42", "deletionTimestamp": "2026-03-01T09:00:05Z",
            "finalizers": ["syncwave.dev/hook-finalizer"], "annotations": {"argocd.argoproj.io/hook": "PreSync"}}}));
        let live = Judge::new(Arc::new(Counted::default())).live(&object).await;
        assert_eq!((&*live.uid, live.resource_version, live.generation, live.observed_generation), ("u1", 42, Some(2), Some(1)));
        assert_eq!(live.deletion, Some("2026-03-01T09:00:05Z".parse().unwrap()));
        assert!(live.has_hook_finalizer() && live.traits.is_hook());
        let strange = fake::judge().live(&Object::new(json!({"metadata": {"resourceVersion": "abc", "finalizers": 5}}))).await;
        assert_eq!((strange.resource_version, strange.finalizers.len()), (0, 0));
    }

    #[tokio::test]
    async fn a_slow_rule_judges_one_version_of_an_object_once() {
        let judge = Judge::new(Arc::new(Counted::default()));
        let asked = async |object: Object| judge.live(&object).await.assessment.message().to_owned();
        let widget = |uid, version| object("Widget", uid, version);
        assert_eq!([asked(widget("u", "1")).await, asked(widget("u", "1")).await], ["1", "1"]);
        assert_eq!([asked(widget("u", "2")).await, asked(widget("other", "2")).await], ["2", "3"]);
        assert_eq!([asked(widget("", "2")).await, asked(widget("", "2")).await], ["4", "5"], "what is not stored has no version");
        assert_eq!(
            [asked(object("Pod", "u", "2")).await, asked(object("Pod", "u", "2")).await],
            ["6", "7"],
            "native rules remember nothing"
        );
    }

    #[tokio::test]
    async fn whoever_asks_for_the_same_version_meanwhile_waits_for_its_verdict() {
        let judge = Judge::new(Arc::new(Counted::default()));
        let widget = object("Widget", "u", "1");
        let lives = futures::future::join_all((0..8).map(|_| judge.live(&widget))).await;
        assert!(lives.iter().all(|live| live.assessment.message() == "1"));
    }

    /// A rule that ends when the test lets it; of nothing but Widgets.
    #[derive(Debug)]
    struct Long(Mutex<std::sync::mpsc::Receiver<()>>, AtomicUsize);

    impl Rules for Long {
        fn assess(&self, _object: &Object) -> Assessment {
            self.1.fetch_add(1, Relaxed);
            locked(&self.0).recv().unwrap();
            Assessment::NoRule
        }

        fn observed(&self, _object: &Object) -> (Option<i64>, Option<i64>) {
            (None, None)
        }

        fn may_take_long(&self, _gvk: &Gvk) -> bool {
            true
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rule_that_nobody_can_stop_holds_its_object_for_three_seconds_and_is_not_run_again() {
        let (finish, wait) = std::sync::mpsc::channel();
        let rules = Arc::new(Long(Mutex::new(wait), AtomicUsize::new(0)));
        let judge = Judge::new(rules.clone());
        let (first, widget) = (judge.clone(), object("Widget", "u", "1"));
        let mut asked = tokio::task::JoinSet::new();
        asked.spawn(async move { first.live(&widget).await.assessment });
        while rules.1.load(Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        tokio::time::advance(STUCK).await;
        let sentence = "the health rule of Widget does not come to its end, so it is not run again; take the long steps out of it";
        let stuck = Assessment::Error(sentence.to_owned());
        assert_eq!(asked.join_next().await.unwrap().unwrap(), stuck);
        assert_eq!(judge.live(&object("Widget", "other", "2")).await.assessment, stuck);
        assert_eq!(rules.1.load(Relaxed), 1);
        finish.send(()).unwrap();
    }

    #[tokio::test]
    async fn what_is_kept_has_an_end() {
        let judge = Judge::new(Arc::new(Counted::default()));
        for number in 0..=KEPT {
            let _said = judge.verdict(&object("Widget", &format!("u{number}"), "1"));
        }
        assert_eq!(locked(&judge.verdicts).len(), 1);
    }
}
