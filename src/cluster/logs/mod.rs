//! Follows the log of one container from its first byte to its end: through cuts, silent connections and restarts of the container,
//! without losing or repeating a line. Knows nothing of hooks; whoever wants the lines hands in a sink.

mod fate;
mod known;
mod pieces;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
pub(crate) use pieces::Piece;

use self::fate::{Fate, Run};
use self::known::Known;
use self::pieces::{Assembler, Complaint};
use super::Cluster;
use super::apply::Spot;
use super::wire::{CallError, Resource, Stream, with_query};
use super::{Reporter, live};

/// A stream without a byte for so long is opened again: its connection may be dead.
const SILENCE: Duration = Duration::from_secs(300);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often a pod is looked at whose container does not run just now.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// So many refused requests in a row end the attempt to read a log.
const REFUSALS: u32 = 20;
/// So many failures end the attempt to read what is left of a run whose container has been started anew.
const TRIES: u32 = 20;
/// From this many failures in a row on, the person is told.
const TELL_AFTER: u32 = 4;

/// A container whose log is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogTarget {
    pub(crate) namespace: Arc<str>,
    pub(crate) pod: Arc<str>,
    pub(crate) uid: Arc<str>,
    pub(crate) container: Arc<str>,
}

/// Who takes the lines. May take its time: the reader waits.
pub(crate) trait LogSink: Send {
    fn take(&mut self, piece: Piece) -> impl Future<Output = ()> + Send;
    /// Something should be known about the log: what is missing in it, or why nothing comes.
    fn warn(&mut self, text: String);
}

/// Which log of a container is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// As it grows.
    Follow,
    /// What there is, to its last byte.
    Rest,
    /// What there is of the run before the present one.
    Previous,
}

/// Why a stream ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    /// The server closed it.
    Closed,
    Cut,
    Silent,
    /// The kubelet wrote an error into it.
    Complained(Complaint),
}

impl Cluster {
    /// Follows a container's log until the container has ended for good or its pod is gone.
    ///
    /// # Errors
    /// A sentence that says why the log, or its end, could not be read.
    pub(crate) async fn follow_log(&self, target: &LogTarget, sink: &mut impl LogSink) -> Result<(), String> {
        let mut follower = Follower {
            cluster: self,
            target,
            known: Known::default(),
            run: None,
            is_rested: false,
            has_closed: false,
            doubt: None,
            failures: 0,
            tries: 0,
            refusals: 0,
            errors: 0,
            open: None,
        };
        let result = follower.follow(sink).await;
        follower.close_line(sink).await;
        result.map_err(|error| format!("{} cannot be read: {error}", target.title()))?;
        follower.doubt.map_or(Ok(()), |doubt| Err(format!("{} may lack its last lines: {doubt}", target.title())))
    }
}

impl LogTarget {
    fn title(&self) -> String {
        format!("the log of pod {}/{} (container {})", self.namespace, self.pod, self.container)
    }
}

struct Follower<'a> {
    cluster: &'a Cluster,
    target: &'a LogTarget,
    known: Known,
    /// Which run of the container is being read: the number of restarts before it.
    run: Option<u32>,
    /// Whether this run, which is over, has been read to its end.
    is_rested: bool,
    /// Whether the server has just closed the stream: the container may have ended although its pod does not say so yet.
    has_closed: bool,
    /// Why lines of a run may be missing.
    doubt: Option<String>,
    /// Streams in a row that brought nothing.
    failures: u32,
    /// How often the end of this run, which is over, could not be read.
    tries: u32,
    /// Refused requests in a row.
    refusals: u32,
    /// Failed requests in a row, whoever's fault that is.
    errors: u32,
    /// The last piece that was delivered, if its line goes on.
    open: Option<Piece>,
}

