//! Keeps what containers print: follows logs, hands lines to the log lane, and knows which logs have been read to their end, so that
//! no hook is deleted before (decisions 11 and 22). Must not know what the lines mean, nor which hooks are to be deleted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use super::bus::Publisher;
use crate::clock::Clock;
use crate::cluster::live::HookPod;
use crate::cluster::logs::{LogSink, LogTarget, Piece};
use crate::cluster::{CallError, Cluster, Outbox, Reporter, locked};
use crate::model::{Task, TaskId};
use crate::operation::{Event, LogContent, LogKey, LogLine};

/// How long a reader that does not keep up is waited for.
const LANE_PATIENCE: Duration = Duration::from_secs(2);
/// How long the deletion of a hook waits for a log that somebody is still reading to its end.
const READER_PATIENCE: Duration = Duration::from_secs(5);
/// How long the end of an operation waits for a last look at the pods of a hook.
const LAST_LOOK: Duration = Duration::from_secs(2);

/// A log to follow, on behalf of a task.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) task: TaskId,
    pub(super) target: LogTarget,
    pub(super) pod_attempt: u32,
}

impl Wish {
    pub(super) fn key(&self) -> LogKey {
        LogKey { uid: self.target.uid.clone(), container: self.target.container.clone() }
    }

    /// Returns the fact that this log is being followed.
    pub(super) fn opened(&self) -> Event {
        Event::LogOpened {
            task: self.task.clone(),
            pod: self.target.pod.clone(),
            uid: self.target.uid.clone(),
            container: self.target.container.clone(),
            pod_attempt: self.pod_attempt,
        }
    }

    /// Returns the fact that this log has been read to its end.
    pub(super) fn closed(&self) -> Event {
        Event::LogClosed {
            task: self.task.clone(),
            pod: self.target.pod.clone(),
            uid: self.target.uid.clone(),
            container: self.target.container.clone(),
        }
    }
}

/// A hook that ran, with the uid of its object.
#[derive(Clone, Debug)]
pub(super) struct OfHook {
    pub(super) task: TaskId,
    pub(super) uid: Arc<str>,
}

/// All logs of one operation, and whether they have been read to their end.
pub(super) struct Captures {
    cluster: Cluster,
    publisher: Publisher,
    outbox: Arc<Outbox>,
    operation: Arc<str>,
    /// Attempt of the operation, counted from 1.
    attempt: AtomicU32,
    logs: Mutex<BTreeMap<LogKey, watch::Receiver<bool>>>,
}

impl Captures {
    pub(super) fn new(cluster: Cluster, publisher: Publisher, outbox: Arc<Outbox>, operation: Arc<str>) -> Self {
        Self { cluster, publisher, outbox, operation, attempt: AtomicU32::new(1), logs: Mutex::default() }
    }

    /// Notes that a new attempt of the operation begins; logs that are followed from now on are its.
    pub(super) fn begin_attempt(&self, attempt: u32) {
        self.attempt.store(attempt, Ordering::SeqCst);
    }

    /// Follows a log to its end, unless somebody does or did. `LogOpened` has been published.
    pub(super) async fn follow(&self, wish: Wish) {
        let key = wish.key();
        let sender = {
            let mut logs = locked(&self.logs);
            if let Some(state) = logs.get(&key) {
                if *state.borrow() {
                    self.outbox.push(wish.closed());
                }
                return;
            }
            let (sender, state) = watch::channel(false);
            logs.insert(key, state);
            sender
        };
        let _ending = Ending { captures: self, wish: &wish, sender };
        let attempt = self.attempt.load(Ordering::SeqCst);
        let mut lane = Lane { captures: self, wish: &wish, attempt, missing: 0, is_open: false };
        let result = self.cluster.follow_log(&wish.target, &mut lane).await;
        lane.end().await;
        if let Err(text) = result {
            self.reporter(&wish.task).warn(text);
        }
    }

