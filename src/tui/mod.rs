//! The terminal user interface: terminal, loop, screens. Talks to a session only through its handle, folds the same facts as every other
//! consumer, and never touches a cluster. `run` is the loop; everything that decides is in `app`, without a terminal.

mod action;
mod app;
mod board;
pub(crate) mod clean;
mod command;
mod comparison;
mod dialogs;
mod footer;
mod happening;
mod keymap;
mod lanes;
mod lending;
pub(crate) mod log_store;
mod model;
mod pace;
mod paint;
mod parts;
pub(crate) mod rehearsal;
mod row;
mod signals;
mod summary;
mod tally;
mod terminal;
#[cfg(test)]
mod tests;
pub(crate) mod theme;
mod tty;
pub(crate) mod viewer;
pub(crate) mod views;
pub(crate) mod widgets;

use std::io;

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{Event, EventStream};
use crossterm::execute;
use futures::StreamExt as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::task::{JoinError, JoinSet};

use self::app::{App, Begin, Effect, Msg};
use self::lanes::{Incoming, Lanes};
use self::pace::Pace;
use self::signals::{Signals, Told};
use self::terminal::{Guard, Screen};
use self::views::diff::work::Done;
use self::views::{Leaving, Notice};
use crate::clock::Clock;
use crate::engine::session::{Ask, FailureKind, SessionHandle};
use crate::model::OperationPhase;
use crate::operation::{Operation, Request};

pub(crate) use self::model::Story;
pub(crate) use self::signals::Signal;
pub(crate) use self::theme::Look;
pub(crate) use self::viewer::Viewer;

/// A session that has been opened for the screens.
pub(crate) struct Opened {
    pub(crate) handle: SessionHandle,
    /// The clock of its records.
    pub(crate) clock: Clock,
    /// What its syncs are asked with.
    pub(crate) request: Request,
    /// What to call it until its place is known: the target as it was typed, or the story.
    pub(crate) target: String,
}

/// Opens the session of the story with this name, or says why that cannot be done.
pub(crate) type Opener<'a> = Box<dyn FnMut(&str) -> Result<Opened, String> + 'a>;

/// What the program starts with.
pub(crate) enum Start<'a> {
    /// A target is open; nothing runs yet.
    Target(Opened),
    /// A sync was typed: it starts as soon as its plan is there.
    Sync(Opened),
    /// A deletion was typed, with its own request.
    Delete(Opened, Box<Request>),
    /// A gallery of stories. The chosen one is opened by name and plays at once.
    Gallery { stories: Vec<Story>, open: Opener<'a> },
}

/// How the last operation of the program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) phase: OperationPhase,
    pub(crate) terminated: bool,
}

/// Why the program ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The person left, or the operation that was left behind has ended.
    Quit,
    /// A signal came while nothing ran, or a second one.
    Signal(Signal),
    /// There was nothing to show: the report for standard error.
    Failed { kind: FailureKind, report: String },
}

/// What the program reports when it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Departure {
    pub(crate) cause: Cause,
    pub(crate) ended: Option<Ended>,
}

/// Runs the screens until the person leaves. Standard output must be a terminal; it is given back before the last lines are printed.
///
/// # Errors
/// The terminal cannot be used.
pub(crate) async fn run(start: Start<'_>, look: Look, viewer: Viewer) -> io::Result<Departure> {
    let mut program = Program::new(start, look, viewer)?;
    let guard = Guard::enter()?;
    let last = program.play(&guard).await;
    drop(guard);
    let last = match last {
        // The terminal may be found gone by a frame before the hangup is told.
        Err(error) if program.app.model.running().is_some() => {
            tracing::warn!(%error, "the terminal is gone");
            Last::Signal(Signal::Hangup)
        }
        last => last?,
    };
    program.leave(last).await
}

/// What the loop ended with.
enum Last {
    Leaving(Leaving),
    Failed { kind: FailureKind, report: String },
    Signal(Signal),
}

/// What woke the loop.
enum Wake {
    Frame,
    Terminal(Option<io::Result<Event>>),
    Signal(Told),
    Incoming(Incoming),
    Worked(Result<Option<Done>, JoinError>),
    Second,
}

/// The terminal while the screens have it.
struct Stage<'a> {
    guard: &'a Guard,
    screen: Screen,
    /// `None` before they are waited for.
    keys: Option<EventStream>,
}

struct Program<'a> {
    app: App,
    lanes: Lanes,
    signals: Signals,
    /// What is done beside the frames.
    work: JoinSet<Option<Done>>,
    opener: Option<Opener<'a>>,
    /// What shows a difference outside of the screens.
    viewer: Viewer,
    /// Runs as fast as the world; paces frames.
    world: Clock,
    /// The clock of the session's records.
    clock: Clock,
}

