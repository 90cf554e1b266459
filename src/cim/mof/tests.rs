//! Tests of the MOF parser.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;

use super::*;
use crate::cim::{CimType, CimValue, EmbeddedKind, KeyValue, ObjectPath, TypedValue, qualifier};

fn read(text: &str) -> Unit {
    parse("t.mof", text, &mut NoLibrary).unwrap_or_else(|error| panic!("{error}"))
}

fn error(text: &str) -> String {
    parse("t.mof", text, &mut NoLibrary).unwrap_err().to_string()
}

fn value<'a>(instance: &'a CimInstance, name: &str) -> &'a CimValue {
    &instance.property(name).unwrap().value.value
}

const TYPES: &str = r#"
    // Every type there is.
    Qualifier Rank : uint8[] = {1, 2}, Scope(class, property), Flavor(DisableOverride, Restricted, Translatable);
    [Version("1.0"), Description("One " /* between */ "of each."), Rank{3}]
    class T_All {
       [Key, MaxLen(256)] string Id;
       boolean B; uint8 U8; uint64 U64; sint64 S64; real32 R32; real64 R64; char16 C; datetime D;
       string Default = "de" "fault"; uint8 Octets[4]; string Texts[] = {"a", "", NULL};
       T_All REF Next;
       [EmbeddedInstance("T_All")] string Inner;
       [Deprecated("T_Other")] uint32 Do([In(false), Out] uint8 Out[], T_All REF Which, [IN] datetime When);
       void Nothing();
    };
"#;

#[test]
fn classes_have_everything_they_declare() {
    let unit = read(TYPES);
    let declaration = unit.qualifiers().next().unwrap();
    assert_eq!((declaration.ty, declaration.is_array), (CimType::UInt8, true));
    assert_eq!(declaration.default, CimValue::Array(vec![CimValue::UInt(1), CimValue::UInt(2)]));
    assert!(declaration.scopes.class && declaration.scopes.property && !declaration.scopes.method);
    assert!(!declaration.flavor.overridable && !declaration.flavor.to_subclass && declaration.flavor.translatable);
    let class = unit.classes().next().unwrap();
    assert_eq!(class.description(), Some("One of each."));
    let rank = class.qualifiers.iter().find(|qualifier| qualifier.name == "rank").unwrap();
    assert_eq!(rank.value, TypedValue::array(CimType::UInt8, vec![CimValue::UInt(3)]));
    assert_eq!(rank.flavor, declaration.flavor);
    let id = class.property("id").unwrap();
    assert!(id.is_key());
    assert_eq!(qualifier::find(&id.qualifiers, "MaxLen"), Some(&CimValue::UInt(256)));
    assert!(!id.qualifiers[0].flavor.overridable, "Key is DisableOverride also where nothing declares it");
    assert_eq!(class.property("Default").unwrap().default, CimValue::string("default"));
    assert_eq!(class.property("Octets").unwrap().array_size, Some(4));
    let texts = vec![CimValue::string("a"), CimValue::string(""), CimValue::Null];
    assert_eq!(class.property("Texts").unwrap().default, CimValue::Array(texts));
    let next = class.property("Next").unwrap();
    assert_eq!((next.ty, next.reference_class.clone()), (CimType::Reference, Some(CimName::new("t_all"))));
    assert_eq!(class.property("Inner").unwrap().embedded(), Some(EmbeddedKind::Instance));
    let method = class.method("Do").unwrap();
    assert_eq!(method.return_type, Some(CimType::UInt32));
    let out = &method.parameters[0];
    assert!(out.is_array && out.is_out() && !out.is_in());
    assert_eq!(method.parameters[1].reference_class, Some(CimName::new("T_All")));
    assert_eq!(class.method("nothing").unwrap().return_type, None);
    let deprecated = &method.qualifiers[0].value;
    assert_eq!(deprecated, &TypedValue::array(CimType::String, vec![CimValue::string("T_Other")]));
}

#[test]
fn instances_have_the_types_of_their_class() {
    let unit = read(&format!(
        r#"{TYPES}
        #pragma namespace("root\\lab")
        {}
        instance of T_Below as $b {{
           Id = "b"; B = true; U8 = 0x1F; U64 = 18446744073709551615; S64 = -9223372036854775808; R32 = -1; R64 = 1.5e-3;
           C = '\''; D = "20261122******.******-480"; Octets = {{017, 101b, 0, 255}}; Next = NULL; Extra = 'Z';
           Inner = instance of T_All {{ Id = "in"; U8 = 2; }};
        }};"#,
        TYPES.replace("Qualifier Rank", "Qualifier Rank2") + "class T_Below : T_All { uint16 Extra; };"
    )
    .replace("Extra = 'Z'", "Extra = 90"));
    let instance = unit.instances().next().unwrap();
    assert_eq!(value(instance, "U8"), &CimValue::UInt(31));
    assert_eq!(value(instance, "U64"), &CimValue::UInt(u64::MAX));
    assert_eq!(value(instance, "S64"), &CimValue::SInt(i64::MIN));
    assert_eq!(value(instance, "R32"), &CimValue::Real(-1.0));
    assert_eq!(value(instance, "R64"), &CimValue::Real(0.0015));
    assert_eq!(value(instance, "C"), &CimValue::Char16(39));
    assert_eq!(value(instance, "D"), &CimValue::DateTime("20261122******.******-480".parse().unwrap()));
    assert_eq!(value(instance, "Octets"), &CimValue::Array([15, 5, 0, 255].map(CimValue::UInt).to_vec()));
    assert_eq!(value(instance, "Next"), &CimValue::Null);
    assert_eq!(instance.property("Extra").unwrap().value.ty, CimType::UInt16);
    let CimValue::Instance(inner) = value(instance, "Inner") else { panic!("not an instance") };
    assert_eq!(value(inner, "U8"), &CimValue::UInt(2));
    assert_eq!(instance.path.clone().unwrap().to_string(), "root/lab:T_Below.Id=\"b\"");
}

