//! What an engine is made with.
//!
//! Owns: [`Settings`] and the doors through which tests (and later protocols that do not speak HTTP) put something else in the place
//! of connections, protocols and the embedded server. Must not know how any of them is used.

use std::sync::Arc;

use crate::{
    config::Config,
    op::{Limits, OpIds, Timeouts},
    protocol::{self, Protocol},
};

/// Finds a protocol by its name in the registry.
pub type FindProtocol = Arc<dyn Fn(&str) -> Option<&'static dyn Protocol> + Send + Sync>;

/// What an engine is made with.
#[derive(Clone)]
pub struct Settings {
    /// Time-outs of operations that bring none of their own and whose session has none.
    pub timeouts: Timeouts,
    /// Bounds.
    pub limits: Limits,
    /// Where operation ids come from.
    pub ids: OpIds,
    /// The registry of protocols.
    pub protocols: FindProtocol,
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
            ids: OpIds::default(),
            protocols: Arc::new(protocol::find),
        }
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
