//! What containers printed, as bytes with time stamps: the kubelet appends, the `pods/log` endpoint reads and
//! follows. Keeps the current and the previous instance of each container; knows nothing of objects and HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;

use super::pulse;

/// One printed line without its newline; any bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) bytes: Bytes,
}

/// One run of a container.
#[derive(Debug, Default)]
struct Instance {
    lines: Vec<Line>,
    closed: bool,
}

#[derive(Debug, Default)]
struct Runs {
    current: Arc<Mutex<Instance>>,
    previous: Option<Arc<Mutex<Instance>>>,
}

/// Namespace, pod, uid of the pod: a pod of the same name created later is another one.
type PodKey = (String, String, String);

/// The logs of all containers of the cluster. Clones share the same book.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logbook(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    pods: Mutex<BTreeMap<PodKey, BTreeMap<String, Runs>>>,
    grown: pulse::Sender,
    #[cfg(test)]
    printed: Mutex<Vec<Printed>>,
}

/// A line as a container printed it, kept although its pod may be gone.
#[cfg(test)]
#[derive(Clone, Debug)]
pub(crate) struct Printed {
    pub(crate) pod: String,
    pub(crate) uid: String,
    pub(crate) container: String,
    pub(crate) at: Timestamp,
    pub(crate) bytes: Bytes,
}

/// Which run of a container is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    Current,
    Previous,
}

/// A place in the log of one run.
#[derive(Debug)]
pub(super) struct Reader {
    instance: Arc<Mutex<Instance>>,
    next: usize,
    grown: pulse::Receiver,
}

impl Logbook {
    /// Starts a new instance of a container; the former one becomes "previous".
    pub(crate) fn open(&self, namespace: &str, pod: &str, uid: &str, container: &str) {
        let mut pods = self.0.pods.lock().unwrap_or_else(PoisonError::into_inner);
        let containers = pods.entry((namespace.to_owned(), pod.to_owned(), uid.to_owned())).or_default();
        if let Some(runs) = containers.get_mut(container) {
            let former = std::mem::take(&mut runs.current);
            lock(&former).closed = true;
            runs.previous = Some(former);
        } else {
            containers.insert(container.to_owned(), Runs::default());
        }
        drop(pods);
        self.wake();
    }

    /// Adds a line (without newline) to the current instance; opens one if there is none.
    pub(crate) fn append(&self, namespace: &str, pod: &str, uid: &str, container: &str, at: Timestamp, line: &[u8]) {
        let mut pods = self.0.pods.lock().unwrap_or_else(PoisonError::into_inner);
        let containers = pods.entry((namespace.to_owned(), pod.to_owned(), uid.to_owned())).or_default();
        let runs = containers.entry(container.to_owned()).or_default();
        let bytes = Bytes::copy_from_slice(line);
        #[cfg(test)]
        self.note(pod, uid, container, at, &bytes);
        lock(&runs.current).lines.push(Line { at, bytes });
        drop(pods);
        self.wake();
    }

    /// Notes that the container terminated: followers come to an end after what was printed.
    pub(crate) fn close(&self, namespace: &str, pod: &str, uid: &str, container: &str) {
        let pods = self.0.pods.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (namespace.to_owned(), pod.to_owned(), uid.to_owned());
        if let Some(runs) = pods.get(&key).and_then(|containers| containers.get(container)) {
            lock(&runs.current).closed = true;
        }
        drop(pods);
        self.wake();
    }

    /// Drops the logs of a pod that is gone. Followers still get what was printed, then the end.
    pub(crate) fn forget(&self, namespace: &str, pod: &str, uid: &str) {
        let mut pods = self.0.pods.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = pods.remove(&(namespace.to_owned(), pod.to_owned(), uid.to_owned()));
        for runs in gone.iter().flat_map(BTreeMap::values) {
            lock(&runs.current).closed = true;
        }
        drop(pods);
        self.wake();
    }

    /// Returns a reader at the first line of a run; none if the container never ran (that often).
    pub(super) fn reader(&self, namespace: &str, pod: &str, uid: &str, container: &str, run: Run) -> Option<Reader> {
        let grown = self.0.grown.subscribe();
        let pods = self.0.pods.lock().unwrap_or_else(PoisonError::into_inner);
        let runs = pods.get(&(namespace.to_owned(), pod.to_owned(), uid.to_owned()))?.get(container)?;
        let instance = match run {
            Run::Current => Arc::clone(&runs.current),
            Run::Previous => Arc::clone(runs.previous.as_ref()?),
        };
        Some(Reader { instance, next: 0, grown })
    }

    #[cfg(test)]
    fn note(&self, pod: &str, uid: &str, container: &str, at: Timestamp, bytes: &Bytes) {
        let line = Printed { pod: pod.to_owned(), uid: uid.to_owned(), container: container.to_owned(), at, bytes: bytes.clone() };
        self.0.printed.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// Returns every line that was ever printed, in order, also those of pods that are gone.
    #[cfg(test)]
    pub(crate) fn printed(&self) -> Vec<Printed> {
        self.0.printed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn wake(&self) {
        self.0.grown.count_up();
    }
}

impl Reader {
    /// Returns the lines printed since the last call.
    pub(super) fn lines(&mut self) -> Vec<Line> {
        let instance = lock(&self.instance);
        let lines = instance.lines[self.next..].to_vec();
        self.next = instance.lines.len();
        lines
    }

    /// Waits for further lines; returns none at the end of a terminated container. Safe to cancel.
    pub(super) async fn more(&mut self) -> Option<Vec<Line>> {
        loop {
            self.grown.update();
            // Asked before the lines are taken: what is printed before the end must not be missed.
            let closed = lock(&self.instance).closed;
            let lines = self.lines();
            if !lines.is_empty() {
                return Some(lines);
            }
            if closed || self.grown.changed().await.is_err() {
                return None;
            }
        }
    }
}

fn lock(instance: &Arc<Mutex<Instance>>) -> std::sync::MutexGuard<'_, Instance> {
    instance.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn text(lines: &[Line]) -> Vec<String> {
        lines.iter().map(|line| String::from_utf8_lossy(&line.bytes).into_owned()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_follower_gets_what_was_printed_before_the_pod_is_forgotten() {
        let book = Logbook::default();
        book.open("ns", "p", "u", "c");
        book.append("ns", "p", "u", "c", AT, b"one");
        let mut reader = book.reader("ns", "p", "u", "c", Run::Current).unwrap();
        assert_eq!(text(&reader.more().await.unwrap()), ["one"]);
        book.append("ns", "p", "u", "c", AT, b"two");
        book.forget("ns", "p", "u");
        assert_eq!(text(&reader.more().await.unwrap()), ["two"]);
        assert_eq!(reader.more().await, None);
        assert!(book.reader("ns", "p", "u", "c", Run::Current).is_none());
    }

    #[test]
    fn a_restart_makes_the_former_instance_the_previous_one() {
        let book = Logbook::default();
        book.open("ns", "p", "u", "c");
        book.append("ns", "p", "u", "c", AT, b"first run");
        assert!(book.reader("ns", "p", "u", "c", Run::Previous).is_none());
        book.open("ns", "p", "u", "c");
        book.append("ns", "p", "u", "c", AT, b"second run");
        let read = |run| text(&book.reader("ns", "p", "u", "c", run).unwrap().lines());
        assert_eq!((read(Run::Previous), read(Run::Current)), (vec!["first run".to_owned()], vec!["second run".to_owned()]));
    }
}
