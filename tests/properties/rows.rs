//! What must hold of rows: whatever order a server sends properties in, whichever it leaves out and whatever it calls their
//! types, every row reads back what was sent for it and nothing else.

use lazycim::{
    cim::{
        CimType, CimValue,
        rows::{CellRef, RowStore},
    },
    op::Limits,
    protocol::cimxml::decode::{Decoder, Expect},
};
use proptest::prelude::*;

/// Names of properties; of each, rows use either spelling.
const NAMES: [[&str; 2]; 6] =
    [["Id", "ID"], ["Name", "name"], ["State", "STATE"], ["A", "a"], ["Ab", "aB"], ["Prüfsumme", "PRüFSUMME"]];

/// One property as it is sent.
#[derive(Clone, Debug)]
struct Sent {
    name: usize,
    spelling: usize,
    value: CimValue,
    ty: CimType,
}

fn value() -> impl Strategy<Value = (CimType, CimValue)> {
    prop_oneof![
        4 => "[ -~äß]{0,9}".prop_map(|text| (CimType::String, CimValue::string(&text))),
        2 => any::<u64>().prop_map(|value| (CimType::UInt64, CimValue::UInt(value))),
        1 => any::<i64>().prop_map(|value| (CimType::SInt64, CimValue::SInt(value))),
        1 => any::<bool>().prop_map(|value| (CimType::Boolean, CimValue::Bool(value))),
        1 => Just((CimType::String, CimValue::Null)),
        1 => Just((CimType::UInt64, CimValue::Null)),
    ]
}

/// The properties of one row in the order they are sent, each at most once.
fn properties() -> impl Strategy<Value = Vec<Sent>> {
    let order = Just((0..NAMES.len()).collect::<Vec<_>>()).prop_shuffle();
    (order, prop::collection::vec((value(), 0..2_usize), 0..=NAMES.len())).prop_map(|(order, values)| {
        order
            .into_iter()
            .zip(values)
            .map(|(name, ((ty, value), spelling))| Sent { name, spelling, value, ty })
            .collect()
    })
}

fn written(class: &str, row: &[Sent]) -> String {
    let properties = row.iter().map(|sent| {
        let text = match &sent.value {
            CimValue::Null => String::new(),
            CimValue::Bool(value) => format!("<VALUE>{value}</VALUE>"),
            CimValue::UInt(value) => format!("<VALUE>{value}</VALUE>"),
            CimValue::SInt(value) => format!("<VALUE>{value}</VALUE>"),
            CimValue::String(text) => format!("<VALUE>{}</VALUE>", text.replace('&', "&amp;").replace('<', "&lt;")),
            other => panic!("{other:?} is not sent here"),
        };
        let name = NAMES[sent.name][sent.spelling];
        format!("<PROPERTY NAME=\"{name}\" TYPE=\"{}\">{text}</PROPERTY>", sent.ty)
    });
    format!("<INSTANCE CLASSNAME=\"{class}\">{}</INSTANCE>", properties.collect::<String>())
}

fn store(decoder: &mut Decoder, store: &mut RowStore) {
    let decoded = decoder.take();
    decoded.shapes.into_iter().for_each(|(id, shape)| store.add_shape(id, shape));
    for batch in decoded.rows {
        assert_eq!(store.push(batch), 0, "a row comes after its shape");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_row_reads_back_what_was_sent_for_it(
        rows in prop::collection::vec((prop::sample::select(&["A", "a", "B"][..]), properties()), 1..12),
        size in 1_usize..400,
    ) {
        let items = rows.iter().map(|(class, row)| written(class, row)).collect::<String>();
        let body = format!(
            "<CIM><MESSAGE><SIMPLERSP><IMETHODRESPONSE><IRETURNVALUE>{items}</IRETURNVALUE></IMETHODRESPONSE></SIMPLERSP></MESSAGE></CIM>"
        );
        let mut decoder = Decoder::new(Expect::Instances, Limits::default(), None, None);
        let mut kept = RowStore::default();
        for piece in body.as_bytes().chunks(size) {
            decoder.feed(piece).unwrap();
            store(&mut decoder, &mut kept);
        }
        decoder.finish().unwrap();
        store(&mut decoder, &mut kept);
        prop_assert_eq!(kept.len(), rows.len());
        for (number, (class, row)) in rows.iter().enumerate() {
            let instance = kept.instance(number).unwrap();
            prop_assert!(instance.class == **class);
            prop_assert_eq!(instance.properties.len(), row.len());
            for sent in row {
                let found = instance.property(NAMES[sent.name][0]).unwrap();
                prop_assert_eq!((&found.value.value, found.value.ty), (&sent.value, sent.ty));
                let column = kept.column(&found.name).unwrap();
                prop_assert_eq!(kept.cell(number, column).to_value(), Some(sent.value.clone()));
            }
            let absent = (0..kept.columns().len()).filter(|at| kept.cell(number, *at) == CellRef::Absent).count();
            prop_assert_eq!(absent, kept.columns().len() - row.len());
        }
    }
}
