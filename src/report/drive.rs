//! The loop of the headless program: asks the session, folds facts, hands them to a report, and turns signals into a proper end.
//! Prints nothing itself, except what is waited for before there is anything to report: on standard error.

use std::io::{self, Write as _};
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::engine::bus::LOG_LANE;
use crate::engine::rights::Rights;
use crate::engine::session::{Answer, Ask, FailureKind, Planned, SessionHandle, Waiting};
use crate::operation::{Event, LogLine, Operation, Record, Request};
use crate::plan::Kind;

use super::Report;
use super::changes::Changes;
use super::visible::visible;

/// How many facts are taken at once.
const FACTS: usize = 256;

/// A wish about the operation: that it ends, or that it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// The operator of a story presses the key; nothing happens if nothing runs.
    Scripted,
    /// SIGUSR1: a paused operation goes on.
    GoOn,
}

impl Stop {
    /// Returns the name, as `terminate.requested` says who asked.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::Scripted => "the story",
            Self::GoOn => "SIGUSR1",
        }
    }
}

/// How the asking ended.
#[derive(Debug)]
pub(crate) enum End<T> {
    Done(T),
    /// Not begun; a whole sentence says why.
    Refused(String),
    /// Could not be begun; the text is laid out.
    Failed(FailureKind, String),
    /// A signal, when nothing ran or for the second time.
    Stopped(Stop),
    /// The session has gone away.
    Lost,
}

/// Asks for a plan.
pub(crate) async fn plan(session: &mut SessionHandle, stops: &mut mpsc::Receiver<Stop>, kind: Kind, request: Request) -> End<Arc<Planned>> {
    let ask = match kind {
        Kind::Sync => Ask::Plan { request },
        Kind::Delete => Ask::PlanDeletion { request },
    };
    answered(session, stops, ask, planned).await
}

/// Asks for the plan of a sync with everything compared.
pub(crate) async fn diff(session: &mut SessionHandle, stops: &mut mpsc::Receiver<Stop>, request: Request) -> End<Arc<Planned>> {
    answered(session, stops, Ask::Diff { request }, planned).await
}

fn planned(answer: Answer) -> Option<Arc<Planned>> {
    if let Answer::Planned(planned) | Answer::Compared(Ok(planned)) = answer { Some(planned) } else { None }
}

/// Asks what a sync wants to be allowed.
pub(crate) async fn rights(session: &mut SessionHandle, stops: &mut mpsc::Receiver<Stop>, request: Request) -> End<Arc<Rights>> {
    let ask = Ask::Rights { request };
    answered(session, stops, ask, |answer| if let Answer::Rights(rights) = answer { Some(rights) } else { None }).await
}

/// Says on standard error what is waited for.
fn tell(waiting: Option<Waiting>) {
    let Some(Waiting { what, .. }) = waiting else { return };
    if let Err(error) = writeln!(io::stderr(), "waiting for {}", visible(&what)) {
        tracing::debug!(%error, "standard error is closed");
    }
}

/// Asks, and waits for the answer that is meant.
async fn answered<T>(
    session: &mut SessionHandle,
    stops: &mut mpsc::Receiver<Stop>,
    ask: Ask,
    meant: impl Fn(Answer) -> Option<T>,
) -> End<T> {
    if session.asks.send(ask).await.is_err() {
        return End::Lost;
    }
    loop {
        tokio::select! {
            biased;
            Some(stop) = stops.recv() => {
                if !matches!(stop, Stop::Scripted | Stop::GoOn) {
                    return End::Stopped(stop);
                }
            }
            answer = session.answers.recv() => match answer {
                Some(Answer::Refused { reason }) => return End::Refused(reason),
                Some(Answer::Failed { kind, report } | Answer::Compared(Err((kind, report)))) => return End::Failed(kind, report),
                Some(Answer::Started { operation }) => tracing::info!(%operation, "started"),
                Some(Answer::Waiting(waiting)) => tell(waiting),
                Some(Answer::Object { .. }) => {}
                Some(answer @ (Answer::Planned(_) | Answer::Compared(Ok(_)) | Answer::Rights(_))) => {
                    if let Some(meant) = meant(answer) {
                        return End::Done(meant);
                    }
                }
                None => return End::Lost,
            },
        }
    }
}

