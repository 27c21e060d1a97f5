//! What outlives an operation: the connection, the target's manifests, the plan, and at most one running operation.
//! Consumers (screens, reports) talk to it only through [`Ask`] and [`Answer`], and see operations only through the bus.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::bus::{Subscription, lanes};
use super::host::Host;
use super::rights::Rights;
use super::rules::RuleSources;
use crate::clock::Clock;
pub(crate) use crate::cluster::connect::Terminal;
use crate::manifest::{LoadOptions, Source};
use crate::model::{ResourceKey, TaskId};
use crate::operation::Request;
pub(crate) use crate::plan::Action;
use crate::plan::Plan;
use crate::plan::diff::Difference;
use crate::plan::impact::{Impact, Tally};

/// Asks and answers that wait; both are few.
const WAITING: usize = 64;

/// Everything that a session needs to know at its beginning.
#[derive(Clone)]
pub(crate) struct Opening {
    pub(crate) app: String,
    /// Destination namespace; `None`: that of the context.
    pub(crate) namespace: Option<String>,
    pub(crate) source: Source,
    pub(crate) load: LoadOptions,
    /// `None`: the git commit of the source, else the digest of its manifests.
    pub(crate) revision: Option<String>,
    /// Where the inventory is kept (decision 24).
    pub(crate) state_dir: PathBuf,
    /// Whether objects that are as the last sync made them are not sent again.
    pub(crate) skip_unchanged: bool,
    /// The reason why nothing may be written, if so.
    pub(crate) read_only: Option<String>,
    /// Patterns for names of contexts that are protected (decision 13).
    pub(crate) protected: Vec<String>,
    /// Nobody can be asked: a sync on a protected context is refused.
    pub(crate) unattended: bool,
    /// How objects are judged.
    pub(crate) rules: RuleSources,
    pub(crate) clock: Clock,
    pub(crate) connector: Connector,
    pub(crate) operation_ids: OperationIds,
}

/// How a session gets at its cluster.
#[derive(Clone)]
pub(crate) enum Connector {
    /// As kubectl would; nothing is opened before it is needed.
    Kubeconfig { file: Option<PathBuf>, context: Option<String>, terminal: Terminal },
    /// Through a client that exists; its own retries must be off (decision 23).
    Client { client: kube::Client, context: String, cluster: String, namespace: String },
}

/// Where ids of operations come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OperationIds {
    /// The time and a few random letters.
    Random,
    /// This text and a number that counts from 1, so that a story plays the same each time.
    Fixed(String),
}

/// Opens a session. Its loop runs on `tasks` and ends when the handle is dropped and no operation runs.
pub(crate) fn open(opening: Opening, tasks: &mut JoinSet<()>) -> SessionHandle {
    let (asks, asked) = mpsc::channel(WAITING);
    let (answer, answers) = mpsc::channel(WAITING);
    let (publisher, subscription) = lanes();
    tasks.spawn(Host::new(opening, publisher, answer).run(asked));
    SessionHandle { asks, answers, subscription }
}

/// Where a session is: shown on the place line of every screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) app: Arc<str>,
    /// Name of the kubeconfig context, or `embedded`.
    pub(crate) context: Arc<str>,
    /// URL of the API server, or `in process`.
    pub(crate) cluster: Arc<str>,
    pub(crate) namespace: Arc<str>,
    /// Where the manifests come from, for people: `deploy/` or `helm charts/shop`.
    pub(crate) source: Arc<str>,
    pub(crate) revision: Arc<str>,
    /// `None`: writes are allowed; otherwise the reason why not.
    pub(crate) read_only: Option<Arc<str>>,
    /// Whether the context is protected, so that a sync asks for the app's name (decision 13).
    pub(crate) protected: bool,
}

/// What is waited for before there is a plan or an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// A fragment behind "waiting for".
    pub(crate) what: String,
    pub(crate) since: Timestamp,
}

