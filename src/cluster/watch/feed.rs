//! One list and watch: reads everything once, then follows changes from there, for ever. Resumes where a stream broke, reads anew
//! where the server has forgotten, polls where it may not watch (decision 4), and for a while where a watch does not open. Loses
//! nothing, because each way back starts at a revision that was seen. Knows nothing of operations: who wants to hear hands in a sink.

mod lines;
mod polling;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use self::lines::Lines;
use self::polling::StandIn;
use super::super::Cluster;
use super::super::live::text;
use super::super::read::{EMPTY_PAGES, endless};
use super::super::retry::{cut, wish};
use super::super::wire::{CallError, Resource, with_query};

/// How long the server keeps a stream open. Short enough that a connection that died silently is noticed.
const OPEN_FOR: u64 = 240;
/// After this long a stream is given up even if the server does not close it.
const PATIENCE: Duration = Duration::from_secs(OPEN_FOR + 15);
/// A server sends a bookmark about every minute, so a stream that brings nothing for so long may be dead.
const SILENCE: Duration = Duration::from_secs(90);
/// A stream that lived for less was not worth opening at once again.
const SHORT: SignedDuration = SignedDuration::from_secs(1);
const FIRST_REST: Duration = Duration::from_secs(1);
/// How often a kind is read that may not be watched.
const POLL: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long a wish of the server is honoured.
const LONGEST_WISH: Duration = Duration::from_secs(60);
const PAGE: &str = "500";
/// How long the server may take to say that it is there.
const PROBE: Duration = Duration::from_secs(5);
/// From this many failures in a row on, the person is told.
const TELL_AFTER: u32 = 3;

/// What a feed has read as a whole.
#[derive(Debug, Default)]
pub(super) struct Listed<T = Value> {
    pub(super) items: Vec<T>,
    /// The revision that it shows: what is newer may be missing in it.
    pub(super) as_of: u64,
    /// Names that could not be read, so that nothing is known of them.
    pub(super) unread: BTreeSet<Arc<str>>,
}

/// Who is told what a feed brings.
pub(super) trait Sink: Send + Sync {
    /// Comes back when it has been judged; nothing more of this feed is read before.
    fn replaced(&self, listed: Listed) -> impl Future<Output = ()> + Send;
    /// Comes back when it has been judged; nothing more of this feed is read before.
    fn changed(&self, item: Value) -> impl Future<Output = ()> + Send;
    fn deleted(&self, item: Value);
    /// The first list is through, and the watch is open or will never be.
    fn opened(&self, how: Access);
    /// Something keeps failing; said once until something works again.
    fn trouble(&self, text: String);
    /// Something has worked.
    fn works(&self);
    /// Nothing has been heard of the server since then; said until something is heard.
    fn lost(&self, _since: Timestamp) {}
    /// The server has answered.
    fn heard(&self) {}
    /// Names to ask for one by one, where the kind may not be listed.
    fn names(&self) -> Vec<Arc<str>>;
    /// The newest revision of anything that has been seen or written.
    fn newest(&self) -> u64;
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
    /// It had ended because no name was known to ask for, and has told so.
    pub(super) was_blind: bool,
}

/// Why following a stream ended.
enum Ended {
    Closed,
    /// Nothing came for too long: the connection may be dead.
    Silent,
    /// The server does not know the revision any more.
    Forgotten,
    Forbidden,
    Broken(CallError),
}

/// Why a kind is not followed any more.
enum Left {
    /// It has to be read anew.
    Behind,
    /// Streams bring nothing, not even a bookmark; the revision that was seen last.
    Silent(String),
    /// It may not be watched.
    Forbidden,
    /// The server does not begin to answer a watch.
    Unopened(CallError),
}

/// Where a stream is.
struct Position {
    revision: String,
    /// `None` as long as the server has not begun to answer.
    opened_at: Option<Timestamp>,
}

/// Pauses that grow while something keeps failing.
struct Trouble {
    /// What fails: `read`, `watched`.
    deed: &'static str,
    failures: u32,
    /// When the first of them was seen.
    since: Option<Timestamp>,
    /// Streams in a row that lived a moment only.
    short: u32,
}

impl Trouble {
    fn with(deed: &'static str) -> Self {
        Self { deed, failures: 0, since: None, short: 0 }
    }
}

