//! Proofs that an object still is what an apply of ours made of it, so that the same apply need not be sent again (performance.md 2.5,
//! point 8). A seal binds what was sent to what came out; whatever has changed on either side breaks it, and then the apply is sent. It is
//! made with a key that only the inventory holds, because the values of a Secret could be guessed from a plain hash (durability.md).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};

use super::inventory::Owned;
use crate::cluster::{Content, Snapshot, locked};
use crate::model::{Mode, Object, ResourceKey, Role, Task, Verb};

/// The key of one inventory, 256 random bits. Shown to nobody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct SealKey(String);

impl SealKey {
    /// Makes a key; `None` if the system has no random bits to give.
    fn random() -> Option<Self> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).ok()?;
        Some(Self(STANDARD_NO_PAD.encode(bytes)))
    }

    fn is_whole(&self) -> bool {
        STANDARD_NO_PAD.decode(&self.0).is_ok_and(|bytes| bytes.len() == 32)
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SealKey(…)")
    }
}

/// The seals of one app, during an operation.
#[derive(Debug)]
pub(super) struct Seals {
    /// Without a key nothing is sealed.
    key: Option<SealKey>,
    seals: Mutex<BTreeMap<ResourceKey, String>>,
}

/// One apply: what was sent, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent<'a> {
    pub(super) target: &'a Object,
    pub(super) mode: Mode,
}

impl Seals {
    /// Takes the seals of an inventory; without a key of its own it has none, and gets a new one.
    pub(super) fn of(key: Option<SealKey>, owned: &[Owned]) -> Self {
        let known = key.filter(SealKey::is_whole);
        let sealed = owned.iter().filter(|owned| known.is_some() && !owned.seal.is_empty());
        let seals = sealed.map(|owned| (owned.key.clone(), owned.seal.clone())).collect();
        Self { key: known.or_else(SealKey::random), seals: Mutex::new(seals) }
    }

    pub(super) fn key(&self) -> Option<SealKey> {
        self.key.clone()
    }

    /// Returns the seal of an object, empty if there is none.
    pub(super) fn seal(&self, key: &ResourceKey) -> String {
        locked(&self.seals).get(key).cloned().unwrap_or_default()
    }

    /// Returns whether there is a seal of an object.
    pub(super) fn know(&self, key: &ResourceKey) -> bool {
        locked(&self.seals).contains_key(key)
    }

    /// Notes what an apply has made of an object.
    pub(super) fn put(&self, key: &ResourceKey, sent: Sent<'_>, content: Content) {
        if let Some(seal) = self.make(sent, content) {
            locked(&self.seals).insert(key.clone(), seal);
        }
    }

    /// Returns whether a sync need not send an apply: the last one made the object what it is now, and no fields are to become ours first.
    pub(super) fn spare(&self, task: &Task, sent: Sent<'_>, live: &Snapshot) -> bool {
        let is_to_migrate = sent.mode.migrate && live.has_left_behind();
        may_be_sealed(task, sent.mode) && !is_to_migrate && self.holds(&task.id.key, sent, live.content())
    }

    /// Returns whether this very apply has made the object what it is now.
    fn holds(&self, key: &ResourceKey, sent: Sent<'_>, content: Content) -> bool {
        let known = locked(&self.seals).get(key).cloned();
        known.is_some() && known == self.make(sent, content)
    }

    fn make(&self, sent: Sent<'_>, content: Content) -> Option<String> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.key.as_ref()?.0.as_bytes());
        let mut seal = hmac::Context::with_key(&key);
        seal.update(content.bytes());
        seal.update(&[u8::from(sent.mode.validate), u8::from(sent.mode.migrate)]);
        seal.update(sent.target.wire().to_string().as_bytes());
        Some(STANDARD_NO_PAD.encode(seal.sign()))
    }
}

/// A hook runs each time, what is forced or replaced is written each time, and whoever asks for a definition wants it established.
pub(super) fn may_be_sealed(task: &Task, mode: Mode) -> bool {
    let is_merged = match mode.verb {
        Verb::Apply | Verb::ServerSideApply => !mode.force,
        Verb::Replace => false,
    };
    let key = &task.id.key;
    task.id.role == Role::Apply && is_merged && !key.name.is_empty() && !key.is_definition()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::Options;

    fn key() -> ResourceKey {
        ResourceKey::new("", "Secret", "shop", "a")
    }

    fn target(value: &str) -> Object {
        Object::new(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"k": value}}))
    }

    fn content(value: &str, uid: &str) -> Content {
        let live: Value = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "uid": uid}, "data": {"k": value}});
        Snapshot::of(&live).content()
    }

    fn mode(options: &[&str]) -> Mode {
        let items: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        Mode::of(&Options::new(items), false, &[], &[])
    }

    /// What the inventory would hold of these seals.
    fn kept(seals: &Seals) -> Vec<Owned> {
        vec![Owned { key: key(), version: "v1".into(), uid: "u".into(), wave: 0, seal: seals.seal(&key()) }]
    }

    #[test]
    fn a_seal_holds_for_the_same_apply_of_the_same_object_alone() {
        let before = Seals::of(None, &[]);
        let (same, plain) = (target("v"), mode(&[]));
        before.put(&key(), Sent { target: &same, mode: plain }, content("djE", "u"));
        let seals = Seals::of(before.key(), &kept(&before));
        let holds = |target: &Object, mode, content| seals.holds(&key(), Sent { target, mode }, content);
        assert!(holds(&same, plain, content("djE", "u")), "also in the next run of the program");
        assert!(!holds(&target("w"), plain, content("djE", "u")), "another manifest");
        assert!(!holds(&same, plain, content("djI", "u")), "somebody has changed the object");
        assert!(!holds(&same, plain, content("djE", "u2")), "another object of the same name, or another cluster of the same name");
        assert!(!holds(&same, mode(&["Validate=false"]), content("djE", "u")), "sent in another way");
        assert!(!holds(&same, mode(&["ClientSideApplyMigration=false"]), content("djE", "u")));
        let other = ResourceKey::new("", "Secret", "shop", "b");
        assert!(!seals.holds(&other, Sent { target: &same, mode: plain }, content("djE", "u")), "never sealed");
    }

    #[test]
    fn a_seal_is_worth_nothing_without_its_key_and_says_nothing_of_a_value() {
        let (one, two) = (Seals::of(None, &[]), Seals::of(None, &[]));
        let target = target("v");
        let sent = Sent { target: &target, mode: mode(&[]) };
        for seals in [&one, &two] {
            seals.put(&key(), sent, content("djE", "u"));
        }
        assert_ne!(one.seal(&key()), two.seal(&key()));
        assert!(!Seals::of(two.key(), &kept(&one)).holds(&key(), sent, content("djE", "u")));
        assert!(!Seals::of(None, &kept(&one)).holds(&key(), sent, content("djE", "u")));
        assert!(!Seals::of(Some(SealKey("short".into())), &kept(&one)).holds(&key(), sent, content("djE", "u")), "a broken key is none");
        let shown = format!("{:?}", one.key());
        assert_eq!(shown, "Some(SealKey(…))");
    }
}
