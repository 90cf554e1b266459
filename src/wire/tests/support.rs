//! What the tests of the wire stand on: a sink that remembers, and servers that follow a script byte by byte.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::{mpsc, watch},
};

use crate::{
    auth::{self, Credentials},
    op::{BoxFuture, EventSink, OpError, OpEventKind, Purpose},
    wire::{
        ConnIds, ConnectHook, Dial, DialSettings, Dialer, Exchange, HttpAnswer, HttpRequest, Resolver, Scheme, Trust,
    },
};

/// A sink that remembers everything.
pub struct Told {
    events: Mutex<Vec<OpEventKind>>,
    count: watch::Sender<usize>,
}

impl Told {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { events: Mutex::default(), count: watch::channel(0).0 })
    }

    fn push(&self, kind: OpEventKind) {
        let mut events = self.events.lock().unwrap();
        events.push(kind);
        self.count.send_replace(events.len());
    }

    pub fn events(&self) -> Vec<OpEventKind> {
        self.events.lock().unwrap().clone()
    }

    /// One line an event: `1 +connect`, `1 -connect`, `1 -tls!Tls`, `1 opened`, `1 closed Us`. Progress is left out.
    pub fn script(&self) -> Vec<String> {
        self.events().iter().filter_map(line).collect()
    }

    /// Waits until a line of the script is `wanted`.
    pub async fn until(&self, wanted: &str) {
        let mut count = self.count.subscribe();
        while !self.script().iter().any(|line| line == wanted) {
            count.changed().await.unwrap();
        }
    }

    /// The bytes last told of connection `id`.
    pub fn bytes(&self, id: u64) -> (u64, u64) {
        let told = self.events().into_iter().rev().find_map(|event| match event {
            OpEventKind::Progress { conn, sent, received } if conn.0 == id => Some((sent, received)),
            _ => None,
        });
        told.unwrap_or_default()
    }

    /// What stands beside `phase` at last.
    pub fn detail(&self, wanted: &str) -> Option<String> {
        self.events().into_iter().rev().find_map(|event| match event {
            OpEventKind::PhaseStarted { phase, detail, .. } | OpEventKind::PhaseDetailed { phase, detail, .. }
                if phase.to_string() == wanted =>
            {
                detail.map(String::from)
            }
            _ => None,
        })
    }
}

fn line(event: &OpEventKind) -> Option<String> {
    let of = |conn: &Option<crate::op::ConnId>| conn.map_or("-".to_owned(), |conn| conn.0.to_string());
    Some(match event {
        OpEventKind::PhaseStarted { conn, phase, .. } => format!("{} +{phase}", of(conn)),
        OpEventKind::PhaseEnded { conn, phase, error: None } => format!("{} -{phase}", of(conn)),
        OpEventKind::PhaseEnded { conn, phase, error: Some(error) } => {
            format!("{} -{phase}!{:?}", of(conn), error.kind)
        }
        OpEventKind::ConnectionOpened { conn, .. } => format!("{} opened", conn.0),
        OpEventKind::ConnectionClosed { conn, by } => format!("{} closed {by:?}", conn.0),
        _ => return None,
    })
}

impl EventSink for Told {
    fn tell(&self, kind: OpEventKind) {
        self.push(kind);
    }

    fn deliver(&self, kind: OpEventKind) -> BoxFuture<'_, ()> {
        self.push(kind);
        Box::pin(async {})
    }
}

/// What a server does next on a connection.
#[derive(Clone, Debug)]
pub enum Do {
    /// Reads one whole request.
    Read,
    /// Writes these bytes.
    Write(Vec<u8>),
    /// Closes.
    Close,
    /// Closes with a reset: the unread request makes the system send one.
    Reset,
    /// Neither reads nor writes until the test lets it go on.
    Wait,
    /// Waits for the other end to close, and tells.
    Hold,
}

/// `text` to be written, with every `\n` made `\r\n`.
pub fn write(text: &str) -> Do {
    Do::Write(text.replace('\n', "\r\n").into_bytes())
}

/// A 200 with this body.
pub fn ok(body: &str) -> Do {
    write(&format!("HTTP/1.1 200 OK\ncontent-length: {}\n\n{body}", body.len()))
}

