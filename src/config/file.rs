//! Reads the configuration file: TOML with the line of everything that has no effect or cannot be read.

use std::ops::Range;
use std::path::{Path, PathBuf};

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, Key, Kind, Value};
use super::{Loaded, Origin};

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
struct Reading<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Loaded {
    /// Reads the text of a file on top of what is there.
    pub(super) fn read_file(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let reading = Reading { path, text };
        let table = DeTable::parse(text).map_err(|error| {
            let message = error.message().trim_end().replace('\n', ", ");
            reading.fault(format!("this is not TOML: {message}"), error.span().unwrap_or_default())
        })?;
        let mut sections: Vec<_> = table.get_ref().iter().collect();
        sections.sort_by_key(|(name, _)| name.span().start);
        for (section, value) in sections {
            self.read_section(&reading, section, value)?;
        }
        Ok(())
    }

    fn read_section(
        &mut self,
        reading: &Reading<'_>,
        section: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), ConfigError> {
        let name = section.get_ref().as_ref();
        let DeValue::Table(table) = value.get_ref() else {
            let why = format!("every key stands in a section, for example [{}]", keys::KEYS[0].section);
            return Err(reading.wrong(name, &why, value.span()));
        };
        if keys::KEYS.iter().all(|key| key.section != name) {
            let place = reading.place(section.span().start);
            self.notices.push(format!("{place}: there is no section `[{name}]`, so it has no effect; `syncwave config show` lists all"));
            return Ok(());
        }
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            self.read_key(reading, name, key, value)?;
        }
        Ok(())
    }

    fn read_key(
        &mut self,
        reading: &Reading<'_>,
        section: &str,
        name: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), ConfigError> {
        let Some(key) = Key::find(section, name.get_ref()) else {
            let place = reading.place(name.span().start);
            self.notices.push(format!("{place}: {}; the line has no effect", keys::no_such_key(section, name.get_ref())));
            return Ok(());
        };
        convert(key.kind(), value.get_ref())
            .and_then(|value| key.set(&mut self.config, value))
            .map_err(|why| reading.wrong(&format!("{}.{}", key.section, key.name), &why, value.span()))?;
        let origin = Origin::File { path: reading.path.to_owned(), line: reading.line(name.span().start) };
        self.origins.insert((key.section, key.name), origin);
        Ok(())
    }
}

impl Reading<'_> {
    fn fault(&self, problem: String, span: Range<usize>) -> ConfigError {
        let file = NamedSource::new(self.path.display().to_string(), self.text.to_owned());
        ConfigError::Text(Box::new(TextFault { problem, at: span.into(), file }))
    }

    fn wrong(&self, key: &str, why: &str, span: Range<usize>) -> ConfigError {
        self.fault(format!("`{key}` cannot have this value: {why}"), span)
    }

    fn line(&self, offset: usize) -> usize {
        self.text.get(..offset).unwrap_or(self.text).matches('\n').count() + 1
    }

    fn place(&self, offset: usize) -> String {
        format!("{}:{}", self.path.display(), self.line(offset))
    }
}

fn convert(kind: Kind, value: &DeValue<'_>) -> Result<Value, String> {
    let wrong = || format!("it must be {}", kind.expected());
    match (kind, value) {
        (Kind::Text, DeValue::String(text)) => Ok(Value::Text(text.to_string())),
        (Kind::Flag, DeValue::Boolean(flag)) => Ok(Value::Flag(*flag)),
        (Kind::Time, DeValue::String(text)) => keys::duration(text).map(Value::Time),
        (Kind::List, DeValue::Array(items)) => items
            .iter()
            .map(|item| item.get_ref().as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .map(Value::List)
            .ok_or_else(wrong),
        (Kind::Text | Kind::Flag | Kind::Time | Kind::List, _) => Err(wrong()),
    }
}
