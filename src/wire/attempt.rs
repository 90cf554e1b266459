//! One attempt: one request over one connection, up to the head of its answer.
//!
//! Owns: the client with its policies, the request as built, the time-outs up to the head and the limits on it. Must not
//! know which address comes next, nor what is done after a failure.

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use ::http::{HeaderMap, HeaderValue, header};
use tokio::time::Instant;

use super::{
    HttpRequest,
    body::{REPORT_EVERY, RequestBody},
    fault::{Place, find, plain},
    gate::{Gate, Shut},
    head,
    http::HttpExchange,
    life::Life,
    observer::{Observer, Queued, Step},
    trust,
};
use crate::op::{
    Closer, ErrorKind, OpError, Phase, Purpose,
    explain::{
        connection::connect,
        exchange::{authenticate, send},
    },
};

/// How sending failed.
pub(super) enum Lost {
    /// The connection did not come back; nothing was sent.
    Unsent,
    /// A connection used before was closed without a byte of answer.
    Silent(OpError),
    /// Otherwise.
    Failed(OpError),
}

/// An answer's head on its connection.
pub(super) struct Head {
    pub response: reqwest::Response,
    pub life: Arc<Life>,
}

impl HttpExchange {
    /// A new client for one attempt at `peer`.
    pub(super) fn open(&self, peer: SocketAddr, request: &HttpRequest) -> Result<Arc<Life>, OpError> {
        let (settings, endpoint) = (&self.settings, &self.endpoint);
        let tls_name = endpoint.tls.then_some(endpoint.spoken_to.as_str());
        let (sink, conn) = (settings.sink.clone(), settings.conn_ids.next());
        let purpose = if settings.proxy.is_some() { Purpose::Proxy } else { self.purpose };
        let observer = Arc::new(Observer::new(sink, conn, peer, purpose, tls_name));
        let gate = Gate::new(observer.clone(), settings.connect_hook.clone(), settings.reuse_grace);
        // Only what the session names: the library would look at the environment by itself.
        let proxy = settings.proxy.as_ref().map(|proxy| proxy.for_client(&endpoint.hop.host)).transpose();
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(settings.trust.config(&observer))
            .tls_info(endpoint.tls)
            .http1_only()
            // Far beyond the limit the library refuses, without saying whether fields or bytes were too many; nearer we do.
            .http1_max_headers(settings.limits.header_fields.saturating_mul(2).clamp(1 << 10, 1 << 16))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .tcp_nodelay(true)
            .pool_max_idle_per_host(1)
            .resolve_to_addrs(endpoint.dialled(), &[peer])
            .connector_layer(gate);
        let client = proxy.and_then(|proxy| proxy.into_iter().fold(builder, reqwest::ClientBuilder::proxy).build());
        let client = client.map_err(|error| {
            let place = self.place(Some(peer), request);
            place
                .error(Phase::Connect, ErrorKind::Internal, &connect::NO_CLIENT)
                .because(find::<rustls::Error>(&error).map_or_else(String::new, |error| plain(&error.to_string())))
        })?;
        Ok(Arc::new(Life::new(client, observer)))
    }

