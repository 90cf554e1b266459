//! Live sessions, as the engine holds them.
//!
//! Owns: what the operations of one session share: the target, what was learned about its server, its classes, whom its TLS trusts; and how
//! a target becomes something to dial, and its secrets that nobody is asked for. Holds no socket; what a person gave is kept with the queue that
//! waits for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;

use super::{
    class_cache::ClassCache,
    local::Local,
    proxy,
    secrets::{Kept, Sources, Wanted, keyring::Account},
    settings::{DialRequest, Settings},
};
use crate::{
    auth::{Credentials, Unusable, authenticator_for, basic::SCHEME},
    op::{
        ErrorKind, OpError, Phase, SessionId,
        explain::{exchange::authenticate, start},
    },
    protocol::ServerFacts,
    session::{HttpProxy, InstanceId, LiveSession, Mechanism, Proxy, SecretSource, Target, Tls, TlsVersion, url},
    wire::{
        AuthenticatorFactory, ConnIds, Dial, DialSettings, Dialer, Scheme, TlsRules, Trust, clear_text_refused,
        is_loopback,
    },
};

/// A live session.
pub(super) struct Session {
    pub(super) id: SessionId,
    /// Its number among the sessions opened in this run.
    number: u32,
    instance: InstanceId,
    pub(super) target: Target,
    facts: Mutex<HashMap<&'static str, Arc<Mutex<ServerFacts>>>>,
    pub(super) classes: Arc<ClassCache>,
    trust: OnceCell<Arc<Trust>>,
    secret: Arc<Kept>,
    proxy_secret: Arc<Kept>,
}

/// Where an operation goes and as whom, this computer resolved to the embedded server.
#[derive(Clone)]
pub(super) struct Destination {
    pub(super) target: Target,
    pub(super) credentials: Option<Credentials>,
    pub(super) proxy_credentials: Option<Credentials>,
}

/// Where the secret of an operation comes from.
pub(super) enum Need {
    /// It needs none.
    Nothing,
    /// A person has to give it, for this user.
    Prompt(String),
    /// A source that asks nobody gives it.
    Source,
}

/// What sources that ask nobody gave to an operation.
#[derive(Clone, Default)]
pub(super) struct Got {
    pub(super) credentials: Option<Credentials>,
    pub(super) proxy: Option<Credentials>,
}

impl Session {
    /// A session that has connected nowhere.
    pub(super) fn new(id: SessionId, number: u32, target: Target) -> Self {
        let mut random = [0; 16];
        // Without random bytes the number keeps instances of one run apart.
        if getrandom::fill(&mut random).is_err() {
            random.iter_mut().zip(number.to_be_bytes()).for_each(|(to, byte)| *to = byte);
        }
        Self {
            id,
            number,
            instance: InstanceId::from_random(random),
            target,
            facts: Mutex::default(),
            classes: ClassCache::new(),
            trust: OnceCell::new(),
            secret: Arc::default(),
            proxy_secret: Arc::default(),
        }
    }

    /// The session with another target. A secret whose user, server and source are still the same is not got again.
    pub(super) fn changed(&self, target: Target) -> Self {
        let mut changed = Self { instance: self.instance, ..Self::new(self.id, self.number, target) };
        let (old, new) = (&self.target, &changed.target);
        if Account::of(old, false) == Account::of(new, false) && old.secret == new.secret {
            changed.secret = self.secret.clone();
        }
        if old.proxy == new.proxy {
            changed.proxy_secret = self.proxy_secret.clone();
        }
        changed
    }

    /// What was learned about the server over `protocol`.
    pub(super) fn facts(&self, protocol: &'static str) -> Arc<Mutex<ServerFacts>> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).entry(protocol).or_default().clone()
    }

    /// What fronts list of it; `given`: a person gave its secret, which is kept elsewhere.
    pub(super) fn live(&self, given: bool) -> LiveSession {
        let holds_secret = given || self.secret.is_held();
        LiveSession { session: self.id, number: self.number, instance: self.instance, holds_secret }
    }

    /// The target as errors name it.
    pub(super) fn name(&self) -> String {
        match &self.target.computer {
            Some(computer) if computer.contains(':') => format!("[{computer}]:{}", self.target.port),
            Some(computer) => format!("{computer}:{}", self.target.port),
            None => "this computer".to_owned(),
        }
    }

