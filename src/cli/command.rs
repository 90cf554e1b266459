//! The commands: which operation each one is and how its answer is printed.
//!
//! Owns: the way from arguments to operations. Must not know how either is parsed or run.

use std::{path::PathBuf, process::ExitCode};

use clap::CommandFactory;

use super::{
    Arguments, Front, Start,
    args::{
        AssociatorsArguments, ClassFormat, ClassesFormat, Command, CommonArguments, GetFormat, InstancesArguments,
        InstancesFormat, ReferencesArguments, RowFormat,
    },
    config::{self, CheckFiles},
    failure::{Failure, say},
    operate::{Operator, Report, Stop},
    output::{Columns, InstanceReport, NamesReport, OneClass, RowOptions, RowsReport, SchemaReport, Screen},
    related, serve, sessions,
    target::{self, Chosen},
};
use crate::{
    cim::{CimName, CimStatus, KeyValue, Namespace, ObjectPath},
    config::{Config, Loaded, Paths, Source},
    op::{ErrorKind, Operation, OperationKind, OperationOptions},
    session::{preset::Danger, store::SessionsFile},
};

/// Runs the command, or says what the terminal UI starts with.
pub(super) fn dispatch(arguments: Arguments, check_files: CheckFiles) -> Result<Front, Failure> {
    if let Some(Command::Completions { shell }) = arguments.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "lazycim", &mut script);
        return in_runtime(async move { serve::print(&script).await });
    }
    let paths = Paths::discover();
    if let Some(Command::Config { command }) = arguments.command {
        return match config::text(command, &arguments.common, &paths, check_files) {
            Ok(text) => in_runtime(async move { serve::print(text.as_bytes()).await }),
            Err(failures) => Err(failures.into_iter().reduce(Failure::then).unwrap_or(Failure::signal(0))),
        };
    }
    let Loaded { config, problems, .. } = loaded(&arguments.common, &paths);
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem.into());
    }
    match arguments.command {
        None => {
            let sessions = SessionsFile::load(paths.sessions_file());
            let preselect = target::preselect(&arguments.target, &sessions)?;
            Ok(Front::Tui(Box::new(Start { config, paths, sessions, preselect })))
        }
        Some(Command::Serve(ref options)) => in_runtime(serve::run(options.clone(), arguments.target.clone())),
        Some(Command::Sessions { command }) => {
            in_runtime(sessions::run(command, arguments.target, arguments.common, config, paths))
        }
        Some(command) => {
            let sessions = SessionsFile::load(paths.sessions_file());
            let chosen = target::choose(&arguments.target, &arguments.common, &sessions)?;
            let (verbose, given) = (arguments.common.verbose, arguments.target.namespace);
            let reader = Reader { verbose, given, config, sessions_file: sessions.path, chosen };
            in_runtime(reader.run(command))
        }
    }
}

fn in_runtime(work: impl Future<Output = Result<(), Failure>>) -> Result<Front, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime
        .map_err(|error| Failure::local("start", "runtime", &error.to_string(), "check the limits of the process"))?;
    let done = runtime.block_on(work);
    // A thread that waits for a terminal or a pipe must not keep the process alive.
    runtime.shutdown_background();
    done.map(|()| Front::Done(ExitCode::SUCCESS))
}

/// The configuration with the flags of the command line.
pub(super) fn loaded(common: &CommonArguments, paths: &Paths) -> Loaded {
    // Variables that are not UTF-8 cannot be ours.
    let variables =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut loaded = Loaded::new(paths, common.config.as_deref(), variables);
    if let Some(time) = common.connect_timeout {
        loaded.config.timeouts.connect = time;
        loaded.note("timeouts", "connect", Source::Flag("--connect-timeout"));
    }
    if let Some(time) = common.timeout {
        loaded.config.timeouts.total = Some(time);
        loaded.note("timeouts", "total", Source::Flag("--timeout"));
    }
    loaded
}

/// A command that reads.
struct Reader {
    config: Config,
    /// Where commands for secrets stand.
    sessions_file: PathBuf,
    chosen: Chosen,
    /// What `-n` said.
    given: Option<crate::cim::Namespace>,
    verbose: bool,
}

