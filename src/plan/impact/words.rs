//! The sentences for what a task does beyond its object. They follow the name of the object, so they begin with a verb or name another
//! thing. Names from the cluster are in them as they are; whoever shows them cleans them.

use std::fmt;

use super::facts::{Family, Volume, counted, joined};
use super::sentence::{Cause, Halt, Impact, NoRoll, Roll, Setting, Stay, Thing, Turn, Use, WayOut, Whole};

/// How many names a sentence spells out.
const NAMED: usize = 4;

impl fmt::Display for Impact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rolls { cause, pods, how } => write!(f, "{}: {}", cause.word(), roll(*pods, how)),
            Self::RollsNothing { cause, why } => write!(f, "{}: {}", cause.word(), no_roll(*why)),
            Self::Scales { from, to, again } => f.write_str(&scales(*from, *to, again.as_deref())),
            Self::NoRestart => f.write_str("no pod restarts"),
            Self::Restarts { containers } => write!(f, "image changed: restarts {} in place", few("container", containers)),
            Self::Halts(halt) => f.write_str(halted(*halt)),
            Self::OnlyMetadata => f.write_str("only metadata changes"),
            Self::OnlyIgnored => {
                f.write_str("only ignored fields differ; the sync writes them all the same, unless RespectIgnoreDifferences=true is set")
            }
            Self::Takes { manager, fields } => write!(f, "takes {} from {manager}", listed(fields)),
            Self::Recreates { fields, family } => {
                write!(f, "deletes it and creates it again{}{}", stuck(fields), family.as_ref().map(belongings).unwrap_or_default())
            }
            Self::Deletes { family, is_off } => write!(f, "{}deletes it{}", with_prune(*is_off), belongings(family)),
            Self::Orphans { family, is_off } => {
                write!(f, "{}leaves {} behind (PrunePropagationPolicy=orphan)", with_prune(*is_off), left(family))
            }
            Self::Empties { what, family } => f.write_str(&emptied(*what, family)),
            Self::Loses(volume) => f.write_str(&lost(volume)),
            Self::KeepsClaims(count) => write!(f, "leaves {} with their data", counted(*count, "PersistentVolumeClaim")),
            Self::Stays(Stay::PruneIsOff) => f.write_str("stays: prune is off, --prune deletes it"),
            Self::Stays(Stay::Option(option)) => write!(f, "stays: {option}"),
            Self::AsksFirst { option } => write!(f, "waits for a confirmation ({option})"),
            Self::Last => f.write_str("goes after everything else is applied (PruneLast=true)"),
            Self::WaitsFor { finalizers } => {
                write!(f, "is not gone before somebody takes away {}", few("finalizer", finalizers))
            }
            Self::Feeds { user, how, turn } => write!(f, "{} {}", user.short(), fed(*how, *turn)),
            Self::FeedsOthers { names, more } => f.write_str(&strangers(names, *more)),
            Self::Gone { what, names } => write!(f, "{} {}", gone(*what), listed(names)),
            Self::New { what, names } => write!(f, "{} {}", new(*what), listed(names)),
            Self::Turns { what, from, to } => f.write_str(&turned(*what, from, to)),
            Self::Immutable { fields, way_out, family } => f.write_str(&immutable(fields, *way_out, family.as_ref())),
        }
    }
}

impl Cause {
    fn word(self) -> &'static str {
        match self {
            Self::Image => "image changed",
            Self::Template => "pod template changed",
        }
    }
}

