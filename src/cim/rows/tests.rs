//! Tests of how rows are kept.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::cim::{ClassProperty, KeyValue, Qualifier};

fn shape(class: &str, columns: &[&str], keys: &[&str]) -> Shape {
    Shape {
        class: CimName::new(class),
        namespace: Some(Namespace::new("root/cimv2")),
        host: None,
        columns: columns.iter().map(|name| Column::new(CimName::new(name), CimType::String)).collect(),
        path_keys: keys.iter().map(|name| CimName::new(name)).collect(),
    }
}

fn row(writer: &mut RowWriter, shape: u32, cells: &[CellRef<'_>], keys: &[KeyValue]) {
    writer.begin(ShapeId(shape));
    for cell in cells {
        writer.cell(*cell);
    }
    for key in keys {
        writer.key(key.clone());
    }
    writer.end();
}

fn values() -> Vec<CimValue> {
    vec![
        CimValue::Array(vec![CimValue::Null, CimValue::UInt(3)]),
        CimValue::Reference(Box::new("root:A.k=1".parse().unwrap())),
        CimValue::Instance(Box::new(CimInstance::new("In"))),
        CimValue::Class(Box::new(CimClass::new("Cl"))),
        CimValue::Array(Vec::new()),
    ]
}

fn every_cell(values: &[CimValue]) -> Vec<CellRef<'_>> {
    let when = "20261122******.******-480".parse().unwrap();
    let mut cells = vec![
        CellRef::Absent,
        CellRef::Null,
        CellRef::Bool(true),
        CellRef::Bool(false),
        CellRef::UInt(0),
        CellRef::UInt(127),
        CellRef::UInt(128),
        CellRef::UInt(u64::MAX),
        CellRef::SInt(-1),
        CellRef::SInt(i64::MIN),
        CellRef::SInt(i64::MAX),
        CellRef::Real(-0.0),
        CellRef::Real(f64::MAX),
        CellRef::Char16(0xd800),
        CellRef::Text(""),
        CellRef::Text("Grüße\0"),
        CellRef::DateTime(when),
        CellRef::Untyped("7"),
    ];
    cells.extend(values.iter().map(CellRef::Value));
    cells
}

#[test]
fn every_kind_of_cell_comes_back_at_every_position() {
    let (values, mut writer) = (values(), RowWriter::default());
    let cells = every_cell(&values);
    let reversed = cells.iter().rev().copied().collect::<Vec<_>>();
    row(&mut writer, 0, &cells, &[]);
    row(&mut writer, 0, &reversed, &[]);
    let batch = writer.take();
    assert_eq!(batch.len(), 2);
    for (number, wanted) in [&cells, &reversed].into_iter().enumerate() {
        let wanted = wanted.iter().map(|cell| cell.to_value()).collect::<Vec<_>>();
        let one_by_one = (0..wanted.len()).map(|at| batch.cell(number, at).to_value()).collect::<Vec<_>>();
        assert_eq!(one_by_one, wanted);
        assert_eq!(batch.cells(number).map(CellRef::to_value).collect::<Vec<_>>(), wanted);
    }
    assert_eq!(batch.cell(0, cells.len()), CellRef::Absent);
    assert_eq!(batch.cell(2, 0), CellRef::Absent);
    assert_eq!((batch.cells(2).count(), batch.keys(2)), (0, Vec::new()));
    for cell in cells {
        let back = cell.to_value();
        let mut writer = RowWriter::default();
        writer.begin(ShapeId(0));
        back.clone().into_iter().for_each(|value| writer.value(value));
        writer.end();
        assert_eq!(writer.take().cell(0, 0).to_value(), back);
    }
}