#[test]
fn aliases_are_references_wherever_they_are_declared() {
    let unit = read(
        r#"class N { [Key] string Id; N REF Next; };
        class L { [Key] N REF From; [Key] N REF To; };
        class LL { [Key] L REF Link; N REF Many[]; };
        instance of LL { Link = $l; Many = {$a, NULL, $b}; };
        instance of L as $L { From = $a; To = "N.Id=\"b\""; };
        instance of N as $a { Id = "a"; Next = $b; };
        instance of N as $b { Id = "b"; Next = $a; };"#,
    );
    let all = unit.instances().collect::<Vec<_>>();
    let path: ObjectPath =
        "LL.Link=\"L.From=\\\"N.Id=\\\\\\\"a\\\\\\\"\\\",To=\\\"N.Id=\\\\\\\"b\\\\\\\"\\\"\"".parse().unwrap();
    assert_eq!(all[0].path, Some(path));
    let reference = |text: &str| CimValue::Reference(Box::new(text.parse().unwrap()));
    let many = vec![reference("N.Id=\"a\""), CimValue::Null, reference("N.Id=\"b\"")];
    assert_eq!(value(all[0], "Many"), &CimValue::Array(many));
    assert_eq!(value(all[2], "Next"), &reference("N.Id=\"b\""));
    assert_eq!(value(all[3], "Next"), &reference("N.Id=\"a\""));
    assert_eq!(
        error(
            "class N { [Key] N REF Next; };\ninstance of N as $a { Next = $b; };\ninstance of N as $b { Next = $a; };"
        ),
        "t.mof:2:30: aliases whose keys refer to each other in a circle or too deep"
    );
    assert_eq!(
        error("class N { [Key] N REF Next; };\ninstance of N { Next = $x; };"),
        "t.mof:2:24: an alias that no instance declares"
    );
    assert_eq!(
        error("instance of N as $n { Id = 1; };\ninstance of M { Next = $n; };"),
        "t.mof:2:24: an alias of an instance whose class is not known here or whose keys are not all set"
    );
}

#[test]
fn without_a_class_values_keep_the_type_they_show() {
    let unit = read(
        r#"instance of X { A = 5; B = -5; C = 18446744073709551615; D = 1.5; E = {1, 70000, NULL}; F = TRUE; G = "x"; H = {}; };"#,
    );
    let types = unit.instances().next().unwrap().properties.iter().map(|p| p.value.ty).collect::<Vec<_>>();
    use CimType::*;
    assert_eq!(types, [UInt32, SInt64, UInt64, Real64, UInt32, Boolean, String, String]);
    assert_eq!(unit.instances().next().unwrap().path, None);
}

