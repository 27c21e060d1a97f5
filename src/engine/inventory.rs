//! What an app owns in a cluster, kept in the state folder (decision 24): per context, destination namespace and app, written before the
//! first create with everything old and new, narrowed after success to what is live. Never holds a manifest, let alone a Secret; what it
//! knows of them are seals, and the key that makes them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::seals::{SealKey, Seals};
use crate::model::{Gvk, OperationPhase, ResourceKey, Role, Task};
use crate::operation::Operation;
use crate::plan::Plan;

const FORMAT: u32 = 2;
/// The format before seals; nothing else is different.
const WITHOUT_SEALS: u32 = 1;

/// One object of an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Owned {
    #[serde(flatten)]
    pub(super) key: ResourceKey,
    /// API version without the group.
    pub(super) version: String,
    /// Empty until the object is known to exist.
    #[serde(default)]
    pub(super) uid: String,
    #[serde(default)]
    pub(super) wave: i64,
    /// Binds what was applied last to what came out of it; empty if nothing is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) seal: String,
}

impl Owned {
    /// Returns group, version and kind.
    pub(super) fn gvk(&self) -> Gvk {
        Gvk { group: self.key.group.clone(), version: self.version.as_str().into(), kind: self.key.kind.clone() }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    format: u32,
    app: String,
    context: String,
    namespace: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seal_key: Option<SealKey>,
    objects: Vec<Owned>,
    /// A deletion has done its PreDelete hooks and has begun with the objects.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    in_deletion: bool,
}

/// What an inventory holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) seal_key: Option<SealKey>,
    pub(super) objects: Vec<Owned>,
    /// A deletion has begun with the objects and has not come to its end.
    pub(super) in_deletion: bool,
}

impl Contents {
    /// Returns what is known of objects that the last apply made what they are.
    pub(super) fn seals(&self) -> Arc<Seals> {
        Arc::new(Seals::of(self.seal_key.clone(), &self.objects))
    }
}

/// Where an inventory belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) state_dir: PathBuf,
    pub(super) context: String,
    pub(super) namespace: String,
    pub(super) app: String,
}

impl Home {
    fn file(&self) -> PathBuf {
        self.beside(".json")
    }

    /// Returns a file beside the inventory; an ending with `~` cannot be part of an app's name.
    pub(super) fn beside(&self, ending: &str) -> PathBuf {
        let name = format!("{}{ending}", escaped(&self.app));
        self.state_dir.join("inventory").join(escaped(&self.context)).join(escaped(&self.namespace)).join(name)
    }