impl<S: Sink> Feed<S> {
    /// Follows until it is dropped, or until nothing can be seen.
    pub(super) async fn run(self) {
        let (mut listing, mut watching) = (Trouble::with("read"), Trouble::with("watched"));
        let (mut unopened, mut silent, mut standing_in) = (None, None::<u64>, StandIn::default());
        if !self.resource.can_list {
            return self.poll_names(None).await;
        }
        loop {
            let (was_unopened, was_silent) = (unopened.take(), silent.take());
            match self.list().await {
                Ok((listed, revision)) => {
                    listing.failures = 0;
                    self.sink.works();
                    let newest = newest_of(&listed);
                    let is_kept_back = was_silent.is_some_and(|seen| newest > seen);
                    self.sink.replaced(listed).await;
                    if is_kept_back {
                        self.sink.trouble(kept_back(&self.title()));
                        return self.poll_list().await;
                    }
                    // The server is there, so it is the watch alone that fails: something in between may keep it back.
                    if let Some(error) = was_unopened {
                        self.stand_in(&error, &mut standing_in).await;
                        continue;
                    }
                    if !self.resource.can_watch {
                        return self.poll_list().await;
                    }
                    match self.follow(revision, &mut watching).await {
                        Left::Behind => standing_in = StandIn::default(),
                        Left::Silent(seen) => silent = Some(newest.max(seen.parse().unwrap_or(u64::MAX))),
                        Left::Forbidden => return self.poll_list().await,
                        Left::Unopened(error) => unopened = Some(error),
                    }
                }
                Err(error) if error.is_forbidden() || error.code() == Some(405) => return self.poll_names(Some(error)).await,
                // The kind is not served (any more); it may come back.
                Err(error) if error.is_not_found() => {
                    self.sink.opened(Access::Watched);
                    self.sink.replaced(Listed { as_of: self.sink.newest(), ..Listed::default() }).await;
                    self.cluster.clock().sleep(POLL).await;
                }
                Err(error) => self.pause(&mut listing, &error).await,
            }
        }
    }

    async fn list(&self) -> Result<(Listed, String), CallError> {
        let before = self.sink.newest();
        let mut items = Vec::new();
        let (mut from, mut empty) = (String::new(), 0);
        loop {
            let mut query = vec![("limit", PAGE)];
            if !from.is_empty() {
                query.push(("continue", &from));
            }
            let mut page = self.hearing(self.cluster.wire.get(&with_query(&self.path(), &query)).await)?;
            let read = items.len();
            if let Some(Value::Array(more)) = page.get_mut("items").map(Value::take) {
                items.extend(more);
            }
            empty = if items.len() == read { empty + 1 } else { 0 };
            let metadata = &page["metadata"];
            let next = text(&metadata["continue"]);
            if next.is_empty() {
                let revision = text(&metadata["resourceVersion"]).to_owned();
                let as_of = revision.parse().unwrap_or(before);
                return Ok((Listed { items, as_of, unread: BTreeSet::new() }, revision));
            }
            if empty == EMPTY_PAGES {
                return Err(endless(&self.path()));
            }
            from = next.to_owned();
        }
    }

    /// Follows changes until the list has to be read anew, or may not be followed at all.
    async fn follow(&self, revision: String, trouble: &mut Trouble) -> Left {
        let clock = self.cluster.clock();
        let mut position = Position { revision, opened_at: None };
        let mut was_silent = false;
        loop {
            position.opened_at = None;
            let ended = self.follow_once(&mut position).await;
            let is_short = position.opened_at.is_none_or(|at| clock.now().duration_since(at) < SHORT);
            if !is_short {
                *trouble = Trouble::with(trouble.deed);
            }
            let was_silent_before = std::mem::replace(&mut was_silent, matches!(ended, Ended::Silent));
            match ended {
                Ended::Silent if was_silent_before => return Left::Silent(position.revision),
                Ended::Silent => {}
                Ended::Closed if is_short => self.rest(trouble).await,
                Ended::Closed => {}
                Ended::Forgotten => {
                    if is_short {
                        self.rest(trouble).await;
                    }
                    return Left::Behind;
                }
                Ended::Forbidden => return Left::Forbidden,
                Ended::Broken(error) => {
                    if was_silent_before {
                        let text = format!(
                            "the watch of {} was silent for {} s and cannot be opened again: {error}; trying again",
                            self.title(),
                            SILENCE.as_secs()
                        );
                        self.sink.trouble(text);
                    }
                    let is_unopened = position.opened_at.is_none();
                    // All patience went into this one try, or was lost before.
                    if is_unopened && (error == CallError::TimedOut || trouble.failures > TELL_AFTER) {
                        return Left::Unopened(error);
                    }
                    self.pause(trouble, &error).await;
                    if trouble.failures.is_multiple_of(TELL_AFTER + 1) {
                        return if is_unopened { Left::Unopened(error) } else { Left::Behind };
                    }
                }
            }
        }
    }

