//! Each step has its own time-out, and the whole operation one.

use std::time::Duration;

use lazycim::op::{ErrorKind, OpEventKind, Phase, Timeouts};

use super::{cancel::STALLS, stage::*};

/// A time-out against servers that never answer.
const SHORT: Duration = Duration::from_millis(100);

#[tokio::test]
async fn each_step_has_its_own() {
    let long = Timeouts::default();
    for subject in SUBJECTS {
        for (phase, scenario) in STALLS {
            let timeouts = match phase {
                Phase::Wait => Timeouts { first_byte: SHORT, ..long },
                Phase::Receive => Timeouts { idle: SHORT, ..long },
                _ => Timeouts { connect: SHORT, ..long },
            };
            for timeouts in [timeouts, Timeouts { total: Some(SHORT), ..long }] {
                let stage = Stage::new(subject, Some(phase), scripted(scenario), timeouts).await;
                let (id, events) = stage.start(class());
                let seen = ended(id, rest(Vec::new(), events).await);
                let error = failure(id, &seen);
                assert_eq!(error.kind, ErrorKind::TimedOut, "{error}");
                // The total may run out earlier on a machine that is busy; paused time proves its phase in tests/engine.
                assert!(timeouts.total.is_some() || error.phase == phase, "{error}");
                assert!(!error.hint.is_empty());
                stage.idle().await;
            }
        }
    }
}

#[tokio::test]
async fn a_pull_that_is_not_answered_is_closed_behind() {
    for subject in SUBJECTS {
        let timeouts = Timeouts { first_byte: SHORT, ..Timeouts::default() };
        let stage = Stage::new(subject, None, spoken(subject, "pull_is_not_answered"), timeouts).await;
        let (id, events) = stage.start(pulled());
        let seen = ended(id, rest(Vec::new(), events).await);
        let error = failure(id, &seen);
        assert_eq!((error.kind, error.phase, rows(id, &seen)), (ErrorKind::TimedOut, Phase::Wait, 1));
        assert!(matches!(clean_up(id, &seen), Some((_, OpEventKind::Finished(_)))), "{seen:#?}");
        stage.idle().await;
    }
}

#[tokio::test]
async fn an_opening_that_is_not_answered_is_warned_of() {
    for subject in SUBJECTS {
        let timeouts = Timeouts { first_byte: SHORT, ..Timeouts::default() };
        let stage = Stage::new(subject, None, spoken(subject, "open_is_not_answered"), timeouts).await;
        let (id, events) = stage.start(pulled());
        let seen = ended(id, rest(Vec::new(), events).await);
        assert_eq!(failure(id, &seen).kind, ErrorKind::TimedOut);
        let warned = seen.iter().any(|event| {
            matches!(&event.kind, OpEventKind::Warning(warning) if warning.cause().contains("until it expires"))
        });
        assert!(warned, "{seen:#?}");
        stage.idle().await;
    }
}
