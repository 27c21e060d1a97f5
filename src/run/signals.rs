//! Turns signals of the operating system into [`Stop`]s. SIGHUP is taken and ignored: the terminal may go, the operation stays.

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::report::Stop;

/// How many signals may wait; more say nothing new.
const WAITING: usize = 8;

/// Listens until the receiver is dropped.
pub(super) fn listen(tasks: &mut JoinSet<()>) -> (mpsc::Sender<Stop>, mpsc::Receiver<Stop>) {
    let (sender, receiver) = mpsc::channel(WAITING);
    spawn(tasks, &sender);
    tracing::info!("listening for signals");
    (sender, receiver)
}

#[cfg(unix)]
fn spawn(tasks: &mut JoinSet<()>, sender: &mpsc::Sender<Stop>) {
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
        let sender = sender.clone();
        tasks.spawn(async move {
            while stream.recv().await.is_some() {
                tracing::info!(?stop, "signal");
                if let Some(stop) = stop
                    && sender.send(stop).await.is_err()
                {
                    return;
                }
            }
        });
    }
}

#[cfg(not(unix))]
fn spawn(tasks: &mut JoinSet<()>, sender: &mpsc::Sender<Stop>) {
    let sender = sender.clone();
    tasks.spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if sender.send(Stop::Interrupt).await.is_err() {
                return;
            }
        }
    });
}
