//! Operations that have begun and are not known to have ended. Beside each inventory lie a lock, which only one process has at a time
//! and which the system takes back from a dead one, and a list of operations with the hooks that they may leave behind, written before
//! the first of them is created. Whoever gets the lock and finds an operation on the list knows that nobody runs it any more.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::inventory::{Home, write_private};
use crate::model::annotation::HOOK_FINALIZER;
use crate::model::{DeletePolicy, Phase, ResourceKey, Role, Task, TaskId};
use crate::operation::Operation;
use crate::plan::{Kind, Plan};

const FORMAT: u32 = 1;

/// A hook that an operation may leave behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LeftHook {
    #[serde(flatten)]
    pub(super) key: ResourceKey,
    /// API version without the group.
    pub(super) version: String,
    pub(super) phase: Phase,
    pub(super) policies: Vec<DeletePolicy>,
}

/// An operation that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Begun {
    pub(super) operation: String,
    pub(super) started_at: Timestamp,
    /// It came to its end, but could not clean up these hooks.
    #[serde(default)]
    pub(super) ended: bool,
    pub(super) hooks: Vec<LeftHook>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Document {
    format: u32,
    operations: Vec<Begun>,
}

/// Who has the lock, for the sentence of whoever does not get it.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    operation: String,
    since: Timestamp,
}

/// The operations of one inventory, from the view of the one that has its lock.
#[derive(Debug)]
pub(super) struct Unfinished {
    file: PathBuf,
    dead: Vec<Begun>,
    /// Operations that may still run, because nobody could take the lock. They stay on the list.
    unclear: Vec<Begun>,
    /// The operation that begins; none for a dry run, which leaves nothing behind.
    own: Option<Begun>,
    /// Given back when it is dropped.
    lock: Option<File>,
}

/// Which operation begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beginning<'a> {
    pub(super) operation: &'a str,
    pub(super) at: Timestamp,
    pub(super) plan: &'a Plan,
    pub(super) is_dry: bool,
}

impl Unfinished {
    /// Takes the lock of an inventory and reads its list. Sentences about what could not be done go to `notes`. A dry run needs no lock:
    /// it writes nothing.
    ///
    /// # Errors
    /// The sentence that refuses an operation, because another process has the lock.
    pub(super) fn begin(home: &Home, beginning: Beginning<'_>, notes: &mut Vec<String>) -> Result<Self, String> {
        let file = home.beside("~open.json");
        let own = (!beginning.is_dry).then(|| Begun {
            operation: beginning.operation.to_owned(),
            started_at: beginning.at,
            ended: false,
            hooks: hooks(beginning.plan),
        });
        let lock = match take(home, beginning) {
            Taken::Ours(lock) => Some(lock),
            Taken::Others(_) if beginning.is_dry => return Ok(Self { file, dead: Vec::new(), unclear: Vec::new(), own, lock: None }),
            Taken::Others(sentence) => return Err(sentence),
            Taken::Unclear(note) => {
                notes.push(note);
                None
            }
        };
        let listed = read(&file).unwrap_or_else(|note| {
            notes.push(note);
            Vec::new()
        });
        // Only the lock tells an operation that was killed from one that another process runs, and its hooks must not be touched.
        let (dead, unclear): (Vec<Begun>, Vec<Begun>) = listed.into_iter().partition(|begun| lock.is_some() || begun.ended);
        notes.extend(not_swept(&unclear));
        Ok(Self { file, dead, unclear, own, lock: lock.filter(|_| !beginning.is_dry) })
    }

    /// Returns the operations that nobody runs any more.
    pub(super) fn dead(&self) -> &[Begun] {
        &self.dead
    }

    /// Notes what is still left of dead operations.
    pub(super) async fn swept(&mut self, left: Vec<Begun>) {
        self.dead = left;
        self.write_or_log().await;
    }

    /// Writes the list before the first write to the cluster.
    ///
    /// # Errors
    /// A sentence that names the file and says what follows.
    pub(super) async fn write(&self) -> Result<(), String> {
        let operations: Vec<Begun> =
            self.dead.iter().chain(&self.unclear).chain(&self.own).filter(|begun| !begun.hooks.is_empty()).cloned().collect();
        let file = self.file.clone();
        let written = tokio::task::spawn_blocking(move || {
            if operations.is_empty() {
                return remove(&file);
            }
            write_private(&file, &serde_json::to_vec_pretty(&Document { format: FORMAT, operations })?)
        });
        written.await.map_err(io::Error::other).flatten().map_err(|error| {
            let file = self.file.display();
            format!("{file} cannot be written ({error}); if this sync is killed, the next one will not find all hooks that it left")
        })
    }

