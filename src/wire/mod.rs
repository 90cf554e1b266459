//! Connections of one operation, every phase of their life reported.
//!
//! Owns: resolving, connecting, TLS, sending, receiving and closing over HTTP, and which of those is happening now.
//! Must not know CIM, protocols, sessions or who watches.
//!
//! ```text
//! Dial::dial -> Exchange --exchange(HttpRequest)--> HttpAnswer -> BodySource::chunk* -> drop closes
//!                   resolve  connect  tls  authenticate  send  wait      receive        close
//! ```

mod attempt;
mod body;
mod fault;
mod gate;
mod head;
mod http;
mod life;
mod observer;
mod proxy;
mod refusal;
pub mod resolver;
mod settings;
mod trust;

#[cfg(test)]
mod tests;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;

pub use self::{
    http::{Dialer, clear_text_refused},
    proxy::Proxy,
    refusal::{details, field},
    resolver::{ConnectHook, Resolver, SystemResolver, is_loopback},
    settings::{ATTEMPT_LIMIT, AuthenticatorFactory, ConnIds, DialSettings, REUSE_GRACE, Scheme},
    trust::{TlsRules, Trust},
};
use crate::op::{BoxFuture, ConnId, OpError, Purpose};

/// Opens connections for one operation. Nothing happens on the network before the first [`Exchange::exchange`].
pub trait Dial: Send + Sync {
    /// A new, not yet connected exchange for `purpose`, with its own client, its own connection ids and its own gate.
    fn dial(&self, purpose: Purpose) -> Box<dyn Exchange>;

    /// The other end as errors and the pane name it: `host:port`.
    fn peer_name(&self) -> String;
}

/// One connection and what is said over it. Dropping it closes the socket.
pub trait Exchange: Send {
    /// Sends a request and reads the head of the answer; connects first if need be. The previous answer's body must have
    /// been read to its end or dropped. 401 answers are taken up with the authenticator before they are returned.
    fn exchange<'a>(&'a mut self, request: HttpRequest) -> BoxFuture<'a, Result<HttpAnswer, OpError>>;

    /// The connection in use, once there is one.
    fn connection(&self) -> Option<ConnId>;

    /// Closes at once and tells so. Dropping without calling it does the same.
    fn close(self: Box<Self>);
}

/// A request: always a POST (or `M-POST`) with a body of known length.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// `POST` or `M-POST`.
    pub method: ::http::Method,
    /// The path, beginning with `/`.
    pub path: String,
    /// Headers besides Host, Content-Length and Authorization, which the connection sets.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Bytes,
    /// Whether it changes something on the server: then it is never sent a second time after a connection was lost.
    pub is_write: bool,
    /// Whether it takes something out of the server, as a pull does: then neither.
    pub takes: bool,
}

/// The head of an answer, and its body to be read.
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// The reason phrase as sent, lossily decoded; empty if none.
    pub reason: String,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Box<dyn BodySource>,
}

/// The body of an answer.
pub trait BodySource: Send {
    /// The next piece, or `None` at the end. Time-outs, limits and progress reports are inside.
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, OpError>>;
}
