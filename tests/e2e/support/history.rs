//! What happened to the objects of a namespace, as the API server remembers it. It forgets after 75 seconds, when much happens; what a
//! longer test may ask for is read meanwhile and kept.

use std::collections::BTreeMap;
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
        self.object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap()
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
                KEPT.iter().for_each(|kept| drop(looking.keep(kept)));
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
    /// Reads what is new and returns all.
    fn read(&self, what: &str) -> Result<Vec<Change>, String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (revision, changes) = known.entry(what.to_owned()).or_insert_with(|| (self.begin, Vec::new()));
        let text = self.get(&format!("{}?watch=true&timeoutSeconds=1&resourceVersion={revision}", self.path(what)))?;
        let new = text.lines().map(|line| {
            let mut event: Value = serde_json::from_str(line).unwrap();
            Change { kind: event["type"].as_str().unwrap().to_owned(), object: event["object"].take() }
        });
        let new: Vec<Change> = new.collect();
        if let Some(error) = new.iter().find(|change| change.kind == "ERROR") {
            return Err(format!("since {revision}: {error:?}"));
        }
        *revision = new.iter().map(Change::revision).chain([*revision]).max().unwrap();
        changes.extend(new.into_iter().filter(|change| change.name() != "kube-root-ca.crt"));
        Ok(changes.clone())
    }

    /// Reads what is new, and where the next look may begin: where nothing happens, the last change gets too old for that.
    fn keep(&self, what: &str) -> Result<(), String> {
        let list: Value = serde_json::from_str(&self.get(&self.path(what))?).map_err(|error| error.to_string())?;
        let listed: u64 =
            list["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok()).ok_or("a list without a revision")?;
        self.read(what)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(what.to_owned()).and_modify(|(revision, _)| *revision = listed.max(*revision));
        Ok(())
    }

    fn path(&self, what: &str) -> String {
        let (api, resource) = what.split_once(' ').unwrap();
        format!("/{api}/namespaces/{}/{resource}", self.namespace)
    }

    fn get(&self, path: &str) -> Result<String, String> {
        let mut command = Command::new("kubectl");
        command.arg("--kubeconfig").arg(&self.kubeconfig).args(["get", "--raw", path]).stdin(Stdio::null());
        let output = command.output().map_err(|error| error.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }
}
