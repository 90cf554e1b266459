//! What an engine is made with.
//!
//! Owns: [`Settings`] and the doors through which tests (and later protocols that do not speak HTTP) put something else in the place
//! of connections, protocols and the embedded server. Must not know how any of them is used.

use std::{path::PathBuf, sync::Arc};

use super::{
    local::StartServer,
    secrets::{keyring::Keyring, system::SystemKeyring},
};
use crate::{
    auth::Credentials,
    config::Config,
    op::{EventSink, Limits, OpError, OpIds, Timeouts},
    protocol::{self, Protocol},
    session::Target,
    wire::{ConnectHook, Dial, Resolver, SystemResolver, Trust},
};

/// Finds a protocol by its name in the registry.
pub type FindProtocol = Arc<dyn Fn(&str) -> Option<&'static dyn Protocol> + Send + Sync>;

/// Makes what an operation dials with.
pub type MakeDial = Arc<dyn Fn(DialRequest) -> Result<Box<dyn Dial>, OpError> + Send + Sync>;

/// For whom and for what an operation dials.
pub struct DialRequest {
    /// What it is aimed at; never this computer without an address.
    pub target: Target,
    /// Who asks; `None` sends no Authorization header.
    pub credentials: Option<Credentials>,
    /// Who asks the proxy.
    pub proxy_credentials: Option<Credentials>,
    /// Whom TLS trusts, shared by the operations of the session.
    pub trust: Arc<Trust>,
    /// Who is told.
    pub sink: Arc<dyn EventSink>,
    /// Time-outs in force.
    pub timeouts: Timeouts,
    /// Bounds.
    pub limits: Limits,
}

/// What an engine is made with.
#[derive(Clone)]
pub struct Settings {
    /// Time-outs of operations that bring none of their own and whose session has none.
    pub timeouts: Timeouts,
    /// Bounds.
    pub limits: Limits,
    /// Host names to addresses.
    pub resolver: Arc<dyn Resolver>,
    /// Where operation ids come from.
    pub ids: OpIds,
    /// For tests: what happens before each TCP connect.
    pub connect_hook: Option<Arc<dyn ConnectHook>>,
    /// For tests: another registry of protocols.
    pub protocols: FindProtocol,
    /// For tests: what dials instead of HTTP over the resolver above.
    pub dial: Option<MakeDial>,
    /// Starts the server behind this computer.
    pub server: Arc<dyn StartServer>,
    /// The file the commands for secrets stand in: they run only if nobody else may write it. Without one none runs.
    pub sessions_file: Option<PathBuf>,
    /// Where secrets lie that are said to be in the keyring; tests put one of their own here.
    pub keyring: Arc<dyn Keyring>,
}

impl Settings {
    /// Settings with the configuration's time-outs and limits; real connections, the real registry, the system's resolver.
    pub fn new(config: &Config) -> Self {
        let (timeouts, limits) = (&config.timeouts, &config.limits);
        Self {
            timeouts: Timeouts {
                connect: timeouts.connect,
                first_byte: timeouts.first_byte,
                idle: timeouts.idle,
                total: timeouts.total,
            },
            limits: Limits {
                xml_depth: limits.xml_depth,
                embedded_depth: limits.embedded_depth,
                name_bytes: limits.name_bytes,
                value_bytes: limits.value_bytes,
                header_bytes: limits.header_bytes,
                header_fields: limits.header_fields,
                buffer_bytes: limits.buffer_bytes,
                undrained_rows: limits.undrained_rows,
                retained_rows: limits.retained_rows,
                retained_bytes: limits.retained_bytes,
                logged_operations: limits.logged_operations,
                in_flight_per_session: limits.in_flight_per_session,
                in_flight: limits.in_flight,
            },
            resolver: Arc::new(SystemResolver),
            ids: OpIds::default(),
            connect_hook: None,
            protocols: Arc::new(protocol::find),
            dial: None,
            server: Arc::new(super::local::Embedded),
            sessions_file: None,
            keyring: Arc::new(SystemKeyring),
        }
    }
}

impl Settings {
    /// Whether a protocol of `target` is one of the registry; where it is to be found out, whether one of those to try is.
    pub fn speaks(&self, target: &Target) -> bool {
        target.attempts().iter().any(|attempt| (self.protocols)(&attempt.protocol).is_some())
    }
}

impl Default for Settings {
    /// Settings of the default configuration.
    fn default() -> Self {
        Self::new(&Config::default())
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("timeouts", &self.timeouts)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
