//! HTTP exchanges of one operation.
//!
//! Owns: resolving, choosing an address, sending, the time-outs up to the answer's head, authentication legs, and when a
//! connection may carry another exchange. Must not know what is asked.
//!
//! ```text
//! exchange: [resolve] -> address* -> send -> head -> 401? authenticate, send again : answer
//!                           |         ^ on the connection of the last exchange, if it may be used again
//! ```

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use ::http::{HeaderMap, HeaderValue, header};
use tokio::time::Instant;

use super::{
    Dial, Exchange, HttpAnswer, HttpRequest,
    body::{AnswerBody, RequestBody},
    fault::{Place, find, plain},
    gate::{Gate, Shut},
    head,
    life::Life,
    observer::{Observer, Queued, Step},
    resolver::is_loopback,
    settings::{DialSettings, Endpoint},
    trust,
};
use crate::{
    auth::{Authenticator, Challenge, Step as AuthStep, challenge},
    op::{BoxFuture, Closer, ConnId, ErrorKind, OpError, OpEventKind, Phase, Purpose},
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
            peer: None,
            life: None,
            exchanged: false,
        })
    }

    fn peer_name(&self) -> String {
        self.endpoint.server.clone()
    }
}

struct HttpExchange {
    settings: Arc<DialSettings>,
    endpoint: Arc<Endpoint>,
    purpose: Purpose,
    authenticator: Option<Box<dyn Authenticator>>,
    /// The leg of authentication the next request is.
    leg: u32,
    /// The address that answered before.
    peer: Option<SocketAddr>,
    /// The connection, while it may carry another exchange. Taken out while a request is in flight, so that dropping the
    /// future closes it.
    life: Option<Arc<Life>>,
    /// A request was answered: an authentication bound to the connection would be lost with it.
    exchanged: bool,
}

/// How sending failed.
enum Lost {
    /// The connection did not come back; nothing was sent.
    Unsent,
    /// A connection used before was closed without a byte of answer.
    Silent(OpError),
    /// Otherwise.
    Failed(OpError),
}

/// An answer's head on its connection.
struct Head {
    response: reqwest::Response,
    life: Arc<Life>,
}

impl Exchange for HttpExchange {
    fn exchange<'a>(&'a mut self, request: HttpRequest) -> BoxFuture<'a, Result<HttpAnswer, OpError>> {
        Box::pin(self.run(request))
    }

    fn connection(&self) -> Option<ConnId> {
        self.life.as_ref().map(|life| life.observer.conn)
    }

    fn close(self: Box<Self>) {
        if let Some(life) = &self.life {
            life.close(Closer::Us);
        }
    }
}

impl HttpExchange {
    async fn run(&mut self, request: HttpRequest) -> Result<HttpAnswer, OpError> {
        loop {
            let head = self.send(&request).await?;
            self.exchanged = true;
            if head.response.status() != ::http::StatusCode::UNAUTHORIZED {
                return self.hand_over(head, &request);
            }
            self.challenged(head, &request).await?;
        }
    }

