//! Owns the state of the terminal: raw mode, the alternate screen, the cursor. Whoever leaves the program in whatever way, the terminal is
//! as it was. Knows nothing of what is drawn.

use std::io::{self, BufWriter, Stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};
use std::thread::{self, ThreadId};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::parts::Parts;
use super::tty;

/// Whether the terminal is ours now.
static TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// Room for a whole frame, so that it is written in few pieces.
const FRAME_BYTES: usize = 64 * 1024;

/// Gives the terminal back when dropped.
#[derive(Debug)]
pub(crate) struct Guard(());

impl Guard {
    /// Takes the terminal.
    ///
    /// # Errors
    /// Standard output is not a terminal, or refuses.
    pub(crate) fn enter() -> io::Result<Self> {
        install_hook(thread::current().id());
        tty::keep_mode()?;
        let guard = Self(());
        guard.take_keys()?;
        guard.take_screen()?;
        Ok(guard)
    }

    /// Gives the terminal to another program, as it was before.
    pub(crate) fn lend(&self) {
        leave();
    }

    /// Takes the keys, and leaves what another program has printed where it is. Whatever modes that program has left behind are not taken
    /// for those of the start.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn take_keys(&self) -> io::Result<()> {
        tty::restore_mode()?;
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Takes the screen. The next frame must write every cell.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn take_screen(&self) -> io::Result<()> {
        execute!(io::stdout(), EnterAlternateScreen, cursor::Hide, EnableBracketedPaste)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        leave();
        // Whoever it is lent to may have gone without putting anything in order.
        if let Err(error) = tty::restore_mode() {
            tracing::warn!(%error, "the modes of the terminal could not be set");
        }
    }
}

/// Gives the terminal back. Does nothing the second time, and never panics: there is nobody left to tell.
pub(crate) fn leave() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let cooked = disable_raw_mode();
        let left = execute!(io::stdout(), EndSynchronizedUpdate, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
        if let Err(error) = cooked.and(left) {
            tracing::warn!(%error, "the terminal could not be given back");
        }
    }
}

/// A panic of the thread that draws gives the terminal back before it is printed; one of another thread must not print over the picture.
fn install_hook(drawing: ThreadId) {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() == drawing || !TAKEN.load(Ordering::SeqCst) {
                leave();
                before(info);
            } else {
                tracing::error!("{info}");
            }
        }));
    });
}

/// The picture on the terminal.
pub(crate) struct Screen {
    terminal: Backed,
    is_over: Arc<AtomicBool>,
    parts: Parts,
}

type Backed = Terminal<CrosstermBackend<Output>>;

/// Standard output, which does not complain once it is over: ratatui shows the cursor when it is dropped and prints why it cannot, and where
/// the terminal has gone that is a panic, because standard error has gone with it.
struct Output {
    out: BufWriter<Stdout>,
    is_over: Arc<AtomicBool>,
}

impl Output {
    fn excused<T>(&self, done: io::Result<T>, otherwise: T) -> io::Result<T> {
        if self.is_over.load(Ordering::SeqCst) { Ok(done.unwrap_or(otherwise)) } else { done }
    }
}

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = self.out.write(bytes);
        self.excused(done, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.out.flush();
        self.excused(done, ())
    }
}

fn blank() -> io::Result<(Backed, Arc<AtomicBool>)> {
    let is_over = Arc::new(AtomicBool::new(false));
    let out = BufWriter::with_capacity(FRAME_BYTES, io::stdout());
    Ok((Terminal::new(CrosstermBackend::new(Output { out, is_over: is_over.clone() }))?, is_over))
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
    }
}

impl Screen {
    /// Makes the screen of a terminal that has been taken.
    ///
    /// # Errors
    /// The terminal does not say its size.
    pub(crate) fn new(_taken: &Guard) -> io::Result<Self> {
        let (terminal, is_over) = blank()?;
        Ok(Self { terminal, is_over, parts: Parts::default() })
    }

    /// Returns the size of the terminal now.
    ///
    /// # Errors
    /// The terminal does not say.
    pub(crate) fn size(&self) -> io::Result<Size> {
        self.terminal.size()
    }

    /// Forgets what is on the terminal, so that the next frame writes every cell. Nothing is asked of the terminal: whoever waits for keys
    /// would take its answer.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        let (terminal, is_over) = blank()?;
        self.is_over.store(true, Ordering::SeqCst);
        (self.terminal, self.is_over) = (terminal, is_over);
        execute!(self.terminal.backend_mut(), Clear(ClearType::All))
    }

    /// Shows a frame, all at once on terminals that can.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn draw(&mut self, picture: impl FnOnce(Rect, &mut Buffer)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| {
            let area = frame.area();
            picture(area, frame.buffer_mut());
            self.parts.mark(frame.buffer_mut());
        })?;
        queue!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        io::Write::flush(self.terminal.backend_mut())
    }
}
