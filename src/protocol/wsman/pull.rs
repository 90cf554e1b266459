//! Enumerations: opened, pulled batch by batch, released (DSP0226 section 8).
//!
//! Owns: the loop from Enumerate to the end marker, redoing what did not fit an envelope, and what must be released if the
//! operation ends early. Must not know XML, or what becomes of what is enumerated.
//!
//! ```text
//! pulled -> Enumerate -> Pull* -> end marker      Decoded -> Takes::take
//!               |         `-- fails: what is open stays in the clean-up slot, what came stays on the screen
//!               |-- nothing in the time that was given (TimedOut): pulled again, the context stays valid (section 8.4)
//!               `-- does not fit the envelope: asked again for one of another size
//! ```

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    call::{ENVELOPE_BYTES, Reading, Reply, ask},
    decode::{Decoded, Decoder, Expect, fault::FaultKind},
    request::{self, Request},
};
use crate::{
    cim::{CimClass, CimStatus},
    op::{
        BoxFuture, ErrorKind, OpError, OpEventKind, Phase, Purpose,
        explain::{Explanation, answer::content},
    },
    protocol::{
        Cleanup, OpContext,
        delivery::{Arrived, status_of, with_facts},
        pulling::{Batch, CONTEXT_BYTES, MAX_EMPTY, MAX_SURPLUS},
    },
    session::RequestEncoding,
    wire::Exchange,
};

/// The sizes of answers asked for, one after the other where a server refuses: what Windows answers today, what it took at
/// most in its first versions (MS-WSMV, `MaxEnvelopeSizekb`), and room for a single large object.
const ENVELOPES: [u32; 3] = [ENVELOPE_BYTES, 153_600, 4 << 20];

/// An answer may reach this part of the most bytes there may be: the next, of four times as many objects, then stays within.
const WELCOME: u64 = 4;

/// What takes what is enumerated.
pub(super) trait Takes: Send {
    /// Takes in a part of an answer; false once no more is wanted.
    fn take<'a>(&'a mut self, reply: &'a mut Reply, decoded: Decoded) -> BoxFuture<'a, Result<bool, OpError>>;

    /// How many more objects are worth asking for; `None` where that can't be told.
    fn wanted(&self) -> Option<u64> {
        None
    }
}

/// Takes rows that are read at once; false once there are enough.
pub(super) type Gathering<'g> = &'g mut (dyn FnMut(Arrived) -> bool + Send);

impl Takes for Gathering<'_> {
    fn take<'a>(&'a mut self, _reply: &'a mut Reply, decoded: Decoded) -> BoxFuture<'a, Result<bool, OpError>> {
        let more = self(decoded.into());
        Box::pin(std::future::ready(Ok(more)))
    }
}

/// Enumerates instances for `take`.
///
/// # Errors
/// Those of the requests.
pub(super) async fn gather(
    cx: &OpContext<'_>,
    exchange: &mut dyn Exchange,
    open: &Request,
    locale: Option<&str>,
    mut take: Gathering<'_>,
) -> Result<(), OpError> {
    let title = open.name().to_owned();
    let expect = Expect::Instances;
    let pulling = Pulling { cx, exchange, title, locale, expect, class: None, subscription: None };
    pulling.run(open, &mut take).await
}

/// What one answer said beside its objects.
#[derive(Default)]
struct Heard {
    end: bool,
    context: Option<String>,
    objects: u64,
    /// No more is wanted.
    enough: bool,
    /// Objects that came although none were wanted any more.
    surplus: u64,
    /// Bytes of the answer.
    bytes: u64,
    /// Bytes of an answer up to which the next may be larger.
    welcome: u64,
}

/// An enumeration on its way.
pub(super) struct Pulling<'p, 'c> {
    pub(super) cx: &'p OpContext<'c>,
    pub(super) exchange: &'p mut dyn Exchange,
    /// What it is called where it is released.
    pub(super) title: String,
    pub(super) locale: Option<&'p str>,
    pub(super) expect: Expect,
    /// The class asked for, where it is known.
    pub(super) class: Option<Arc<CimClass>>,
    /// The subscription whose events are pulled, by its identifier.
    pub(super) subscription: Option<String>,
}

/// A failed answer, and its decoder where nothing but the failure was in it.
type Failed = (OpError, Option<Decoder>);

impl Pulling<'_, '_> {
    /// Opens the enumeration and pulls it to its end, or until no more is wanted.
    ///
    /// # Errors
    /// Those of the requests; a server that does not come to an end.
    pub(super) async fn run(mut self, open: &Request, takes: &mut dyn Takes) -> Result<(), OpError> {
        let mut batch = Batch::new(&with_facts(self.cx, |facts| facts.pull));
        let (heard, decoder) = self.open(open, takes, &mut batch).await?;
        self.go_on(open, heard, decoder, batch, takes).await
    }

