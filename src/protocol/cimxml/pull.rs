//! Pulled enumerations: opened, pulled batch by batch, closed (DSP0200 section 5.4.2.24).
//!
//! Owns: whether an enumeration is pulled or asked for in one answer, what is remembered about a server that cannot, and what
//! must be closed if the operation ends early. Must not know XML or how rows are completed.
//!
//! ```text
//! enumerate -> Open -> Pull* -> end            rows -> Rows::deliver
//!               |        `-- fails: what is open stays in the clean-up slot, the rows stay on the screen
//!               `-- the server cannot: remembered, asked for in one answer
//! ```

use tokio::time::Instant;

use super::{
    call::{Reply, ask, ask_on},
    decode::{Decoded, Decoder, Expect},
    request::{self, Request},
    run::Running,
};
use crate::{
    cim::{CimName, CimStatus, CimValue, TypedValue},
    op::{
        ErrorKind, OpError, OpEventKind, Phase, Purpose,
        explain::{Explanation, answer::content},
    },
    protocol::{
        Cleanup, OpContext,
        delivery::{Rows, status_of, with_facts},
        pulling::{Batch, CONTEXT_BYTES, MAX_EMPTY, MAX_SURPLUS},
    },
    session::PullUse,
};

/// How long the server is asked to keep the enumeration between two requests, in seconds.
const KEEP_OPEN: u32 = 60;
/// The two ways to the same objects.
pub(super) struct Ways {
    /// The request that opens an enumeration; `None` where there is none, as for classes.
    pub(super) open: Option<Request>,
    /// The operation that pulls from it.
    pub(super) pull: &'static str,
    /// The request that is answered with everything.
    pub(super) plain: Request,
    /// What both answer.
    pub(super) expect: Expect,
}

/// Why a pulled enumeration did not come to its end.
enum Stopped {
    /// The server did not open it; another way may do.
    Unopened(OpError),
    /// Otherwise.
    Failed(OpError),
}

/// What one answer said beside its objects.
#[derive(Default)]
struct Heard {
    end: Option<bool>,
    context: Option<String>,
    objects: u64,
    /// No more rows are wanted.
    enough: bool,
    /// Objects that came although none were wanted any more.
    surplus: u64,
}

impl Heard {
    fn listen(&mut self, parameters: Vec<(CimName, TypedValue)>) {
        for (name, value) in parameters {
            let CimValue::String(text) = value.value else { continue };
            if name == "EndOfSequence" {
                self.end = Some(text.trim().eq_ignore_ascii_case("true"));
            } else if name == "EnumerationContext" && !text.is_empty() {
                self.context = Some(text.into());
            }
        }
    }
}

impl Running<'_, '_> {
    /// Delivers all objects, pulled where that is wanted and the server can.
    pub(super) async fn enumerate(&mut self, ways: &Ways, rows: &mut Rows<'_, '_>) -> Result<(), OpError> {
        let needed = self.cx.target.pull == PullUse::Always || self.op.options.filter.is_some();
        let mut refused = None;
        if let Some(open) = ways.open.as_ref().filter(|open| needed || self.may_pull(open.operation())) {
            if needed && (self.cx.target.pull == PullUse::Never || !self.can_pull(open.operation())) {
                return Err(self.cannot_pull());
            }
            match self.pulled(open, ways, rows).await {
                Ok(()) => return Ok(()),
                Err(Stopped::Failed(error)) => return Err(error),
                Err(Stopped::Unopened(error)) if needed => return Err(error),
                Err(Stopped::Unopened(error)) => refused = Some(error),
            }
            rows.restart();
        } else if self.op.options.filter.is_some() {
            return Err(self.cannot_pull());
        }
        let operation = ways.plain.operation();
        let result = self.objects(ways.plain.clone(), ways.expect.clone(), rows).await;
        let result = self.learn(operation, result);
        if let (Some(_), Ok(()), Some(open)) = (refused, &result, &ways.open) {
            // Only opening failed: the server does not pull, whatever words it had for that.
            self.remember_refusal(open.operation());
        }
        result
    }

    /// Whether to try a pulled enumeration that nobody asked for.
    fn may_pull(&self, operation: &'static str) -> bool {
        self.cx.target.pull == PullUse::Auto && self.can_pull(operation)
    }

    fn can_pull(&self, operation: &'static str) -> bool {
        with_facts(self.cx, |facts| facts.pull.works != Some(false) && !facts.unsupported.contains(&operation))
    }

    /// Whether a server that opens other enumerations may still not know `operation`: only queries (OpenPegasus fails CQL
    /// so, and answers ExecQuery). Of any other operation a failure then is one.
    fn is_in_doubt(&self, operation: &str) -> bool {
        operation == "OpenQueryInstances" || with_facts(self.cx, |facts| facts.pull.works != Some(true))
    }

    fn remember_refusal(&self, operation: &'static str) {
        with_facts(self.cx, |facts| {
            // A server that opens other enumerations only lacks this one; queries may be lacking alone.
            if facts.pull.works == Some(true) || operation == "OpenQueryInstances" {
                facts.lacks(operation);
            } else {
                facts.pull.works = Some(false);
            }
        });
    }

