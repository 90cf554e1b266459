//! `lazycim sessions test`: whether servers answer.
//!
//! Owns: one test a session, and a line for each as it ends. Must not know what a test does: that is the protocol's.

use super::SessionsFile;
use crate::{
    cli::{
        args::{CommonArguments, TargetArguments},
        failure::Failure,
        fan_out::{self, Errand, Means},
        operate::{Operator, Stop},
        target::{self, Choice},
        verbose::milliseconds,
    },
    config::{Config, Paths},
    op::{Operation, OperationKind, Phase},
};

/// The session called `name`, or those with the tags.
pub(super) fn choose(
    name: Option<String>,
    mut flags: TargetArguments,
    common: &CommonArguments,
    paths: &Paths,
) -> Result<Choice, Failure> {
    if name.is_some() != flags.tags.is_empty() {
        return Err(Failure::usage("usage", "sessions test", "it takes one of NAME and --tag", "sessions test NAME"));
    }
    flags.session = name;
    target::choose(&flags, common, &SessionsFile::load(paths.sessions_file()))
}

/// Tests the sessions of `choice` and tells how each did.
pub(super) async fn run(choice: Choice, verbose: bool, config: Config, paths: &Paths) -> Result<(), Failure> {
    let width = choice.sessions.iter().map(|one| one.name.chars().count()).max().unwrap_or(0);
    fan_out::run(choice, &Trial { width }, Means { config, sessions_file: paths.sessions_file(), verbose }).await
}

struct Trial {
    /// The characters of the longest name.
    width: usize,
}

impl Errand for Trial {
    async fn run(&self, operator: &mut Operator<'_>) -> Result<(), Stop> {
        let ended = operator.run(Operation::new(OperationKind::TestConnection)).await;
        let took = milliseconds(operator.took());
        let said = match &ended {
            Ok(()) => format!("ok      {took} ms"),
            Err(Stop::Failed(error)) => format!("failed  {took} ms  {}", error.phase),
            Err(Stop::Refused(_)) => format!("failed  {took} ms  {}", Phase::Queue),
            Err(_) => return ended,
        };
        operator.put(&format!("{:width$}  {said}", operator.name(), width = self.width)).await?;
        ended
    }
}
