//! Captured exchanges of a real WS-Man server, and fixtures of Windows, fed to the decoder.
//!
//! One trial per exchange: how many rows a plain count of its elements finds, whether it goes on, which fault it is, and that
//! it does not matter how it was cut into pieces. What single answers hold is in `omi_values`.

use std::{path::Path, sync::Arc};

use lazycim::{
    cim::{
        CimClass, CimInstance, CimName, Namespace, ObjectPath, TypedValue,
        rows::{RowStore, Shape},
    },
    op::Limits,
    protocol::{
        wsman::decode::{Decoder, Epr, Expect, Identity, SoapFault},
        xml::{encoding::charset_of, fault::DecodeError},
    },
};
use libtest_mimic::{Failed, Trial};
use quick_xml::events::Event;

use super::{Answer, Seeded, read};

/// Split at every point in two up to this size.
const SMALL: usize = 3 << 10;

/// Faults of OMI that carry a CIM error, by the number of their capture: the number of `MI_Result`.
const MI_RESULTS: &[(&str, u32)] =
    &[("11", 5), ("12", 3), ("44", 7), ("91", 6), ("92", 12), ("115", 1), ("120", 5), ("121", 3)];

/// The trials.
pub fn trials(folder: &Path) -> Vec<Trial> {
    let mut trials = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(folder.join("omi")).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    for path in files {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        if let Some(name) = file.strip_suffix(".resp.http").map(str::to_owned) {
            trials.push(Trial::test(format!("omi/{name}"), move || exchange(&name, &path)));
        } else if file.ends_with(".resp.xml") {
            trials.push(Trial::test(format!("omi/{file}"), move || windows(&file, &path)));
        } else if file.ends_with(".decrypted.txt") {
            trials.push(Trial::test(format!("omi/{file}"), move || decrypted(&path)));
        }
    }
    trials
}

/// Everything one answer decoded to.
#[derive(Debug, Default, PartialEq)]
pub struct Outcome {
    /// Shapes by id, as last told.
    pub shapes: Vec<Arc<Shape>>,
    /// Rows.
    pub instances: Vec<CimInstance>,
    /// Classes.
    pub classes: Vec<CimClass>,
    /// The enumeration context.
    pub context: Option<String>,
    /// Whether the enumeration is complete.
    pub end_of_sequence: bool,
    /// The fault.
    pub fault: Option<SoapFault>,
    /// What the server is.
    pub identity: Option<Identity>,
    /// A reference beside rows.
    pub epr: Option<Epr>,
    /// The return value.
    pub value: Option<TypedValue>,
    /// Output parameters.
    pub parameters: Vec<(CimName, TypedValue)>,
    /// The first warning.
    pub warning: Option<String>,
    /// How reading ended.
    pub end: Option<DecodeError>,
}

/// A decoder for `expect` as the captured requests had it.
pub fn decoder(answer: &Answer, expect: Expect) -> Decoder {
    let charset = answer.header("Content-Type").and_then(charset_of);
    Decoder::new(expect, Limits::default(), Some(Namespace::new("test/cpp")), charset)
}

/// Decodes `body` in the pieces `cuts` make, taking what was decoded after each.
pub fn decode(mut decoder: Decoder, body: &[u8], cuts: impl Iterator<Item = usize>) -> Outcome {
    let (mut outcome, mut store, mut from) = (Outcome::default(), RowStore::default(), 0);
    let mut take = |decoder: &mut Decoder, outcome: &mut Outcome| {
        let decoded = decoder.take();
        for (id, shape) in decoded.shapes {
            store.add_shape(id, shape);
        }
        decoded.rows.into_iter().for_each(|batch| assert_eq!(store.push(batch), 0, "every row has its shape"));
        outcome.classes.extend(decoded.classes);
        outcome.context = decoded.context.or(outcome.context.take());
        outcome.end_of_sequence |= decoded.end_of_sequence;
        outcome.fault = decoded.fault.or(outcome.fault.take());
        outcome.identity = decoded.identity.or(outcome.identity.take());
        outcome.epr = decoded.epr.or(outcome.epr.take());
        outcome.value = decoded.value.or(outcome.value.take());
        outcome.parameters.extend(decoded.parameters);
        outcome.warning = outcome.warning.take().or(decoded.warning);
    };
    let end = cuts.chain([body.len()]).try_for_each(|to| {
        let result = decoder.feed(&body[from..to]);
        from = to;
        take(&mut decoder, &mut outcome);
        result
    });
    outcome.end = end.and_then(|()| decoder.finish()).err();
    take(&mut decoder, &mut outcome);
    outcome.shapes = store.shapes().to_vec();
    outcome.instances = (0..store.len()).map(|row| store.instance(row).unwrap()).collect();
    outcome
}