impl Reader {
    async fn run(self, command: Command) -> Result<(), Failure> {
        // What is wrong with a path is told before anything is started.
        let path = match &command {
            Command::Get { path, .. } => Some(target::instance_path(path, &self.chosen.target, self.given.as_ref())?),
            Command::Associators(AssociatorsArguments { path, names, output, .. })
            | Command::References(ReferencesArguments { path, names, output, .. }) => {
                let path = target::instance_path(path, &self.chosen.target, self.given.as_ref())?;
                related::check(&path, *names, *output)?;
                Some(path)
            }
            _ => None,
        };
        warn_of_danger(&command, &self.chosen);
        let mut operator = Operator::open(&self.config, self.sessions_file, self.chosen, self.verbose)?;
        let done = match (command, path) {
            (Command::Namespaces { output }, _) => namespaces(&mut operator, output).await,
            (Command::Classes { of, deep, output }, _) => classes(&mut operator, of, deep, output).await,
            (Command::Class { name, output }, _) => class(&mut operator, name, output).await,
            (Command::Qualifiers { name, output }, _) => qualifiers(&mut operator, name, output).await,
            (Command::Instances(arguments), _) => instances(&mut operator, arguments).await,
            (Command::Get { output, .. }, Some(path)) => get(&mut operator, path, output).await,
            (Command::Query(arguments), _) => related::query(&mut operator, arguments).await,
            (Command::Associators(arguments), Some(path)) => related::associators(&mut operator, path, arguments).await,
            (Command::References(arguments), Some(path)) => related::references(&mut operator, path, arguments).await,
            // Without its path a command did not get here; the others run elsewhere.
            (
                Command::Get { .. }
                | Command::Associators(_)
                | Command::References(_)
                | Command::Serve(_)
                | Command::Config { .. }
                | Command::Sessions { .. }
                | Command::Completions { .. },
                _,
            ) => Ok(()),
        };
        operator.shut_down().await;
        done.or_else(Stop::into_result)
    }
}

/// Tells of a class that the session's preset lists as dangerous. Nobody is asked: whoever types the class means it.
fn warn_of_danger(command: &Command, chosen: &Chosen) {
    let Some(preset) = chosen.target.preset else { return };
    let danger = match command {
        Command::Instances(arguments) => preset.danger_of(&arguments.class),
        Command::Query(arguments) => preset.danger_of_query(&arguments.text),
        _ => None,
    };
    if let Some(Danger { class, reason }) = danger {
        say(&format!("lazycim: warning: {}: {class}: {reason}", chosen.name));
    }
}

async fn namespaces(operator: &mut Operator, format: RowFormat) -> Result<(), Stop> {
    let mut report = NamesReport::new(format, Screen::of_stdout(), None);
    operator.run(Operation::new(OperationKind::EnumerateNamespaces), &mut report).await
}

async fn classes(operator: &mut Operator, of: Option<CimName>, deep: bool, format: ClassesFormat) -> Result<(), Stop> {
    let (namespace, screen) = (operator.target().namespace.clone(), Screen::of_stdout());
    let names = |format| -> Box<dyn Report> { Box::new(NamesReport::new(format, screen, Some(namespace.clone()))) };
    let whole = |format| -> Box<dyn Report> { Box::new(SchemaReport::several(format, false, screen)) };
    let (mut report, names_only) = match format {
        ClassesFormat::Table => (names(RowFormat::Table), true),
        ClassesFormat::Json => (names(RowFormat::Json), true),
        ClassesFormat::Ndjson => (names(RowFormat::Ndjson), true),
        ClassesFormat::Csv => (names(RowFormat::Csv), true),
        ClassesFormat::Mof => (whole(ClassFormat::Mof), false),
        ClassesFormat::Xml => (whole(ClassFormat::Xml), false),
    };
    let kind = OperationKind::EnumerateClasses { parent: of, deep, names_only };
    operator.run(Operation::new(kind), &mut *report).await
}

