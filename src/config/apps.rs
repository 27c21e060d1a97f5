//! Apps and sync windows of the file: `[apps.NAME]`, `[[apps.NAME.windows]]` and `[[sync.windows]]` (decision 25). Ignored differences are
//! `ignore`'s.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::{At, ConfigError, Reading, Told};
use super::ignore;
use super::keys::{APP_KEYS, Key, Value, WINDOW_KEYS, dotted};
use super::values::{Length, RetryFactor, RetryLimit};
use crate::model::window::{Cron, Zone};
use crate::model::{Glob, IgnoreRule, Window, WindowKind, Windows};

/// An app by its name: what a TARGET of this name stands for. What is not set is as everywhere.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct App {
    /// Where its manifests are, as it was written; never empty once it has been read.
    pub(crate) source: String,
    pub(crate) context: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) prune: Option<bool>,
    pub(crate) sync_options: Option<Vec<String>>,
    pub(crate) retry: AppRetry,
    pub(crate) windows: Vec<Window>,
    pub(crate) ignore_differences: Vec<IgnoreRule>,
}

/// How a failed sync of an app starts anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AppRetry {
    pub(crate) limit: Option<RetryLimit>,
    pub(crate) duration: Option<Duration>,
    pub(crate) factor: Option<RetryFactor>,
    pub(crate) max_duration: Option<Duration>,
}

/// A window that is being read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Draft {
    pub(super) kind: Option<WindowKind>,
    pub(super) schedule: Option<Cron>,
    pub(super) duration: Option<Length>,
    pub(super) applications: Vec<Glob>,
    pub(super) namespaces: Vec<Glob>,
    pub(super) clusters: Vec<Glob>,
    pub(super) manual_sync: bool,
    pub(super) time_zone: Zone,
    pub(super) and_operator: bool,
    pub(super) description: String,
    pub(super) sync_overrun: bool,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            kind: None,
            schedule: None,
            duration: None,
            applications: Vec::new(),
            namespaces: Vec::new(),
            clusters: Vec::new(),
            manual_sync: false,
            time_zone: Zone::utc(),
            and_operator: false,
            description: String::new(),
            sync_overrun: false,
        }
    }
}

impl Draft {
    /// Returns the window, or the name of the key that it lacks.
    fn finish(self) -> Result<Window, &'static str> {
        Ok(Window {
            kind: self.kind.ok_or("kind")?,
            schedule: self.schedule.ok_or("schedule")?,
            duration: self.duration.ok_or("duration")?.0,
            applications: self.applications,
            namespaces: self.namespaces,
            clusters: self.clusters,
            manual_sync: self.manual_sync,
            time_zone: self.time_zone,
            and_operator: self.and_operator,
            description: self.description,
            sync_overrun: self.sync_overrun,
        })
    }

    fn of(window: &Window) -> Self {
        let window = window.clone();
        Self {
            kind: Some(window.kind),
            schedule: Some(window.schedule),
            duration: Some(Length(window.duration)),
            applications: window.applications,
            namespaces: window.namespaces,
            clusters: window.clusters,
            manual_sync: window.manual_sync,
            time_zone: window.time_zone,
            and_operator: window.and_operator,
            description: window.description,
            sync_overrun: window.sync_overrun,
        }
    }
}

impl super::Config {
    /// Returns the windows that may concern an app: those for all, and its own. An app's own hold for whatever is synced under its name.
    pub(crate) fn windows_of(&self, app: &str) -> Windows {
        let own = self.apps.get(app).map(|app| app.windows.as_slice()).unwrap_or_default();
        Windows::new(self.windows.iter().chain(own).cloned())
    }
}

/// Returns why a text cannot name an app: the name goes into the tracking id, where a colon ends it, and `-` is standard input.
pub(crate) fn app_name(name: &str) -> Result<(), String> {
    let is_usable = !name.trim().is_empty() && name != "-" && !name.contains(':') && !name.chars().any(char::is_control);
    if is_usable { Ok(()) } else { Err(format!("`{name}` cannot name an app; use letters, digits and `-`")) }
}

/// Reads `[apps]`: one table for each app.
pub(super) fn read_apps(reading: &Reading<'_>, table: &DeTable<'_>, told: &mut Told<'_>) -> Result<BTreeMap<String, App>, ConfigError> {
    let mut apps = BTreeMap::new();
    for (name, value) in reading.in_order(table) {
        let path = dotted(&["apps", name.get_ref()]);
        app_name(name.get_ref()).map_err(|why| reading.fault(why, name.span()))?;
        let DeValue::Table(own) = value.get_ref() else {
            return Err(reading.wrong(&path, &format!("an app is a table, for example [{path}]"), value.span()));
        };
        apps.insert(name.get_ref().to_string(), read_app(reading, &path, own, name.span(), told)?);
    }
    Ok(apps)
}

