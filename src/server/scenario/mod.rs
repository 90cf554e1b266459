//! Scenarios: scripts that make the embedded server slow, strange or broken, for tests.
//!
//! Owns: the grammar of scenario files and which step plays for a request. Must not know sockets; `play` does.
//!
//! A scenario is a TOML file. Unknown keys are errors. For each connection, and then for each request, the first step
//! that matches plays; where none matches the real server answers.
//!
//! ```toml
//! about = "What goes wrong, in a sentence."
//!
//! [[step]]
//! # -- when it plays (all that are given must hold)
//! at = "request"                   # "request" (default): after a request was read | "accept": before TLS and any byte
//! nth = 1                          # the n-th request (at = "accept": connection) of the server, from 1
//! method = "POST"                  # the HTTP method: "POST" | "M-POST" | any other
//! operation = "EnumerateInstances" # the CIMMethod header, in an M-POST under its prefix; of WS-Man "Identify" | "Enumerate" |
//!                                  # "Pull" | "Release" | "Get" | "GetClass" | "EnumerateClasses" | "Subscribe" | "Unsubscribe"
//! authorized = false               # whether the request has an Authorization header
//! scheme = "Digest"                # the scheme of that header
//! contains = "uuid:2"              # text the request's body holds
//! times = 1                        # at most so often; default: always
//!
//! # -- before it answers
//! wait_for = "go"                  # a gate the test opens with RunningServer::open_gate
//! delay_ms = 100                   # then so long
//!
//! # -- what it answers: nothing of this is `pass`, the answer of the real server
//! status = 200                     # an HTTP answer, framed for you
//! reason = "OK"
//! headers = [["Content-Type", "application/xml"]]
//! challenges = ["Basic realm=\"x\""]   # WWW-Authenticate fields; the status is then 401 unless given
//! framing = "length"               # "length" (default) | "chunked" | "none": neither length nor chunking
//! body = "text"                    # or body_file = "f.xml", or body_parts = [PART, ..]
//!
//! raw = "HTTP/1.1 200 OK\r\n\r\n"  # instead of all that: the bytes below HTTP; or raw_file = "f", or raw_parts = [PART, ..]
//!
//! # -- how the bytes leave
//! chunk_sizes = [1, 16, 4096]      # sizes of the writes (and of chunks, if chunked); the last one repeats
//! between_ms = 10                  # a pause between writes
//! drop_after = 100                 # stop after so many bytes of the answer, head included
//! close_header = true              # adds `Connection: close` to a framed answer or to a passed one
//!
//! # -- and then
//! then = "keep_open"               # "keep_open" (default) | "close" | "reset" | "stall": open, but never a byte again
//! ```
//!
//! `PART` is `{ text = ".." }`, `{ file = ".." }`, `{ repeat = "..", times = 1000 }`, `{ repeat = "..", endless = true }`,
//! `{ file = "..", times = 1000 }` or `{ count = true }`. An endless one ends when the client leaves, or after 1 GiB. A count is written as the number of times
//! the step has played, from 1, so that answers can differ where they must, such as the context of an enumeration. Files are named relative to the scenario's folder and
//! stay inside it.

mod parts;
mod play;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    path::{Component, Path},
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use serde::Deserialize;

pub(super) use play::play;

/// A scenario, read and checked.
#[derive(Debug)]
pub struct Scenario {
    about: String,
    steps: Vec<Step>,
}

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The text is not TOML, or not a scenario; the words of the parser name line and column.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A file it names cannot be read.
    #[error("{file}: {cause}")]
    File {
        /// The file.
        file: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// A step contradicts itself.
    #[error("step {step}: {what}")]
    Step {
        /// Which step, from 1.
        step: usize,
        /// What is wrong with it.
        what: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    about: String,
    step: Vec<StepText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepText {
    #[serde(default)]
    at: At,
    nth: Option<u64>,
    method: Option<String>,
    operation: Option<String>,
    authorized: Option<bool>,
    scheme: Option<String>,
    contains: Option<String>,
    times: Option<u64>,
    wait_for: Option<String>,
    #[serde(default)]
    delay_ms: u64,
    status: Option<u16>,
    reason: Option<String>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    challenges: Vec<String>,
    framing: Option<Framing>,
    body: Option<String>,
    body_file: Option<String>,
    body_parts: Option<Vec<PartText>>,
    raw: Option<String>,
    raw_file: Option<String>,
    raw_parts: Option<Vec<PartText>>,
    #[serde(default)]
    chunk_sizes: Vec<usize>,
    #[serde(default)]
    between_ms: u64,
    drop_after: Option<u64>,
    #[serde(default)]
    close_header: bool,
    #[serde(default)]
    then: Then,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartText {
    text: Option<String>,
    file: Option<String>,
    repeat: Option<String>,
    times: Option<u64>,
    #[serde(default)]
    endless: bool,
    #[serde(default)]
    count: bool,
}

/// Where a step plays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum At {
    #[default]
    Request,
    Accept,
}

/// How a body is framed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Framing {
    #[default]
    Length,
    Chunked,
    None,
}

/// What happens to the connection after the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Then {
    #[default]
    KeepOpen,
    Close,
    Reset,
    Stall,
}

