//! The composition root: turns the command line and the configuration into a session and its consumer, and their end into an exit
//! code. The only place that knows every folder.

mod headless;
mod health;
mod job;
mod lua;
mod output;
#[cfg(test)]
mod picture;
mod rights;
mod screens;
mod setup;
mod signals;
mod target;
mod world;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use crate::cli::{self, Cli, Command, ConfigCommand, Declined, Options, Speed};
use crate::config::Value;
use crate::failure::{Colour, Exit, Failure, complain};
use crate::telemetry;

use setup::{Settings, Work};

/// How long what still runs may take to end after the program has decided to.
const GRACE: Duration = Duration::from_millis(500);

/// Runs the program.
pub(crate) fn run() -> ExitCode {
    let no_colour = std::env::args_os().any(|argument| argument == "--no-color");
    let end = match cli::parse(std::env::args_os()) {
        Ok(cli) => start(cli),
        Err(Declined::Shown(text)) => show(&text),
        Err(Declined::Wrong(sentence)) => Err(Failure::usage(sentence)),
    };
    let exit = end.unwrap_or_else(|failure| {
        failure.print(Colour::of_errors(no_colour));
        failure.exit()
    });
    exit.into()
}

fn start(cli: Cli) -> Result<Exit, Failure> {
    let mut settings = Settings::load(cli.options)?;
    if let Some(Command::Config { what }) = cli.command {
        if let Some(target) = cli.target {
            return Err(Failure::usage(format!("`config` takes no TARGET; leave `{target}` out")));
        }
        return configuration(&settings, &what);
    }
    let tell = |notice: &str| complain(&format!("{}\n", crate::report::visible::visible(notice)));
    settings.loaded.notices.iter().for_each(|notice| tell(notice));
    if let Some(Command::Health { files, lua }) = &cli.command {
        if let Some(folder) = lua {
            settings.loaded.override_with("--lua", "health", "lua", Value::Text(folder.display().to_string()));
        }
        return health::run(files, &settings);
    }
    let work = Work::of(cli.command, cli.target, &settings)?;
    work.notice().into_iter().for_each(tell);
    start_log(&settings)?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "syncwave starts");
    let runtime = runtime(settings.options.speed)?;
    // On the main thread: a blocked terminal then stops frames, not the operation.
    let end = runtime.block_on(async {
        if is_headless(&settings.options) { headless::run(work, &settings).await } else { screens::run(work, &settings).await }
    });
    runtime.shutdown_timeout(GRACE);
    end
}

/// A folder that was named must be there; without the usual one the program can do its work all the same.
fn start_log(settings: &Settings) -> Result<(), Failure> {
    let Err((path, error)) = telemetry::start(&settings.state_dir, settings.options.log_level) else { return Ok(()) };
    let sentence = format!("cannot write the log `{}`: {error}; choose another folder with --state-dir", path.display());
    if settings.options.state_dir.is_some() {
        return Err(Failure::usage(sentence));
    }
    complain(&format!("{sentence}\n"));
    Ok(())
}

/// `--speed max` needs a clock that jumps when everybody waits, which only a runtime with a single thread has.
fn runtime(speed: Option<Speed>) -> Result<tokio::runtime::Runtime, Failure> {
    let built = match speed {
        Some(Speed::Max) => tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build(),
        Some(Speed::Times(_)) | None => tokio::runtime::Builder::new_multi_thread().enable_all().build(),
    };
    built.map_err(|error| Failure::new(Exit::Cluster, format!("cannot start: {error}; are there too many processes or open files?")))
}

fn configuration(settings: &Settings, what: &ConfigCommand) -> Result<Exit, Failure> {
    match what {
        ConfigCommand::Show { origin } => {
            for notice in &settings.loaded.notices {
                complain(&format!("{notice}\n"));
            }
            show(&settings.loaded.show(*origin))
        }
        ConfigCommand::Path => show(&format!("{}\n", settings.config_file.display())),
    }
}

fn show(text: &str) -> Result<Exit, Failure> {
    output::ended(std::io::stdout().write_all(text.as_bytes()), Exit::Success)
}

/// Returns whether events are printed instead of screens being opened.
fn is_headless(options: &Options) -> bool {
    let is_dumb = std::env::var_os("TERM").is_some_and(|name| name == "dumb");
    options.headless || options.output.is_some() || is_dumb || !std::io::stdout().is_terminal()
}
