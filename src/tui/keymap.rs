//! Which key means which verb on which screen. Reads `assets/keymap.toml`; the help screen and the footer are made from it,
//! so that they cannot say anything else than what the keys do.

use std::collections::HashMap;
use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde::Deserialize;

use super::action::Action;

/// The default keys.
const DEFAULT: &str = include_str!("../../assets/keymap.toml");

/// Where a key is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Context {
    General,
    Sync,
    Details,
    Attempts,
    Logs,
    Diff,
    Dialog,
}

#[cfg(test)]
impl Context {
    const ALL: [Self; 7] = [Self::General, Self::Sync, Self::Details, Self::Attempts, Self::Logs, Self::Diff, Self::Dialog];
}

/// A key with its modifiers, as the terminal reports them, normalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// One line of the keymap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) action: Action,
    pub(crate) keys: Vec<Chord>,
    pub(crate) section: String,
    pub(crate) help: String,
    /// Words of the footer, the key in angle brackets.
    pub(crate) hint: Option<String>,
}

/// All keys.
#[derive(Clone, Debug)]
pub(crate) struct Keymap {
    bindings: Vec<(Context, Binding)>,
    index: HashMap<(Context, Chord), Action>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    general: Vec<Entry>,
    sync: Vec<Entry>,
    details: Vec<Entry>,
    attempts: Vec<Entry>,
    logs: Vec<Entry>,
    diff: Vec<Entry>,
    dialog: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    action: String,
    keys: Vec<String>,
    section: String,
    help: String,
    hint: Option<String>,
}

impl Keymap {
    /// Returns the default keys.
    pub(crate) fn shipped() -> Self {
        Self::parse(DEFAULT).expect("a test reads the shipped keymap")
    }

    /// Reads a keymap.
    ///
    /// # Errors
    /// A sentence that names the entry.
    fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut keymap = Self { bindings: Vec::new(), index: HashMap::new() };
        let tables = [
            (Context::General, file.general),
            (Context::Sync, file.sync),
            (Context::Details, file.details),
            (Context::Attempts, file.attempts),
            (Context::Logs, file.logs),
            (Context::Diff, file.diff),
            (Context::Dialog, file.dialog),
        ];
        for (context, entries) in tables {
            for entry in entries {
                keymap.add(context, entry)?;
            }
        }
        Ok(keymap)
    }

    fn add(&mut self, context: Context, entry: Entry) -> Result<(), String> {
        let action = Action::find(&entry.action).ok_or_else(|| format!("there is no action `{}`", entry.action))?;
        let mut keys = Vec::new();
        for text in &entry.keys {
            let chord = Chord::parse(text).ok_or_else(|| format!("`{text}` of `{}` is not a key", entry.action))?;
            if let Some(other) = self.index.insert((context, chord), action) {
                return Err(format!("`{text}` means both `{}` and `{}`", other.name(), entry.action));
            }
            keys.push(chord);
        }
        let Entry { section, help, hint, .. } = entry;
        self.bindings.push((context, Binding { action, keys, section, help, hint }));
        Ok(())
    }

    /// Returns what a key means on a screen. A dialog knows only its own keys.
    pub(crate) fn action(&self, context: Context, key: KeyEvent) -> Option<Action> {
        let chord = Chord::of(key);
        let own = self.index.get(&(context, chord)).copied();
        if context == Context::Dialog { own } else { own.or_else(|| self.index.get(&(Context::General, chord)).copied()) }
    }

    /// Returns the lines that hold on a screen, its own first.
    pub(crate) fn of(&self, context: Context) -> impl Iterator<Item = &Binding> {
        let own = self.bindings.iter().filter(move |(place, _)| *place == context).map(|(_, binding)| binding);
        let overridden = move |action: Action| self.bindings.iter().any(|(place, binding)| *place == context && binding.action == action);
        let general = self
            .bindings
            .iter()
            .filter(move |(place, binding)| *place == Context::General && context != Context::General && !overridden(binding.action))
            .map(|(_, binding)| binding);
        own.chain(general)
    }

    /// Returns the line of a verb on a screen.
    pub(crate) fn binding(&self, context: Context, action: Action) -> Option<&Binding> {
        let of = |wanted: Context| self.bindings.iter().find(move |(place, binding)| *place == wanted && binding.action == action);
        of(context).or_else(|| of(Context::General)).map(|(_, binding)| binding)
    }
}

