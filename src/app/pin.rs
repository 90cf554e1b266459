//! Trust on first use: pinning a session to the certificate that was refused.
//!
//! Owns: when a pin is offered, the question, and what the answer changes. Must not check a certificate, nor replace a pin.

use std::sync::Arc;

use super::{Change, ConfirmPin, Effect, Layer, Load, State};
use crate::op::{Fingerprint, PeerCertificate, SessionId, Verdict};

impl State {
    /// The session and certificate that could be pinned because of the entry `number` of the log, or of the newest problem.
    /// None where the session has a pin: one is never replaced from here.
    pub fn pin_offer(&self, number: Option<u64>) -> Option<(SessionId, Arc<PeerCertificate>)> {
        let entry = match number {
            Some(number) => self.log.get(number)?,
            None => self.log.newest_problem()?,
        };
        let row = self.operations.get(entry.op?)?;
        let session = self.sessions.get(row.session)?;
        session.entry.profile.target.tls.as_ref().filter(|tls| tls.pin.is_none())?;
        let pinnable = |shown: &&Arc<PeerCertificate>| matches!(shown.verdict, Verdict::Refused { pinnable: true, .. });
        let refused = row.timeline.certificates.iter().rev().map(|(_, shown)| shown).find(pinnable)?;
        Some((row.session, Arc::clone(refused)))
    }

    /// Asks whether to pin.
    pub(super) fn confirm_pin(&mut self, number: Option<u64>) {
        let Some((session, certificate)) = self.pin_offer(number) else { return };
        let Some(name) = self.sessions.get(session).map(super::Session::name) else { return };
        self.layers.push(Layer::ConfirmPin(ConfirmPin { session, name, certificate, yes: false }));
    }

    /// The answer is yes.
    pub(super) fn pin(&mut self) {
        let Some(Layer::ConfirmPin(confirm)) = self.layers.pop() else { return };
        let Some(known) = self.sessions.get(confirm.session) else { return };
        let (session, profile) = (confirm.session, known.entry.profile.id.clone());
        let pin = confirm.certificate.fingerprint;
        // A session that is not in the file is pinned for this run.
        match self.saved.get(&profile) {
            Some(_) => self.change(Change::Pin { session, id: profile, pin }),
            None => self.pinned(session, pin, false),
        }
        // The error it was asked over is dealt with.
        self.layers.retain(|layer| !matches!(layer, Layer::Error(_)));
    }

    pub(super) fn pinned(&mut self, session: SessionId, pin: Fingerprint, saved: bool) {
        let Some(known) = self.sessions.get_mut(session) else { return };
        let Some(tls) = &mut known.entry.profile.target.tls else { return };
        tls.pin = Some(pin);
        let (name, target) = (known.name(), known.entry.profile.target.clone());
        let failed = matches!(known.load, Load::Failed(_));
        if known.open {
            self.effects.push(Effect::Change { session, target });
        }
        let until = if saved { "saved in the sessions file" } else { "for this run only" };
        self.note(Some(session), None, &format!("{name} accepts this one certificate from now on, {until}"), "");
        // What failed for want of trust is asked again at once.
        if failed {
            self.list_namespaces(session, true);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{Action, Changed, ConfirmPin, Outcome, script::Script};
    use super::*;
    use crate::{
        op::{ConnId, OpEventKind, OpId},
        session::store::SessionsFile,
    };

    fn refused(pinnable: bool) -> Arc<PeerCertificate> {
        Arc::new(PeerCertificate {
            subject: "CN=web01".into(),
            names: vec!["web01.example".into()],
            more_names: 0,
            issuer: "CN=web01".into(),
            expires: "2031-01-01".into(),
            fingerprint: Fingerprint([7; 32]),
            verdict: Verdict::Refused { why: "signed by a stranger".into(), pinnable },
        })
    }

    /// web01, over TLS, whose namespaces could not be listed because of its certificate.
    fn failed(pinnable: bool) -> (Script, OpId) {
        let mut script = Script::saved(WEB01);
        script.keys("j enter");
        let op = script.last();
        script.tell(op, OpEventKind::Certificate { conn: ConnId(1), certificate: refused(pinnable) });
        script.fail(op, "not trusted");
        (script, op)
    }

    const WEB01: &str = "[[session]]\nid = \"web01\"\ncomputer = \"web01.example\"\nauth = { user = \"ann\" }\n";

    fn saves(script: &Script) -> usize {
        script.effects.iter().filter(|effect| matches!(effect, Effect::Save { .. })).count()
    }

    #[test]
    fn the_button_it_begins_on_is_no() {
        let (mut script, _) = failed(true);
        script.keys("P");
        assert!(matches!(script.state.layer(), Some(Layer::ConfirmPin(ConfirmPin { yes: false, .. }))));
        script.keys("enter");
        assert!(script.state.layers().is_empty() && saves(&script) == 0);
        for keys in ["P n", "P esc", "P tab tab enter"] {
            script.keys(keys);
            assert!(script.state.layers().is_empty() && saves(&script) == 0, "{keys}");
        }
    }

    #[test]
    fn a_yes_is_saved_and_what_failed_is_asked_again() {
        for keys in ["P tab enter", "P y", "E P y"] {
            let (mut script, _) = failed(true);
            script.keys(keys);
            let Some(Effect::Save { change, .. }) = script.effects.pop() else { panic!() };
            let Change::Pin { session: SessionId(2), ref id, pin } = *change else { panic!() };
            assert_eq!((id.as_str(), pin), ("web01", Fingerprint([7; 32])));
            assert!(script.state.layers().is_empty(), "{keys}");
            let runs = script.runs.len();
            let text = WEB01.to_owned() + &format!("tls = {{ pin = \"{pin}\" }}\n");
            let file = Arc::new(SessionsFile::parse("sessions.toml", &text));
            let changed = Changed { change: *change, outcome: Ok(Outcome::Saved), file };
            script.act(Action::Changed(Box::new(changed)));
            let changed = script.effects.iter().find_map(|effect| match effect {
                Effect::Change { session: SessionId(2), target } => target.tls.as_ref().unwrap().pin,
                _ => None,
            });
            assert_eq!(changed, Some(pin));
            assert_eq!(script.runs.len(), runs + 1);
            assert_eq!(
                script.state.sessions().get(SessionId(2)).unwrap().entry.profile.target.tls.as_ref().unwrap().pin,
                Some(pin)
            );
        }
    }

    #[test]
    fn nothing_is_offered_where_a_pin_would_not_help_or_one_is_set() {
        let (mut script, _) = failed(false);
        script.keys("P");
        assert!(script.state.layers().is_empty());
        assert!(script.state.greyed(super::super::CommandId::Pin).is_some());
        let (mut script, _) = failed(true);
        let tls = script.state.sessions.get_mut(SessionId(2)).unwrap().entry.profile.target.tls.as_mut().unwrap();
        tls.pin = Some(Fingerprint([1; 32]));
        script.keys("P");
        assert!(script.state.layers().is_empty());
    }
}
