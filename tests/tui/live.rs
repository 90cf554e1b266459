//! The whole program but for the terminal: this computer, over a real connection to the embedded server.

use crossterm::event::Event;
use lazycim::{
    op::lifecycle::Outcome,
    session::store::SessionsFile,
    tui::{run::End, terminal::CLIPBOARD_BYTES},
};

use super::harness::Harness;

#[tokio::test]
async fn a_person_walks_from_the_session_to_a_property() {
    let mut harness = Harness::new(120, 40);
    harness.run_until_idle().await;
    assert!(harness.screen().contains("this-computer"));
    assert!(harness.screen().contains("idle, no connections"));

    harness.press("enter").await;
    assert!(harness.screen().contains("root/cimv2"), "{}", harness.screen());
    assert!(harness.screen().contains("root/interop"), "{}", harness.screen());

    harness.press("j enter").await;
    assert!(harness.screen().contains("CIM_ManagedElement"), "{}", harness.screen());

    harness.press("/ \"lc_process\" enter").await;
    harness.press("enter").await;
    let table = harness.front.state().table().expect("a table");
    assert!(table.total() > 0, "{}", harness.screen());
    assert!(harness.screen().contains("*Handle"), "{}", harness.screen());

    harness.press("3 enter").await;
    assert!(harness.screen().contains("Detail"));
    assert!(harness.front.state().detail().instance().is_some(), "{}", harness.screen());
    assert!(harness.screen().contains("idle, no connections"), "{}", harness.screen());
}

#[tokio::test]
async fn a_person_walks_along_associations_and_back() {
    let mut harness = Harness::new(120, 40);
    harness.press("enter").await;
    harness.press("j enter").await;
    harness.press(": \"LC_OperatingSystem\" enter").await;
    harness.press("A").await;
    assert!(harness.screen().contains("as GroupComponent"), "{}", harness.screen());
    harness.press("/ \"LC_OSProcess\" enter").await;
    harness.press("j enter").await;
    let table = harness.front.state().table().expect("a table");
    assert!(table.total() > 0 && table.class().is_some_and(|class| class == "LC_Process"), "{}", harness.screen());
    assert!(harness.screen().contains("via LC_OSProcess"), "{}", harness.screen());
    let operations = harness.front.state().operations();
    for row in operations.shown() {
        assert!(matches!(row.timeline.outcome, Some((_, Outcome::Finished(_)))), "{}", harness.screen());
        assert_eq!(row.timeline.opened(), row.timeline.closed(), "{} {}", row.id, row.name);
    }
    let ran = operations.len();
    harness.press("A").await;
    assert!(harness.screen().contains("as PartComponent"), "{}", harness.screen());
    harness.press("esc esc h").await;
    assert!(harness.screen().contains("as GroupComponent"), "{}", harness.screen());
    assert_eq!(harness.front.state().operations().len(), ran + 1, "going back asks for nothing");
}

#[tokio::test]
async fn a_query_is_asked_and_corrected() {
    let mut harness = Harness::new(120, 40);
    harness.press("enter").await;
    harness.press("j enter").await;
    harness.press("Q ctrl-u \"SELECT\" space \"Handle,Name\" space \"FORM\" space \"LC_Process\" enter").await;
    assert!(harness.screen().contains("CIM_ERR_INVALID_QUERY"), "{}", harness.screen());
    assert!(harness.screen().contains("Q lets the query be corrected"), "{}", harness.screen());
    harness.press("Q ctrl-u \"SELECT\" space \"Handle,Name\" space \"FROM\" space \"LC_Process\" enter").await;
    let table = harness.front.state().table().expect("a table");
    let columns = table.columns().iter().map(|column| column.name.as_str()).collect::<Vec<_>>();
    assert_eq!(columns, ["Handle", "Name"], "{}", harness.screen());
    assert!(table.total() > 0 && table.cell(0, 0).is_some(), "{}", harness.screen());
}

