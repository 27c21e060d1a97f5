//! Server-side apply (decision 6) and its dry run. Owns the words of the result (decision 18) and what happens when the server is
//! busy or its answer is lost: an object whose creation may have happened is looked for before anything is sent again.

use http::Method;
use serde_json::Value;

use super::ownership::Snapshot;
use super::retry::{Backoff, is_transient};
use super::veil::Veil;
use super::wire::{Answer, CallError, Resource, with_query};
use super::{Cluster, Reporter, unknown_fields};
use crate::model::annotation::{FIELD_MANAGER, OPERATION_LABEL};
use crate::model::{Object, Traits};

const APPLY: &str = "application/apply-patch+yaml";

/// What was there before an apply.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Before {
    /// Nobody has looked.
    Unknown,
    Absent,
    Present(Snapshot),
}

/// Where an object is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

impl Spot<'_> {
    pub(super) fn path(&self) -> String {
        self.resource.object(self.namespace, self.name)
    }

    /// Returns `Job shop/migrate`.
    pub(super) fn title(&self) -> String {
        let kind = &self.resource.gvk.kind;
        if self.resource.is_namespaced && !self.namespace.is_empty() {
            format!("{kind} {}/{}", self.namespace, self.name)
        } else {
            format!("{kind} {}", self.name)
        }
    }
}

/// What an apply did (decision 18).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Created,
    Configured,
    Unchanged,
    ServersideApplied,
}

impl Word {
    fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
            Self::ServersideApplied => "serverside-applied",
        }
    }
}

/// The object after an apply.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    pub(crate) object: Object,
    pub(crate) word: Word,
}

impl Applied {
    /// Returns the result's text: `deployment.apps/web configured`.
    pub(crate) fn message(&self) -> String {
        let gvk = self.object.gvk();
        let kind = gvk.kind.to_lowercase();
        let group = if gvk.group.is_empty() { String::new() } else { format!(".{}", gvk.group) };
        format!("{kind}{group}/{} {}", self.object.name(), self.word.as_str())
    }
}