    fn place(&self, peer: Option<SocketAddr>, request: &HttpRequest) -> Place {
        let (server, tls) = (self.endpoint.server.clone(), self.endpoint.tls);
        Place { server, peer, tls, is_write: request.is_write }
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
            Err(Lost::Silent(error)) if request.is_write => Err(error),
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
        let cause = "the server closed the connection the authentication was bound to";
        let place = self.place(self.peer, request);
        Err(place.error(Phase::Send, ErrorKind::ConnectionLost, cause, "try again; the session authenticates anew"))
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
        let port = self.settings.port;
        if let Some(peer) = self.peer {
            return Ok(vec![peer]);
        }
        if let Some(address) = self.endpoint.address {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let (sink, place) = (&self.settings.sink, self.place(None, request));
        let (conn, phase, limit) = (None, Phase::Resolve, self.settings.timeouts.connect);
        let detail = Some(plain(&self.endpoint.host).into());
        sink.tell(OpEventKind::PhaseStarted { conn, phase, detail });
        let found = tokio::time::timeout(limit, self.settings.resolver.resolve(&self.endpoint.host, port)).await;
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
    fn refuse_clear_text(&self, addresses: &[SocketAddr], request: &HttpRequest) -> Result<(), OpError> {
        let Some(authenticator) = &self.authenticator else { return Ok(()) };
        let local = addresses.iter().all(|address| is_loopback(address.ip()));
        if self.endpoint.tls || self.settings.allow_clear_text || local || !authenticator.reveals_secret() {
            return Ok(());
        }
        let scheme = authenticator.scheme();
        let cause = format!("{scheme} over plain http would show the password to the network");
        let hint = "use https, or allow it: allow_clear_text = true in the session (--allow-clear-text)";
        let place = self.place(None, request);
        Err(place.error(Phase::Connect, ErrorKind::ClearTextRefused, cause, hint))
    }

    /// A new client for one attempt at `peer`.
    fn open(&self, peer: SocketAddr, request: &HttpRequest) -> Result<Arc<Life>, OpError> {
        let (settings, endpoint) = (&self.settings, &self.endpoint);
        let tls_name = endpoint.tls.then_some(endpoint.host.as_str());
        let (sink, conn) = (settings.sink.clone(), settings.conn_ids.next());
        let observer = Arc::new(Observer::new(sink, conn, peer, self.purpose, tls_name));
        let gate = Gate::new(observer.clone(), settings.connect_hook.clone(), settings.reuse_grace);
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(settings.trust.config(&observer))
            .tls_info(endpoint.tls)
            .http1_only()
            // One field more than twice the limit is refused by the library, fewer by us, with an error of its own.
            .http1_max_headers(settings.limits.header_fields.saturating_mul(2).clamp(1, 1 << 16))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .tcp_nodelay(true)
            .pool_max_idle_per_host(1)
            .resolve_to_addrs(&endpoint.host, &[peer])
            .connector_layer(gate)
            .build();
        let client = client.map_err(|error| {
            let place = self.place(Some(peer), request);
            place
                .error(Phase::Connect, ErrorKind::Internal, "the HTTP client cannot be made", "report this")
                .because(find::<rustls::Error>(&error).map_or_else(String::new, |error| plain(&error.to_string())))
        })?;
        Ok(Arc::new(Life::new(client, observer)))
    }

    /// Sends `request` over `life`, which on success becomes the exchange's connection. `until` ends connecting early.
    async fn attempt(&mut self, life: Arc<Life>, request: &HttpRequest, until: Option<Instant>) -> Result<Head, Lost> {
        let reused = self.peer.is_some() && life.observer.is_open();
        let place = self.place(Some(life.observer.peer), request);
        match self.drive(&life, request, reused, until, &place).await {
            Ok(response) => self.accept(response, life, &place).map_err(Lost::Failed),
            Err((lost, by)) => {
                match &lost {
                    Lost::Failed(error) | Lost::Silent(error) => life.observer.failed(error),
                    Lost::Unsent => life.observer.done(),
                }
                life.close(by);
                Err(lost)
            }
        }
    }

    /// Drives the request until its answer's head, a failure or a time-out.
    async fn drive(
        &mut self,
        life: &Life,
        request: &HttpRequest,
        reused: bool,
        until: Option<Instant>,
        place: &Place,
    ) -> Result<reqwest::Response, (Lost, Closer)> {
        let observer = &life.observer;
        let built = self.build(request, observer, reused).map_err(|error| (Lost::Failed(error), Closer::Us))?;
        let Some(client) = life.client() else { return Err((Lost::Unsent, Closer::Peer)) };
        let mut steps = observer.steps();
        let mut answer = pin!(client.execute(built));
        loop {
            let step = *steps.borrow_and_update();
            let (deadline, limit) = self.deadline(step, until);
            tokio::select! {
                biased;
                answer = &mut answer => {
                    let phase = steps.borrow().phase;
                    return answer.map_err(|error| (lost(place, phase, reused, &error), Closer::Peer));
                }
                _ = steps.changed() => {
                    if steps.borrow().phase == Phase::Wait {
                        observer.report().await;
                    }
                }
                () = tokio::time::sleep_until(deadline) => {
                    return Err((Lost::Failed(place.timed_out(step.phase, limit)), Closer::Us));
                }
            }
        }
    }

    /// When `step` must be over, and the limit that says so.
    fn deadline(&self, step: Step, until: Option<Instant>) -> (Instant, Duration) {
        let timeouts = &self.settings.timeouts;
        let limit = match step.phase {
            Phase::Connect | Phase::Tls => timeouts.connect,
            Phase::Send => timeouts.idle,
            _ => timeouts.first_byte,
        };
        let deadline = step.since + limit;
        match until {
            Some(until) if matches!(step.phase, Phase::Connect | Phase::Tls) && until < deadline => {
                (until, self.settings.attempt_limit)
            }
            _ => (deadline, limit),
        }
    }

    fn build(
        &mut self,
        request: &HttpRequest,
        observer: &Arc<Observer>,
        reused: bool,
    ) -> Result<reqwest::Request, OpError> {
        let place = self.place(Some(observer.peer), request);
        let url = self.endpoint.url(&request.path).ok_or_else(|| {
            let hint = "give a path that begins with / and has no query or fragment";
            place.error(Phase::Send, ErrorKind::Configuration, "the path cannot stand in a request", hint)
        })?;
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, self.endpoint.host_header.clone());
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        for (name, value) in &request.headers {
            headers.insert(name, value.clone());
        }
        let mut authenticates = None;
        if let Some(authenticator) = &mut self.authenticator
            && let Some(proof) = authenticator.authorization(request.method.as_str(), url.path())
        {
            let mut value = HeaderValue::from_bytes(&proof.0).map_err(|_| {
                let hint = "check the user name for control characters";
                place.error(Phase::Authenticate(1), ErrorKind::Configuration, "the credentials cannot be sent", hint)
            })?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
            authenticates = (!reused || self.leg > 1).then(|| (self.leg, authenticator.scheme()));
        }
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(request.body.len()));
        let queued = Queued {
            head: head::request_bytes(&request.method, url.path(), &headers),
            empty: request.body.is_empty(),
            authenticates,
        };
        let mut built = reqwest::Request::new(request.method.clone(), url);
        *built.headers_mut() = headers;
        *built.body_mut() = Some(reqwest::Body::wrap(RequestBody::new(request.body.clone(), observer.clone())));
        observer.queue(queued, reused);
        Ok(built)
    }

