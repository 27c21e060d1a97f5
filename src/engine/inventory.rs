//! What an app owns in a cluster, kept in the state folder (decision 24): per context, destination namespace and app, written before the
//! first create with everything old and new, narrowed after success to what is live. Never holds a manifest, let alone a Secret.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{OperationPhase, ResourceKey, Role, Task};
use crate::operation::Operation;
use crate::plan::Plan;

const FORMAT: u32 = 1;

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
    /// SHA-256 of what was applied; empty for Secrets, whose values could be guessed from it.
    #[serde(default)]
    pub(super) hash: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Document {
    format: u32,
    app: String,
    context: String,
    namespace: String,
    objects: Vec<Owned>,
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
        let name = format!("{}.json", escaped(&self.app));
        self.state_dir.join("inventory").join(escaped(&self.context)).join(escaped(&self.namespace)).join(name)
    }

    /// Reads the inventory; `None` if there is none.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub(super) fn read(&self) -> Result<Option<Vec<Owned>>, String> {
        let file = self.file();
        let unusable = |reason: String| {
            format!("the inventory {} cannot be used ({reason}); what to prune is found by tracking id instead", file.display())
        };
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(error.to_string())),
        };
        let document: Document = serde_json::from_slice(&bytes).map_err(|error| unusable(error.to_string()))?;
        if document.format != FORMAT {
            return Err(unusable(format!("its format {} is not known", document.format)));
        }
        Ok(Some(document.objects))
    }

    fn write(&self, objects: Vec<Owned>) -> io::Result<()> {
        let document =
            Document { format: FORMAT, app: self.app.clone(), context: self.context.clone(), namespace: self.namespace.clone(), objects };
        write_private(&self.file(), &serde_json::to_vec_pretty(&document)?)
    }
}

/// The inventory during an operation.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    home: Home,
    objects: BTreeMap<ResourceKey, Owned>,
}

impl Ledger {
    /// Unites what was owned with what a plan is going to apply, and with what it found to be owned.
    pub(super) fn new(home: Home, old: Vec<Owned>, plan: &Plan) -> Self {
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
        Self { home, objects }
    }

    /// Writes the inventory before the first create.
    ///
    /// # Errors
    /// A sentence that names the file and says what follows.
    pub(super) async fn open(&self) -> Result<(), String> {
        let (home, objects) = (self.home.clone(), self.objects.values().cloned().collect());
        let written = tokio::task::spawn_blocking(move || home.write(objects)).await.map_err(io::Error::other).flatten();
        written.map_err(|error| {
            let file = self.home.file();
            format!("the inventory {} cannot be written ({error}); what to prune will be found by tracking id", file.display())
        })
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
            None => !(is_success && seen.contains(key)),
        });
        if let Err(error) = self.open().await {
            tracing::warn!("{error}");
        }
    }
}

fn owned(task: &Task, uid: String) -> Owned {
    let key = task.id.key.clone();
    let hash = match &task.target {
        Some(target) if *key.kind != *"Secret" => format!("{:x}", Sha256::digest(target.wire().to_string())),
        Some(_) | None => String::new(),
    };
    Owned { key, version: task.version.to_string(), uid, wave: task.wave.0, hash }
}

/// Writes a file that only its owner may read, so that it is either the old or the new one, whatever happens.
fn write_private(file: &Path, bytes: &[u8]) -> io::Result<()> {
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
        Owned { key, version: "v1".into(), uid: "u".into(), wave: 1, hash: "h".into() }
    }

    #[test]
    fn decision_24_an_inventory_is_found_again_by_context_namespace_and_app() {
        let folder = tempfile::tempdir().unwrap();
        let home = home(folder.path());
        assert_eq!(home.read(), Ok(None));
        home.write(vec![item("a"), item("b")]).unwrap();
        assert_eq!(home.read(), Ok(Some(vec![item("a"), item("b")])));
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
        home.write(vec![item("a")]).unwrap();
        home.write(vec![item("b")]).unwrap();
        let mode = std::fs::metadata(home.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(home.file().parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_broken_inventory_is_a_sentence_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let home = home(folder.path());
        home.write(Vec::new()).unwrap();
        for text in ["{", "{\"format\":9,\"app\":\"\",\"context\":\"\",\"namespace\":\"\",\"objects\":[]}"] {
            std::fs::write(home.file(), text).unwrap();
            let sentence = home.read().unwrap_err();
            assert!(sentence.contains("web.json cannot be used (") && sentence.ends_with("by tracking id instead"), "{sentence}");
        }
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
