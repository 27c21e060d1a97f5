//! The program's own log: `tracing` into a file of the state folder and into tui-logger's store for `:log`. Never on standard
//! output or the terminal, which belong to screens and reports.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::cli::LogLevel;

/// Name of the log file.
const FILE: &str = "syncwave.log";
/// A log that has grown beyond this is put aside when the program starts.
const KEEP: u64 = 5 * 1024 * 1024;

/// Starts logging.
///
/// # Errors
/// The file cannot be written; logging to `:log` works all the same.
pub(crate) fn start(folder: &Path, level: LogLevel) -> Result<(), (PathBuf, io::Error)> {
    let path = folder.join(FILE);
    let file = open(folder, &path);
    let (writer, result) = match file {
        Ok(file) => (Some(Mutex::new(file)), Ok(())),
        Err(error) => (None, Err((path, error))),
    };
    let to_file = writer.map(|writer| fmt::layer().with_ansi(false).with_writer(writer));
    tui_logger::set_default_level(for_screen(level));
    let started = tracing_subscriber::registry()
        .with(to_file)
        .with(tui_logger::TuiTracingSubscriberLayer.with_filter(LevelFilter::TRACE))
        .with(filter(level))
        .try_init();
    if let Err(error) = started {
        tracing::warn!(%error, "somebody else logs already");
    }
    result
}

fn open(folder: &Path, path: &Path) -> io::Result<File> {
    std::fs::create_dir_all(folder)?;
    if std::fs::metadata(path).is_ok_and(|found| found.len() > KEEP) {
        std::fs::rename(path, path.with_extension("log.old"))?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

/// Our own lines at the level that was asked for, those of libraries only from warnings on.
fn filter(level: LogLevel) -> EnvFilter {
    let (own, others) = match level {
        LogLevel::Off => ("off", "off"),
        LogLevel::Error => ("error", "error"),
        LogLevel::Warn => ("warn", "warn"),
        LogLevel::Info => ("info", "warn"),
        LogLevel::Debug => ("debug", "warn"),
        LogLevel::Trace => ("trace", "info"),
    };
    EnvFilter::new(format!("{others},syncwave={own}"))
}

fn for_screen(level: LogLevel) -> tui_logger::LevelFilter {
    match level {
        LogLevel::Off => tui_logger::LevelFilter::Off,
        LogLevel::Error => tui_logger::LevelFilter::Error,
        LogLevel::Warn => tui_logger::LevelFilter::Warn,
        LogLevel::Info => tui_logger::LevelFilter::Info,
        LogLevel::Debug => tui_logger::LevelFilter::Debug,
        LogLevel::Trace => tui_logger::LevelFilter::Trace,
    }
}
