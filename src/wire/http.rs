//! HTTP exchanges of one operation.
//!
//! Owns: resolving, choosing an address, authentication legs, when a connection carries another exchange, and when a
//! request is sent again. Must not know what is asked.
//!
//! ```text
//! exchange: [resolve] -> address* -> send -> head -> 401? authenticate, send again : answer
//!                           |         ^ on the connection of the last exchange, if it may be used again
//! ```

use std::{net::SocketAddr, sync::Arc};

use ::http::HeaderValue;
use tokio::time::Instant;

use super::{
    Dial, Exchange, HttpAnswer, HttpRequest,
    attempt::{Head, Lost},
    body::AnswerBody,
    fault::{Place, plain},
    head,
    life::Life,
    refusal::Refusal,
    resolver::is_loopback,
    settings::{DialSettings, Endpoint},
};
use crate::{
    auth::{Authenticator, Step as AuthStep},
    op::{
        BoxFuture, Closer, ConnId, ErrorKind, OpError, OpEventKind, Phase, Purpose,
        explain::{
            connection::connect,
            exchange::{authenticate, send},
        },
    },
};

/// The most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 16;

/// The most legs of one authentication.
const MAX_LEGS: u32 = 8;

/// The most bytes of a 401's body that are read to keep the connection.
const MAX_DRAINED: usize = 64 << 10;

/// Dials one server for one operation.
pub struct Dialer {
    settings: Arc<DialSettings>,
    endpoint: Arc<Endpoint>,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer").field("server", &self.endpoint.server).finish_non_exhaustive()
    }
}

impl Dialer {
    /// A dialer with `settings`. Touches no network.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if the host is no host name or address.
    pub fn new(settings: DialSettings) -> Result<Self, OpError> {
        let endpoint = Arc::new(Endpoint::of(&settings)?);
        Ok(Self { settings: Arc::new(settings), endpoint })
    }
}

impl Dial for Dialer {
    fn dial(&self, purpose: Purpose) -> Box<dyn Exchange> {
        Box::new(HttpExchange {
            settings: self.settings.clone(),
            endpoint: self.endpoint.clone(),
            purpose,
            authenticator: (self.settings.authenticator)(),
            leg: 1,
            proved: false,
            refusals: 0,
            shown: None,
            peer: None,
            life: None,
            exchanged: false,
        })
    }

    fn peer_name(&self) -> String {
        self.endpoint.server.clone()
    }
}

pub(super) struct HttpExchange {
    pub(super) settings: Arc<DialSettings>,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) purpose: Purpose,
    pub(super) authenticator: Option<Box<dyn Authenticator>>,
    /// The leg of authentication the next request is.
    pub(super) leg: u32,
    /// The last request carried a proof.
    pub(super) proved: bool,
    /// Refusals since the last answer.
    refusals: u32,
    /// The connection and leg last told as a phase.
    pub(super) shown: Option<(ConnId, u32)>,
    /// The address that answered before.
    pub(super) peer: Option<SocketAddr>,
    /// The connection, while it may carry another exchange. Taken out while a request is in flight, so that dropping the
    /// future closes it.
    pub(super) life: Option<Arc<Life>>,
    /// A request was answered: an authentication bound to the connection would be lost with it.
    exchanged: bool,
}

impl Exchange for HttpExchange {
    fn exchange<'a>(&'a mut self, request: HttpRequest) -> BoxFuture<'a, Result<HttpAnswer, OpError>> {
        Box::pin(self.run(request))
    }

    fn connection(&self) -> Option<ConnId> {
        self.life.as_ref().map(|life| life.observer.conn)
    }

    fn close(self: Box<Self>) {
        drop(self);
    }
}

impl HttpExchange {
    async fn run(&mut self, request: HttpRequest) -> Result<HttpAnswer, OpError> {
        loop {
            let head = self.send(&request).await?;
            self.exchanged = true;
            if head.response.status() == ::http::StatusCode::PROXY_AUTHENTICATION_REQUIRED
                && self.settings.proxy.is_some()
            {
                return Err(self.refused_by_proxy(head, &request));
            }
            if head.response.status() != ::http::StatusCode::UNAUTHORIZED {
                self.accepted(&head, &request)?;
                return self.hand_over(head, &request);
            }
            self.challenged(head, &request).await?;
        }
    }

    pub(super) fn place(&self, peer: Option<SocketAddr>, request: &HttpRequest) -> Place {
        let (server, tls) = (self.endpoint.server.clone(), self.endpoint.tls);
        let proxy =
            self.settings.proxy.as_ref().map(|proxy| format!("{}:{}", plain(&self.endpoint.hop.host), proxy.port));
        Place { server, peer, proxy, tls, is_write: request.is_write }
    }

