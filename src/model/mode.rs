//! How one target is written: which of its sync options, and which of the operation's and of the live object's, count (spec R707–R716, R727).
//! Pure; says nothing of requests.

use super::option::Options;

/// What happens to an object that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// The target's fields are merged into it.
    Apply,
    /// The same, and the result says that it was asked for: every apply of ours is server-side (decisions 6 and 18).
    ServerSideApply,
    /// The target takes its place, whole.
    Replace,
}

/// How one target is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mode {
    pub(crate) verb: Verb,
    /// What cannot be changed is deleted and created again.
    pub(crate) force: bool,
    /// Force was asked for, and has no effect.
    pub(crate) idle_force: bool,
    /// Whether a field that the server does not know is an error.
    pub(crate) validate: bool,
    /// Whether fields that a client-side apply has left behind become ours first.
    pub(crate) migrate: bool,
}

impl Mode {
    /// Decides. `target` and `live` are the items of the sync-options annotations; `live` is empty when there is no live object.
    pub(crate) fn of(options: &Options, force_of_operation: bool, target: &[String], live: &[String]) -> Self {
        let on = |items: &[String], option: &str| items.iter().any(|item| item == option);
        let anywhere = |option: &str| on(target, option) || on(live, option);
        let is_replaced = options.has("Replace=true") || anywhere("Replace=true");
        let is_server_side = options.has("ServerSideApply=true") || on(target, "ServerSideApply=true");
        let verb = match (is_replaced, is_server_side && !on(target, "ServerSideApply=false")) {
            (true, _) => Verb::Replace,
            (false, true) => Verb::ServerSideApply,
            (false, false) => Verb::Apply,
        };
        // Spec R713 has kubectl's refusal here; Argo CD does not get that far: seen with 3.6.1 (tests/golden, server-side-force).
        let (is_forced, may_force) = (force_of_operation || anywhere("Force=true"), verb != Verb::ServerSideApply);
        Self {
            verb,
            force: is_forced && may_force,
            idle_force: is_forced && !may_force,
            validate: !(options.has("Validate=false") || on(target, "Validate=false")),
            migrate: !options.has("ClientSideApplyMigration=false"),
        }
    }

    /// Returns what a person should know who asked for something that does nothing.
    pub(crate) fn idle(&self) -> Option<&'static str> {
        self.idle_force.then_some("force has no effect beside ServerSideApply=true; with Replace=true it has")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(options: &[&str]) -> Vec<String> {
        options.iter().map(|option| (*option).to_owned()).collect()
    }

    fn mode(operation: &[&str], force: bool, target: &[&str], live: &[&str]) -> Mode {
        Mode::of(&Options::new(items(operation)), force, &items(target), &items(live))
    }

    #[test]
    fn t46_r707_validation_is_on_unless_the_operation_or_the_target_says_no() {
        for (operation, target, live, validate) in [
            (&[][..], &[][..], &[][..], true),
            (&["Validate=false"], &[], &[], false),
            (&[], &["Validate=true"], &[], true),
            (&[], &["Validate=false"], &[], false),
            (&["Validate=false"], &["Validate=true"], &[], false),
            (&[], &[], &["Validate=false"], true),
        ] {
            assert_eq!(mode(operation, false, target, live).validate, validate, "{operation:?} {target:?} {live:?}");
        }
    }

    #[test]
    fn t79_r711_replace_counts_at_the_operation_the_target_and_the_live_object() {
        for (operation, target, live, verb) in [
            (&[][..], &[][..], &[][..], Verb::Apply),
            (&["Replace=true"], &[], &[], Verb::Replace),
            (&[], &["Replace=true"], &[], Verb::Replace),
            (&[], &[], &["Replace=true"], Verb::Replace),
            (&["Replace=false"], &["Replace=false"], &[], Verb::Apply),
            (&["replace=true"], &[], &[], Verb::Apply),
        ] {
            assert_eq!(mode(operation, false, target, live).verb, verb, "{operation:?} {target:?} {live:?}");
        }
    }

    #[test]
    fn t80_r714_server_side_is_asked_for_by_operation_or_target_and_switched_off_by_the_target_alone() {
        use Verb::{Apply, Replace, ServerSideApply};
        for (operation, target, live, verb) in [
            (&[][..], &[][..], &[][..], Apply),
            (&["ServerSideApply=true"], &[], &[], ServerSideApply),
            (&[], &["ServerSideApply=true"], &[], ServerSideApply),
            (&[], &["ServerSideApply=true", "ServerSideApply=false"], &[], Apply),
            (&["ServerSideApply=true"], &["ServerSideApply=false"], &[], Apply),
            (&["ServerSideApply=true", "ServerSideApply=false"], &[], &[], ServerSideApply),
            (&[], &[], &["ServerSideApply=true"], Apply),
            (&[], &["Replace=true", "ServerSideApply=true"], &[], Replace),
            (&["ServerSideApply=true"], &[], &["Replace=true"], Replace),
        ] {
            assert_eq!(mode(operation, false, target, live).verb, verb, "{operation:?} {target:?} {live:?}");
        }
    }

    #[test]
    fn t82_r712_force_comes_from_the_operation_the_target_or_the_live_object_but_is_no_option_of_an_operation() {
        for (operation, flag, target, live, expected) in [
            (&[][..], false, &[][..], &[][..], (Verb::Apply, false)),
            (&[], true, &[], &[], (Verb::Apply, true)),
            (&[], false, &["Force=true"], &[], (Verb::Apply, true)),
            (&[], false, &[], &["Force=true"], (Verb::Apply, true)),
            (&["Force=true"], false, &[], &[], (Verb::Apply, false)),
            (&[], false, &["Force=true", "Replace=true"], &[], (Verb::Replace, true)),
            (&[], false, &["Replace=true"], &["Force=true"], (Verb::Replace, true)),
            (&[], false, &[], &["Replace=true", "Force=true"], (Verb::Replace, true)),
        ] {
            let mode = mode(operation, flag, target, live);
            assert_eq!((mode.verb, mode.force), expected, "{operation:?} {flag} {target:?} {live:?}");
        }
    }

    #[test]
    fn r713_force_does_nothing_beside_server_side_apply_unless_the_object_is_replaced() {
        let forces = |operation: &[&str], force, target: &[&str]| {
            let mode = mode(operation, force, target, &[]);
            (mode.force, mode.idle().is_some())
        };
        assert_eq!(forces(&["ServerSideApply=true"], true, &[]), (false, true));
        assert_eq!(forces(&[], false, &["ServerSideApply=true", "Force=true"]), (false, true));
        assert_eq!(forces(&["ServerSideApply=true"], true, &["Replace=true"]), (true, false));
        assert_eq!(forces(&["ServerSideApply=true"], true, &["ServerSideApply=false"]), (true, false));
        assert_eq!(forces(&["ServerSideApply=true"], false, &[]), (false, false));
    }

    #[test]
    fn r715_r726_migration_is_on_unless_the_operation_says_no() {
        assert!(mode(&[], false, &["ClientSideApplyMigration=false"], &[]).migrate);
        assert!(!mode(&["ClientSideApplyMigration=false"], false, &[], &[]).migrate);
        assert!(mode(&["ClientSideApplyMigration=true"], false, &[], &[]).migrate, "R726");
    }
}
