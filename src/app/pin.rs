//! Trust on first use: pinning a session to the certificate that was refused.
//!
//! Owns: when a pin is offered, the question, and what the answer changes. Must not check a certificate, nor replace a pin.

use std::sync::Arc;

use super::{ConfirmPin, Effect, Layer, Load, State};
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
        let refused = row.timeline.certificates.iter().rev().map(|(_, certificate)| certificate);
        let refused =
            refused.filter(|shown| matches!(shown.verdict, Verdict::Refused { pinnable: true, .. })).next()?;
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
        self.effects.push(Effect::SavePin { session, profile, pin: confirm.certificate.fingerprint });
        // The error it was asked over is dealt with.
        self.layers.retain(|layer| !matches!(layer, Layer::Error(_)));
    }

    pub(super) fn pinned(&mut self, session: SessionId, pin: Fingerprint, saved: bool) {
        let Some(known) = self.sessions.get_mut(session) else { return };
        let Some(tls) = &mut known.entry.profile.target.tls else { return };
        tls.pin = Some(pin);
        let (name, target) = (known.name(), known.entry.profile.target.clone());
        let failed = matches!(known.load, Load::Failed(_));
        self.effects.push(Effect::Change { session, target });
        let until = if saved { "saved in the sessions file" } else { "for this run only" };
        self.note(Some(session), None, &format!("{name} accepts this one certificate from now on, {until}"), "");
        // What failed for want of trust is asked again at once.
        if failed {
            self.list_namespaces(session, true);
        }
    }
}
