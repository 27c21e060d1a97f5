//! Turns signals of the operating system into [`Stop`]s. SIGHUP is taken and ignored: the terminal may go, the operation stays. A signal
//! counts even when the program hangs in a write to a standard output that nobody reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::clock::{Clock, Echo};
use crate::engine::session::Ask;
use crate::failure::Exit;
use crate::report::Stop;

/// How many signals may wait; more say nothing new.
const WAITING: usize = 8;

/// How long the program's loop may leave a signal unread before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(2);

/// Listens until the receiver is dropped. `asks`: the session, for signals that come while the program cannot take them.
pub(super) fn listen(tasks: &mut JoinSet<()>, asks: &mpsc::Sender<Ask>) -> (mpsc::Sender<Stop>, mpsc::Receiver<Stop>) {
    let (sender, receiver) = mpsc::channel(WAITING);
    spawn(tasks, &sender, &Detour { asks: asks.downgrade(), was_asked: Arc::default() });
    tracing::info!("listening for signals");
    (sender, receiver)
}

/// The way of a signal around a loop that is stuck: the first one ends the operation, the next one the program.
#[derive(Clone)]
struct Detour {
    asks: mpsc::WeakSender<Ask>,
    was_asked: Arc<AtomicBool>,
}

impl Detour {
    /// Waits whether the loop takes what was sent; acts itself if not.
    async fn follow(&self, stop: Stop, sender: &mpsc::Sender<Stop>) {
        let exit = match stop {
            Stop::Interrupt => Exit::Interrupted,
            Stop::Terminate => Exit::Killed,
            Stop::Scripted | Stop::GoOn => return,
        };
        Clock::real().sleep(PATIENCE).await;
        if sender.capacity() == sender.max_capacity() {
            return;
        }
        if self.was_asked.swap(true, Ordering::SeqCst) {
            leave(exit);
        }
        tracing::warn!(?stop, "standard output is not read; the operation is ended without it");
        if let Some(asks) = self.asks.upgrade()
            && asks.send(Ask::Terminate { by: stop.as_str().to_owned() }).await.is_err()
        {
            tracing::debug!("the session has ended");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the main thread hangs in a write, so nothing can return, and no screen is open")]
fn leave(exit: Exit) -> ! {
    std::process::exit(exit.code().into())
}

/// Returns whether a signal is the echo of one that ends something. That an operation may go on is said as often as it stops.
#[cfg(unix)]
fn is_repeated(stop: Stop, echo: &mut Echo) -> bool {
    matches!(stop, Stop::Interrupt | Stop::Terminate) && echo.is_one()
}

#[cfg(unix)]
fn spawn(tasks: &mut JoinSet<()>, sender: &mpsc::Sender<Stop>, detour: &Detour) {
    use tokio::signal::unix::{SignalKind, signal};
    let wanted = [
        (SignalKind::interrupt(), Some(Stop::Interrupt)),
        (SignalKind::terminate(), Some(Stop::Terminate)),
        (SignalKind::user_defined1(), Some(Stop::GoOn)),
        (SignalKind::hangup(), None),
    ];
    for (kind, stop) in wanted {
        // The handler is in place before the task first runs, so no signal slips through between.
        let mut stream = match signal(kind) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot listen to a signal");
                continue;
            }
        };
        let (sender, detour) = (sender.clone(), detour.clone());
        tasks.spawn(async move {
            // Beside it, so that the next signal does not wait for the one before.
            let mut detours = JoinSet::new();
            let mut echo = Echo::new(Clock::real());
            while stream.recv().await.is_some() {
                tracing::info!(?stop, "signal");
                let Some(stop) = stop.filter(|stop| !is_repeated(*stop, &mut echo)) else { continue };
                if sender.send(stop).await.is_err() {
                    return;
                }
                let (detour, sender) = (detour.clone(), sender.clone());
                detours.spawn(async move { detour.follow(stop, &sender).await });
            }
        });
    }
}

#[cfg(not(unix))]
fn spawn(tasks: &mut JoinSet<()>, sender: &mpsc::Sender<Stop>, detour: &Detour) {
    let (sender, detour) = (sender.clone(), detour.clone());
    tasks.spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if sender.send(Stop::Interrupt).await.is_err() {
                return;
            }
            detour.follow(Stop::Interrupt, &sender).await;
        }
    });
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn two_pauses_that_end_at_once_are_two_and_an_interrupt_that_comes_twice_at_once_is_one() {
        for (stop, second) in [(Stop::GoOn, false), (Stop::Interrupt, true), (Stop::Terminate, true)] {
            let mut echo = Echo::new(Clock::real());
            assert!(!is_repeated(stop, &mut echo));
            assert_eq!(is_repeated(stop, &mut echo), second, "{stop:?}");
        }
    }
}