    /// Sends `request` over `life`, which on success becomes the exchange's connection. `until` ends connecting early.
    pub(super) async fn attempt(
        &mut self,
        life: Arc<Life>,
        request: &HttpRequest,
        until: Option<Instant>,
    ) -> Result<Head, Lost> {
        let reused = self.peer.is_some() && life.observer.is_open();
        let place = self.place(Some(life.observer.peer), request);
        match self.drive(&life, request, reused, until, &place).await {
            Ok(response) => self.accept(response, life, &place).map_err(Lost::Failed),
            Err((lost, by)) => {
                match &lost {
                    Lost::Failed(error) | Lost::Silent(error) => life.observer.failed(error),
                    Lost::Unsent => life.observer.done(),
                }
                // A body that is still read keeps the connection until it is dropped.
                life.ended_by(by);
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
        // Time our consumer took since the step began, which does not count.
        let (mut waited, mut reported) = (Duration::ZERO, Instant::now());
        loop {
            let step = *steps.borrow_and_update();
            let (deadline, limit) = self.deadline(step, until);
            tokio::select! {
                biased;
                answer = &mut answer => {
                    let phase = steps.borrow().phase;
                    return answer.map_err(|error| {
                        if let Some(refused) = find::<rustls::Error>(&error).and_then(trust::refused) {
                            observer.showed(refused.certificate.clone());
                        }
                        lost(place, phase, reused, &error)
                    });
                }
                _ = steps.changed() => {
                    let phase = steps.borrow().phase;
                    waited = Duration::ZERO;
                    if phase == Phase::Wait || (phase == Phase::Send && reported.elapsed() >= REPORT_EVERY) {
                        let before = Instant::now();
                        observer.report().await;
                        reported = Instant::now();
                        waited = reported - before;
                    }
                }
                () = tokio::time::sleep_until(deadline + waited) => {
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
        let url = self
            .endpoint
            .url(&request.path)
            .ok_or_else(|| place.error(Phase::Send, ErrorKind::Configuration, &send::BAD_PATH))?;
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
                place.error(Phase::Authenticate(1), ErrorKind::Configuration, &authenticate::UNSENDABLE)
            })?;
            value.set_sensitive(true);
            self.proved = true;
            headers.insert(header::AUTHORIZATION, value);
            // Told once a leg and connection, not with every request that repeats the proof.
            let shown = Some((observer.conn, self.leg));
            authenticates = (self.shown != shown).then(|| (self.leg, authenticator.told().into()));
            self.shown = shown;
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
        let bytes = head::answer_bytes(&response);
        life.observer.read_head(bytes);
        if let Some(info) = response.extensions().get::<reqwest::tls::TlsInfo>() {
            life.observer.secured_once(|| self.settings.trust.describe(info));
        }
        if let Err(error) = self.within_limits(response.headers().len(), bytes, place) {
            life.observer.failed(&error);
            drop(response);
            life.close(Closer::Us);
            return Err(error);
        }
        life.observer.answered();
        self.life = Some(life.clone());
        Ok(Head { response, life })
    }

    fn within_limits(&self, fields: usize, bytes: u64, place: &Place) -> Result<(), OpError> {
        let limits = &self.settings.limits;
        if fields > limits.header_fields {
            let cause = format!("the answer has {fields} header fields, the limit is {}", limits.header_fields);
            return Err(place.header_block("header_fields", cause));
        }
        if bytes > limits.header_bytes as u64 {
            let cause = format!("the answer's header block has {bytes} bytes, the limit is {}", limits.header_bytes);
            return Err(place.header_block("header_bytes", cause));
        }
        Ok(())
    }
}

/// What a failure of the HTTP library means for the exchange, and who ended the connection.
fn lost(place: &Place, phase: Phase, reused: bool, error: &reqwest::Error) -> (Lost, Closer) {
    if find::<Shut>(error).is_some() {
        return (Lost::Unsent, Closer::Peer);
    }
    let explained = place.explain(phase, error);
    let by = ended_by(&explained, error);
    if reused && explained.kind == ErrorKind::ConnectionLost {
        (Lost::Silent(explained), by)
    } else {
        (Lost::Failed(explained), by)
    }
}

/// Who ended the connection that failed with `explained`: the server if it closed or reset it or sent a TLS alert, else
/// we, who did not like what it sent.
pub(super) fn ended_by(explained: &OpError, error: &reqwest::Error) -> Closer {
    let tls = find::<rustls::Error>(error);
    match explained.kind {
        ErrorKind::ConnectionLost => Closer::Peer,
        ErrorKind::Tls if tls.is_none_or(|error| matches!(error, rustls::Error::AlertReceived(_))) => Closer::Peer,
        _ => Closer::Us,
    }
}