    async fn follow_once(&self, position: &mut Position) -> Ended {
        let open_for = OPEN_FOR.to_string();
        let revision = position.revision.as_str();
        let query = [("watch", "true"), ("allowWatchBookmarks", "true"), ("resourceVersion", revision), ("timeoutSeconds", &open_for)];
        let stream = match self.hearing(self.cluster.wire.stream(&with_query(&self.path(), &query)).await) {
            Ok(stream) => stream,
            Err(error) if error.is_forbidden() || error.code() == Some(405) => return Ended::Forbidden,
            Err(error) if matches!(error.code(), Some(404 | 410)) => return Ended::Forgotten,
            Err(error) => return Ended::Broken(error),
        };
        self.sink.opened(Access::Watched);
        let clock = self.cluster.clock();
        position.opened_at = Some(clock.now());
        let mut reader = Lines::new(stream);
        let deadline = clock.sleep(PATIENCE);
        tokio::pin!(deadline);
        loop {
            let line = tokio::select! {
                biased;
                line = reader.next() => line,
                () = &mut deadline => return Ended::Closed,
                () = clock.sleep(SILENCE) => return Ended::Silent,
            };
            match line {
                Ok(Some(line)) => match self.take(&line).await {
                    Taken::Revision(next) => position.revision = next,
                    Taken::Nothing => {}
                    Taken::Forgotten => return Ended::Forgotten,
                    Taken::Failed(error) => return Ended::Broken(error),
                },
                Ok(None) => return Ended::Closed,
                Err(error) => return Ended::Broken(error),
            }
        }
    }

    async fn take(&self, line: &[u8]) -> Taken {
        self.sink.heard();
        let mut event: Value = match serde_json::from_slice(line) {
            Ok(event) => event,
            Err(error) => return Taken::Failed(CallError::Unreadable(error.to_string())),
        };
        let object = event["object"].take();
        let revision = text(&object["metadata"]["resourceVersion"]).to_owned();
        match text(&event["type"]) {
            "ADDED" | "MODIFIED" => self.sink.changed(object).await,
            "DELETED" => self.sink.deleted(object),
            "BOOKMARK" => {}
            "ERROR" => return failure(&object),
            _ => return Taken::Nothing,
        }
        if revision.is_empty() { Taken::Nothing } else { Taken::Revision(revision) }
    }

    /// Waits before a stream is opened again that has just been opened in vain.
    async fn rest(&self, trouble: &mut Trouble) {
        let pause = FIRST_REST.saturating_mul(2_u32.saturating_pow(trouble.short.min(8))).min(LONGEST_PAUSE);
        trouble.short += 1;
        self.cluster.clock().sleep(pause).await;
    }

    async fn pause(&self, trouble: &mut Trouble, error: &CallError) {
        let now = self.cluster.clock().now();
        let since = trouble.since.filter(|_| trouble.failures > 0).unwrap_or(now);
        trouble.since = Some(since);
        trouble.failures += 1;
        let is_away = trouble.failures >= TELL_AFTER && is_silence(error) && self.is_server_away().await;
        if is_away {
            self.sink.lost(since);
        }
        let own = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(trouble.failures.min(8) - 1)).min(LONGEST_PAUSE);
        let pause = own.max(wish(error).min(LONGEST_WISH));
        let is_cut = wish(error) > LONGEST_WISH;
        if trouble.failures == TELL_AFTER || is_cut {
            let cut = if is_cut { cut(pause, error) } else { String::new() };
            // That nothing can be reached, or that there are no credentials, is no matter of this kind.
            let text = if is_away || matches!(error, CallError::Credentials(_)) {
                format!("{error}; trying again")
            } else {
                format!("{} cannot be {}: {error}; trying again{cut}", self.title(), trouble.deed)
            };
            self.sink.trouble(text);
        }
        self.cluster.clock().sleep(pause).await;
    }

    /// Passes on what a request came to; a refusal is an answer, too.
    fn hearing<T>(&self, answer: Result<T, CallError>) -> Result<T, CallError> {
        if answer.as_ref().map_or_else(|error| error.code().is_some(), |_| true) {
            self.sink.heard();
        }
        answer
    }

    /// Asks for something that no aggregated server and nothing that keeps streams back has a part in: one kind that fails says nothing of
    /// the others.
    async fn is_server_away(&self) -> bool {
        let clock = self.cluster.clock();
        let answer = tokio::select! {
            biased;
            answer = self.cluster.wire.get("/version") => answer,
            () = clock.sleep(PROBE) => return true,
        };
        self.hearing(answer).is_err_and(|error| is_silence(&error))
    }

    fn path(&self) -> String {
        self.resource.collection(&self.namespace)
    }

    fn title(&self) -> String {
        let place = if self.namespace.is_empty() { String::new() } else { format!(" in {}", self.namespace) };
        format!("{}{place}", self.resource.plural)
    }
}

