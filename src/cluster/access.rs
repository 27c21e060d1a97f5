//! What the current user may do, as the server's own authorizer says (`SelfSubjectAccessReview`): asked by verb and object, and never guessed
//! from roles, because other authorizers than RBAC may have a say.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use http::Method;
use serde_json::{Value, json};

use super::retry::Backoff;
use super::wire::CallError;
use super::{Cluster, Reporter};
use crate::model::Grant;

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
/// How many reviews are asked for at once.
const AT_ONCE: usize = 32;

impl Cluster {
    /// Returns which of these the current user may do. What is allowed for any name is not asked for each one.
    ///
    /// # Errors
    /// Why the server could not be asked, or what it answered instead.
    pub(crate) async fn allowed(&self, grants: &BTreeSet<Grant>) -> Result<BTreeSet<Grant>, CallError> {
        let any: BTreeSet<Grant> = grants.iter().map(Grant::of_any_name).collect();
        let mut allowed = self.reviewed(any).await?;
        let open = grants.iter().filter(|grant| !grant.name.is_empty() && !allowed.contains(&grant.of_any_name())).cloned().collect();
        let one_by_one = self.reviewed(open).await?;
        allowed.extend(one_by_one);
        let may = |grant: &&Grant| allowed.contains(*grant) || allowed.contains(&grant.of_any_name());
        Ok(grants.iter().filter(may).cloned().collect())
    }

    async fn reviewed(&self, grants: BTreeSet<Grant>) -> Result<BTreeSet<Grant>, CallError> {
        let reviews = futures::stream::iter(grants).map(|grant| async move {
            let is_allowed = self.review(&grant).await?;
            Ok((grant, is_allowed))
        });
        let mut reviews = reviews.buffer_unordered(AT_ONCE);
        let mut allowed = BTreeSet::new();
        while let Some(review) = reviews.next().await {
            match review {
                Ok((grant, true)) => _ = allowed.insert(grant),
                Ok((_, false)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(allowed)
    }

    async fn review(&self, grant: &Grant) -> Result<bool, CallError> {
        let Grant { verb, group, resource, subresource, namespace, name } = grant;
        let attributes = json!({
            "verb": **verb, "group": **group, "resource": **resource, "subresource": **subresource, "namespace": **namespace, "name": **name,
        });
        let question =
            json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}});
        let reporter = Reporter::default();
        let mut backoff = Backoff::new(self, &reporter, "asking what the current user may do");
        loop {
            // It changes nothing, so it takes no turn among the writes.
            match self.wire.send(Method::POST, REVIEWS, "application/json", &question).await {
                Ok(answer) => return is_allowed(&answer.body),
                Err(error) => {
                    if !backoff.again(&error).await {
                        return Err(error);
                    }
                }
            }
        }
    }
}

fn is_allowed(review: &Value) -> Result<bool, CallError> {
    let allowed = review.pointer("/status/allowed").and_then(Value::as_bool);
    allowed.ok_or_else(|| CallError::Unreadable("an access review without `status.allowed`".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;
    use crate::cluster::fake::{self, Asked, FakeResponse};
    use crate::cluster::locked;

    fn grant(verb: &str, name: &str) -> Grant {
        Grant {
            verb: verb.into(),
            group: "apps".into(),
            resource: "deployments".into(),
            subresource: "".into(),
            namespace: "shop".into(),
            name: name.into(),
        }
    }

    fn answer(allowed: bool) -> FakeResponse {
        fake::json_answer(201, &json!({"kind": "SelfSubjectAccessReview", "status": {"allowed": allowed}}))
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_allowed_for_every_name_is_asked_once_and_what_is_not_for_each_name() {
        let log = Arc::new(Mutex::new(Vec::new()));
        let seen = log.clone();
        let cluster = fake::cluster(move |asked: Asked| {
            assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", REVIEWS));
            let spec = &asked.body["spec"]["resourceAttributes"];
            assert_eq!((&spec["group"], &spec["resource"], &spec["namespace"]), (&json!("apps"), &json!("deployments"), &json!("shop")));
            let (verb, name) = (spec["verb"].as_str().unwrap(), spec["name"].as_str().unwrap());
            locked(&seen).push(format!("{verb} {name}"));
            answer(verb == "get" || name == "web")
        });
        let asked = [("get", "web"), ("get", "api"), ("patch", "web"), ("patch", "api"), ("create", "")];
        let allowed = cluster.allowed(&asked.iter().map(|(verb, name)| grant(verb, name)).collect()).await.unwrap();
        assert_eq!(allowed, BTreeSet::from([grant("get", "web"), grant("get", "api"), grant("patch", "web")]));
        let mut log = locked(&log).clone();
        log.sort();
        assert_eq!(log, ["create ", "get ", "patch ", "patch api", "patch web"]);
    }

    #[tokio::test(start_paused = true)]
    async fn at_most_thirty_two_reviews_are_under_way() {
        let counts = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let seen = counts.clone();
        let client = fake::client_async(move |_| {
            let seen = seen.clone();
            async move {
                let now = 1 + seen.0.fetch_add(1, Ordering::SeqCst);
                seen.1.fetch_max(now, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(10)).await;
                seen.0.fetch_sub(1, Ordering::SeqCst);
                answer(false)
            }
        });
        let cluster = Cluster::new(client, crate::clock::Clock::starting_at(fake::epoch(), 1.0), fake::judge());
        let grants = (0..100).map(|number| grant("get", &format!("web-{number}"))).collect();
        assert!(cluster.allowed(&grants).await.unwrap().is_empty());
        assert_eq!(counts.1.load(Ordering::SeqCst), AT_ONCE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_refuses_or_answers_nonsense_is_an_error_and_no_denial() {
        let refusing = fake::cluster(|_| fake::status(403, "Forbidden", "no reviews for you"));
        assert_eq!(refusing.allowed(&BTreeSet::from([grant("get", "")])).await.unwrap_err().to_string(), "no reviews for you");
        for body in [json!({}), json!({"status": null}), json!({"status": {"allowed": "yes"}})] {
            let odd = fake::cluster(move |_| fake::json_answer(201, &body));
            let error = odd.allowed(&BTreeSet::from([grant("get", "")])).await.unwrap_err().to_string();
            assert!(error.contains("without `status.allowed`"), "{error}");
        }
    }
}
