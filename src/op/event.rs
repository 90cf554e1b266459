//! Events: what is told about an operation while it runs.
//!
//! Owns: the vocabulary between the engine and every front. Must not know who listens.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use super::{ConnId, OpError, OpId, PeerCertificate, Phase};
use crate::cim::{
    CimClass, CimName, Namespace, QualifierDeclaration, TypedValue,
    rows::{RowBatch, Shape, ShapeId},
};

/// One thing that happened to one operation.
#[derive(Clone, Debug)]
pub struct OpEvent {
    /// The operation.
    pub op: OpId,
    /// When, counted from the moment it was asked for.
    pub at: Duration,
    /// What.
    pub kind: OpEventKind,
}

/// What happened. An operation ends in exactly one of `Finished`, `Failed`, `Cancelled`, emitted by the engine alone, and
/// nothing follows it.
#[derive(Clone, Debug)]
pub enum OpEventKind {
    /// It was accepted and waits for its turn.
    Queued,
    /// The engine started it on behalf of another operation (clean-up of an open enumeration).
    Started {
        /// Its name and subject as the pane shows them.
        title: String,
        /// The operation it cleans up after.
        because_of: OpId,
    },
    /// It waits, still queued, for the secret of its session.
    SecretNeeded {
        /// The user the secret belongs to.
        user: String,
        /// The server refused the one it had.
        again: bool,
    },
    /// A phase began. Queue and Resolve have no connection.
    PhaseStarted {
        /// The connection attempt, where there is one.
        conn: Option<ConnId>,
        /// Which phase.
        phase: Phase,
        /// What the pane shows beside it.
        detail: PhaseDetail,
    },
    /// A phase ended, well or with an error.
    PhaseEnded {
        /// The connection attempt, where there is one.
        conn: Option<ConnId>,
        /// Which phase.
        phase: Phase,
        /// Why it failed, if it did.
        error: Option<Arc<OpError>>,
    },
    /// More was learned about a phase that has begun (it may have ended since): this replaces what stands beside it.
    PhaseDetailed {
        /// The connection attempt, where there is one.
        conn: Option<ConnId>,
        /// Which phase; the latest of that name is meant.
        phase: Phase,
        /// What the pane shows beside it.
        detail: PhaseDetail,
    },
    /// The server showed this certificate: on a full handshake, on a resumed one, and when it was refused.
    Certificate {
        /// The connection.
        conn: ConnId,
        /// The certificate.
        certificate: Arc<PeerCertificate>,
    },
    /// TCP is up. Only these count as connections opened.
    ConnectionOpened {
        /// The connection.
        conn: ConnId,
        /// What it is for.
        purpose: Purpose,
        /// The other end.
        peer: SocketAddr,
    },
    /// Bytes so far on a connection: HTTP head and body as built and read, not TLS bytes.
    Progress {
        /// The connection.
        conn: ConnId,
        /// Bytes sent.
        sent: u64,
        /// Bytes received.
        received: u64,
    },
    /// The shape of rows to come. The same id again replaces it.
    Shape(ShapeId, Arc<Shape>),
    /// Rows, in order.
    Rows(RowBatch),
    /// Names, in order; more may follow.
    Names(Names),
    /// A class.
    Class(Arc<CimClass>),
    /// The declaration of a qualifier type.
    Qualifier(Arc<QualifierDeclaration>),
    /// The answer of a method.
    Return {
        /// What it returned.
        value: Option<TypedValue>,
        /// Its output parameters.
        out: Vec<(CimName, TypedValue)>,
    },
    /// Something the user should know that did not stop the operation.
    Warning(Arc<OpError>),
    /// Every handle of the connection is dropped: the socket is closed.
    ConnectionClosed {
        /// The connection.
        conn: ConnId,
        /// Who closed it.
        by: Closer,
    },
    /// It is complete.
    Finished(Summary),
    /// It failed; what came before stays.
    Failed(Arc<OpError>),
    /// It was cancelled; what came before stays.
    Cancelled {
        /// Set where the server may keep something open that could not be released, in words for the pane.
        left_open: Option<String>,
    },
}

impl OpEventKind {
    /// Whether this ends the operation.
    pub const fn is_terminal(&self) -> bool {
        matches!(self, Self::Finished(_) | Self::Failed(_) | Self::Cancelled { .. })
    }
}

/// What a phase is about, for the pane: plain text without control characters, such as an address or a TLS version.
pub type PhaseDetail = Option<Box<str>>;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The CIM server.
    Server,
    /// The CIM server, for a class first seen while rows were arriving on another connection.
    Schema,
    /// A Kerberos key distribution centre.
    Kdc,
    /// The DCE/RPC endpoint mapper.
    EndpointMapper,
    /// An HTTP proxy.
    Proxy,
}

/// Who closed a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closer {
    /// We did: the operation was done, cancelled or failed.
    Us,
    /// The server did, or asked for it with `Connection: close`.
    Peer,
}

/// Names an enumeration answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Names {
    /// Namespaces.
    Namespaces(Vec<Namespace>),
    /// Classes.
    Classes(Vec<CimName>),
}

/// What a finished operation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows, names, classes or qualifier types delivered.
    pub rows: u64,
    /// As many were delivered as were wanted at most (`--limit`): more may be there, which was not asked for.
    pub limited: bool,
}
