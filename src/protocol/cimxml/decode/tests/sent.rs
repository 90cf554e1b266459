//! What servers send: the shapes OpenPegasus and SFCB give the same things.

use super::*;

fn cell(items: &str) -> CimValue {
    let (store, decoded, result) = decode(items);
    result.unwrap();
    assert_eq!(decoded.warning, None);
    store.cell(0, 0).to_value().unwrap()
}

fn array(ty: &str, inner: &str) -> CimValue {
    cell(&instance(&format!("<PROPERTY.ARRAY NAME=\"L\" TYPE=\"{ty}\">{inner}</PROPERTY.ARRAY>")))
}

#[test]
fn arrays_hold_null_items_are_empty_or_are_null() {
    let items = array("uint8", "<VALUE.ARRAY><VALUE>1</VALUE>\n<VALUE.NULL/><VALUE>3</VALUE></VALUE.ARRAY>");
    assert_eq!(items, CimValue::Array(vec![CimValue::UInt(1), CimValue::Null, CimValue::UInt(3)]));
    assert_eq!(array("string", "<VALUE.ARRAY></VALUE.ARRAY>"), CimValue::Array(Vec::new()));
    assert_eq!(array("string", "\n"), CimValue::Null);
}

#[test]
fn white_space_and_the_order_of_attributes_mean_nothing() {
    let item = "\n<INSTANCE  CLASSNAME='A' >\n<PROPERTY  TYPE = \"boolean\"  PROPAGATED=\"true\"\n NAME=\"B\" >\n<VALUE>TRUE</VALUE>\n\
                </PROPERTY>\n<PROPERTY NAME=\"S\" TYPE=\"string\">\n<VALUE>pad &#32;ded&#10; </VALUE>\n</PROPERTY>\n</INSTANCE>\n";
    let (store, _, result) = decode(item);
    result.unwrap();
    assert_eq!((store.cell(0, 0), store.cell(0, 1)), (CellRef::Bool(true), CellRef::Text("pad  ded\n ")));
}

#[test]
fn an_embedded_instance_that_is_declared_twice_is_one() {
    let text = "&lt;INSTANCE CLASSNAME=&quot;I&quot; &gt;&#10;&lt;PROPERTY NAME=&quot;X&quot;  TYPE=&quot;uint8&quot;&gt;&#10;\
                &lt;VALUE&gt;7&lt;/VALUE&gt;&#10;&lt;/PROPERTY&gt;&#10;&lt;/INSTANCE&gt;&#10;";
    let value = cell(&instance(&format!(
        "<PROPERTY NAME=\"E\"  EmbeddedObject=\"instance\"  EMBEDDEDOBJECT=\"instance\"  TYPE=\"string\">\n<VALUE>{text}</VALUE>\n</PROPERTY>"
    )));
    let CimValue::Instance(found) = value else { panic!("{value:?}") };
    assert_eq!(found.property("x").unwrap().value.value, CimValue::UInt(7));
}

#[test]
fn a_reference_has_three_shapes() {
    let name = "<INSTANCENAME CLASSNAME=\"TEST_Person\"><KEYBINDING NAME=\"K\"><KEYVALUE VALUETYPE=\"string\">x</KEYVALUE></KEYBINDING></INSTANCENAME>";
    let local = "<LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/><NAMESPACE NAME=\"lab\"/></LOCALNAMESPACEPATH>";
    let shapes = [
        (name.to_owned(), "TEST_Person.K=\"x\""),
        (format!("<LOCALINSTANCEPATH>{local}{name}</LOCALINSTANCEPATH>"), "root/lab:TEST_Person.K=\"x\""),
        (
            format!("<INSTANCEPATH><NAMESPACEPATH><HOST>vm</HOST>{local}</NAMESPACEPATH>{name}</INSTANCEPATH>"),
            "//vm/root/lab:TEST_Person.K=\"x\"",
        ),
    ];
    for (inner, path) in shapes {
        for class in ["", " REFERENCECLASS=\"Test_Person\""] {
            let value = cell(&instance(&format!(
                "<PROPERTY.REFERENCE NAME=\"R\"{class}><VALUE.REFERENCE>{inner}</VALUE.REFERENCE></PROPERTY.REFERENCE>"
            )));
            let CimValue::Reference(found) = value else { panic!("{value:?}") };
            assert_eq!(found.to_string(), path);
            assert_eq!(found.class, "test_person", "names compare without regard to case");
        }
    }
}

#[test]
fn an_empty_result_is_empty_whether_its_element_is_there_or_not() {
    for expect in [Expect::Instances, Expect::InstanceNames, Expect::Objects, Expect::Classes, Expect::Values] {
        for (name, result) in
            [("NAME=\"X\"", ""), ("NAME=\"\"", "<IRETURNVALUE/>"), ("", "<IRETURNVALUE>\n</IRETURNVALUE>")]
        {
            let body = format!(
                "<CIM><MESSAGE ID=\"1\"><SIMPLERSP><IMETHODRESPONSE {name}>\n{result}\n</IMETHODRESPONSE></SIMPLERSP></MESSAGE></CIM>"
            );
            let (store, decoded, end) = decode_with(decoder(expect.clone()), body.as_bytes());
            end.unwrap();
            assert!(store.is_empty() && decoded.is_empty(), "{expect:?} {body}");
        }
    }
}

#[test]
fn wildcards_in_datetimes_stay() {
    for text in ["20261122******.******-480", "**************.******+000", "00000012******.******:000"] {
        let value = cell(&instance(&value("D", "datetime", text)));
        let CimValue::DateTime(found) = value else { panic!("{value:?}") };
        assert_eq!(found.to_string(), text);
    }
}
