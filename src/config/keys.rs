//! The tables of keys: section, name, what values they take, and which field they are. The one place to add a key.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::Config;
use super::apps::{App, Draft};
use crate::model::RuleText;

/// A value from any source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Flag(bool),
    List(Vec<String>),
    Time(Duration),
    Number(i64),
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
            Self::Number(number) => number.fmt(f),
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
    Number,
    /// One of these texts.
    Choice(&'static [&'static str]),
}

impl Kind {
    /// Returns what a person should write.
    pub(super) fn expected(self) -> String {
        match self {
            Self::Text => "a text in quotes".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::List => "a list of texts, for example [\"a\", \"b\"]".to_owned(),
            Self::Time => "a duration in quotes, for example \"2s\"".to_owned(),
            Self::Number => "a whole number".to_owned(),
            Self::Choice(words) => words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or "),
        }
    }

    /// Reads the text of a variable; lists are separated by commas.
    pub(super) fn parse(self, text: &str) -> Result<Value, String> {
        match self {
            Self::Text | Self::Choice(_) => Ok(Value::Text(text.to_owned())),
            Self::Flag => text.parse().map(Value::Flag).map_err(|_| self.wrong()),
            Self::List => Ok(Value::List(text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect())),
            Self::Time => duration(text).map(Value::Time),
            Self::Number => text.parse().map(Value::Number).map_err(|_| self.wrong()),
        }
    }

    /// Returns the sentence about a value of another kind.
    pub(super) fn wrong(self) -> String {
        format!("it must be {}", self.expected())
    }
}

/// Reads `2s`, `500ms`, `1m30s` or `0`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| "a duration has a unit, for example 2s, 500ms or 1m30s".to_owned())?;
    Duration::try_from(parsed).map_err(|_| format!("`{text}` is negative; a duration is 0 or longer, for example 2s"))
}

/// A field of the configuration seen as a value.
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
    ($type:ty, $kind:expr, $of:ident, |$field:ident| $read:expr, |$value:ident| $write:expr) => {
        impl $crate::config::keys::Field for $type {
            fn kind(&self) -> $crate::config::keys::Kind {
                $kind
            }

            fn value(&self) -> Option<$crate::config::keys::Value> {
                let $field = self;
                $read.map($crate::config::keys::Value::$of)
            }

            fn set(&mut self, value: $crate::config::keys::Value) -> Result<(), String> {
                match value {
                    $crate::config::keys::Value::$of($value) => *self = $write?,
                    other => return Err(format!("{}, not {other}", $kind.wrong())),
                }
                Ok(())
            }
        }
    };
}
pub(super) use field;

field!(String, Kind::Text, Text, |field| (!field.is_empty()).then(|| field.clone()), |text| Ok::<_, String>(text));
field!(PathBuf, Kind::Text, Text, |field| Some(field.display().to_string()), |text| Ok::<_, String>(text.into()));
field!(Vec<String>, Kind::List, List, |field| Some(field.clone()), |list| Ok::<_, String>(list));
field!(bool, Kind::Flag, Flag, |field| Some(*field), |flag| Ok::<_, String>(flag));
field!(Duration, Kind::Time, Time, |field| Some(*field), |time| Ok::<_, String>(time));

/// A key that may be missing.
impl<T: Field + Default> Field for Option<T> {
    fn kind(&self) -> Kind {
        T::default().kind()
    }

    fn value(&self) -> Option<Value> {
        self.as_ref().and_then(Field::value)
    }

    fn set(&mut self, value: Value) -> Result<(), String> {
        let mut new = T::default();
        new.set(value)?;
        *self = Some(new);
        Ok(())
    }
}

/// One key of a `C`.
pub(super) struct Key<C = Config> {
    /// Name of the table that it stands in; empty: that of the `C` itself.
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) field: fn(&C) -> &dyn Field,
    pub(super) field_mut: fn(&mut C) -> &mut dyn Field,
}

impl Key {
    /// Returns the key of this name.
    pub(super) fn find(section: &str, name: &str) -> Option<&'static Self> {
        find(&KEYS, section, name)
    }
}

