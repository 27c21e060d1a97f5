//! Rules of the specification that were derived from source ([D]) or known of kubectl ([K]), asked of a real cluster: "confirmed" and
//! "corrected" in the comments beside their numbers say what it showed. Findings about other rules of this kind stand beside their
//! tests elsewhere: R210 `stories`, R220 `policies`, R311 R409 R604 R637 `phases`, T44 `apply`, R307 R707 R711 R713 R715 T78 (ours)
//! `verbs`, R813 (T152) and R1318 `requests`, R912 (T138) and R1405 `windows`.
//!
//! Not asked here, and why:
//!
//! | rules | why |
//! |---|---|
//! | R304, R525 (permissions), R526, R640, R809, R902, R913, R914, R1009, R1304, R1305, R1413, R1538, R1544, T75, T149, T153, T169 | Argo CD's own controller, projects or sources; there is nothing of the kind here |
//! | R508 (view lag), R633 (NotFound), T68, T89, T134 | a race that no client can bring about; the simulated cluster can |
//! | R609 | a first pass with nothing but deletions of old hooks brings it about (R204), but the second dry pass finds what the first one found: nothing shows it from outside |
//! | R518 (pause after a question) | nothing shows it from outside: the pause ends before the answer comes |
//! | R1542 | there are no rules in Lua yet |
//! | T192 | its passes cannot be told apart from outside; `killed` and `delete` kill the program in the middle |

mod attempts;
mod deletion;
mod groups;
mod hooks;
mod kubectl;
mod options;
mod whole;
