//! What has come of an operation, read from its facts, and compared with what a row says of each of its points.

use super::Scenario;
use crate::model::{OperationPhase, Phase, Role};
use crate::operation::tests::trace;
use crate::operation::{Operation, Record, TaskResult};

/// What has come of an operation; what is `None` is not looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(super) phase: Option<OperationPhase>,
    pub(super) message: Option<String>,
    pub(super) results: Option<Vec<String>>,
    /// Messages of results, by object.
    pub(super) said: Option<Vec<String>>,
    /// Calls that write, in order.
    pub(super) calls: Option<Vec<String>>,
    /// What it said while it waited, in order.
    pub(super) told: Option<Vec<String>>,
    /// Tasks that did not run, and why.
    pub(super) not_run: Option<Vec<String>>,
    /// Objects that are left.
    pub(super) left: Option<Vec<String>>,
    /// Objects that carry a hook finalizer.
    pub(super) locked: Option<Vec<String>>,
}

/// What a player has seen.
pub(crate) struct Played {
    pub(crate) records: Vec<Record>,
    /// How many records there were in each point of the row.
    pub(crate) moments: Vec<usize>,
    /// At the end.
    pub(crate) left: Vec<String>,
    pub(crate) locked: Vec<String>,
}

impl Scenario {
    /// Compares what a player has seen with what the row says of each of its points.
    pub(crate) fn check(&self, played: &Played) {
        assert_eq!(played.moments.len(), self.points.len(), "not every point came");
        for (point, count) in self.points.iter().zip(&played.moments) {
            let found = point.expected.seen(played, *count);
            let calls = trace::calls(&played.records);
            assert!(found == point.expected, "{:?}:\nfound    {found:?}\nexpected {:?}\ncalls {calls:?}", point.when, point.expected);
        }
    }
}

impl Outcome {
    /// Returns what was seen after so many records, of what is asked for here.
    fn seen(&self, played: &Played, count: usize) -> Self {
        let records = &played.records[..count];
        let mut operation = Operation::start(&records[0]).expect("the first fact is its start");
        records[1..].iter().for_each(|record| operation.apply(record));
        let of = |asked: &Option<Vec<String>>, lines: &dyn Fn() -> Vec<String>| asked.is_some().then(lines);
        Self {
            phase: self.phase.map(|_| operation.phase()),
            message: self.message.as_ref().map(|_| operation.message().to_owned()),
            results: of(&self.results, &|| results(&operation)),
            said: self.said.as_ref().map(|asked| said(&operation, asked)),
            calls: of(&self.calls, &|| writes(records)),
            told: of(&self.told, &|| trace::messages(records).into_iter().filter(|text| !text.is_empty()).collect()),
            not_run: of(&self.not_run, &|| trace::not_run(&operation)),
            left: of(&self.left, &|| played.left.iter().map(|line| timeless(line)).collect()),
            locked: of(&self.locked, &|| played.locked.clone()),
        }
    }
}

/// Returns the results in order of arrival; those of one group, which come by chance (spec U3), as they are planned, prunes first.
fn results(operation: &Operation) -> Vec<String> {
    let place = |result: &TaskResult| operation.plan().tasks.iter().position(|task| task.id == result.task);
    let has_waves = |phase| matches!(phase, Phase::PreSync | Phase::Sync | Phase::PostSync | Phase::Delete);
    let wave = |at: usize| Some(operation.plan().tasks[at].wave).filter(|_| has_waves(operation.plan().tasks[at].id.phase));
    let group = |result: &TaskResult| (result.task.phase, result.task.role == Role::Prune, place(result).map(wave));
    let lines: Vec<(&TaskResult, String)> = operation.results().iter().zip(trace::results(operation)).collect();
    let groups = lines.chunk_by(|(one, _), (other, _)| group(one) == group(other));
    let sorted = groups.flat_map(|lines| {
        let mut lines = lines.to_vec();
        lines.sort_by_key(|(result, _)| place(result));
        lines
    });
    sorted.map(|(_, line)| timeless(&line)).collect()
}

/// Returns the messages of the objects that are asked for, in the order of the row.
fn said(operation: &Operation, asked: &[String]) -> Vec<String> {
    let about = |line: &str| line.split(": ").next().unwrap_or_default().to_owned();
    let found = trace::said(operation);
    let line = |asked: &String| found.iter().find(|line| about(line) == about(asked)).cloned();
    asked.iter().map(|asked| line(asked).unwrap_or_else(|| format!("{}: no result", about(asked)))).collect()
}

/// Returns the calls that write.
pub(crate) fn writes(records: &[Record]) -> Vec<String> {
    let is_write = |call: &String| !["look ", "discover ", "adopt "].iter().any(|read| call.starts_with(read));
    trace::calls(records).into_iter().filter(is_write).map(|call| timeless(&call)).collect()
}

/// Writes the time in a generated name as `T`: `mig-0123456-presync-T`.
fn timeless(line: &str) -> String {
    let word = |part: &str| match part.len() == 10 && part.bytes().all(|byte| byte.is_ascii_digit()) {
        true => "T".to_owned(),
        false => part.to_owned(),
    };
    line.split(' ').map(|text| text.split('-').map(word).collect::<Vec<_>>().join("-")).collect::<Vec<_>>().join(" ")
}
