//! The table of keys: section, name, what values they take, and which field of [`Config`] they are. The one place to add a key.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::Config;

/// A value from any source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Flag(bool),
    List(Vec<String>),
    Time(Duration),
}

/// As TOML writes it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        match self {
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Flag(flag) => flag.fmt(f),
            Self::List(items) => write!(f, "[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", ")),
            Self::Time(time) => f.write_str(&quoted(&time_text(*time))),
        }
    }
}

fn time_text(time: Duration) -> String {
    jiff::SignedDuration::try_from(time).map_or_else(|_| format!("{}s", time.as_secs()), |time| format!("{time:#}"))
}

/// What values a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Flag,
    List,
    Time,
}

impl Kind {
    /// Returns what a person should write.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Text => "a text in quotes",
            Self::Flag => "true or false",
            Self::List => "a list of texts, for example [\"a\", \"b\"]",
            Self::Time => "a duration in quotes, for example \"2s\"",
        }
    }

    /// Reads the text of a variable; lists are separated by commas.
    pub(super) fn parse(self, text: &str) -> Result<Value, String> {
        match self {
            Self::Text => Ok(Value::Text(text.to_owned())),
            Self::Flag => text.parse().map(Value::Flag).map_err(|_| format!("it must be {}", self.expected())),
            Self::List => Ok(Value::List(text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect())),
            Self::Time => duration(text).map(Value::Time),
        }
    }
}

/// Reads `2s`, `500ms`, `1m30s` or `0`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a duration has a unit, for example 2s, 500ms or 1m30s".to_owned();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(parsed).map_err(|_| wrong())
}

/// A field of [`Config`] seen as a value.
pub(super) trait Field {
    fn kind(&self) -> Kind;
    /// Returns the value in force, if there is one.
    fn value(&self) -> Option<Value>;
    /// Takes a value.
    ///
    /// # Errors
    /// The value is of another kind; what should have been written.
    fn set(&mut self, value: Value) -> Result<(), String>;
}

/// Implements [`Field`] for a type: its kind, how it becomes a value, and how one becomes it.
macro_rules! field {
    ($type:ty, $kind:ident, |$field:ident| $read:expr, |$value:ident| $write:expr) => {
        impl Field for $type {
            fn kind(&self) -> Kind {
                Kind::$kind
            }

            fn value(&self) -> Option<Value> {
                let $field = self;
                $read.map(Value::$kind)
            }

            fn set(&mut self, value: Value) -> Result<(), String> {
                match value {
                    Value::$kind($value) => *self = $write,
                    other => return Err(format!("it must be {}, not {other}", Kind::$kind.expected())),
                }
                Ok(())
            }
        }
    };
}

field!(Option<String>, Text, |field| field.clone(), |text| Some(text));
field!(Option<PathBuf>, Text, |field| field.as_ref().map(|path| path.display().to_string()), |text| Some(text.into()));
field!(Vec<String>, List, |field| Some(field.clone()), |list| list);
field!(bool, Flag, |field| Some(*field), |flag| flag);
field!(Duration, Time, |field| Some(*field), |time| time);

/// One key.
pub(super) struct Key {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) field: fn(&Config) -> &dyn Field,
    pub(super) field_mut: fn(&mut Config) -> &mut dyn Field,
}

impl Key {
    /// Returns the key of this name.
    pub(super) fn find(section: &str, name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.section == section && key.name == name)
    }

    /// Returns what values it takes.
    pub(super) fn kind(&self) -> Kind {
        (self.field)(&Config::default()).kind()
    }

    /// Sets the field.
    pub(super) fn set(&self, config: &mut Config, value: Value) -> Result<(), String> {
        (self.field_mut)(config).set(value)
    }
}

/// Makes an entry of the table; the key is named as the field.
macro_rules! key {
    ($section:literal, $field:ident) => {
        Key { section: $section, name: stringify!($field), field: |config| &config.$field, field_mut: |config| &mut config.$field }
    };
}

/// Every key, by section.
pub(super) const KEYS: [Key; 8] = [
    key!("cluster", context),
    key!("cluster", kubeconfig),
    key!("safety", protected),
    key!("safety", read_only),
    key!("sync", prune),
    key!("sync", wave_delay),
    key!("ui", ascii),
    key!("ui", color),
];

/// Returns the sentence about a key that does not exist.
pub(super) fn no_such_key(section: &str, name: &str) -> String {
    let near = KEYS
        .iter()
        .map(|key| (distance(key.name, name) + 2 * usize::from(key.section != section), key))
        .filter(|(distance, _)| *distance <= 3)
        .min_by_key(|(distance, _)| *distance);
    match near {
        Some((_, key)) => format!("there is no key `{section}.{name}`; did you mean `{}.{}`?", key.section, key.name),
        None => format!("there is no key `{section}.{name}`; `syncwave config show` lists all"),
    }
}

/// Returns how many letters must be put in, taken out or changed.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (at, against) in other.iter().enumerate() {
            let change = diagonal + usize::from(letter != *against);
            diagonal = row[at + 1];
            row[at + 1] = change.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_of_words_counts_single_letters() {
        for (one, other, expected) in [("color", "colour", 1), ("ascii", "ascci", 1), ("prune", "prune", 0), ("", "abc", 3)] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        for text in ["2", "-2s", "soon", ""] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sections_of_the_table_are_not_scattered() {
        let mut sections: Vec<&str> = KEYS.iter().map(|key| key.section).collect();
        sections.dedup();
        let mut sorted = sections.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sections.len(), sorted.len());
    }
}
