//! What a dialer is given.
//!
//! Owns: [`DialSettings`] and the server they name. Must not know how it is reached.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ::http::HeaderValue;

use super::{
    fault::plain,
    proxy::Proxy,
    resolver::{ConnectHook, Resolver, SystemResolver},
    trust::Trust,
};
use crate::{
    auth::Authenticator,
    op::{
        ConnId, ErrorKind, EventSink, Limits, OpError, Phase, Timeouts,
        explain::connection::{proxy, resolve},
    },
};

/// How long a used connection may take to come back before the next exchange dials anew.
pub const REUSE_GRACE: Duration = Duration::from_millis(250);

/// How long an attempt may take while other addresses remain.
pub const ATTEMPT_LIMIT: Duration = Duration::from_secs(3);

/// Where connection ids come from. Clones share the counter.
#[derive(Clone, Debug, Default)]
pub struct ConnIds(Arc<AtomicU64>);

impl ConnIds {
    /// A new id; the first is 1.
    pub fn next(&self) -> ConnId {
        ConnId(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Clear text or TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Clear text.
    Http,
    /// TLS.
    Https,
}

/// Makes the authenticator of one exchange; `None` sends no `Authorization`.
pub type AuthenticatorFactory = Arc<dyn Fn() -> Option<Box<dyn Authenticator>> + Send + Sync>;

/// What a dialer is given: the server, how it is reached, and who is told.
#[derive(Clone)]
pub struct DialSettings {
    /// Clear text or TLS.
    pub scheme: Scheme,
    /// Host name, or address (IPv6 with or without brackets).
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What stands between.
    pub proxy: Option<Proxy>,
    /// Basic over clear text to another machine is allowed.
    pub allow_clear_text: bool,
    /// Time-outs. `total` is the engine's.
    pub timeouts: Timeouts,
    /// Limits on an answer's head.
    pub limits: Limits,
    /// Host names to addresses.
    pub resolver: Arc<dyn Resolver>,
    /// For tests: what happens before each TCP connect.
    pub connect_hook: Option<Arc<dyn ConnectHook>>,
    /// Whom TLS trusts; [`Trust::nobody`] for clear text.
    pub trust: Arc<Trust>,
    /// Who authenticates.
    pub authenticator: AuthenticatorFactory,
    /// Where connection ids come from.
    pub conn_ids: ConnIds,
    /// Who is told.
    pub sink: Arc<dyn EventSink>,
    /// How long a used connection may take to come back.
    pub reuse_grace: Duration,
    /// How long an attempt may take while other addresses remain.
    pub attempt_limit: Duration,
}

impl DialSettings {
    /// Settings with the defaults of the product: system resolver, no authentication, default time-outs and limits.
    pub fn new(
        scheme: Scheme,
        host: impl Into<String>,
        port: u16,
        trust: Arc<Trust>,
        conn_ids: ConnIds,
        sink: Arc<dyn EventSink>,
    ) -> Self {
        Self {
            scheme,
            host: host.into(),
            port,
            proxy: None,
            allow_clear_text: false,
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            resolver: Arc::new(SystemResolver),
            connect_hook: None,
            trust,
            authenticator: Arc::new(|| None),
            conn_ids,
            sink,
            reuse_grace: REUSE_GRACE,
            attempt_limit: ATTEMPT_LIMIT,
        }
    }
}

impl std::fmt::Debug for DialSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("DialSettings");
        shown.field("scheme", &self.scheme).field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

/// The server the settings name, checked.
pub(super) struct Endpoint {
    /// `host:port` as errors and the pane name it.
    pub server: String,
    /// The host of the request's URL as URLs have it (lower case, IDNA, IPv6 in brackets), which TLS sends and checks: the
    /// server's, unless the session names another.
    pub spoken_to: String,
    /// The address, where the host is one.
    pub address: Option<IpAddr>,
    pub tls: bool,
    /// The `Host` field (RFC 9110 section 7.2): the port only where it is not the scheme's own.
    pub host_header: HeaderValue,
    /// The machine connections are made to: the server, or the proxy before it.
    pub hop: Hop,
    by_proxy: bool,
    base: url::Url,
}

/// A machine connections are made to.
pub(super) struct Hop {
    /// The host as URLs have it.
    pub host: String,
    /// The address, where the host is one.
    pub address: Option<IpAddr>,
    pub port: u16,
}

impl Hop {
    fn to(proxy: &Proxy) -> Option<Self> {
        let written = if proxy.host.contains(':') { format!("[{}]", proxy.host) } else { proxy.host.clone() };
        if written.contains(['/', '?', '#', '@', '\\']) || proxy.port == 0 {
            return None;
        }
        let (host, address) = host_of(&url::Url::parse(&format!("http://{written}/")).ok()?)?;
        Some(Self { host, address, port: proxy.port })
    }
}

/// The host of `url` as URLs have it, and the address it is, if it is one.
fn host_of(url: &url::Url) -> Option<(String, Option<IpAddr>)> {
    Some(match url.host()? {
        url::Host::Domain(name) => (name.to_owned(), None),
        url::Host::Ipv4(address) => (address.to_string(), Some(IpAddr::V4(address))),
        url::Host::Ipv6(address) => (format!("[{address}]"), Some(IpAddr::V6(address))),
    })
}

impl Endpoint {
    pub(super) fn of(settings: &DialSettings) -> Result<Self, OpError> {
        let tls = settings.scheme == Scheme::Https;
        let bare = settings.host.trim_start_matches('[').trim_end_matches(']');
        let written = if bare.contains(':') { format!("[{bare}]") } else { bare.to_owned() };
        let server = format!("{}:{}", plain(&written), settings.port);
        let broken = || resolve::NO_HOST.error(Phase::Resolve, server.clone(), ErrorKind::Configuration);
        if written.contains(['/', '?', '#', '@', '\\']) || settings.port == 0 {
            return Err(broken());
        }
        let scheme = if tls { "https" } else { "http" };
        let mut base = url::Url::parse(&format!("{scheme}://{written}:{}/", settings.port)).map_err(|_| broken())?;
        let (host, address) = host_of(&base).ok_or_else(broken)?;
        if let Some(name) = settings.trust.host().filter(|_| tls) {
            base.set_host(Some(name)).map_err(|_| broken())?;
        }
        let spoken_to = base.host_str().unwrap_or_default().to_owned();
        let authority = base.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        let host_header = HeaderValue::from_str(&authority).map_err(|_| broken())?;
        let hop = match &settings.proxy {
            None => Hop { host: host.clone(), address, port: settings.port },
            Some(proxy) => Hop::to(proxy)
                .ok_or_else(|| proxy::NO_HOST.error(Phase::Resolve, server.clone(), ErrorKind::Configuration))?,
        };
        if settings.proxy.is_some() && spoken_to != host {
            // The proxy would be asked for the name that is checked, not for the computer.
            return Err(proxy::OTHER_NAME.error(Phase::Connect, server, ErrorKind::Configuration));
        }
        Ok(Self { server, spoken_to, address, tls, host_header, hop, by_proxy: settings.proxy.is_some(), base })
    }

    /// The host the HTTP library believes it connects to.
    pub(super) fn dialled(&self) -> &str {
        if self.by_proxy { &self.hop.host } else { &self.spoken_to }
    }

    /// The URL of `path` on the server; `None` where it would have a query or fragment or is not absolute.
    pub(super) fn url(&self, path: &str) -> Option<url::Url> {
        let fits = path.starts_with('/') && !path.contains(['?', '#']) && !path.chars().any(char::is_control);
        let mut url = self.base.clone();
        url.set_path(path);
        fits.then_some(url)
    }
}