impl Follower<'_> {
    async fn follow(&mut self, sink: &mut impl LogSink) -> Result<(), CallError> {
        loop {
            let fate = match self.fate().await {
                Ok(fate) => fate,
                Err(error) => {
                    self.wait_after(error, sink).await?;
                    continue;
                }
            };
            let Fate::Here(run) = fate else { return Ok(()) };
            if !self.change_run(run, sink).await? {
                continue;
            }
            match run {
                Run::Waiting { .. } => self.cluster.clock().sleep(LOOK_AGAIN).await,
                Run::Ended { .. } => {
                    if self.is_rested || self.read(Reading::Rest, sink).await? {
                        return Ok(());
                    }
                }
                Run::Resting { .. } => {
                    self.is_rested = self.is_rested || self.read(Reading::Rest, sink).await?;
                    self.cluster.clock().sleep(LOOK_AGAIN).await;
                }
                Run::Running { .. } if std::mem::take(&mut self.has_closed) => self.pause().await,
                Run::Running { .. } => {
                    self.read(Reading::Follow, sink).await?;
                }
            }
        }
    }

    /// The container may have been started anew: what is left of the run before comes first. Returns whether all of
    /// that has been read. What was delivered stays known, because a stream that was opened before the pod's status spoke of the new run
    /// has already brought lines of it.
    async fn change_run(&mut self, run: Run, sink: &mut impl LogSink) -> Result<bool, CallError> {
        let restarts = run.restarts();
        if self.run == Some(restarts) || (matches!(run, Run::Waiting { .. }) && self.run.is_some()) {
            return Ok(true);
        }
        if let Some(previous) = restarts.checked_sub(1).filter(|_| !matches!(run, Run::Waiting { .. })) {
            if self.run != Some(previous) {
                self.tell_skipped(previous, sink);
                self.begin_run(previous, sink).await;
            }
            if !self.read(Reading::Previous, sink).await? {
                self.tries += 1;
                if self.tries < TRIES {
                    return Ok(false);
                }
                // The present run must not wait for ever for one that is over.
                sink.warn(format!("{} has a gap: the end of its start number {restarts} cannot be read", self.target.title()));
            }
        }
        self.known.forget_breaks();
        self.begin_run(restarts, sink).await;
        Ok(true)
    }

    async fn begin_run(&mut self, run: u32, sink: &mut impl LogSink) {
        self.close_line(sink).await;
        self.run = Some(run);
        self.is_rested = false;
        self.known.begin_run();
        self.tries = 0;
    }

    /// The kubelet keeps only the run before the present one.
    fn tell_skipped(&self, previous: u32, sink: &mut impl LogSink) {
        let text = match self.run {
            None if previous == 0 => return,
            None => format!("{} begins with its start number {}; the kubelet keeps no earlier ones", self.target.title(), previous + 1),
            Some(run) => format!(
                "{} has a gap: lines from its start number {} on, up to number {previous}, may be missing; the kubelet keeps only the last one",
                self.target.title(),
                run + 1,
            ),
        };
        sink.warn(text);
    }

    /// Reads a stream; returns whether it came to its end.
    async fn read(&mut self, reading: Reading, sink: &mut impl LogSink) -> Result<bool, CallError> {
        let known = self.known.of(reading);
        known.resume();
        let since = known.since();
        match self.cluster.wire.stream(&self.path(reading, since)).await {
            Ok(stream) => {
                (self.refusals, self.errors) = (0, 0);
                match self.drain(stream, reading, sink).await {
                    Ended::Closed => {
                        self.has_closed = reading == Reading::Follow;
                        if self.has_closed {
                            self.known.come_to_end();
                        }
                        Ok(reading != Reading::Follow)
                    }
                    Ended::Silent => Ok(false),
                    Ended::Cut => {
                        self.pause().await;
                        Ok(false)
                    }
                    Ended::Complained(complaint) => Ok(self.complained(reading, complaint).await),
                }
            }
            // There is no earlier run (any more), or the pod has just gone.
            Err(error) if error.is_not_found() || (reading == Reading::Previous && error.code() == Some(400)) => Ok(true),
            Err(error) => {
                self.wait_after(error, sink).await?;
                Ok(false)
            }
        }
    }

    /// Returns whether there is nothing more to be had.
    async fn complained(&mut self, reading: Reading, complaint: Complaint) -> bool {
        tracing::debug!("log of pod {}: the kubelet says: {}", self.target.pod, complaint.text);
        if complaint.is_final && reading != Reading::Follow {
            if !self.known.is_whole(reading) {
                self.doubt = Some(complaint.text);
            }
            return true;
        }
        self.pause().await;
        false
    }

    async fn drain(&mut self, mut stream: Stream, reading: Reading, sink: &mut impl LogSink) -> Ended {
        let mut assembler = Assembler::default();
        let clock = self.cluster.clock();
        let mut is_inside = false;
        loop {
            let bytes = tokio::select! {
                biased;
                bytes = stream.next() => bytes,
                () = clock.sleep(SILENCE) => return Ended::Silent,
            };
            match bytes {
                Ok(Some(bytes)) => {
                    self.failures = 0;
                    for piece in assembler.push(&bytes) {
                        if let Some(complaint) = piece.complaint() {
                            return Ended::Complained(complaint);
                        }
                        self.deliver(piece, reading, &mut is_inside, sink).await;
                    }
                }
                Ok(None) => {
                    let Some(piece) = assembler.rest() else { return Ended::Closed };
                    if let Some(complaint) = piece.complaint() {
                        return Ended::Complained(complaint);
                    }
                    // While the container runs, a piece without its newline may be half a line; it comes again.
                    if reading != Reading::Follow {
                        self.deliver(piece, reading, &mut is_inside, sink).await;
                    }
                    return Ended::Closed;
                }
                Err(error) => {
                    tracing::debug!("log of pod {}: {error}", self.target.pod);
                    return Ended::Cut;
                }
            }
        }
    }

    /// `is_inside`: whether the piece before it in this stream was of the same line.
    async fn deliver(&mut self, piece: Piece, reading: Reading, is_inside: &mut bool, sink: &mut impl LogSink) {
        let goes_on = std::mem::replace(is_inside, piece.continued);
        if !self.known.take(&piece, reading) {
            return;
        }
        if !goes_on {
            self.close_line(sink).await;
        }
        self.open = piece.continued.then(|| piece.clone());
        sink.take(piece).await;
    }

    /// A line whose end has not come and will not come any more must not swallow the next one.
    async fn close_line(&mut self, sink: &mut impl LogSink) {
        if let Some(open) = self.open.take() {
            sink.take(Piece { log_time: open.log_time, text: Arc::default(), continued: false }).await;
        }
    }

    fn path(&self, reading: Reading, since: Option<Timestamp>) -> String {
        let pods = Resource::core("Pod", "pods");
        let spot = Spot { resource: &pods, namespace: &self.target.namespace, name: &self.target.pod };
        let since = since.map(|at| at.to_string());
        let mut query = vec![("container", &*self.target.container), ("timestamps", "true")];
        match reading {
            Reading::Follow => query.push(("follow", "true")),
            Reading::Previous => query.push(("previous", "true")),
            Reading::Rest => {}
        }
        if let Some(since) = &since {
            query.push(("sinceTime", since));
        }
        with_query(&format!("{}/log", spot.path()), &query)
    }

    async fn fate(&mut self) -> Result<Fate, CallError> {
        let pods = Resource::core("Pod", "pods");
        let spot = Spot { resource: &pods, namespace: &self.target.namespace, name: &self.target.pod };
        let Some(pod) = self.cluster.get(spot, &Reporter::default()).await? else { return Ok(Fate::Gone) };
        if live::text(&pod.wire()["metadata"]["uid"]) != &*self.target.uid {
            return Ok(Fate::Gone);
        }
        self.known.present_start = fate::start_of_present(pod.wire(), &self.target.container);
        Ok(fate::of(pod.wire(), &self.target.container))
    }

    /// Waits after a failure that may go away; gives the error back if the server refuses for good. One that cannot be reached, or that
    /// is in trouble itself, is asked as long as anybody wants the log.
    async fn wait_after(&mut self, error: CallError, sink: &mut impl LogSink) -> Result<(), CallError> {
        let is_refusal = error.code().is_some_and(|code| (400..500).contains(&code) && code != 429);
        // The kubelet says 400 as long as the container has not started, although the pod's status may say otherwise.
        let goes_away = !is_refusal || error.code() == Some(400);
        self.refusals += u32::from(is_refusal);
        self.errors += 1;
        if !goes_away || self.refusals >= REFUSALS || self.cluster.hurry.is_cancelled() {
            return Err(error);
        }
        if self.errors == TELL_AFTER && !is_refusal {
            sink.warn(format!("{} cannot be read: {error}; trying again", self.target.title()));
        }
        self.pause().await;
        Ok(())
    }

    async fn pause(&mut self) {
        self.failures += 1;
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.failures.min(8) - 1)).min(LONGEST_PAUSE);
        self.cluster.clock().sleep(pause).await;
    }
}

#[cfg(test)]
mod tests;