    fn cannot_pull(&self) -> OpError {
        let row = if self.cx.target.pull == PullUse::Never {
            content::FILTER_WITHOUT_PULL
        } else if self.op.options.filter.is_some() {
            content::NO_FILTER
        } else {
            content::NO_PULL
        };
        row.error(Phase::Send, self.cx.dial.peer_name(), ErrorKind::NotSupported)
    }

    /// Opens an enumeration and pulls it to its end.
    async fn pulled(&mut self, open: &Request, ways: &Ways, rows: &mut Rows<'_, '_>) -> Result<(), Stopped> {
        let mut batch = Batch::new(&with_facts(self.cx, |facts| facts.pull));
        let (mut heard, mut decoder) = self.open(open, ways, rows, &mut batch).await?;
        let mut number = 1;
        let mut empty = 0;
        loop {
            let Some(context) = self.continues(&heard, ways, number).map_err(Stopped::Failed)? else { return Ok(()) };
            if heard.enough {
                return Ok(());
            }
            empty = if heard.objects == 0 { empty + 1 } else { 0 };
            if empty > MAX_EMPTY {
                return Err(Stopped::Failed(self.no_progress()));
            }
            number += 1;
            let asked = batch.next(rows.wanted());
            let since = Instant::now();
            match self.pull(ways, &context, asked, number, decoder, rows).await {
                Ok((answer, next)) => {
                    batch.came(asked, since.elapsed());
                    (heard, decoder) = (answer, next);
                }
                Err((error, next)) if next.is_some() && is_too_large(&error) && batch.refused(asked) => {
                    with_facts(self.cx, |facts| facts.pull.largest = Some(batch.largest));
                    (heard, decoder) = (Heard { context: Some(context), ..Heard::default() }, next);
                }
                Err((error, _)) => {
                    if status_of(&error) == Some(CimStatus::INVALID_ENUMERATION_CONTEXT) {
                        self.cx.cleanup.disarm();
                    }
                    return Err(Stopped::Failed(error));
                }
            }
        }
    }

    /// The request that opens, and its answer. Asked again without a time-out where the server takes none.
    async fn open(
        &mut self,
        open: &Request,
        ways: &Ways,
        rows: &mut Rows<'_, '_>,
        batch: &mut Batch,
    ) -> Result<(Heard, Option<Decoder>), Stopped> {
        loop {
            let timed = with_facts(self.cx, |facts| !facts.pull.no_timeout);
            let asked = batch.next(rows.wanted());
            let mut request = open.clone();
            if timed {
                request = request.value("OperationTimeout", &KEEP_OPEN.to_string());
            }
            request = request.value("MaxObjectCount", &asked.to_string());
            self.cx.cleanup.asked();
            let since = Instant::now();
            let error = match self.answer(request, ways.expect.clone(), None, rows).await {
                Ok(answer) => {
                    batch.came(asked, since.elapsed());
                    return Ok(answer);
                }
                Err((error, _)) => error,
            };
            if matches!(error.kind, ErrorKind::Cim(_) | ErrorKind::Http(_) | ErrorKind::Unauthorized) {
                // The server says that nothing is open.
                self.cx.cleanup.disarm();
            }
            match status_of(&error) {
                Some(CimStatus::INVALID_OPERATION_TIMEOUT) if timed && rows.delivered == 0 => {
                    with_facts(self.cx, |facts| facts.pull.no_timeout = true);
                }
                _ if rows.delivered > 0 => return Err(Stopped::Failed(error)),
                Some(CimStatus::NOT_SUPPORTED) => {
                    self.remember_refusal(open.operation());
                    return Err(Stopped::Unopened(error));
                }
                _ if may_be_unknown(&error) && self.is_in_doubt(open.operation()) => {
                    return Err(Stopped::Unopened(error));
                }
                _ => return Err(Stopped::Failed(error)),
            }
        }
    }

    /// What an answer says about how it goes on: the context to pull from, or `None` at the end.
    fn continues(&self, heard: &Heard, ways: &Ways, number: u32) -> Result<Option<String>, OpError> {
        if heard.surplus > MAX_SURPLUS {
            // A server that does not keep to what it was asked for; what it opened, if anything, is not known.
            return Ok(None);
        }
        if heard.end == Some(true) {
            self.learn_pull(true);
            self.cx.cleanup.disarm();
            return Ok(None);
        }
        if let Some(context) = &heard.context {
            self.learn_pull(true);
            self.cx.cleanup.arm(Cleanup {
                title: format!("{} {}", self.op.name(), self.op.subject()).trim_end().to_owned(),
                namespace: self.namespace.clone(),
                context: context.clone(),
                subscription: None,
                resource_uri: None,
            });
            return Ok(Some(context.clone()));
        }
        self.cx.cleanup.disarm();
        if heard.end.is_none() && number == 1 {
            // SFCB: everything at once, as if nothing had been said of pulling.
            self.learn_pull(false);
            return if self.op.options.filter.is_some() { Err(self.cannot_pull()) } else { Ok(None) };
        }
        Err(self.broken(content::NO_CONTEXT, ("operation", ways.pull)))
    }