#[test]
fn keys_come_back_whether_a_cell_holds_them_or_not() {
    let reference = "root:B.x=\"1\"".parse::<ObjectPath>().unwrap();
    let value = CimValue::Reference(Box::new(reference.clone()));
    let when = "20261122174500.000000+000".parse().unwrap();
    let cells = [
        CellRef::Text("same"),
        CellRef::UInt(5),
        CellRef::SInt(6),
        CellRef::SInt(-7),
        CellRef::Bool(true),
        CellRef::Real(1.5),
        CellRef::DateTime(when),
        CellRef::Value(&value),
        CellRef::Char16(65),
        CellRef::Null,
    ];
    let keys = [
        KeyValue::String("same".into()),
        KeyValue::String("other".into()),
        KeyValue::UInt(5),
        KeyValue::UInt(6),
        KeyValue::SInt(-7),
        KeyValue::SInt(-8),
        KeyValue::UInt(u64::MAX),
        KeyValue::Bool(true),
        KeyValue::Bool(false),
        KeyValue::Real(1.5),
        KeyValue::Real(2.5),
        KeyValue::String(when.as_str().into()),
        KeyValue::Reference(Box::new(reference)),
        KeyValue::Reference(Box::new("root:C.x=2".parse().unwrap())),
        KeyValue::String("A".into()),
    ];
    let mut writer = RowWriter::default();
    row(&mut writer, 0, &cells, &keys);
    row(&mut writer, 0, &[], &keys);
    let batch = writer.take();
    assert_eq!(batch.keys(0), keys);
    assert_eq!(batch.keys(1), keys);
    let plain = {
        row(&mut writer, 0, &cells, &[]);
        writer.take()
    };
    let short = {
        row(&mut writer, 0, &cells, &keys[..1]);
        writer.take()
    };
    assert_eq!(short.size(), plain.size() + 2, "a key equal to a cell takes two bytes");
}

#[test]
fn an_unfinished_row_leaves_nothing_behind() {
    let mut writer = RowWriter::default();
    row(&mut writer, 0, &[CellRef::UInt(1)], &[]);
    let before = writer.take().size();
    writer.begin(ShapeId(0));
    writer.value(CimValue::Array(vec![CimValue::UInt(1); 100]));
    writer.key(KeyValue::UInt(1));
    row(&mut writer, 0, &[CellRef::UInt(1)], &[]);
    let batch = writer.take();
    assert_eq!((batch.len(), batch.size(), batch.keys(0)), (1, before, Vec::new()));
    writer.end();
    assert!(writer.is_empty(), "end without begin is no row");
}

#[test]
fn a_batch_can_be_cut_and_says_when_it_is_full() {
    let mut writer = RowWriter::default();
    for number in 0..BATCH_ROWS as u64 {
        assert!(!writer.is_full());
        row(&mut writer, 0, &[CellRef::UInt(number)], &[]);
    }
    assert!(writer.is_full());
    let mut batch = writer.take();
    let size = batch.size();
    batch.truncate(3);
    assert_eq!(batch.len(), 3);
    assert_eq!(batch.cell(2, 0), CellRef::UInt(2));
    assert!(batch.size() < size / 10);
    let text = "x".repeat(BATCH_BYTES);
    row(&mut writer, 0, &[CellRef::Text(&text)], &[]);
    assert!(writer.is_full());
}

