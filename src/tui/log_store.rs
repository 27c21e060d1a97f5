//! Keeps what containers print, as printable lines, within one budget of bytes. Owns the order of the lines of each task, what is known of
//! their streams, and the count of everything that is not kept. Knows nothing of screens: a view brings its own choice, width and position.
//!
//! When the budget is used up, the task that takes most loses its oldest lines: a talkative Deployment cannot push out the log of a hook.

mod level;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::mem::size_of;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::{ContainerState, PodView, TaskId};
use crate::operation::event::{Event, LogContent, LogLine, Record};

use super::clean::{self, Cleaner};

pub(crate) use level::Level;

/// What a store may take if nobody says otherwise.
pub(crate) const BUDGET: usize = 16 * 1024 * 1024;
/// What is kept of one line.
pub(crate) const LINE_LIMIT: usize = 64 * 1024;
/// How many error-like lines of a task are remembered.
const FAULTS: usize = 64;
/// Over how many seconds a rate is measured.
const RATE_SECONDS: i64 = 5;

/// The logs of all tasks of all operations that the program has seen.
#[derive(Debug)]
pub(crate) struct LogStore {
    operations: HashMap<Arc<str>, HashMap<TaskId, TaskLog>>,
    budget: usize,
    bytes: usize,
}

/// The log of one task: lines of all its containers in the order of their arrival, oldest first. Lines have numbers that never change.
#[derive(Debug, Default)]
pub(crate) struct TaskLog {
    lines: VecDeque<StoredLine>,
    /// Number of the first line that is kept.
    first: u64,
    sources: Vec<Source>,
    bytes: usize,
    received: u64,
    dropped: u64,
    missing: u64,
    faults: VecDeque<u64>,
    rate: Rate,
    shape: u64,
}

/// One row of a log before wrapping.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredLine {
    /// When it was received.
    pub(crate) at: Timestamp,
    /// When the container printed it, if the kubelet said so.
    pub(crate) log_time: Option<Timestamp>,
    /// Index into [`TaskLog::sources`].
    pub(crate) source: usize,
    pub(crate) content: Content,
}

/// What a row says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Text(Text),
    /// So many bytes of the line before are not kept.
    Cut {
        bytes: u64,
    },
    /// So many lines are missing here; the stream said so.
    Gap {
        lines: u64,
    },
    /// The stream was opened again after so long.
    Reopened {
        after: SignedDuration,
    },
}

/// A line, or the part of it that arrived in one go.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Text {
    /// Printable, see `tui::clean`.
    pub(crate) text: String,
    pub(crate) level: Option<Level>,
    pub(crate) columns: usize,
    /// Some bytes were not UTF-8.
    pub(crate) lossy: bool,
    /// The line began in an earlier row; lines of other containers came in between.
    pub(crate) continues: bool,
    /// More of the line is to come.
    pub(crate) open: bool,
}

impl StoredLine {
    /// Returns when the line was printed, as well as it is known.
    pub(crate) fn time(&self) -> Timestamp {
        self.log_time.unwrap_or(self.at)
    }

    /// Returns the text, if the row is not a note about missing ones.
    pub(crate) fn text(&self) -> Option<&Text> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Cut { .. } | Content::Gap { .. } | Content::Reopened { .. } => None,
        }
    }

    fn cost(&self) -> usize {
        size_of::<Self>() + self.text().map_or(0, |text| text.text.capacity())
    }

    fn is_open(&self) -> bool {
        self.text().is_some_and(|text| text.open)
    }
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    pub(crate) code: i32,
    pub(crate) reason: String,
    pub(crate) at: Option<Timestamp>,
}

/// Whether more lines may come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Nobody has said that it is open; lines have come all the same.
    #[default]
    Unknown,
    Open,
    Closed {
        at: Timestamp,
    },
}

/// One container of one pod, the origin of lines.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) pod: Arc<str>,
    pub(crate) container: Arc<str>,
    pub(crate) uid: Option<Arc<str>>,
    /// Attempt of the operation; `None` until the first line.
    pub(crate) attempt: Option<u32>,
    pub(crate) pod_attempt: u32,
    pub(crate) stream: Stream,
    pub(crate) exit: Option<Exit>,
    pub(crate) pod_gone: bool,
    /// Lines received, kept or not.
    pub(crate) lines: u64,
    /// Number of its newest row.
    pub(crate) last: Option<u64>,
    unfinished: Option<Unfinished>,
}

