//! Signals of the operating system while the screens are open.

use std::io;

use crate::clock::{Clock, Echo};

/// A signal that ends the screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Interrupt,
    Terminate,
    /// The terminal is gone; what runs goes on.
    Hangup,
}

/// What a signal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    End(Signal),
    /// SIGUSR1: a paused operation goes on, as without screens.
    GoOn,
}

#[cfg(unix)]
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    go_on: tokio::signal::unix::Signal,
    interrupt_echo: Echo,
    terminate_echo: Echo,
}

#[cfg(unix)]
impl Signals {
    /// Starts to listen; from now on none of them ends the process by itself.
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            go_on: signal(SignalKind::user_defined1())?,
            interrupt_echo: Echo::new(Clock::real()),
            terminate_echo: Echo::new(Clock::real()),
        })
    }

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) -> Told {
        loop {
            tokio::select! {
                Some(()) = self.interrupt.recv() => if !self.interrupt_echo.is_one() { return Told::End(Signal::Interrupt) },
                Some(()) = self.terminate.recv() => if !self.terminate_echo.is_one() { return Told::End(Signal::Terminate) },
                Some(()) = self.hangup.recv() => return Told::End(Signal::Hangup),
                Some(()) = self.go_on.recv() => return Told::GoOn,
                else => return futures::future::pending().await,
            }
        }
    }
}

#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Starts to listen.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) -> Told {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Told::End(Signal::Interrupt),
            Err(_) => futures::future::pending().await,
        }
    }
}