#[test]
fn a_store_shows_the_union_of_its_shapes() {
    let mut store = RowStore::default();
    store.add_shape(ShapeId(0), Arc::new(shape("A", &["Id", "Name"], &["Id"])));
    store.add_shape(ShapeId(1), Arc::new(shape("B", &["Extra", "ID"], &["Id"])));
    let names = store.columns().iter().map(|union| union.column.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["Id", "Name", "Extra"]);
    assert_eq!(store.column(&CimName::new("EXTRA")), Some(2));
    let mut writer = RowWriter::default();
    row(&mut writer, 0, &[CellRef::Text("1"), CellRef::Null], &[KeyValue::String("1".into())]);
    row(&mut writer, 7, &[CellRef::Text("lost")], &[]);
    row(&mut writer, 1, &[CellRef::Text("more"), CellRef::Text("2")], &[KeyValue::String("2".into())]);
    assert_eq!(store.push(writer.take()), 1, "a row without a shape is dropped and counted");
    row(&mut writer, 1, &[], &[]);
    assert_eq!(store.push(writer.take()), 0);
    assert_eq!(store.len(), 3);
    let table = (0..4).map(|row| (0..4).map(|column| store.cell(row, column)).collect::<Vec<_>>()).collect::<Vec<_>>();
    use CellRef::{Absent, Null, Text};
    assert_eq!(
        (0..4).map(|row| store.cells(row)).collect::<Vec<_>>(),
        table.iter().map(|row| row[..store.columns().len()].to_vec()).collect::<Vec<_>>()
    );
    assert_eq!(
        table,
        [[Text("1"), Null, Absent, Absent], [Text("2"), Absent, Text("more"), Absent], [Absent; 4], [Absent; 4],]
    );
    assert_eq!(store.path(1).unwrap().to_string(), "root/cimv2:B.Id=\"2\"");
    assert_eq!((store.path(2), store.path(3)), (None, None), "no keys, no path; no row, no path");
    let instance = store.instance(0).unwrap();
    assert_eq!(instance.properties.len(), 2);
    assert_eq!(instance.property("name").unwrap().value.value, CimValue::Null);
    assert!(store.instance(3).is_none() && store.shape_of(3).is_none() && store.row(3).is_none());
    assert_eq!(store.shape_of(1).unwrap().class, CimName::new("B"));
}

#[test]
fn a_shape_sent_again_teaches_the_columns() {
    let mut first = shape("A", &["Id", "Size"], &[]);
    first.columns[1].ty = None;
    let mut store = RowStore::default();
    store.add_shape(ShapeId(0), Arc::new(first.clone()));
    let mut writer = RowWriter::default();
    row(&mut writer, 0, &[CellRef::Text("1"), CellRef::Untyped("7")], &[]);
    store.push(writer.take());
    let mut class = CimClass::new("A");
    for (name, ty) in
        [("size", CimType::UInt64), ("Id", CimType::String), ("Late", CimType::Boolean), ("Unasked", CimType::String)]
    {
        let mut property = ClassProperty::new(name, ty);
        if name == "Id" {
            property.qualifiers.push(Qualifier::new("Key", TypedValue::scalar(CimType::Boolean, CimValue::Bool(true))));
        }
        class.properties.push(property);
    }
    let wanted = ["ID", "SIZE", "LATE"].map(CimName::new);
    let completed = first.completed(&class, Some(&wanted));
    let names = completed.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["Id", "Size", "Late"]);
    store.add_shape(ShapeId(0), Arc::new(completed));
    assert_eq!(store.shapes().len(), 1);
    let types = store.columns().iter().map(|union| (union.column.ty, union.column.is_key)).collect::<Vec<_>>();
    assert_eq!(types, [(Some(CimType::String), true), (Some(CimType::UInt64), false), (Some(CimType::Boolean), false)]);
    assert_eq!((store.cell(0, 1), store.cell(0, 2)), (CellRef::Untyped("7"), CellRef::Absent));
    store.add_shape(ShapeId(5), Arc::new(shape("Z", &["Z"], &[])));
    assert_eq!((store.shapes().len(), store.columns().len()), (1, 3), "a gap is not filled");
}

#[test]
fn a_hostile_shape_costs_no_more_than_its_size() {
    let names = (0..200_000).map(|number| format!("c{}", number / 2)).collect::<Vec<_>>();
    let names = names.iter().map(String::as_str).collect::<Vec<_>>();
    let mut store = RowStore::default();
    store.add_shape(ShapeId(0), Arc::new(shape("A", &names, &[])));
    assert_eq!(store.columns().len(), 100_000);
    let mut writer = RowWriter::default();
    row(&mut writer, 0, &[CellRef::Text("first"), CellRef::Text("second")], &[]);
    store.push(writer.take());
    assert_eq!(store.cell(0, 0), CellRef::Text("first"), "of two columns of one name the first counts");
    assert!(store.size() > 100_000);
}