/// What a request of this name calls for.
fn expect(name: &str) -> Expect {
    match name.split('-').nth(1).unwrap_or_default() {
        "identify" => Expect::Identify,
        "getclass" => Expect::Class,
        "get" => Expect::Instance(ObjectPath::new(None, CimName::new("X"), Vec::new())),
        "release" | "delete" | "unsubscribe" => Expect::Release,
        "invoke" => Expect::Values,
        "subscribe" => Expect::Subscribed,
        _ if name.contains("EnumerateEPR") || name.contains("enumerate-EPR") => Expect::InstanceNames,
        _ if name.contains("ObjectAndEPR") || name.contains("EPR-mode") => Expect::ObjectsAndEprs,
        "enumerate" | "pull" | "filter" | "associators" | "references" | "event" | "polymorphism" => Expect::Instances,
        _ => Expect::Anything,
    }
}

/// How many elements stand in Items, by a plain count that knows nothing of WS-Man but that name.
fn count(body: &[u8]) -> usize {
    let mut reader = quick_xml::Reader::from_str(std::str::from_utf8(body).unwrap());
    reader.config_mut().expand_empty_elements = true;
    let (mut depth, mut items, mut count) = (0_usize, None, 0);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                count += usize::from(items == Some(depth));
                depth += 1;
                if tag.name().as_ref().ends_with(":Items") {
                    items = Some(depth);
                }
            }
            Event::End(_) => {
                depth -= 1;
                items = items.filter(|items| *items <= depth);
            }
            Event::Eof => return count,
            _ => {}
        }
    }
}

fn exchange(name: &str, path: &Path) -> Result<(), Failed> {
    let number = name.split('-').next().unwrap();
    let Some(answer) = read(path) else {
        let is_silent = matches!(number, "03" | "131" | "135" | "139");
        return if is_silent { Ok(()) } else { Err("the server sent nothing".into()) };
    };
    if answer.header("Content-Type").is_some_and(|kind| kind.starts_with("multipart/encrypted")) {
        return sealed(name, &answer);
    }
    let expect = expect(name);
    let whole = decode(decoder(&answer, expect.clone()), &answer.body, std::iter::empty());
    if answer.body.is_empty() {
        assert!(whole.end.is_some() || expect == Expect::Release, "an empty body is no answer");
        return Ok(());
    }
    assert_eq!(whole.end, None);
    assert_eq!(whole.warning, None);
    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!(whole.fault.is_some(), answer.status == 500, "a fault is told");
    assert_eq!(whole.end_of_sequence, text.contains(":EndOfSequence/>"));
    let context = text.split_once("EnumerationContext>").and_then(|(_, rest)| rest.split_once('<'));
    assert_eq!(whole.context.as_deref(), context.map(|(context, _)| context));
    if text.contains(":Items") {
        assert_eq!(whole.instances.len(), count(&answer.body), "rows");
    }
    if let Some(fault) = &whole.fault {
        let carried = text.split_once("OMI:MI_Result:").and_then(|(_, rest)| rest.split_once('<'));
        assert_eq!(fault.mi_result(), carried.map(|(number, _)| number.parse().unwrap()), "MI_Result");
        if let Some((_, result)) = MI_RESULTS.iter().find(|known| known.0 == number) {
            assert_eq!(fault.mi_result(), Some(*result));
        }
        let reason = text.split_once("xml:lang=\"en-US\">").and_then(|(_, rest)| rest.split_once('<')).unwrap().0;
        let reason = reason.replace("&apos;", "'").replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
        assert_eq!(fault.reason, reason.replace("&amp;", "&").trim());
    }
    let general = decode(decoder(&answer, expect.clone()).general(), &answer.body, std::iter::empty());
    assert!(whole == general, "by prediction and without");
    chunkings(&whole, &answer, &expect)
}