/// A line of which more is to come.
#[derive(Debug, Default)]
struct Unfinished {
    cleaner: Cleaner,
    row: Option<u64>,
    kept: usize,
    cut: u64,
    cut_row: Option<u64>,
}

impl Source {
    /// Returns the end of the pod's name, and the container if the pod has several.
    pub(crate) fn label(&self, several_containers: bool) -> String {
        let pod = self.pod.rsplit('-').next().unwrap_or(&self.pod);
        let label = if several_containers { format!("{pod}/{}", self.container) } else { pod.to_owned() };
        clean::text(&label).into_owned()
    }

    /// Returns whether the stream has ended.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.stream, Stream::Closed { .. })
    }

    fn prints(&self, line: &LogLine) -> bool {
        self.pod == line.pod
            && self.container == line.container
            && self.pod_attempt == line.pod_attempt
            && self.attempt.is_none_or(|attempt| attempt == line.attempt)
    }
}

impl Default for LogStore {
    fn default() -> Self {
        Self::new(BUDGET)
    }
}

impl LogStore {
    /// Makes an empty store that never takes more than `budget` bytes.
    pub(crate) fn new(budget: usize) -> Self {
        Self { operations: HashMap::new(), budget, bytes: 0 }
    }

    /// Returns how many bytes the lines take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the log of a task; `None` if nothing has been heard of one.
    pub(crate) fn log(&self, operation: &str, task: &TaskId) -> Option<&TaskLog> {
        self.operations.get(operation)?.get(task)
    }

    /// Takes in a piece of a log.
    pub(crate) fn push(&mut self, line: LogLine) {
        let log = self.operations.entry(line.operation.clone()).or_default().entry(line.task.clone()).or_default();
        let before = log.bytes;
        log.push(line);
        self.bytes = self.bytes + log.bytes - before;
        if self.bytes > self.budget {
            self.evict();
        }
    }

    /// Takes in what a fact says about streams and pods.
    pub(crate) fn observe(&mut self, record: &Record) {
        match &record.event {
            Event::LogOpened { task, pod, uid, container, pod_attempt } => {
                let log = self.operations.entry(record.operation.clone()).or_default().entry(task.clone()).or_default();
                let before = log.bytes;
                log.opened(pod, uid, container, *pod_attempt, record.at);
                self.bytes = self.bytes + log.bytes - before;
            }
            Event::LogClosed { task, pod, uid, container } => {
                if let Some(log) = self.operations.get_mut(&record.operation).and_then(|tasks| tasks.get_mut(task)) {
                    log.closed(pod, uid, container, record.at);
                }
            }
            Event::PodObserved { pod } => self.each_log(&record.operation, |log| log.pod_observed(pod)),
            Event::PodGone { name, uid, .. } => self.each_log(&record.operation, |log| log.pod_gone(name, uid)),
            Event::OperationStarted { .. }
            | Event::WatchesOpened { .. }
            | Event::DryPassFinished
            | Event::PhaseStarted { .. }
            | Event::WaveStarted { .. }
            | Event::RunStarted { .. }
            | Event::StepStarted { .. }
            | Event::StepFinished { .. }
            | Event::RunFinished { .. }
            | Event::TaskChanged { .. }
            | Event::WaveFinished { .. }
            | Event::PhaseFinished { .. }
            | Event::Waiting { .. }
            | Event::LiveObserved { .. }
            | Event::LiveGone { .. }
            | Event::Occurred { .. }
            | Event::PruneApproved { .. }
            | Event::Concluded { .. }
            | Event::TerminateRequested { .. }
            | Event::Warned { .. }
            | Event::OperationFinished { .. } => {}
        }
    }

    fn each_log(&mut self, operation: &str, change: impl FnMut(&mut TaskLog)) {
        if let Some(tasks) = self.operations.get_mut(operation) {
            tasks.values_mut().for_each(change);
        }
    }