/// Runs a sync to its end and reports it.
pub(crate) async fn sync(
    session: &mut SessionHandle,
    stops: &mut mpsc::Receiver<Stop>,
    request: Request,
    report: &mut dyn Report,
) -> End<Box<Operation>> {
    operate(session, stops, Ask::Sync { request }, report).await
}

/// Runs the deletion of an app to its end and reports it.
pub(crate) async fn delete(
    session: &mut SessionHandle,
    stops: &mut mpsc::Receiver<Stop>,
    request: Request,
    report: &mut dyn Report,
) -> End<Box<Operation>> {
    operate(session, stops, Ask::Delete { request }, report).await
}

async fn operate(session: &mut SessionHandle, stops: &mut mpsc::Receiver<Stop>, ask: Ask, report: &mut dyn Report) -> End<Box<Operation>> {
    if session.asks.send(ask).await.is_err() {
        return End::Lost;
    }
    let mut drive = Drive { session, printer: Printer { report, fold: None, closed: false }, terminating: false, stopped_by: None };
    loop {
        if let Some(end) = drive.turn(stops).await {
            return end;
        }
    }
}

struct Drive<'a> {
    session: &'a mut SessionHandle,
    printer: Printer<'a>,
    /// A terminate was asked for.
    terminating: bool,
    /// Who asked for it before there was any fact: the session says whether it was in time.
    stopped_by: Option<Stop>,
}

impl Drive<'_> {
    /// Waits for the next thing and deals with it. Every branch is cancel-safe: each only receives from a channel.
    async fn turn(&mut self, stops: &mut mpsc::Receiver<Stop>) -> Option<End<Box<Operation>>> {
        let (mut facts, mut lines) = (Vec::new(), Vec::new());
        tokio::select! {
            biased;
            Some(stop) = stops.recv() => return self.stop(stop),
            answer = self.session.answers.recv() => return self.answer(answer),
            count = self.session.subscription.facts.recv_many(&mut facts, FACTS) => {
                if count == 0 {
                    return Some(End::Lost);
                }
            }
            Some(line) = self.session.subscription.logs.recv() => lines.push(line),
        }
        self.take_all(facts, lines)
    }

    fn stop(&mut self, stop: Stop) -> Option<End<Box<Operation>>> {
        let end = self.take_all(Vec::new(), Vec::new());
        if end.is_some() {
            return end;
        }
        if stop == Stop::GoOn {
            self.go_on();
            return None;
        }
        if self.terminating || (self.printer.fold.is_none() && stop == Stop::Scripted) {
            return if stop == Stop::Scripted { None } else { Some(End::Stopped(stop)) };
        }
        self.terminating = true;
        self.stopped_by = Some(stop).filter(|_| self.printer.fold.is_none());
        match self.session.asks.try_send(Ask::Terminate { by: stop.as_str().to_owned() }) {
            Ok(()) => None,
            Err(error) => {
                tracing::error!(%error, "the session does not take the terminate");
                Some(End::Stopped(stop))
            }
        }
    }

    fn go_on(&self) {
        let is_paused = self.printer.fold.as_ref().is_some_and(|(operation, _)| operation.paused().is_some());
        if is_paused && let Err(error) = self.session.asks.try_send(Ask::Resume { by: Stop::GoOn.as_str().to_owned() }) {
            tracing::error!(%error, "the session does not take the resume");
        }
    }

    fn answer(&mut self, answer: Option<Answer>) -> Option<End<Box<Operation>>> {
        match answer {
            None => self.take_all(Vec::new(), Vec::new()).or(Some(End::Lost)),
            Some(Answer::Refused { .. } | Answer::Failed { .. }) if self.printer.fold.is_none() && self.stopped_by.is_some() => {
                self.stopped_by.map(End::Stopped)
            }
            Some(Answer::Refused { reason }) if self.printer.fold.is_none() => Some(End::Refused(reason)),
            Some(Answer::Failed { kind, report }) if self.printer.fold.is_none() => Some(End::Failed(kind, report)),
            Some(Answer::Refused { reason: text } | Answer::Failed { report: text, .. }) => {
                tracing::warn!(text, "refused while an operation runs");
                None
            }
            Some(Answer::Waiting(waiting)) => {
                tell(waiting);
                None
            }
            Some(Answer::Started { .. } | Answer::Planned(_) | Answer::Compared(_) | Answer::Rights(_) | Answer::Object { .. }) => None,
        }
    }

    /// Prints what both lanes hold. Lines that came before the last fact are printed before it.
    fn take_all(&mut self, mut facts: Vec<Arc<Record>>, mut lines: Vec<LogLine>) -> Option<End<Box<Operation>>> {
        let lanes = &mut self.session.subscription;
        while facts.len() < FACTS
            && let Ok(record) = lanes.facts.try_recv()
        {
            facts.push(record);
        }
        let last = facts.iter().position(|record| matches!(record.event, Event::OperationFinished { .. }));
        let room = if last.is_some() { usize::MAX } else { LOG_LANE };
        while lines.len() < room
            && let Ok(line) = lanes.logs.try_recv()
        {
            lines.push(line);
        }
        let finish = last.map(|at| facts.split_off(at));
        self.printer.merge(&facts, lines);
        if let Some(finish) = finish {
            self.printer.merge(&finish[..1], Vec::new());
        }
        self.printer.flush();
        self.printer.finished()
    }
}