/// A plan with what it would change.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) place: Place,
    pub(crate) plan: Arc<Plan>,
    pub(crate) actions: BTreeMap<TaskId, Action>,
    /// Both sides of what changes, and, when a diff was asked for, of everything that is there.
    pub(crate) differences: BTreeMap<TaskId, Arc<Difference>>,
    /// Why the difference of a task is not, or not quite, what the server says.
    pub(crate) approximate: BTreeMap<TaskId, String>,
    /// What each task does beyond its object, in the order in which it is told; tasks that do nothing more are not there.
    pub(crate) effects: BTreeMap<TaskId, Vec<Impact>>,
    /// Sentences about the manifests themselves, for example a duplicate key.
    pub(crate) notes: Vec<String>,
    /// Why no sync may begin now: a sync window is closed.
    pub(crate) blocked: Option<String>,
}

impl Planned {
    /// Returns a plan of which nobody has found out yet what it would change.
    pub(crate) fn new(place: Place, plan: Arc<Plan>, notes: Vec<String>) -> Self {
        let (actions, differences) = (BTreeMap::new(), BTreeMap::new());
        let (approximate, effects) = (BTreeMap::new(), BTreeMap::new());
        Self { place, plan, actions, differences, approximate, effects, notes, blocked: None }
    }

    /// Returns what a task does beyond its object.
    pub(crate) fn effects_of(&self, task: &TaskId) -> &[Impact] {
        self.effects.get(task).map(Vec::as_slice).unwrap_or_default()
    }

    /// Adds it all up; `prunes`: whether what no manifest asks for is deleted, if not as it was asked for.
    pub(crate) fn tally(&self, prunes: Option<bool>) -> Tally {
        Tally::of(&self.actions, &self.effects, prunes)
    }
}

/// What a consumer asks.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    /// Load the manifests again and make the plan of this request; answered with `Planned` or `Failed`. Writes nothing.
    Plan { request: Request },
    /// The same, with everything compared that is there, hooks too; answered with `Compared`.
    Diff { request: Request },
    /// The same as `Plan` for the deletion of the app.
    PlanDeletion { request: Request },
    /// Make the plan of a sync and find out what it wants to be allowed; answered with `Rights` or `Failed`. Writes nothing.
    Rights { request: Request },
    /// Start an operation; answered with `Started` or `Refused`, and by facts on the bus.
    Sync { request: Request },
    /// Start the deletion of the app and everything that it owns; answered as a sync.
    Delete { request: Request },
    /// End the running operation; answered by facts, or with `Refused` when nothing runs.
    Terminate { by: String },
    /// Confirm prunes that the operation waits for; answered by facts, or with `Refused` when nothing runs.
    Approve { keys: Vec<ResourceKey>, by: String },
    /// Stop before the next group; answered by facts, or with `Refused` when nothing runs.
    Pause { by: String },
    /// Go on after a pause, or take the wish for one back; answered by facts, or with `Refused` when nothing runs.
    Resume { by: String },
    /// Take the wish for a pause back; once the pause has come it does nothing, so that it never lets anything go on.
    DropPause { by: String },
    /// The live object, masked, as YAML.
    Object { key: ResourceKey },
    /// Follow the logs of this object's pods too, although it is not a hook.
    Follow { key: ResourceKey },
}

/// Whose fault a failure is; decides the exit code (cli.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// Usage, configuration or manifests: exit 2.
    Usage,
    /// The cluster could not be reached or refused us before the operation began: exit 4.
    Cluster,
}

/// What the session answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// What was asked for waits longer than expected; `None`: not any more.
    Waiting(Option<Waiting>),
    Planned(Arc<Planned>),
    Rights(Arc<Rights>),
    /// What `Ask::Diff` found out, or why it found out nothing, as in `Failed`. Plans may be asked for and answered meanwhile.
    Compared(Result<Arc<Planned>, (FailureKind, String)>),
    Started {
        operation: Arc<str>,
    },
    /// The asked-for thing was not begun; a whole sentence. Exit 2 where the program ends because of it.
    Refused {
        reason: String,
    },
    /// Loading, connecting or planning failed; `report` is the text for people, several lines possible, without colour.
    Failed {
        kind: FailureKind,
        report: String,
    },
    Object {
        key: ResourceKey,
        yaml: Result<String, String>,
    },
}

/// A consumer's hold on a session. Dropping it ends the session after a running operation has been abandoned.
#[derive(Debug)]
pub(crate) struct SessionHandle {
    pub(crate) asks: mpsc::Sender<Ask>,
    pub(crate) answers: mpsc::Receiver<Answer>,
    pub(crate) subscription: Subscription,
}
