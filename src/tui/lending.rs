//! Lends the terminal to a viewer of differences and takes it back. Meanwhile the session goes on: what it tells is folded as always, so
//! nothing is missing when the screens come back. Knows nothing of what is shown.

use std::io::{self, Write as _};
use std::process::ExitStatus;
use std::time::Duration;

use crossterm::event::{Event, EventStream, KeyEventKind};
use futures::{FutureExt as _, StreamExt as _};
use jiff::SignedDuration;
use tokio::process::{Child, Command};

use super::signals::{Signal, Told};
use super::tty::{self, Lent};
use super::viewer::Showing;
use super::views::Notice;
use super::{Last, Program, Stage};

/// A program that ends sooner has printed something and gone: a key is waited for, so that it can be read.
const GLANCE: SignedDuration = SignedDuration::from_secs(1);
/// How long a program may take to go when it is asked to, and when it is killed.
const PATIENCE: Duration = Duration::from_secs(1);

/// How much later than the end of the viewer the signal may come that ended it.
const LATE: Duration = Duration::from_millis(100);
/// Keys that were typed ahead and are dropped: they were meant for the viewer, which cannot have them any more.
const TYPED_AHEAD: usize = 64;

/// Lets go of the keys, so that the viewer gets them. The thread that waits for them is woken, and it takes that only while it waits: a wake
/// that nobody has taken would hide the first key of whoever waits next.
fn let_go(mut keys: EventStream) {
    let ahead = (0..TYPED_AHEAD).take_while(|_| keys.next().now_or_never().is_some()).count();
    tracing::debug!(ahead, "the terminal is lent");
}

/// Ends a viewer: it is asked first, for one that is killed leaves the terminal as it is.
async fn end(child: &mut Child) {
    if let Some(process) = child.id() {
        tty::terminate(process);
    }
    let ended = tokio::time::timeout(PATIENCE, child.wait()).await;
    if ended.is_err() {
        let killed = tokio::time::timeout(PATIENCE, child.kill()).await;
        tracing::debug!(?killed, "the viewer does not end by itself");
    }
}

/// How it ended with the viewer.
enum Viewed {
    Ended(ExitStatus),
    /// It did not start, or is lost.
    Failed(io::Error),
    /// The program has to end.
    Signal(Signal),
}

impl Program<'_> {
    /// Shows a difference in the person's viewer. Returns why the program has to end, if it has.
    pub(super) async fn lend(&mut self, showing: &Showing, stage: &mut Stage<'_>) -> io::Result<Option<Last>> {
        let prepared = match self.viewer.prepare(showing) {
            Ok(prepared) => prepared,
            Err(error) => {
                let folder = std::env::temp_dir();
                self.app.say(Notice::bad(format!("the files for the viewer cannot be written to {}: {error}", folder.display())));
                return Ok(None);
            }
        };
        // Before the terminal is anybody else's, so that no key of it reaches us.
        let mut lent = match Lent::begin() {
            Ok(lent) => lent,
            Err(error) => {
                self.app.say(Notice::bad(format!("the terminal cannot be lent to a viewer: {error}")));
                return Ok(None);
            }
        };
        let started = self.world.now();
        if let Some(keys) = stage.keys.take() {
            let_go(keys);
        }
        stage.guard.lend();
        let mut command = Command::new(self.viewer.program());
        command.args(&prepared.arguments).kill_on_drop(true);
        let viewed = self.watch(command, &mut lent).await;
        stage.guard.take_keys()?;
        drop(lent);
        let is_short = self.world.now().duration_since(started) < GLANCE;
        let last = self.viewed(viewed, is_short, stage).await?;
        stage.guard.take_screen()?;
        stage.screen.clear()?;
        Ok(last)
    }

    /// Says how it ended, as far as that is not seen.
    async fn viewed(&mut self, viewed: Viewed, is_short: bool, stage: &mut Stage<'_>) -> io::Result<Option<Last>> {
        match viewed {
            Viewed::Ended(status) => {
                let has_failed = status.code().is_none_or(|code| code > 1);
                if is_short || has_failed { self.linger(status, stage).await } else { Ok(None) }
            }
            Viewed::Failed(error) => {
                self.app.say(Notice::bad(self.viewer.absent(&error)));
                Ok(None)
            }
            Viewed::Signal(signal) => Ok(Some(Last::Signal(signal))),
        }
    }

    /// Waits for the end of the viewer, and listens to everything else.
    async fn watch(&mut self, mut command: Command, lent: &mut Lent) -> Viewed {
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Viewed::Failed(error),
        };
        let process = child.id();
        loop {
            // Every branch is cancel-safe: a wait, signals, a viewer that was stopped, and channels that keep what is not taken.
            tokio::select! {
                status = child.wait() => {
                    let viewed = status.map_or_else(Viewed::Failed, Viewed::Ended);
                    return self.late_signal().await.map_or(viewed, Viewed::Signal);
                }
                told = self.signals.next() => match told {
                    Told::GoOn => self.go_on(),
                    // The terminal sends it to both; it is meant for the one that is seen.
                    Told::End(Signal::Interrupt) => {}
                    Told::End(signal) => {
                        end(&mut child).await;
                        return Viewed::Signal(signal);
                    }
                },
                () = lent.go_on(process) => {}
                incoming = self.lanes.next() => {
                    self.take(incoming);
                }
            }
        }
    }

    /// Takes the interrupt that ended the viewer: it may reach us after the news of that end, and must not end the operation.
    async fn late_signal(&mut self) -> Option<Signal> {
        while let Ok(told) = tokio::time::timeout(LATE, self.signals.next()).await {
            match told {
                Told::GoOn => self.go_on(),
                Told::End(Signal::Interrupt) => {}
                Told::End(signal) => return Some(signal),
            }
        }
        None
    }

    /// Leaves on the terminal what the viewer has printed until a key is pressed.
    async fn linger(&mut self, status: ExitStatus, stage: &mut Stage<'_>) -> io::Result<Option<Last>> {
        let how = if status.success() { String::new() } else { format!(" ({status})") };
        let mut out = io::stdout();
        write!(out, "\r\n{} has ended{how}; any key goes back to syncwave", self.viewer.program())?;
        out.flush()?;
        let keys = stage.keys.get_or_insert_with(EventStream::new);
        loop {
            tokio::select! {
                event = keys.next() => match event {
                    Some(Ok(Event::Key(key))) if key.kind != KeyEventKind::Release => break,
                    Some(Ok(_)) => {}
                    None | Some(Err(_)) => return Ok(Some(Last::Signal(Signal::Hangup))),
                },
                told = self.signals.next() => match told {
                    Told::GoOn => self.go_on(),
                    // Here the interrupt of the keyboard is a key; one that comes as a signal was the viewer's.
                    Told::End(Signal::Interrupt) => {}
                    Told::End(signal) => return Ok(Some(Last::Signal(signal))),
                },
                incoming = self.lanes.next() => {
                    self.take(incoming);
                }
            }
        }
        write!(out, "\r\n")?;
        Ok(None)
    }
}