/// A run of bytes.
#[derive(Clone, Debug)]
enum Part {
    Bytes(Bytes),
    Repeat { unit: Bytes, times: u64 },
    Count,
}

/// What a step answers.
#[derive(Debug)]
enum Answer {
    Pass,
    Http { status: u16, reason: Option<String>, headers: Vec<(String, String)>, framing: Framing, body: Vec<Part> },
    Raw(Vec<Part>),
}

#[derive(Debug)]
struct Step {
    at: At,
    nth: Option<u64>,
    method: Option<String>,
    operation: Option<String>,
    authorized: Option<bool>,
    scheme: Option<String>,
    contains: Option<String>,
    times: Option<u64>,
    played: AtomicU64,
    wait_for: Option<String>,
    delay_ms: u64,
    answer: Answer,
    chunk_sizes: Vec<usize>,
    between_ms: u64,
    drop_after: Option<u64>,
    close_header: bool,
    then: Then,
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.about)
    }
}

/// An endless part stops here even if the client never leaves: 1 GiB.
const ENDLESS: u64 = 1 << 30;

impl Scenario {
    /// Reads a scenario from `text`; the files it names lie in `folder`.
    ///
    /// # Errors
    /// [`ScenarioError`] for unknown keys, contradictions and files that cannot be read.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ScenarioError> {
        let text: Text = toml::from_str(text)?;
        let steps = text
            .step
            .into_iter()
            .enumerate()
            .map(|(at, step)| step.checked(at + 1, folder))
            .collect::<Result<_, _>>()?;
        Ok(Self { about: text.about, steps })
    }

    /// Reads the scenario in `file`.
    ///
    /// # Errors
    /// As [`Self::parse`], and when `file` itself cannot be read.
    pub fn load(file: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(file)
            .map_err(|cause| ScenarioError::File { file: file.display().to_string(), cause })?;
        Self::parse(&text, file.parent().unwrap_or_else(|| Path::new(".")))
    }

    /// What goes wrong, in a sentence.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The step for a request or connection, which then counts as played, and how often it has.
    fn step(&self, moment: &Moment<'_>) -> Option<(&Step, u64)> {
        self.steps.iter().filter(|step| step.matches(moment)).find_map(|step| Some((step, step.claim()?)))
    }
}

/// What a step is matched against.
struct Moment<'a> {
    at: At,
    nth: u64,
    method: &'a str,
    operation: Option<&'a str>,
    /// The scheme of its Authorization header, if it has one.
    scheme: Option<&'a str>,
    body: &'a [u8],
}

impl Step {
    fn matches(&self, moment: &Moment<'_>) -> bool {
        self.at == moment.at
            && self.nth.is_none_or(|nth| nth == moment.nth)
            && self.method.as_deref().is_none_or(|wanted| wanted == moment.method)
            && self
                .operation
                .as_deref()
                .is_none_or(|wanted| moment.operation.is_some_and(|operation| operation.eq_ignore_ascii_case(wanted)))
            && self.authorized.is_none_or(|wanted| wanted == moment.scheme.is_some())
            && self
                .scheme
                .as_deref()
                .is_none_or(|wanted| moment.scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(wanted)))
            && self
                .contains
                .as_deref()
                .is_none_or(|wanted| memchr::memmem::find(moment.body, wanted.as_bytes()).is_some())
    }

    /// Takes one of the times the step may play; the number of it, from 1.
    fn claim(&self) -> Option<u64> {
        let limit = self.times.unwrap_or(u64::MAX);
        self.played
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |played| {
                (played < limit).then(|| played.saturating_add(1))
            })
            .ok()
            .map(|before| before.saturating_add(1))
    }
}