fn roll(pods: Option<u64>, how: &Roll) -> String {
    let all = pods.map_or_else(|| "its pods".to_owned(), |pods| counted(pods, "pod"));
    match how {
        Roll::Rolling { surge, down } => format!("rolls {all} (+{surge} surge, {down} down)"),
        Roll::Unsaid => format!("rolls {all}"),
        Roll::AllAtOnce if pods == Some(1) => "rolls 1 pod, which goes down first (Recreate)".to_owned(),
        Roll::AllAtOnce => format!("rolls {all}, which all go down first (Recreate)"),
        Roll::Ordered { at_once, from } => {
            let pace = if *at_once == 1 { "one by one".to_owned() } else { format!("{at_once} at a time") };
            let part = if *from == 0 { String::new() } else { format!(", down to number {from} (partition)") };
            format!("rolls {all} {pace}, the highest number first{part}")
        }
        Roll::Canary { steps: 0 } => format!("rolls {all} (canary without steps)"),
        Roll::Canary { steps } => format!("rolls {all} in {} (canary)", counted(*steps as u64, "step")),
        Roll::BlueGreen { by_hand: true } => format!("starts {all} beside the old ones and waits for a promotion (blueGreen)"),
        Roll::BlueGreen { by_hand: false } => format!("rolls {all}, the new ones beside the old ones first (blueGreen)"),
    }
}

fn no_roll(why: NoRoll) -> String {
    match why {
        NoRoll::Paused => "rolls nothing until it is resumed (spec.paused)".to_owned(),
        NoRoll::OnDelete => "rolls nothing until the pods are deleted (OnDelete)".to_owned(),
        NoRoll::NoPods => "rolls nothing, it has no pods".to_owned(),
        NoRoll::Partition(from) => format!("rolls nothing, all pods are below the partition of {from}"),
        NoRoll::NewPods => "rolls nothing, only new pods have it".to_owned(),
        NoRoll::NewJobs => "concerns future runs only".to_owned(),
    }
}

fn scales(from: u64, to: u64, again: Option<&str>) -> String {
    let zero = if to == 0 { ", none is left" } else { "" };
    let again = again.map(|name| format!("; {name} scales it again")).unwrap_or_default();
    format!("scales from {from} to {}{zero}{again}", counted(to, "pod"))
}

fn halted(halt: Halt) -> &'static str {
    match halt {
        Halt::RollsPaused => "paused: changes of the pod template roll nothing from now on",
        Halt::RollsResumed => "resumed: rolls what has changed while it was paused",
        Halt::JobSuspended => "suspended: its running pods are deleted",
        Halt::JobResumed => "resumed: its pods start",
        Halt::RunsSuspended => "suspended: no more runs start",
        Halt::RunsResumed => "resumed: runs start again",
    }
}

fn stuck(fields: &[String]) -> String {
    if fields.is_empty() { String::new() } else { format!(" ({} cannot be changed)", listed(fields)) }
}

fn with_prune(is_off: bool) -> &'static str {
    if is_off { "with --prune: " } else { "" }
}

fn belongings(family: &Family) -> String {
    match &family.unclear {
        Some(why) if family.total() == 0 => format!(" and what belongs to it: its children could not be counted, {why}"),
        Some(why) => format!(" with {family} and more that could not be counted: {why}"),
        None if family.is_empty() => String::new(),
        None if family.total() == 0 => " and what belongs to it: there are too many objects to count".to_owned(),
        None => format!(" with {family}"),
    }
}

fn left(family: &Family) -> String {
    match &family.unclear {
        Some(why) => format!("what belongs to it (its children could not be counted, {why})"),
        None if family.total() == 0 => "what belongs to it".to_owned(),
        None => family.to_string(),
    }
}

fn emptied(what: Whole, family: &Family) -> String {
    let (all, end) = match what {
        Whole::Namespace => ("deletes everything in it", ""),
        Whole::Definition => ("deletes all of its objects", ", in every namespace"),
    };
    let unclear = family.unclear.as_ref().map(|why| format!("; not all could be counted: {why}")).unwrap_or_default();
    if family.total() == 0 && family.unclear.is_none() {
        return match what {
            Whole::Namespace => "deletes everything in it, as far as it could be counted nothing".to_owned(),
            Whole::Definition => "has no objects that would go with it".to_owned(),
        };
    }
    let counts = if family.total() == 0 { String::new() } else { format!(": {family}") };
    format!("{all}{counts}{end}{unclear}")
}

