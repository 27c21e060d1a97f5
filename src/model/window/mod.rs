//! Sync windows (spec topic 14.1): times at which syncs of some apps are allowed or denied. Owns what a window is, whom it concerns, when
//! it is active, whether a sync may go on, and when that changes. Knows no clock: every moment is an argument.

mod cron;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};

use super::glob::Glob;
pub(crate) use cron::Cron;

/// How many beginnings of a window are looked through for the end of it; windows that overlap again and again have none.
const OVERLAPS: usize = 256;
/// How many beginnings and ends of windows are looked through for the moment at which syncs become possible.
const FLIPS: usize = 1_000;
/// The same for the moment at which the engine has to look again; an early look does no harm.
const NEAR_FLIPS: usize = 16;
const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);

/// What a window does to syncs while it is active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum WindowKind {
    Allow,
    #[default]
    Deny,
}

impl WindowKind {
    /// Returns the word of the configuration.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// A zone by its name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Zone {
    pub(crate) name: String,
    /// `None`: nobody knows a zone of this name, and UTC is taken (spec R1403).
    pub(crate) zone: Option<TimeZone>,
}

impl Zone {
    /// Returns the one that windows have by default.
    pub(crate) fn utc() -> Self {
        Self { name: "UTC".to_owned(), zone: Some(TimeZone::UTC) }
    }

    fn offset(&self, at: Timestamp) -> Offset {
        self.zone.as_ref().map_or(Offset::UTC, |zone| zone.to_offset(at))
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

/// One window (spec R1401).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Window {
    pub(crate) kind: WindowKind,
    pub(crate) schedule: Cron,
    /// How long it is active after each moment of the schedule.
    #[serde(serialize_with = "seconds")]
    pub(crate) duration: Duration,
    pub(crate) applications: Vec<Glob>,
    pub(crate) namespaces: Vec<Glob>,
    pub(crate) clusters: Vec<Glob>,
    /// Syncs that a person starts are not blocked.
    pub(crate) manual_sync: bool,
    pub(crate) time_zone: Zone,
    /// Every list that is given must match; otherwise one is enough.
    pub(crate) and_operator: bool,
    pub(crate) description: String,
    /// A sync that was allowed when it began goes on.
    pub(crate) sync_overrun: bool,
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// What an app is to windows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Destination<'a> {
    pub(crate) app: &'a str,
    pub(crate) namespace: &'a str,
    /// Name of the cluster: that of the context.
    pub(crate) cluster: &'a str,
    /// URL of the API server.
    pub(crate) server: &'a str,
}

/// A sync that may be blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// A person started it.
    pub(crate) is_manual: bool,
    /// `None`: it has not begun.
    pub(crate) started_at: Option<Timestamp>,
}

impl Window {
    /// Returns whether it concerns an app (spec R1402). A window without any list concerns none.
    pub(crate) fn concerns(&self, destination: &Destination<'_>) -> bool {
        let any = |list: &[Glob], names: &[&str]| list.iter().any(|glob| names.iter().any(|name| glob.matches(name)));
        let lists = [
            (&self.applications, any(&self.applications, &[destination.app])),
            (&self.clusters, any(&self.clusters, &[destination.cluster, destination.server])),
            (&self.namespaces, any(&self.namespaces, &[destination.namespace])),
        ];
        let mut given = lists.iter().filter(|(list, _)| !list.is_empty()).map(|(_, matches)| *matches).peekable();
        if self.and_operator { given.peek().is_some() && given.all(|matches| matches) } else { given.any(|matches| matches) }
    }

    /// Returns whether a beginning lies within the last `duration`, both ends excluded (spec R1403).
    pub(crate) fn is_active(&self, at: Timestamp) -> bool {
        let now = self.time_zone.offset(at).to_datetime(at);
        let from = self.length().and_then(|length| now.checked_sub(length).ok());
        from.and_then(|from| self.schedule.next_after(from)).is_some_and(|begin| begin < now)
    }

    fn length(&self) -> Option<SignedDuration> {
        SignedDuration::try_from(self.duration).ok()
    }

    /// Returns the next moment from which it is active or not any more, or at which one has to look again: the zone's clock is put
    /// forward or back, or no end is in sight. It is a nanosecond after the moment of the schedule: at that moment itself a window that
    /// begins when the one before it ends is not active (spec R1403), and nobody should slip through there.
    fn next_flip(&self, at: Timestamp) -> Option<Timestamp> {
        let offset = self.time_zone.offset(at);
        let now = offset.to_datetime(at);
        let flip = if self.is_active(at) { self.end(now) } else { self.begin(now) };
        let flip = flip.and_then(|flip| offset.to_timestamp(flip).ok());
        let transition = self.time_zone.zone.as_ref().and_then(|zone| zone.following(at).next()).map(|transition| transition.timestamp());
        let after = |moment: Timestamp| moment.checked_add(NANOSECOND).ok().filter(|moment| *moment > at);
        [flip, transition].into_iter().flatten().filter_map(after).min()
    }

    fn begin(&self, now: DateTime) -> Option<DateTime> {
        self.schedule.next_after(now.checked_sub(NANOSECOND).ok()?)
    }