/// What a server saw.
#[derive(Debug, PartialEq)]
pub enum Saw {
    /// A connection, counted from 0.
    Accepted(usize),
    /// A request on it.
    Request(usize, String),
    /// The other end closed it; the bytes that came before it did.
    Eof(usize, Vec<u8>),
    /// The TLS handshake failed.
    NoTls(usize),
}

/// A server that follows scripts: the n-th connection the n-th script; connections beyond the last are held.
pub struct Server {
    pub address: SocketAddr,
    go: watch::Sender<bool>,
    saw: mpsc::UnboundedReceiver<Saw>,
    handshakes: Arc<Mutex<Vec<Handshake>>>,
}

/// The name the client sent (SNI), and whether it resumed a session.
pub type Handshake = (Option<String>, bool);

impl Server {
    pub async fn start(scripts: Vec<Vec<Do>>) -> Self {
        Self::bind(Ipv4Addr::LOCALHOST.into(), 0, None, scripts).await
    }

    pub async fn start_tls(tls: Arc<rustls::ServerConfig>, scripts: Vec<Vec<Do>>) -> Self {
        Self::bind(Ipv4Addr::LOCALHOST.into(), 0, Some(tls), scripts).await
    }

    pub async fn bind(ip: IpAddr, port: u16, tls: Option<Arc<rustls::ServerConfig>>, scripts: Vec<Vec<Do>>) -> Self {
        let listener = TcpListener::bind((ip, port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, saw) = mpsc::unbounded_channel();
        let (go, gone) = watch::channel(false);
        let handshakes = Arc::<Mutex<Vec<Handshake>>>::default();
        let greeted = handshakes.clone();
        tokio::spawn(async move {
            let mut scripts = scripts.into_iter();
            for id in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let _ = tell.send(Saw::Accepted(id));
                let script = scripts.next().unwrap_or_else(|| vec![Do::Hold]);
                let (tell, tls, gone, greeted) = (tell.clone(), tls.clone(), gone.clone(), greeted.clone());
                tokio::spawn(async move {
                    match tls {
                        None => follow(stream, id, script, tell, gone).await,
                        Some(tls) => match tokio_rustls::TlsAcceptor::from(tls).accept(stream).into_fallible().await {
                            Ok(stream) => {
                                let session = stream.get_ref().1;
                                let resumed = session.handshake_kind() == Some(rustls::HandshakeKind::Resumed);
                                greeted.lock().unwrap().push((session.server_name().map(str::to_owned), resumed));
                                follow(stream, id, script, tell, gone).await;
                            }
                            Err((_, mut stream)) => {
                                let _ = tell.send(Saw::NoTls(id));
                                // Closing with something unread would reset the connection, and the alert be lost.
                                let _ = stream.read_to_end(&mut Vec::new()).await;
                            }
                        },
                    }
                });
            }
        });
        Self { address, go, saw, handshakes }
    }

    /// The TLS handshakes that came to a good end, in order.
    pub fn handshakes(&self) -> Vec<Handshake> {
        self.handshakes.lock().unwrap().clone()
    }

    /// Lets it go on from `Do::Wait`.
    pub fn go(&self) {
        self.go.send_replace(true);
    }

    /// The next thing it sees.
    pub async fn next(&mut self) -> Saw {
        self.saw.recv().await.unwrap()
    }

    /// The next request it sees, lower-cased head and all.
    pub async fn request(&mut self) -> String {
        loop {
            if let Saw::Request(_, request) = self.next().await {
                return request;
            }
        }
    }

    /// Waits for the end of a connection.
    pub async fn eof(&mut self) -> usize {
        loop {
            if let Saw::Eof(id, _) = self.next().await {
                return id;
            }
        }
    }

    /// What it has seen so far.
    pub fn seen(&mut self) -> Vec<Saw> {
        std::iter::from_fn(|| self.saw.try_recv().ok()).collect()
    }
}

async fn follow<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    id: usize,
    script: Vec<Do>,
    tell: mpsc::UnboundedSender<Saw>,
    mut gone: watch::Receiver<bool>,
) {
    let mut rest = Vec::new();
    for step in script {
        match step {
            Do::Read => match read_request(&mut stream, &mut rest).await {
                Some(request) => drop(tell.send(Saw::Request(id, request))),
                None => return drop(tell.send(Saw::Eof(id, rest))),
            },
            Do::Write(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    break;
                }
            }
            Do::Close => {
                let _ = stream.shutdown().await;
                return;
            }
            Do::Reset => {
                // Something is there to read and is not read.
                let _ = stream.read(&mut [0; 1]).await;
                return;
            }
            Do::Wait => drop(gone.wait_for(|gone| *gone).await),
            Do::Hold => break,
        }
    }
    let _ = stream.read_to_end(&mut rest).await;
    let _ = tell.send(Saw::Eof(id, rest));
}