    /// For whom something of this computer's failed.
    fn saved_as(&self) -> String {
        match &self.target.owner.0 {
            Some(id) => format!("for the session {} on {}", id.as_str(), self.name()),
            None => format!("for {}", self.name()),
        }
    }

    /// Where the secret comes from.
    pub(super) fn need(&self) -> Result<Need, OpError> {
        self.refuse_unbuilt()?;
        let (Some(_), Some(user)) = (&self.target.computer, &self.target.user) else { return Ok(Need::Nothing) };
        self.refuse_clear_text()?;
        Ok(match self.target.secret {
            _ if self.target.mechanism == Mechanism::Certificate => Need::Nothing,
            SecretSource::Prompt => Need::Prompt(user.clone()),
            _ => Need::Source,
        })
    }

    /// The proxy, where it wants to know who asks, and as whom it is asked.
    fn proxy_user(&self) -> Option<(&HttpProxy, &str)> {
        match (&self.target.computer, &self.target.proxy) {
            (Some(_), Proxy::Http(proxy)) => proxy.user.as_deref().map(|user| (proxy, user)),
            _ => None,
        }
    }

    /// Whether a source has to be asked before an operation gets its turn.
    pub(super) fn asks_sources(&self, need: &Need) -> bool {
        matches!(need, Need::Source) || self.proxy_user().is_some()
    }

    /// Asks the sources that ask nobody, once for all operations.
    pub(super) async fn ask_sources(&self, need: &Need, sources: Sources<'_>) -> Result<Got, OpError> {
        let mut got = Got::default();
        if let (Need::Source, Some(user)) = (need, &self.target.user) {
            let account = Account::of(&self.target, false);
            let wanted = Wanted { source: &self.target.secret, user, target: self.name(), account };
            let secret = self.secret.get(wanted.get(sources)).await?;
            got.credentials = Some(Credentials { user: user.clone(), secret });
        }
        if let Some((proxy, user)) = self.proxy_user() {
            let account = Account::of(&self.target, true);
            let wanted = Wanted { source: &proxy.secret, user, target: proxy::name(proxy), account };
            let secret = self.proxy_secret.get(wanted.get(sources)).await?;
            got.proxy = Some(Credentials { user: user.to_owned(), secret });
        }
        Ok(got)
    }

    /// What a source gave was refused: the next operation asks it again.
    pub(super) async fn forget_secrets(&self) {
        self.secret.forget().await;
        self.proxy_secret.forget().await;
    }

    /// A preset whose servers are reached in a way that is not built yet is told of before anybody is asked for a secret.
    fn refuse_unbuilt(&self) -> Result<(), OpError> {
        let Some(preset) = self.target.preset else { return Ok(()) };
        let Some(missing) = preset.missing_in_words() else { return Ok(()) };
        let parts = [("preset", preset.name.as_str()), ("missing", missing.as_str())];
        Err(start::NOT_BUILT.with(Phase::Queue, self.name(), ErrorKind::Configuration, &parts))
    }

    /// Asks nobody for a secret that would then not be sent. Of an address that is known at once; of a name, only when it
    /// has been resolved.
    fn refuse_clear_text(&self) -> Result<(), OpError> {
        let Target { computer: Some(computer), tls: None, allow_clear_text: false, mechanism, .. } = &self.target
        else {
            return Ok(());
        };
        if matches!(mechanism, Mechanism::Digest | Mechanism::Certificate) {
            return Ok(());
        }
        match computer.parse::<std::net::IpAddr>() {
            Ok(address) if !is_loopback(address) => Err(clear_text_refused(Phase::Connect, self.name(), SCHEME)),
            _ => Ok(()),
        }
    }

    /// Where to go: the target itself, or the embedded server, which is started if need be.
    pub(super) async fn destination(&self, local: &Local, got: Got) -> Result<Destination, OpError> {
        let mut target = self.target.clone();
        if target.computer.is_some() {
            return Ok(Destination { target, credentials: got.credentials, proxy_credentials: got.proxy });
        }
        let (addr, access) = local.access().await?;
        (target.computer, target.port, target.tls) = (Some(addr.ip().to_string()), addr.port(), None);
        target.user = Some(access.user.clone());
        Ok(Destination { target, credentials: Some(access), proxy_credentials: None })
    }

