//! Follows the log of one container from its first byte to its end: through cuts, silent connections and restarts of the container,
//! without losing or repeating a line. Knows nothing of hooks; whoever wants the lines hands in a sink.

mod fate;
mod pieces;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use pieces::Piece;

use self::fate::{Fate, Run};
use self::pieces::{Assembler, Complaint, Delivered};
use super::Cluster;
use super::apply::Spot;
use super::retry::is_transient;
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
            delivered: Delivered::default(),
            run: None,
            is_rested: false,
            has_closed: false,
            is_whole: false,
            doubt: None,
            failures: 0,
            refusals: 0,
        };
        let whose = || format!("the log of pod {}/{} (container {})", target.namespace, target.pod, target.container);
        follower.follow(sink).await.map_err(|error| format!("{} cannot be read: {error}", whose()))?;
        follower.doubt.map_or(Ok(()), |doubt| Err(format!("{} may lack its last lines: {doubt}", whose())))
    }
}

struct Follower<'a> {
    cluster: &'a Cluster,
    target: &'a LogTarget,
    delivered: Delivered,
    /// Which run of the container is being read: the number of restarts before it.
    run: Option<u32>,
    /// Whether this run, which is over, has been read to its end.
    is_rested: bool,
    /// Whether the server has just closed the stream: the container may have ended although its pod does not say so yet.
    has_closed: bool,
    /// Whether a stream of this run has come to its end while it was followed.
    is_whole: bool,
    /// Why lines of a run may be missing.
    doubt: Option<String>,
    /// Streams in a row that brought nothing.
    failures: u32,
    /// Refused requests in a row.
    refusals: u32,
}

impl Follower<'_> {
    async fn follow(&mut self, sink: &mut impl LogSink) -> Result<(), CallError> {
        loop {
            let fate = match self.fate().await {
                Ok(fate) => fate,
                Err(error) => {
                    self.wait_after(error).await?;
                    continue;
                }
            };
            let Fate::Here(run) = fate else { return Ok(()) };
            self.change_run(run, sink).await?;
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

    /// The container may have been started anew: what is left of the run before comes first. What was delivered stays known, because a
    /// stream that was opened before the pod's status spoke of the new run has already brought lines of it.
    async fn change_run(&mut self, run: Run, sink: &mut impl LogSink) -> Result<(), CallError> {
        let restarts = run.restarts();
        if self.run == Some(restarts) {
            return Ok(());
        }
        let is_first_look = self.run.is_none();
        if restarts > 0 && !matches!(run, Run::Waiting { .. }) {
            if self.run.is_some_and(|before| before + 1 < restarts) || (is_first_look && restarts > 1) {
                tracing::warn!("pod {}: the kubelet keeps only the last run of container {}", self.target.pod, self.target.container);
            }
            self.read_previous(sink).await?;
        }
        if !matches!(run, Run::Waiting { .. }) || is_first_look {
            self.run = Some(restarts);
            self.is_rested = false;
            self.is_whole = false;
        }
        Ok(())
    }

    async fn read_previous(&mut self, sink: &mut impl LogSink) -> Result<(), CallError> {
        for _ in 0..REFUSALS {
            if self.read(Reading::Previous, sink).await? {
                break;
            }
        }
        Ok(())
    }

    /// Reads a stream; returns whether it came to its end.
    async fn read(&mut self, reading: Reading, sink: &mut impl LogSink) -> Result<bool, CallError> {
        self.delivered.resume();
        match self.cluster.wire.stream(&self.path(reading)).await {
            Ok(stream) => {
                self.refusals = 0;
                match self.drain(stream, reading, sink).await {
                    Ended::Closed => {
                        self.has_closed = reading == Reading::Follow;
                        self.is_whole |= self.has_closed;
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
                self.wait_after(error).await?;
                Ok(false)
            }
        }
    }

    /// Returns whether there is nothing more to be had.
    async fn complained(&mut self, reading: Reading, complaint: Complaint) -> bool {
        tracing::debug!("log of pod {}: the kubelet says: {}", self.target.pod, complaint.text);
        if complaint.is_final && reading != Reading::Follow {
            if !self.is_whole {
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
                        self.deliver(piece, sink).await;
                    }
                }
                Ok(None) => {
                    let Some(piece) = assembler.rest() else { return Ended::Closed };
                    if let Some(complaint) = piece.complaint() {
                        return Ended::Complained(complaint);
                    }
                    // While the container runs, a piece without its newline may be half a line; it comes again.
                    if reading != Reading::Follow {
                        self.deliver(piece, sink).await;
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

    async fn deliver(&mut self, piece: Piece, sink: &mut impl LogSink) {
        if self.delivered.is_new(&piece) {
            sink.take(piece).await;
        }
    }

    fn path(&self, reading: Reading) -> String {
        let pods = Resource::core("Pod", "pods");
        let spot = Spot { resource: &pods, namespace: &self.target.namespace, name: &self.target.pod };
        let since = self.delivered.since().map(|at| at.to_string());
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

    async fn fate(&self) -> Result<Fate, CallError> {
        let pods = Resource::core("Pod", "pods");
        let spot = Spot { resource: &pods, namespace: &self.target.namespace, name: &self.target.pod };
        let Some(pod) = self.cluster.get(spot, &Reporter::default()).await? else { return Ok(Fate::Gone) };
        if live::text(&pod.wire()["metadata"]["uid"]) != &*self.target.uid {
            return Ok(Fate::Gone);
        }
        Ok(fate::of(pod.wire(), &self.target.container))
    }

    /// Waits after a failure that may go away; gives the error back if it does not, or if it does not stop.
    async fn wait_after(&mut self, error: CallError) -> Result<(), CallError> {
        // The kubelet says 400 as long as the container has not started, although the pod's status may say otherwise.
        let goes_away = is_transient(&error) || error.code() == Some(400) || error.code() == Some(500);
        // A server that cannot be reached is waited for; one that answers with errors is not, for ever.
        self.refusals += u32::from(!matches!(error.code(), None | Some(429 | 503)));
        if !goes_away || self.refusals >= REFUSALS || self.cluster.hurry.is_cancelled() {
            return Err(error);
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
