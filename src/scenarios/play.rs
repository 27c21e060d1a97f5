//! Plays one story: starts its cluster, opens a session on it, presses what the story says, and keeps what was printed.
//!
//! What can be pressed: `sync`, `sync` followed by resources as `--resource` writes them (a selective sync), and `terminate`.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::rights::Recorder;
use super::truth::{self, Truth};
use crate::clock::Clock;
use crate::engine::rules::RuleSources;
use crate::engine::session::{self, Answer, Ask, Connector, Opening, OperationIds, SessionHandle};
use crate::manifest::{LoadOptions, Manifest, Source};
use crate::operation::{Operation, Request};
use crate::plan::Selector;
use crate::report::json::Json;
use crate::report::{self, End};
use crate::sim::SimCluster;
use crate::sim::story::Story;

/// How long a story may take longer than it says.
const PATIENCE: Duration = Duration::from_secs(600);

/// What became of a story.
pub(super) enum Scene {
    Played(Played),
    /// The manifests could not be read; the page for people.
    Unreadable(String),
    /// Something is missing on this machine.
    Skipped(String),
}

/// A story that was played to its end.
pub(super) struct Played {
    /// The JSON lines of all operations.
    pub(super) printed: String,
    /// What the session refused, with its sentence.
    pub(super) refused: Vec<String>,
    pub(super) truth: Truth,
    pub(super) manifests: Vec<Manifest>,
    pub(super) namespace: String,
}

impl Scene {
    /// Returns what is compared with the file of the folder.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Played(played) => &played.printed,
            Self::Unreadable(page) => page,
            Self::Skipped(why) => why,
        }
    }
}

/// Plays the story of a folder on a clock of its own.
pub(super) fn play(folder: &Path) -> Scene {
    play_heard(folder, None)
}

/// The same with somebody who writes down what is sent.
pub(super) fn play_heard(folder: &Path, recorder: Option<Recorder>) -> Scene {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(perform(folder, recorder))
}

async fn perform(folder: &Path, recorder: Option<Recorder>) -> Scene {
    let path = folder.join("story.yaml");
    let story =
        Story::parse(&std::fs::read_to_string(&path).unwrap(), &path.display().to_string()).unwrap_or_else(|error| panic!("{error}"));
    let source = Source::of(&folder.join("manifests").display().to_string()).unwrap();
    if matches!(source, Source::Chart(_)) && !is_installed("helm") {
        return Scene::Skipped("helm is not installed".to_owned());
    }
    let state = tempfile::tempdir().unwrap();
    let clock = Clock::starting_at(story.clock.start, 1.0);
    let cluster = SimCluster::start(&story, clock, story.seed);
    let cluster = match &recorder {
        Some(recorder) => recorder.on(cluster),
        None => cluster,
    };
    let since = truth::beginning(&cluster);
    let mut tasks = JoinSet::new();
    let session = session::open(opening(&story, &source, clock, &cluster, state.path()), &mut tasks);
    let mut stage = Stage { story: &story, clock, session, recorder, printed: Vec::new(), refused: Vec::new() };
    if let Some(page) = stage.act().await {
        return Scene::Unreadable(page + "\n");
    }
    let Stage { printed, refused, session, .. } = stage;
    let truth = Truth::of(&cluster, since);
    drop(session);
    let loaded = crate::manifest::load(&source, &load_options(&story)).await.unwrap();
    let namespace = story.sync.namespace.clone().unwrap();
    Scene::Played(Played { printed: String::from_utf8(printed).unwrap(), refused, truth, manifests: loaded.manifests, namespace })
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn load_options(story: &Story) -> LoadOptions {
    LoadOptions { app: story.sync.app.clone().unwrap(), namespace: story.sync.namespace.clone(), ..LoadOptions::default() }
}

fn opening(story: &Story, source: &Source, clock: Clock, cluster: &SimCluster, state: &Path) -> Opening {
    let namespace = story.sync.namespace.clone().unwrap();
    Opening {
        app: story.sync.app.clone().unwrap(),
        namespace: Some(namespace.clone()),
        source: source.clone(),
        load: load_options(story),
        revision: story.sync.revision.clone(),
        state_dir: state.to_owned(),
        read_only: None,
        protected: Vec::new(),
        rules: RuleSources::default(),
        clock,
        connector: Connector::Client {
            client: cluster.client(),
            context: "embedded".to_owned(),
            cluster: "in process".to_owned(),
            namespace,
        },
        unattended: false,
        skip_unchanged: true,
        operation_ids: OperationIds::Fixed(format!("{}-{}", story.metadata.name, story.seed)),
    }
}

/// What is on while a story plays.
struct Stage<'a> {
    story: &'a Story,
    clock: Clock,
    session: SessionHandle,
    recorder: Option<Recorder>,
    printed: Vec<u8>,
    refused: Vec<String>,
}

