//! Runs the screens: opens the session that they begin with, or the gallery, and says how the program ends. Draws nothing itself.

use jiff::SignedDuration;

use crate::demo::{STORIES, Shipped};
use crate::engine::session::{SessionHandle, Terminal};
use crate::failure::{Colour, Exit, Failure};
use crate::operation::Request;
use crate::operation::verdict::short_time;
use crate::plan::Kind;
use crate::tui::{self, Cause, Departure, Look, Opened, Signal, Start, Viewer};

use super::headless::{failed, request};
use super::job::{Job, Place, parse};
use super::setup::{Settings, Work};
use super::signals;
use super::world::{Base, World};

/// What the exit code says of the last operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Everything: the command was to run it.
    Whole,
    /// Only that it was terminated: the command was to look around.
    Terminated,
}

/// Shows the work and returns how the program ends.
pub(super) async fn run(work: Work, settings: &Settings) -> Result<Exit, Failure> {
    match work {
        Work::Gallery => gallery(settings).await,
        Work::Open(job) => one(&job, settings, Verdict::Terminated).await,
        Work::Sync(job) | Work::Demo(job) | Work::Delete(job) => one(&job, settings, Verdict::Whole).await,
        Work::Plan(_) | Work::Diff(_) | Work::Rights(_) => super::headless::run(work, settings).await,
    }
}

async fn one(job: &Job, settings: &Settings, verdict: Verdict) -> Result<Exit, Failure> {
    let mut world = World::open(job, settings, Terminal::Screens)?;
    let request = match prepared(job, &mut world).await {
        Ok(request) => request,
        Err(end) => {
            world.close().await;
            return end;
        }
    };
    let sync = job.sync_later.clone().unwrap_or_else(|| request.clone());
    let (opened, base) = opened(job, world, sync);
    let start = match verdict {
        Verdict::Whole if job.kind == Kind::Delete => Start::Delete(opened, Box::new(request)),
        Verdict::Whole => Start::Sync(opened),
        Verdict::Terminated => Start::Target(opened),
    };
    let departure = tui::run(start, look(settings), viewer(settings)).await;
    base.close().await;
    ended(departure, verdict)
}

/// Confirmations that were given in advance need the plan before there are screens.
async fn prepared(job: &Job, world: &mut World) -> Result<Request, Result<Exit, Failure>> {
    if job.approvals.is_empty() {
        return Ok(job.request.clone());
    }
    let (_presses, mut stops) = signals::listen(&mut world.base.tasks, &world.session.asks);
    request(job, world, &mut stops).await
}

async fn gallery(settings: &Settings) -> Result<Exit, Failure> {
    let stories = STORIES.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    let mut current: Option<Base> = None;
    let open = |name: &str| {
        // Who chooses again has left the story before; its cluster ends with it.
        drop(current.take());
        let (opened, base) = play(name, settings).map_err(|failure| failure.to_string())?;
        current = Some(base);
        Ok(opened)
    };
    let departure = tui::run(Start::Gallery { stories, open: Box::new(open) }, look(settings), viewer(settings)).await;
    if let Some(base) = current {
        base.close().await;
    }
    ended(departure, Verdict::Terminated)
}

fn line(shipped: &Shipped) -> Result<tui::Story, Failure> {
    let story = parse(shipped.script)?;
    let length = story.length.and_then(|length| SignedDuration::try_from(length).ok()).map(short_time).unwrap_or_default();
    Ok(tui::Story { name: shipped.name.to_owned(), about: story.about, length })
}

fn play(name: &str, settings: &Settings) -> Result<(Opened, Base), Failure> {
    let shipped = Shipped::find(name).ok_or_else(|| Failure::usage(format!("there is no story `{name}`")))?;
    let job = Job::of_story(shipped, settings)?;
    let world = World::open(&job, settings, Terminal::Screens)?;
    Ok(opened(&job, world, job.request.clone()))
}

fn opened(job: &Job, world: World, request: Request) -> (Opened, Base) {
    let World { session, clock, base } = world;
    let handle: SessionHandle = session;
    let target = match &job.place {
        Place::Embedded { name, .. } => (*name).to_owned(),
        Place::Kubeconfig => job.app.clone(),
    };
    (Opened { handle, clock, request, target }, base)
}

fn look(settings: &Settings) -> Look {
    let config = &settings.loaded.config;
    Look { ascii: config.ascii || !locale_is_utf8(), monochrome: Colour::of_output(!config.color) == Colour::Never }
}

fn viewer(settings: &Settings) -> Viewer {
    Viewer::choose(settings.loaded.config.diff_viewer.as_deref(), |name| std::env::var(name).ok())
}

/// The first of the locale's variables that is set decides; without any, terminals of today write UTF-8.
fn locale_is_utf8() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    set.is_none_or(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

fn ended(departure: std::io::Result<Departure>, verdict: Verdict) -> Result<Exit, Failure> {
    let departure =
        departure.map_err(|error| Failure::usage(format!("the terminal cannot be used: {error}; add `--headless` to print events")))?;
    match departure.cause {
        Cause::Failed { kind, report } => Err(failed(kind, report)),
        Cause::Signal(Signal::Interrupt) => Ok(Exit::Interrupted),
        Cause::Signal(Signal::Terminate) => Ok(Exit::Killed),
        Cause::Signal(Signal::Hangup) => Ok(Exit::Success),
        Cause::Quit => Ok(match (departure.ended, verdict) {
            (Some(ended), _) if ended.terminated => Exit::Terminated,
            (Some(ended), Verdict::Whole) => Exit::of_phase(ended.phase),
            (Some(_), Verdict::Terminated) | (None, _) => Exit::Success,
        }),
    }
}