    /// Makes sure that everything that the pods of a hook have printed has been read, before the hook is deleted.
    pub(super) async fn complete(&self, task: &Task, uid: &str) {
        let key = &task.id.key;
        let clock = self.clock();
        tokio::select! {
            biased;
            () = self.complete_all(task, uid) => {}
            () = clock.sleep(READER_PATIENCE) => {
                self.reporter(&task.id).warn(format!("the log of {key} has not come to its end within 5 s; its last lines may be missing"));
            }
        }
    }

    async fn complete_all(&self, task: &Task, uid: &str) {
        let key = &task.id.key;
        match self.cluster.pods_of(key, uid).await {
            Ok(pods) => {
                for wish in wishes(&task.id, &pods) {
                    self.complete_one(wish).await;
                }
            }
            Err(error) => {
                let text = format!("the pods of {key} cannot be listed before its deletion, so lines of its log may be missing: {error}");
                self.reporter(&task.id).warn(text);
            }
        }
    }

    async fn complete_one(&self, wish: Wish) {
        let state = locked(&self.logs).get(&wish.key()).cloned();
        match state {
            // An error means that the reader is gone; there is nothing to wait for either.
            Some(mut state) => _ = state.wait_for(|is_done| *is_done).await.is_ok(),
            None => {
                self.outbox.push(wish.opened());
                self.follow(wish).await;
            }
        }
    }

    /// Looks, at the end of an operation, for logs of hooks of one namespace that nobody has read: their pods may have come and gone
    /// unseen. One question for all hooks.
    pub(super) async fn unread(&self, hooks: &[OfHook]) -> Vec<Wish> {
        let clock = self.clock();
        let listed = tokio::select! {
            biased;
            listed = self.pods_of_all(hooks) => listed.map_err(|error| error.to_string()),
            () = clock.sleep(LAST_LOOK) => Err(format!("no answer within {} s", LAST_LOOK.as_secs())),
        };
        match listed {
            Ok(found) => {
                let all = found.into_iter().flat_map(|(task, pods)| wishes(task, &pods));
                all.filter(|wish| !locked(&self.logs).contains_key(&wish.key())).collect()
            }
            Err(error) => {
                for OfHook { task, .. } in hooks {
                    let text = format!("the pods of {} cannot be listed at the end, so lines of its log may be missing: {error}", task.key);
                    self.reporter(task).warn(text);
                }
                Vec::new()
            }
        }
    }

    async fn pods_of_all<'a>(&self, hooks: &'a [OfHook]) -> Result<Vec<(&'a TaskId, Vec<HookPod>)>, CallError> {
        match hooks {
            [] => Ok(Vec::new()),
            [hook] => Ok(vec![(&hook.task, self.cluster.pods_of(&hook.task.key, &hook.uid).await?)]),
            [first, ..] => {
                let pods = self.cluster.pods_in(&first.task.key.namespace, "").await?;
                let of = |uid: &str| pods.iter().filter(|pod| *pod.controller == *uid || *pod.uid == *uid).cloned().collect();
                Ok(hooks.iter().map(|hook| (&hook.task, of(&hook.uid))).collect())
            }
        }
    }

    fn clock(&self) -> Clock {
        self.cluster.clock()
    }

    fn reporter(&self, task: &TaskId) -> Reporter {
        Reporter::new(&self.outbox, Some(task))
    }
}

/// Logs of containers that are over: of the others nothing more can be had without waiting.
fn wishes(task: &TaskId, pods: &[HookPod]) -> Vec<Wish> {
    let of_pod = |(pod, pod_attempt): (&HookPod, u32)| -> Vec<Wish> {
        let wish = |container: &Arc<str>| Wish {
            task: task.clone(),
            target: LogTarget {
                namespace: pod.namespace.clone(),
                pod: pod.name.clone(),
                uid: pod.uid.clone(),
                container: container.clone(),
            },
            pod_attempt,
        };
        pod.ended_containers.iter().map(wish).collect()
    };
    pods.iter().zip(1_u32..).flat_map(of_pod).collect()
}