fn chunkings(whole: &Outcome, answer: &Answer, expect: &Expect) -> Result<(), Failed> {
    let length = answer.body.len();
    let mut seeded = Seeded(0x9e37_79b9_7f4a_7c15);
    let same = |what: &str, cuts: Vec<usize>| {
        let cut = decode(decoder(answer, expect.clone()), &answer.body, cuts.into_iter());
        if *whole == cut { Ok(()) } else { Err(Failed::from(format!("{what}: another result"))) }
    };
    if length <= SMALL {
        for at in 0..=length {
            same(&format!("cut at {at}"), vec![at])?;
        }
    }
    same("byte by byte", (1..length).collect())?;
    for round in 0..32 {
        same(&format!("chunking {round}"), seeded.cuts(length, [7, 97, 1_500, 16_384][round % 4]))?;
    }
    Ok(())
}

/// The framing of a sealed answer, on the raw bytes (MS-WSMV section 2.2.9.1): boundaries, `Length`, signature length.
fn sealed(name: &str, answer: &Answer) -> Result<(), Failed> {
    let find = |needle: &[u8], from: usize| memchr::memmem::find(&answer.body[from..], needle).map(|at| from + at);
    assert_eq!(find(b"--Encrypted Boundary\r\n", 0), Some(0));
    let length = find(b";Length=", 0).ok_or("no Length")? + 8;
    let digits: String =
        answer.body[length..].iter().map(|b| char::from(*b)).take_while(char::is_ascii_digit).collect();
    let plain: usize = digits.parse().unwrap();
    let stream = find(b"Content-Type: application/octet-stream\r\n", length).ok_or("no stream")? + 40;
    let signature = u32::from_le_bytes(answer.body[stream..stream + 4].try_into().unwrap()) as usize;
    assert_eq!(signature, if name.contains("ntlm") { 16 } else { 60 }, "the signature's length");
    let end = stream + 4 + signature + plain;
    assert_eq!(&answer.body[end..end + 24], b"--Encrypted Boundary--\r\n");
    // OMI ends the line once more.
    assert_eq!(&answer.body[end + 24..], b"\r\n");
    let kind = answer.header("Content-Type").unwrap();
    let scheme = if name.starts_with("153") { "HTTP-Kerberos" } else { "HTTP-SPNEGO" };
    assert!(kind.contains(&format!("protocol=\"application/{scheme}-session-encrypted\"")), "{kind}");
    Ok(())
}

/// The plaintext of a sealed exchange: its answer decodes like any other.
fn decrypted(path: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(path).unwrap();
    let at = text.rfind("<SOAP-ENV:Envelope").ok_or("no answer")?;
    let body = text[at..].trim_end().as_bytes();
    let decoder = Decoder::new(Expect::Anything, Limits::default(), None, None);
    let outcome = decode(decoder, body, std::iter::empty());
    assert_eq!((&outcome.end, &outcome.fault), (&None, &None));
    if path.to_string_lossy().contains("getclass") {
        assert_eq!(outcome.classes.len(), 1);
    } else {
        assert!(!outcome.instances.is_empty() && outcome.instances.len() == count(body));
    }
    Ok(())
}

/// Faults of Windows.
fn windows(file: &str, path: &Path) -> Result<(), Failed> {
    let body = std::fs::read(path).unwrap();
    let decoder = Decoder::new(Expect::Instances, Limits::default(), None, None);
    let outcome = decode(decoder, &body, std::iter::empty());
    assert_eq!(outcome.end, None);
    let fault = outcome.fault.ok_or("no fault")?;
    let subcode = fault.subcode.as_ref().map(|(_, local)| local.as_str());
    let told = (subcode, fault.code_number, fault.machine.as_deref(), fault.provider.as_deref());
    match file.split('-').nth(1).unwrap() {
        "1" => {
            assert_eq!(
                told,
                (Some("InternalError"), Some(2_152_992_672), Some("10.123.175.205"), Some("microsoft.powershell"))
            );
            assert!(fault.messages[0].contains("-2144108472 occurred"));
        }
        "2" => {
            let machine = Some("VMMUR-W12R2-02.SCX.com");
            assert_eq!(told, (Some("DestinationUnreachable"), Some(0x8033_8000), machine, Some("WMI Provider")));
            assert_eq!(fault.fault_detail.as_deref(), Some("InvalidResourceURI"));
            assert_eq!(fault.details[0].class.as_str(), "__ExtendedStatus");
            assert_eq!(
                fault.details[0].property("ProviderName").unwrap().value.value.to_owned(),
                lazycim::cim::CimValue::string("CIMWin32")
            );
        }
        _ => {
            assert_eq!(told, (Some("TimedOut"), Some(0x8033_8029), Some("10.123.175.205"), None));
            assert_eq!(fault.messages, [fault.reason.as_str()]);
        }
    }
    Ok(())
}
