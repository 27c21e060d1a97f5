//! `syncwave plan --rbac`: prints what a plan wants to be allowed, and says on standard error what the current user lacks, so that the
//! roles can go straight into `kubectl apply -f -`. What is needed is found out in `engine::rights`.

use std::io;

use super::headless::{format, without_operation};
use super::job::Job;
use super::output;
use super::setup::Settings;
use super::signals;
use super::world::World;
use crate::cli::Format;
use crate::engine::session::Terminal;
use crate::failure::{Exit, Failure, complain};
use crate::report::{self, End};

/// Prints the roles; exit 1 if something lacks without which the sync would not come to its end.
pub(super) async fn run(job: &Job, settings: &Settings) -> Result<Exit, Failure> {
    let mut world = World::open(job, settings, Terminal::Free)?;
    let (_presses, mut stops) = signals::listen(&mut world.base.tasks, &world.session.asks);
    let end = report::rights(&mut world.session, &mut stops, job.request.clone()).await;
    world.close().await;
    let rights = match end {
        End::Done(rights) => rights,
        end @ (End::Refused(_) | End::Failed(..) | End::Stopped(_) | End::Lost) => return without_operation(end),
    };
    let mut out = io::stdout().lock();
    let printed = match format(settings) {
        Format::Plain => report::rbac::yaml(&mut out, &rights),
        Format::Json => report::rbac::json(&mut out, &rights),
    };
    if format(settings) == Format::Plain {
        report::rbac::sentences(&rights).iter().for_each(|sentence| complain(&format!("{sentence}\n")));
    }
    let exit = match &rights.lacking {
        Ok(_) if report::rbac::has_objections(&rights) => Exit::Failed,
        Ok(_) => Exit::Success,
        Err(sentence) => return Err(Failure::new(Exit::Cluster, sentence.clone())),
    };
    output::ended(printed, exit)
}