    /// Takes the head of an answer in and checks it against the limits.
    fn accept(&mut self, response: reqwest::Response, life: Arc<Life>, place: &Place) -> Result<Head, OpError> {
        let (bytes, limits) = (head::answer_bytes(&response), &self.settings.limits);
        life.observer.answered(bytes);
        if let Some(info) = response.extensions().get::<reqwest::tls::TlsInfo>() {
            life.observer.secured_once(|| trust::describe(info));
        }
        let fields = response.headers().len();
        let too_large = if fields > limits.header_fields {
            let cause = format!("the answer has {fields} header fields, the limit is {}", limits.header_fields);
            Some(place.header_block("header_fields", cause))
        } else if bytes > limits.header_bytes as u64 {
            let cause = format!("the answer's header block has {bytes} bytes, the limit is {}", limits.header_bytes);
            Some(place.header_block("header_bytes", cause))
        } else {
            None
        };
        if let Some(error) = too_large {
            life.observer.failed(&error);
            drop(response);
            life.close(Closer::Us);
            return Err(error);
        }
        self.life = Some(life.clone());
        Ok(Head { response, life })
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

    /// Takes a 401 up with the authenticator.
    async fn challenged(&mut self, head: Head, request: &HttpRequest) -> Result<(), OpError> {
        let place = self.place(Some(head.life.observer.peer), request);
        let values = head.response.headers().get_all(header::WWW_AUTHENTICATE);
        let challenges = challenge::parse(values.iter().map(HeaderValue::as_bytes));
        let life = head.life.clone();
        self.drain(head, request).await?;
        let step = match &mut self.authenticator {
            Some(authenticator) => authenticator.challenged(&challenges),
            None => AuthStep::Refused("the server wants to know who asks, and the session names no user".to_owned()),
        };
        match step {
            AuthStep::Again if self.leg < MAX_LEGS => {
                self.leg += 1;
                Ok(())
            }
            AuthStep::Again => Err(self.refuse(&life, &place, "the authentication does not end", &challenges)),
            AuthStep::Refused(cause) => Err(self.refuse(&life, &place, &cause, &challenges)),
        }
    }

    fn refuse(&mut self, life: &Life, place: &Place, cause: &str, challenges: &[Challenge]) -> OpError {
        let hint = if self.authenticator.is_some() {
            "check user and password, and that the user may use CIM on the server"
        } else {
            "give the session a user (--user NAME)"
        };
        let phase = Phase::Authenticate(self.leg);
        let offered: Vec<&str> = challenges.iter().map(|challenge| challenge.scheme.as_str()).collect();
        let offered = match offered.as_slice() {
            [] => "it offers no scheme".to_owned(),
            offered => format!("it offers {}", plain(&offered.join(", "))),
        };
        let error = place.error(phase, ErrorKind::Unauthorized, plain(cause), hint).because(offered);
        let scheme = self.authenticator.as_ref().map(|authenticator| authenticator.scheme());
        life.observer.refused(self.leg, scheme, &error);
        self.life = None;
        life.close(Closer::Us);
        error
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

/// What a failure of the HTTP library means for the exchange.
fn lost(place: &Place, phase: Phase, reused: bool, error: &reqwest::Error) -> Lost {
    if find::<Shut>(error).is_some() {
        return Lost::Unsent;
    }
    let explained = place.explain(phase, error);
    if reused && explained.kind == ErrorKind::ConnectionLost {
        Lost::Silent(explained)
    } else {
        Lost::Failed(explained)
    }
}

/// Whether another address may do better.
fn unreached(error: &OpError) -> bool {
    error.phase == Phase::Connect || (error.phase == Phase::Tls && error.kind == ErrorKind::TimedOut)
}

fn with_others(mut error: OpError, missed: &[OpError]) -> OpError {
    error.causes.extend(missed.iter().map(|missed| format!("before it, {}: {}", missed.target, missed.cause())));
    error
}