    fn end(&self, now: DateTime) -> Option<DateTime> {
        let length = self.length()?;
        let mut begin = self.schedule.next_after(now.checked_sub(length).ok()?)?;
        for _ in 0..OVERLAPS {
            match self.schedule.next_after(begin) {
                Some(next) if next.duration_since(begin) <= length => begin = next,
                Some(_) | None => break,
            }
        }
        begin.checked_add(length).ok()
    }

    /// Returns what a person should know about the window, if it is not as it was written.
    pub(crate) fn concern(&self) -> Option<String> {
        let zone = &self.time_zone;
        zone.zone.is_none().then(|| {
            format!("the time zone `{}` of {self} is not known, so the window counts in UTC; write for example Europe/Berlin", zone.name)
        })
    }

    /// Returns a moment on the window's own clock.
    fn on_its_clock(&self, at: Timestamp) -> String {
        let offset = self.time_zone.offset(at);
        let zone = if offset == Offset::UTC { "UTC".to_owned() } else { offset.to_string() };
        let time = offset.to_datetime(at);
        let form = if time.second() == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
        format!("{} {zone}", time.strftime(form))
    }
}

#[cfg(test)]
impl Window {
    /// Returns a window for all apps, in UTC, with nothing else set.
    pub(crate) fn of_all(kind: WindowKind, schedule: &str, duration: Duration) -> Self {
        Self {
            kind,
            schedule: Cron::parse(schedule).unwrap(),
            duration,
            applications: vec![Glob::parse("*").unwrap()],
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

/// As in ``the deny window `0 22 * * *` for 8h (night)``.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} window `{}`", self.kind.as_str(), self.schedule)?;
        if let Some(length) = self.length() {
            write!(f, " for {length:#}")?;
        }
        if self.description.is_empty() { Ok(()) } else { write!(f, " ({})", self.description) }
    }
}

/// Windows in the order of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Windows(Vec<Window>);

impl Windows {
    /// Takes windows as they are.
    pub(crate) fn new(windows: impl IntoIterator<Item = Window>) -> Self {
        Self(windows.into_iter().collect())
    }

    /// Returns whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns those that concern an app (spec R1402).
    pub(crate) fn concerning(&self, destination: &Destination<'_>) -> Self {
        Self(self.0.iter().filter(|window| window.concerns(destination)).cloned().collect())
    }

    /// Returns the window that blocks a sync, `None` if it may go on (spec R1404).
    pub(crate) fn blocker(&self, attempt: Attempt, now: Timestamp) -> Option<&Window> {
        let (active, inactive): (Vec<&Window>, Vec<&Window>) = self.0.iter().partition(|window| window.is_active(now));
        let denies = of_kind(&active, WindowKind::Deny);
        if !denies.is_empty() {
            return self.pass(&denies, attempt);
        }
        if !of_kind(&active, WindowKind::Allow).is_empty() {
            return None;
        }
        let allows = of_kind(&inactive, WindowKind::Allow);
        self.pass(&allows, attempt)
    }

    /// Returns the first of these windows that lets nobody pass, unless all let this sync pass.
    fn pass<'a>(&self, windows: &[&'a Window], attempt: Attempt) -> Option<&'a Window> {
        let strict = windows.iter().copied().find(|window| !(attempt.is_manual && window.manual_sync))?;
        let was_allowed = |at| self.blocker(Attempt { started_at: None, ..attempt }, at).is_none();
        let overruns = windows.iter().all(|window| window.sync_overrun) && attempt.started_at.is_some_and(was_allowed);
        (!overruns).then_some(strict)
    }

    /// Returns when a sync that is blocked now may go on; `None` if that is not in sight.
    pub(crate) fn opens_at(&self, attempt: Attempt, now: Timestamp) -> Option<Timestamp> {
        self.flips(now).take(FLIPS).find(|at| self.blocker(attempt, *at).is_none())
    }

    /// Returns when the answer for a sync changes, or when it has to be asked again.
    pub(crate) fn changes_at(&self, attempt: Attempt, now: Timestamp) -> Option<Timestamp> {
        let is_blocked = self.blocker(attempt, now).is_some();
        let mut last = None;
        for at in self.flips(now).take(NEAR_FLIPS) {
            last = Some(at);
            if self.blocker(attempt, at).is_some() != is_blocked {
                break;
            }
        }
        last
    }

    fn flips(&self, now: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        let next = |at: Timestamp| self.0.iter().filter_map(|window| window.next_flip(at)).min();
        std::iter::successors(next(now), move |at| next(*at))
    }

    /// Returns the sentence about what blocks a sync and until when; `None` if nothing does.
    pub(crate) fn why_blocked(&self, attempt: Attempt, now: Timestamp) -> Option<String> {
        let window = self.blocker(attempt, now)?;
        let state = match window.kind {
            WindowKind::Allow => "is not open",
            WindowKind::Deny => "is active",
        };
        let until = match self.opens_at(attempt, now) {
            Some(at) => format!("syncs are possible from {}", window.on_its_clock(at)),
            None => "no end of it is in sight".to_owned(),
        };
        Some(format!("{window} {state}; {until}"))
    }

    /// Returns what a person should know about windows that are not as they were written.
    pub(crate) fn concerns(&self) -> Vec<String> {
        self.0.iter().filter_map(Window::concern).collect()
    }
}

fn of_kind<'a>(windows: &[&'a Window], kind: WindowKind) -> Vec<&'a Window> {
    windows.iter().copied().filter(|window| window.kind == kind).collect()
}