impl StepText {
    fn checked(self, step: usize, folder: &Path) -> Result<Step, ScenarioError> {
        let wrong = |what| ScenarioError::Step { step, what };
        let raw = one_of(self.raw, self.raw_file, self.raw_parts, step, folder)?;
        let body = one_of(self.body, self.body_file, self.body_parts, step, folder)?;
        let status = self.status.or((!self.challenges.is_empty()).then_some(401));
        if raw.is_some() && (status.is_some() || body.is_some() || self.close_header || self.framing.is_some()) {
            return Err(wrong("raw bytes stand alone: no status, body, framing or close_header beside them"));
        }
        if raw.is_none() && status.is_none() && (body.is_some() || self.framing.is_some() || self.reason.is_some()) {
            return Err(wrong("a body, a framing or a reason needs a status"));
        }
        if self.at == At::Accept
            && (self.method.is_some()
                || self.operation.is_some()
                || self.authorized.is_some()
                || self.scheme.is_some()
                || self.contains.is_some()
                || status.is_some())
        {
            return Err(wrong("at = \"accept\" comes before any request: only raw bytes can be sent there"));
        }
        if self.chunk_sizes.contains(&0) {
            return Err(wrong("a chunk size of 0"));
        }
        let mut headers = self.headers;
        headers.extend(self.challenges.into_iter().map(|value| ("WWW-Authenticate".to_owned(), value)));
        let answer = match (raw, status) {
            (Some(parts), _) => Answer::Raw(parts),
            (None, Some(status)) => Answer::Http {
                status,
                reason: self.reason,
                headers,
                framing: self.framing.unwrap_or_default(),
                body: body.unwrap_or_default(),
            },
            (None, None) if self.at == At::Accept && self.then != Then::KeepOpen => Answer::Raw(Vec::new()),
            (None, None) => Answer::Pass,
        };
        Ok(Step {
            at: self.at,
            nth: self.nth,
            method: self.method,
            operation: self.operation,
            authorized: self.authorized,
            scheme: self.scheme,
            contains: self.contains,
            times: self.times,
            played: AtomicU64::new(0),
            wait_for: self.wait_for,
            delay_ms: self.delay_ms,
            answer,
            chunk_sizes: self.chunk_sizes,
            between_ms: self.between_ms,
            drop_after: self.drop_after,
            close_header: self.close_header,
            then: self.then,
        })
    }
}

/// The bytes given in one of three ways.
fn one_of(
    text: Option<String>,
    file: Option<String>,
    parts: Option<Vec<PartText>>,
    step: usize,
    folder: &Path,
) -> Result<Option<Vec<Part>>, ScenarioError> {
    match (text, file, parts) {
        (None, None, None) => Ok(None),
        (Some(text), None, None) => Ok(Some(vec![Part::Bytes(text.into())])),
        (None, Some(file), None) => Ok(Some(vec![Part::Bytes(read(&file, step, folder)?)])),
        (None, None, Some(parts)) => {
            parts.into_iter().map(|part| part.checked(step, folder)).collect::<Result<_, _>>().map(Some)
        }
        _ => Err(ScenarioError::Step { step, what: "the same bytes are given in two ways" }),
    }
}

fn read(file: &str, step: usize, folder: &Path) -> Result<Bytes, ScenarioError> {
    let inside = Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        return Err(ScenarioError::Step { step, what: "a file outside the scenario's folder" });
    }
    std::fs::read(folder.join(file))
        .map(Bytes::from)
        .map_err(|cause| ScenarioError::File { file: file.to_owned(), cause })
}

impl PartText {
    fn checked(self, step: usize, folder: &Path) -> Result<Part, ScenarioError> {
        if self.count {
            let alone = self.text.is_none() && self.file.is_none() && self.repeat.is_none();
            let what = "a count stands alone";
            return if alone { Ok(Part::Count) } else { Err(ScenarioError::Step { step, what }) };
        }
        match (self.text, self.file, self.repeat, self.times, self.endless) {
            (Some(text), None, None, None, false) => Ok(Part::Bytes(text.into())),
            (None, Some(file), None, None, false) => read(&file, step, folder).map(Part::Bytes),
            (None, Some(file), None, Some(times), false) => {
                read(&file, step, folder).map(|unit| Part::Repeat { unit, times })
            }
            (None, None, Some(unit), Some(times), false) if !unit.is_empty() => {
                Ok(Part::Repeat { unit: unit.into(), times })
            }
            (None, None, Some(unit), None, true) if !unit.is_empty() => {
                let times = ENDLESS / unit.len() as u64;
                Ok(Part::Repeat { unit: unit.into(), times })
            }
            _ => Err(ScenarioError::Step {
                step,
                what: "a part is text, file, file or repeat with times, repeat with endless, or count",
            }),
        }
    }
}
