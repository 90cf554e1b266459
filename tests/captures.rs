//! Captured exchanges of two real CIM-XML servers and one of WS-Man, fed to the decoders.
//!
//! One trial per exchange: what its answer holds, and that it does not matter how the answer was cut into pieces. The
//! captures lie outside the repository; `LAZYCIM_CAPTURES` names their folder, `LAZYCIM_REQUIRE_CAPTURES=1` makes their
//! absence a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

#[path = "captures/asked.rs"]
mod asked;
#[path = "captures/expected.rs"]
mod expected;
#[path = "captures/mof.rs"]
mod mof;
#[path = "captures/omi.rs"]
mod omi;
#[path = "captures/omi_values.rs"]
mod omi_values;
#[path = "captures/requests.rs"]
mod requests;
#[path = "captures/values.rs"]
mod values;
#[path = "captures/wsman_requests.rs"]
mod wsman_requests;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use lazycim::{
    cim::{
        CimClass, CimError, CimName, Namespace, QualifierDeclaration, TypedValue,
        rows::{RowBatch, RowStore, Shape, ShapeId},
    },
    op::{Limits, RawExcerpt},
    protocol::{
        cimxml::decode::{Decoder, Expect},
        xml::{encoding::charset_of, fault::DecodeError},
    },
};
use libtest_mimic::{Arguments, Failed, Trial};

/// Split at every point in two up to this size.
const SMALL: usize = 16 << 10;
/// Fed byte by byte and in 64 random chunkings up to this size; larger ones in 16 chunkings.
const MEDIUM: usize = 2 << 20;

fn main() {
    let arguments = Arguments::from_args();
    let folder = std::env::var_os("LAZYCIM_CAPTURES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures"), PathBuf::from);
    let required = std::env::var_os("LAZYCIM_REQUIRE_CAPTURES").is_some_and(|value| value == "1");
    let trials = if folder.join("pegasus").is_dir() {
        trials(&folder)
    } else {
        let message = format!("no captures at {}: set LAZYCIM_CAPTURES", folder.display());
        let trial = Trial::test("captures are there", move || Err(Failed::from(message)));
        vec![trial.with_ignored_flag(!required)]
    };
    libtest_mimic::run(&arguments, trials).exit();
}

fn trials(folder: &Path) -> Vec<Trial> {
    let mut trials = Vec::new();
    for server in ["pegasus", "sfcb"] {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(folder.join(server)).unwrap().map(|it| it.unwrap().path()).collect();
        files.retain(|path| path.to_string_lossy().ends_with(".resp.http"));
        files.sort();
        for response in files {
            let stem = response.file_name().unwrap().to_string_lossy().trim_end_matches(".resp.http").to_owned();
            let name = format!("{server}/{stem}");
            let request = response.with_file_name(format!("{stem}.req.http"));
            trials.push(Trial::test(name.clone(), move || exchange(&name, &request, &response)));
        }
    }
    trials.extend(values::trials(folder));
    trials.extend(requests::trials(folder));
    trials.extend(mof::trials(folder));
    trials.extend(asked::trials(folder));
    trials.extend(omi::trials(folder));
    trials.extend(omi_values::trials(folder));
    trials.extend(wsman_requests::trials(folder));
    trials
}

/// A captured answer, unchunked.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The header field `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0.eq_ignore_ascii_case(name)).map(|header| header.1.as_str())
    }
}

/// Reads a captured message; `None` if the server sent nothing.
pub fn read(path: &Path) -> Option<Answer> {
    let bytes = std::fs::read(path).unwrap();
    let end = memchr::memmem::find(&bytes, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().unwrap_or(0);
    let headers = lines
        .filter_map(|line| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned())))
        .collect();
    let mut answer = Answer { status, headers, body: bytes[end + 4..].to_vec() };
    if answer.header("Transfer-Encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        answer.body = unchunked(&answer.body);
    } else if let Some(length) = answer.header("Content-Length").and_then(|value| value.parse().ok()) {
        answer.body.truncate(length);
    }
    Some(answer)
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let line = memchr::memmem::find(body, b"\r\n").expect("a chunk size");
        let text = std::str::from_utf8(&body[..line]).unwrap();
        let size = usize::from_str_radix(text.split(';').next().unwrap().trim(), 16).unwrap();
        body = &body[line + 2..];
        if size == 0 {
            return out;
        }
        out.extend_from_slice(&body[..size]);
        body = &body[size + 2..];
    }
}

