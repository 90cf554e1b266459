//! What must hold of everything that reads what a server or a person wrote, whatever it is. Each module is one property, a
//! function of bytes; the fuzz targets in `fuzz` run the same functions for as long as one lets them. Here they meet known
//! texts, changed in a few places, and texts made of the words of each grammar.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// Each fuzz target is a crate of its own, and stands here beside the others.
#![allow(clippy::duplicate_mod)]

mod challenge;
mod datetime;
mod decoder;
mod decoding;
mod framer;
mod mof;
mod path;
mod pieces;
mod rows;
mod targets;
mod wsman;

// The fuzz targets call a macro by this name.
extern crate self as libfuzzer_sys;

use proptest::prelude::*;

const ANSWER: &[u8] = include_bytes!("../scenarios/three_processes.xml");
const ODD_ANSWER: &[u8] = b"<?xml version=\"1.0\"?><!-- x --><CIM><MESSAGE ID='1'><SIMPLERSP><IMETHODRESPONSE NAME=\"X\"><IRETURNVALUE>\
    <VALUE.NAMEDINSTANCE><INSTANCENAME CLASSNAME=\"A\"><KEYBINDING NAME=\"K\"><KEYVALUE VALUETYPE=\"numeric\">1</KEYVALUE>\
    </KEYBINDING><KEYBINDING NAME=\"R\"><VALUE.REFERENCE><LOCALINSTANCEPATH><LOCALNAMESPACEPATH><NAMESPACE NAME=\"x\"/>\
    </LOCALNAMESPACEPATH><INSTANCENAME CLASSNAME=\"B\"><KEYVALUE>y</KEYVALUE></INSTANCENAME></LOCALINSTANCEPATH>\
    </VALUE.REFERENCE></KEYBINDING></INSTANCENAME><INSTANCE CLASSNAME=\"A\"><PROPERTY NAME='U' TYPE='uint8'><VALUE>7</VALUE>\
    </PROPERTY><PROPERTY NAME='T' TYPE='string'><VALUE>a&#32;&lt;<![CDATA[<x>]]></VALUE></PROPERTY><PROPERTY NAME='F' \
    TYPE='real64'><VALUE>NaN</VALUE></PROPERTY><PROPERTY.ARRAY NAME='L' TYPE='char16'><VALUE.ARRAY><VALUE>c</VALUE>\
    <VALUE.NULL/></VALUE.ARRAY></PROPERTY.ARRAY><PROPERTY NAME='E' TYPE='string' EmbeddedObject='object'><VALUE>&lt;INSTANCE \
    CLASSNAME='I'/&gt;</VALUE></PROPERTY></INSTANCE></VALUE.NAMEDINSTANCE><INSTANCE CLASSNAME='A'><PROPERTY NAME='t' \
    TYPE='uint8'><VALUE>300</VALUE></PROPERTY></INSTANCE><CLASS NAME='C'><QUALIFIER NAME='Q' TYPE='boolean'><VALUE>TRUE\
    </VALUE></QUALIFIER><METHOD NAME='M'><PARAMETER.REFARRAY NAME='P'/></METHOD></CLASS><CLASSNAME NAME='D'/></IRETURNVALUE>\
    <PARAMVALUE NAME='EndOfSequence'><VALUE>TRUE</VALUE></PARAMVALUE><ERROR CODE='1' DESCRIPTION='x'/></IMETHODRESPONSE>\
    </SIMPLERSP></MESSAGE></CIM>\n";
