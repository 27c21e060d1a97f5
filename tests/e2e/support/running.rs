//! The binary: how a test starts it, follows what it prints, and ends it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::outcome::Outcome;
use super::space::Space;
use super::trace::trace;

/// Much longer than the slowest test: three attempts of a Job with the pauses that Kubernetes makes between them, on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);

/// A command that is about to start.
#[derive(Debug)]
pub(crate) struct Sync<'a> {
    space: &'a Space,
    command: Command,
    namespace: String,
}

impl<'a> Sync<'a> {
    pub(super) fn new(space: &'a Space, verb: &str, target: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_syncwave"));
        command.arg(verb).arg(target).args(["-o", "json", "--app", "app"]);
        command.arg("--state-dir").arg(space.state());
        command.env_remove("KUBECONFIG").env("KUBECONFIG", &space.kubeconfig);
        Self { space, command, namespace: space.namespace.clone() }
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// Has another destination.
    pub(crate) fn namespace(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.namespace);
        self
    }

    /// Uses another identity.
    pub(crate) fn kubeconfig(mut self, file: &Path) -> Self {
        self.command.arg("--kubeconfig").arg(file);
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Outcome {
        self.start().finish()
    }

    /// Starts it with a standard output that nobody reads.
    pub(crate) fn start_unread(mut self) -> Child {
        self.command.args(["-n", &self.namespace]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        self.command.spawn().unwrap()
    }

    /// Starts it and lets it run.
    pub(crate) fn start(mut self) -> Running<'a> {
        self.command.args(["-n", &self.namespace]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let printed = Arc::new(Printed::default());
        let reader = read_lines(child.stdout.take().unwrap(), Arc::clone(&printed));
        let errors = read_all(child.stderr.take().unwrap());
        Running { space: self.space, child, printed, reader: Some(reader), errors: Some(errors) }
    }
}

/// Sends a signal to a program, for example `INT`.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success(), "kill -s {name}");
}

/// The lines so far.
#[derive(Debug, Default)]
struct Printed {
    lines: Mutex<Vec<Value>>,
    more: Condvar,
}

fn read_lines(out: ChildStdout, printed: Arc<Printed>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines() {
            let line = line.expect("standard output is UTF-8");
            let event = serde_json::from_str(&line).unwrap_or_else(|error| panic!("not JSON on standard output: {error}: {line}"));
            printed.lines.lock().unwrap().push(event);
            printed.more.notify_all();
        }
    })
}

fn read_all(mut error: ChildStderr) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = Vec::new();
        error.read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// A sync that runs; killed when the test gives up.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    space: &'a Space,
    child: Child,
    printed: Arc<Printed>,
    reader: Option<JoinHandle<()>>,
    errors: Option<JoinHandle<String>>,
}

impl Running<'_> {
    /// Waits for a line.
    pub(crate) fn wait_for(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + LIMIT;
        let mut lines = self.printed.lines.lock().unwrap();
        loop {
            if let Some(line) = lines.iter().find(|line| is_it(line)) {
                return line.clone();
            }
            let over = lines.last().is_some_and(|line| line["event"] == "operation.finished");
            if over || Instant::now() > end {
                let trace = trace(&lines);
                drop(lines);
                panic!("never printed: {what}\n{trace}");
            }
            lines = self.printed.more.wait_timeout(lines, Duration::from_secs(1)).unwrap().0;
        }
    }

    /// Waits until it says what it waits for.
    pub(crate) fn wait_until_waiting(&self, message: &str) -> Value {
        self.wait_for(message, |line| line["event"] == "waiting" && line["message"] == message)
    }

    /// Waits until a task has a state.
    pub(crate) fn wait_for_task(&self, name: &str, state: &str) -> Value {
        self.wait_for(&format!("{name} {state}"), |line| {
            line["event"] == "task.changed" && line["task"]["name"] == name && line["hookPhase"] == state
        })
    }

    /// Sends a signal, for example `INT`.
    pub(crate) fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Kills it, as a crash would, and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.signal("KILL");
        self.ended();
    }

    /// Waits for the end of a program that may leave its operation unfinished; returns the exit code.
    pub(crate) fn code(mut self) -> Option<i32> {
        self.ended().code()
    }

    /// Waits for the end.
    pub(crate) fn finish(mut self) -> Outcome {
        let status = self.ended();
        self.reader.take().unwrap().join().expect("every line is JSON");
        let errors = self.errors.take().unwrap().join().unwrap();
        let lines = std::mem::take(&mut *self.printed.lines.lock().unwrap());
        self.space.traces.borrow_mut().push(format!("exit {status}\n{errors}\n{}", trace(&lines)));
        Outcome::new(lines, status.code(), errors)
    }
}

impl Running<'_> {
    fn ended(&mut self) -> ExitStatus {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            if Instant::now() > end {
                let trace = trace(&self.printed.lines.lock().unwrap());
                panic!("did not end within {LIMIT:?}\n{trace}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            drop(self.child.kill());
            drop(self.child.wait());
            let trace = trace(&self.printed.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
            self.space.traces.borrow_mut().push(format!("killed\n{trace}"));
        }
    }
}