fn lost(volume: &Volume) -> String {
    match volume {
        Volume::Deleted(name) => format!("PersistentVolume {name} goes with its data (reclaim policy Delete)"),
        Volume::Retained(name) => format!("PersistentVolume {name} stays with its data (reclaim policy Retain)"),
        Volume::Unclear(why) => format!("its data may go with it: the reclaim policy of its volume cannot be read, {why}"),
    }
}

fn fed(how: Use, turn: Turn) -> String {
    let place = |phase, wave| format!("{phase} wave {wave}");
    match (turn, how) {
        (Turn::After { phase, wave }, _) => {
            format!("rolls later in this sync ({}): its pods roll once, with the new value", place(phase, wave))
        }
        (Turn::Before { phase, wave }, Use::Environment | Use::SubPath) => {
            format!("rolls earlier in this sync ({}): its new pods start with the old value and keep it", place(phase, wave))
        }
        (Turn::Never, Use::Environment) => "has it in its environment: its pods keep the old value until they restart".to_owned(),
        (Turn::Never, Use::SubPath) => "mounts it by subPath: its pods keep the old value until they restart".to_owned(),
        (Turn::Never | Turn::Before { .. }, Use::Mount) => "mounts it: its pods see the new value within a minute or so".to_owned(),
        (Turn::Never | Turn::Before { .. }, Use::NextRun) => "uses it: its next run has the new value".to_owned(),
    }
}

fn gone(what: Thing) -> &'static str {
    match what {
        Thing::Port => "does not serve any more port",
        Thing::Address => "gives up the address",
        Thing::Host => "does not serve any more host",
        Thing::Right => "takes the right to",
        Thing::Subject => "takes its rights from",
        Thing::Version => "does not serve any more version",
    }
}

fn new(what: Thing) -> &'static str {
    match what {
        Thing::Port => "serves port",
        Thing::Address => "has the address",
        Thing::Host => "serves host",
        Thing::Right => "gives the right to",
        Thing::Subject => "gives its rights to",
        Thing::Version => "serves version",
    }
}

fn turned(what: Setting, from: &str, to: &str) -> String {
    match what {
        Setting::ServiceType => format!("type changes from {from} to {to}"),
        Setting::Selector => format!("sends to other pods: {to} instead of {from}"),
        Setting::IngressClass => format!("moves from ingress class {from} to {to}"),
        Setting::StoredVersion => format!("new objects are stored as {to}; those stored as {from} stay so until they are written"),
        Setting::Size => format!("asks for {to} instead of {from}"),
        Setting::Bounds => format!("keeps {to} pods instead of {from}"),
    }
}

fn immutable(fields: &[String], way_out: WayOut, family: Option<&Family>) -> String {
    let what =
        if fields.is_empty() { "what changes cannot be changed".to_owned() } else { format!("{} cannot be changed", listed(fields)) };
    let how = match way_out {
        WayOut::Force => "`--force`, or the annotation argocd.argoproj.io/sync-options: Force=true on it,",
        WayOut::ReplaceAndForce => "the annotation argocd.argoproj.io/sync-options: Replace=true,Force=true on it",
    };
    format!("{what}; {how} deletes it and creates it again{}", family.map(belongings).unwrap_or_default())
}

/// Returns `2 workloads outside of this app read it: Deployment/a and Deployment/b`.
fn strangers(names: &[String], more: bool) -> String {
    let at_least = if more { "at least " } else { "" };
    let verb = if names.len() == 1 { "reads" } else { "read" };
    format!("{at_least}{} outside of this app {verb} it: {}", counted(names.len() as u64, "workload"), listed(names))
}

/// Returns `finalizer a`, `finalizers a and b`.
fn few(word: &str, names: &[String]) -> String {
    format!("{word}{} {}", if names.len() == 1 { "" } else { "s" }, listed(names))
}

/// Spells out the first names and counts the rest.
fn listed(names: &[String]) -> String {
    if names.len() <= NAMED {
        return joined(names);
    }
    format!("{} and {} more", names[..NAMED - 1].join(", "), names.len() + 1 - NAMED)
}
