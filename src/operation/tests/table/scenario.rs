//! A row of the table, written like prose: what is there, then one point in time after the other.

use super::Outcome;
use crate::model::{OperationPhase, Options, TaskId};
use crate::operation::tests::spec::{Fate, Setup, Spec, deleting};
use crate::operation::{Request, Step, StepOutcome};
use crate::plan::NewNamespace;

/// One row, a point in time after the other.
#[derive(Clone)]
pub(crate) struct Scenario {
    pub(crate) setup: Setup,
    /// Calls that the server refuses from the beginning.
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) points: Vec<Point>,
}

/// A moment, what must hold in it, and what somebody does then.
#[derive(Clone)]
pub(crate) struct Point {
    pub(crate) when: When,
    pub(crate) expected: Outcome,
    pub(crate) acts: Vec<Act>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum When {
    /// The operation says so.
    Told(&'static str),
    /// So many seconds later, if it has not ended.
    After(u64),
    /// It has ended, and what was on its way has gone.
    Ended,
}

/// What somebody else, or a person at the operation, does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Terminate,
    /// Confirms everything that waits for a person.
    Approve,
    /// Deletes an object.
    Delete(&'static str),
    /// Takes every finalizer off an object.
    Free(&'static str),
    /// Its health changes.
    Becomes(&'static str, Fate),
    /// The server refuses these calls from now on.
    Refuse(Refusal),
    /// The server refuses nothing any more.
    Relent,
}

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Apply,
    Delete,
    /// Takes a finalizer off.
    Unlock,
}

/// Calls about one object that go wrong.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) call: Call,
    pub(crate) short: &'static str,
    /// The server's words; none: it knows no such object.
    pub(crate) error: Option<&'static str>,
}

impl Refusal {
    pub(crate) fn concerns(&self, task: &TaskId, step: &Step) -> bool {
        let call = match step {
            Step::Apply => Call::Apply,
            Step::Prune { .. } | Step::DeleteOldHook { .. } | Step::DeleteHook { .. } | Step::TerminateDelete { .. } => Call::Delete,
            Step::RemoveOldFinalizer { .. }
            | Step::RemoveFinalizer { .. }
            | Step::RemoveLeftFinalizer { .. }
            | Step::TerminateFinalizer { .. } => Call::Unlock,
            Step::Try | Step::Discover | Step::Look | Step::Adopt { .. } => return false,
        };
        self.call == call && task.key.short() == self.short
    }

    /// Returns what comes back from the server, with what our own code says before it.
    pub(crate) fn outcome(&self, step: &Step) -> StepOutcome {
        let Some(error) = self.error else { return StepOutcome::Gone };
        let is_unlock = self.call == Call::Unlock && !matches!(step, Step::Apply);
        StepOutcome::Failed { error: if is_unlock { format!("failed to update resource: {error}") } else { error.to_owned() } }
    }
}

/// A row, or several of one kind.
pub(crate) trait Rows {
    fn rows(self) -> Vec<Scenario>;
}

impl Rows for Scenario {
    fn rows(self) -> Vec<Scenario> {
        vec![self]
    }
}

impl Rows for Vec<Scenario> {
    fn rows(self) -> Vec<Scenario> {
        self
    }
}

/// Returns whether a message is the one that a row waits for; a `*` at its end stands for any rest.
pub(crate) fn is_told(text: &str, message: &str) -> bool {
    text.strip_suffix('*').map_or(text == message, |start| message.starts_with(start))
}

pub(crate) fn options(items: &[&str]) -> Options {
    Options::new(items.iter().map(|item| (*item).to_owned()))
}

pub(crate) fn sync(specs: impl IntoIterator<Item = Spec>) -> Scenario {
    of(Setup { specs: specs.into_iter().collect(), ..Setup::default() })
}

/// The deletion of an app that owns `owned`.
pub(crate) fn farewell(hooks: impl IntoIterator<Item = Spec>, owned: impl IntoIterator<Item = Spec>) -> Scenario {
    of(deleting(hooks, owned))
}

pub(crate) fn of(setup: Setup) -> Scenario {
    Scenario { setup, refusals: Vec::new(), points: Vec::new() }
}

fn owned<const N: usize>(lines: [&str; N]) -> Option<Vec<String>> {
    Some(lines.map(str::to_owned).to_vec())
}

impl Scenario {
    /// Objects of an earlier sync that are still there, as they ended.
    pub(crate) fn leftovers(mut self, specs: impl IntoIterator<Item = Spec>) -> Self {
        self.setup.leftovers.extend(specs);
        self
    }

    /// Objects of the app that no manifest asks for any more.
    pub(crate) fn orphans(mut self, specs: impl IntoIterator<Item = Spec>) -> Self {
        self.setup.candidates.extend(specs);
        self
    }

    /// A finalizer is on an object that is there.
    pub(crate) fn held(mut self, short: &'static str, finalizer: &'static str) -> Self {
        self.setup.held.push((short, finalizer));
        self
    }

    /// Somebody has deleted an object that is there.
    pub(crate) fn leaving(mut self, short: &'static str) -> Self {
        self.setup.leaving.push(short);
        self
    }

    /// Manifests that are as they should be, with `ApplyOutOfSyncOnly`.
    pub(crate) fn unmodified(mut self, specs: impl IntoIterator<Item = Spec>) -> Self {
        self.setup.unmodified.extend(specs);
        self
    }

    /// The destination has to be made, as `CreateNamespace` says.
    pub(crate) fn into_new_namespace(mut self) -> Self {
        self.setup.new_namespace = NewNamespace::Yes;
        self
    }

    pub(crate) fn asked(mut self, request: Request) -> Self {
        self.setup.request = request;
        self
    }

    pub(crate) fn pruned(mut self) -> Self {
        self.setup.request.prune = true;
        self
    }

    /// The server refuses these calls, in these words.
    pub(crate) fn refuses(mut self, call: Call, short: &'static str, error: &'static str) -> Self {
        self.refusals.push(Refusal { call, short, error: Some(error) });
        self
    }

    /// The server knows no such object when it is called.
    pub(crate) fn knows_not(mut self, call: Call, short: &'static str) -> Self {
        self.refusals.push(Refusal { call, short, error: None });
        self
    }

    fn point(mut self, when: When, expected: Outcome) -> Self {
        self.points.push(Point { when, expected, acts: Vec::new() });
        self
    }

    pub(crate) fn when(self, told: &'static str) -> Self {
        self.point(When::Told(told), Outcome::default())
    }

    pub(crate) fn after(self, seconds: u64) -> Self {
        self.point(When::After(seconds), Outcome::default())
    }

    /// It ends like this, and no finalizer of ours is left.
    pub(crate) fn ends(self, phase: OperationPhase, message: &'static str) -> Self {
        let end = Outcome { phase: Some(phase), message: Some(message.to_owned()), locked: Some(Vec::new()), ..Outcome::default() };
        self.point(When::Ended, end)
    }

    pub(crate) fn succeeds(self, message: &'static str) -> Self {
        self.ends(OperationPhase::Succeeded, message)
    }

    pub(crate) fn fails(self, message: &'static str) -> Self {
        self.ends(OperationPhase::Failed, message)
    }

    fn last(&mut self) -> &mut Point {
        self.points.last_mut().expect("a row says first when")
    }

    /// It says so in this moment.
    pub(crate) fn saying(mut self, message: &str) -> Self {
        self.last().expected.message = Some(message.to_owned());
        self
    }

    pub(crate) fn act(mut self, act: Act) -> Self {
        self.last().acts.push(act);
        self
    }

    pub(crate) fn results<const N: usize>(mut self, lines: [&str; N]) -> Self {
        self.last().expected.results = owned(lines);
        self
    }

    pub(crate) fn said<const N: usize>(mut self, lines: [&str; N]) -> Self {
        self.last().expected.said = owned(lines);
        self
    }

    pub(crate) fn calls<const N: usize>(mut self, lines: [&str; N]) -> Self {
        self.last().expected.calls = owned(lines);
        self
    }

    pub(crate) fn told<const N: usize>(mut self, lines: [&str; N]) -> Self {
        self.last().expected.told = owned(lines);
        self
    }

    pub(crate) fn not_run<const N: usize>(mut self, lines: [&str; N]) -> Self {
        self.last().expected.not_run = owned(lines);
        self
    }

    pub(crate) fn left<const N: usize>(mut self, lines: [&str; N]) -> Self {
        self.last().expected.left = owned(lines);
        self
    }

    pub(crate) fn locked<const N: usize>(mut self, lines: [&str; N]) -> Self {
        self.last().expected.locked = owned(lines);
        self
    }
}