const PAGE: &[u8] = b"<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" \
    xmlns:c=\"http://schemas.dmtf.org/wbem/wscim/1/common\" xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
    xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\"><e:Header/><e:Body><EnumerateResponse \
    xmlns=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\"><EnumerationContext>7</EnumerationContext><w:Items>\
    <p:B xmlns:p=\"http://x/B\"><p:K>a&lt;</p:K><p:N>1</p:N><p:A>1</p:A><p:A>2</p:A><p:D><c:Datetime>2026-01-06T18:58:31.5Z\
    </c:Datetime></p:D><p:X i:nil=\"true\"/></p:B><p:B xmlns:p=\"http://x/B\"><p:K>b</p:K><p:N>2</p:N><p:A>3</p:A><p:D>\
    <c:Datetime>2026-01-06T18:58:31.5Z</c:Datetime></p:D><p:X i:nil=\"true\"/></p:B><p:B xmlns:p=\"http://x/B\"><p:K>c</p:K>\
    <p:X>1</p:X><p:O>QUJD</p:O><p:C>65</p:C><p:Y i:type=\"p:Z_Type\"><p:Q/></p:Y></p:B><w:Item><p:B xmlns:p=\"http://x/B\"><p:R>\
    <a:Address>x</a:Address><a:ReferenceParameters><w:ResourceURI>http://x/C</w:ResourceURI><w:SelectorSet><w:Selector \
    Name=\"K\">k</w:Selector></w:SelectorSet></a:ReferenceParameters></p:R></p:B><a:EndpointReference><a:ReferenceParameters>\
    <w:ResourceURI>http://x/B</w:ResourceURI></a:ReferenceParameters></a:EndpointReference></w:Item></w:Items><w:EndOfSequence/>\
    </EnumerateResponse></e:Body></e:Envelope>\n";
/// Objects wrapped with their references, which look alike.
const WRAPPED: &[u8] = b"<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" \
    xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\">\
    <e:Body><n:PullResponse xmlns:n=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\"><n:Items>\
    <w:Item><p:B xmlns:p=\"http://x/B\"><p:K>a</p:K><p:N>1</p:N><p:A>1</p:A></p:B><a:EndpointReference><a:ReferenceParameters>\
    <w:ResourceURI>http://x/B</w:ResourceURI><w:SelectorSet><w:Selector Name=\"__cimnamespace\">root/x</w:Selector>\
    <w:Selector Name=\"K\">a</w:Selector></w:SelectorSet></a:ReferenceParameters></a:EndpointReference></w:Item>\
    <w:Item><p:B xmlns:p=\"http://x/B\"><p:K>b&amp;</p:K><p:N>1</p:N><p:A>1</p:A></p:B><a:EndpointReference><a:ReferenceParameters>\
    <w:ResourceURI>http://x/B</w:ResourceURI><w:SelectorSet><w:Selector Name=\"__cimnamespace\">root/x</w:Selector>\
    <w:Selector Name=\"K\">b&amp;</w:Selector></w:SelectorSet></a:ReferenceParameters></a:EndpointReference></w:Item>\
    <w:Item><p:B xmlns:p=\"http://x/B\"><p:K></p:K><p:N>1</p:N><p:A>1</p:A></p:B><a:EndpointReference><a:ReferenceParameters>\
    <w:ResourceURI>http://x/B</w:ResourceURI><w:SelectorSet><w:Selector Name=\"__cimnamespace\">root/x</w:Selector>\
    <w:Selector Name=\"K\"></w:Selector></w:SelectorSet></a:ReferenceParameters></a:EndpointReference></w:Item>\
    <w:Item><p:B xmlns:p=\"http://x/B\"><p:K>d</p:K><p:N>1</p:N><p:A>1</p:A></p:B><a:EndpointReference><a:ReferenceParameters>\
    <w:ResourceURI>http://x/B</w:ResourceURI><w:SelectorSet><w:Selector Name=\"__cimnamespace\">root/x</w:Selector>\
    <w:Selector Name=\"K\">d</w:Selector></w:SelectorSet></a:ReferenceParameters></a:EndpointReference></w:Item></n:Items><n:EndOfSequence/></n:PullResponse>\
    </e:Body></e:Envelope>\n";
const DETAIL: &[u8] =
    b"<f:WSManFault Code=\"2150858752\" Machine=\"m\"><f:Message><f:ProviderFault provider=\"p\"><f:WSManFault \
    Code=\"5\"><f:Message>no &#27;</f:Message></f:WSManFault><f:ExtendedError><p:E xmlns:p=\"x\"><p:CIMStatusCode>2\
    </p:CIMStatusCode></p:E></f:ExtendedError></f:ProviderFault></f:Message></f:WSManFault>";