/// Tells the end of a log, however its reader ends.
struct Ending<'a> {
    captures: &'a Captures,
    wish: &'a Wish,
    sender: watch::Sender<bool>,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.sender.send_replace(true);
        self.captures.outbox.push(self.wish.closed());
    }
}

/// One log's way into the log lane. Waits for a slow reader for a while, then skips lines, counts them, and says so.
struct Lane<'a> {
    captures: &'a Captures,
    wish: &'a Wish,
    /// Attempt of the operation in which it was begun.
    attempt: u32,
    /// Lines that were skipped and not told yet.
    missing: u64,
    /// Whether the line that was sent last goes on in the next piece.
    is_open: bool,
}

impl LogSink for Lane<'_> {
    async fn take(&mut self, piece: Piece) {
        let ends_line = u64::from(!piece.continued);
        let was_skipping = self.missing > 0;
        if was_skipping && !self.tell_missing() {
            self.missing += ends_line;
            return;
        }
        let continued = piece.continued;
        let line = self.line(piece.log_time, LogContent::Line { text: piece.text, continued });
        if let Some(line) = self.captures.publisher.try_line(line)
            && (was_skipping || !self.wait_for_room(line).await)
        {
            self.missing = ends_line.max(1);
        } else {
            self.is_open = continued;
        }
    }

    fn warn(&mut self, text: String) {
        self.captures.reporter(&self.wish.task).warn(text);
    }
}

