//! The commands: which operation each one is and how its answer is printed.
//!
//! Owns: the way from arguments to operations. Must not know how either is parsed or run.

use std::process::ExitCode;

use clap::CommandFactory;

use super::{
    Arguments, Front, Start,
    args::{
        AssociatorsArguments, ClassFormat, ClassesFormat, Command, CommonArguments, GetFormat, InstancesArguments,
        InstancesFormat, QueryArguments, ReferencesArguments, RowFormat,
    },
    config::{self, CheckFiles},
    failure::{Failure, say},
    fan_out::{self, Errand, Means},
    operate::{Operator, Report, Stop},
    output::{Columns, InstanceReport, NamesReport, RowOptions, RowsReport, SchemaReport, Screen, SessionColumn},
    related, serve, sessions,
    target::{self, Choice, Chosen},
};
use crate::{
    cim::{CimName, KeyValue, Namespace, ObjectPath},
    config::{Config, Loaded, Paths, Source},
    engine::Settings,
    op::{Operation, OperationKind, OperationOptions},
    session::{Target, preset::Danger, store::SessionsFile},
};

/// Runs the command, or says what the terminal UI starts with.
pub(super) fn dispatch(arguments: Arguments, check_files: CheckFiles) -> Result<Front, Failure> {
    if let Some(Command::Completions { shell }) = arguments.command {
        arguments.target.only("completions", |_| false)?;
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "lazycim", &mut script);
        return in_runtime(async move { serve::print(&script).await });
    }
    let paths = Paths::discover();
    if let Some(Command::Config { command }) = arguments.command {
        arguments.target.only("config", |_| false)?;
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
            let choice = target::choose(&arguments.target, &arguments.common, &sessions)?;
            let reader = Reader::new(command, &choice, arguments.target.namespace.as_ref())?;
            if let (None, [one]) = (choice.throttle, &choice.sessions[..]) {
                can_be_asked(one, &config)?;
            }
            let (sessions_file, verbose) = (sessions.path, arguments.common.verbose);
            in_runtime(async move { fan_out::run(choice, &reader, Means { config, sessions_file, verbose }).await })
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

/// Whether there is a use in asking a session that was named alone; of several, each fails when it is asked.
fn can_be_asked(one: &Chosen, config: &Config) -> Result<(), Failure> {
    let Chosen { name, target } = one;
    if let Some((preset, missing)) = target::unbuilt(target) {
        let cause = format!("its preset {preset} needs {missing}, which this version does not have");
        return Err(Failure::usage("usage", name, &cause, "--url URL, or a session without the preset"));
    }
    if !Settings::new(config).speaks(target) {
        let cause = format!("this version does not speak {}", target.protocol);
        return Err(Failure::usage("usage", name, &cause, "cimxml+https://HOST, if the server speaks it"));
    }
    target::check_secret(target)
}

/// A command that reads.
struct Reader {
    command: Command,
    /// What its PATH says.
    path: Option<ObjectPath>,
}

impl Reader {
    /// Checks what can be checked before anything is started.
    fn new(command: Command, choice: &Choice, given: Option<&Namespace>) -> Result<Self, Failure> {
        let path = match &command {
            Command::Get { path, .. }
            | Command::Associators(AssociatorsArguments { path, .. })
            | Command::References(ReferencesArguments { path, .. }) => Some(target::object_path(path, given)?),
            _ => None,
        };
        if let (
            Command::Associators(AssociatorsArguments { names, output, .. })
            | Command::References(ReferencesArguments { names, output, .. }),
            Some(path),
        ) = (&command, &path)
        {
            related::check(path, *names, *output)?;
        }
        if choice.throttle.is_some() && is_xml(&command) {
            let cause = "an element has no place for the session it is of";
            return Err(Failure::usage("usage", "-o xml", cause, "another format, or -s NAME"));
        }
        let reader = Self { command, path };
        let failures: Vec<Failure> =
            choice.sessions.iter().filter_map(|one| reader.path_on(&one.target).err()).collect();
        if failures.len() == choice.sessions.len()
            && let Some(first) = failures.into_iter().next()
        {
            return Err(first);
        }
        choice.sessions.iter().for_each(|one| reader.warn_of_danger(one));
        Ok(reader)
    }

    /// Tells of what the session's preset lists as dangerous. Nobody is asked: whoever types it means it.
    fn warn_of_danger(&self, one: &Chosen) {
        let Some(preset) = one.target.preset else { return };
        let namespace = self.path.as_ref().and_then(|path| path.namespace.as_ref()).unwrap_or(&one.target.namespace);
        let within = || match &self.command {
            Command::Namespaces { .. } => None,
            _ => preset.danger_in(namespace),
        };
        let of_class = match &self.command {
            Command::Instances(arguments) => preset.danger_of(&arguments.class),
            Command::Query(arguments) => preset.danger_of_query(&arguments.text),
            _ => None,
        };
        if let Some(Danger { what, reason }) = of_class.or_else(within) {
            say(&format!("lazycim: warning: {}: {what}: {reason}", one.name));
        }
    }

    /// PATH on one session, where the command has one.
    fn path_on(&self, target: &Target) -> Result<Option<ObjectPath>, Failure> {
        self.path.as_ref().map(|path| target::path_on(path, target)).transpose()
    }
}

/// Whether elements of CIM-XML are to be printed.
const fn is_xml(command: &Command) -> bool {
    match command {
        Command::Classes { output, .. } => matches!(output, ClassesFormat::Xml),
        Command::Class { output, .. } | Command::Qualifiers { output, .. } => matches!(output, ClassFormat::Xml),
        Command::Get { output, .. } => matches!(output, GetFormat::Xml),
        Command::Instances(InstancesArguments { output, .. })
        | Command::Query(QueryArguments { output, .. })
        | Command::Associators(AssociatorsArguments { output, .. })
        | Command::References(ReferencesArguments { output, .. }) => matches!(output, InstancesFormat::Xml),
        _ => false,
    }
}

impl Errand for Reader {
    fn columns(&self, target: &Target) -> Result<Option<(CimName, Option<Namespace>)>, Stop> {
        let path = self.path_on(target).map_err(Stop::Refused)?;
        Ok(match (&self.command, path) {
            (Command::Instances(arguments), _) if arguments.properties.is_none() => {
                let fixed = matches!(arguments.output, InstancesFormat::Table | InstancesFormat::Csv);
                fixed.then(|| (arguments.class.clone(), None))
            }
            (Command::Associators(AssociatorsArguments { result, names, output, .. }), Some(path))
            | (Command::References(ReferencesArguments { result, names, output, .. }), Some(path)) => {
                related::columns(&path, result.as_ref(), *names, *output)
            }
            _ => None,
        })
    }

    fn report(&self, columns: Columns, sessions: SessionColumn) -> Option<Box<dyn Report>> {
        let screen = Screen::of_stdout();
        Some(match (&self.command, &self.path) {
            (Command::Namespaces { output }, _) => Box::new(NamesReport::namespaces(*output, screen, sessions)),
            (Command::Classes { output, .. }, _) => classes_report(*output, screen, sessions),
            (Command::Class { output, .. }, _) | (Command::Qualifiers { output, name: Some(_) }, _) => {
                Box::new(SchemaReport::new(*output, screen))
            }
            (Command::Qualifiers { output, name: None }, _) => Box::new(SchemaReport::several(*output, false, screen)),
            (Command::Instances(arguments), _) => {
                let InstancesArguments { properties, keys_only, limit, output, .. } = arguments;
                let columns = properties.clone().map_or(columns, Columns::Named);
                let (keys_only, limit) = (*keys_only, *limit);
                let options = RowOptions { columns, keys_only, located: false, limit, sessions, screen };
                Box::new(RowsReport::new(*output, options))
            }
            (Command::Get { output, .. }, _) => Box::new(InstanceReport::new(*output, screen, sessions)),
            (Command::Query(arguments), _) => {
                Box::new(RowsReport::new(arguments.output, related::rows(columns, false, sessions, screen)))
            }
            (Command::Associators(AssociatorsArguments { names, output, .. }), Some(path))
            | (Command::References(ReferencesArguments { names, output, .. }), Some(path)) => {
                let options = related::rows(columns, *names, sessions, screen);
                related::report(path, *output, options)
            }
            _ => return None,
        })
    }

    async fn run(&self, operator: &mut Operator<'_>) -> Result<(), Stop> {
        let path = self.path_on(operator.target()).map_err(Stop::Refused)?;
        let operation = match (&self.command, path) {
            (Command::Namespaces { .. }, _) => Operation::new(OperationKind::EnumerateNamespaces),
            (Command::Classes { of, deep, output }, _) => {
                let names_only = !matches!(output, ClassesFormat::Mof | ClassesFormat::Xml);
                Operation::new(OperationKind::EnumerateClasses { parent: of.clone(), deep: *deep, names_only })
            }
            (Command::Class { name, .. }, _) => Operation::new(OperationKind::GetClass { class: name.clone() }),
            (Command::Qualifiers { name: Some(name), .. }, _) => {
                Operation::new(OperationKind::GetQualifier { name: name.clone() })
            }
            (Command::Qualifiers { name: None, .. }, _) => Operation::new(OperationKind::EnumerateQualifiers),
            (Command::Instances(arguments), _) => instances(arguments.clone()),
            (Command::Get { resource_uri, .. }, Some(path)) => get(operator, path, resource_uri.clone()).await?,
            (Command::Query(arguments), _) => related::query(arguments.clone()),
            (Command::Associators(arguments), Some(path)) => related::associators(path, arguments.clone()),
            (Command::References(arguments), Some(path)) => related::references(path, arguments.clone()),
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
            ) => return Ok(()),
        };
        operator.run(operation).await
    }
}

