//! Runs the tools that render manifests: no shell, no input, a time limit (decision 16). A tool ends with the future
//! that waits for it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tokio::process::Command;

use super::error::ManifestError;
use crate::model::object::MASK;

/// The option in front of a parameter of a chart.
pub(super) const PARAMETER: &str = "--set";
/// Shorter values are hidden in the command alone; a text would be full of holes.
const SHORTEST_SECRET: usize = 4;

/// Where tools are found, and how long one may take.
pub(super) struct Tools {
    path: Option<OsString>,
    limit: Duration,
}

/// What a tool printed.
pub(super) struct Printed {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: String,
}

impl Default for Tools {
    fn default() -> Self {
        Self { path: std::env::var_os("PATH"), limit: Duration::from_secs(60) }
    }
}

impl Tools {
    #[cfg(test)]
    pub(super) fn in_folder(folder: &std::path::Path, limit: Duration) -> Self {
        Self { path: Some(folder.into()), limit }
    }

    /// Returns the file of a tool, if one of the folders of PATH has it.
    pub(super) fn find(&self, name: &str) -> Option<PathBuf> {
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        let folders = std::env::split_paths(self.path.as_ref()?);
        folders.filter(|folder| !folder.as_os_str().is_empty()).map(|folder| folder.join(&file)).find(|path| path.is_file())
    }

    /// Runs a tool to its end and returns what it printed.
    pub(super) async fn run(&self, program: &OsStr, arguments: &[OsString]) -> Result<Printed, ManifestError> {
        let failed = |status: String, stderr: String| ManifestError::ToolFailed {
            command: command_line(program, arguments),
            status,
            stderr: without_parameters(stderr, arguments),
        };
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(not_started(&error), String::new()))?;
        // The limit is real time, whatever tokio's clock does: on a paused clock a tokio timer would fire at once.
        let (running, ended) = mpsc::channel::<()>();
        let limit = self.limit;
        let timer = tokio::task::spawn_blocking(move || ended.recv_timeout(limit));
        let output = tokio::select! {
            output = child.wait_with_output() => output,
            _ = timer => return Err(ManifestError::ToolLate { command: command_line(program, arguments), seconds: limit.as_secs() }),
        };
        drop(running);
        let output = output.map_err(|error| failed(error.to_string(), String::new()))?;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(Printed { stdout: output.stdout, stderr }) } else { Err(failed(ending(output.status), stderr)) }
    }
}

fn not_started(error: &io::Error) -> String {
    format!("it did not start: {error}")
}

fn ending(status: ExitStatus) -> String {
    status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"))
}

/// The command as a person would type it; the tool's folder does not matter. Values of parameters may be secrets.
fn command_line(program: &OsStr, arguments: &[OsString]) -> String {
    let name = std::path::Path::new(program).file_stem().unwrap_or(program).to_string_lossy().into_owned();
    let mut words = vec![name];
    let mut is_parameter = false;
    for argument in arguments {
        let word = argument.to_string_lossy();
        words.push(match word.split_once('=').filter(|_| is_parameter) {
            Some((parameter, _)) => format!("{parameter}={MASK}"),
            None => word.into_owned(),
        });
        is_parameter = argument == PARAMETER;
    }
    words.join(" ")
}

/// A tool may repeat what it was given.
fn without_parameters(said: String, arguments: &[OsString]) -> String {
    let parameters = arguments.windows(2).filter(|pair| pair[0] == PARAMETER).map(|pair| pair[1].to_string_lossy());
    let mut values: Vec<String> = Vec::new();
    for parameter in parameters {
        let value = parameter.split_once('=').map_or("", |(_, value)| value);
        values.push(value.to_owned());
        values.extend(value.split([',', '=']).map(str::to_owned));
    }
    values.retain(|value| value.chars().count() >= SHORTEST_SECRET);
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values.iter().fold(said, |said, value| said.replace(value, MASK))
}
