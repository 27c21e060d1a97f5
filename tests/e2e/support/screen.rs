//! The binary in a terminal: what a person sees, and keys.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::space::Space;

/// How long anything may take; only a fault takes so long.
const LIMIT: Duration = Duration::from_secs(120);

/// A running UI.
pub(crate) struct Screen<'a> {
    space: &'a Space,
    parser: Arc<Mutex<vt100::Parser>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    /// Ends when it has read everything that the program has written.
    reader: JoinHandle<()>,
    /// Open as long as the program runs: its end would be a hangup.
    _terminal: Box<dyn MasterPty + Send>,
}

impl<'a> Screen<'a> {
    /// Starts the binary with these arguments in a terminal of 120 columns and 35 rows.
    pub(crate) fn open(space: &'a Space, arguments: &[&OsStr]) -> Self {
        let (rows, cols) = (NonZeroU16::new(35).unwrap(), NonZeroU16::new(120).unwrap());
        let pair = native_pty_system().openpty(PtySize { rows: rows.get(), cols: cols.get(), pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_syncwave"));
        command.args(arguments);
        command.args(["--app", "app", "-n", &space.namespace]);
        command.arg("--state-dir");
        command.arg(space.state());
        command.arg("--kubeconfig");
        command.arg(&space.kubeconfig);
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let parser = Arc::new(Mutex::new(vt100::Parser::new(rows, cols, 0)));
        let mut out = pair.master.try_clone_reader().unwrap();
        let shared = Arc::clone(&parser);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            while let Ok(count @ 1..) = out.read(&mut bytes) {
                shared.lock().unwrap_or_else(PoisonError::into_inner).process(&bytes[..count]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { space, parser, keys, child, reader, _terminal: pair.master }
    }

    /// Returns what is on the screen.
    pub(crate) fn text(&self) -> String {
        self.parser.lock().unwrap_or_else(PoisonError::into_inner).screen().contents()
    }

    /// Presses a key: a character, or `enter`, `esc`, `space`, `down`, `ctrl-k` and the like.
    pub(crate) fn press(&mut self, key: &str) {
        let bytes = match key {
            "enter" => "\r".to_owned(),
            "esc" => "\u{1b}".to_owned(),
            "space" => " ".to_owned(),
            "tab" => "\t".to_owned(),
            "up" => "\u{1b}[A".to_owned(),
            "down" => "\u{1b}[B".to_owned(),
            _ => match key.strip_prefix("ctrl-") {
                Some(letter) => char::from(letter.as_bytes()[0] & 0x1f).to_string(),
                None => key.to_owned(),
            },
        };
        self.keys.write_all(bytes.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until the screen says all of this at once.
    pub(crate) fn shows(&self, words: &[&str]) -> String {
        let end = Instant::now() + LIMIT;
        loop {
            let text = self.text();
            if words.iter().all(|word| text.contains(word)) {
                return text;
            }
            assert!(Instant::now() < end, "the screen never showed all of {words:?}:\n{text}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits for the end; the terminal has to be as it was.
    pub(crate) fn finish(mut self) -> u32 {
        let end = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < end, "did not end:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        };
        while !self.reader.is_finished() {
            assert!(Instant::now() < end, "somebody still has the terminal:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
        let parser = self.parser.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(!parser.screen().alternate_screen(), "the terminal was not given back");
        assert!(!parser.screen().hide_cursor(), "the cursor was not given back");
        status.exit_code()
    }
}

impl Drop for Screen<'_> {
    fn drop(&mut self) {
        self.space.traces.borrow_mut().push(self.text());
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}