impl Lane<'_> {
    fn line(&self, log_time: Option<jiff::Timestamp>, content: LogContent) -> LogLine {
        LogLine {
            operation: self.captures.operation.clone(),
            task: self.wish.task.clone(),
            pod: self.wish.target.pod.clone(),
            container: self.wish.target.container.clone(),
            attempt: self.attempt,
            pod_attempt: self.wish.pod_attempt,
            at: self.captures.clock().now(),
            log_time,
            content,
        }
    }

    /// Tells what was skipped, if there is room now.
    fn tell_missing(&mut self) -> bool {
        if self.is_open && self.captures.publisher.try_line(self.end_of_line()).is_some() {
            return false;
        }
        self.is_open = false;
        let is_told = self.captures.publisher.try_line(self.line(None, LogContent::Dropped(self.missing))).is_none();
        if is_told {
            self.missing = 0;
        }
        is_told
    }

    fn end_of_line(&self) -> LogLine {
        self.line(None, LogContent::Line { text: Arc::default(), continued: false })
    }

    async fn wait_for_room(&self, line: LogLine) -> bool {
        let clock = self.captures.clock();
        tokio::select! {
            biased;
            () = self.captures.publisher.line(line) => true,
            () = clock.sleep(LANE_PATIENCE) => false,
        }
    }

    /// The log is over; what was skipped last must be told too.
    async fn end(&mut self) {
        if std::mem::take(&mut self.is_open) && !self.wait_for_room(self.end_of_line()).await {
            self.missing = self.missing.max(1);
        }
        let missing = std::mem::take(&mut self.missing);
        if missing > 0 && !self.wait_for_room(self.line(None, LogContent::Dropped(missing))).await {
            let text = format!("{missing} lines of the log of pod {} were skipped, because nobody read them", self.wish.target.pod);
            self.captures.reporter(&self.wish.task).warn(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bus::{LOG_LANE, lanes};
    use super::*;
    use crate::cluster::fake;
    use crate::model::{Phase, ResourceKey, Role};

    fn wish() -> Wish {
        let key = ResourceKey::new("batch", "Job", "shop", "migrate");
        let target = LogTarget { namespace: "shop".into(), pod: "p".into(), uid: "u".into(), container: "c".into() };
        Wish { task: TaskId { phase: Phase::PreSync, key, role: Role::Hook }, target, pod_attempt: 1 }
    }

    fn captures(publisher: Publisher) -> Captures {
        let cluster = fake::cluster(|_| fake::status(404, "NotFound", "gone"));
        Captures::new(cluster, publisher, Arc::new(Outbox::default()), "op".into())
    }

    fn piece(number: usize) -> Piece {
        Piece { log_time: None, text: number.to_string().into_bytes().into(), continued: false }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_does_not_keep_up_is_waited_for_and_then_told_what_it_missed() {
        let (publisher, mut subscription) = lanes();
        let captures = captures(publisher);
        let wish = wish();
        let mut lane = Lane { captures: &captures, wish: &wish, attempt: 1, missing: 0, is_open: false };
        let began = captures.clock().now();
        for number in 0..LOG_LANE + 10 {
            lane.take(piece(number)).await;
        }
        assert_eq!(captures.clock().now().duration_since(began).as_secs(), 2, "it waits once, not for each line");
        for number in 0..LOG_LANE {
            let text = number.to_string();
            let line = subscription.logs.recv().await.unwrap();
            assert!(matches!(line.content, LogContent::Line { text: got, .. } if *got == *text.as_bytes()));
        }
        lane.take(piece(9_999_999)).await;
        assert_eq!(subscription.logs.recv().await.unwrap().content, LogContent::Dropped(10));
        assert!(matches!(subscription.logs.recv().await.unwrap().content, LogContent::Line { text, .. } if *text == *b"9999999"));
    }

    #[tokio::test(start_paused = true)]
    async fn lines_that_were_skipped_at_the_end_of_a_log_are_told_too() {
        let (publisher, _subscription) = lanes();
        let captures = captures(publisher);
        let wish = wish();
        let mut lane = Lane { captures: &captures, wish: &wish, attempt: 1, missing: 3, is_open: false };
        for number in 0..LOG_LANE + 1 {
            lane.take(piece(number)).await;
        }
        lane.end().await;
        let told = captures.outbox.drain();
        assert!(
            matches!(&told[..], [Event::Warned { text, .. }] if text.starts_with("2 lines of the log of pod p were skipped")),
            "{told:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_is_followed_once_and_its_end_is_told_to_everybody_who_asks() {
        let (publisher, _subscription) = lanes();
        let captures = captures(publisher);
        captures.follow(wish()).await;
        captures.follow(wish()).await;
        assert_eq!(captures.outbox.drain(), [wish().closed(), wish().closed()]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_that_does_not_end_holds_a_deletion_up_for_five_seconds() {
        let pod = serde_json::json!({"metadata": {"name": "p", "namespace": "shop", "uid": "u", "ownerReferences": [
            {"apiVersion": "batch/v1", "kind": "Job", "name": "migrate", "uid": "j", "controller": true}]},
            "spec": {"containers": [{"name": "c"}], "restartPolicy": "Never"},
            "status": {"phase": "Running", "containerStatuses": [{"name": "c", "restartCount": 0, "state": {"terminated": {"exitCode": 0}}}]}});
        let cluster = fake::cluster(move |asked| match asked.path.as_str() {
            "/api/v1/namespaces/shop/pods" => fake::json_answer(200, &serde_json::json!({"items": [pod]})),
            "/api/v1/namespaces/shop/pods/p" => fake::json_answer(200, &pod),
            _ => http::Response::new(fake::chunks(vec![(1_000_000_000, Err("never"))])),
        });
        let (publisher, _subscription) = lanes();
        let captures = Captures::new(cluster, publisher, Arc::new(Outbox::default()), "op".into());
        let began = captures.clock().now();
        let task = Task {
            id: wish().task,
            version: "v1".into(),
            wave: crate::model::Wave(0),
            traits: crate::model::Traits::of(&crate::model::Object::new(serde_json::json!({}))),
            uid: None,
            target: None,
            origin: None,
            pulled_forward: false,
            automatic: false,
            prefailed: None,
            unmodified: false,
        };
        captures.complete(&task, "j").await;
        assert_eq!(captures.clock().now().duration_since(began).as_secs(), 5);
        let told = captures.outbox.drain();
        assert!(
            matches!(&told[..], [Event::LogOpened { .. }, Event::LogClosed { .. }, Event::Warned { text, .. }] if text.contains("within 5 s")),
            "{told:?}"
        );
    }
}
