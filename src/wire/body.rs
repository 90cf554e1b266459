//! Bodies: what is sent, piece by piece and of known length, and what is received.
//!
//! Owns: handing pieces over and taking them in, the idle time-out and progress reports. Must not know what is in them.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::{BodySource, attempt::ended_by, fault::Place, life::Life, observer::Observer};
use crate::op::{BoxFuture, Closer, OpError, Phase};

/// The most bytes handed over at once.
const PIECE: usize = 16 << 10;

/// The least time between two progress reports of one message.
pub(super) const REPORT_EVERY: Duration = Duration::from_millis(50);

/// The body of a request. Its size is exact, so it is sent with `Content-Length` and never chunked, which SFCB and OMI
/// refuse.
pub(super) struct RequestBody {
    rest: Bytes,
    observer: Arc<Observer>,
}

impl RequestBody {
    pub(super) fn new(body: Bytes, observer: Arc<Observer>) -> Self {
        Self { rest: body, observer }
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        self.observer.handed(length, self.rest.is_empty());
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

/// The body of an answer. Dropped before its end, it closes the connection.
pub(super) struct AnswerBody {
    /// The answer while there is more to read; dropped before the connection is let go.
    response: Option<reqwest::Response>,
    life: Arc<Life>,
    place: Place,
    idle: Duration,
    /// Set where the connection cannot carry another exchange: who ends it.
    ends: Option<Closer>,
    reported: Instant,
}

impl AnswerBody {
    /// The body of `response`, or an empty one for `None`.
    pub(super) fn new(
        response: Option<reqwest::Response>,
        life: Arc<Life>,
        place: Place,
        idle: Duration,
        ends: Option<Closer>,
    ) -> Self {
        let mut body = Self { response, life, place, idle, ends, reported: Instant::now() };
        if body.response.as_ref().is_none_or(|response| response.content_length() == Some(0)) {
            body.finish();
        }
        body
    }

    /// The end was reached.
    fn finish(&mut self) {
        self.response = None;
        self.life.observer.done();
        if let Some(by) = self.ends {
            self.life.close(by);
        }
    }

    fn fail(&mut self, error: OpError, by: Closer) -> OpError {
        self.life.observer.failed(&error);
        self.response = None;
        self.life.close(by);
        error
    }

    async fn next(&mut self) -> Result<Option<Bytes>, OpError> {
        let Some(response) = &mut self.response else {
            self.life.observer.report().await;
            return Ok(None);
        };
        match tokio::time::timeout(self.idle, response.chunk()).await {
            Err(_) => {
                let error = self.place.timed_out(Phase::Receive, self.idle);
                Err(self.fail(error, Closer::Us))
            }
            Ok(Err(error)) => {
                let explained = self.place.explain(Phase::Receive, &error);
                let by = ended_by(&explained, &error);
                Err(self.fail(explained, by))
            }
            Ok(Ok(None)) => {
                self.life.observer.report().await;
                self.finish();
                Ok(None)
            }
            Ok(Ok(Some(piece))) => {
                self.life.observer.received(piece.len());
                if self.reported.elapsed() >= REPORT_EVERY {
                    self.life.observer.report().await;
                    self.reported = Instant::now();
                }
                Ok(Some(piece))
            }
        }
    }
}

impl BodySource for AnswerBody {
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, OpError>> {
        Box::pin(self.next())
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if self.response.take().is_some() {
            self.life.close(Closer::Us);
        }
    }
}
