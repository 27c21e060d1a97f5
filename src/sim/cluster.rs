//! An embedded cluster as a whole: store, API, controllers and pods, started from a story. What ties the two halves
//! of this folder together and does nothing else.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::actors::Actors;
use super::fault::Faults;
use super::logbook::Logbook;
use super::service::Api;
use super::store::Store;
use super::story::Story;
use crate::clock::Clock;

/// A running cluster; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct SimCluster {
    store: Store,
    faults: Faults,
    api: Api,
    _actors: JoinSet<()>,
}

impl SimCluster {
    /// Starts the cluster of a story; what the story begins with is there and settled when this returns. Must be
    /// called inside a tokio runtime.
    pub(crate) fn start(story: &Story, clock: Clock, seed: u64) -> Self {
        let (store, logs, faults) = (Store::new(clock, seed), Logbook::default(), Faults::default());
        let actors = Actors::prepare(store.clone(), logs.clone(), Arc::new(story.clone()), clock, seed);
        story.fault_rules(clock.now()).into_iter().for_each(|rule| faults.add(rule));
        let mut running = JoinSet::new();
        running.spawn(actors.run());
        let api = Api::new(store.clone(), logs, faults.clone());
        Self { store, faults, api, _actors: running }
    }

    /// Returns a client of the cluster, without a retry layer (decision 23).
    pub(crate) fn client(&self) -> kube::Client {
        kube::Client::new(self.api.clone(), "default")
    }

    /// Returns the objects, for tests that look behind the API.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the faults, for tests that add some on the way.
    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::io::AsyncBufReadExt as _;
    use futures::{StreamExt as _, TryStreamExt as _};
    use k8s_openapi::api::batch::v1::Job;
    use k8s_openapi::api::core::v1::Pod;
    use kube::api::{Api, DeleteParams, ListParams, LogParams, Patch, PatchParams};
    use kube::runtime::{WatchStreamExt as _, watcher};
    use serde_json::json;

    use super::*;

    fn start(story: &str) -> (SimCluster, Clock) {
        let story = Story::parse(&format!("apiVersion: sim/v1\nkind: Scenario\n{story}"), "test").unwrap();
        let clock = Clock::starting_at(story.clock.start, 1.0);
        (SimCluster::start(&story, clock, 7), clock)
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_is_applied_watched_logged_and_deleted_through_the_client() {
        let (cluster, clock) = start(
            "pods:
  - match: {owner: Job/migrate}
    runs: [{after: 3s, exit: 0, logs: [{at: 100ms, line: one}, {at: 2s, line: two}]}]
",
        );
        let client = cluster.client();
        let jobs: Api<Job> = Api::default_namespaced(client.clone());
        let pods: Api<Pod> = Api::default_namespaced(client);
        let manifest = json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate"},
            "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "db:1"}]}}},
        });
        jobs.patch("migrate", &PatchParams::apply("syncwave"), &Patch::Apply(&manifest)).await.unwrap();
        let mut seen = watcher(pods.clone(), watcher::Config::default()).applied_objects().boxed();
        let pod = loop {
            let pod = seen.try_next().await.unwrap().unwrap();
            if pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running") {
                break pod.metadata.name.unwrap();
            }
        };
        let follow = LogParams { follow: true, ..LogParams::default() };
        let lines: Vec<String> = pods.log_stream(&pod, &follow).await.unwrap().lines().try_collect().await.unwrap();
        assert_eq!(lines, ["one", "two"]);
        clock.sleep(Duration::from_secs(2)).await;
        assert_eq!(jobs.get("migrate").await.unwrap().status.unwrap().succeeded, Some(1));
        jobs.delete("migrate", &DeleteParams::foreground()).await.unwrap();
        clock.sleep(Duration::from_secs(1)).await;
        assert!(jobs.get_opt("migrate").await.unwrap().is_none());
        assert_eq!(pods.list(&ListParams::default()).await.unwrap().items.len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fault_of_the_story_begins_with_its_step_and_ends_in_time() {
        let (cluster, clock) = start(
            "steps: [{at: 2s, fault: refused}]
faults: {refused: {match: {verb: list, resource: pods}, status: {code: 503, message: not now}, for: 3s}}
",
        );
        let pods: Api<Pod> = Api::default_namespaced(cluster.client());
        let mut answers = Vec::new();
        for _ in 0..3 {
            answers.push(pods.list(&ListParams::default()).await.is_ok());
            clock.sleep(Duration::from_millis(2500)).await;
        }
        assert_eq!(answers, [true, false, true]);
    }
}
