//! One list and watch: reads everything once, then follows changes from there, for ever. Resumes where a stream broke, reads anew
//! where the server has forgotten, polls where it may not watch (decision 4). Loses nothing, because each way back starts at a
//! revision that was seen.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::super::Cluster;
use super::super::apply::Spot;
use super::super::live::text;
use super::super::wire::{CallError, Resource, Stream, with_query};

/// How long the server keeps a stream open. Short enough that a connection that died silently is noticed.
const OPEN_FOR: u64 = 240;
/// After this long a stream is given up even if the server does not close it.
const PATIENCE: Duration = Duration::from_secs(OPEN_FOR + 15);
/// How often a kind is read that may not be watched.
const POLL: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
const PAGE: &str = "500";
/// From this many failures in a row on, the person is told.
const TELL_AFTER: u32 = 3;

/// Who is told what a feed brings.
pub(super) trait Sink: Send + Sync {
    fn replaced(&self, items: Vec<Value>);
    fn changed(&self, item: Value);
    fn deleted(&self, item: Value);
    /// The first list is through, and the watch is open or will never be.
    fn opened(&self, how: Access);
    /// Something keeps failing; said once until something works again.
    fn trouble(&self, text: String);
    /// Something has worked.
    fn works(&self);
    /// Names to ask for one by one, where the kind may not be listed.
    fn names(&self) -> Vec<Arc<str>>;
}

/// How a kind can be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Watched,
    Polled,
    /// Not at all: it may not be listed, and no name is known to ask for.
    Blind,
}

/// One kind in one namespace (empty: everywhere).
pub(super) struct Feed<S> {
    pub(super) cluster: Cluster,
    pub(super) resource: Resource,
    pub(super) namespace: Arc<str>,
    pub(super) sink: S,
}

/// Why following a stream ended.
enum Ended {
    /// To be resumed from this revision.
    At(String),
    /// The server does not know the revision any more.
    Forgotten,
    Forbidden,
    Broken(String, CallError),
}

/// Pauses that grow while something keeps failing.
#[derive(Default)]
struct Trouble {
    failures: u32,
}

impl<S: Sink> Feed<S> {
    /// Follows until it is dropped, or until nothing can be seen.
    pub(super) async fn run(self) {
        let mut trouble = Trouble::default();
        if !self.resource.can_list {
            return self.poll_names(None).await;
        }
        loop {
            match self.list().await {
                Ok((items, revision)) => {
                    trouble.failures = 0;
                    self.sink.works();
                    self.sink.replaced(items);
                    if !self.resource.can_watch {
                        return self.poll_list().await;
                    }
                    if self.follow(revision).await == Access::Polled {
                        return self.poll_list().await;
                    }
                }
                Err(error) if error.is_forbidden() || error.code() == Some(405) => return self.poll_names(Some(error)).await,
                // The kind is not served (any more); it may come back.
                Err(error) if error.is_not_found() => {
                    self.sink.opened(Access::Watched);
                    self.sink.replaced(Vec::new());
                    self.cluster.clock().sleep(POLL).await;
                }
                Err(error) => self.pause(&mut trouble, &error).await,
            }
        }
    }

    async fn list(&self) -> Result<(Vec<Value>, String), CallError> {
        let mut items = Vec::new();
        let mut from = String::new();
        loop {
            let mut query = vec![("limit", PAGE)];
            if !from.is_empty() {
                query.push(("continue", &from));
            }
            let mut page = self.cluster.wire.get(&with_query(&self.path(), &query)).await?;
            if let Some(Value::Array(more)) = page.get_mut("items").map(Value::take) {
                items.extend(more);
            }
            let metadata = &page["metadata"];
            let next = text(&metadata["continue"]);
            if next.is_empty() {
                return Ok((items, text(&metadata["resourceVersion"]).to_owned()));
            }
            from = next.to_owned();
        }
    }

    /// Follows changes until the list has to be read anew, or may not be followed at all.
    async fn follow(&self, mut revision: String) -> Access {
        let mut trouble = Trouble::default();
        loop {
            match self.follow_once(revision).await {
                Ended::At(next) => {
                    trouble.failures = 0;
                    revision = next;
                }
                Ended::Forgotten => return Access::Watched,
                Ended::Forbidden => return Access::Polled,
                Ended::Broken(next, error) => {
                    revision = next;
                    self.pause(&mut trouble, &error).await;
                    if trouble.failures > TELL_AFTER {
                        return Access::Watched;
                    }
                }
            }
        }
    }