impl<C: Default> Key<C> {
    /// Returns what values it takes.
    pub(super) fn kind(&self) -> Kind {
        (self.field)(&C::default()).kind()
    }

    /// Sets the field.
    pub(super) fn set(&self, config: &mut C, value: Value) -> Result<(), String> {
        (self.field_mut)(config).set(value)
    }
}

/// Makes an entry of a table; the key is named as the field.
macro_rules! key {
    ($section:literal, $field:ident) => {
        Key { section: $section, name: stringify!($field), field: |config| &config.$field, field_mut: |config| &mut config.$field }
    };
    ($section:ident.$field:ident) => {
        Key {
            section: stringify!($section),
            name: stringify!($field),
            field: |config| &config.$section.$field,
            field_mut: |config| &mut config.$section.$field,
        }
    };
}

/// Every key, by section.
pub(super) const KEYS: [Key; 23] = [
    key!("cluster", context),
    key!("cluster", kubeconfig),
    key!("safety", protected),
    key!("safety", read_only),
    key!("sync", prune),
    key!("sync", sync_options),
    key!("sync", retry_limit),
    key!("sync", retry_duration),
    key!("sync", retry_factor),
    key!("sync", retry_max_duration),
    key!("sync", timeout),
    key!("sync", phase_timeout),
    key!("sync", hook_timeout),
    key!("sync", stall_after),
    key!("sync", wave_delay),
    key!("sync", hook_succeeded),
    key!("sync", skip_unchanged),
    key!("health", unknown_kinds),
    key!("health", lua),
    key!("health", argocd_cm),
    key!("ui", ascii),
    key!("ui", color),
    key!("ui", diff_viewer),
];

/// Every key of an app, `[apps.NAME]` and `[apps.NAME.retry]`.
pub(super) const APP_KEYS: [Key<App>; 9] = [
    key!("", source),
    key!("", context),
    key!("", namespace),
    key!("", prune),
    key!("", sync_options),
    key!(retry.limit),
    key!(retry.duration),
    key!(retry.factor),
    key!(retry.max_duration),
];

/// Every key of a window.
pub(super) const WINDOW_KEYS: [Key<Draft>; 11] = [
    key!("", kind),
    key!("", schedule),
    key!("", duration),
    key!("", applications),
    key!("", namespaces),
    key!("", clusters),
    key!("", manual_sync),
    key!("", time_zone),
    key!("", and_operator),
    key!("", description),
    key!("", sync_overrun),
];

/// Every key of a rule of ignored differences.
pub(super) const IGNORE_KEYS: [Key<RuleText>; 7] = [
    key!("", group),
    key!("", kind),
    key!("", name),
    key!("", namespace),
    key!("", json_pointers),
    key!("", jq_path_expressions),
    key!("", managed_fields_managers),
];

/// Returns the key of this name.
pub(super) fn find<C>(keys: &'static [Key<C>], section: &str, name: &str) -> Option<&'static Key<C>> {
    keys.iter().find(|key| key.section == section && key.name == name)
}

/// Returns the sentence about a key that does not exist; `path` leads to the `C`.
pub(super) fn no_such_key<C>(keys: &[Key<C>], path: &str, section: &str, name: &str) -> String {
    let near = keys
        .iter()
        .map(|key| (distance(key.name, name) + 2 * usize::from(key.section != section), key))
        .filter(|(distance, _)| *distance <= 3)
        .min_by_key(|(distance, _)| *distance);
    let wrong = dotted(&[path, section, name]);
    match near {
        Some((_, key)) => format!("there is no key `{wrong}`; did you mean `{}`?", dotted(&[path, key.section, key.name])),
        None => format!("there is no key `{wrong}`; `syncwave config show` lists all"),
    }
}

/// Joins the parts of a key's path that are not empty.
pub(super) fn dotted(parts: &[&str]) -> String {
    parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
}

/// Returns how many letters must be put in, taken out or changed.
pub(crate) fn distance(one: &str, other: &str) -> usize {
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
        for text in ["2", "-2s", "-0.5s", "soon", ""] {
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
