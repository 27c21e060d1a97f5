//! A fake controller for Jobs that nobody else touches (`spec.managedBy`): each becomes Complete a fixed time after the watch has
//! brought it. The same watch is the witness: it says when a Job was created and when its end could be seen.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use k8s_openapi::api::batch::v1::Job;
use kube::api::{Api, ListParams, Patch, PatchParams, WatchEvent, WatchParams};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::Outcome;

/// What makes Kubernetes' own controller look away.
pub(crate) const MANAGER: &str = "syncwave.dev/bench";

/// When the watch brought what of one Job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    pub(crate) created: Instant,
    pub(crate) completed: Option<Instant>,
}

/// A controller at work.
pub(crate) struct Controller(tokio::task::JoinHandle<Outcome<BTreeMap<String, Life>>>);

impl Controller {
    /// Begins to watch; `count` Jobs are expected.
    pub(crate) async fn start(jobs: Api<Job>, after: Duration, count: usize) -> Outcome<Self> {
        let revision = jobs.list_metadata(&ListParams::default().limit(1)).await?.metadata.resource_version.unwrap_or_default();
        let stream = Box::pin(jobs.watch(&WatchParams::default().timeout(280), &revision).await?);
        Ok(Self(tokio::spawn(async move {
            let mut stream = stream;
            let (mut lives, mut work) = (BTreeMap::new(), JoinSet::new());
            while lives.values().filter(|life: &&Life| life.completed.is_some()).count() < count {
                let Some(event) = stream.try_next().await? else { return Err("the watch of the fake controller was closed".into()) };
                let now = Instant::now();
                match event {
                    WatchEvent::Added(job) => {
                        let name = job.metadata.name.unwrap_or_default();
                        lives.insert(name.clone(), Life { created: now, completed: None });
                        work.spawn(complete(jobs.clone(), name, now + after));
                    }
                    WatchEvent::Modified(job) if is_complete(&job) => {
                        if let Some(life) = job.metadata.name.as_ref().and_then(|name| lives.get_mut(name)) {
                            life.completed.get_or_insert(now);
                        }
                    }
                    WatchEvent::Error(error) => return Err(format!("the watch of the fake controller: {error}").into()),
                    WatchEvent::Modified(_) | WatchEvent::Deleted(_) | WatchEvent::Bookmark(_) => {}
                }
                while let Some(done) = work.try_join_next() {
                    done??;
                }
            }
            Ok(lives)
        })))
    }

    /// Returns the lives of all Jobs, by name.
    pub(crate) async fn lives(self) -> Outcome<BTreeMap<String, Life>> {
        self.0.await?
    }
}

async fn complete(jobs: Api<Job>, name: String, at: Instant) -> Outcome<()> {
    tokio::time::sleep_until(at.into()).await;
    let now = k8s_openapi::jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let condition = |name: &str| json!({"type": name, "status": "True", "lastTransitionTime": now, "lastProbeTime": now});
    let status = json!({"status": {"startTime": now, "completionTime": now, "succeeded": 1,
        "conditions": [condition("SuccessCriteriaMet"), condition("Complete")]}});
    jobs.patch_status(&name, &PatchParams::default(), &Patch::Merge(&status)).await?;
    Ok(())
}

fn is_complete(job: &Job) -> bool {
    let conditions = job.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    conditions.iter().any(|condition| condition.type_ == "Complete" && condition.status == "True")
}

/// A hook of one wave.
pub(crate) fn hook(wave: usize, number: usize) -> Value {
    let annotations = json!({"argocd.argoproj.io/hook": "Sync", "argocd.argoproj.io/sync-wave": wave.to_string()});
    let container = json!({"name": "main", "image": "busybox", "command": ["true"]});
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": format!("wave-{wave:02}-{number:02}"), "annotations": annotations},
        "spec": {"managedBy": MANAGER, "backoffLimit": 0,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}})
}