const MOF: &[u8] = include_bytes!("../../assets/interop.mof");
const ODD_MOF: &[u8] = b"#pragma namespace(\"root/x\")\nQualifier Odd : string[] = {\"a\", NULL}, Scope(class, method), Flavor(Restricted);\n\
    [Description(\"a \\x41\\n\" \"b\"), Odd, Unknown{1, -1}, Plain(1.5) : DisableOverride Translatable]\nclass A as $A : B {\n\
    [Key] string Name = \"\\\"\"; char16 C[2] = {'a', '\\xD800', NULL}; real32 R = 1.0e38; datetime When = \"**************.******:000\";\n\
    A REF Next; [EmbeddedObject] string E; void M(); uint8 N([In, Out] uint8 X[], object ref O); };\n\
    #pragma include(\"x.mof\")\ninstance of Shelf_Thing as $one { Name = \"1\"; Real = {1, NULL, -INF}; };\n\
    instance of Shelf_Thing { Name = \"2\"; Next = $one; };\ninstance of Z { X = instance of Y { V = {1, 4294967296}; }; W = $one; };\n";

/// One of `seeds`, changed in up to five places: a byte, a mark, a piece cut out or copied.
fn changed(seeds: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), 0_u8..4, any::<u8>(), 1_usize..40);
    (prop::sample::select(seeds), prop::collection::vec(edit, 0..6)).prop_map(|(seed, edits)| {
        let mut bytes = seed.to_vec();
        for (at, kind, byte, length) in edits {
            let at = at.index(bytes.len());
            let end = (at + length).min(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, b"<>&\"'/!?]-;#"[usize::from(byte) % 12]),
                2 if end - at < bytes.len() => drop(bytes.drain(at..end)),
                _ => {
                    let piece = bytes[at..end].to_vec();
                    let to = (at * 7 + usize::from(byte)) % bytes.len();
                    bytes.splice(to..to, piece);
                }
            }
        }
        bytes
    })
}

/// A changed body behind the choice and the lengths of the pieces it is read in.
fn in_pieces(seeds: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    (any::<[u8; pieces::HEAD]>(), changed(seeds)).prop_map(|(head, body)| [head.as_slice(), &body].concat())
}

/// Up to 40 of `words`, in any order.
fn sentence(words: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let words = words.split('|').collect::<Vec<_>>();
    prop::collection::vec(prop::sample::select(words), 0..40).prop_map(|words| words.concat().into_bytes())
}

/// Words of each grammar, with `|` between them.
const MOF_WORDS: &str = "class |instance of |X |Shelf_Thing |Name |{|}|;|};|[|]|(|)|string |REF |= |\"a\" |'a' |$a |as |\
    #pragma include|Key |, |: |-1 |\\|/*|Qualifier ";