    /// Reads the inventory; `None` if there is none.
    ///
    /// # Errors
    /// A clause that names the file and says why; what follows depends on what it is read for.
    pub(super) fn read(&self) -> Result<Option<Contents>, String> {
        let file = self.file();
        let unusable = |reason: String| format!("the inventory {} cannot be used ({reason})", file.display());
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(error.to_string())),
        };
        let document: Document = serde_json::from_slice(&bytes).map_err(|error| unusable(error.to_string()))?;
        if ![FORMAT, WITHOUT_SEALS].contains(&document.format) {
            return Err(unusable(format!("its format {} is not known", document.format)));
        }
        Ok(Some(Contents { seal_key: document.seal_key, objects: document.objects, in_deletion: document.in_deletion }))
    }

    fn write(&self, contents: Contents) -> io::Result<()> {
        let (app, context, namespace) = (self.app.clone(), self.context.clone(), self.namespace.clone());
        let Contents { seal_key, objects, in_deletion } = contents;
        let document = Document { format: FORMAT, app, context, namespace, seal_key, objects, in_deletion };
        write_private(&self.file(), &serde_json::to_vec_pretty(&document)?)
    }

    /// Moves the inventory to a name beside it that is free, and returns the new one; `None` if there is none any more.
    fn move_aside(&self) -> io::Result<Option<PathBuf>> {
        let numbered = (2_u32..).map(|number| self.beside(&format!(".json.broken-{number}")));
        let free = std::iter::once(self.beside(".json.broken")).chain(numbered).find(|path| path.symlink_metadata().is_err());
        let Some(aside) = free else { return Err(io::ErrorKind::AlreadyExists.into()) };
        match std::fs::rename(self.file(), &aside) {
            Ok(()) => Ok(Some(aside)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn remove(&self) -> io::Result<()> {
        match std::fs::remove_file(self.file()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// The inventory during an operation.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    home: Home,
    objects: BTreeMap<ResourceKey, Owned>,
    seals: Arc<Seals>,
    in_deletion: bool,
    /// What nobody could look at; a success proves nothing about it.
    unseen: BTreeSet<ResourceKey>,
    /// An inventory that could not be read is in the way. It may be whole, so it is never written over.
    is_blocked: bool,
}

impl Ledger {
    /// Unites what was owned with what a plan is going to apply, and with what it found to be owned.
    pub(super) fn new(home: Home, old: Contents, plan: &Plan) -> Self {
        let seals = old.seals();
        let old = old.objects;
        let mut objects: BTreeMap<ResourceKey, Owned> = old.into_iter().map(|owned| (owned.key.clone(), owned)).collect();
        for task in plan.tasks.iter().filter(|task| !task.id.key.name.is_empty() && !task.automatic) {
            match task.id.role {
                Role::Hook => {}
                Role::Prune => _ = objects.entry(task.id.key.clone()).or_insert_with(|| owned(task, String::new())),
                Role::Apply => {
                    let known = objects.remove(&task.id.key);
                    objects.insert(task.id.key.clone(), owned(task, known.map(|known| known.uid).unwrap_or_default()));
                }
            }
        }
        Self { home, objects, seals, in_deletion: false, unseen: BTreeSet::new(), is_blocked: false }
    }

    /// What is left of an app in the middle of its deletion. `is_begun`: an earlier one was cut off.
    pub(super) fn of_deletion(home: Home, old: Vec<Owned>, plan: &Plan, is_begun: bool) -> Self {
        let mut objects: BTreeMap<ResourceKey, Owned> = old.into_iter().map(|owned| (owned.key.clone(), owned)).collect();
        for task in plan.tasks.iter().filter(|task| task.is_prune() && !task.traits.is_hook()) {
            objects.entry(task.id.key.clone()).or_insert_with(|| owned(task, String::new()));
        }
        let seals = Arc::new(Seals::of(None, &[]));
        Self { home, objects, seals, in_deletion: is_begun, unseen: BTreeSet::new(), is_blocked: false }
    }

    /// Returns the same inventory; `is_blocked`: the old one could not be read.
    pub(super) fn blocked(self, is_blocked: bool) -> Self {
        Self { is_blocked, ..self }
    }

    /// Notes what may still be the app's although nobody could look at it, so that a later deletion finds it.
    pub(super) fn keep_unseen(&mut self, unseen: Vec<Owned>) {
        self.unseen = unseen.iter().map(|owned| owned.key.clone()).collect();
        for owned in unseen {
            self.objects.entry(owned.key.clone()).or_insert(owned);
        }
    }

    /// Moves an inventory that could not be read out of the way of the new one; returns the sentence that says so.
    pub(super) async fn make_way(&mut self) -> Option<String> {
        if !self.is_blocked {
            return None;
        }
        let home = self.home.clone();
        let moved = tokio::task::spawn_blocking(move || home.move_aside()).await.map_err(io::Error::other).flatten();
        let file = self.home.file();
        match moved {
            Ok(aside) => {
                self.is_blocked = false;
                aside.map(|aside| format!("the inventory that cannot be used was moved to {}; a new one is written", aside.display()))
            }
            Err(error) => {
                Some(format!("the inventory {} cannot be moved out of the way ({error}), so no new one is written", file.display()))
            }
        }
    }

    /// Notes that the first object is about to be deleted.
    ///
    /// # Errors
    /// A sentence that names the file and says what follows.
    pub(super) async fn begin_deletion(&mut self) -> Result<(), String> {
        self.in_deletion = true;
        self.write().await.map_err(|error| {
            let file = self.home.file();
            format!(
                "the inventory {} cannot be written ({error}); if this deletion is cut off, the next one runs its PreDelete hooks again",
                file.display()
            )
        })
    }

    /// Returns what is known of objects that our last apply made what they are.
    pub(super) fn seals(&self) -> Arc<Seals> {
        self.seals.clone()
    }

    fn contents(&self) -> Contents {
        let sealed = self.objects.values().map(|owned| Owned { seal: self.seals.seal(&owned.key), ..owned.clone() });
        Contents { seal_key: self.seals.key(), objects: sealed.collect(), in_deletion: self.in_deletion }
    }

    /// Returns where it is kept.
    pub(super) fn home(&self) -> &Home {
        &self.home
    }

    /// Writes the inventory before the first create.
    ///
    /// # Errors
    /// A sentence that names the file and says what follows.
    pub(super) async fn open(&self) -> Result<(), String> {
        self.write().await.map_err(|error| {
            let file = self.home.file();
            format!("the inventory {} cannot be written ({error}); what to prune will be found by tracking id", file.display())
        })
    }

    async fn write(&self) -> io::Result<()> {
        if self.is_blocked {
            return Ok(());
        }
        let (home, contents) = (self.home.clone(), self.contents());
        tokio::task::spawn_blocking(move || home.write(contents)).await.map_err(io::Error::other).flatten()
    }

    /// Writes what is owned after an operation that ends in this phase. Only a success proves what is gone.
    pub(super) async fn close(&mut self, operation: &Operation, phase: OperationPhase) {
        let is_success = phase == OperationPhase::Succeeded;
        let seen: BTreeSet<&ResourceKey> = operation.plan().tasks.iter().map(|task| &task.id.key).collect();
        self.objects.retain(|key, owned| match operation.live(key) {
            Some(live) => {
                owned.uid = live.uid.to_string();
                true
            }
            None => !(is_success && seen.contains(key)) || self.unseen.contains(key),
        });
        // A deletion that comes for the rest goes on where this one has stopped.
        self.in_deletion &= !is_success || !self.unseen.is_empty();
        if operation.is_deletion() && is_success && self.objects.is_empty() {
            return self.remove().await;
        }
        if let Err(error) = self.open().await {
            tracing::warn!("{error}");
        }
    }

    async fn remove(&self) {
        let home = self.home.clone();
        let removed = tokio::task::spawn_blocking(move || home.remove()).await.map_err(io::Error::other).flatten();
        if let Err(error) = removed {
            tracing::warn!("the inventory {} of an app that is gone cannot be removed: {error}", self.home.file().display());
        }
    }
}

fn owned(task: &Task, uid: String) -> Owned {
    Owned { key: task.id.key.clone(), version: task.version.to_string(), uid, wave: task.wave.0, seal: String::new() }
}

/// Writes a file that only its owner may read, so that it is either the old or the new one, whatever happens.
pub(super) fn write_private(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let draft = file.with_extension(format!("json.{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut open = options.open(&draft)?;
    let written = open.write_all(bytes).and_then(|()| open.sync_all()).and_then(|()| std::fs::rename(&draft, file));
    if written.is_err() {
        // The draft may not even exist; the first error is the one that counts.
        std::fs::remove_file(&draft).ok();
    }
    written
}

/// Makes a name that is a file name everywhere: what is not a letter, digit, `-`, `_` or `.` becomes `%XX`.
fn escaped(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let mut text = String::new();
    for (at, byte) in name.bytes().enumerate() {
        if plain(byte) || (byte == b'.' && at > 0) {
            text.push(char::from(byte));
        } else {
            text.extend(format!("%{byte:02X}").chars());
        }
    }
    if text.len() > 100 {
        let hash = format!("{:x}", Sha256::digest(name));
        text.truncate(80);
        text = format!("{text}-{}", &hash[..16]);
    }
    if text.is_empty() { "%".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(folder: &Path) -> Home {
        Home { state_dir: folder.to_owned(), context: "arn:aws:eks/prod".into(), namespace: "shop".into(), app: "web".into() }
    }

    fn item(name: &str) -> Owned {
        let key = ResourceKey::new("", "ConfigMap", "shop", name);
        Owned { key, version: "v1".into(), uid: "u".into(), wave: 1, seal: "s".into() }
    }

    fn contents(names: &[&str]) -> Contents {
        Contents { seal_key: Seals::of(None, &[]).key(), objects: names.iter().map(|name| item(name)).collect(), in_deletion: false }
    }

    #[test]
    fn decision_24_an_inventory_is_found_again_by_context_namespace_and_app() {
        let folder = tempfile::tempdir().unwrap();
        let home = home(folder.path());
        assert_eq!(home.read(), Ok(None));
        let both = contents(&["a", "b"]);
        home.write(both.clone()).unwrap();
        assert_eq!(home.read(), Ok(Some(both)));
        assert!(folder.path().join("inventory/arn%3Aaws%3Aeks%2Fprod/shop/web.json").is_file());
        let other = Home { namespace: "other".into(), ..home.clone() };
        assert_eq!(other.read(), Ok(None));
    }

    #[cfg(unix)]
    #[test]
    fn an_inventory_belongs_to_its_owner_alone_and_leaves_no_draft() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let home = home(folder.path());
        home.write(contents(&["a"])).unwrap();
        home.write(contents(&["b"])).unwrap();
        let mode = std::fs::metadata(home.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(home.file().parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_broken_inventory_is_a_clause_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let home = home(folder.path());
        home.write(contents(&[])).unwrap();
        for text in ["{", "{\"format\":9,\"app\":\"\",\"context\":\"\",\"namespace\":\"\",\"objects\":[]}"] {
            std::fs::write(home.file(), text).unwrap();
            let sentence = home.read().unwrap_err();
            assert!(sentence.contains("web.json cannot be used (") && sentence.ends_with(')'), "{sentence}");
        }
    }

    #[test]
    fn an_inventory_without_seals_is_read_too() {
        let folder = tempfile::tempdir().unwrap();
        let home = home(folder.path());
        home.write(contents(&[])).unwrap();
        let object = r#"{"group":"","kind":"ConfigMap","namespace":"shop","name":"a","version":"v1","uid":"u","wave":1,"hash":"h"}"#;
        std::fs::write(home.file(), format!(r#"{{"format":1,"app":"","context":"","namespace":"","objects":[{object}]}}"#)).unwrap();
        let objects = vec![Owned { seal: String::new(), ..item("a") }];
        assert_eq!(home.read(), Ok(Some(Contents { objects, ..Contents::default() })));
    }

    #[test]
    fn names_become_file_names() {
        assert_eq!(escaped("kind-dev"), "kind-dev");
        assert_eq!(escaped(".."), "%2E.");
        assert_eq!(escaped(""), "%");
        assert_eq!(escaped("ä"), "%C3%A4");
        assert!(escaped(&"x".repeat(500)).len() < 110);
    }
}
