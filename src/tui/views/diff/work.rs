//! What may take longer than a frame and is therefore done beside the frames: the lines of a large resource, the sizes of many, a search
//! through all of them. Pure; whoever asks keeps a ticket, and can give the work up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::logs::find::Needle;
use super::choosing;
use super::page::Breaks;
use super::script::{self, Script, Size};
use crate::engine::session::Planned;
use crate::plan::diff::Difference;
use crate::tui::clean;
use crate::tui::comparison::Entry;
use crate::tui::viewer::Showing;

/// Lines between two looks whether the work is still wanted.
const STRIDE: usize = 4_096;

/// Connects work with the one who wants it. Work that is given up ends soon and has no result.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ticket(Arc<AtomicBool>);

impl Ticket {
    /// Says that nobody wants the result any more.
    pub(super) fn give_up(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_given_up(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns whether both are of the same piece of work.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Work to be done.
#[derive(Debug)]
pub(crate) struct Job {
    pub(super) ticket: Ticket,
    pub(super) work: Work,
}

#[derive(Debug)]
pub(super) enum Work {
    /// Write the lines of one resource.
    Script(Arc<Difference>),
    /// Find out where the lines of one resource break at so many columns.
    Breaks(Arc<Script>, usize),
    /// Count the lines of some resources, each with its place in the list.
    Sizes(Vec<(usize, Arc<Difference>)>),
    /// Look for a text in all of them.
    Search { needle: Needle, planned: Arc<Planned>, entries: Arc<[Entry]> },
    /// Write what a viewer gets of some resources, each with its full name.
    Showing(Vec<(String, Arc<Difference>)>),
}

/// Work that is done.
#[derive(Debug)]
pub(crate) struct Done {
    pub(super) ticket: Ticket,
    pub(super) product: Product,
}

#[derive(Debug)]
pub(super) enum Product {
    Script(Arc<Script>),
    Breaks(Breaks),
    Sizes(Vec<(usize, Size)>),
    Hits(Arc<Hits>),
    Showing(Showing),
}

impl Job {
    /// Does the work; `None` if nobody wants it any more.
    pub(crate) fn run(self) -> Option<Done> {
        let Self { ticket, work } = self;
        if ticket.is_given_up() {
            return None;
        }
        let product = match work {
            Work::Script(difference) => Product::Script(Arc::new(Script::new(&difference))),
            Work::Breaks(script, width) => Product::Breaks(Breaks::all(&script, width)),
            Work::Sizes(of) => {
                let wanted = of.into_iter().take_while(|_| !ticket.is_given_up());
                Product::Sizes(wanted.map(|(at, difference)| (at, Size::of(&difference))).collect())
            }
            Work::Showing(of) => Product::Showing(choosing::several(&of, || ticket.is_given_up())),
            Work::Search { needle, planned, entries } => Product::Hits(Arc::new(search(&needle, (&planned, &entries), &ticket)?)),
        };
        (!ticket.is_given_up()).then_some(Done { ticket, product })
    }
}

fn search(needle: &Needle, (planned, entries): (&Planned, &[Entry]), ticket: &Ticket) -> Option<Hits> {
    let mut hits = Hits::default();
    let mut text = String::new();
    for entry in entries {
        let lines = planned.differences.get(&entry.task).map(|difference| script::lines(difference)).unwrap_or_default();
        let mut of = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            if at % STRIDE == 0 && ticket.is_given_up() {
                return None;
            }
            text.clear();
            text.extend(std::iter::repeat_n(' ', line.indent));
            text.push_str(&clean::text(&line.text));
            if needle.is_in(&text) {
                of.push(at);
            }
        }
        hits.push(of.into());
    }
    Some(hits)
}

/// Which lines of which resources have what is searched for.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    of: Vec<Box<[usize]>>,
    /// How many lines, and how many resources, there are up to the end of each.
    sums: Vec<(usize, usize)>,
}

impl Hits {
    fn push(&mut self, lines: Box<[usize]>) {
        let (hits, resources) = self.sums.last().copied().unwrap_or_default();
        self.sums.push((hits + lines.len(), resources + usize::from(!lines.is_empty())));
        self.of.push(lines);
    }

    /// Returns the lines of a resource that have it, in order.
    pub(super) fn lines(&self, at: usize) -> &[usize] {
        self.of.get(at).map(|lines| &**lines).unwrap_or_default()
    }

    /// Returns how many lines and how many resources have it among the first `len` of the list.
    pub(super) fn before(&self, len: usize) -> (usize, usize) {
        len.min(self.sums.len()).checked_sub(1).map_or((0, 0), |last| self.sums[last])
    }

    /// Returns the nearest resource after or before one that has it, among the first `len`.
    pub(super) fn beside(&self, at: usize, len: usize, forward: bool) -> Option<usize> {
        let has = |at: &usize| !self.lines(*at).is_empty();
        if forward { (at + 1..len).find(has) } else { (0..at.min(len)).rev().find(has) }
    }

    /// Returns the first or the last resource that has it, among the first `len`.
    pub(super) fn end(&self, len: usize, forward: bool) -> Option<usize> {
        let has = |at: &usize| !self.lines(*at).is_empty();
        if forward { (0..len).find(has) } else { (0..len).rev().find(has) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_is_given_up_has_no_result() {
        let ticket = Ticket::default();
        let job = || Job { ticket: ticket.clone(), work: Work::Sizes(Vec::new()) };
        assert!(job().run().is_some_and(|done| done.ticket.is(&ticket) && !done.ticket.is(&Ticket::default())));
        ticket.give_up();
        assert!(job().run().is_none());
    }

    #[test]
    fn hits_are_counted_by_lines_and_by_resources() {
        let mut hits = Hits::default();
        for lines in [&[][..], &[3, 9], &[], &[1], &[5]] {
            hits.push(lines.into());
        }
        assert_eq!((0..6).map(|len| hits.before(len)).collect::<Vec<_>>(), [(0, 0), (0, 0), (2, 1), (2, 1), (3, 2), (4, 3)]);
        assert_eq!(hits.before(99), (4, 3));
        assert_eq!((hits.beside(1, 5, true), hits.beside(1, 5, false), hits.beside(4, 5, true)), (Some(3), None, None));
        assert_eq!((hits.end(4, true), hits.end(4, false), hits.end(1, true)), (Some(1), Some(3), None));
        assert_eq!(hits.lines(7), [0; 0]);
    }
}
