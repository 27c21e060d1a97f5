//! The log of one task: its rows and their numbers, its sources, and the count of what is not kept. Takes in pieces and what facts say.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{ContainerState, PodView};
use crate::operation::{LogContent, LogLine};
use crate::tui::clean;

use super::level::{self, Level};
use super::line::{Content, StoredLine, Text, Unfinished};
use super::source::{Exit, Rate, Source, Stream};

/// How many error-like lines of a task are remembered.
const FAULTS: usize = 64;

/// The log of one task: lines of all its containers in the order of their arrival, oldest first. Lines have numbers that never change.
#[derive(Debug, Default)]
pub(crate) struct TaskLog {
    pub(super) lines: VecDeque<StoredLine>,
    /// Number of the first line that is kept.
    first: u64,
    sources: Vec<Source>,
    pub(super) bytes: usize,
    received: u64,
    dropped: u64,
    missing: u64,
    pub(super) faults: VecDeque<u64>,
    rate: Rate,
    shape: u64,
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
    #[cfg(test)]
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

    pub(super) fn push(&mut self, line: LogLine) {
        let source = self.source_of(&line);
        if self.sources[source].is_closed() {
            // The end of the stream is shown after its last row, which is about to be another one.
            self.shape += 1;
        }
        match line.content {
            LogContent::Line { text, continued } => {
                let mut unfinished = self.sources[source].unfinished.take().unwrap_or_else(|| self.begin(source, line.at));
                self.extend(&mut unfinished, &text, continued, Stamp { at: line.at, log_time: line.log_time, source });
                self.sources[source].unfinished = continued.then_some(unfinished);
            }
            LogContent::Dropped(0) => {}
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

    pub(super) fn opened(&mut self, pod: &Arc<str>, uid: &Arc<str>, container: &Arc<str>, pod_attempt: u32, at: Timestamp) {
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

    pub(super) fn closed(&mut self, pod: &str, uid: &str, container: &str, at: Timestamp) {
        let mine = |source: &&mut Source| {
            &*source.pod == pod && &*source.container == container && source.uid.as_deref().is_none_or(|known| known == uid)
        };
        if let Some(source) = self.sources.iter_mut().rev().find(mine) {
            source.stream = Stream::Closed { at };
            self.shape += 1;
        }
    }

    pub(super) fn pod_observed(&mut self, pod: &PodView) {
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

    pub(super) fn pod_gone(&mut self, name: &str, uid: &str) {
        for source in self.sources.iter_mut().filter(|source| &*source.pod == name && source.is_of(uid) && !source.pod_gone) {
            source.pod_gone = true;
            self.shape += 1;
        }
    }

    /// Drops the oldest rows until `bytes` are free or nothing is left.
    pub(super) fn drop_oldest(&mut self, bytes: usize) {
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

#[derive(Clone, Copy, Debug)]
struct Stamp {
    at: Timestamp,
    log_time: Option<Timestamp>,
    source: usize,
}