    async fn follow_once(&self, revision: String) -> Ended {
        let open_for = OPEN_FOR.to_string();
        let query =
            [("watch", "true"), ("allowWatchBookmarks", "true"), ("resourceVersion", revision.as_str()), ("timeoutSeconds", &open_for)];
        let stream = match self.cluster.wire.stream(&with_query(&self.path(), &query)).await {
            Ok(stream) => stream,
            Err(error) if error.is_forbidden() || error.code() == Some(405) => return Ended::Forbidden,
            Err(error) if matches!(error.code(), Some(404 | 410)) => return Ended::Forgotten,
            Err(error) => return Ended::Broken(revision, error),
        };
        self.sink.opened(Access::Watched);
        let mut reader = Lines { stream, rest: Vec::new() };
        let clock = self.cluster.clock();
        let deadline = clock.sleep(PATIENCE);
        tokio::pin!(deadline);
        let mut revision = revision;
        loop {
            let line = tokio::select! {
                biased;
                line = reader.next() => line,
                () = &mut deadline => return Ended::At(revision),
            };
            match line {
                Ok(Some(line)) => match self.take(&line) {
                    Taken::Revision(next) => revision = next,
                    Taken::Nothing => {}
                    Taken::Forgotten => return Ended::Forgotten,
                    Taken::Failed(error) => return Ended::Broken(revision, error),
                },
                Ok(None) => return Ended::At(revision),
                Err(error) => return Ended::Broken(revision, error),
            }
        }
    }

    fn take(&self, line: &[u8]) -> Taken {
        let mut event: Value = match serde_json::from_slice(line) {
            Ok(event) => event,
            Err(error) => return Taken::Failed(CallError::Unreadable(error.to_string())),
        };
        let object = event["object"].take();
        let revision = text(&object["metadata"]["resourceVersion"]).to_owned();
        match text(&event["type"]) {
            "ADDED" | "MODIFIED" => self.sink.changed(object),
            "DELETED" => self.sink.deleted(object),
            "BOOKMARK" => {}
            "ERROR" => return failure(&object),
            _ => return Taken::Nothing,
        }
        if revision.is_empty() { Taken::Nothing } else { Taken::Revision(revision) }
    }

    async fn poll_list(&self) {
        self.sink.opened(Access::Polled);
        let mut trouble = Trouble::default();
        loop {
            self.cluster.clock().sleep(POLL).await;
            match self.list().await {
                Ok((items, _)) => {
                    trouble.failures = 0;
                    self.sink.works();
                    self.sink.replaced(items);
                }
                Err(error) => self.pause(&mut trouble, &error).await,
            }
        }
    }

    /// Asks for each object by its name: the least that a plan needs to be allowed.
    async fn poll_names(&self, why: Option<CallError>) {
        let mut is_told = false;
        if self.sink.names().is_empty() {
            if let Some(error) = why {
                self.sink.trouble(format!("{} cannot be listed, so nothing of them is seen: {error}", self.title()));
            }
            return self.sink.opened(Access::Blind);
        }
        loop {
            let mut items = Vec::new();
            let mut refused = None;
            for name in self.sink.names() {
                let spot = Spot { resource: &self.resource, namespace: &self.namespace, name: &name };
                match self.cluster.wire.get(&spot.path()).await {
                    Ok(item) => items.push(item),
                    Err(error) if error.is_not_found() => {}
                    Err(error) => refused = Some(error),
                }
            }
            match refused {
                None => self.sink.replaced(items),
                Some(error) => {
                    items.into_iter().for_each(|item| self.sink.changed(item));
                    if !std::mem::replace(&mut is_told, true) {
                        self.sink.trouble(format!("{} cannot be read: {error}", self.title()));
                    }
                }
            }
            self.sink.opened(Access::Polled);
            self.cluster.clock().sleep(POLL).await;
        }
    }

