//! Draws the picture of the README: the story `web-shop` on virtual time, as the screens show it in the middle of the migration.
//! `SYNCWAVE_ACCEPT=1 cargo test picture` draws it anew after a change that is meant.

use std::path::Path;
use std::time::Duration;

use clap::Parser as _;

use crate::cli::Cli;
use crate::demo::{FIRST, Shipped};
use crate::engine::session::{Ask, Terminal};
use crate::operation::Record;
use crate::tui::rehearsal::Rehearsal;

use super::job::Job;
use super::setup::Settings;
use super::world::{World, until};

/// How far the story has been told.
const MOMENT: Duration = Duration::from_millis(6_500);

#[tokio::test(start_paused = true)]
async fn the_picture_of_the_readme_is_what_the_screens_show() {
    let settings = Settings::load(Cli::parse_from(["syncwave", "--speed", "max"]).options).unwrap();
    let job = Job::of_story(Shipped::find(FIRST).unwrap(), &settings).unwrap();
    let mut world = World::open(&job, &settings, Terminal::Screens).unwrap();
    let began = world.clock.now();
    world.session.asks.send(Ask::Plan { request: job.request.clone() }).await.unwrap();
    let planned = world.session.answers.recv().await.unwrap();
    world.session.asks.send(Ask::Sync { request: job.request.clone() }).await.unwrap();
    until(world.clock, began, MOMENT).await;

    let lanes = &mut world.session.subscription;
    let records: Vec<Record> = std::iter::from_fn(|| lanes.facts.try_recv().ok()).map(|record| (*record).clone()).collect();
    let lines = std::iter::from_fn(|| lanes.logs.try_recv().ok()).collect();
    let mut screens = Rehearsal::new(110, 28);
    screens.answer(planned);
    screens.facts(&records);
    screens.lines(lines);
    let picture = screens.picture(world.clock.now());
    world.close().await;

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/screen.svg");
    if std::env::var_os("SYNCWAVE_ACCEPT").is_some() {
        std::fs::write(&file, &picture).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept == picture, "assets/screen.svg is not what the screens show; if this is meant: SYNCWAVE_ACCEPT=1 cargo test picture");
}
