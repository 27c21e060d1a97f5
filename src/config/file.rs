//! Reads the configuration file: TOML with the line of everything that has no effect or cannot be read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, Key, Kind, Value};
use super::{Loaded, Origin, apps, health};

/// Why a configuration cannot be used.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum ConfigError {
    #[error("cannot read the configuration file `{}`: {source}; correct the path or leave `--config` out", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Text(Box<TextFault>),
    #[error("the variable {name} cannot be `{value}`: {why}")]
    Variable { name: String, value: String, why: String },
}

/// Something at a place of the file.
#[derive(Debug, Error, Diagnostic)]
#[error("{problem}")]
pub(crate) struct TextFault {
    problem: String,
    #[label("here")]
    at: SourceSpan,
    #[source_code]
    file: NamedSource<String>,
}

/// A file being read.
pub(super) struct Reading<'a> {
    path: &'a Path,
    text: &'a str,
}

/// What reading says beside the values: where they come from, and what has no effect.
pub(super) struct Told<'a> {
    pub(super) origins: &'a mut BTreeMap<String, Origin>,
    pub(super) notices: &'a mut Vec<String>,
}

impl Told<'_> {
    /// Remembers where a key stands.
    pub(super) fn origin(&mut self, key: String, reading: &Reading<'_>, offset: usize) {
        let origin = Origin::File { path: reading.path.to_owned(), line: reading.line(offset) };
        self.origins.insert(key, origin);
    }
}

/// Where a table stands: the path to what it is a part of, and its section in it.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) path: &'a str,
    pub(super) section: &'a str,
}

/// A key and its value.
type Entry<'a, 'i> = (&'a Spanned<Cow<'i, str>>, &'a Spanned<DeValue<'i>>);

impl Loaded {
    /// Reads the text of a file on top of what is there.
    pub(super) fn read_file(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let reading = Reading { path, text };
        let table = DeTable::parse(text).map_err(|error| {
            let message = error.message().trim_end().replace('\n', ", ");
            reading.fault(format!("this is not TOML: {message}"), error.span().unwrap_or_default())
        })?;
        for entry in reading.in_order(table.get_ref()) {
            self.read_section(&reading, entry)?;
        }
        Ok(())
    }

    fn read_section(&mut self, reading: &Reading<'_>, (section, value): Entry<'_, '_>) -> Result<(), ConfigError> {
        let name = section.get_ref().as_ref();
        let DeValue::Table(table) = value.get_ref() else {
            let why = format!("every key stands in a section, for example [{}]", keys::KEYS[0].section);
            return Err(reading.wrong(name, &why, value.span()));
        };
        let mut told = Told { origins: &mut self.origins, notices: &mut self.notices };
        if name == "apps" {
            self.config.apps = apps::read_apps(reading, table, &mut told)?;
            return Ok(());
        }
        if keys::KEYS.iter().all(|key| key.section != name) {
            let place = reading.place(section.span().start);
            told.notices.push(format!("{place}: there is no section `[{name}]`, so it has no effect; `syncwave config show` lists all"));
            return Ok(());
        }
        for (key, value) in reading.in_order(table) {
            if name == "health" && key.get_ref() == "customizations" {
                self.config.customizations = health::read(reading, value, &mut told)?;
            } else if name == "sync" && key.get_ref() == "windows" {
                self.config.windows = apps::read_windows(reading, name, value, &mut told)?;
            } else {
                reading.entry(&keys::KEYS, &mut self.config, At { path: "", section: name }, (key, value), &mut told)?;
            }
        }
        Ok(())
    }
}

impl Reading<'_> {
    /// Returns the entries of a table in the order of the file.
    pub(super) fn in_order<'a, 'i>(&self, table: &'a DeTable<'i>) -> Vec<Entry<'a, 'i>> {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        entries
    }

    /// Sets the field of one key.
    pub(super) fn entry<C: Default>(
        &self,
        keys: &'static [Key<C>],
        of: &mut C,
        at: At<'_>,
        (name, value): Entry<'_, '_>,
        told: &mut Told<'_>,
    ) -> Result<(), ConfigError> {
        let start = name.span().start;
        let Some(key) = keys::find(keys, at.section, name.get_ref()) else {
            let sentence = keys::no_such_key(keys, at.path, at.section, name.get_ref());
            told.notices.push(format!("{}: {sentence}; the line has no effect", self.place(start)));
            return Ok(());
        };
        let full = keys::dotted(&[at.path, key.section, key.name]);
        convert(key.kind(), value.get_ref()).and_then(|value| key.set(of, value)).map_err(|why| self.wrong(&full, &why, value.span()))?;
        told.origin(full, self, start);
        Ok(())
    }

    pub(super) fn fault(&self, problem: String, span: Range<usize>) -> ConfigError {
        let file = NamedSource::new(self.path.display().to_string(), self.text.to_owned());
        ConfigError::Text(Box::new(TextFault { problem, at: span.into(), file }))
    }

    pub(super) fn wrong(&self, key: &str, why: &str, span: Range<usize>) -> ConfigError {
        self.fault(format!("`{key}` cannot have this value: {why}"), span)
    }

    fn line(&self, offset: usize) -> usize {
        self.text.get(..offset).unwrap_or(self.text).matches('\n').count() + 1
    }

    pub(super) fn place(&self, offset: usize) -> String {
        format!("{}:{}", self.path.display(), self.line(offset))
    }
}

fn convert(kind: Kind, value: &DeValue<'_>) -> Result<Value, String> {
    let wrong = || kind.wrong();
    match (kind, value) {
        (Kind::Text | Kind::Choice(_), DeValue::String(text)) => Ok(Value::Text(text.to_string())),
        (Kind::Flag, DeValue::Boolean(flag)) => Ok(Value::Flag(*flag)),
        (Kind::Time, DeValue::String(text)) => keys::duration(text).map(Value::Time),
        (Kind::Number, DeValue::Integer(number)) => {
            i64::from_str_radix(number.as_str(), number.radix()).map(Value::Number).map_err(|_| wrong())
        }
        (Kind::List, DeValue::Array(items)) => items
            .iter()
            .map(|item| item.get_ref().as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .map(Value::List)
            .ok_or_else(wrong),
        (Kind::Text | Kind::Flag | Kind::Time | Kind::List | Kind::Number | Kind::Choice(_), _) => Err(wrong()),
    }
}
