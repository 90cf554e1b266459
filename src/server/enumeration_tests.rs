//! The table of open enumerations, by a clock of its own.
#![allow(clippy::unwrap_used)]

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn shape() -> Shape {
    Shape {
        kind: Kind::Paths,
        namespace: Namespace::new("root/a"),
        properties: None,
        class_origin: false,
        known_to: None,
        timeout: MINUTE,
    }
}

fn rows(count: usize, values: usize) -> VecDeque<Kept> {
    let path = ObjectPath { host: None, namespace: None, class: CimName::new("A"), keys: Vec::new() };
    (0..count).map(|_| Kept { path: path.clone(), values: vec![CimValue::Null; values] }).collect()
}

fn opened(table: &Enumerations, rows: VecDeque<Kept>, now: Instant) -> String {
    table.open(shape(), rows, &mut at_most(0), false, now).unwrap().context.unwrap()
}

#[test]
fn an_enumeration_nobody_touches_expires_and_each_touch_gives_it_its_time_again() {
    let (table, start) = (Enumerations::default(), Instant::now());
    let context = opened(&table, rows(3, 0), start);
    let namespace = Namespace::new("root/a");
    let pull = |now| {
        table
            .pull(&context, Some(&namespace), |kind| kind == Kind::Paths, &mut at_most(1), now)
            .map(|page| page.rows.len())
    };
    assert_eq!(pull(start + MINUTE / 2), Some(1));
    assert_eq!(pull(start + MINUTE), Some(1), "half a minute after the last");
    assert_eq!(pull(start + MINUTE * 2), None);
    assert_eq!(*table.count().borrow(), 0);
    assert!(!table.close(&context, Some(&namespace), start), "expired is closed");
}

#[test]
fn all_of_them_together_hold_no_more_than_their_share_of_values() {
    let (table, now) = (Enumerations::default(), Instant::now());
    let namespace = Namespace::new("root/a");
    let half = || rows(VALUES_MAX / 20, 9);
    let (one, two) = (opened(&table, half(), now), opened(&table, half(), now));
    assert_eq!(table.open(shape(), rows(1, 0), &mut at_most(0), false, now).unwrap_err(), Refused::Full);
    assert!(
        table.pull(&one, Some(&namespace), |kind| kind == Kind::Paths, &mut at_most(1), now).is_some(),
        "what is told is held no more"
    );
    let small = opened(&table, rows(2, 0), now);
    for context in [&one, &two, &small] {
        assert!(table.close(context, Some(&namespace), now));
    }
    assert_eq!(table.table().values, 0);
    opened(&table, half(), now + MINUTE);
}

#[tokio::test(start_paused = true)]
async fn what_expires_is_forgotten_though_nobody_asks() {
    let table = Arc::new(Enumerations::default());
    let mut count = table.count();
    let forgetting = Arc::clone(&table);
    let task = tokio::spawn(async move { forgetting.forget_in_time().await });
    let began = Instant::now();
    opened(&table, rows(1, 0), began);
    opened(&table, rows(1, 0), began + MINUTE / 2);
    assert_eq!(*count.borrow(), 2);
    count.wait_for(|open| *open == 1).await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 60);
    count.wait_for(|open| *open == 0).await.unwrap();
    assert_eq!((began.elapsed().as_secs(), table.table().values), (90, 0));
    task.abort();
}