    /// RFC 9110 section 15.5.8: the proxy wants credentials, or others.
    fn refused_by_proxy(&mut self, head: Head, request: &HttpRequest) -> OpError {
        let place = self.place(Some(head.life.observer.peer), request);
        let error = place.proxy_wants_credentials(Phase::Wait);
        head.life.observer.failed(&error);
        self.life = None;
        head.life.close(Closer::Us);
        error
    }

    /// Sends `request` and waits for the head of its answer.
    async fn send(&mut self, request: &HttpRequest) -> Result<Head, OpError> {
        // The last answer said that its connection carries no more, or was left unread.
        let life = self.life.take().filter(|life| life.client().is_some());
        let Some(life) = life else {
            self.may_dial_again(request)?;
            return self.send_anew(request).await;
        };
        match self.attempt(life, request, None).await {
            Ok(head) => Ok(head),
            Err(Lost::Failed(error)) => Err(error),
            Err(Lost::Unsent) => {
                self.may_dial_again(request)?;
                self.send_anew(request).await
            }
            // A write may have been carried out: it is never sent again.
            Err(Lost::Silent(error)) if request.is_write || request.takes => Err(error),
            Err(Lost::Silent(_)) => {
                self.may_dial_again(request)?;
                self.send_anew(request).await
            }
        }
    }

    /// Whether an exchange may go on over a new connection: not where the authentication is bound to the old one.
    fn may_dial_again(&self, request: &HttpRequest) -> Result<(), OpError> {
        let bound = self.authenticator.as_ref().is_some_and(|authenticator| authenticator.binds_connection());
        if !(self.exchanged && bound) {
            return Ok(());
        }
        let place = self.place(self.peer, request);
        Err(place.error(Phase::Send, ErrorKind::ConnectionLost, &send::AUTHENTICATION_LOST))
    }

    /// Sends over a new connection, trying the server's addresses in turn.
    async fn send_anew(&mut self, request: &HttpRequest) -> Result<Head, OpError> {
        let addresses = self.addresses(request).await?;
        self.refuse_clear_text(&addresses, request)?;
        let mut missed: Vec<OpError> = Vec::new();
        for (index, &peer) in addresses.iter().enumerate() {
            let last = index + 1 == addresses.len();
            let until = (!last).then(|| Instant::now() + self.settings.attempt_limit);
            let life = self.open(peer, request)?;
            match self.attempt(life, request, until).await {
                Ok(head) => {
                    self.peer = Some(peer);
                    return Ok(head);
                }
                Err(Lost::Failed(error)) if !last && unreached(&error) => missed.push(error),
                Err(Lost::Failed(error) | Lost::Silent(error)) => return Err(with_others(error, &missed)),
                Err(Lost::Unsent) => return Err(self.place(Some(peer), request).silent(Phase::Send)),
            }
        }
        Err(self.place(None, request).unresolved(None))
    }