/// What a request of this name calls for.
fn expect(operation: &str) -> Expect {
    match operation {
        "EnumerateInstances" => Expect::Instances,
        "GetInstance" => Expect::Anything,
        "EnumerateInstanceNames" => Expect::InstanceNames,
        "EnumerateClasses" | "GetClass" => Expect::Classes,
        "EnumerateClassNames" => Expect::ClassNames,
        "Associators" | "References" | "ExecQuery" => Expect::Objects,
        "AssociatorNames" | "ReferenceNames" => Expect::ObjectPaths,
        "EnumerateQualifiers" | "GetQualifier" => Expect::Qualifiers,
        _ => Expect::Anything,
    }
}

/// The operation of a captured request, from its body: some requests lack or forge the header.
fn operation(request: &Path) -> String {
    let bytes = std::fs::read(request).unwrap_or_default();
    let Some(at) = memchr::memmem::find(&bytes, b"METHODCALL NAME=\"") else { return String::new() };
    let rest = &bytes[at + 17..];
    String::from_utf8_lossy(&rest[..rest.iter().position(|b| *b == b'"').unwrap_or(0)]).into_owned()
}

/// Everything one answer decoded to.
#[derive(Default)]
pub struct Outcome {
    /// Shapes by id, as last told.
    pub shapes: Vec<Arc<Shape>>,
    /// Row batches in order.
    pub batches: Vec<RowBatch>,
    /// Classes.
    pub classes: Vec<CimClass>,
    /// Names of classes.
    pub names: Vec<CimName>,
    /// Qualifier types.
    pub qualifiers: Vec<QualifierDeclaration>,
    /// The server's error.
    pub error: Option<CimError>,
    /// The return value.
    pub value: Option<TypedValue>,
    /// Output parameters.
    pub parameters: Vec<(CimName, TypedValue)>,
    /// How reading ended.
    pub end: Option<DecodeError>,
    /// The text around the fault, where reading ended with one.
    pub raw: Option<RawExcerpt>,
    /// The first warning.
    pub warning: Option<String>,
}

impl Outcome {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RowBatch::len).sum()
    }

    /// The rows behind the interface everybody reads them through.
    pub fn store(mut self) -> RowStore {
        let mut store = RowStore::default();
        for (id, shape) in self.shapes.drain(..).enumerate() {
            store.add_shape(ShapeId(id as u32), shape);
        }
        for batch in self.batches.drain(..) {
            assert_eq!(store.push(batch), 0, "every row has its shape");
        }
        store
    }

    fn take(&mut self, decoder: &mut Decoder) {
        let decoded = decoder.take();
        for (id, shape) in decoded.shapes {
            let at = id.0 as usize;
            if at < self.shapes.len() {
                self.shapes[at] = shape;
            } else {
                assert_eq!(at, self.shapes.len(), "shapes come in order");
                self.shapes.push(shape);
            }
        }
        self.batches.extend(decoded.rows);
        self.classes.extend(decoded.classes);
        self.names.extend(decoded.class_names);
        self.qualifiers.extend(decoded.qualifiers);
        self.parameters.extend(decoded.parameters);
        self.error = decoded.error.or(self.error.take());
        self.value = decoded.value.or(self.value.take());
        self.warning = self.warning.take().or(decoded.warning);
    }
}

/// The decoder `answer` calls for.
fn decoder(answer: &Answer, expect: &Expect) -> Decoder {
    let charset = answer.header("Content-Type").and_then(charset_of);
    Decoder::new(expect.clone(), Limits::default(), Some(Namespace::new("root/lab")), charset)
}

/// Decodes `body` in the pieces `cuts` make.
pub fn decode(answer: &Answer, expect: &Expect, cuts: impl Iterator<Item = usize>) -> Outcome {
    decode_with(decoder(answer, expect), answer, cuts)
}

fn decode_with(mut decoder: Decoder, answer: &Answer, cuts: impl Iterator<Item = usize>) -> Outcome {
    let (mut outcome, mut from, mut taken) = (Outcome::default(), 0, 0);
    let end = cuts.chain([answer.body.len()]).try_for_each(|to| {
        let result = decoder.feed(&answer.body[from..to]);
        from = to;
        if to - taken >= 64 << 10 {
            taken = to;
            outcome.take(&mut decoder);
        }
        result
    });
    outcome.end = end.and_then(|()| decoder.finish()).err();
    outcome.raw = decoder.take_excerpt();
    outcome.take(&mut decoder);
    outcome
}