/// Any value a cell can hold, or none.
fn arb_cell() -> impl Strategy<Value = Option<CimValue>> {
    prop_oneof![
        Just(None),
        Just(Some(CimValue::Null)),
        any::<bool>().prop_map(|value| Some(CimValue::Bool(value))),
        any::<u64>().prop_map(|value| Some(CimValue::UInt(value))),
        any::<i64>().prop_map(|value| Some(CimValue::SInt(value))),
        any::<f64>().prop_map(|value| Some(CimValue::Real(value))),
        any::<u16>().prop_map(|unit| Some(CimValue::Char16(unit))),
        any::<String>().prop_map(|text| Some(CimValue::String(text.into()))),
        any::<String>().prop_map(|text| Some(CimValue::Untyped(text.into()))),
        "[0-9*]{14}\\.[0-9*]{6}[-+:][0-9*]{3}".prop_map(|text| Some(CimValue::DateTime(text.parse().unwrap()))),
        prop::sample::select(values()).prop_map(Some),
        prop::collection::vec(any::<bool>().prop_map(CimValue::Bool), 0..3).prop_map(|it| Some(CimValue::Array(it))),
    ]
}

/// Any key, whether or not a cell holds it.
fn arb_key() -> impl Strategy<Value = KeyValue> {
    arb_cell().prop_filter_map("no key can have it", |cell| KeyValue::of(&cell?))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn rows_come_back(
        rows in prop::collection::vec((prop::collection::vec(arb_cell(), 0..6), prop::collection::vec(arb_key(), 0..3)), 0..10)
    ) {
        let mut writer = RowWriter::default();
        for (cells, keys) in &rows {
            writer.begin(ShapeId(0));
            for cell in cells {
                match cell {
                    Some(value) => writer.value(value.clone()),
                    None => writer.cell(CellRef::Absent),
                }
            }
            cells.iter().flatten().filter_map(KeyValue::of).chain(keys.clone()).for_each(|key| writer.key(key));
            writer.end();
        }
        let batch = writer.take();
        prop_assert_eq!(batch.len(), rows.len());
        for (at, (cells, keys)) in rows.iter().enumerate() {
            let back = batch.cells(at).map(CellRef::to_value).collect::<Vec<_>>();
            prop_assert_eq!(&back, cells);
            for (column, cell) in cells.iter().enumerate() {
                prop_assert_eq!(&batch.cell(at, column).to_value(), cell);
            }
            let keys = cells.iter().flatten().filter_map(KeyValue::of).chain(keys.clone()).collect::<Vec<_>>();
            prop_assert_eq!(batch.keys(at), keys);
        }
    }
}

