//! What happened to the objects of a namespace, as the API server remembers it. It forgets after 75 seconds, when much happens; what a
//! longer test may ask for is read meanwhile and kept.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

/// What is kept of a test that lasts; every other one reads its history when it asks for it.
const KEPT: [&str; 4] = ["api/v1 configmaps", "api/v1 services", "apis/apps/v1 deployments", "apis/batch/v1 jobs"];

/// Well within what the API server remembers, also where each look takes its time.
const LOOKS: Duration = Duration::from_secs(30);

/// How often a watch is opened until it has told everything.
const TRIES: u32 = 10;

/// One event of a watch.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// `ADDED`, `MODIFIED` or `DELETED`.
    pub(crate) kind: String,
    pub(crate) object: Value,
}

impl Change {
    /// The revision of the whole cluster in which it happened: comparable between all kinds.
    pub(crate) fn revision(&self) -> u64 {
        revision_of(&self.object).unwrap()
    }

    pub(crate) fn name(&self) -> &str {
        self.object["metadata"]["name"].as_str().unwrap()
    }
}

/// The history of one namespace from a revision on.
#[derive(Debug)]
pub(super) struct History {
    source: Arc<Source>,
    /// Ends the thread that looks when it is dropped.
    _test_runs: Sender<()>,
}

#[derive(Debug)]
struct Source {
    kubeconfig: PathBuf,
    namespace: String,
    begin: u64,
    /// By resource: up to which revision, and what happened until then.
    known: Mutex<BTreeMap<String, (u64, Vec<Change>)>>,
}

impl History {
    pub(super) fn since(kubeconfig: PathBuf, namespace: String, revision: &str) -> Self {
        let source = Arc::new(Source { kubeconfig, namespace, begin: revision.parse().unwrap(), known: Mutex::default() });
        let (test_runs, is_over) = mpsc::channel();
        let looking = Arc::clone(&source);
        std::thread::spawn(move || {
            while is_over.recv_timeout(LOOKS) == Err(RecvTimeoutError::Timeout) {
                // While a test keeps the API server away there is nothing to read; whoever asks for the history says so.
                KEPT.iter().for_each(|kept| drop(looking.read(kept)));
            }
        });
        Self { source, _test_runs: test_runs }
    }

    /// Returns everything that happened to the objects of one resource.
    pub(super) fn of(&self, api: &str, resource: &str) -> Vec<Change> {
        let read = self.source.read(&format!("{api} {resource}"));
        read.unwrap_or_else(|error| panic!("the API server does not tell the history of {resource}: {error}"))
    }
}

impl Source {
    /// Reads what is new and returns all: everything up to a list that is made now, however slowly the API server tells it.
    fn read(&self, what: &str) -> Result<Vec<Change>, String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (revision, changes) = known.entry(what.to_owned()).or_insert_with(|| (self.begin, Vec::new()));
        let list: Value = serde_json::from_str(&self.get(&self.path(what))?).map_err(|error| error.to_string())?;
        let listed = revision_of(&list).ok_or("a list without a revision")?;
        for _ in 0..TRIES {
            if *revision >= listed {
                return Ok(changes.clone());
            }
            let (new, read) = self.watch(what, *revision, listed)?;
            changes.extend(new.into_iter().filter(|change| change.name() != "kube-root-ca.crt"));
            *revision = read;
        }
        Err(format!("only up to {revision}, not up to {listed}"))
    }

    /// Returns what happened behind a revision, and up to which one that is all; ends when that is as far as is wanted.
    fn watch(&self, what: &str, behind: u64, wanted: u64) -> Result<(Vec<Change>, u64), String> {
        // Two seconds before it would end a watch, the API server says how far it has told everything.
        let query = format!("?watch=true&allowWatchBookmarks=true&timeoutSeconds=3&resourceVersion={behind}");
        let mut command = self.kubectl(&(self.path(what) + &query));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(|error| error.to_string())?;
        let (mut new, mut read) = (Vec::new(), behind);
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let mut event: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let change = Change { kind: event["type"].as_str().unwrap().to_owned(), object: event["object"].take() };
            if change.kind == "ERROR" {
                return Err(format!("behind {behind}: {change:?}"));
            }
            read = change.revision();
            new.extend((change.kind != "BOOKMARK").then_some(change));
            if read >= wanted {
                break;
            }
        }
        drop(child.kill());
        drop(child.wait());
        Ok((new, read))
    }

    fn path(&self, what: &str) -> String {
        let (api, resource) = what.split_once(' ').unwrap();
        format!("/{api}/namespaces/{}/{resource}", self.namespace)
    }

    fn get(&self, path: &str) -> Result<String, String> {
        let output = self.kubectl(path).output().map_err(|error| error.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    fn kubectl(&self, path: &str) -> Command {
        let mut command = Command::new("kubectl");
        command.arg("--kubeconfig").arg(&self.kubeconfig).args(["get", "--raw", path]).stdin(Stdio::null());
        command
    }
}

fn revision_of(object: &Value) -> Option<u64> {
    object["metadata"]["resourceVersion"].as_str()?.parse().ok()
}