    async fn pause(&self, trouble: &mut Trouble, error: &CallError) {
        trouble.failures += 1;
        if trouble.failures == TELL_AFTER {
            // That nothing can be reached is no matter of this kind.
            let text = if error.code().is_none() {
                format!("{error}; trying again")
            } else {
                format!("{} cannot be read: {error}; trying again", self.title())
            };
            self.sink.trouble(text);
        }
        let wish = if let CallError::Refused { retry_after: Some(wish), .. } = error { *wish } else { Duration::ZERO };
        let own = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(trouble.failures.min(8) - 1)).min(LONGEST_PAUSE);
        self.cluster.clock().sleep(own.max(wish)).await;
    }

    fn path(&self) -> String {
        self.resource.collection(&self.namespace)
    }

    fn title(&self) -> String {
        let place = if self.namespace.is_empty() { String::new() } else { format!(" in {}", self.namespace) };
        format!("{}{place}", self.resource.plural)
    }
}

/// What one line of a watch was.
enum Taken {
    Revision(String),
    Nothing,
    Forgotten,
    Failed(CallError),
}

fn failure(status: &Value) -> Taken {
    let code = status["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or_default();
    if code == 410 {
        return Taken::Forgotten;
    }
    let retry_after = status.pointer("/details/retryAfterSeconds").and_then(Value::as_u64).map(Duration::from_secs);
    let (reason, message) = (text(&status["reason"]).to_owned(), text(&status["message"]).to_owned());
    Taken::Failed(CallError::Refused { code, reason, message, retry_after })
}

/// Splits a stream at newlines. A piece without its newline at the end is not a line: the stream was cut, and it will come again.
struct Lines {
    stream: Stream,
    rest: Vec<u8>,
}

impl Lines {
    /// Cancel-safe: what has been read stays in `rest`.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, CallError> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.rest[searched..].iter().position(|byte| *byte == b'\n') {
                let tail = self.rest.split_off(searched + at + 1);
                let mut line = std::mem::replace(&mut self.rest, tail);
                line.pop();
                if line.is_empty() {
                    searched = 0;
                    continue;
                }
                return Ok(Some(line));
            }
            searched = self.rest.len();
            match self.stream.next().await? {
                Some(bytes) => self.rest.extend_from_slice(&bytes),
                None => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use serde_json::json;

    use super::*;
    use crate::cluster::fake::{self, Asked, FakeResponse};
    use crate::cluster::locked;

    #[derive(Clone, Default)]
    struct Notes(Arc<Mutex<Vec<String>>>);

    impl Notes {
        fn note(&self, text: String) {
            locked(&self.0).push(text);
        }
        fn all(&self) -> Vec<String> {
            locked(&self.0).clone()
        }
    }

    impl Sink for Notes {
        fn replaced(&self, items: Vec<Value>) {
            let names: Vec<&str> = items.iter().map(|item| text(&item["metadata"]["name"])).collect();
            self.note(format!("list {}", names.join(",")));
        }
        fn changed(&self, item: Value) {
            self.note(format!("changed {}", text(&item["metadata"]["name"])));
        }
        fn deleted(&self, item: Value) {
            self.note(format!("deleted {}", text(&item["metadata"]["name"])));
        }
        fn opened(&self, how: Access) {
            self.note(format!("{how:?}"));
        }
        fn trouble(&self, text: String) {
            self.note(text);
        }
        fn works(&self) {}
        fn names(&self) -> Vec<Arc<str>> {
            vec!["a".into(), "b".into()]
        }
    }

    fn item(name: &str, version: u64) -> Value {
        json!({"metadata": {"name": name, "uid": name, "resourceVersion": version.to_string()}})
    }

    fn event(kind: &str, object: &Value) -> Bytes {
        format!("{}\n", json!({"type": kind, "object": object})).into()
    }

    fn list(items: &[Value], version: u64) -> FakeResponse {
        fake::json_answer(200, &json!({"items": items, "metadata": {"resourceVersion": version.to_string()}}))
    }

    fn streamed(chunks: Vec<(u64, Result<Bytes, &'static str>)>) -> FakeResponse {
        http::Response::new(fake::chunks(chunks))
    }

    async fn observe(seconds: u64, serve: impl Fn(Asked) -> FakeResponse + Send + Sync + 'static) -> Vec<String> {
        let notes = Notes::default();
        let feed = Feed {
            cluster: fake::cluster(serve),
            resource: Resource::core("ConfigMap", "configmaps"),
            namespace: "shop".into(),
            sink: notes.clone(),
        };
        let _ = tokio::time::timeout(Duration::from_secs(seconds), feed.run()).await;
        notes.all()
    }

    fn is_watch(asked: &Asked) -> bool {
        asked.query.contains("watch=true")
    }

    #[tokio::test(start_paused = true)]
    async fn a_cut_stream_is_resumed_from_the_revision_that_was_seen_last() {
        let asked_for = Notes::default();
        let log = asked_for.clone();
        let seen = observe(1, move |asked| {
            if !is_watch(&asked) {
                return list(&[item("a", 5)], 5);
            }
            log.note(asked.query.split('&').find(|part| part.starts_with("resourceVersion")).unwrap().to_owned());
            match log.all().len() {
                1 => streamed(vec![
                    (10, Ok(event("MODIFIED", &item("a", 6)))),
                    (10, Ok(Bytes::from_static(b"{\"type\":\"MODIFIED\",\"obj"))),
                    (0, Err("cut")),
                ]),
                2 => streamed(vec![(10, Ok(event("BOOKMARK", &item("", 9))))]),
                _ => streamed(vec![(10, Ok(event("DELETED", &item("a", 10)))), (1_000_000, Err("never"))]),
            }
        });
        assert_eq!(seen.await, ["list a", "Watched", "changed a", "Watched", "Watched", "deleted a"]);
        assert_eq!(asked_for.all(), ["resourceVersion=5", "resourceVersion=6", "resourceVersion=9"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_server_has_forgotten_is_listed_anew() {
        let lists = AtomicUsize::new(0);
        let seen = observe(1, move |asked| {
            if is_watch(&asked) {
                let gone = json!({"code": 410, "reason": "Expired", "message": "too old resource version"});
                return match lists.load(Ordering::SeqCst) {
                    1 => streamed(vec![(10, Ok(event("ERROR", &gone)))]),
                    _ => streamed(vec![(1_000_000, Err("never"))]),
                };
            }
            let count = lists.fetch_add(1, Ordering::SeqCst);
            list(&[item(if count == 0 { "a" } else { "b" }, 5)], 5)
        });
        assert_eq!(seen.await, ["list a", "Watched", "list b", "Watched"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_is_opened_again_after_a_while() {
        let seen = observe(300, |asked| if is_watch(&asked) { streamed(vec![(100_000_000, Err("never"))]) } else { list(&[], 5) });
        assert_eq!(seen.await, ["list ", "Watched", "Watched"]);
    }

    #[tokio::test(start_paused = true)]
    async fn decision_4_a_kind_that_may_not_be_watched_is_polled() {
        let seen = observe(5, |asked| if is_watch(&asked) { fake::status(403, "Forbidden", "no") } else { list(&[item("a", 5)], 5) });
        assert_eq!(seen.await, ["list a", "Polled", "list a", "list a"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_kind_that_may_not_be_listed_is_asked_for_by_name() {
        let seen = observe(3, |asked| match asked.path.as_str() {
            "/api/v1/namespaces/shop/configmaps/a" => fake::json_answer(200, &item("a", 5)),
            "/api/v1/namespaces/shop/configmaps/b" => fake::status(404, "NotFound", "no b"),
            _ => fake::status(403, "Forbidden", "configmaps is forbidden"),
        });
        assert_eq!(seen.await, ["list a", "Polled", "list a", "Polled"]);
        let told = observe(3, |_| fake::status(403, "Forbidden", "forbidden"));
        assert_eq!(
            told.await,
            ["configmaps in shop cannot be read: forbidden", "Polled", "Polled"],
            "nothing seen is not the same as gone"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_list_is_read_page_by_page() {
        let seen = observe(1, |asked| {
            if is_watch(&asked) {
                return streamed(vec![(1_000_000, Err("never"))]);
            }
            if asked.query.contains("continue=") {
                return list(&[item("b", 5)], 5);
            }
            fake::json_answer(200, &json!({"items": [item("a", 5)], "metadata": {"resourceVersion": "5", "continue": "x"}}))
        });
        assert_eq!(seen.await, ["list a,b", "Watched"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_keeps_failing_is_told_and_tried_for_ever() {
        let calls = AtomicUsize::new(0);
        let seen = observe(60, move |asked| match calls.fetch_add(1, Ordering::SeqCst) {
            0..5 => fake::status(503, "ServiceUnavailable", "busy"),
            _ if is_watch(&asked) => streamed(vec![(1_000_000, Err("never"))]),
            _ => list(&[], 5),
        });
        assert_eq!(seen.await, ["configmaps in shop cannot be read: busy; trying again", "list ", "Watched"]);
    }
}