impl Chord {
    /// Returns the chord of a key event. Terminals report capitals with and without shift, and `ctrl-\` as `ctrl-4`.
    pub(crate) fn of(key: KeyEvent) -> Self {
        let mut modifiers = key.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let code = match key.code {
            KeyCode::BackTab => {
                modifiers.insert(KeyModifiers::SHIFT);
                KeyCode::Tab
            }
            KeyCode::Char('4') if modifiers == KeyModifiers::CONTROL => KeyCode::Char('\\'),
            KeyCode::Null => {
                modifiers.insert(KeyModifiers::CONTROL);
                KeyCode::Char(' ')
            }
            other => other,
        };
        if matches!(code, KeyCode::Char(found) if found != ' ') {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        Self { code, modifiers }
    }

    /// Reads `ctrl-k`, `shift-tab`, `G`, `space` and the like.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut modifiers = KeyModifiers::NONE;
        for (prefix, modifier) in [("ctrl-", KeyModifiers::CONTROL), ("alt-", KeyModifiers::ALT), ("shift-", KeyModifiers::SHIFT)] {
            if let Some(tail) = rest.strip_prefix(prefix) {
                rest = tail;
                modifiers.insert(modifier);
            }
        }
        Some(Self { code: code(rest)?, modifiers })
    }
}

const NAMES: [(&str, KeyCode); 15] = [
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
];

fn code(name: &str) -> Option<KeyCode> {
    if let Some((_, code)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(*code);
    }
    if let Some(number) = name.strip_prefix('f').and_then(|digits| digits.parse::<u8>().ok()) {
        return (1..=12).contains(&number).then_some(KeyCode::F(number));
    }
    let mut characters = name.chars();
    let only = characters.next().filter(|found| !found.is_control() && *found != ' ')?;
    characters.next().is_none().then_some(KeyCode::Char(only))
}

/// As the keymap spells it; arrows as arrows.
impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, prefix) in [(KeyModifiers::CONTROL, "ctrl-"), (KeyModifiers::ALT, "alt-"), (KeyModifiers::SHIFT, "shift-")] {
            if self.modifiers.contains(modifier) {
                f.write_str(prefix)?;
            }
        }
        match self.code {
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::F(number) => write!(f, "f{number}"),
            KeyCode::Char(found) if found != ' ' => write!(f, "{found}"),
            other => f.write_str(NAMES.iter().find(|(_, code)| *code == other).map_or("?", |(name, _)| name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_key_and_a_help_text() {
        let keymap = Keymap::shipped();
        for action in Action::ALL {
            assert_eq!(Action::find(action.name()), Some(*action));
            let binding = Context::ALL
                .iter()
                .find_map(|context| keymap.binding(*context, *action))
                .unwrap_or_else(|| panic!("{} has no key", action.name()));
            assert!(!binding.keys.is_empty() && !binding.help.is_empty() && !binding.section.is_empty(), "{}", action.name());
        }
    }

    #[test]
    fn a_key_with_two_meanings_in_one_place_is_an_error() {
        let text = format!("{DEFAULT}\n[[sync]]\naction = \"logs\"\nkeys = [\"s\"]\nsection = \"x\"\nhelp = \"y\"\n");
        assert_eq!(Keymap::parse(&text).unwrap_err(), "`s` means both `sync` and `logs`");
        assert!(Keymap::parse(&DEFAULT.replace("\"ctrl-r\"", "\"ctrl-nothing\"")).unwrap_err().contains("`ctrl-nothing`"));
    }

    #[test]
    fn what_a_terminal_sends_is_what_the_keymap_spells() {
        for (code, modifiers, text) in [
            (KeyCode::Char('G'), KeyModifiers::SHIFT, "G"),
            (KeyCode::Char('G'), KeyModifiers::NONE, "G"),
            (KeyCode::BackTab, KeyModifiers::SHIFT, "shift-tab"),
            (KeyCode::BackTab, KeyModifiers::NONE, "shift-tab"),
            (KeyCode::Char('4'), KeyModifiers::CONTROL, "ctrl-\\"),
            (KeyCode::Char(' '), KeyModifiers::CONTROL, "ctrl-space"),
            (KeyCode::Null, KeyModifiers::NONE, "ctrl-space"),
            (KeyCode::Char('?'), KeyModifiers::SHIFT, "?"),
            (KeyCode::F(1), KeyModifiers::NONE, "f1"),
        ] {
            assert_eq!(Chord::of(KeyEvent::new(code, modifiers)), Chord::parse(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn a_dialog_hides_the_keys_behind_it() {
        let keymap = Keymap::shipped();
        let key = |text| {
            KeyEvent::from(match text {
                "s" => KeyCode::Char('s'),
                _ => KeyCode::Enter,
            })
        };
        assert_eq!(keymap.action(Context::Sync, key("s")), Some(Action::Sync));
        assert_eq!(keymap.action(Context::Dialog, key("s")), None);
        assert_eq!(keymap.action(Context::Dialog, key("enter")), Some(Action::Open));
    }
}
