//! Runs the binary in a clean environment and looks at what it wrote.

#[cfg(unix)]
pub(crate) mod pty;

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Returns the folder of the package.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A home, a working folder and the binary.
pub(crate) struct App {
    home: TempDir,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    input: Input,
}

/// What the binary finds on standard input.
enum Input {
    Nothing,
    Text(Vec<u8>),
    /// An open pipe that nobody writes to.
    Open,
}

/// What the binary did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl App {
    pub(crate) fn new(line: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let arguments = line.split_whitespace().map(str::to_owned).collect();
        Self { home, arguments, variables: Vec::new(), input: Input::Nothing }
    }

    /// Writes a file of the working folder.
    pub(crate) fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn folder(self, name: &str) -> Self {
        std::fs::create_dir_all(self.path(name)).unwrap();
        self
    }

    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn input(mut self, text: &str) -> Self {
        self.input = Input::Text(text.as_bytes().to_vec());
        self
    }

    pub(crate) fn waiting_input(mut self) -> Self {
        self.input = Input::Open;
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_syncwave"));
        let home = self.home.path();
        command.env_clear().args(&self.arguments).current_dir(home).env("HOME", home).env("USER", "tester");
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.envs(self.variables.iter().map(|(name, value)| (OsStr::new(name), OsStr::new(value))));
        command.stdin(if matches!(self.input, Input::Nothing) { Stdio::null() } else { Stdio::piped() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts the binary.
    pub(crate) fn start(&self) -> Child {
        let mut child = self.command().spawn().unwrap();
        if let Input::Text(input) = &self.input {
            child.stdin.take().unwrap().write_all(input).unwrap();
        }
        child
    }

    /// Runs the binary to its end; standard output is a device that is full.
    #[cfg(target_os = "linux")]
    pub(crate) fn run_into_full_disk(&self) -> Done {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        Done::of(self.command().stdout(full).spawn().unwrap())
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self) -> Done {
        Done::of(self.start())
    }
}

impl Done {
    /// Waits for the end; standard input stays as it is until then.
    pub(crate) fn of(mut child: Child) -> Self {
        let _input = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("everything that is printed is UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Returns standard output as JSON lines.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }

    /// Asserts how the binary ended without an operation: the code, nothing on standard output, and words of the sentence.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.out, "", "standard output is for events");
        assert!(!self.err.contains("panicked") && !self.err.contains('\u{1b}'), "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "`{word}` is missing in: {}", self.err);
        }
    }
}
