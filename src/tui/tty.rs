//! What the terminal and the programs in it are asked for beside crossterm, on Unix: the modes as they were at the start, and what the keys
//! that stop and quit a program do while a viewer has the terminal. Knows nothing of screens.

#[cfg(not(unix))]
pub(super) use self::elsewhere::{Lent, keep_mode, restore_mode, terminate};
#[cfg(unix)]
pub(super) use self::unix::{Lent, keep_mode, restore_mode, terminate};

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::{self, IsTerminal as _};
    use std::os::fd::AsFd as _;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, OnceLock};

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_current_process_group, kill_process, waitid};
    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
    use signal_hook::consts::{SIGQUIT, SIGTSTP};
    use signal_hook::flag::register_conditional_default;
    use tokio::signal::unix::{SignalKind, signal};

    /// The modes before anything was done to them.
    static BEFORE: OnceLock<Termios> = OnceLock::new();
    /// Whether the keys that stop and quit a program are ours.
    static OURS: OnceLock<Arc<AtomicBool>> = OnceLock::new();

    /// Remembers the modes of the terminal, the first time.
    pub(in crate::tui) fn keep_mode() -> io::Result<()> {
        if BEFORE.get().is_none() {
            let stdin = io::stdin();
            let mode = if stdin.is_terminal() { tcgetattr(stdin.as_fd())? } else { tcgetattr(File::open("/dev/tty")?)? };
            BEFORE.get_or_init(|| mode);
        }
        Ok(())
    }

    /// Sets the modes that were remembered, whatever a viewer has left behind.
    pub(in crate::tui) fn restore_mode() -> io::Result<()> {
        let Some(mode) = BEFORE.get() else { return Ok(()) };
        let stdin = io::stdin();
        if stdin.is_terminal() {
            tcsetattr(stdin.as_fd(), OptionalActions::Now, mode)?;
        } else {
            tcsetattr(File::open("/dev/tty")?, OptionalActions::Now, mode)?;
        }
        Ok(())
    }

    /// Asks a program to end, which a terminal program does with the terminal in order.
    pub(in crate::tui) fn terminate(process: u32) {
        if let Some(process) = pid(process)
            && let Err(error) = kill_process(process, Signal::TERM)
        {
            tracing::debug!(%error, "the viewer is gone already");
        }
    }

    fn pid(process: u32) -> Option<Pid> {
        Pid::from_raw(i32::try_from(process).ok()?)
    }

    /// While it lives, the keys that stop and quit a program are the viewer's: they reach its whole process group, and so us. Afterwards they
    /// do what they always do.
    pub(in crate::tui) struct Lent {
        children: tokio::signal::unix::Signal,
    }

    impl Lent {
        /// Takes the effect of the keys on us away.
        ///
        /// # Errors
        /// The system gives us no say in its signals.
        pub(in crate::tui) fn begin() -> io::Result<Self> {
            let children = signal(SignalKind::child())?;
            let ours = if let Some(ours) = OURS.get() {
                ours
            } else {
                // Handlers stay for good, so each asks whether it is to do what happens without it. A new program gets none of them.
                let ours = Arc::new(AtomicBool::new(true));
                for key in [SIGQUIT, SIGTSTP] {
                    register_conditional_default(key, ours.clone())?;
                }
                OURS.get_or_init(|| ours)
            };
            ours.store(false, Ordering::SeqCst);
            Ok(Self { children })
        }

        /// Waits until the viewer has been stopped, and lets it go on: nobody else could, for the shell waits for us. All that the key has
        /// stopped goes on, as a viewer may be several programs. Cancel-safe.
        pub(in crate::tui) async fn go_on(&mut self, process: Option<u32>) {
            while self.children.recv().await.is_some() {
                let Some(process) = process.and_then(pid) else { continue };
                if let Ok(Some(_)) = waitid(WaitId::Pid(process), WaitIdOptions::STOPPED | WaitIdOptions::NOHANG) {
                    let went_on = kill_current_process_group(Signal::CONT);
                    tracing::debug!(?went_on, "the viewer was stopped");
                    return;
                }
            }
            std::future::pending::<()>().await;
        }
    }

    impl Drop for Lent {
        fn drop(&mut self) {
            if let Some(ours) = OURS.get() {
                ours.store(true, Ordering::SeqCst);
            }
        }
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::io;

    pub(in crate::tui) fn keep_mode() -> io::Result<()> {
        Ok(())
    }

    pub(in crate::tui) fn restore_mode() -> io::Result<()> {
        Ok(())
    }

    pub(in crate::tui) fn terminate(_process: u32) {}

    pub(in crate::tui) struct Lent;

    impl Lent {
        pub(in crate::tui) fn begin() -> io::Result<Self> {
            Ok(Self)
        }

        pub(in crate::tui) async fn go_on(&mut self, _process: Option<u32>) {
            std::future::pending::<()>().await;
        }
    }
}