impl Cluster {
    /// Applies an object, taking fields from other managers if need be, and reports whom it took them from.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub(crate) async fn apply(&self, spot: Spot<'_>, target: &Object, before: Before, reporter: &Reporter) -> Result<Applied, CallError> {
        let before = match before {
            Before::Unknown => self.look_before(spot).await?,
            Before::Absent | Before::Present(_) => before,
        };
        let doing = format!("applying {}", spot.title());
        let mut backoff = Backoff::new(self, reporter, &doing);
        let mut is_unsure = false;
        loop {
            let error = match self.send_apply(spot, target, Run::ForReal, reporter).await {
                Ok(answer) => return Ok(self.applied(target, &before, answer, is_unsure, reporter)),
                Err(error) => error,
            };
            is_unsure |= error.is_outcome_unknown();
            if !backoff.again_if(&error, is_transient(&error) || error.code() == Some(409)).await {
                return Err(error);
            }
            if is_unsure && let Some(object) = self.own_creation(spot, target, &before).await {
                return Ok(Applied { object, word: Word::Created });
            }
        }
    }

    /// Asks the server what an apply would do, without doing it.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub(crate) async fn try_apply(&self, spot: Spot<'_>, target: &Object) -> Result<Word, CallError> {
        let before = self.look_before(spot).await?;
        let reporter = Reporter::default();
        let doing = format!("trying {}", spot.title());
        let mut backoff = Backoff::new(self, &reporter, &doing);
        loop {
            match self.send_apply(spot, target, Run::Dry, &reporter).await {
                Ok(answer) => return Ok(tried(&before, &answer)),
                Err(error) => {
                    if !backoff.again(&error).await {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Gets an object; `None` if it does not exist.
    ///
    /// # Errors
    /// Why it could not be had.
    pub(crate) async fn get(&self, spot: Spot<'_>, reporter: &Reporter) -> Result<Option<Object>, CallError> {
        let doing = format!("reading {}", spot.title());
        let mut backoff = Backoff::new(self, reporter, &doing);
        loop {
            match self.wire.get(&spot.path()).await {
                Ok(value) => return Ok(Some(Object::new(value))),
                Err(error) if error.is_not_found() => return Ok(None),
                Err(error) => {
                    if !backoff.again(&error).await {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Lists objects with their metadata alone, of one namespace or (empty) of all.
    ///
    /// # Errors
    /// Why they could not be had.
    pub(crate) async fn list_metadata(&self, resource: &Resource, namespace: &str) -> Result<Vec<Object>, CallError> {
        const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
        let mut objects = Vec::new();
        let mut from = String::new();
        let reporter = Reporter::default();
        let mut backoff = Backoff::new(self, &reporter, "listing");
        loop {
            let mut query = vec![("limit", "500")];
            if !from.is_empty() {
                query.push(("continue", &from));
            }
            let mut page = match self.wire.get_as(&with_query(&resource.collection(namespace), &query), METADATA).await {
                Ok(page) => page,
                Err(error) => {
                    if backoff.again(&error).await {
                        continue;
                    }
                    return Err(error);
                }
            };
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                objects.extend(items.into_iter().map(Object::new));
            }
            page.pointer("/metadata/continue").and_then(Value::as_str).unwrap_or_default().clone_into(&mut from);
            if from.is_empty() {
                return Ok(objects);
            }
        }
    }

    async fn look_before(&self, spot: Spot<'_>) -> Result<Before, CallError> {
        let found = self.get(spot, &Reporter::default()).await;
        match found {
            Ok(object) => Ok(object.map_or(Before::Absent, |object| Before::Present(Snapshot::of(object.wire())))),
            // Whoever may write but not read still gets an answer; only the word for it is a guess.
            Err(error) if error.is_forbidden() => Ok(Before::Absent),
            Err(error) => Err(error),
        }
    }

    async fn send_apply(&self, spot: Spot<'_>, target: &Object, run: Run, reporter: &Reporter) -> Result<Answer, CallError> {
        let is_lenient = Traits::of(target).has_option("Validate=false");
        let mut query = vec![("fieldManager", FIELD_MANAGER), ("force", "true")];
        query.push(("fieldValidation", if is_lenient { "Ignore" } else { "Strict" }));
        if run == Run::Dry {
            query.push(("dryRun", "All"));
        }
        let path = with_query(&spot.path(), &query);
        let mut body = body(target);
        loop {
            let answer = self.write(Method::PATCH, &path, APPLY, &body).await;
            let cut = match &answer {
                Err(CallError::Refused { message, .. }) if is_lenient => unknown_fields::cut(&mut body, message),
                Ok(_) | Err(_) => Vec::new(),
            };
            if cut.is_empty() {
                return Veil::of(target).answer(answer);
            }
            reporter.warn(format!("left out {}, which the API server does not know (Validate=false)", few(&cut)));
        }
    }

    fn applied(&self, target: &Object, before: &Before, answer: Answer, is_unsure: bool, reporter: &Reporter) -> Applied {
        for text in &answer.warnings {
            reporter.warn(format!("the API server says: {text}"));
        }
        if let Before::Present(snapshot) = before {
            for (manager, fields) in snapshot.taken(&answer.body) {
                reporter.warn(format!("took {} from the field manager `{manager}`", few(&fields)));
            }
        }
        let word = if asks_for_server_side(target) { Word::ServersideApplied } else { word(before, &answer, is_unsure) };
        Applied { object: Object::new(answer.body), word }
    }

    /// After an answer was lost: a hook that carries this operation's label is the one that we created, and must not be sent again,
    /// because in the meantime it may have run and gone.
    async fn own_creation(&self, spot: Spot<'_>, target: &Object, before: &Before) -> Option<Object> {
        let label = ["metadata", "labels", OPERATION_LABEL];
        let mark = target.text(&label);
        if mark.is_empty() || !matches!(before, Before::Absent) {
            return None;
        }
        let found = self.get(spot, &Reporter::default()).await.ok()??;
        (found.text(&label) == mark).then_some(found)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    ForReal,
    Dry,
}

/// The server refuses what it wrote itself (spec S10 of the conformance list), so exported manifests lose it here.
fn body(target: &Object) -> Value {
    let mut value = target.wire().clone();
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        if metadata.get("creationTimestamp").is_some_and(Value::is_null) {
            metadata.remove("creationTimestamp");
        }
    }
    value
}

/// `ServerSideApply=true` on the target, unless it is switched off there too (spec R714).
fn asks_for_server_side(target: &Object) -> bool {
    let traits = Traits::of(target);
    traits.has_option("ServerSideApply=true") && !traits.has_option("ServerSideApply=false")
}

fn word(before: &Before, answer: &Answer, is_unsure: bool) -> Word {
    match before {
        _ if answer.code == 201 => Word::Created,
        Before::Present(snapshot) if snapshot.is_same_as(&answer.body) => Word::Unchanged,
        Before::Present(_) => Word::Configured,
        Before::Absent | Before::Unknown if is_unsure => Word::Created,
        Before::Absent | Before::Unknown => Word::Configured,
    }
}

fn tried(before: &Before, answer: &Answer) -> Word {
    match before {
        Before::Present(snapshot) if snapshot.has_content_of(&answer.body) => Word::Unchanged,
        Before::Present(_) => Word::Configured,
        Before::Absent | Before::Unknown => Word::Created,
    }
}

fn few(fields: &[String]) -> String {
    let shown: Vec<&str> = fields.iter().take(3).map(String::as_str).collect();
    match fields.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more fields", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};

    use serde_json::json;

    use super::*;
    use crate::cluster::{Outbox, fake, locked};
    use crate::operation::Event;

    fn config() -> Object {
        Object::new(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "managedFields": [{}], "creationTimestamp": null}, "data": {"k": "v"}}),
        )
    }

    fn resource() -> Resource {
        Resource::core("ConfigMap", "configmaps")
    }

    fn stored(version: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "uid": "u", "resourceVersion": version}, "data": {"k": version}})
    }

    #[tokio::test(start_paused = true)]
    async fn decision_18_the_word_is_created_configured_or_unchanged() {
        let resource = resource();
        let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
        let live = Before::Present(Snapshot::of(&stored("7")));
        for (before, code, version, message) in [
            (Before::Absent, 201, "1", "configmap/a created"),
            (live.clone(), 200, "8", "configmap/a configured"),
            (live.clone(), 200, "7", "configmap/a unchanged"),
            (live, 201, "9", "configmap/a created"),
            (Before::Absent, 200, "9", "configmap/a configured"),
        ] {
            let cluster = fake::cluster(move |_| fake::json_answer(code, &stored(version)));
            let applied = cluster.apply(spot, &config(), before, &Reporter::default()).await.unwrap();
            assert_eq!(applied.message(), message);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn decision_6_an_apply_is_forced_strict_and_ours() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let cluster = fake::cluster(move |asked| {
            locked(&log).push(asked.clone());
            fake::json_answer(201, &stored("1"))
        });
        let resource = resource();
        let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
        cluster.apply(spot, &config(), Before::Absent, &Reporter::default()).await.unwrap();
        let asked = locked(&seen).pop().unwrap();
        assert_eq!((asked.method.as_str(), asked.path.as_str()), ("PATCH", "/api/v1/namespaces/shop/configmaps/a"));
        assert_eq!(asked.query, "fieldManager=syncwave&force=true&fieldValidation=Strict");
        assert_eq!(asked.body["metadata"], json!({"name": "a"}), "what only the server may write is left out");
    }

    #[tokio::test(start_paused = true)]
    async fn decision_23_a_busy_server_and_a_conflict_are_tried_again_visibly_and_once() {
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = calls.clone();
        let cluster = fake::cluster(move |_| match counter.fetch_add(1, Ordering::SeqCst) {
            0 => fake::status(429, "TooManyRequests", "too many requests"),
            1 => fake::status(409, "Conflict", "the object has been modified"),
            _ => fake::json_answer(201, &stored("1")),
        });
        let resource = resource();
        let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
        let outbox = Arc::new(Outbox::default());
        let reporter = Reporter::new(&outbox, None);
        cluster.apply(spot, &config(), Before::Absent, &reporter).await.unwrap();
        assert_eq!(calls.load(Ordering::SeqCst), 3);
        let text = "applying ConfigMap shop/a: too many requests; trying again".to_owned();
        assert_eq!(outbox.drain(), [Event::Warned { task: None, text }]);
    }

    #[tokio::test(start_paused = true)]
    async fn decision_23_a_hook_whose_creation_got_no_answer_is_looked_for_and_not_sent_again() {
        let hook = config().with(|value| value["metadata"]["labels"] = json!({OPERATION_LABEL: "op-1"}));
        let created = hook.with(|value| value["metadata"]["uid"] = json!("u"));
        let patches = Arc::new(AtomicUsize::new(0));
        let counter = patches.clone();
        let cluster = fake::cluster(move |asked| {
            if asked.method == "GET" {
                return fake::json_answer(200, created.wire());
            }
            counter.fetch_add(1, Ordering::SeqCst);
            fake::status(504, "Timeout", "request timed out")
        });
        let resource = resource();
        let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
        let applied = cluster.apply(spot, &hook, Before::Absent, &Reporter::default()).await.unwrap();
        assert_eq!((applied.message().as_str(), patches.load(Ordering::SeqCst)), ("configmap/a created", 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_its_turn_is_not_sent_after_a_terminate() {
        let sent = Arc::new(AtomicUsize::new(0));
        let counter = sent.clone();
        let client = fake::client_async(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            async {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                fake::json_answer(201, &stored("1"))
            }
        });
        let clock = crate::clock::Clock::starting_at(fake::epoch(), 1.0);
        let stop = tokio_util::sync::CancellationToken::new();
        let cluster = Cluster::new(client, clock, fake::judge()).with_stop(stop.clone());
        let (resource, target, reporter) = (resource(), config(), Reporter::default());
        let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
        let applies = (0..50).map(|_| cluster.apply(spot, &target, Before::Absent, &reporter));
        let terminate = async {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            stop.cancel();
        };
        let (results, ()) = futures::future::join(futures::future::join_all(applies), terminate).await;
        let done = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!((done, sent.load(Ordering::SeqCst)), (16, 16), "what was sent comes to its end");
        let error = results.into_iter().find_map(Result::err).unwrap();
        assert_eq!(error.to_string(), "not sent: the operation was terminated");
        assert!(cluster.delete(spot, "u", &reporter).await.is_err() && sent.load(Ordering::SeqCst) == 16);
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_server_refuses_is_its_own_sentence_at_once() {
        let cluster = fake::cluster(|_| fake::status(404, "NotFound", "namespaces \"shop\" not found"));
        let resource = resource();
        let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
        let error = cluster.apply(spot, &config(), Before::Absent, &Reporter::default()).await.unwrap_err();
        assert_eq!(error.to_string(), "namespaces \"shop\" not found");
    }

    #[tokio::test(start_paused = true)]
    async fn a_dry_run_compares_content_with_what_is_live() {
        let cluster = fake::cluster(|asked| {
            if asked.method == "GET" {
                return fake::json_answer(200, &stored("7"));
            }
            assert!(asked.query.ends_with("dryRun=All"), "{}", asked.query);
            let mut merged = stored("7");
            merged["data"]["k"] = json!("new");
            fake::json_answer(200, &merged)
        });
        let resource = resource();
        let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
        assert_eq!(cluster.try_apply(spot, &config()).await.unwrap(), Word::Configured);
    }

    #[tokio::test(start_paused = true)]
    async fn decision_6_with_validate_false_unknown_fields_are_left_out_visibly() {
        let cluster = fake::cluster(|asked| {
            if asked.body.get("dataz").is_some() {
                return fake::status(
                    500,
                    "",
                    "failed to create typed patch object (shop/a; /v1, Kind=ConfigMap): .dataz: field not declared in schema",
                );
            }
            assert!(asked.query.ends_with("fieldValidation=Ignore"), "{}", asked.query);
            fake::json_answer(201, &stored("1"))
        });
        let resource = resource();
        let spot = Spot { resource: &resource, namespace: "shop", name: "a" };
        let strict = config().with(|value| value["dataz"] = json!(1));
        let error = cluster.apply(spot, &strict, Before::Absent, &Reporter::default()).await.unwrap_err();
        assert!(error.to_string().contains(".dataz"), "{error}");
        let lenient = strict.with(|value| value["metadata"]["annotations"] = json!({"argocd.argoproj.io/sync-options": "Validate=false"}));
        let outbox = Arc::new(Outbox::default());
        cluster.apply(spot, &lenient, Before::Absent, &Reporter::new(&outbox, None)).await.unwrap();
        let text = "left out .dataz, which the API server does not know (Validate=false)".to_owned();
        assert_eq!(outbox.drain(), [Event::Warned { task: None, text }]);
    }

    #[test]
    fn messages_name_kind_and_group_as_recorded() {
        for (version, kind, text) in [
            ("v1", "ConfigMap", "configmap/x created"),
            ("apps/v1", "Deployment", "deployment.apps/x created"),
            ("rbac.authorization.k8s.io/v1", "Role", "role.rbac.authorization.k8s.io/x created"),
        ] {
            let object = Object::new(json!({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}}));
            assert_eq!(Applied { object, word: Word::Created }.message(), text);
        }
    }

    #[test]
    fn r714_server_side_apply_has_a_word_of_its_own() {
        let with =
            |options: &str| config().with(|value| value["metadata"]["annotations"] = json!({"argocd.argoproj.io/sync-options": options}));
        assert!(asks_for_server_side(&with("ServerSideApply=true")));
        assert!(!asks_for_server_side(&with("ServerSideApply=true,ServerSideApply=false")));
        assert!(!asks_for_server_side(&config()));
    }
}