/// Returns the newest revision of an object in a list. A server of its own may number lists in another way than what is in them.
fn newest_of(listed: &Listed) -> u64 {
    listed.items.iter().filter_map(|item| text(&item["metadata"]["resourceVersion"]).parse().ok()).max().unwrap_or_default()
}

/// Returns whether nobody answered. That there are no credentials, or that an answer cannot be read, says nothing of the server.
fn is_silence(error: &CallError) -> bool {
    matches!(error, CallError::Lost(_) | CallError::Unreachable(_) | CallError::TimedOut)
}

fn kept_back(title: &str) -> String {
    format!(
        "the watch of {title} brings nothing, although there is news: something in between keeps it back; reading them every {} s instead",
        POLL.as_secs()
    )
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
    Taken::Failed(CallError::Refused { code, reason, message, causes: Vec::new(), retry_after })
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
        fn is_lost(&self) -> bool {
            let told = self.all();
            told.iter().rev().find(|text| *text == "back" || text.starts_with("lost")).is_some_and(|text| text != "back")
        }
    }

    impl Sink for Notes {
        async fn replaced(&self, listed: Listed) {
            let names: Vec<&str> = listed.items.iter().map(|item| text(&item["metadata"]["name"])).collect();
            let unread: Vec<String> = listed.unread.iter().map(|name| format!(" without {name}")).collect();
            self.note(format!("list {}{}", names.join(","), unread.concat()));
        }
        async fn changed(&self, item: Value) {
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
        fn works(&self) {
            self.heard();
        }
        fn lost(&self, since: Timestamp) {
            if !self.is_lost() {
                self.note(format!("lost since {} s", since.as_second()));
            }
        }
        fn heard(&self) {
            if self.is_lost() {
                self.note("back".to_owned());
            }
        }
        fn names(&self) -> Vec<Arc<str>> {
            vec!["a".into(), "b".into()]
        }
        fn newest(&self) -> u64 {
            0
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
        observe_kind(seconds, Resource::core("ConfigMap", "configmaps"), serve).await
    }

    async fn observe_kind(seconds: u64, resource: Resource, serve: impl Fn(Asked) -> FakeResponse + Send + Sync + 'static) -> Vec<String> {
        let notes = Notes::default();
        let feed = Feed { cluster: fake::cluster(serve), resource, namespace: "shop".into(), sink: notes.clone(), was_blind: false };
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
        let seen = observe(5, move |asked| {
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
        let seen = observe(3, move |asked| {
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

    fn silent() -> FakeResponse {
        streamed(vec![(100_000_000, Err("never"))])
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_is_opened_again_after_a_while() {
        let seen = observe(100, |asked| if is_watch(&asked) { silent() } else { list(&[], 5) });
        assert_eq!(seen.await, ["list ", "Watched", "Watched"]);
        let bookmarks = || (0..4).map(|_| (60_000, Ok(event("BOOKMARK", &item("", 9))))).collect();
        let seen = observe(230, move |asked| if is_watch(&asked) { streamed(bookmarks()) } else { list(&[], 5) });
        assert_eq!(seen.await, ["list ", "Watched"], "a bookmark is a sign of life");
    }

    /// Plays a server whose first `refused` watches do not open: they are refused, or nobody answers them.
    async fn unopened(refused: usize, is_lost: bool, seconds: u64) -> Vec<String> {
        let (lists, watches) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let client = fake::client_async(move |asked| {
            let (lists, watches) = (lists.clone(), watches.clone());
            async move {
                if !is_watch(&asked) {
                    return list(&[item(&format!("v{}", lists.fetch_add(1, Ordering::SeqCst)), 5)], 5);
                }
                match watches.fetch_add(1, Ordering::SeqCst) < refused {
                    true if is_lost => std::future::pending().await,
                    true => fake::status(502, "BadGateway", "no streams here"),
                    false => silent(),
                }
            }
        });
        let cluster = Cluster::new(client, crate::clock::Clock::starting_at(fake::epoch(), 1.0), fake::judge());
        let notes = Notes::default();
        let resource = Resource::core("ConfigMap", "configmaps");
        let feed = Feed { cluster, resource, namespace: "shop".into(), sink: notes.clone(), was_blind: false };
        let _ = tokio::time::timeout(Duration::from_secs(seconds), feed.run()).await;
        notes.all()
    }

    /// Something in between may keep watches back, or lose them. The kind is read all the same, also while a try waits for its answer, and
    /// the watch is tried again.
    #[tokio::test(start_paused = true)]
    async fn decision_4_a_watch_that_does_not_open_is_replaced_by_lists_until_it_does() {
        // Four tries of the watch, and one beside the lists; or one of each, which takes 30 s.
        for (refused, is_lost, seconds, lists) in [(5, false, 45, 10), (2, true, 120, 25)] {
            let seen = unopened(refused, is_lost, seconds).await;
            let why = if is_lost { "the API server did not answer within 30 s" } else { "no streams here" };
            let told = format!("configmaps in shop cannot be watched: {why}; reading them every 2 s instead");
            assert_eq!(seen.iter().filter(|note| note.ends_with("instead")).collect::<Vec<_>>(), [&told]);
            let begins = seen.iter().position(|note| note == "Watched").unwrap();
            assert_eq!(seen[..begins].last().unwrap(), "list v1", "{seen:?}");
            let polled = seen[begins..].iter().filter(|note| note.starts_with("list ")).count();
            assert!((lists..=lists + 1).contains(&polled), "{polled} {seen:?}");
            assert_eq!(seen.last().unwrap(), "Watched", "{seen:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn decision_4_a_server_that_was_away_for_a_moment_is_watched_as_soon_as_it_answers() {
        let told = "configmaps in shop cannot be watched: no streams here; trying again";
        assert_eq!(unopened(4, false, 30).await, ["list v0", told, "list v1", "list v2", "Watched"], "nothing was polled");
    }

    /// Something in between may collect what a watch brings, for ever.
    #[tokio::test(start_paused = true)]
    async fn decision_4_a_watch_that_stays_silent_although_there_is_news_is_replaced_by_lists() {
        let seen = async |has_news: bool| {
            let lists = AtomicUsize::new(0);
            observe(200, move |asked| {
                if is_watch(&asked) {
                    return silent();
                }
                let version = if has_news && lists.fetch_add(1, Ordering::SeqCst) > 0 { 6 } else { 5 };
                list(&[item(&format!("v{version}"), version)], version)
            })
            .await
        };
        let quiet = ["list v5", "Watched", "Watched", "list v5", "Watched"];
        assert_eq!(seen(false).await, quiet, "nothing has happened, so the watch may be right");
        let news = seen(true).await;
        let told = "the watch of configmaps in shop brings nothing, although there is news: something in between keeps it back; reading them every 2 s instead";
        assert_eq!(news[..7], ["list v5", "Watched", "Watched", "list v6", told, "Polled", "list v6"]);
        assert_eq!(news[7..], ["list v6"; 8]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_died_is_told_as_soon_as_it_cannot_be_opened_again() {
        let watches = AtomicUsize::new(0);
        let seen = observe(91, move |asked| match (is_watch(&asked), watches.load(Ordering::SeqCst)) {
            (false, _) => list(&[], 5),
            (true, 0) => {
                watches.store(1, Ordering::SeqCst);
                silent()
            }
            (true, _) => fake::status(503, "ServiceUnavailable", "no route to the server"),
        });
        let told = "the watch of configmaps in shop was silent for 90 s and cannot be opened again: no route to the server; trying again";
        assert_eq!(seen.await[..3], ["list ", "Watched", told]);
    }

    #[tokio::test(start_paused = true)]
    async fn watches_that_do_not_last_are_opened_with_growing_pauses() {
        let closed: fn() -> FakeResponse = || streamed(vec![(10, Ok(event("BOOKMARK", &item("", 9))))]);
        let forgotten: fn() -> FakeResponse = || fake::status(410, "Expired", "too old resource version");
        let missing: fn() -> FakeResponse = || fake::status(404, "NotFound", "the server could not find the requested resource");
        for answer in [closed, forgotten, missing] {
            let watches = Arc::new(AtomicUsize::new(0));
            let counter = watches.clone();
            let seen = observe(60, move |asked| {
                if !is_watch(&asked) {
                    return list(&[], 5);
                }
                counter.fetch_add(1, Ordering::SeqCst);
                answer()
            });
            seen.await;
            assert!((6..=10).contains(&watches.load(Ordering::SeqCst)), "{watches:?}");
        }
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
        let told = observe(3, |_| fake::status(403, "Forbidden", "forbidden")).await;
        assert_eq!(told[0], "configmaps in shop cannot be read (a, b), so their state is not known: forbidden");
        assert_eq!(told[1..3], ["list  without a without b", "Polled"], "nothing seen is not the same as gone");
        assert!(!told[3..].iter().any(|text| text.contains("cannot be read")), "once is enough: {told:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn pods_and_events_that_may_not_be_listed_are_told() {
        for (kind, plural, text) in [
            ("Pod", "pods", "pods in shop cannot be listed, so neither the pods of hooks nor their logs can be shown: no"),
            ("Event", "events", "events in shop cannot be listed, so what the cluster reports about objects cannot be shown: no"),
        ] {
            let told = observe_kind(1, Resource::core(kind, plural), |asked| {
                let code = if asked.path.ends_with('s') { 403 } else { 404 };
                fake::status(code, "Forbidden", "no")
            });
            assert_eq!(told.await[0], text);
        }
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

    #[tokio::test(start_paused = true)]
    async fn that_nothing_is_heard_of_the_server_is_told_with_its_beginning_and_its_end() {
        let calls = AtomicUsize::new(0);
        let seen = observe(300, move |asked| match calls.fetch_add(1, Ordering::SeqCst) {
            0 => list(&[], 5),
            1 => streamed(vec![(60_000, Ok(event("ERROR", &json!({"code": 410}))))]),
            2..8 => streamed(vec![(0, Err("cut"))]),
            _ if is_watch(&asked) => silent(),
            _ => list(&[], 5),
        });
        let seen = seen.await;
        let news: Vec<&String> = seen.iter().filter(|text| text.starts_with("lost") || *text == "back").collect();
        let lost = format!("lost since {} s", fake::epoch().as_second() + 60);
        assert_eq!(news, [&lost, "back"], "{seen:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_of_empty_pages_without_end_is_told_and_holds_nothing() {
        let seen = observe(20, |asked| {
            assert!(!is_watch(&asked));
            fake::json_answer(200, &json!({"items": [], "metadata": {"resourceVersion": "5", "continue": "more"}}))
        });
        let told = "configmaps in shop cannot be read: the API server's answer cannot be read: the list of /api/v1/namespaces/shop/configmaps \
            has pages without objects and no end; trying again";
        assert_eq!(seen.await, [told]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_kind_that_nobody_answers_for_is_not_the_whole_server() {
        let seen = observe(300, |asked| if asked.path == "/version" { list(&[], 5) } else { streamed(vec![(0, Err("cut"))]) });
        assert_eq!(seen.await, ["configmaps in shop cannot be read: the API server could not be reached: cut; trying again"]);
        let refused = observe(300, |asked| match &*asked.path {
            "/version" => fake::status(403, "Forbidden", "no"),
            _ => streamed(vec![(0, Err("cut"))]),
        });
        assert!(!refused.await.iter().any(|text| text.starts_with("lost")), "a refusal is an answer");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_wishes_for_an_hour_is_asked_again_after_a_minute_and_that_is_said() {
        let calls = AtomicUsize::new(0);
        let seen = observe(70, move |asked| match calls.fetch_add(1, Ordering::SeqCst) {
            0 => http::Response::builder().status(429).header("Retry-After", "3600").body(fake::full("busy")).unwrap(),
            _ if is_watch(&asked) => streamed(vec![(1_000_000, Err("never"))]),
            _ => list(&[], 5),
        });
        let text = "configmaps in shop cannot be read: busy; trying again in 60 s, although the API server asks for a pause of 3600 s; one of the clocks may be wrong";
        assert_eq!(seen.await, [text, "list ", "Watched"]);
    }
}