    /// Pulls what comes behind `heard`.
    async fn go_on(
        mut self,
        open: &Request,
        mut heard: Heard,
        mut decoder: Option<Decoder>,
        mut batch: Batch,
        takes: &mut dyn Takes,
    ) -> Result<(), OpError> {
        let (mut number, mut empty) = (0, 0);
        loop {
            let Some(context) = self.continues(&heard, open.name())? else { return Ok(()) };
            if heard.enough {
                return Ok(());
            }
            empty = if heard.objects == 0 { empty + 1 } else { 0 };
            if empty > MAX_EMPTY {
                return Err(self.broken(content::NO_PROGRESS, ("count", &MAX_EMPTY.to_string())));
            }
            number += 1;
            let asked = batch.next(takes.wanted());
            let since = Instant::now();
            match self.pull(open, &context, asked, number, decoder, takes).await {
                Ok((answer, next)) => {
                    batch.came(asked, since.elapsed());
                    // Nothing happened, which is no lack of progress.
                    empty = if self.subscription.is_some() && self.took_its_time(since) { 0 } else { empty };
                    batch.filled(asked, answer.bytes, answer.welcome);
                    (heard, decoder) = (answer, Some(next));
                }
                Err((_, next)) if is_too_large(&next) && self.redoes(&mut batch, asked) => {
                    (heard, decoder) = (Heard { context: Some(context), ..Heard::default() }, next);
                }
                Err((_, Some(next))) if next.fault() == Some(FaultKind::TimedOut) => {
                    // The context stays valid. Who took the time that was given is not one who makes no progress.
                    empty = if self.took_its_time(since) { 0 } else { empty };
                    (heard, decoder) = (Heard { context: Some(context), ..Heard::default() }, Some(next));
                }
                Err((error, _)) => {
                    if status_of(&error) == Some(CimStatus::INVALID_ENUMERATION_CONTEXT) {
                        self.cx.cleanup.disarm();
                        return Err(if self.subscription.is_some() { self.over(Some(error)) } else { error });
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Whether the answer to what was asked at `since` did not come at once.
    fn took_its_time(&self, since: Instant) -> bool {
        since.elapsed() >= self.cx.timeouts.first_byte / 2
    }

    /// A subscription that is no more, for the reason given.
    fn over(&self, reason: Option<OpError>) -> OpError {
        let kind = reason.as_ref().map_or(ErrorKind::BadAnswer { offset: 0, item: None }, |error| error.kind.clone());
        let over = content::SUBSCRIPTION_OVER.error(Phase::Receive, self.cx.dial.peer_name(), kind);
        reason.into_iter().flat_map(|error| error.causes).fold(over, OpError::because)
    }

    /// What can be changed after an answer did not fit: fewer objects, else another envelope.
    fn redoes(&self, batch: &mut Batch, asked: u32) -> bool {
        if batch.refused(asked) {
            with_facts(self.cx, |facts| facts.pull.largest = Some(batch.largest));
            return true;
        }
        self.another_envelope()
    }

    /// Goes over to the next size of answers; false after the last, and where the session says which.
    fn another_envelope(&self) -> bool {
        let options = &self.cx.target.wsman;
        let is_said = options.max_envelope_size.is_some();
        with_facts(self.cx, |facts| {
            // It may be the encoding of requests that is refused.
            if is_said || (options.encoding == RequestEncoding::Utf16 && !facts.wsman.answered) {
                return false;
            }
            let current = facts.wsman.envelope_bytes.unwrap_or(ENVELOPE_BYTES);
            let next = ENVELOPES.iter().skip_while(|size| **size != current).nth(1);
            facts.wsman.envelope_bytes = next.copied().or(facts.wsman.envelope_bytes);
            next.is_some()
        })
    }

    /// Releases what an enumeration of the same operation left open: the slot holds one. Until that is answered it stays there.
    async fn release_what_is_open(&mut self) -> Result<(), OpError> {
        let Some(left) = self.cx.cleanup.open() else { return Ok(()) };
        match release_over(&left, self.cx, self.exchange).await {
            // Who does not answer this would not answer what comes next.
            Err(error) if error.kind == ErrorKind::TimedOut => return Err(error),
            // What the server does not release, it lets expire.
            Err(_) | Ok(()) => self.cx.cleanup.disarm(),
        }
        Ok(())
    }

    async fn open(
        &mut self,
        open: &Request,
        takes: &mut dyn Takes,
        batch: &mut Batch,
    ) -> Result<(Heard, Option<Decoder>), OpError> {
        loop {
            self.release_what_is_open().await?;
            let asked = batch.next(takes.wanted());
            self.cx.cleanup.asked();
            let since = Instant::now();
            let error = match self.answer(&open.clone().most(asked), None, takes).await {
                Ok((heard, decoder)) => {
                    batch.came(asked, since.elapsed());
                    batch.filled(asked, heard.bytes, heard.welcome);
                    return Ok((heard, Some(decoder)));
                }
                Err((error, decoder)) => {
                    self.refused(&error);
                    if !is_too_large(&decoder) {
                        return Err(error);
                    }
                    error
                }
            };
            if !self.another_envelope() {
                return Err(error);
            }
        }
    }

    /// Nothing is open where the server says so, and has not said before what is.
    fn refused(&self, error: &OpError) {
        let says = matches!(error.kind, ErrorKind::Cim(_) | ErrorKind::Http(_) | ErrorKind::Unauthorized);
        let says = says || matches!(error.kind, ErrorKind::NotSupported | ErrorKind::OtherProtocol);
        if says && !self.cx.cleanup.is_open() {
            self.cx.cleanup.disarm();
        }
    }

    /// Subscribes, and pulls events until no more are wanted (DSP0226 section 10).
    ///
    /// # Errors
    /// Those of the requests; the server ends the subscription.
    pub(super) async fn follow(mut self, open: &Request, takes: &mut dyn Takes) -> Result<(), OpError> {
        self.cx.cleanup.asked();
        let subscribed = self.subscribed(open).await;
        let Decoded { context, epr, .. } = subscribed.inspect_err(|error| self.refused(error))?;
        let context = context.map(|context| self.fitting(context)).transpose()?;
        self.subscription = epr.and_then(|manager| manager.identifier).or_else(|| context.clone());
        if self.subscription.is_some() {
            self.arm(open, context.as_deref().unwrap_or_default());
        }
        let Some(context) = context else { return Err(self.broken(content::NO_END, ("operation", open.name()))) };
        let batch = Batch::new(&with_facts(self.cx, |facts| facts.pull));
        self.go_on(open, Heard { context: Some(context), ..Heard::default() }, None, batch, takes).await
    }

    async fn subscribed(&mut self, open: &Request) -> Result<Decoded, OpError> {
        let mut reply = ask(self.cx, self.exchange, open, self.locale, Reading::of(Expect::Subscribed)).await?;
        let mut subscribed = Decoded::default();
        while let Some(decoded) = reply.next().await? {
            subscribed.context = decoded.context.or(subscribed.context);
            subscribed.epr = decoded.epr.or(subscribed.epr);
        }
        Ok(subscribed)
    }

    /// What an answer says about how it goes on: the context to pull from, or `None` at the end. The end marker decides: a
    /// context may come with it.
    fn continues(&self, heard: &Heard, operation: &str) -> Result<Option<String>, OpError> {
        if heard.surplus > MAX_SURPLUS {
            // A server that does not keep to what it was asked for; what it opened, if anything, is not known.
            return Ok(None);
        }
        if heard.end {
            return if self.subscription.is_some() && !heard.enough { Err(self.over(None)) } else { Ok(None) };
        }
        let Some(context) = &heard.context else {
            self.cx.cleanup.disarm();
            return Err(self.broken(content::NO_END, ("operation", operation)));
        };
        Ok(Some(context.clone()))
    }

    fn arm(&self, request: &Request, context: &str) {
        self.cx.cleanup.arm(Cleanup {
            title: self.title.clone(),
            namespace: request.namespace().clone(),
            context: context.to_owned(),
            subscription: self.subscription.clone(),
            resource_uri: Some(request.resource().to_owned()),
        });
    }

    /// Remembers what is open by what `request` was answered so far: a context can be released from the moment it was read,
    /// though the rest of its answer may never come.
    fn hold(&self, heard: &Heard, request: &Request) -> Result<(), OpError> {
        match &heard.context {
            _ if heard.end => self.cx.cleanup.disarm(),
            None => {}
            Some(context) => self.arm(request, &self.fitting(context.clone())?),
        }
        Ok(())
    }

    /// `context`, unless it is too long to be sent with each request.
    fn fitting(&self, context: String) -> Result<String, OpError> {
        if context.len() > CONTEXT_BYTES {
            return Err(self.broken(content::OVERLONG_CONTEXT, ("limit", &CONTEXT_BYTES.to_string())));
        }
        Ok(context)
    }

    fn broken(&self, row: Explanation, part: (&str, &str)) -> OpError {
        let kind = ErrorKind::BadAnswer { offset: 0, item: None };
        row.with(Phase::Receive, self.cx.dial.peer_name(), kind, &[part])
    }

    /// One Pull, told as a phase of its own.
    async fn pull(
        &mut self,
        open: &Request,
        context: &str,
        most: u32,
        number: u32,
        decoder: Option<Decoder>,
        takes: &mut dyn Takes,
    ) -> Result<(Heard, Decoder), Failed> {
        let (conn, phase) = (self.exchange.connection(), Phase::Pull(number));
        let detail = Some(format!("up to {most}").into());
        self.cx.sink.tell(OpEventKind::PhaseStarted { conn, phase, detail });
        let result = self.answer(&open.pull(context, most), decoder, takes).await;
        let error = result.as_ref().err().map(|failed| Arc::new(failed.0.clone()));
        self.cx.sink.tell(OpEventKind::PhaseEnded { conn, phase, error });
        // A server that names no new context goes on with the old one.
        result.map(|(mut heard, decoder)| {
            heard.context.get_or_insert_with(|| context.to_owned());
            (heard, decoder)
        })
    }

    /// Asks, hands over the objects and hears the rest.
    async fn answer(
        &mut self,
        request: &Request,
        previous: Option<Decoder>,
        takes: &mut dyn Takes,
    ) -> Result<(Heard, Decoder), Failed> {
        let reading = Reading { expect: self.expect.clone(), class: self.class.clone(), previous };
        let mut reply =
            ask(self.cx, self.exchange, request, self.locale, reading).await.map_err(|error| (error, None))?;
        let mut heard = Heard { welcome: reply.most() / WELCOME, ..Heard::default() };
        loop {
            match reply.next().await {
                Ok(None) => {
                    heard.bytes = reply.received();
                    return Ok((heard, reply.into_decoder()));
                }
                Ok(Some(mut decoded)) => {
                    if decoded.end_of_sequence || decoded.context.is_some() {
                        heard.end |= decoded.end_of_sequence;
                        heard.context = decoded.context.take().or(heard.context);
                        self.hold(&heard, request).map_err(|error| (error, None))?;
                    }
                    hear(&mut heard, &mut reply, decoded, takes).await.map_err(|error| (error, None))?;
                    if heard.surplus > MAX_SURPLUS {
                        return Ok((heard, reply.into_decoder()));
                    }
                }
                Err(error) => return Err((error, (heard.objects == 0).then(|| reply.into_decoder()))),
            }
        }
    }
}

/// Takes in a part of an answer. What comes beyond what is wanted is read, not handed over.
async fn hear(heard: &mut Heard, reply: &mut Reply, decoded: Decoded, takes: &mut dyn Takes) -> Result<(), OpError> {
    let rows = decoded.rows.iter().map(|batch| batch.len() as u64).sum::<u64>();
    let objects = rows + decoded.classes.len() as u64;
    heard.objects += objects;
    if heard.enough {
        heard.surplus += objects;
    } else {
        heard.enough = !takes.take(reply, decoded).await?;
    }
    Ok(())
}

/// Whether an answer, of which nothing else came, did not fit what was agreed.
fn is_too_large(decoder: &Option<Decoder>) -> bool {
    let too_large = [FaultKind::EnvelopeSize, FaultKind::Cim(CimStatus::SERVER_LIMITS_EXCEEDED)];
    decoder.as_ref().and_then(Decoder::fault).is_some_and(|fault| too_large.contains(&fault))
}

/// Releases what an operation left open, or ends the subscription that is behind it. A context the server does not know any more is
/// released.
///
/// # Errors
/// Those of the request.
pub(super) async fn release(what: &Cleanup, cx: &OpContext<'_>) -> Result<(), OpError> {
    release_over(what, cx, &mut *cx.dial.dial(Purpose::Server)).await
}

async fn release_over(what: &Cleanup, cx: &OpContext<'_>, exchange: &mut dyn Exchange) -> Result<(), OpError> {
    let resource = what.resource_uri.as_deref().unwrap_or_default();
    let request = match &what.subscription {
        Some(identifier) => request::unsubscribe(&what.namespace, resource, identifier),
        None => request::release(&what.namespace, resource, &what.context),
    };
    let result = async {
        let mut reply = ask(cx, exchange, &request, None, Reading::of(Expect::Release)).await?;
        while reply.next().await?.is_some() {}
        Ok(())
    }
    .await;
    match result {
        Err(error) if status_of(&error) == Some(CimStatus::INVALID_ENUMERATION_CONTEXT) => Ok(()),
        result => result,
    }
}