#[test]
fn text_escapes_are_those_of_mof() {
    let unit = read(r#"instance of X { A = "\b\t\n\f\r\"\'\\\x41\xe9\xD834\xDD1Ez𝄞"; };"#);
    assert_eq!(value(unit.instances().next().unwrap(), "A"), &CimValue::string("\u{8}\t\n\u{c}\r\"'\\Aé𝄞z𝄞"));
}

#[test]
fn errors_say_file_line_column_and_what() {
    for (text, wanted) in [
        ("class X { string A; }", "1:22: expected `;`, found the end of the text"),
        ("class X {\n  strong A;\n};", "2:3: not a type (a reference needs `REF` after its class)"),
        ("class X {\n  string A = 5;\n};", "2:14: an integer where a string is declared"),
        ("class X { uint8 A = 256; };", "1:21: not a uint8: outside 0 to 255"),
        ("class X { uint8 A[] = 2; };", "1:23: one value where an array is declared"),
        ("class X { uint8 A = {2}; };", "1:21: an array where one value is declared"),
        ("class X { uint8 A[] = {{2}}; };", "1:24: expected a value, found `{`"),
        ("class X { uint8 A; uint16 a; };", "1:27: a property that is declared already"),
        ("class X {};\nclass x {};", "2:7: a class that is declared already"),
        ("/* ü */ class X { string A = \"abc\n\"; };", "1:30: a quoted text that is not closed in its line"),
        ("class X { /* };", "1:11: a comment that is not closed"),
        ("class X { string A = \"\\q\"; };", "1:23: an escape that MOF does not have"),
        ("class X { string A = \"\\xD834\"; };", "1:29: half of a surrogate pair in a text"),
        ("class X { char16 A = '𝄞'; };", "1:23: a character that takes more than one UTF-16 code unit"),
        ("class X { uint8 A = 08; };", "1:21: not a number MOF can write, or one too large"),
        ("class X { [Key, KEY] uint8 A; };", "1:17: the same qualifier twice"),
        ("class X { [Key : Loud] uint8 A; };", "1:18: not a flavor"),
        ("class X { datetime A = \"now\"; };", "1:24: not a datetime: not 25 characters"),
        ("class X { uint8 A; };\ninstance of X { B = 1; };", "2:17: X has no such property"),
        ("instance of X { A = 1; a = 2; };", "1:24: a property that has a value already"),
        ("instance of X as $a { };\ninstance of X as $A { };", "2:18: an alias that is declared already"),
        ("#pragma include(\"../x.mof\")", "1:9: an include must be a relative path without `..`"),
        ("#pragma include(\"/etc/x.mof\")", "1:9: an include must be a relative path without `..`"),
        ("#pragma include(\"C:\\\\x.mof\")", "1:9: an include must be a relative path without `..`"),
        ("#pragma include(\"x.mof\")", "1:9: cannot include: files are not included here"),
        ("#import(\"x.mof\")", "1:1: only `#pragma` begins with `#`"),
        ("Qualifier Q : reference, Scope(any);", "1:15: not a type of a qualifier"),
        ("Qualifier Q : string, Scope(all);", "1:29: not a scope"),
        ("hello", "1:1: expected `class`, `instance`, `qualifier` or `#pragma`, found `hello`"),
    ] {
        assert_eq!(error(text), format!("t.mof:{wanted}"), "{text}");
    }
}

struct Files(HashMap<&'static str, String>, Vec<String>);

impl Library for Files {
    fn include(&mut self, path: &str) -> Result<String, String> {
        self.1.push(path.to_owned());
        self.0.get(path).cloned().ok_or_else(|| format!("no file {path}"))
    }

    fn class(&self, _: Option<&Namespace>, name: &CimName) -> Option<CimClass> {
        (*name == "Known").then(|| read("class Known { [Key] sint8 K; };").classes().next().cloned().unwrap())
    }
}

#[test]
fn included_texts_stand_where_they_are_included() {
    let mut files = Files(
        HashMap::from([
            ("core/all.mof", "class A {}; #pragma include(\"b.mof\")\nclass C {};".to_owned()),
            ("core/b.mof", "class B {}; #pragma namespace(\"root/b\")".to_owned()),
            ("loop.mof", "#pragma include(\"./loop.mof\")".to_owned()),
            ("bad.mof", "class A {};\n  klass B {};".to_owned()),
        ]),
        Vec::new(),
    );
    let unit =
        parse("/top/t.mof", "#pragma include(\"core/all.mof\")\ninstance of Known { K = -1; };", &mut files).unwrap();
    let names = unit.classes().map(|class| class.name.as_str().to_owned()).collect::<Vec<_>>();
    assert_eq!(names, ["A", "B", "C"]);
    assert_eq!(files.1, ["core/all.mof", "core/b.mof"]);
    let path = unit.instances().next().unwrap().path.clone().unwrap();
    assert_eq!(path.key("K"), Some(&KeyValue::SInt(-1)));
    assert_eq!(path.namespace, Some(Namespace::new("root/b")));
    let mut failed = |text: &str| parse("t.mof", text, &mut files).unwrap_err().to_string();
    assert_eq!(
        failed("#pragma include(\"loop.mof\")"),
        "loop.mof:1:9: a file that includes itself, directly or through others"
    );
    assert!(failed("\n#pragma include(\"bad.mof\")").starts_with("bad.mof:2:3: expected `class`"));
}

struct Endless(u32);

impl Library for Endless {
    fn include(&mut self, _: &str) -> Result<String, String> {
        self.0 += 1;
        Ok(format!("#pragma include(\"{}.mof\")", self.0))
    }
}

#[test]
fn hostile_texts_meet_limits() {
    let mut library = Endless(0);
    let failed = parse("t.mof", "#pragma include(\"0.mof\")", &mut library).unwrap_err();
    assert!(failed.what.contains("includes inside each other"), "{failed}");
    assert!(library.0 <= 20);
    let deep = format!("{}NULL", "instance of X { A = ".repeat(100_000));
    assert!(error(&deep).contains("instances inside each other"));
    assert!(error(&"{".repeat(100_000)).contains("expected"));
    assert!(error(&format!("class {} {{}};", "x".repeat(MAX_NAME + 1))).contains("a name longer"));
    assert!(error(&format!("instance of X {{ A = {}; }};", "9".repeat(100_000))).contains("not a number"));
}