async fn read_request<S: AsyncRead + Unpin>(stream: &mut S, rest: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&rest[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let whole = end + 4 + length.map_or(0, |length| length.trim().parse::<usize>().unwrap());
            if rest.len() >= whole {
                return Some(String::from_utf8(rest.drain(..whole).collect()).unwrap());
            }
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(length) => rest.extend_from_slice(&piece[..length]),
        }
    }
}

/// A resolver that answers what it is told, or never.
#[derive(Clone)]
pub enum Names {
    Are(Vec<IpAddr>),
    Fail,
    Stall,
}

impl Resolver for Names {
    fn resolve<'a>(&'a self, _host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        let this = self.clone();
        Box::pin(async move {
            match this {
                Self::Are(addresses) => Ok(addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect()),
                Self::Fail => Err(io::Error::other("failed to lookup address information")),
                Self::Stall => std::future::pending().await,
            }
        })
    }
}

/// Stalls or fails the connects to some addresses.
pub struct Faulty(pub Vec<(IpAddr, Option<io::ErrorKind>)>);

impl ConnectHook for Faulty {
    fn before<'a>(&'a self, peer: SocketAddr) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            match self.0.iter().find(|(ip, _)| *ip == peer.ip()) {
                Some((_, Some(kind))) => Err((*kind).into()),
                Some((_, None)) => std::future::pending().await,
                None => Ok(()),
            }
        })
    }
}

/// Settings for `host` on the port of `server`, with `told` as sink.
pub fn settings(server: &Server, host: &str, told: &Arc<Told>) -> DialSettings {
    let trust = Arc::new(Trust::nobody().unwrap());
    DialSettings::new(Scheme::Http, host, server.address.port(), trust, ConnIds::default(), told.clone())
}

/// The same, over TLS, trusting `trust`.
pub fn tls_settings(server: &Server, host: &str, trust: Arc<Trust>, told: &Arc<Told>) -> DialSettings {
    DialSettings::new(Scheme::Https, host, server.address.port(), trust, ConnIds::default(), told.clone())
}

/// A factory of Basic authenticators for ann.
pub fn ann() -> crate::wire::AuthenticatorFactory {
    ann_by("basic")
}

/// A factory of authenticators for ann.
pub fn ann_by(mechanism: &'static str) -> crate::wire::AuthenticatorFactory {
    Arc::new(move || {
        let credentials = Credentials { user: "ann".to_owned(), secret: "s3cret".to_owned().into() };
        Some(auth::authenticator_for(mechanism, credentials).unwrap())
    })
}

pub fn dial(settings: DialSettings) -> Box<dyn Exchange> {
    Dialer::new(settings).unwrap().dial(Purpose::Server)
}

/// A read with this body.
pub fn post(body: &'static str) -> HttpRequest {
    let body = body.as_bytes().into();
    let (path, headers) = ("/cimom".to_owned(), Vec::new());
    HttpRequest { method: ::http::Method::POST, path, headers, body, is_write: false, takes: false }
}

/// The rest of an answer's body.
pub async fn read(answer: &mut HttpAnswer) -> Result<String, OpError> {
    let mut text = Vec::new();
    while let Some(piece) = answer.body.chunk().await? {
        text.extend_from_slice(&piece);
    }
    Ok(String::from_utf8(text).unwrap())
}

/// One exchange, its answer read to the end.
pub async fn ask(exchange: &mut Box<dyn Exchange>, request: HttpRequest) -> Result<(u16, String), OpError> {
    let mut answer = exchange.exchange(request).await?;
    let text = read(&mut answer).await?;
    Ok((answer.status, text))
}

/// The failure of an exchange.
pub async fn failure(settings: DialSettings, request: HttpRequest) -> OpError {
    let mut exchange = dial(settings);
    ask(&mut exchange, request).await.unwrap_err()
}

pub const SHORT: Duration = Duration::from_millis(100);
