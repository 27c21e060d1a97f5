//! What the session answers: plans for the screen or for a dialog, objects, and reasons why something is not so.

use std::sync::Arc;

use super::{App, Effect, PlanFor};
use crate::engine::session::{Answer, Ask, FailureKind, Planned};
use crate::plan::Kind;
use crate::tui::action::Action;
use crate::tui::clean;
use crate::tui::dialogs::delete::DeleteDialog;
use crate::tui::dialogs::report::ReportDialog;
use crate::tui::dialogs::sync::{Scope, SyncDialog};
use crate::tui::model::Yaml;
use crate::tui::views::{Notice, Outbox, Wish};

impl App {
    /// Takes an answer of the session.
    pub(super) fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Planned(planned) => self.planned(&planned),
            Answer::Waiting(waiting) => self.model.waiting = waiting,
            Answer::Compared(compared) => {
                let ask = self.model.comparison.take(compared.map_err(|(_, report)| report));
                self.effects.extend(ask.map(Effect::Ask));
            }
            // Nobody asks for rights on a screen.
            Answer::Started { .. } | Answer::Rights(_) => {}
            Answer::Refused { reason } => {
                self.model.busy = None;
                self.report("Refused", &reason);
            }
            Answer::Failed { kind, report } => self.failed(kind, report),
            Answer::Object { key, yaml } => {
                let yaml = match yaml {
                    Ok(text) => Yaml::Lines(text.lines().map(|line| clean::text(line).into_owned()).collect()),
                    Err(reason) => Yaml::Missing(clean::text(&reason).into_owned()),
                };
                self.model.yaml.insert(key, yaml);
            }
        }
    }

    fn report(&mut self, title: &'static str, text: &str) {
        if text.lines().count() > 1 || text.len() > 70 {
            self.dialog = Some(Box::new(ReportDialog::new(title, text)));
        } else {
            self.notice = Some(Notice::bad(clean::text(text)));
        }
    }

    fn planned(&mut self, planned: &Arc<Planned>) {
        match self.plans.pop_front() {
            Some(PlanFor::Opening { begin }) => {
                self.model.busy = None;
                self.model.set_preview(planned);
                match begin {
                    None => {}
                    Some(Kind::Sync) => self.sync_at_once(),
                    Some(Kind::Delete) => self.delete_at_once(),
                }
            }
            Some(PlanFor::Showing) => {
                self.model.busy = None;
                self.model.set_preview(planned);
                self.model.shows_plan = true;
            }
            Some(PlanFor::Dialog) | None => {
                self.model.place = Some(planned.place.clone());
                self.model.planned = Some(planned.clone());
                self.tell_dialog(Ok(planned.clone()));
            }
        }
    }

    /// A sync that was typed starts by itself; in a protected context the app's name is asked for.
    fn sync_at_once(&mut self) {
        if let Err(reason) = self.model.may(Action::Sync) {
            return self.say(Notice::bad(reason));
        }
        let mut out = Outbox::default();
        if self.model.is_protected() {
            let dialog = SyncDialog::new(&self.model, vec![Scope::Everything], false, &mut out);
            out.wish(Wish::Dialog(Box::new(dialog)));
        } else {
            out.ask(Ask::Sync { request: self.model.request.clone() });
        }
        self.grant(out);
    }

    /// A deletion that was typed starts by itself; in a protected context it is asked for.
    fn delete_at_once(&mut self) {
        if let Err(reason) = self.model.may(Action::Delete) {
            return self.say(Notice::bad(reason));
        }
        let mut out = Outbox::default();
        if self.model.is_protected() {
            let dialog = DeleteDialog::new(&self.model, &mut out);
            out.wish(Wish::Dialog(Box::new(dialog)));
        } else {
            out.ask(Ask::Delete { request: self.model.deletion.clone() });
        }
        self.grant(out);
    }

    /// Of several plans that the dialog asked for, the last one counts.
    fn tell_dialog(&mut self, planned: Result<Arc<Planned>, Vec<String>>) {
        let aside = self.aside.as_mut().map(|(_, dialog)| dialog);
        if !self.plans.contains(&PlanFor::Dialog)
            && let Some(dialog) = self.dialog.as_mut().or(aside)
        {
            dialog.planned(planned);
        }
    }

    fn failed(&mut self, kind: FailureKind, report: String) {
        self.model.busy = None;
        match self.plans.pop_front() {
            Some(PlanFor::Opening { .. }) => self.effects.push(Effect::Fail { kind, report }),
            Some(PlanFor::Showing) => self.report("There is no plan", &report),
            Some(PlanFor::Dialog) => {
                let lines = report.lines().map(|line| clean::text(line).into_owned()).collect();
                self.tell_dialog(Err(lines));
            }
            None => self.report("It did not start", &report),
        }
    }
}
