//! Stand-ins for everything a protocol is given, for unit tests: a dial that answers from a script, a sink and a class cache
//! that remember. Must not open a socket.

#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{ClassKey, Cleanup, CleanupSlot, OpContext, Protocol, SchemaSource, ServerFacts};
use crate::{
    cim::CimClass,
    op::{BoxFuture, ConnId, EventSink, Limits, OpError, OpEventKind, Operation, Purpose, Timeouts},
    session::{PullUse, Target},
    wire::{BodySource, Dial, Exchange, HttpAnswer, HttpRequest},
};

/// One answer of the script.
#[derive(Clone)]
pub struct Canned {
    pub status: u16,
    pub headers: Vec<(&'static str, &'static str)>,
    pub chunks: Vec<String>,
    /// The connection breaks after the chunks.
    pub lost: Option<OpError>,
}

impl Canned {
    /// A good answer in one piece.
    pub fn xml(text: impl Into<String>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", "application/xml; charset=\"utf-8\"")],
            chunks: vec![text.into()],
            lost: None,
        }
    }

    /// The same answer without `text`.
    pub fn without(mut self, text: &str) -> Self {
        self.chunks.iter_mut().for_each(|chunk| *chunk = chunk.replace(text, ""));
        self
    }

    /// Another status without a body.
    pub fn status(status: u16, headers: Vec<(&'static str, &'static str)>) -> Self {
        Self { status, headers, chunks: Vec::new(), lost: None }
    }
}

/// One request that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub purpose: Purpose,
    pub method: String,
    pub operation: String,
    pub namespace: String,
    pub body: String,
}

type Script = Arc<dyn Fn(&Asked) -> Canned + Send + Sync>;

/// Everything a protocol is given, and what it did with it.
pub struct Bench {
    script: Script,
    pub asked: Arc<Mutex<Vec<Asked>>>,
    pub dialled: Mutex<Vec<Purpose>>,
    pub events: Mutex<Vec<OpEventKind>>,
    pub facts: Mutex<ServerFacts>,
    pub classes: Mutex<HashMap<ClassKey, Arc<CimClass>>>,
    /// Chunks that were read.
    pub read: Arc<Mutex<usize>>,
    pub cleanup: CleanupSlot,
    pub target: Target,
}

impl Bench {
    /// A bench whose server answers by `script`, and whose session pulls no enumerations.
    pub fn new(script: impl Fn(&Asked) -> Canned + Send + Sync + 'static) -> Self {
        let mut bench = Self::pulling(script);
        bench.target.pull = PullUse::Never;
        bench
    }

    /// A bench whose server answers by `script`.
    pub fn pulling(script: impl Fn(&Asked) -> Canned + Send + Sync + 'static) -> Self {
        Self {
            script: Arc::new(script),
            asked: Arc::default(),
            dialled: Mutex::default(),
            events: Mutex::default(),
            facts: Mutex::default(),
            classes: Mutex::default(),
            read: Arc::default(),
            cleanup: CleanupSlot::default(),
            target: Target::this_computer(),
        }
    }

    /// Runs `op` with `protocol`.
    pub async fn run(&self, protocol: &dyn Protocol, op: &Operation) -> Result<(), OpError> {
        protocol.run(op, &self.context()).await
    }

    /// Releases `what` with `protocol`.
    pub async fn clean_up(&self, protocol: &dyn Protocol, what: Cleanup) -> Result<(), OpError> {
        protocol.clean_up(what, &self.context()).await
    }

    fn context(&self) -> OpContext<'_> {
        OpContext {
            target: &self.target,
            sink: self,
            facts: &self.facts,
            schema: self,
            dial: self,
            cleanup: &self.cleanup,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
        }
    }

    /// The names of the operations asked for, in order.
    pub fn operations(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|asked| format!("{} {}", asked.operation, asked.namespace)).collect()
    }
}

impl EventSink for Bench {
    fn tell(&self, kind: OpEventKind) {
        self.events.lock().unwrap().push(kind);
    }