fn classes_report(format: ClassesFormat, screen: Screen, sessions: SessionColumn) -> Box<dyn Report> {
    let names = |format| -> Box<dyn Report> { Box::new(NamesReport::classes(format, screen, sessions, None)) };
    let whole = |format| -> Box<dyn Report> { Box::new(SchemaReport::several(format, false, screen)) };
    match format {
        ClassesFormat::Table => names(RowFormat::Table),
        ClassesFormat::Json => names(RowFormat::Json),
        ClassesFormat::Ndjson => names(RowFormat::Ndjson),
        ClassesFormat::Csv => names(RowFormat::Csv),
        ClassesFormat::Mof => whole(ClassFormat::Mof),
        ClassesFormat::Xml => whole(ClassFormat::Xml),
    }
}

fn instances(arguments: InstancesArguments) -> Operation {
    let InstancesArguments { class, properties, keys_only, shallow, limit, filter, resource_uri, .. } = arguments;
    let options = OperationOptions {
        property_list: properties,
        keys_only,
        shallow,
        max_rows: limit,
        filter: filter.into_query(),
        resource_uri,
        ..OperationOptions::default()
    };
    Operation { kind: OperationKind::EnumerateInstances { class }, options }
}

/// Only the class can tell a string that looks like a path from a reference, and whose an unnamed key is.
async fn get(
    operator: &mut Operator<'_>,
    mut path: ObjectPath,
    resource_uri: Option<String>,
) -> Result<Operation, Stop> {
    let unclear =
        |key: &crate::cim::KeyBinding| key.name.as_str().is_empty() || matches!(key.value, KeyValue::Reference(_));
    if path.keys.iter().any(unclear)
        && let Some(class) = operator.class(path.class.clone(), path.namespace.clone()).await?
    {
        path = path.typed_by(&class);
    }
    let namespace = path.namespace.clone();
    let options = OperationOptions { namespace, resource_uri, ..OperationOptions::default() };
    Ok(Operation { kind: OperationKind::GetInstance { path }, options })
}
