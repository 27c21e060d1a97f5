//! Rules of the specification that were derived from source ([D]) or known of kubectl ([K]), asked of a real cluster: "confirmed" and
//! "corrected" in the comments beside their numbers say what it showed. Findings about other rules of this kind stand beside their
//! tests elsewhere: R210 `stories`, R311 R409 R604 R637 `phases`, R607 `kinds`.
//!
//! Not asked here, and why:
//!
//! | rules | why |
//! |---|---|
//! | R304, R525 (permissions), R526, R640, R809, R902, R913, R914, topics 13 and 14 | Argo CD's own controller, projects or sources; there is nothing of the kind here |
//! | R213, R307, R515, R704 (override of an app's option), R711, R713, R714, R715 as ours does it | need options of the whole operation and are asked with them |
//! | topic 10, R1318 | retries and dry runs: `requests` |
//! | topic 11 | needs the deletion of an app |
//! | R508 (view lag), R609, R633 (NotFound), T134 | a race that no client can bring about; the simulated cluster can |
//! | R518 (pause after a question) | nothing shows it from outside: the pause ends before the answer comes |

mod groups;
mod hooks;
mod kubectl;
mod options;
mod whole;