    /// Makes room in steps of a sixty-fourth of the budget, so that the search for the largest log is rare.
    fn evict(&mut self) {
        let goal = self.budget - self.budget / 64;
        while self.bytes > goal {
            let logs = self.operations.values_mut().flat_map(HashMap::values_mut);
            let Some(largest) = logs.max_by_key(|log| log.bytes).filter(|log| !log.lines.is_empty()) else { return };
            let before = largest.bytes;
            largest.drop_oldest(self.bytes - goal);
            self.bytes = self.bytes + largest.bytes - before;
        }
    }
}

impl TaskLog {
    /// Returns the containers that have been heard of, in the order of their appearance.
    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Returns the numbers of the rows that are kept.
    pub(crate) fn numbers(&self) -> std::ops::Range<u64> {
        self.first..self.first + self.lines.len() as u64
    }

    /// Returns the number from which on rows may still change: the newest one while its line is unfinished, else that of the next row.
    pub(crate) fn settled(&self) -> u64 {
        self.numbers().end - u64::from(self.lines.back().is_some_and(StoredLine::is_open))
    }

    /// Returns a row by its number.
    pub(crate) fn line(&self, number: u64) -> Option<&StoredLine> {
        self.lines.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// Returns up to `height` rows from a number on.
    pub(crate) fn window(&self, from: u64, height: usize) -> impl DoubleEndedIterator<Item = &StoredLine> {
        let start = usize::try_from(from.saturating_sub(self.first)).unwrap_or(usize::MAX).min(self.lines.len());
        self.lines.range(start..start.saturating_add(height).min(self.lines.len()))
    }

    /// Returns the newest rows, oldest first.
    pub(crate) fn tail(&self, height: usize) -> impl DoubleEndedIterator<Item = &StoredLine> {
        self.window(self.numbers().end.saturating_sub(height as u64), height)
    }

    /// Returns how many lines have been received.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Returns how many lines were received and had to go.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Returns how many lines never arrived, as the stream says.
    pub(crate) fn missing(&self) -> u64 {
        self.missing
    }

    /// Returns how many lines a second the containers print.
    pub(crate) fn rate(&self, now: Timestamp) -> f64 {
        self.rate.per_second(now)
    }

    /// Returns a number that changes when a stream opens or closes or a container ends, so that views know when to look again.
    pub(crate) fn shape(&self) -> u64 {
        self.shape
    }

    /// Returns whether lines may still come. A log that nobody has opened yet counts as one from which they may.
    pub(crate) fn is_live(&self) -> bool {
        self.sources.is_empty() || self.sources.iter().any(|source| !source.is_closed())
    }

    /// Returns the newest error-like lines, oldest first; without any, the newest lines.
    pub(crate) fn why(&self, count: usize) -> Vec<&StoredLine> {
        let mut lines: Vec<_> = self.faults.iter().rev().filter_map(|number| self.line(*number)).take(count).collect();
        if lines.is_empty() {
            lines.extend(self.lines.iter().rev().filter(|line| line.text().is_some()).take(count));
        }
        lines.reverse();
        lines
    }

    fn push(&mut self, line: LogLine) {
        let source = self.source_of(&line);
        if self.sources[source].is_closed() {
            // The end of the stream is shown after its last row, which is about to be another one.
            self.shape += 1;
        }
        match line.content {
            LogContent::Line { text, continued } => {
                let mut unfinished =
                    self.sources[source].unfinished.take().unwrap_or_else(|| self.begin(source, line.log_time.unwrap_or(line.at)));
                self.extend(&mut unfinished, &text, continued, Stamp { at: line.at, log_time: line.log_time, source });
                self.sources[source].unfinished = continued.then_some(unfinished);
            }
            LogContent::Dropped(lines) => self.gap(lines, Stamp { at: line.at, log_time: line.log_time, source }),
        }
    }

    fn begin(&mut self, source: usize, time: Timestamp) -> Unfinished {
        self.received += 1;
        self.sources[source].lines += 1;
        self.rate.count(time);
        Unfinished::default()
    }

    fn source_of(&mut self, line: &LogLine) -> usize {
        if let Some(index) = self.sources.iter().rposition(|source| source.prints(line)) {
            self.sources[index].attempt = Some(line.attempt);
            return index;
        }
        self.add_source(line.pod.clone(), line.container.clone(), line.pod_attempt);
        let index = self.sources.len() - 1;
        self.sources[index].attempt = Some(line.attempt);
        index
    }

    fn add_source(&mut self, pod: Arc<str>, container: Arc<str>, pod_attempt: u32) {
        self.shape += 1;
        self.sources.push(Source {
            pod,
            container,
            uid: None,
            attempt: None,
            pod_attempt,
            stream: Stream::Unknown,
            exit: None,
            pod_gone: false,
            lines: 0,
            last: None,
            unfinished: None,
        });
    }

    /// Adds a piece to the row that its line began, or to a new one if other rows have come in between.
    fn extend(&mut self, line: &mut Unfinished, piece: &[u8], continued: bool, stamp: Stamp) {
        let newest = self.numbers().end.checked_sub(1);
        let same_row = line.row.is_some() && line.row == newest && !self.lines.is_empty();
        let (mut text, stamp) =
            if same_row { self.take_back(stamp) } else { (Text { continues: line.row.is_some(), ..Text::default() }, stamp) };
        let length = text.text.len();
        line.take(piece, continued, &mut text);
        text.open = continued;
        text.lossy |= line.cleaner.lossy;
        text.columns = clean::columns(&text.text);
        if length < level::LOOKED_AT && !text.continues {
            text.level = level::of(&text.text);
        }
        if same_row || !text.text.is_empty() || line.row.is_none() {
            if !continued {
                text.text.shrink_to_fit();
            }
            line.row = Some(self.put_back(text, stamp));
        }
        self.note_cut(line, stamp);
    }

    /// Takes the newest row out again; a line keeps the time of its first piece.
    fn take_back(&mut self, now: Stamp) -> (Text, Stamp) {
        let Some(row) = self.lines.pop_back() else { return (Text::default(), now) };
        self.bytes -= row.cost();
        let stamp = Stamp { at: row.at, log_time: row.log_time, source: row.source };
        match row.content {
            Content::Text(text) => (text, stamp),
            Content::Cut { .. } | Content::Gap { .. } | Content::Reopened { .. } => (Text::default(), stamp),
        }
    }

    fn put_back(&mut self, text: Text, stamp: Stamp) -> u64 {
        let is_fault = text.level.is_some_and(Level::is_error);
        let number = self.add(Content::Text(text), stamp);
        if is_fault && self.faults.back() != Some(&number) {
            self.faults.push_back(number);
            if self.faults.len() > FAULTS {
                self.faults.pop_front();
            }
        }
        number
    }

    fn add(&mut self, content: Content, stamp: Stamp) -> u64 {
        let number = self.numbers().end;
        let row = StoredLine { at: stamp.at, log_time: stamp.log_time, source: stamp.source, content };
        self.bytes += row.cost();
        self.lines.push_back(row);
        self.sources[stamp.source].last = Some(number);
        number
    }

    /// Says below a line how much of it is not kept.
    fn note_cut(&mut self, line: &mut Unfinished, stamp: Stamp) {
        if line.cut == 0 {
            return;
        }
        match line.cut_row.and_then(|number| self.line_mut(number)) {
            Some(StoredLine { content: Content::Cut { bytes }, .. }) => *bytes = line.cut,
            Some(_) | None => line.cut_row = Some(self.add(Content::Cut { bytes: line.cut }, stamp)),
        }
    }

    fn gap(&mut self, lines: u64, stamp: Stamp) {
        self.missing += lines;
        match self.lines.back_mut() {
            Some(StoredLine { content: Content::Gap { lines: before }, source, .. }) if *source == stamp.source => *before += lines,
            Some(_) | None => {
                self.add(Content::Gap { lines }, stamp);
            }
        }
    }

    fn line_mut(&mut self, number: u64) -> Option<&mut StoredLine> {
        self.lines.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    fn opened(&mut self, pod: &Arc<str>, uid: &Arc<str>, container: &Arc<str>, pod_attempt: u32, at: Timestamp) {
        let known = self.sources.iter().rposition(|source| {
            source.pod == *pod
                && source.container == *container
                && source.pod_attempt == pod_attempt
                && source.uid.as_ref().is_none_or(|known| known == uid)
        });
        let index = known.unwrap_or_else(|| {
            self.add_source(pod.clone(), container.clone(), pod_attempt);
            self.sources.len() - 1
        });
        self.shape += 1;
        let source = &mut self.sources[index];
        source.uid = Some(uid.clone());
        if let Stream::Closed { at: closed } = std::mem::replace(&mut source.stream, Stream::Open) {
            self.add(Content::Reopened { after: at.duration_since(closed) }, Stamp { at, log_time: None, source: index });
        }
    }

    fn closed(&mut self, pod: &str, uid: &str, container: &str, at: Timestamp) {
        let mine = |source: &&mut Source| {
            &*source.pod == pod && &*source.container == container && source.uid.as_deref().is_none_or(|known| known == uid)
        };
        if let Some(source) = self.sources.iter_mut().rev().find(mine) {
            source.stream = Stream::Closed { at };
            self.shape += 1;
        }
    }

    fn pod_observed(&mut self, pod: &PodView) {
        for container in &pod.containers {
            let exit = match &container.state {
                ContainerState::Terminated { exit_code, reason, at } => Some(Exit { code: *exit_code, reason: reason.clone(), at: *at }),
                ContainerState::Waiting { .. } | ContainerState::Running { .. } => None,
            };
            let mine = |source: &&mut Source| source.pod == pod.name && source.container == container.name && source.is_of(&pod.uid);
            for source in self.sources.iter_mut().filter(mine).filter(|source| source.exit != exit) {
                source.exit.clone_from(&exit);
                self.shape += 1;
            }
        }
    }

    fn pod_gone(&mut self, name: &str, uid: &str) {
        for source in self.sources.iter_mut().filter(|source| &*source.pod == name && source.is_of(uid) && !source.pod_gone) {
            source.pod_gone = true;
            self.shape += 1;
        }
    }

    /// Drops the oldest rows until `bytes` are free or nothing is left.
    fn drop_oldest(&mut self, bytes: usize) {
        let goal = self.bytes.saturating_sub(bytes);
        while self.bytes > goal {
            let Some(row) = self.lines.pop_front() else { return };
            self.bytes -= row.cost();
            self.dropped += u64::from(row.text().is_some_and(|text| !text.continues));
            self.first += 1;
        }
        while self.faults.front().is_some_and(|number| *number < self.first) {
            self.faults.pop_front();
        }
    }
}

impl Source {
    fn is_of(&self, uid: &str) -> bool {
        self.uid.as_deref().is_none_or(|known| known == uid)
    }
}

impl Unfinished {
    /// Appends the printable form of a piece, up to what is kept of a line, and counts the rest.
    fn take(&mut self, piece: &[u8], continued: bool, text: &mut Text) {
        let before = text.text.len();
        let room = LINE_LIMIT.saturating_sub(self.kept);
        self.cut += self.cleaner.feed(piece, &mut text.text, before + room);
        if !continued && self.cut == 0 {
            self.cleaner.finish(&mut text.text);
        } else if self.cut > 0 {
            self.cut += self.cleaner.discard();
        }
        self.kept += text.text.len() - before;
    }
}

#[derive(Clone, Copy, Debug)]
struct Stamp {
    at: Timestamp,
    log_time: Option<Timestamp>,
    source: usize,
}

/// Lines per second over the last few seconds.
#[derive(Debug, Default)]
struct Rate {
    slots: [(i64, u32); RATE_SECONDS as usize + 1],
}

impl Rate {
    fn count(&mut self, time: Timestamp) {
        let second = time.as_second();
        let slot = &mut self.slots[usize::try_from(second.rem_euclid(RATE_SECONDS + 1)).unwrap_or_default()];
        if slot.0 < second {
            *slot = (second, 0);
        }
        // A line from before the slot's second came late; it says nothing about now.
        slot.1 += u32::from(slot.0 == second);
    }

    fn per_second(&self, now: Timestamp) -> f64 {
        let now = now.as_second();
        let recent = self.slots.iter().filter(|(second, _)| (now - RATE_SECONDS..=now).contains(second));
        recent.map(|(_, count)| f64::from(*count)).sum::<f64>() / RATE_SECONDS as f64
    }
}
