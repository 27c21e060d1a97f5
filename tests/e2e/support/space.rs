//! A namespace for one test, removed at its end whatever happens, and kubectl as the witness of what is in there.

use std::cell::RefCell;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::history::{Change, History};
use super::manifests::Object;
use super::running::Sync;
use super::{SOON, eventually};

const VARIABLE: &str = "SYNCWAVE_E2E_KUBECONFIG";
const FINALIZER: &str = "syncwave.dev/hook-finalizer";

/// Tests share the cluster; one that stops a part of it has it alone.
static CLUSTER: RwLock<()> = RwLock::new(());

/// Waits until no other test runs, and keeps it so.
pub(crate) fn alone() -> RwLockWriteGuard<'static, ()> {
    CLUSTER.write().unwrap_or_else(PoisonError::into_inner)
}

/// Where one test lives.
#[derive(Debug)]
pub(crate) struct Space {
    pub(crate) namespace: String,
    /// Ends the names of everything that is not in the namespace.
    pub(crate) suffix: String,
    pub(crate) kubeconfig: PathBuf,
    history: Option<History>,
    folder: TempDir,
    outside: RefCell<Vec<(String, String)>>,
    /// What the runs of the test looked like; printed when it fails.
    pub(super) traces: RefCell<Vec<String>>,
    _shared: Option<RwLockReadGuard<'static, ()>>,
}

impl Space {
    /// Makes a namespace, or says that the test is skipped.
    pub(crate) fn open(name: &str) -> Option<Self> {
        let shared = CLUSTER.read().unwrap_or_else(PoisonError::into_inner);
        Self::make(name, Some(shared))
    }

    /// The same for a test that has the cluster for itself.
    pub(crate) fn open_alone(name: &str) -> Option<Self> {
        Self::make(name, None)
    }