fn any_value() -> impl Strategy<Value = CimValue> {
    let text = prop_oneof![
        prop::sample::select(vec!["", "abc", "a text that repeats", "a text that repeats."]).prop_map(str::to_owned),
        any::<String>(),
    ];
    let scalar = prop_oneof![
        Just(CimValue::Null),
        any::<bool>().prop_map(CimValue::Bool),
        any::<u64>().prop_map(CimValue::UInt),
        any::<i64>().prop_map(CimValue::SInt),
        text.clone().prop_map(|text| CimValue::string(&text)),
        text.prop_map(|text| CimValue::Untyped(text.into())),
        Just(CimValue::DateTime("20261122174500.000000+***".parse().unwrap())),
        prop::sample::select(vec!["a:A.k=\"a text that repeats\"", "A.k=1,l=TRUE", "a:B.r=\"a:A.k=1\"", "a:A"])
            .prop_map(|path| CimValue::Reference(Box::new(path.parse().unwrap()))),
        Just(CimValue::Instance(Box::new(CimInstance::new("In")))),
    ];
    prop_oneof![3 => scalar.clone(), 1 => prop::collection::vec(scalar, 0..80).prop_map(CimValue::Array)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_store_keeps_rows_as_they_came(
        rows in prop::collection::vec(prop::collection::vec(any_value(), 0..6), 1..40), size in 1_usize..12
    ) {
        let mut store = RowStore::default();
        store.add_shape(ShapeId(0), Arc::new(shape("A", &["a", "b", "c", "d", "e"], &["a", "b", "c", "d", "e"])));
        let mut writer = RowWriter::default();
        for rows in rows.chunks(size) {
            for row in rows {
                writer.begin(ShapeId(0));
                row.iter().for_each(|value| writer.value(value.clone()));
                row.iter().filter_map(KeyValue::of).for_each(|key| writer.key(key));
                writer.end();
            }
            prop_assert_eq!(store.push(writer.take()), 0);
        }
        prop_assert_eq!(store.len(), rows.len());
        for (at, row) in rows.iter().enumerate() {
            let (_, batch, number) = store.row(at).unwrap();
            let back = batch.cells(number).filter_map(CellRef::to_value).collect::<Vec<_>>();
            prop_assert_eq!(&back, row);
            prop_assert_eq!(batch.keys(number), row.iter().filter_map(KeyValue::of).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_text_that_repeats_is_kept_once_and_rows_fill_many_batches() {
    let mut store = RowStore::default();
    store.add_shape(ShapeId(0), Arc::new(shape("A", &["Same", "Own"], &[])));
    let same = "the same in every row".repeat(10);
    let own = |number: usize| format!("{number}").repeat(20);
    let mut writer = RowWriter::default();
    let mut texts = 0;
    for number in 0..20_000 {
        texts += own(number).len();
        row(&mut writer, 0, &[CellRef::Text(&same), CellRef::Text(&own(number))], &[]);
        if writer.is_full() {
            store.push(writer.take());
        }
    }
    store.push(writer.take());
    assert!(store.size() > 1 << 20 && store.size() - texts < 20_000 * 24, "{} bytes for {texts}", store.size());
    for number in (0..20_000).step_by(37) {
        assert_eq!(store.cells(number), [CellRef::Text(&same), CellRef::Text(&own(number))]);
    }
}

#[test]
fn what_stands_in_the_paths_is_a_key_without_a_class() {
    let mut store = RowStore::default();
    store.add_shape(ShapeId(0), Arc::new(shape("A", &["Name", "Id"], &["ID"])));
    let keys = store.columns().iter().map(|union| union.column.is_key).collect::<Vec<_>>();
    assert_eq!(keys, [false, true]);
}

#[test]
fn a_merged_result_says_whom_each_row_came_from_and_its_instances_do_not() {
    let mut store = RowStore::merged();
    assert!(store.is_origin(0) && !store.is_origin(1) && !RowStore::default().is_origin(0));
    let (web, esx) = (Arc::from("web01"), Arc::from("esx7"));
    // A property may be called as the column is.
    let of_web = store.add_shape_from(Arc::clone(&web), Arc::new(shape("A", &["Session", "Id"], &["Id"])));
    let of_esx = store.add_shape_from(Arc::clone(&esx), Arc::new(shape("A", &["Id", "More"], &["Id"])));
    let answer = |first: &str, second: &str| {
        let mut writer = RowWriter::default();
        row(&mut writer, 0, &[CellRef::Text(first), CellRef::Text(second)], &[KeyValue::String("1".into())]);
        row(&mut writer, 7, &[], &[]);
        writer.take()
    };
    for (number, mut batch) in [(of_esx, answer("1", "more")), (of_web, answer("s", "1"))] {
        batch.renumber(&[number]);
        assert_eq!(store.push(batch), 1, "a row of a shape nobody sent is dropped");
    }
    let names = store.columns().iter().map(|union| union.column.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["session", "Session", "Id", "More"]);
    let text = CellRef::Text;
    assert_eq!(store.cells(0), [text("esx7"), CellRef::Absent, text("1"), text("more")]);
    assert_eq!(store.cells(1), [text("web01"), text("s"), text("1"), CellRef::Absent]);
    assert_eq!((store.cell(1, 0), store.cell(1, 1), store.cell(2, 0)), (text("web01"), text("s"), CellRef::Absent));
    assert_eq!((store.origin(0), store.origin(1), store.origin(2)), (Some(&esx), Some(&web), None));
    let instance = store.instance(0).unwrap();
    assert_eq!(instance.properties.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["Id", "More"]);
    assert_eq!(store.column(&CimName::new("SESSION")), Some(1));
}
