//! Rules of the specification that were derived from source ([D]) or known of kubectl ([K]), asked of a real cluster: "confirmed" and
//! "corrected" in the comments beside their numbers say what it showed. Findings about other rules of this kind stand beside their
//! tests elsewhere: R210 `stories`, R311 R409 R604 R637 `phases`, R607 `kinds`.
//!
//! Not asked here, and why:
//!
//! | rules | why |
//! |---|---|
//! | R304, R525 (permissions), R526, R640, R809, R902, R913, R914, topics 13 and 14 | Argo CD's own controller, projects or sources; there is nothing of the kind here |
//! | R213, R307, R515, R704 (override of an app's option), R711 and R713 to R715 of ours, R1318 | need an option of the whole operation: propagation policy, Replace, Force, ServerSideApply, CreateNamespace, dry run |
//! | topics 10 and 11 | need retries, and the deletion of an app |
//! | R508 (view lag), R609, R633 (NotFound), T134 | a race that no client can bring about; the simulated cluster can |
//! | R518 (pause after a question) | nothing shows it from outside: the pause ends before the answer comes |

mod groups;
mod hooks;
mod kubectl;
