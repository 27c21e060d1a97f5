//! What all parts need: a client, namespaces of one run, the binary, and what machine this is.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Outcome;

/// Longer than any run, also on a machine that has other work.
const LIMIT: Duration = Duration::from_secs(240);
static NAMESPACES: AtomicUsize = AtomicUsize::new(1);

/// The cluster, and folders that go at the end.
pub(crate) struct Bench {
    pub(crate) kubeconfig: PathBuf,
    pub(crate) client: kube::Client,
    folder: TempDir,
}

/// A fresh namespace with a state folder of its own.
pub(crate) struct Space<'a> {
    pub(crate) bench: &'a Bench,
    pub(crate) namespace: String,
}

impl Bench {
    pub(crate) async fn open(kubeconfig: PathBuf) -> Outcome<Self> {
        let config = kube::Config::from_custom_kubeconfig(Kubeconfig::read_from(&kubeconfig)?, &KubeConfigOptions::default()).await?;
        Ok(Self { kubeconfig, client: kube::Client::try_from(config)?, folder: tempfile::tempdir()? })
    }

    /// Returns what the figures depend on.
    pub(crate) async fn machine(&self) -> String {
        let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let info = text("/proc/cpuinfo");
        let model =
            info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown CPU").trim_start_matches([':', '\t', ' ']);
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let load: Vec<String> = text("/proc/loadavg").split(' ').take(3).map(str::to_owned).collect();
        let server = self.client.apiserver_version().await.map_or_else(|error| error.to_string(), |version| version.git_version);
        let kubectl = said(std::process::Command::new("kubectl").args(["version", "--client"]));
        let own = said(std::process::Command::new(env!("CARGO_BIN_EXE_syncwave")).arg("--version"));
        format!("{model}, {cores} cores, load {} at the start\n{own}, API server {server}, kubectl: {kubectl}", load.join(" "))
    }

    pub(crate) fn has_kubectl() -> bool {
        std::process::Command::new("kubectl").arg("version").arg("--client").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    }

    /// Makes a namespace.
    pub(crate) async fn space(&self) -> Outcome<Space<'_>> {
        let number = NAMESPACES.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("bench-{}-{number}", std::process::id());
        let object: Namespace = serde_json::from_value(json!({"metadata": {"name": namespace}}))?;
        Api::<Namespace>::all(self.client.clone()).create(&PostParams::default(), &object).await?;
        let space = Space { bench: self, namespace };
        space.settle().await?;
        Ok(space)
    }
}

fn said(command: &mut std::process::Command) -> String {
    let output = command.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    output.lines().next().map_or_else(|| "none".to_owned(), str::to_owned)
}

impl Space<'_> {
    /// Kubernetes puts objects of its own into a new namespace; that is no part of any figure.
    async fn settle(&self) -> Outcome<()> {
        let end = Instant::now() + Duration::from_secs(20);
        while self.config_maps().get_opt("kube-root-ca.crt").await?.is_none() && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    pub(crate) fn config_maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.bench.client.clone(), &self.namespace)
    }

    /// Writes manifests into one file.
    pub(crate) fn write(&self, manifests: &[Value]) -> Outcome<PathBuf> {
        let file = self.bench.folder.path().join(format!("{}.yaml", self.namespace));
        let texts: Vec<String> = manifests.iter().map(Value::to_string).collect();
        std::fs::write(&file, texts.join("\n---\n"))?;
        Ok(file)
    }

    /// Runs a sync to its end; returns how long the process lived and the last line that it printed.
    pub(crate) async fn sync(&self, kubeconfig: &Path, target: &Path) -> Outcome<(Duration, Value)> {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_syncwave"));
        command.arg("sync").arg(target).args(["-o", "json", "--app", "bench", "-n", &self.namespace]);
        command.arg("--state-dir").arg(self.state()).arg("--kubeconfig").arg(kubeconfig);
        let (took, output) = timed(command).await?;
        let last = output.lines().last().unwrap_or_default();
        let finished: Value = serde_json::from_str(last)?;
        if finished["phase"] != "Succeeded" {
            return Err(format!("the sync did not succeed: {last}").into());
        }
        Ok((took, finished))
    }

    /// Runs `plan` or `diff`; returns how long the process lived and what it printed.
    pub(crate) async fn preview(&self, what: &str, kubeconfig: &Path, target: &Path) -> Outcome<(Duration, Value)> {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_syncwave"));
        command.arg(what).arg(target).args(["-o", "json", "--app", "bench", "-n", &self.namespace]);
        command.arg("--state-dir").arg(self.state()).arg("--kubeconfig").arg(kubeconfig);
        let began = Instant::now();
        let output = tokio::time::timeout(LIMIT, command.stdin(Stdio::null()).kill_on_drop(true).output()).await??;
        let took = began.elapsed();
        Ok((took, serde_json::from_slice(&output.stdout)?))
    }

    fn state(&self) -> PathBuf {
        self.bench.folder.path().join(format!("{}.state", self.namespace))
    }

    /// Forgets what the last sync has written down.
    pub(crate) fn forget(&self) -> Outcome<()> {
        Ok(std::fs::remove_dir_all(self.state())?)
    }

    /// Runs `kubectl apply` as a script would.
    pub(crate) async fn kubectl_apply(&self, target: &Path) -> Outcome<Duration> {
        let mut command = tokio::process::Command::new("kubectl");
        command.arg("--kubeconfig").arg(&self.bench.kubeconfig).args(["-n", &self.namespace]);
        command.args(["apply", "--server-side", "--validate=false", "-f"]).arg(target);
        Ok(timed(command).await?.0)
    }

    /// Returns how many ConfigMaps of ours there are.
    pub(crate) async fn count(&self) -> Outcome<usize> {
        let all = self.config_maps().list_metadata(&ListParams::default()).await?;
        Ok(all.items.iter().filter(|item| item.metadata.name.as_deref() != Some("kube-root-ca.crt")).count())
    }

    /// Removes the namespace and waits until it is gone, so that its deletion disturbs nobody.
    pub(crate) async fn remove(self) -> Outcome<()> {
        let namespaces = Api::<Namespace>::all(self.bench.client.clone());
        namespaces.delete(&self.namespace, &DeleteParams::default()).await?;
        let end = Instant::now() + LIMIT;
        while namespaces.get_opt(&self.namespace).await?.is_some() && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }
}

/// Runs a command; returns how long the process lived, and what it printed.
async fn timed(mut command: tokio::process::Command) -> Outcome<(Duration, String)> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let began = Instant::now();
    let output = tokio::time::timeout(LIMIT, command.output()).await??;
    let took = began.elapsed();
    check(output.status, &output.stderr)?;
    Ok((took, String::from_utf8_lossy(&output.stdout).into_owned()))
}

fn check(status: ExitStatus, errors: &[u8]) -> Outcome<()> {
    if status.success() {
        return Ok(());
    }
    Err(format!("{status}: {}", String::from_utf8_lossy(errors).trim()).into())
}

/// A ConfigMap of about 240 bytes.
pub(crate) fn config_map(number: usize) -> Value {
    let filler = "0123456789abcdef".repeat(6);
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("config-{number:05}")},
        "data": {"number": number.to_string(), "filler": filler}})
}
