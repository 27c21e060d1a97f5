//! What can be switched before a sync, and the request that comes of it.

use crate::operation::Request;
use crate::plan::Hooks;

const REPLACE: &str = "Replace=true";
const SERVER_SIDE: &str = "ServerSideApply=true";
const CREATE_NAMESPACE: &str = "CreateNamespace=true";

/// Options that have a switch of their own; the others are only named.
pub(super) const SWITCHED: [&str; 3] = [REPLACE, SERVER_SIDE, CREATE_NAMESPACE];

/// A switch, in the order of the dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Switch {
    Hooks,
    Prune,
    DryRun,
    Force,
    Replace,
    ServerSide,
    Namespace,
}

impl Switch {
    pub(super) const ALL: [Self; 7] =
        [Self::Hooks, Self::Prune, Self::DryRun, Self::Force, Self::Replace, Self::ServerSide, Self::Namespace];

    /// Returns whether the plan, or what a dry run says of it, becomes another one.
    pub(super) fn changes_plan(self) -> bool {
        match self {
            Self::Hooks | Self::Force | Self::Replace | Self::ServerSide | Self::Namespace => true,
            // What would be pruned is in every plan; a dry run goes through the same one.
            Self::Prune | Self::DryRun => false,
        }
    }
}

/// How the switches stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choices {
    /// Of a full sync, and of a selective one.
    hooks: [bool; 2],
    pub(super) prune: bool,
    pub(super) dry_run: bool,
    pub(super) force: bool,
    pub(super) replace: bool,
    pub(super) server_side: bool,
    pub(super) namespace: bool,
}

impl Choices {
    /// Takes what the command line and the configuration say.
    pub(super) fn of(request: &Request) -> Self {
        Self {
            hooks: [request.hooks != Hooks::Never, request.hooks == Hooks::Always],
            prune: request.prune,
            dry_run: request.dry_run,
            force: request.force,
            replace: request.options.has(REPLACE),
            server_side: request.options.has(SERVER_SIDE),
            namespace: request.options.has(CREATE_NAMESPACE),
        }
    }

    pub(super) fn runs_hooks(&self, selective: bool) -> bool {
        self.hooks[usize::from(selective)]
    }

    pub(super) fn is_on(&self, switch: Switch, selective: bool) -> bool {
        match switch {
            Switch::Hooks => self.runs_hooks(selective),
            Switch::Prune => self.prune,
            Switch::DryRun => self.dry_run,
            Switch::Force => self.force,
            Switch::Replace => self.replace,
            Switch::ServerSide => self.server_side,
            Switch::Namespace => self.namespace,
        }
    }

    pub(super) fn turn(&mut self, switch: Switch, selective: bool) {
        let switch = match switch {
            Switch::Hooks => &mut self.hooks[usize::from(selective)],
            Switch::Prune => &mut self.prune,
            Switch::DryRun => &mut self.dry_run,
            Switch::Force => &mut self.force,
            Switch::Replace => &mut self.replace,
            Switch::ServerSide => &mut self.server_side,
            Switch::Namespace => &mut self.namespace,
        };
        *switch = !*switch;
    }

    /// Returns whether objects may be deleted or overwritten that the plan only means to change.
    pub(super) fn is_dangerous(&self) -> bool {
        (self.force || self.replace) && !self.dry_run
    }

    /// Returns the request of these choices; what has no switch stays as it was.
    pub(super) fn request(&self, base: &Request) -> Request {
        let hooks = match (base.selection.is_some(), self.runs_hooks(base.selection.is_some())) {
            (true, true) => Hooks::Always,
            (false, false) => Hooks::Never,
            (true, false) | (false, true) => Hooks::Usual,
        };
        let options =
            base.options.switched(REPLACE, self.replace).switched(SERVER_SIDE, self.server_side).switched(CREATE_NAMESPACE, self.namespace);
        Request { prune: self.prune, dry_run: self.dry_run, force: self.force, options, hooks, ..base.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Options;
    use crate::plan::Selector;

    fn options(items: &[&str]) -> Options {
        Options::new(items.iter().map(|item| (*item).to_owned()))
    }

    #[test]
    fn what_no_switch_was_turned_for_stays_as_it_was_asked_for() {
        for hooks in [Hooks::Usual, Hooks::Never] {
            let base = Request { force: true, hooks, options: options(&["Replace=true", "PruneLast=true"]), ..Request::default() };
            assert_eq!(Choices::of(&base).request(&base), base);
        }
    }

    #[test]
    fn an_option_is_taken_out_without_the_others() {
        let base = Request { options: options(&["PruneLast=true", "Replace=true"]), ..Request::default() };
        let mut choices = Choices::of(&base);
        choices.turn(Switch::Replace, false);
        choices.turn(Switch::Namespace, false);
        assert_eq!(choices.request(&base).options, options(&["PruneLast=true", "CreateNamespace=true"]));
    }

    #[test]
    fn hooks_of_a_selective_sync_are_a_choice_of_their_own() {
        let full = Request::default();
        let selective = Request { selection: Some(vec![Selector::parse(":ConfigMap:a").unwrap()]), ..Request::default() };
        let mut choices = Choices::of(&full);
        assert_eq!((choices.request(&full).hooks, choices.request(&selective).hooks), (Hooks::Usual, Hooks::Usual));
        choices.turn(Switch::Hooks, true);
        assert_eq!((choices.request(&full).hooks, choices.request(&selective).hooks), (Hooks::Usual, Hooks::Always));
        choices.turn(Switch::Hooks, false);
        assert_eq!((choices.request(&full).hooks, choices.request(&selective).hooks), (Hooks::Never, Hooks::Always));
    }
}