    /// Whom TLS trusts: made by the first operation, shared by all later ones.
    pub(super) async fn trust(&self) -> Result<Arc<Trust>, OpError> {
        let make = || async {
            let tls = self.target.tls.clone();
            // Certificates and keys are read from disk.
            let made = tokio::task::spawn_blocking(move || match tls {
                None => Trust::nobody(),
                Some(tls) => Trust::new(&rules(tls)),
            });
            let made = made.await.unwrap_or_else(|_| Err(defect(Phase::Tls, self.name())));
            made.map(Arc::new).map_err(|error| error.because(self.saved_as()))
        };
        self.trust.get_or_try_init(make).await.cloned()
    }
}

fn rules(tls: Tls) -> TlsRules {
    let Tls { ca_file, client_cert, client_key, skip_chain, skip_name, min_version, server_name, pin } = tls;
    TlsRules {
        authorities: ca_file,
        identity: client_cert.map(|certificate| (certificate, client_key)),
        skip_chain,
        skip_name,
        only_tls13: min_version == TlsVersion::Tls13,
        server_name,
        pin,
    }
}

/// A failure that is lazycim's own.
pub(super) fn defect(phase: Phase, target: String) -> OpError {
    start::DEFECT.error(phase, target, ErrorKind::Internal)
}

/// What an operation dials with: HTTP, unless the settings say otherwise.
pub(super) fn dial(settings: &Settings, conn_ids: &ConnIds, request: DialRequest) -> Result<Box<dyn Dial>, OpError> {
    if let Some(make) = &settings.dial {
        return make(request);
    }
    let DialRequest { target, credentials, proxy_credentials, trust, sink, timeouts, limits } = request;
    let scheme = if target.tls.is_some() { Scheme::Https } else { Scheme::Http };
    let authenticator = authenticator(&target, credentials)?;
    let proxy = proxy::of(&target, proxy_credentials, scheme)?;
    let host = target.computer.unwrap_or_default();
    let settings = DialSettings {
        proxy,
        allow_clear_text: target.allow_clear_text,
        timeouts,
        limits,
        resolver: settings.resolver.clone(),
        connect_hook: settings.connect_hook.clone(),
        authenticator,
        ..DialSettings::new(scheme, host, target.port, trust, conn_ids.clone(), sink)
    };
    Ok(Box::new(Dialer::new(settings)?))
}

fn authenticator(target: &Target, credentials: Option<Credentials>) -> Result<AuthenticatorFactory, OpError> {
    let shows_certificate = target.mechanism == Mechanism::Certificate;
    if shows_certificate && target.tls.as_ref().is_none_or(|tls| tls.client_cert.is_none()) {
        let name = target.computer.clone().unwrap_or_default();
        return Err(authenticate::NO_CERTIFICATE.error(Phase::Authenticate(1), name, ErrorKind::Configuration));
    }
    // TLS shows it to any server; WS-Man alone has a header that says so.
    if shows_certificate && target.protocol != url::Scheme::WsMan.name() {
        return Ok(Arc::new(|| None));
    }
    let nobody = || Credentials { user: String::new(), secret: String::new().into() };
    let Some(credentials) = credentials.or_else(|| shows_certificate.then(nobody)) else {
        return Ok(Arc::new(|| None));
    };
    // Tried once here, so that a user the mechanism cannot carry is told at once and not at each connection.
    let mechanism = target.mechanism.name();
    if let Err(unusable) = authenticator_for(mechanism, credentials.clone()) {
        let name = target.computer.clone().unwrap_or_default();
        let (kind, row) = match unusable {
            // A secret that cannot be sent is asked for again like one that was refused.
            Unusable::ControlCharacter => (ErrorKind::Unauthorized, authenticate::UNSENDABLE_PASSWORD),
            Unusable::Colon | Unusable::Mechanism(_) => (ErrorKind::Configuration, authenticate::UNSENDABLE_USER),
        };
        return Err(row.error(Phase::Authenticate(1), name, kind).because(unusable.to_string()));
    }
    Ok(Arc::new(move || authenticator_for(mechanism, credentials.clone()).ok()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::{auth, protocol, session::preset};

    #[test]
    fn presets_know_every_protocol_and_mechanism_there_is_and_no_other() {
        let built = preset::BUILT.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(built, protocol::names().chain(auth::mechanisms()).collect::<BTreeSet<_>>());
    }
}
