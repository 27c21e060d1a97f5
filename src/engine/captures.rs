//! Keeps what containers print: follows logs, hands lines to the log lane, and knows which logs have been read to their end, so that
//! no hook is deleted before (decisions 11 and 22). Must not know what the lines mean, nor which hooks are to be deleted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use super::bus::Publisher;
use crate::clock::Clock;
use crate::cluster::live::HookPod;
use crate::cluster::logs::{LogSink, LogTarget, Piece};
use crate::cluster::{Cluster, Outbox, Reporter, locked};
use crate::model::{Task, TaskId};
use crate::operation::{Event, LogContent, LogKey, LogLine};

/// How long a reader that does not keep up is waited for.
const LANE_PATIENCE: Duration = Duration::from_secs(2);
/// How long the deletion of a hook waits for a log that somebody is still reading to its end.
const READER_PATIENCE: Duration = Duration::from_secs(5);

/// A log to follow, on behalf of a task.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) task: TaskId,
    pub(super) target: LogTarget,
    pub(super) pod_attempt: u32,
}

impl Wish {
    fn key(&self) -> LogKey {
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

/// All logs of one operation, and whether they have been read to their end.
pub(super) struct Captures {
    cluster: Cluster,
    publisher: Publisher,
    outbox: Arc<Outbox>,
    operation: Arc<str>,
    logs: Mutex<BTreeMap<LogKey, watch::Receiver<bool>>>,
}

impl Captures {
    pub(super) fn new(cluster: Cluster, publisher: Publisher, outbox: Arc<Outbox>, operation: Arc<str>) -> Self {
        Self { cluster, publisher, outbox, operation, logs: Mutex::default() }
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
        let mut lane = Lane { captures: self, wish: &wish, missing: 0 };
        let result = self.cluster.follow_log(&wish.target, &mut lane).await;
        lane.end().await;
        if let Err(text) = result {
            self.reporter(&wish.task).warn(text);
        }
        sender.send_replace(true);
        self.outbox.push(wish.closed());
    }

    /// Makes sure that everything that the pods of a hook have printed has been read, before the hook is deleted.
    pub(super) async fn complete(&self, task: &Task, uid: &str) {
        let key = &task.id.key;
        let pods = match self.cluster.pods_of(key, uid).await {
            Ok(pods) => pods,
            Err(error) => {
                tracing::debug!("pods of {key} cannot be listed before its deletion: {error}");
                return;
            }
        };
        for (pod, attempt) in pods.into_iter().zip(1_u32..) {
            for wish in wishes(&task.id, &pod, attempt) {
                self.complete_one(wish).await;
            }
        }
    }

    async fn complete_one(&self, wish: Wish) {
        let key = wish.key();
        let state = locked(&self.logs).get(&key).cloned();
        let Some(mut state) = state else {
            self.outbox.push(wish.opened());
            return self.follow(wish).await;
        };
        let clock = self.clock();
        tokio::select! {
            biased;
            // An error means that the reader is gone; there is nothing to wait for either.
            _ended = state.wait_for(|is_done| *is_done) => {}
            () = clock.sleep(READER_PATIENCE) => {
                self.reporter(&wish.task).warn(format!("the log of pod {} has not come to its end within 5 s; its last lines may be missing", wish.target.pod));
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
fn wishes(task: &TaskId, pod: &HookPod, pod_attempt: u32) -> Vec<Wish> {
    let wish = |container: &Arc<str>| Wish {
        task: task.clone(),
        target: LogTarget { namespace: pod.namespace.clone(), pod: pod.name.clone(), uid: pod.uid.clone(), container: container.clone() },
        pod_attempt,
    };
    pod.ended_containers.iter().map(wish).collect()
}

/// One log's way into the log lane. Waits for a slow reader for a while, then skips lines, counts them, and says so.
struct Lane<'a> {
    captures: &'a Captures,
    wish: &'a Wish,
    /// Lines that were skipped and not told yet.
    missing: u64,
}

impl LogSink for Lane<'_> {
    async fn take(&mut self, piece: Piece) {
        let ends_line = u64::from(!piece.continued);
        if self.missing > 0 && self.captures.publisher.try_line(self.line(None, LogContent::Dropped(self.missing))).is_some() {
            self.missing += ends_line;
            return;
        }
        let was_skipping = std::mem::take(&mut self.missing) > 0;
        let line = self.line(piece.log_time, LogContent::Line { text: piece.text, continued: piece.continued });
        let Some(line) = self.captures.publisher.try_line(line) else { return };
        if was_skipping || !self.wait_for_room(line).await {
            self.missing = ends_line.max(1);
        }
    }
}

impl Lane<'_> {
    fn line(&self, log_time: Option<jiff::Timestamp>, content: LogContent) -> LogLine {
        LogLine {
            operation: self.captures.operation.clone(),
            task: self.wish.task.clone(),
            pod: self.wish.target.pod.clone(),
            container: self.wish.target.container.clone(),
            attempt: 1,
            pod_attempt: self.wish.pod_attempt,
            at: self.captures.clock().now(),
            log_time,
            content,
        }
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
        let mut lane = Lane { captures: &captures, wish: &wish, missing: 0 };
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
        let mut lane = Lane { captures: &captures, wish: &wish, missing: 3 };
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
}
