//! Deleting objects and taking hook finalizers off them. Every call names the uid of the very object that is meant, so that a
//! successor of the same name is never touched.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::apply::Spot;
use super::live::{finalizers, text};
use super::ownership::Snapshot;
use super::retry::Backoff;
use super::wire::{CallError, with_query};
use super::{Cluster, Reporter};
use crate::model::annotation::{FIELD_MANAGER, is_hook_finalizer};
use crate::model::{Object, Propagation};

/// How often a finalizer's removal is tried when somebody else writes at the same time (spec R218).
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(10);

/// What became of an object that had to go or to lose something.
#[derive(Clone, Debug)]
pub(crate) enum Removal {
    /// The server did it. The object as it is now, if the server showed it.
    Done(Option<Object>),
    /// It had gone already, or another object has its name now.
    Gone,
    /// The operation was terminated before the server was asked.
    Unsent,
}

impl Cluster {
    /// Deletes an object; `propagation` says what becomes of what it owns (spec R213, R719).
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub(crate) async fn delete(
        &self,
        spot: Spot<'_>,
        uid: &str,
        propagation: Propagation,
        reporter: &Reporter,
    ) -> Result<Removal, CallError> {
        let policy = propagation.as_str();
        let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": policy, "preconditions": {"uid": uid}});
        let doing = format!("deleting {}", spot.title());
        let mut backoff = Backoff::of_change(self, reporter, &doing);
        loop {
            match self.write(Method::DELETE, &spot.path(), "application/json", &options).await {
                Ok(answer) => return Ok(Removal::Done(Some(answer.body).filter(|body| body["kind"] != "Status").map(Object::new))),
                Err(error) if error.is_not_found() => return Ok(Removal::Gone),
                Err(error) if error.code() == Some(409) => {
                    if let Some(removal) = self.after_conflict(spot, uid, reporter).await? {
                        return Ok(removal);
                    }
                    if !backoff.again_if(&error, true).await {
                        return Err(backoff.settled(error));
                    }
                }
                Err(error) => {
                    if !backoff.again(&error).await {
                        return Err(backoff.settled(error));
                    }
                }
            }
        }
    }

    /// A conflict says that it is another object, that it is being deleted already, or that somebody wrote at the same time (`None`).
    async fn after_conflict(&self, spot: Spot<'_>, uid: &str, reporter: &Reporter) -> Result<Option<Removal>, CallError> {
        let Some(object) = self.get(spot, reporter).await? else { return Ok(Some(Removal::Gone)) };
        if object.text(&["metadata", "uid"]) != uid {
            return Ok(Some(Removal::Gone));
        }
        let in_deletion = !object.text(&["metadata", "deletionTimestamp"]).is_empty();
        Ok(in_deletion.then_some(Removal::Done(Some(object))))
    }

    /// Takes the hook finalizers off, ours and Argo CD's (decision 5, spec R216, R218). `known`: the object as it was last seen.
    ///
    /// # Errors
    /// The text that belongs behind `failed to remove hook finalizer: `.
    pub(crate) async fn remove_hook_finalizers(
        &self,
        spot: Spot<'_>,
        uid: &str,
        known: Option<Snapshot>,
        reporter: &Reporter,
    ) -> Result<Removal, String> {
        let mut known = known.filter(|known| known.uid == uid && known.finalizers.iter().any(|name| is_hook_finalizer(name)));
        let doing = format!("taking the hook finalizer off {}", spot.title());
        let mut backoff = Backoff::of_change(self, reporter, &doing);
        let mut conflicts = 0;
        loop {
            let (version, rest) = match known.take() {
                Some(known) => (known.resource_version, without_ours(known.finalizers)),
                None => match self.get(spot, reporter).await.map_err(|error| format!("failed to get resource: {error}"))? {
                    Some(object) if object.text(&["metadata", "uid"]) == uid => match left_to_remove(&object) {
                        Some(left) => left,
                        None => return Ok(Removal::Done(Some(object))),
                    },
                    Some(_) | None => return Ok(Removal::Gone),
                },
            };
            match self.write_finalizers(spot, uid, &version, &rest).await {
                Ok(object) => return Ok(Removal::Done(Some(object))),
                Err(error) if error.is_not_found() => return Ok(Removal::Gone),
                Err(error) if matches!(backoff.settled(error.clone()), CallError::Unsent) => return Ok(Removal::Unsent),
                Err(error) if error.code() == Some(409) && conflicts + 1 < TRIES => {
                    conflicts += 1;
                    self.clock().sleep(PAUSE).await;
                }
                Err(error) => {
                    if !backoff.again(&error).await {
                        return Err(format!("failed to update resource: {error}"));
                    }
                }
            }
        }
    }

    async fn write_finalizers(&self, spot: Spot<'_>, uid: &str, version: &str, rest: &[String]) -> Result<Object, CallError> {
        let patch = json!({"metadata": {"uid": uid, "resourceVersion": version, "finalizers": rest}});
        let path = with_query(&spot.path(), &[("fieldManager", FIELD_MANAGER)]);
        let answer = self.write(Method::PATCH, &path, "application/merge-patch+json", &patch).await?;
        Ok(Object::new(answer.body))
    }
}