    async fn addresses(&mut self, request: &HttpRequest) -> Result<Vec<SocketAddr>, OpError> {
        let port = self.endpoint.hop.port;
        if let Some(peer) = self.peer {
            return Ok(vec![peer]);
        }
        if let Some(address) = self.endpoint.hop.address {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let (sink, place) = (&self.settings.sink, self.place(None, request));
        let (conn, phase, limit) = (None, Phase::Resolve, self.settings.timeouts.connect);
        let detail = Some(plain(&self.endpoint.hop.host).into());
        sink.tell(OpEventKind::PhaseStarted { conn, phase, detail });
        let found = tokio::time::timeout(limit, self.settings.resolver.resolve(&self.endpoint.hop.host, port)).await;
        let found = match found {
            Err(_) => Err(place.timed_out(phase, limit)),
            Ok(Err(error)) => Err(place.unresolved(Some(&error))),
            Ok(Ok(found)) if found.is_empty() => Err(place.unresolved(None)),
            Ok(Ok(found)) => Ok(found),
        };
        let error = found.as_ref().err().cloned().map(Arc::new);
        sink.tell(OpEventKind::PhaseEnded { conn, phase, error });
        let found = found?;
        let mut addresses: Vec<SocketAddr> = Vec::new();
        for address in found.into_iter().map(|found| SocketAddr::new(found.ip(), port)) {
            if addresses.len() < MAX_ADDRESSES && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(addresses)
    }

    /// CLI.md, "Clear text": a scheme that reveals its secret is not spoken in the clear to another machine.
    fn refuse_clear_text(&mut self, addresses: &[SocketAddr], request: &HttpRequest) -> Result<(), OpError> {
        let mut local = addresses.iter().all(|address| is_loopback(address.ip()));
        if let Some(proxy) = &self.settings.proxy {
            if proxy.authorization.is_some() && !proxy.allow_clear_text && !local {
                return Err(self.place(None, request).shows_proxy_secret());
            }
            // What the proxy does with it is beyond our sight.
            local &= self.endpoint.address.is_some_and(is_loopback);
        }
        let allowed = self.endpoint.tls || self.settings.allow_clear_text || local;
        let Some(authenticator) = &mut self.authenticator else { return Ok(()) };
        if authenticator.may_reveal(allowed) {
            return Ok(());
        }
        let scheme = authenticator.scheme();
        Err(clear_text_refused(Phase::Connect, self.place(None, request).target(), scheme))
    }

    fn body(&self, head: Head, request: &HttpRequest) -> AnswerBody {
        let Head { response, life } = head;
        let framing = head::framing(&response);
        let place = self.place(Some(life.observer.peer), request);
        let response = framing.has_body.then_some(response);
        AnswerBody::new(response, life, place, self.settings.timeouts.idle, framing.ends)
    }

    fn hand_over(&mut self, head: Head, request: &HttpRequest) -> Result<HttpAnswer, OpError> {
        let (status, headers) = (head.response.status(), head.response.headers().clone());
        let reason = head::reason(&head.response);
        let body = Box::new(self.body(head, request));
        Ok(HttpAnswer { status: status.as_u16(), reason, headers, body })
    }

    /// Takes an answer that is no refusal up with the authenticator.
    fn accepted(&mut self, head: &Head, request: &HttpRequest) -> Result<(), OpError> {
        self.refusals = 0;
        let info = head.response.headers().get("authentication-info").map(HeaderValue::as_bytes);
        let Some(Err(cause)) = self.authenticator.as_mut().map(|authenticator| authenticator.accepted(info)) else {
            return Ok(());
        };
        let place = self.place(Some(head.life.observer.peer), request);
        let error = place
            .error(Phase::Authenticate(self.leg), ErrorKind::BadHttp, &authenticate::UNPROVEN)
            .because(plain(&cause));
        head.life.observer.refused(self.leg, None, &error);
        self.life = None;
        head.life.close(Closer::Us);
        Err(error)
    }

    /// Takes a 401 up with the authenticator.
    async fn challenged(&mut self, head: Head, request: &HttpRequest) -> Result<(), OpError> {
        let place = self.place(Some(head.life.observer.peer), request);
        let refusal = Refusal::of(head.response.headers());
        let life = head.life.clone();
        life.observer.asked(&refusal.told());
        self.drain(head, request).await?;
        let step = self.authenticator.as_mut().map(|authenticator| authenticator.challenged(&refusal.challenges));
        let scheme = self.authenticator.as_ref().map(|authenticator| authenticator.scheme());
        let error = match step {
            Some(AuthStep::Again) if self.refusals + 1 < MAX_LEGS => {
                self.refusals += 1;
                // A request without proof was no leg.
                self.leg += u32::from(std::mem::take(&mut self.proved));
                return Ok(());
            }
            Some(AuthStep::Exposed { scheme, tried }) => {
                let error = clear_text_refused(Phase::Authenticate(self.leg), place.target(), scheme);
                refusal.offered(if tried.is_empty() { error } else { error.because(plain(&tried)) })
            }
            Some(AuthStep::Refused(cause)) => refusal.error(&place, self.leg, scheme, Some(&cause)),
            Some(AuthStep::Again) | None => refusal.error(&place, self.leg, scheme, None),
        };
        life.observer.refused(self.leg, scheme, &error);
        self.life = None;
        life.close(Closer::Us);
        Err(error)
    }

    /// Reads the rest of an answer nobody wants, so that its connection can be used again; a long one isn't worth it.
    async fn drain(&mut self, head: Head, request: &HttpRequest) -> Result<(), OpError> {
        use super::BodySource as _;
        let mut body = self.body(head, request);
        let mut drained = 0;
        while let Some(piece) = body.chunk().await? {
            drained += piece.len();
            if drained > MAX_DRAINED {
                break;
            }
        }
        Ok(())
    }
}

/// The refusal to speak `scheme`, which reveals its secret, in the clear to `target`.
pub fn clear_text_refused(phase: Phase, target: String, scheme: &str) -> OpError {
    connect::CLEAR_TEXT.with(phase, target, ErrorKind::ClearTextRefused, &[("scheme", scheme)])
}

/// Whether another address may do better.
fn unreached(error: &OpError) -> bool {
    error.phase == Phase::Connect || (error.phase == Phase::Tls && error.kind == ErrorKind::TimedOut)
}

fn with_others(mut error: OpError, missed: &[OpError]) -> OpError {
    error.causes.extend(missed.iter().map(|missed| format!("before it, {}: {}", missed.target, missed.cause())));
    error
}