impl<'a> Program<'a> {
    fn new(start: Start<'a>, look: Look, viewer: Viewer) -> io::Result<Self> {
        let world = Clock::real();
        let (app, opened, opener) = match start {
            Start::Target(opened) => (App::new(look), Some((opened, Begin::Nothing)), None),
            Start::Sync(opened) => (App::new(look), Some((opened, Begin::Sync)), None),
            Start::Delete(opened, request) => (App::new(look), Some((opened, Begin::Deletion(request))), None),
            Start::Gallery { stories, open } => (App::gallery(look, stories), None, Some(open)),
        };
        let mut program =
            Self { app, lanes: Lanes::default(), signals: Signals::listen()?, work: JoinSet::new(), opener, viewer, world, clock: world };
        program.app.model.zone = TimeZone::system();
        if let Some((opened, begin)) = opened {
            program.open(opened, begin);
        }
        Ok(program)
    }

    fn open(&mut self, opened: Opened, begin: Begin) {
        self.clock = opened.clock;
        self.lanes = Lanes::of(opened.handle);
        self.app.open(opened.target, opened.request, begin);
    }

    /// The loop. One deadline decides when to draw: at once after silence, at most 60 times a second in a storm, never without a change.
    async fn play(&mut self, guard: &Guard) -> io::Result<Last> {
        let mut stage = Stage { guard, screen: Screen::new(guard)?, keys: None };
        let mut pace = Pace::new(self.world.now());
        loop {
            let mut dirty = match self.wake(pace.due(), &mut stage).await {
                Wake::Frame => {
                    self.draw(&mut stage.screen)?;
                    pace.drawn(self.world.now());
                    false
                }
                Wake::Terminal(Some(Ok(event))) => self.app.update(Msg::Terminal(event)),
                // The terminal is gone: what runs goes on, as after a hangup.
                Wake::Terminal(None | Some(Err(_))) => return Ok(Last::Signal(Signal::Hangup)),
                Wake::Signal(Told::End(signal)) => return Ok(Last::Signal(signal)),
                Wake::Signal(Told::GoOn) => {
                    self.go_on();
                    false
                }
                Wake::Incoming(incoming) => self.take(incoming),
                Wake::Worked(worked) => self.take_work(worked),
                Wake::Second => self.app.update(Msg::Tick),
            };
            for effect in self.app.take_effects() {
                dirty |= matches!(effect, Effect::Show(_));
                if let Some(last) = self.obey(effect, &mut stage).await? {
                    return Ok(last);
                }
            }
            if dirty {
                pace.change(self.world.now());
            }
        }
    }

    async fn wake(&mut self, frame_due: Option<Timestamp>, stage: &mut Stage<'_>) -> Wake {
        let keys = stage.keys.get_or_insert_with(EventStream::new);
        // A frame that is due shows the new second too; without this a fast clock would keep the loop spinning.
        let second = self.app.wake_at(self.clock.now()).filter(|_| frame_due.is_none());
        let (world, clock) = (self.world, self.clock);
        // Every branch is cancel-safe: sleeps, a stream, signals, channels that keep what is not taken, and a set that keeps what is done.
        tokio::select! {
            biased;
            () = world.sleep_until(frame_due.unwrap_or(Timestamp::MIN)), if frame_due.is_some() => Wake::Frame,
            event = keys.next() => Wake::Terminal(event),
            signal = self.signals.next() => Wake::Signal(signal),
            incoming = self.lanes.next() => Wake::Incoming(incoming),
            Some(worked) = self.work.join_next() => Wake::Worked(worked),
            () = clock.sleep_until(second.unwrap_or(Timestamp::MIN)), if second.is_some() => Wake::Second,
        }
    }

    fn draw(&mut self, screen: &mut Screen) -> io::Result<()> {
        self.app.settle(self.clock.now(), screen.size()?);
        screen.draw(|area, buffer| self.app.draw(area, buffer))
    }

    fn take(&mut self, incoming: Incoming) -> bool {
        match incoming {
            Incoming::Facts(mut records) => self.app.update(Msg::Facts(&mut records)),
            Incoming::Lines(mut lines) => self.app.update(Msg::Lines(&mut lines)),
            Incoming::Answer(answer) => self.app.update(Msg::Answer(answer)),
            Incoming::Closed => {
                self.app.say(Notice::bad("the session has ended"));
                true
            }
        }
    }

    /// Takes what was done; nothing comes of work that nobody wants any more.
    fn take_work(&mut self, worked: Result<Option<Done>, JoinError>) -> bool {
        match worked {
            Ok(done) => done.is_some_and(|done| self.app.update(Msg::Done(done))),
            Err(error) => {
                tracing::error!(%error, "work beside the frames has failed");
                self.app.say(Notice::bad("the lines could not be made; :log says why"));
                true
            }
        }
    }