fn without_ours(finalizers: Vec<String>) -> Vec<String> {
    finalizers.into_iter().filter(|name| !is_hook_finalizer(name)).collect()
}

/// Returns the version and the finalizers to write; `None` if there is no hook finalizer left.
fn left_to_remove(object: &Object) -> Option<(String, Vec<String>)> {
    let value: &Value = object.wire();
    let names = finalizers(value);
    names.iter().any(|name| is_hook_finalizer(name)).then(|| (text(&value["metadata"]["resourceVersion"]).to_owned(), without_ours(names)))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::cluster::fake::{self, Asked, FakeResponse};
    use crate::cluster::{Resource, locked};

    fn job(version: &str, uid: &str, finalizers: &[&str]) -> Value {
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "m", "uid": uid, "resourceVersion": version, "finalizers": finalizers}})
    }

    fn resource() -> Resource {
        Resource::core("Pod", "pods")
    }

    async fn delete(serve: impl Fn(Asked) -> FakeResponse + Send + Sync + 'static) -> Result<Removal, CallError> {
        let resource = resource();
        let spot = Spot { resource: &resource, namespace: "shop", name: "m" };
        fake::cluster(serve).delete(spot, "u1", Propagation::Foreground, &Reporter::default()).await
    }

    #[tokio::test(start_paused = true)]
    async fn r213_a_deletion_is_foreground_and_names_the_uid() {
        let removal = delete(|asked| {
            assert_eq!((asked.method.as_str(), &asked.body["propagationPolicy"]), ("DELETE", &json!("Foreground")));
            assert_eq!(asked.body["preconditions"], json!({"uid": "u1"}));
            fake::json_answer(200, &job("8", "u1", &["foregroundDeletion"]))
        });
        assert!(matches!(removal.await, Ok(Removal::Done(Some(object))) if object.name() == "m"));
    }

    #[tokio::test(start_paused = true)]
    async fn t78_r719_a_deletion_says_what_becomes_of_what_the_object_owns() {
        let resource = resource();
        let spot = Spot { resource: &resource, namespace: "shop", name: "m" };
        for (propagation, word) in
            [(Propagation::Foreground, "Foreground"), (Propagation::Background, "Background"), (Propagation::Orphan, "Orphan")]
        {
            let cluster = fake::cluster(move |asked| {
                assert_eq!(asked.body["propagationPolicy"], word);
                fake::json_answer(200, &job("8", "u1", &[]))
            });
            cluster.delete(spot, "u1", propagation, &Reporter::default()).await.unwrap();
        }
    }

    /// R521: a bound on all requests that change something, whatever the size of a group.
    #[tokio::test(start_paused = true)]
    async fn deletions_keep_to_the_limit_of_writes_under_way() {
        let under_way = Arc::new(Mutex::new((0_usize, 0_usize)));
        let counter = under_way.clone();
        let client = fake::client_async(move |_| {
            let counter = counter.clone();
            async move {
                {
                    let mut seen = locked(&counter);
                    seen.0 += 1;
                    seen.1 = seen.1.max(seen.0);
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
                locked(&counter).0 -= 1;
                fake::json_answer(200, &job("8", "u1", &["syncwave.dev/hook-finalizer"]))
            }
        });
        let cluster = Cluster::new(client, crate::clock::Clock::starting_at(fake::epoch(), 1.0), fake::judge());
        let (resource, reporter) = (resource(), Reporter::default());
        let spot = Spot { resource: &resource, namespace: "shop", name: "m" };
        let deletions = (0..100).map(|_| cluster.delete(spot, "u1", Propagation::Foreground, &reporter));
        futures::future::join_all(deletions).await;
        assert!((16..=24).contains(&locked(&under_way).1), "{under_way:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_that_is_gone_or_was_replaced_is_gone() {
        assert!(matches!(delete(|_| fake::status(404, "NotFound", "jobs \"m\" not found")).await, Ok(Removal::Gone)));
        let replaced = |asked: Asked| match asked.method.as_str() {
            "GET" => fake::json_answer(200, &job("9", "u2", &[])),
            _ => fake::status(409, "Conflict", "the UID in the precondition (u1) does not match the UID in record (u2)"),
        };
        assert!(matches!(delete(replaced).await, Ok(Removal::Gone)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_deletion_is_the_servers_sentence() {
        let error = delete(|_| fake::status(403, "Forbidden", "jobs \"m\" is forbidden")).await.unwrap_err();
        assert_eq!(error.to_string(), "jobs \"m\" is forbidden");
    }

    /// A server that takes every request, but whose first answer to a change never arrives.
    fn losing_the_first_answer(live: Value) -> (Cluster, Arc<Mutex<Vec<String>>>) {
        let log = Arc::new(Mutex::new(Vec::new()));
        let seen = log.clone();
        let client = fake::client_async(move |asked: Asked| {
            let (seen, live) = (seen.clone(), live.clone());
            async move {
                let changes = {
                    let mut seen = locked(&seen);
                    seen.push(asked.method.clone());
                    seen.iter().filter(|method| *method != "GET").count()
                };
                match (asked.method.as_str(), changes) {
                    ("DELETE", 2) => fake::status(404, "NotFound", "pods \"m\" not found"),
                    ("GET", _) => fake::json_answer(200, &live),
                    _ => std::future::pending().await,
                }
            }
        });
        (Cluster::new(client, crate::clock::Clock::starting_at(fake::epoch(), 1.0), fake::judge()), log)
    }

    #[tokio::test(start_paused = true)]
    async fn r206_a_deletion_whose_answer_is_lost_is_asked_for_once_more_and_is_done() {
        let (cluster, log) = losing_the_first_answer(Value::Null);
        let resource = resource();
        let spot = Spot { resource: &resource, namespace: "shop", name: "m" };
        let removal = cluster.delete(spot, "u1", Propagation::Foreground, &Reporter::default()).await;
        assert!(matches!(removal, Ok(Removal::Gone)), "{removal:?}");
        assert_eq!(*locked(&log), ["DELETE", "DELETE"]);
    }

    #[tokio::test(start_paused = true)]
    async fn r216_a_finalizer_whose_removal_was_not_answered_is_looked_for_and_is_off() {
        let (cluster, log) = losing_the_first_answer(job("8", "u1", &[]));
        let resource = resource();
        let spot = Spot { resource: &resource, namespace: "shop", name: "m" };
        let known = Snapshot::of(&job("7", "u1", &["syncwave.dev/hook-finalizer"]));
        let removal = cluster.remove_hook_finalizers(spot, "u1", Some(known), &Reporter::default()).await;
        assert!(matches!(removal, Ok(Removal::Done(Some(_)))), "{removal:?}");
        assert_eq!(*locked(&log), ["PATCH", "GET"]);
    }

    async fn remove(known: Option<Snapshot>, serve: impl Fn(Asked) -> FakeResponse + Send + Sync + 'static) -> Result<Removal, String> {
        let resource = resource();
        let spot = Spot { resource: &resource, namespace: "shop", name: "m" };
        fake::cluster(serve).remove_hook_finalizers(spot, "u1", known, &Reporter::default()).await
    }

    #[tokio::test(start_paused = true)]
    async fn r216_both_hook_finalizers_go_and_foreign_ones_stay_without_reading_first() {
        let live = job("7", "u1", &["syncwave.dev/hook-finalizer", "other/one", "argocd.argoproj.io/hook-finalizer"]);
        let removal = remove(Some(Snapshot::of(&live)), |asked| {
            assert_eq!(asked.method, "PATCH");
            assert_eq!(asked.body, json!({"metadata": {"uid": "u1", "resourceVersion": "7", "finalizers": ["other/one"]}}));
            fake::json_answer(200, &job("8", "u1", &["other/one"]))
        });
        assert!(matches!(removal.await, Ok(Removal::Done(Some(_)))));
    }

    #[tokio::test(start_paused = true)]
    async fn r218_24187_only_finalizers_are_sent_and_a_webhook_that_refuses_is_named() {
        let denied = "admission webhook \"guard.example.com\" denied the request: no changes to Jobs";
        let error = remove(Some(Snapshot::of(&job("7", "u1", &["syncwave.dev/hook-finalizer"]))), move |asked| {
            assert_eq!(asked.body, json!({"metadata": {"uid": "u1", "resourceVersion": "7", "finalizers": []}}));
            fake::status(403, "Forbidden", denied)
        });
        assert_eq!(error.await.unwrap_err(), format!("failed to update resource: {denied}"));
    }

    #[tokio::test(start_paused = true)]
    async fn r218_a_conflict_reads_again_and_tries_again_five_times() {
        let log = Arc::new(Mutex::new(Vec::new()));
        let seen = log.clone();
        let result = remove(Some(Snapshot::of(&job("7", "u1", &["syncwave.dev/hook-finalizer"]))), move |asked| {
            locked(&seen).push(asked.method.clone());
            match asked.method.as_str() {
                "GET" => fake::json_answer(200, &job("9", "u1", &["syncwave.dev/hook-finalizer"])),
                _ => fake::status(409, "Conflict", "the object has been modified"),
            }
        });
        assert_eq!(result.await.unwrap_err(), "failed to update resource: the object has been modified");
        assert_eq!(locked(&log).iter().filter(|method| *method == "PATCH").count(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn r218_what_is_gone_replaced_or_already_free_is_done() {
        assert!(matches!(remove(None, |_| fake::status(404, "NotFound", "x")).await, Ok(Removal::Gone)));
        assert!(matches!(
            remove(None, |_| fake::json_answer(200, &job("7", "u2", &["syncwave.dev/hook-finalizer"]))).await,
            Ok(Removal::Gone)
        ));
        assert!(matches!(remove(None, |_| fake::json_answer(200, &job("7", "u1", &["other/one"]))).await, Ok(Removal::Done(Some(_)))));
        let error = remove(None, |_| fake::status(403, "Forbidden", "no")).await.unwrap_err();
        assert_eq!(error, "failed to get resource: no");
    }
}
