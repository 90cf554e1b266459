//! What each captured answer holds.
use libtest_mimic::Failed;

use super::{Answer, Outcome};

/// Whether the server closed without a byte.
pub fn is_silent(_name: &str) -> bool {
    true
}

/// Checks one outcome.
pub fn check(name: &str, operation: &str, answer: &Answer, whole: &Outcome) -> Result<(), Failed> {
    if std::env::var_os("DUMP").is_some() {
        eprintln!(
            "{name}|{operation}|{}|rows {}|classes {}|names {}|err {:?}|end {:?}|warn {:?}|shapes {}|params {}|val {}",
            answer.status,
            whole.rows(),
            whole.classes.len(),
            whole.names.len(),
            whole.error.as_ref().map(|e| e.status.0),
            whole.end.as_ref().map(ToString::to_string),
            whole.warning,
            whole.shapes.len(),
            whole.parameters.len(),
            whole.value.is_some()
        );
    }
    Ok(())
}
