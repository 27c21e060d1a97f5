//! Every verb that a key can have. What it means is decided by the screen that gets it; which key it has and what the help
//! says of it stands in `assets/keymap.toml`.

macro_rules! actions {
    ($($variant:ident $name:literal),+ $(,)?) => {
        /// A verb.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Action { $($variant),+ }

        impl Action {
            /// Every verb.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the name in the keymap.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Returns the verb of this name.
            pub(crate) fn find(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

actions! {
    Up "up", Down "down", Top "top", Bottom "bottom", PageUp "page-up", PageDown "page-down", HalfUp "half-up", HalfDown "half-down", Left "left", Right "right",
    Open "open", Back "back", NextPane "next-pane", PreviousPane "previous-pane",
    Command "command", Filter "filter", Help "help", Redraw "redraw", Header "header", Quit "quit",
    Sync "sync", SyncMarked "sync-marked", Terminate "terminate", Approve "approve", Pause "pause", Delete "delete", Attempts "attempts", History "history",
    Logs "logs", Details "details", Yaml "yaml", Events "events", FoldAll "fold-all",
    NextProblem "next-problem", PreviousProblem "previous-problem", Follow "follow", ProblemsOnly "problems-only",
    AllPhases "all-phases", OnlyPreSync "only-presync", OnlySync "only-sync", OnlyPostSync "only-postsync", OnlySyncFail "only-syncfail",
    Mark "mark", MarkRange "mark-range", ClearMarks "clear-marks",
    LogFollow "log-follow", Wrap "wrap", LogTime "log-time", FindNext "find-next", FindPrevious "find-previous",
    OnlyMatches "only-matches", LogEarlier "log-earlier", LogAll "log-all", LogMark "log-mark", LogCopy "log-copy", LogClear "log-clear",
    SinceStart "since-start", SinceHead "since-head", Since1m "since-1m", Since5m "since-5m", Since15m "since-15m", Since30m "since-30m",
    Since1h "since-1h", SinceWave "since-wave", SinceOperation "since-operation",
    Diff "diff", DiffNext "diff-next", DiffPrevious "diff-previous", DiffSides "diff-sides", DiffFields "diff-fields", DiffSame "diff-same", DiffViewer "diff-viewer",
    Fold "fold", Copy "copy", Refresh "refresh",
    Yes "yes", No "no",
}

impl Action {
    /// Returns whether the verb leads to a change in the cluster, after a dialog.
    pub(crate) fn changes_cluster(self) -> bool {
        matches!(self, Self::Sync | Self::SyncMarked | Self::Terminate | Self::Approve | Self::Pause | Self::Delete)
    }
}
