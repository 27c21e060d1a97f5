//! The binary in a real pseudo-terminal, and the screen that a person would see.

use std::io::{Read as _, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use tempfile::TempDir;

/// How long anything may take before the test fails; only a fault takes so long.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the terminal shows, and everything that was ever written to it.
struct Seen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    closed: bool,
}

/// Starts the binary in a terminal, closes the terminal as soon as it shows a text, and returns the exit code.
pub(crate) fn closed_at(text: &str, line: &str) -> u32 {
    let home = tempfile::tempdir().unwrap();
    let pair = native_pty_system().openpty(size(80, 24)).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_syncwave"));
    command.args(line.split_whitespace());
    command.env("TERM", "xterm-256color");
    command.env("HOME", home.path());
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let (mut reader, mut piece) = (pair.master.try_clone_reader().unwrap(), [0; 4096]);
    let mut parser = vt100::Parser::new(24.try_into().unwrap(), 80.try_into().unwrap(), 0);
    while !parser.screen().contents().contains(text) {
        let count = reader.read(&mut piece).unwrap();
        assert!(count > 0, "{}", parser.screen().contents());
        parser.process(&piece[..count]);
    }
    drop((reader, pair.master));
    child.wait().unwrap().exit_code()
}

/// A terminal with the binary in it.
pub(crate) struct Pty {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    /// The modes of the terminal at the start.
    modes: String,
    _home: TempDir,
}

impl Pty {
    /// Starts the binary with a line of arguments in a terminal of a size; the working folder is that of the package.
    pub(crate) fn start(line: &str, columns: u16, rows: u16) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_syncwave"));
        command.args(line.split_whitespace());
        Self::of(command, columns, rows)
    }

    /// Starts the binary as a job of a shell, which can stop it; the shell says `stopped` then.
    pub(crate) fn start_job(line: &str, columns: u16, rows: u16) -> Self {
        let script = format!("set -m; {} {line}; code=$?; test -z \"$(jobs)\" || echo stopped; exit $code", env!("CARGO_BIN_EXE_syncwave"));
        let mut command = CommandBuilder::new("/bin/sh");
        command.args(["-c", &script]);
        Self::of(command, columns, rows)
    }

    fn of(mut command: CommandBuilder, columns: u16, rows: u16) -> Self {
        let home = tempfile::tempdir().unwrap();
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let modes = modes(&*pair.master);
        command.env_clear();
        command.cwd(super::root());
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("USER", "tester")] {
            command.env(name, value);
        }
        command.env("HOME", home.path());
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let parser = vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0);
        let seen = Arc::new((Mutex::new(Seen { parser, bytes: Vec::new(), closed: false }), Condvar::new()));
        listen(pair.master.try_clone_reader().unwrap(), seen.clone());
        Self { writer: pair.master.take_writer().unwrap(), master: pair.master, child, seen, modes, _home: home }
    }

    /// Presses keys: text as it is, `<enter>`, `<esc>`, `<ctrl-x>`, `<space>` by name.
    pub(crate) fn press(&mut self, keys: &str) {
        for part in keys.split_inclusive('>') {
            let (text, name) = part.split_once('<').map_or((part, None), |(text, name)| (text, Some(name.trim_end_matches('>'))));
            self.writer.write_all(text.as_bytes()).unwrap();
            let key = match name {
                None => continue,
                Some("enter") => "\r".to_owned(),
                Some("esc") => "\u{1b}".to_owned(),
                Some("space") => " ".to_owned(),
                Some("down") => "\u{1b}[B".to_owned(),
                Some(name) => {
                    let letter = name.strip_prefix("ctrl-").and_then(|letter| letter.bytes().next()).unwrap_or_else(|| panic!("<{name}>"));
                    char::from(letter & 0x1f).to_string()
                }
            };
            self.writer.write_all(key.as_bytes()).unwrap();
        }
        self.writer.flush().unwrap();
    }

    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.seen.0.lock().unwrap().parser.screen_mut().set_size(rows.try_into().unwrap(), columns.try_into().unwrap());
        self.master.resize(size(columns, rows)).unwrap();
    }

    /// Waits until the screen shows a text.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        self.until(&format!("`{text}` is not on the screen"), |seen| seen.parser.screen().contents().contains(text));
    }

    /// Returns the screen.
    pub(crate) fn screen(&self) -> String {
        self.seen.0.lock().unwrap().parser.screen().contents()
    }

    /// Waits for the end, however it is and whatever it leaves behind.
    #[track_caller]
    pub(crate) fn gone(&mut self) {
        self.until("the program does not end", |seen| seen.closed);
        assert!(!self.child.wait().unwrap().success());
    }

    /// Waits for the end and returns the exit code; the terminal must be as it was.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> u32 {
        self.until("the program does not end", |seen| seen.closed);
        let code = self.child.wait().unwrap().exit_code();
        assert_eq!(modes(&*self.master), self.modes, "the modes of the terminal");
        let seen = self.seen.0.lock().unwrap();
        let screen = seen.parser.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor(), "the terminal is not given back:\n{}", screen.contents());
        assert!(!String::from_utf8_lossy(&seen.bytes).contains("panicked"), "{}", screen.contents());
        code
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    #[track_caller]
    fn until(&self, complaint: &str, is_so: impl Fn(&Seen) -> bool) {
        #[expect(clippy::disallowed_methods, reason = "a test that waits for a process has only the time of the machine")]
        let started = Instant::now();
        let (lock, changed) = &*self.seen;
        let mut seen = lock.lock().unwrap();
        while !is_so(&seen) {
            let left = PATIENCE.saturating_sub(started.elapsed());
            let over = left.is_zero() || seen.closed;
            assert!(!over, "{complaint}:\n{}", seen.parser.screen().contents());
            seen = changed.wait_timeout(seen, left).unwrap().0;
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().unwrap_or_default();
        }
    }
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("the terminal has modes"))
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn listen(mut reader: Box<dyn std::io::Read + Send>, seen: Arc<(Mutex<Seen>, Condvar)>) {
    std::thread::spawn(move || {
        let mut buffer = [0; 16_384];
        loop {
            let count = reader.read(&mut buffer).unwrap_or(0);
            // A test that has failed does not look any more.
            let Ok(mut now) = seen.0.lock() else { return };
            now.parser.process(&buffer[..count]);
            now.bytes.extend_from_slice(&buffer[..count]);
            now.closed = count == 0;
            drop(now);
            seen.1.notify_all();
            if count == 0 {
                return;
            }
        }
    });
}