    fn make(name: &str, shared: Option<RwLockReadGuard<'static, ()>>) -> Option<Self> {
        let Some(kubeconfig) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) else {
            skipped(name, &format!("set {VARIABLE}, for example by running it through tests/cluster/exec"));
            return None;
        };
        let suffix = format!("{:06x}", RandomState::new().build_hasher().finish() & 0x00ff_ffff);
        let mut space = Self {
            namespace: format!("e2e-{name}-{suffix}"),
            suffix,
            kubeconfig: PathBuf::from(kubeconfig),
            history: None,
            folder: tempfile::tempdir().unwrap(),
            outside: RefCell::default(),
            traces: RefCell::default(),
            _shared: shared,
        };
        let namespace = space.namespace.clone();
        let revision = space.make_namespace(&namespace);
        space.history = Some(History::since(space.kubeconfig.clone(), namespace, &revision));
        Some(space)
    }

    /// Makes one more namespace, returns its name.
    pub(crate) fn another_namespace(&self, name: &str) -> String {
        let namespace = format!("e2e-{name}-{}", self.suffix);
        self.make_namespace(&namespace);
        self.removes("namespace", &namespace);
        namespace
    }

    /// Makes a namespace in which pods can start at once; returns the cluster's revision.
    fn make_namespace(&self, name: &str) -> String {
        let made: Value = serde_json::from_str(&self.kubectl(&["create", "namespace", name, "-o", "json"])).unwrap();
        // What a pod mounts; it comes by itself, and it is no change of the test. After an outage the controllers take their time until they
        // watch again.
        eventually("the default ServiceAccount and its certificate", Duration::from_secs(120), || {
            self.try_kubectl(&["-n", name, "get", "serviceaccount/default", "configmap/kube-root-ca.crt"]).ok()
        });
        made["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
    }

    /// Says what is outside the namespace and has to go at the end.
    pub(crate) fn removes(&self, kind: &str, name: &str) {
        self.outside.borrow_mut().push((kind.to_owned(), name.to_owned()));
    }

    /// Writes manifests into a file of the test's folder.
    pub(crate) fn write(&self, name: &str, objects: &[Object]) -> PathBuf {
        let text: Vec<String> = objects.iter().map(|object| serde_json::to_string_pretty(object).unwrap()).collect();
        self.write_text(name, &text.join("\n---\n"))
    }

    pub(crate) fn write_text(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name).with_extension("yaml");
        fs::write(&path, text).unwrap();
        path
    }

    /// Returns the folder in which the binary keeps what it remembers between two runs.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A sync of manifests into the namespace.
    pub(crate) fn sync(&self, target: &Path) -> Sync<'_> {
        Sync::new(self, "sync", target)
    }

    /// The deletion of an app from the namespace.
    pub(crate) fn delete(&self, target: &Path) -> Sync<'_> {
        Sync::new(self, "delete", target)
    }

    /// Returns the plan of a sync into the namespace.
    pub(crate) fn plan(&self, target: &Path, arguments: &[&str]) -> Value {
        let output = self.plan_output(target, &[&["-o", "json"], arguments].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs a plan, without a screen; another `--kubeconfig` among the arguments wins.
    pub(crate) fn plan_output(&self, target: &Path, arguments: &[&str]) -> std::process::Output {
        self.look("plan", target, arguments)
    }

    /// Runs `plan --rbac` as the user of a kubeconfig; returns the exit code, what it printed, and what it said on standard error.
    pub(crate) fn rights(&self, target: &Path, kubeconfig: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_syncwave"));
        command.arg("plan").arg(target).args(["--rbac", "--headless", "--app", "app"]).args(arguments);
        if !arguments.contains(&"-n") {
            command.args(["-n", &self.namespace]);
        }
        command.arg("--state-dir").arg(self.state()).arg("--kubeconfig").arg(kubeconfig).stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    /// Runs kubectl with objects on its standard input; panics when it fails.
    pub(crate) fn feed(&self, arguments: &[&str], input: &str) -> String {
        let mut command = self.kubectl_command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "kubectl {}: {}\n{input}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Returns the exit code of a diff and what it printed as JSON.
    pub(crate) fn diff(&self, target: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
        let output = self.diff_output(target, &[&["-o", "json"], arguments].concat());
        let printed = serde_json::from_slice(&output.stdout);
        (output.status.code(), printed.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr))))
    }

    /// Runs a diff; another `--kubeconfig` among the arguments wins.
    pub(crate) fn diff_output(&self, target: &Path, arguments: &[&str]) -> std::process::Output {
        self.look("diff", target, arguments)
    }

    fn look(&self, command: &str, target: &Path, arguments: &[&str]) -> std::process::Output {
        let mut command_line = Command::new(env!("CARGO_BIN_EXE_syncwave"));
        command_line.arg(command).arg(target).args(["--app", "app", "-n", &self.namespace]).args(arguments);
        command_line.arg("--state-dir").arg(self.state());
        if !arguments.contains(&"--kubeconfig") {
            command_line.arg("--kubeconfig").arg(&self.kubeconfig);
        }
        command_line.output().unwrap()
    }

    /// Runs kubectl and returns what it printed; panics when it fails.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        self.try_kubectl(arguments).unwrap_or_else(|error| panic!("kubectl {}: {error}", arguments.join(" ")))
    }

    /// Runs kubectl in the namespace, unless the arguments name another one.
    pub(crate) fn try_kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self.kubectl_command(arguments).output().unwrap();
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
        }
    }

    fn kubectl_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command.arg("--kubeconfig").arg(&self.kubeconfig);
        if !arguments.contains(&"-n") {
            command.args(["-n", &self.namespace]);
        }
        command.args(arguments).stdin(Stdio::null());
        command
    }

    /// Creates an object with kubectl, for what is there before the sync.
    pub(crate) fn create(&self, object: &Object) {
        let mut child = self.kubectl_command(&["create", "-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(object.to_string().as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "kubectl create of {object}");
    }

    /// Makes an account that may do these things to everything in the namespace; returns a kubeconfig with its token.
    pub(crate) fn account(&self, verbs: &[&str]) -> PathBuf {
        let kubeconfig = self.identity("limited");
        self.create(&json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "limited"},
            "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": verbs}],
        }));
        let subject = format!("--serviceaccount={}:limited", self.namespace);
        self.kubectl(&["create", "rolebinding", "limited", "--role=limited", &subject]);
        self.may("limited", if verbs[0] == "*" { "get" } else { verbs[0] }, "configmaps");
        kubeconfig
    }

    /// Waits until the authorizer knows what an account was given.
    pub(crate) fn may(&self, account: &str, verb: &str, resource: &str) {
        let user = format!("--as=system:serviceaccount:{}:{account}", self.namespace);
        eventually(&format!("{account} may {verb} {resource}"), SOON, || self.try_kubectl(&["auth", "can-i", verb, resource, &user]).ok());
    }

    /// Creates the definition of a kind and waits until whoever asks finds the kind: it is served a moment after it is established.
    pub(crate) fn define(&self, definition: &Object) {
        let name = definition["metadata"]["name"].as_str().unwrap();
        self.removes("customresourcedefinition", name);
        self.create(definition);
        eventually(&format!("{name} is served"), SOON, || self.try_kubectl(&["get", name]).ok());
    }

    /// Makes an account without any rights; returns a kubeconfig with its token.
    pub(crate) fn identity(&self, name: &str) -> PathBuf {
        self.kubectl(&["create", "serviceaccount", name]);
        let token = self.kubectl(&["create", "token", name]);
        let mut config: Value =
            serde_json::from_str(&self.kubectl(&["config", "view", "--raw", "--minify", "--flatten", "-o", "json"])).unwrap();
        let user = config["contexts"][0]["context"]["user"].clone();
        config["users"] = json!([{"name": user, "user": {"token": token.trim()}}]);
        self.write_text(&format!("kubeconfig-{name}"), &config.to_string())
    }

    /// Returns an object (`job/migrate`), if it is there.
    pub(crate) fn get(&self, what: &str) -> Option<Value> {
        let text = self.kubectl(&["get", what, "--ignore-not-found", "-o", "json"]);
        (!text.is_empty()).then(|| serde_json::from_str(&text).unwrap())
    }

    /// Returns the names of one kind in the namespace, sorted, without what Kubernetes puts there itself.
    pub(crate) fn names(&self, kind: &str) -> Vec<String> {
        let list: Value = serde_json::from_str(&self.kubectl(&["get", kind, "-o", "json"])).unwrap();
        let name = |item: &Value| item["metadata"]["name"].as_str().unwrap().to_owned();
        let mut names: Vec<String> = list["items"].as_array().unwrap().iter().map(name).collect();
        names.retain(|name| name != "kube-root-ca.crt");
        names.sort();
        names
    }

    pub(crate) fn uid(&self, what: &str) -> String {
        let object = self.get(what).unwrap_or_else(|| panic!("{what} is not there"));
        object["metadata"]["uid"].as_str().unwrap().to_owned()
    }

    /// Returns when an object was created, as the API says: whole seconds, in text that sorts.
    pub(crate) fn created_at(&self, what: &str) -> String {
        let object = self.get(what).unwrap_or_else(|| panic!("{what} is not there"));
        object["metadata"]["creationTimestamp"].as_str().unwrap().to_owned()
    }

    /// Returns everything that happened to the objects of one resource since the test began.
    pub(crate) fn history(&self, api: &str, resource: &str) -> Vec<Change> {
        self.history.as_ref().expect("there since the test began").of(api, resource)
    }

    /// Returns the revision in which each incarnation of an object was created.
    pub(crate) fn births(&self, api: &str, resource: &str, name: &str) -> Vec<u64> {
        let births = self.history(api, resource).into_iter().filter(|change| change.kind == "ADDED" && change.name().starts_with(name));
        births.map(|change| change.revision()).collect()
    }

    /// Returns the revision in which a Job was first seen with a condition.
    pub(crate) fn job_reached(&self, name: &str, condition: &str) -> u64 {
        let has = |change: &Change| {
            let conditions = change.object["status"]["conditions"].as_array().cloned().unwrap_or_default();
            conditions.iter().any(|one| one["type"] == condition && one["status"] == "True")
        };
        let history = self.history("apis/batch/v1", "jobs");
        let change = history.iter().find(|change| change.name() == name && has(change));
        change.unwrap_or_else(|| panic!("job {name} never had {condition}")).revision()
    }

    /// Checks that no object of these namespaces carries the finalizer of a hook any more (decision 22).
    pub(crate) fn assert_no_finalizer(&self) {
        let kinds = "jobs,pods,configmaps,secrets,services,deployments,serviceaccounts";
        let list: Value = serde_json::from_str(&self.kubectl(&["get", kinds, "-o", "json"])).unwrap();
        for item in list["items"].as_array().unwrap() {
            assert!(!has_our_finalizer(item), "{} {} still has the finalizer of a hook", item["kind"], item["metadata"]["name"]);
        }
    }

    /// Takes our finalizer and those of tests off everything in a namespace: a test may have left it there on purpose, or failed.
    fn free(&self, namespace: &str) {
        let text = self.try_kubectl(&["-n", namespace, "get", "jobs,configmaps,pods,replicasets", "-o", "json"]).unwrap_or_default();
        let list: Value = serde_json::from_str(&text).unwrap_or_default();
        let is_held = |item: &Value| {
            let mut names = item["metadata"]["finalizers"].as_array().into_iter().flatten().filter_map(Value::as_str);
            names.any(|name| name == FINALIZER || name.starts_with("example.com/"))
        };
        for item in list["items"].as_array().into_iter().flatten().filter(|item| is_held(item)) {
            let what = format!("{}/{}", item["kind"].as_str().unwrap_or_default(), item["metadata"]["name"].as_str().unwrap_or_default());
            drop(self.try_kubectl(&["-n", namespace, "patch", &what, "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#]));
        }
    }
}

fn has_our_finalizer(object: &Value) -> bool {
    object["metadata"]["finalizers"].as_array().into_iter().flatten().any(|one| one == FINALIZER)
}

impl Drop for Space {
    fn drop(&mut self) {
        let mut outside = self.outside.take();
        outside.push(("namespace".to_owned(), self.namespace.clone()));
        if std::thread::panicking() {
            for trace in self.traces.borrow().iter() {
                say(trace);
            }
            let kinds = "deployments,services,jobs,pods,configmaps,events";
            say(&self.try_kubectl(&["get", kinds]).unwrap_or_else(|error| error));
        }
        for (kind, name) in outside {
            drop(self.try_kubectl(&["delete", &kind, &name, "--ignore-not-found", "--wait=false"]));
            if kind == "namespace" {
                self.free(&name);
            }
        }
    }
}

fn say(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// Says that a test was skipped, past the capture of the test runner: a person should see it. Where `SYNCWAVE_E2E=1` says that
/// there is a cluster, a test that would be skipped fails: a suite that proves nothing must not look like one that passed.
pub(crate) fn skipped(name: &str, why: &str) {
    assert!(std::env::var_os("SYNCWAVE_E2E").is_none_or(|value| value != "1"), "{name} may not be skipped: {why}");
    say(&format!("skipped {name}: {why}"));
}