fn read_app(reading: &Reading<'_>, path: &str, table: &DeTable<'_>, header: Range<usize>, told: &mut Told<'_>) -> Result<App, ConfigError> {
    let mut app = App::default();
    for (name, value) in reading.in_order(table) {
        let at = At { path, section: "" };
        match (&**name.get_ref(), value.get_ref()) {
            ("windows", _) => {
                let everything = Glob::parse("*").map(|glob| vec![glob]).unwrap_or_default();
                app.windows = read_windows(reading, path, value, told)?;
                for window in app.windows.iter_mut().filter(|window| is_without_list(window)) {
                    window.applications.clone_from(&everything);
                }
            }
            ("ignore_differences", _) => app.ignore_differences = ignore::read_rules(reading, path, value, told)?,
            ("retry", DeValue::Table(retry)) => {
                for (name, value) in reading.in_order(retry) {
                    reading.entry(&APP_KEYS, &mut app, At { path, section: "retry" }, (name, value), told)?;
                }
            }
            ("retry", _) => {
                let key = dotted(&[path, "retry"]);
                return Err(reading.wrong(&key, "it is a table, for example { limit = 3, duration = \"5s\" }", value.span()));
            }
            _ => reading.entry(&APP_KEYS, &mut app, at, (name, value), told)?,
        }
    }
    if app.source.is_empty() {
        let problem = format!("`{path}` has no `source`; write where its manifests are, for example source = \"deploy/\"");
        return Err(reading.fault(problem, header));
    }
    Ok(app)
}

/// Reads an array of windows.
pub(super) fn read_windows(
    reading: &Reading<'_>,
    path: &str,
    value: &Spanned<DeValue<'_>>,
    told: &mut Told<'_>,
) -> Result<Vec<Window>, ConfigError> {
    let path = dotted(&[path, "windows"]);
    let wrong = |span| reading.wrong(&path, &format!("windows are tables, each with the header [[{path}]]"), span);
    let DeValue::Array(items) = value.get_ref() else { return Err(wrong(value.span())) };
    let mut windows = Vec::new();
    for item in items {
        let DeValue::Table(table) = item.get_ref() else { return Err(wrong(item.span())) };
        windows.push(read_window(reading, &path, windows.len(), (table, item.span()), told)?);
    }
    Ok(windows)
}

fn read_window(
    reading: &Reading<'_>,
    path: &str,
    number: usize,
    (table, span): (&DeTable<'_>, Range<usize>),
    told: &mut Told<'_>,
) -> Result<Window, ConfigError> {
    let own = format!("{path}[{number}]");
    let mut draft = Draft::default();
    for (name, value) in reading.in_order(table) {
        reading.entry(&WINDOW_KEYS, &mut draft, At { path: &own, section: "" }, (name, value), told)?;
    }
    told.origin(own, reading, span.start);
    let missing = |key| {
        let problem = format!("this window has no `{key}`; a window needs kind, schedule and duration");
        reading.fault(problem, span.clone())
    };
    let window = draft.finish().map_err(missing)?;
    let place = reading.place(span.start);
    told.notices.extend(window.concern().map(|sentence| format!("{place}: {sentence}")));
    if path == "sync.windows" && is_without_list(&window) {
        let sentence = "names no applications, namespaces or clusters, so it concerns nothing; write applications = [\"*\"] for all";
        told.notices.push(format!("{place}: {window} {sentence}"));
    }
    Ok(window)
}

fn is_without_list(window: &Window) -> bool {
    [&window.applications, &window.namespaces, &window.clusters].iter().all(|list| list.is_empty())
}

/// Writes windows and apps as TOML. `origin` makes the comment after a line, from the path of the key.
pub(super) fn show(config: &super::Config, origin: &dyn Fn(&str) -> String) -> String {
    let mut text = String::new();
    show_windows(&mut text, ("sync", "sync"), &config.windows, origin);
    for (name, app) in &config.apps {
        let (path, header) = (dotted(&["apps", name]), dotted(&["apps", &as_key(name)]));
        let retry = APP_KEYS.iter().any(|key| key.section == "retry" && (key.field)(app).value().is_some());
        for section in ["", "retry"].into_iter().filter(|section| section.is_empty() || retry) {
            let _infallible = writeln!(text, "\n[{}]", dotted(&[&header, section]));
            let keys = APP_KEYS.iter().filter(|key| key.section == section);
            text.extend(keys.filter_map(|key| line(key, app, &path, origin)));
        }
        show_windows(&mut text, (&path, &header), &app.windows, origin);
        ignore::show(&mut text, (&path, &header), &app.ignore_differences, origin);
    }
    text
}

/// Returns a name as TOML writes it in a header.
fn as_key(name: &str) -> String {
    let is_bare = name.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"-_".contains(&letter));
    if is_bare { name.to_owned() } else { Value::Text(name.to_owned()).to_string() }
}

fn show_windows(text: &mut String, (path, header): (&str, &str), windows: &[Window], origin: &dyn Fn(&str) -> String) {
    for (number, window) in windows.iter().enumerate() {
        let own = format!("{path}.windows[{number}]");
        let _infallible = writeln!(text, "\n[[{header}.windows]]{}", origin(&own));
        let draft = Draft::of(window);
        text.extend(WINDOW_KEYS.iter().filter_map(|key| line(key, &draft, &own, &|_| String::new())));
    }
}

pub(super) fn line<C>(key: &Key<C>, of: &C, path: &str, origin: &dyn Fn(&str) -> String) -> Option<String> {
    let value = (key.field)(of).value()?;
    Some(format!("{} = {value}{}\n", key.name, origin(&dotted(&[path, key.section, key.name]))))
}

#[cfg(test)]
mod tests;