/// Something that the operator presses.
#[expect(clippy::large_enum_variant, reason = "few are ever alive, and none is kept")]
enum Press {
    Sync(Request),
    Terminate,
}

impl Stage<'_> {
    /// Presses everything in turn, then waits for the end of the story; returns the page of a target that cannot be read.
    async fn act(&mut self) -> Option<String> {
        let presses: Vec<(Timestamp, Press)> =
            self.story.input.iter().map(|input| (self.at(input.at), self.press(&input.action))).collect();
        let mut rest = presses.as_slice();
        while let Some(((at, press), after)) = rest.split_first() {
            self.idle_until(*at).await;
            rest = after;
            match press {
                Press::Terminate => self.session.asks.send(Ask::Terminate { by: "the story".to_owned() }).await.unwrap(),
                Press::Sync(request) => {
                    let count = rest.iter().take_while(|(_, press)| matches!(press, Press::Terminate)).count();
                    let alarms: Vec<Timestamp> = rest[..count].iter().map(|(at, _)| *at).collect();
                    match self.sync(request.clone(), &alarms).await {
                        End::Done(operation) => {
                            let ended = operation.finished_at().unwrap();
                            rest = &rest[alarms.iter().take_while(|at| **at < ended).count()..];
                        }
                        End::Failed(_, page) => return Some(page),
                        end @ (End::Refused(_) | End::Stopped(_) | End::Lost) => panic!("the sync was not begun: {end:?}"),
                    }
                }
            }
        }
        let length = self.story.length.unwrap_or_else(|| panic!("a story that is played has a length"));
        self.idle_until(self.at(length)).await;
        None
    }

    fn at(&self, time: Duration) -> Timestamp {
        self.story.clock.start + SignedDuration::try_from(time).unwrap()
    }

    fn press(&self, action: &str) -> Press {
        let mut words = action.split_whitespace();
        match words.next() {
            Some("sync") => {
                let given: Vec<&str> = words.chain(self.story.sync.resources.iter().map(String::as_str)).collect();
                let selection: Vec<Selector> = given.iter().map(|text| Selector::parse(text).unwrap()).collect();
                let selection = (!selection.is_empty()).then_some(selection);
                Press::Sync(Request { prune: self.story.sync.prune, selection, by: "demo".to_owned(), ..Request::default() })
            }
            Some("terminate") => Press::Terminate,
            Some(_) | None => panic!("`{action}` is not something that can be pressed"),
        }
    }

    /// Runs one operation, and presses the key that ends it at the given times.
    async fn sync(&mut self, request: Request, alarms: &[Timestamp]) -> End<Box<Operation>> {
        let (_stop, mut stops) = mpsc::channel(1);
        if let Some(recorder) = &self.recorder
            && let End::Done(rights) = report::rights(&mut self.session, &mut stops, request.clone()).await
        {
            recorder.begin(rights);
        }
        let (clock, asks) = (self.clock, self.session.asks.clone());
        let limit = self.at(self.story.length.unwrap_or_default() + PATIENCE);
        let operator = async {
            for at in alarms {
                clock.sleep_until(*at).await;
                asks.send(Ask::Terminate { by: "the story".to_owned() }).await.unwrap();
            }
            clock.sleep_until(limit).await;
        };
        let mut printed = Vec::new();
        let end = {
            let mut json = Json::new(&mut printed);
            tokio::select! {
                biased;
                end = report::sync(&mut self.session, &mut stops, request, &mut json) => Some(end),
                () = operator => None,
            }
        };
        self.printed.append(&mut printed);
        if let (Some(recorder), Some(End::Done(operation))) = (&self.recorder, &end) {
            recorder.end(operation.phase());
        }
        end.unwrap_or_else(|| panic!("the operation did not end; printed so far:\n{}", String::from_utf8_lossy(&self.printed)))
    }

    /// Lets time pass, and takes what the session says meanwhile: facts of an app that settles, and refusals.
    async fn idle_until(&mut self, at: Timestamp) {
        let clock = self.clock;
        let alarm = clock.sleep_until(at);
        tokio::pin!(alarm);
        loop {
            let lanes = &mut self.session.subscription;
            tokio::select! {
                biased;
                Some(answer) = self.session.answers.recv() => {
                    if let Answer::Refused { reason } = answer {
                        self.refused.push(reason);
                    }
                }
                Some(_) = lanes.facts.recv() => {}
                Some(_) = lanes.logs.recv() => {}
                () = &mut alarm => return,
            }
        }
    }
}