    async fn write_or_log(&self) {
        if let Err(sentence) = self.write().await {
            tracing::warn!("{sentence}");
        }
    }

    /// Notes that the operation has ended, with the hooks that it could not let go, and gives the lock back. A hook may also come into
    /// being after the end, with a finalizer that nobody would remove (spec R1502). Refused ones are noted with those, because their
    /// outcomes are texts; the next sync looks once and finds nothing.
    pub(super) async fn close(&mut self, operation: &Operation) {
        let Some(own) = &mut self.own else { return };
        let is_left = |hook: &LeftHook| {
            let task = TaskId { phase: hook.phase, key: hook.key.clone(), role: Role::Hook };
            let live = operation.live(&hook.key);
            let is_locked = live.is_some_and(|live| live.has_hook_finalizer() && live.operation.as_ref() == Some(operation.id()));
            is_locked || operation.may_come_late(&task)
        };
        own.hooks.retain(is_left);
        own.ended = true;
        self.write_or_log().await;
        self.lock = None;
    }
}

/// Hooks of a plan that a killed operation may leave behind, by the names that they will have. Those of a deletion carry no finalizer and
/// are taken over by the next one (spec R214, R1536).
fn hooks(plan: &Plan) -> Vec<LeftHook> {
    let is_left = |task: &&Task| plan.kind == Kind::Sync && task.is_hook() && !task.id.key.name.is_empty();
    let named = plan.tasks.iter().filter(is_left);
    named
        .map(|task| LeftHook {
            key: task.id.key.clone(),
            version: task.version.to_string(),
            phase: task.id.phase,
            policies: task.delete_policies().to_vec(),
        })
        .collect()
}

fn not_swept(unclear: &[Begun]) -> Option<String> {
    let names: Vec<&str> = unclear.iter().map(|begun| begun.operation.as_str()).collect();
    let (which, it) = match names[..] {
        [] => return None,
        [name] => (format!("the operation {name}"), "it"),
        _ => (format!("the operations {}", names.join(", ")), "they"),
    };
    Some(format!(
        "hooks that {which} may have left are not cleaned up, because without the lock {it} may still run; keep the state folder where \
         files can be locked (--state-dir), or take the finalizer {HOOK_FINALIZER} off those hooks and delete them by hand"
    ))
}

fn read(file: &std::path::Path) -> Result<Vec<Begun>, String> {
    let unusable =
        |reason: String| format!("{} cannot be used ({reason}); hooks that a killed sync has left are not looked for", file.display());
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unusable(error.to_string())),
    };
    let document: Document = serde_json::from_slice(&bytes).map_err(|error| unusable(error.to_string()))?;
    if document.format != FORMAT {
        return Err(unusable(format!("its format {} is not known", document.format)));
    }
    Ok(document.operations)
}

fn remove(file: &std::path::Path) -> io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Whose the lock is.
enum Taken {
    Ours(File),
    /// Another process has it; the sentence that says who.
    Others(String),
    /// The system cannot say, with a sentence; then nothing keeps two syncs of one app apart.
    Unclear(String),
}

fn take(home: &Home, beginning: Beginning<'_>) -> Taken {
    let path = home.beside("~lock");
    let unclear = |error: &io::Error| {
        Taken::Unclear(format!("the lock {} cannot be taken ({error}); make sure that no other sync of this app runs", path.display()))
    };
    let mut file = match open(&path) {
        Ok(file) => file,
        Err(error) => return unclear(&error),
    };
    match file.try_lock() {
        Ok(()) => {
            let holder = Holder { pid: std::process::id(), operation: beginning.operation.to_owned(), since: beginning.at };
            if let Err(error) = sign(&mut file, &holder) {
                tracing::warn!("{} cannot be written: {error}", path.display());
            }
            Taken::Ours(file)
        }
        Err(TryLockError::WouldBlock) => Taken::Others(refusal(home, &mut file)),
        Err(TryLockError::Error(error)) => unclear(&error),
    }
}

fn open(path: &std::path::Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn sign(file: &mut File, holder: &Holder) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&serde_json::to_vec(holder)?)
}

fn refusal(home: &Home, file: &mut File) -> String {
    let mut text = String::new();
    // On a system where a lock forbids reading too, the sentence names nobody.
    let holder = file.read_to_string(&mut text).ok().and_then(|_| serde_json::from_str::<Holder>(&text).ok());
    let who = holder.map_or_else(
        || "another process".to_owned(),
        |holder| format!("process {} (operation {}, since {})", holder.pid, holder.operation, said(holder.since)),
    );
    format!(
        "the app `{}` is being synced to namespace {} of the context `{}` already, by {who}; wait for its end, or end it there",
        home.app, home.namespace, home.context
    )
}

/// A moment as sentences say it.
pub(super) fn said(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests;