const PATH_WORDS: &str = "//|\\\\|\\|/|.|h|root|:|A|=|=@|\"|\\\"|,|K|'|TRUE|-1|0x1F|1.5|B.k=\\\"1\\\"";

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn framing_does_not_depend_on_the_pieces(data in in_pieces(&[ANSWER, ODD_ANSWER])) {
        framer::check(&data);
    }

    #[test]
    fn decoding_does_not_depend_on_the_pieces(data in in_pieces(&[ANSWER, ODD_ANSWER])) {
        let _ = decoder::check(&data);
    }

    #[test]
    fn decoding_wsman_does_not_depend_on_the_pieces(data in in_pieces(&[PAGE, WRAPPED])) {
        let _ = wsman::check(&data);
    }

    #[test]
    fn what_is_told_of_a_fault_can_be_printed(data in changed(&[DETAIL])) {
        wsman::fault(&data);
    }

    #[test]
    fn printed_mof_is_read_back(data in changed(&[MOF, ODD_MOF]), words in sentence(MOF_WORDS), noise in any::<String>()) {
        let _ = (mof::check(&data), mof::check(&words), mof::check(noise.as_bytes()));
    }

    #[test]
    fn printed_paths_are_read_back(
        data in changed(&[br#"//h:5989/root/cimv2:A.K="x \"y\" \\",N=-1,B=TRUE,R="B.k=\"1\"""#, br#"\\.\root\x:A=@"#, b"A=1.5E3"]),
        words in sentence(PATH_WORDS),
        noise in any::<String>(),
    ) {
        path::check(&data);
        path::check(&words);
        path::check(noise.as_bytes());
    }

    #[test]
    fn datetimes_print_as_they_were_read(
        data in changed(&[b"20261122174500.123456+06000000123010203.000004:000"]),
        odd in "([0-9*]{14}\\.[0-9*]{6}[-+:][0-9*]{3}){2}",
    ) {
        datetime::check(&data);
        datetime::check(odd.as_bytes());
    }

    #[test]
    fn challenges_are_read_back(
        data in changed(&[br#"Digest realm="r \"q\"", qop="auth,auth-int", nonce=abc, Negotiate dG9r==, NTLM, Basic realm="b""#]),
        near in r#"((Basic|Digest|NTLM|a)[ ,]{0,2}([a-z]{1,3} ?= ?("[a-z\\",]{0,5}"?|[a-z=]{1,4}),? ?){0,3}){0,4}"#,
        noise in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        challenge::check(&data);
        challenge::check(near.as_bytes());
        challenge::check(&noise);
    }
}

#[test]
fn the_texts_to_be_changed_are_whole() {
    for seed in [ANSWER, ODD_ANSWER] {
        // All is expected, the default limits, byte by byte.
        let data = [&[10, 0, 0, 0, 0], seed].concat();
        framer::check(&data);
        decoder::check(&data).unwrap();
    }
    for (choice, page) in [(10, PAGE), (10 | 32, PAGE), (3, WRAPPED), (3 | 32, WRAPPED)] {
        wsman::check(&[&[choice, 0, 0, 0, 0], page].concat()).unwrap();
    }
    for seed in [MOF, ODD_MOF] {
        mof::check(seed).unwrap();
    }
}

/// What once broke a property.
#[test]
fn what_once_fell_out_holds_now() {
    // A declaration of the encoding that ends late in the first piece.
    let declaration = format!("<?xml version=\"1.0\"{}encoding=\"iso-8859-1\"?>", " ".repeat(300));
    let late = [&[10, 100, 100, 100, 100], declaration.as_bytes(), b"<CIM><MESSAGE ID='\xe4'>"].concat();
    let _ = decoder::check(&late);
    // UTF-16 with halves of pairs, cut between them.
    let _ = decoder::check(b"\x0a\x01\x01\x01\x01<\0\xd8\xd8\xd8\xd8");
    // A method that answers twice, the second time in another piece.
    let twice = b"\x07\x10\x10\x10\x10<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\"><e:Body><A_OUTPUT><p>1</p>\
        <ReturnValue>0</ReturnValue></A_OUTPUT><B><q>2</q></B></e:Body></e:Envelope>";
    wsman::check(twice).unwrap();
    // What an item teaches that is not read to its end, where only the body in pieces meets a limit.
    let begun = format!("<p:A xmlns:p=\"u:A\"><p:N>3</p:N><p:N>4</p:N>{}", "<p:T>text</p:T>".repeat(90));
    let unended = [
        &[10 | 64, 0, 0, 0, 0],
        &b"<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\" \
           xmlns:n=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\"><s:Body><n:EnumerateResponse><w:Items>\
           <p:A xmlns:p=\"u:A\"><p:N>1</p:N></p:A>"[..],
        begun.as_bytes(),
        b"</q:A></w:Items></n:EnumerateResponse></s:Body></s:Envelope>",
    ];
    let _ = wsman::check(&unended.concat());
    // A host that is this one.
    path::check(b"//./root:A.k=1");
    // A text that is not a path because of its quotes.
    path::check(b"A='B.k=1'");
    path::check(br#"A.k='x\y:B.v="1"'"#);
    // A qualifier that may stand nowhere.
    mof::check(b"Qualifier A : string; Qualifier B : boolean = TRUE, Flavor(Restricted);").unwrap();
    // A reference in a reference whose key has no name.
    let links = br#"class N { [Key] N REF Next; }; instance of N { Next = "N.Next=\"N=\\\"x\\\"\""; };"#;
    mof::check(links).unwrap();
}