    fn deliver(&self, kind: OpEventKind) -> BoxFuture<'_, ()> {
        self.events.lock().unwrap().push(kind);
        Box::pin(std::future::ready(()))
    }
}

impl SchemaSource for Bench {
    fn known(&self, key: &ClassKey) -> Option<Arc<CimClass>> {
        self.classes.lock().unwrap().get(key).cloned()
    }

    fn class<'a>(
        &'a self,
        key: ClassKey,
        fetch: BoxFuture<'a, Result<Arc<CimClass>, OpError>>,
    ) -> BoxFuture<'a, Result<Arc<CimClass>, Arc<OpError>>> {
        Box::pin(async move {
            if let Some(known) = self.known(&key) {
                return Ok(known);
            }
            let class = fetch.await.map_err(Arc::new)?;
            self.learned(key, class.clone());
            Ok(class)
        })
    }

    fn learned(&self, key: ClassKey, class: Arc<CimClass>) {
        self.classes.lock().unwrap().insert(key, class);
    }
}

impl Dial for Bench {
    fn dial(&self, purpose: Purpose) -> Box<dyn Exchange> {
        self.dialled.lock().unwrap().push(purpose);
        let (script, asked, read) = (self.script.clone(), self.asked.clone(), self.read.clone());
        Box::new(Line { purpose, script, asked, read })
    }

    fn peer_name(&self) -> String {
        "host:5988".to_owned()
    }
}

struct Line {
    purpose: Purpose,
    script: Script,
    asked: Arc<Mutex<Vec<Asked>>>,
    read: Arc<Mutex<usize>>,
}

impl Exchange for Line {
    fn exchange<'a>(&'a mut self, request: HttpRequest) -> BoxFuture<'a, Result<HttpAnswer, OpError>> {
        let header = |name: &str| {
            let prefixed = format!("73-{name}");
            let found = request.headers.iter().find(|header| header.0 == name || header.0 == prefixed.as_str());
            found.map(|header| header.1.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        let (encoding, _) = encoding_rs::Encoding::for_bom(&request.body).unwrap_or((encoding_rs::UTF_8, 0));
        let body = encoding.decode(&request.body).0.into_owned();
        // CIM-XML names operation and namespace in headers of HTTP, WS-Man in those of the message.
        let within = |after: &str| Some(body.split_once(after)?.1.split_once('<')?.0.to_owned());
        let action = within("<a:Action s:mustUnderstand=\"true\">");
        let action = action.map(|action| action.rsplit('/').next().unwrap().to_owned());
        let namespace = within("Name=\"__cimnamespace\">");
        let asked = Asked {
            purpose: self.purpose,
            method: request.method.to_string(),
            operation: action.unwrap_or_else(|| header("cimmethod")),
            namespace: namespace.unwrap_or_else(|| header("cimobject")),
            body,
        };
        let canned = (self.script)(&asked);
        self.asked.lock().unwrap().push(asked);
        let mut headers = HeaderMap::new();
        for (name, value) in canned.headers {
            headers.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_static(value));
        }
        let chunks = canned.chunks.into_iter().map(Bytes::from).collect();
        let body = Box::new(Body { chunks, lost: canned.lost, read: self.read.clone() });
        Box::pin(std::future::ready(Ok(HttpAnswer {
            status: canned.status,
            reason: "Because".to_owned(),
            headers,
            body,
        })))
    }

    fn connection(&self) -> Option<ConnId> {
        None
    }

    fn close(self: Box<Self>) {}
}

struct Body {
    chunks: VecDeque<Bytes>,
    lost: Option<OpError>,
    read: Arc<Mutex<usize>>,
}

impl BodySource for Body {
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, OpError>> {
        let chunk = self.chunks.pop_front();
        *self.read.lock().unwrap() += usize::from(chunk.is_some());
        let answer = match (chunk, self.lost.take()) {
            (None, Some(lost)) => Err(lost),
            (chunk, lost) => {
                self.lost = lost;
                Ok(chunk)
            }
        };
        Box::pin(std::future::ready(answer))
    }
}