/// All qualifier types in one frame, or the one called `name`.
async fn qualifiers(operator: &mut Operator, name: Option<CimName>, format: ClassFormat) -> Result<(), Stop> {
    let screen = Screen::of_stdout();
    let (kind, mut report) = match name {
        Some(name) => (OperationKind::GetQualifier { name }, SchemaReport::new(format, screen)),
        None => (OperationKind::EnumerateQualifiers, SchemaReport::several(format, false, screen)),
    };
    operator.run(Operation::new(kind), &mut report).await
}

async fn class(operator: &mut Operator, name: CimName, format: ClassFormat) -> Result<(), Stop> {
    let mut report = SchemaReport::new(format, Screen::of_stdout());
    operator.run(Operation::new(OperationKind::GetClass { class: name }), &mut report).await
}

async fn instances(operator: &mut Operator, arguments: InstancesArguments) -> Result<(), Stop> {
    let InstancesArguments { class, properties, keys_only, shallow, limit, filter, output } = arguments;
    let columns = match (&properties, output) {
        (Some(names), _) => Columns::Named(names.clone()),
        (None, InstancesFormat::Table | InstancesFormat::Csv) => columns_of(operator, &class, None).await?,
        (None, InstancesFormat::Json | InstancesFormat::Ndjson | InstancesFormat::Xml) => Columns::FirstShape,
    };
    let mut operation = Operation::new(OperationKind::EnumerateInstances { class });
    operation.options = OperationOptions {
        property_list: properties,
        keys_only,
        shallow,
        max_rows: limit,
        filter: filter.into_query(),
        ..OperationOptions::default()
    };
    let options = RowOptions { columns, keys_only, located: false, limit, screen: Screen::of_stdout() };
    operator.run(operation, &mut RowsReport::new(output, options)).await
}

/// The columns of the class that is asked for; where the server cannot say, those of the first row.
pub(super) async fn columns_of(
    operator: &mut Operator,
    class: &CimName,
    namespace: Option<Namespace>,
) -> Result<Columns, Stop> {
    let mut report = OneClass::default();
    let options = OperationOptions { namespace, ..OperationOptions::default() };
    let kind = OperationKind::GetClass { class: class.clone() };
    let fetched = operator.run(Operation { kind, options }, &mut report).await;
    match (fetched, report.class) {
        (Ok(()), Some(class)) => Ok(Columns::Class(class)),
        (Ok(()), None) => Ok(Columns::FirstShape),
        (Err(Stop::Failed(error)), _) if can_do_without(&error.kind) => Ok(Columns::FirstShape),
        (Err(stop), _) => Err(stop),
    }
}

/// Whether instances may be readable though the class was not.
fn can_do_without(kind: &ErrorKind) -> bool {
    match kind {
        ErrorKind::NotSupported => true,
        ErrorKind::Cim(error) => {
            let hopeless = [CimStatus::INVALID_CLASS, CimStatus::INVALID_NAMESPACE, CimStatus::ACCESS_DENIED];
            !hopeless.contains(&error.status)
        }
        _ => false,
    }
}

async fn get(operator: &mut Operator, mut path: ObjectPath, format: GetFormat) -> Result<(), Stop> {
    // Only the class can tell a string that looks like a path from a reference, and whose an unnamed key is.
    let unclear =
        |key: &crate::cim::KeyBinding| key.name.as_str().is_empty() || matches!(key.value, KeyValue::Reference(_));
    let in_namespace = OperationOptions { namespace: path.namespace.clone(), ..OperationOptions::default() };
    let mut report = InstanceReport::new(format, Screen::of_stdout());
    if path.keys.iter().any(unclear) {
        let mut fetched = OneClass::default();
        let kind = OperationKind::GetClass { class: path.class.clone() };
        let ended = operator.run(Operation { kind, options: in_namespace.clone() }, &mut fetched).await;
        match (ended, fetched.class) {
            (Ok(()), Some(class)) => path = path.typed_by(&class),
            (Ok(()), None) => {}
            (Err(Stop::Failed(error)), _) if can_do_without(&error.kind) => {}
            (Err(Stop::Failed(error)), _) => return Err(operator.fail(error, &mut report).await),
            (Err(stop), _) => return Err(stop),
        }
    }
    operator.run(Operation { kind: OperationKind::GetInstance { path }, options: in_namespace }, &mut report).await
}