    async fn obey(&mut self, effect: Effect, stage: &mut Stage<'_>) -> io::Result<Option<Last>> {
        match effect {
            Effect::Ask(ask) => {
                if let Err(reason) = self.lanes.ask(ask) {
                    self.app.say(Notice::bad(reason));
                }
            }
            Effect::OpenStory(story) => self.open_story(story),
            Effect::CloseSession => self.lanes = Lanes::default(),
            Effect::Leave(leaving) => return Ok(Some(Last::Leaving(leaving))),
            Effect::Fail { kind, report } => return Ok(Some(Last::Failed { kind, report })),
            Effect::Redraw => stage.screen.clear()?,
            Effect::Work(job) => drop(self.work.spawn_blocking(move || job.run())),
            Effect::Show(showing) => return self.lend(&showing, stage).await,
            Effect::Copy(text) => execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))?,
        }
        Ok(None)
    }

    fn open_story(&mut self, story: usize) {
        let Some(name) = self.app.model.stories.get(story).map(|story| story.name.clone()) else { return };
        let Some(opener) = &mut self.opener else { return };
        match opener(&name) {
            Ok(opened) => self.open(opened, Begin::Sync),
            Err(reason) => self.app.say(Notice::bad(reason)),
        }
    }

    /// What happens after the terminal has been given back: a running operation is waited for, then the last lines are printed.
    async fn leave(mut self, last: Last) -> io::Result<Departure> {
        let running = self.app.model.running().is_some();
        let mut cause = Cause::Quit;
        match last {
            Last::Failed { kind, report } => cause = Cause::Failed { kind, report },
            Last::Signal(signal) if !running => cause = Cause::Signal(signal),
            Last::Leaving(Leaving::Now) => {}
            Last::Leaving(Leaving::Detached) | Last::Signal(Signal::Hangup) => {
                say(&format!("the {} goes on in this process; ctrl-c terminates it", self.app.model.noun()));
                self.say_how_it_goes_on();
                cause = self.finish(false).await;
            }
            Last::Leaving(Leaving::Terminated) | Last::Signal(Signal::Interrupt | Signal::Terminate) => {
                say(&format!("terminating the {}", self.app.model.noun()));
                cause = self.finish(true).await;
            }
        }
        self.app.model.settle(self.clock.now());
        for line in summary::lines(&self.app.model) {
            say(&line);
        }
        let ended = self
            .app
            .model
            .operations()
            .next()
            .and_then(|board| board.operation())
            .map(|operation| Ended { phase: operation.phase(), terminated: operation.is_terminated() });
        Ok(Departure { cause, ended })
    }

    /// Waits for the end of the operation. The first signal terminates it, the second one gives up waiting.
    async fn finish(&mut self, terminate: bool) -> Cause {
        let mut terminated = terminate;
        if terminate {
            self.terminate();
        }
        while self.app.model.running().is_some() {
            tokio::select! {
                signal = self.signals.next() => match signal {
                    Told::GoOn => self.go_on(),
                    Told::End(Signal::Hangup) => {}
                    Told::End(signal) if terminated => return Cause::Signal(signal),
                    Told::End(Signal::Interrupt | Signal::Terminate) => {
                        terminated = true;
                        self.terminate();
                    }
                },
                incoming = self.lanes.next() => match incoming {
                    Incoming::Closed => return Cause::Quit,
                    Incoming::Facts(_) | Incoming::Lines(_) | Incoming::Answer(_) => _ = self.take(incoming),
                },
            }
        }
        Cause::Quit
    }

    fn say_how_it_goes_on(&self) {
        let needs_a_person = self.app.model.running().and_then(|board| board.operation()).is_some_and(Operation::needs_a_person);
        if needs_a_person {
            say(&format!("it stops before a wave; `kill -USR1 {}` lets it go on", std::process::id()));
        }
    }

    /// Lets a paused operation go on, whoever sits at the terminal.
    fn go_on(&mut self) {
        let is_paused = self.app.model.running().and_then(|board| board.operation()).is_some_and(|operation| operation.paused().is_some());
        if is_paused && let Err(reason) = self.lanes.ask(Ask::Resume { by: "SIGUSR1".to_owned() }) {
            tracing::warn!(reason, "cannot let the operation go on");
        }
    }

    fn terminate(&mut self) {
        let by = self.app.model.request.by.clone();
        if let Err(reason) = self.lanes.ask(Ask::Terminate { by }) {
            tracing::warn!(reason, "cannot ask for the end");
        }
    }
}

/// Prints one of the last lines. A terminal that is gone is no reason to fail.
fn say(line: &str) {
    use std::io::Write as _;
    let mut out = io::stdout().lock();
    if let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush()) {
        tracing::debug!(%error, "nobody reads the last lines");
    }
}