#[tokio::test]
async fn every_operation_has_closed_what_it_opened() {
    let mut harness = Harness::new(120, 40);
    harness.press("enter").await;
    harness.press("j enter").await;
    harness.press(": \"LC_OperatingSystem\" enter").await;
    let operations = harness.front.state().operations();
    assert!(operations.len() >= 3);
    for row in operations.shown() {
        assert!(matches!(row.timeline.outcome, Some((_, Outcome::Finished(_)))), "{}", harness.screen());
        assert_eq!(row.timeline.opened(), row.timeline.closed(), "{} {}", row.id, row.name);
    }
}

#[tokio::test]
async fn at_rest_nothing_is_drawn() {
    let mut harness = Harness::new(80, 24);
    harness.press("enter").await;
    let frames = harness.front.frames();
    // A key that means nothing here wakes the loop; what it then owes is at most the one frame for it.
    harness.send(Event::FocusGained);
    harness.front.step().await.unwrap();
    assert!(harness.front.is_idle());
    assert_eq!(harness.front.frames(), frames);
}

#[tokio::test]
async fn a_burst_of_keys_is_one_frame() {
    let mut harness = Harness::new(80, 24);
    harness.press("enter").await;
    let frames = harness.front.frames();
    harness.press("j k j k j k j k j k j k j k j k").await;
    assert!(harness.front.frames() <= frames + 2, "{} frames", harness.front.frames() - frames);
}

#[tokio::test]
async fn ctrl_q_ends_the_loop() {
    let mut harness = Harness::new(80, 24);
    harness.press("ctrl-q").await;
    assert_eq!(harness.front.end(), Some(End::Quit));
    assert_eq!(harness.front.run().await.unwrap(), End::Quit);
}

#[tokio::test]
async fn ctrl_z_suspends() {
    let mut harness = Harness::new(80, 24);
    harness.press("ctrl-z").await;
    assert_eq!(harness.front.screen().suspended, 1);
    assert_eq!(harness.front.end(), None);
}

#[tokio::test]
async fn what_is_copied_reaches_the_clipboard_and_too_much_does_not() {
    let mut harness = Harness::new(120, 40);
    harness.press("enter").await;
    harness.press("j enter").await;
    harness.press(": \"LC_OperatingSystem\" enter").await;
    harness.press("3 y p").await;
    let copied = &harness.front.screen().copied;
    assert!(copied.iter().any(|text| text.contains("LC_OperatingSystem")), "{copied:?}\n{}", harness.screen());

    let name = "n".repeat(CLIPBOARD_BYTES + 1);
    let text = format!("version = 1\n[[session]]\nid = \"long\"\nname = \"{name}\"\ncomputer = \"127.0.0.1\"\n");
    let mut harness = Harness::with_sessions(100, 30, SessionsFile::parse("sessions.toml", &text));
    harness.press("j y y").await;
    assert!(harness.front.screen().copied.is_empty());
    assert!(harness.screen().contains("not copied"), "{}", harness.screen());
}

#[tokio::test]
async fn a_typed_secret_stays_out_of_state_and_screen() {
    let text = "version = 1\n[[session]]\nid = \"closed\"\nname = \"closed\"\ncomputer = \"127.0.0.1\"\n\
                protocol = \"cimxml\"\nport = 1\nnamespace = \"root/cimv2\"\n\
                auth = { mechanism = \"basic\", user = \"ann\", secret = \"prompt\" }\n";
    let mut harness = Harness::with_sessions(100, 30, SessionsFile::parse("sessions.toml", text));
    harness.run_until_idle().await;
    for key in ["j", "enter"] {
        harness.send(super::harness::event_of_text(key));
    }
    harness.run_until(|state| state.wants_secret().is_some()).await;
    harness.send(Event::Paste("hunter2\n".to_owned()));
    harness.run_until(|state| state.wants_secret().is_some_and(|prompt| prompt.length == 7)).await;
    assert!(!harness.screen().contains("hunter2"));
    assert!(!format!("{:?}", harness.front.state()).contains("hunter2"));
    harness.press("enter").await;
    // Port 1 answers nobody: the secret was taken, and the operation went on to connect.
    assert!(harness.front.state().wants_secret().is_none());
    assert!(!format!("{:?}", harness.front.state()).contains("hunter2"));
    assert!(harness.screen().contains("failed"), "{}", harness.screen());
}