/// Folds facts and prints them. A reader that has gone away ends the printing, never the operation.
struct Printer<'a> {
    report: &'a mut dyn Report,
    fold: Option<(Operation, Changes)>,
    closed: bool,
}

impl Printer<'_> {
    /// Prints facts and lines in the order of their times; at the same time lines come first, except before the first fact.
    fn merge(&mut self, facts: &[Arc<Record>], lines: Vec<LogLine>) {
        let mut lines = lines.into_iter().peekable();
        for record in facts {
            while self.fold.is_some()
                && let Some(line) = lines.next_if(|line| line.at <= record.at)
            {
                self.line(&line);
            }
            self.fact(record);
        }
        lines.for_each(|line| self.line(&line));
    }

    fn fact(&mut self, record: &Record) {
        match &mut self.fold {
            Some((operation, _)) => operation.apply(record),
            None => self.fold = Operation::start(record).map(Self::with_changes),
        }
        let Some((operation, changes)) = &mut self.fold else { return };
        let changed = changes.after(&record.event, operation);
        if !self.closed {
            let result = self.report.fact(record, operation, &changed);
            self.check(result);
        }
    }

    fn with_changes(operation: Operation) -> (Operation, Changes) {
        let changes = Changes::new(operation.plan());
        (operation, changes)
    }

    fn line(&mut self, line: &LogLine) {
        if let Some((operation, _)) = &self.fold
            && !self.closed
        {
            let result = self.report.line(line, operation);
            self.check(result);
        }
    }

    fn flush(&mut self) {
        if !self.closed {
            let result = self.report.flush();
            self.check(result);
        }
    }

    fn check(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            tracing::warn!(%error, "standard output is closed; the operation goes on");
            self.closed = true;
        }
    }

    fn finished(&mut self) -> Option<End<Box<Operation>>> {
        let is_over = self.fold.as_ref().is_some_and(|(operation, _)| operation.finished_at().is_some());
        if is_over { self.fold.take().map(|(operation, _)| End::Done(Box::new(operation))) } else { None }
    }
}