/// Where the fault is and what is kept before it; how much is kept after it depends on what had arrived.
fn before(outcome: &Outcome) -> Option<(u64, &str)> {
    outcome.raw.as_ref().map(|raw| (raw.fault, &raw.text[..raw.mark]))
}

/// Fails unless both decoded to the same, cell by cell.
fn same(what: &str, whole: &Outcome, cut: &Outcome) -> Result<(), Failed> {
    let equal = whole.shapes == cut.shapes
        && whole.classes == cut.classes
        && whole.names == cut.names
        && whole.qualifiers == cut.qualifiers
        && whole.error == cut.error
        && whole.value == cut.value
        && whole.parameters == cut.parameters
        && whole.end == cut.end
        && before(whole) == before(cut)
        && whole.warning == cut.warning
        && whole.rows() == cut.rows();
    if !equal {
        return Err(format!("{what}: another result").into());
    }
    let flat = |outcome: &Outcome| -> Vec<(usize, usize)> {
        let batches = outcome.batches.iter().enumerate();
        batches.flat_map(|(at, batch)| (0..batch.len()).map(move |row| (at, row))).collect()
    };
    for ((a, a_row), (b, b_row)) in flat(whole).into_iter().zip(flat(cut)) {
        let (a, b) = (&whole.batches[a], &cut.batches[b]);
        let shape = a.shape(a_row);
        let columns = whole.shapes[shape.0 as usize].columns.len();
        let cells = (0..columns).all(|column| a.cell(a_row, column) == b.cell(b_row, column));
        if shape != b.shape(b_row) || !cells || a.keys(a_row) != b.keys(b_row) {
            return Err(format!("{what}: row {a_row} differs").into());
        }
    }
    Ok(())
}

/// A small generator: the same chunkings in every run.
pub struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    /// Where `length` bytes are cut into pieces of at most `largest`.
    pub fn cuts(&mut self, length: usize, largest: usize) -> Vec<usize> {
        let (mut at, mut cuts) = (0, Vec::new());
        loop {
            at += 1 + self.below(largest);
            if at >= length {
                return cuts;
            }
            cuts.push(at);
        }
    }
}

fn chunkings(whole: &Outcome, answer: &Answer, expect: &Expect) -> Result<(), Failed> {
    let length = answer.body.len();
    let mut seeded = Seeded(0x9e37_79b9_7f4a_7c15);
    if length <= SMALL {
        for at in 0..=length {
            same(&format!("cut at {at}"), whole, &decode(answer, expect, std::iter::once(at)))?;
        }
    }
    let (rounds, largest) =
        if length <= MEDIUM { (64, [7, 97, 1_500, 16_384]) } else { (16, [1_500, 8_192, 65_536, 1 << 20]) };
    if length <= MEDIUM {
        same("byte by byte", whole, &decode(answer, expect, 1..length))?;
    }
    for round in 0..rounds {
        let cuts = seeded.cuts(length, largest[round % largest.len()]);
        same(&format!("chunking {round}"), whole, &decode(answer, expect, cuts.into_iter()))?;
    }
    Ok(())
}

fn exchange(name: &str, request: &Path, response: &Path) -> Result<(), Failed> {
    let Some(answer) = read(response) else {
        return if expected::is_silent(name) { Ok(()) } else { Err("the server sent nothing".into()) };
    };
    let operation = operation(request);
    let expect = expect(&operation);
    let whole = decode(&answer, &expect, std::iter::empty());
    expected::check(name, &answer, &whole)?;
    let general = decode_with(decoder(&answer, &expect).general(), &answer, std::iter::empty());
    same("the general way", &general, &whole)?;
    bounded(&answer, &expect)?;
    chunkings(&whole, &answer, &expect)
}

/// Fails if more of an answer is held, at any time, than the item that is being read and the piece that was fed.
fn bounded(answer: &Answer, expect: &Expect) -> Result<(), Failed> {
    const PIECE: usize = 16 << 10;
    const LONGEST_ITEM: usize = 512 << 10;
    let mut decoder = decoder(answer, expect);
    let mut most = 0;
    for piece in answer.body.chunks(PIECE) {
        if decoder.feed(piece).is_err() {
            break;
        }
        decoder.take();
        most = most.max(decoder.held());
    }
    if most > LONGEST_ITEM + PIECE { Err(format!("{most} bytes were held").into()) } else { Ok(()) }
}