    fn learn_pull(&self, works: bool) {
        with_facts(self.cx, |facts| facts.pull.works = Some(works));
    }

    fn no_progress(&self) -> OpError {
        self.broken(content::NO_PROGRESS, ("count", &MAX_EMPTY.to_string()))
    }

    fn broken(&self, row: Explanation, part: (&str, &str)) -> OpError {
        let kind = ErrorKind::BadAnswer { offset: 0, item: None };
        row.with(Phase::Receive, self.cx.dial.peer_name(), kind, &[part])
    }

    /// One Pull, told as a phase of its own.
    async fn pull(
        &mut self,
        ways: &Ways,
        context: &str,
        most: u32,
        number: u32,
        decoder: Option<Decoder>,
        rows: &mut Rows<'_, '_>,
    ) -> Result<(Heard, Option<Decoder>), (OpError, Option<Decoder>)> {
        let request = request::pull(ways.pull, &self.namespace, context, most);
        let (conn, phase) = (self.exchange.connection(), Phase::Pull(number - 1));
        let detail = Some(format!("up to {most}").into());
        self.cx.sink.tell(OpEventKind::PhaseStarted { conn, phase, detail });
        let result = self.answer(request, ways.expect.clone(), decoder, rows).await;
        let error = result.as_ref().err().map(|failed| std::sync::Arc::new(failed.0.clone()));
        self.cx.sink.tell(OpEventKind::PhaseEnded { conn, phase, error });
        result
    }

    /// Asks, delivers the objects and hears the rest. With an error comes the decoder back if the answer was nothing but
    /// that error.
    async fn answer(
        &mut self,
        request: Request,
        expect: Expect,
        decoder: Option<Decoder>,
        rows: &mut Rows<'_, '_>,
    ) -> Result<(Heard, Option<Decoder>), (OpError, Option<Decoder>)> {
        let request = request.locale(self.op.options.locale.as_deref());
        let mut reply = match ask_on(self.cx, self.exchange, &request, expect, decoder).await {
            Ok(reply) => reply,
            Err(error) => return Err((error, None)),
        };
        let mut heard = Heard::default();
        loop {
            match reply.next().await {
                Ok(None) => return Ok((heard, Some(reply.into_decoder()))),
                Ok(Some(decoded)) => {
                    if let Err(error) = hear(&mut heard, &mut reply, decoded, rows).await {
                        return Err((error, None));
                    }
                    if heard.surplus > MAX_SURPLUS {
                        return Ok((heard, None));
                    }
                    if heard.context.as_ref().is_some_and(|context| context.len() > CONTEXT_BYTES) {
                        let limit = CONTEXT_BYTES.to_string();
                        return Err((self.broken(content::LONG_CONTEXT, ("limit", &limit)), None));
                    }
                }
                Err(error) => {
                    let decoder = (heard.objects == 0).then(|| reply.into_decoder());
                    return Err((error, decoder));
                }
            }
        }
    }
}

/// Takes in a part of an answer. What comes beyond the rows wanted is read, not delivered: the context stands behind it.
async fn hear(
    heard: &mut Heard,
    reply: &mut Reply,
    mut decoded: Decoded,
    rows: &mut Rows<'_, '_>,
) -> Result<(), OpError> {
    let objects = decoded.rows.iter().map(|batch| batch.len() as u64).sum::<u64>();
    heard.objects += objects;
    heard.listen(std::mem::take(&mut decoded.parameters));
    if heard.enough {
        heard.surplus += objects;
    } else {
        heard.enough = !rows.deliver(reply, decoded.into()).await?;
    }
    Ok(())
}

/// Whether the server refused a batch because of its size.
fn is_too_large(error: &OpError) -> bool {
    status_of(error) == Some(CimStatus::INVALID_PARAMETER)
}

/// Whether a server that does not know the operation may answer so: SFCB calls it an invalid payload, others answer
/// with a bare 400 or 501, or close.
fn may_be_unknown(error: &OpError) -> bool {
    match &error.kind {
        ErrorKind::Cim(error) => matches!(error.status, CimStatus::FAILED | CimStatus::INVALID_PARAMETER),
        ErrorKind::Http(status) => matches!(status, 400 | 404 | 405 | 500 | 501),
        ErrorKind::ConnectionLost => true,
        _ => false,
    }
}

/// Closes what an operation left open. A context the server does not know any more is closed.
///
/// # Errors
/// Those of the request.
pub(super) async fn close(what: &Cleanup, cx: &OpContext<'_>) -> Result<(), OpError> {
    let mut exchange = cx.dial.dial(Purpose::Server);
    let request = request::close_enumeration(&what.namespace, &what.context);
    let result = async {
        let mut reply = ask(cx, &mut *exchange, &request, Expect::Values).await?;
        while reply.next().await?.is_some() {}
        Ok(())
    }
    .await;
    match result {
        Err(error) if status_of(&error) == Some(CimStatus::INVALID_ENUMERATION_CONTEXT) => Ok(()),
        result => result,
    }
}
