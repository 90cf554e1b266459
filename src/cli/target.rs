//! Which session a command talks to, and as whom.
//!
//! Owns: the rules of CLI.md about `-s`, `--url`, credentials and hosts in paths. Must not connect to anything.

use secrecy::SecretString;

use super::{
    args::{CommonArguments, TargetArguments, TlsArguments},
    failure::{Failure, say},
};
use crate::{
    cim::{Namespace, ObjectPath},
    op::THROTTLE,
    session::{
        Profile, ProfileId, SecretSource, Target, Tls,
        profile::THIS_COMPUTER,
        store::{NotFound, SessionsFile, id_of},
        url::TargetUrl,
    },
};

/// The session a command runs on.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    /// Its id in sessions.toml, the computer of a URL, or `this-computer`.
    pub(super) name: String,
    /// Where and as whom it connects.
    pub(super) target: Target,
}

/// The sessions a command runs on.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// At least one.
    pub(super) sessions: Vec<Chosen>,
    /// Set where a tag chose them: so many are asked at once.
    pub(super) throttle: Option<usize>,
}

/// Where the terminal UI begins.
#[derive(Clone, Debug)]
pub enum Preselect {
    /// On this computer.
    ThisComputer,
    /// On a saved session.
    Saved(ProfileId),
    /// On a session given on the command line, for this run.
    Given(Box<Profile>),
}

/// Chooses the sessions of a command that only reads: those with the tags, or the one that is named. A mistake in
/// sessions.toml ends a command that needs the file and is a warning to any other.
pub(super) fn choose(
    arguments: &TargetArguments,
    common: &CommonArguments,
    file: &SessionsFile,
) -> Result<Choice, Failure> {
    let sets = [("-s", arguments.session.is_some()), ("--url", arguments.url.is_some())];
    match (arguments.tags.is_empty(), sets.into_iter().find(|(_, given)| *given)) {
        (true, _) if arguments.throttle.is_some() => {
            return Err(Failure::usage("usage", "--throttle", "it is about the sessions of a tag", "--tag TAG"));
        }
        (true, _) => {}
        (false, None) => return tagged(arguments, common, file),
        (false, Some((flag, _))) => {
            let cause = format!("{flag} names another session");
            return Err(Failure::usage("usage", "--tag", &cause, &format!("leave {flag} or --tag out")));
        }
    }
    if let Some(problem) = file.problems.first() {
        if arguments.session.is_some() {
            return Err(problem.into());
        }
        say(&format!("lazycim: warning: sessions: {problem}"));
        say(&format!("try: {}", problem.hint));
    }
    let mut chosen = select(arguments, file)?;
    hurry(&mut chosen.target, common);
    Ok(Choice { sessions: vec![chosen], throttle: None })
}

/// A flag wins over what the session says, as over everything else.
const fn hurry(target: &mut Target, common: &CommonArguments) {
    let timeouts = &mut target.timeouts;
    if common.connect_timeout.is_some() {
        timeouts.connect = common.connect_timeout;
    }
    if common.timeout.is_some() {
        timeouts.total = Some(common.timeout);
    }
}

/// The sessions that have all the tags of `arguments`, as the flags make them, in the order of the file.
///
/// # Errors
/// A mistake in the file, which may have cost one of them; no session with the tags; flags that do not fit one of them.
fn tagged(arguments: &TargetArguments, common: &CommonArguments, file: &SessionsFile) -> Result<Choice, Failure> {
    if let Some(problem) = file.problems.first() {
        return Err(problem.into());
    }
    let found = with_tags(&arguments.tags, file)?;
    let choose = |profile: &Profile| {
        let mut chosen = Chosen { name: profile.id.as_str().to_owned(), target: profile.target.clone() };
        adapt(&mut chosen.target, arguments)?;
        hurry(&mut chosen.target, common);
        Ok(chosen)
    };
    let sessions = found.into_iter().map(choose).collect::<Result<_, Failure>>()?;
    Ok(Choice { sessions, throttle: Some(arguments.throttle.map_or(THROTTLE, usize::from)) })
}

/// The sessions that have all of `tags`: at least one, unless no tag is asked for.
pub(super) fn with_tags<'f>(tags: &[String], file: &'f SessionsFile) -> Result<Vec<&'f Profile>, Failure> {
    let found: Vec<&Profile> = file.entries.iter().filter(|profile| profile.has_tags(tags)).collect();
    if !found.is_empty() || tags.is_empty() {
        return Ok(found);
    }
    let mut known: Vec<&str> = file.entries.iter().flat_map(|profile| &profile.tags).map(String::as_str).collect();
    known.sort_unstable();
    known.dedup();
    let hint = if known.is_empty() { "no session has a tag".to_owned() } else { known.join(", ") };
    Err(Failure::usage("usage", &format!("--tag {}", tags.join(" --tag ")), "no session has it", &hint))
}

/// Chooses where the terminal UI begins; it shows the mistakes of sessions.toml itself.
pub(super) fn preselect(arguments: &TargetArguments, file: &SessionsFile) -> Result<Preselect, Failure> {
    if let Some(tag) = arguments.tags.first() {
        let cause = "the terminal UI begins with one session";
        return Err(Failure::usage("usage", &format!("--tag {tag}"), cause, "-s NAME, or a command"));
    }
    let Chosen { name, target } = select(arguments, file)?;
    if target == Target::this_computer() {
        return Ok(Preselect::ThisComputer);
    }
    if let Some(entry) = file.entries.iter().find(|entry| entry.id.as_str() == name && entry.target == target) {
        return Ok(Preselect::Saved(entry.id.clone()));
    }
    Ok(Preselect::Given(Box::new(Profile::new(file.free_id(&name), name, target))))
}

fn select(arguments: &TargetArguments, file: &SessionsFile) -> Result<Chosen, Failure> {
    let mut chosen = match (&arguments.session, &arguments.url) {
        (Some(name), _) => match by_name(name, &format!("-s {name}"), file, true)? {
            Some(entry) => Chosen { name: id_of(Some(entry)).to_owned(), target: entry.target.clone() },
            None => Chosen { name: THIS_COMPUTER.to_owned(), target: Target::this_computer() },
        },
        (None, Some(url)) => by_url(url)?,
        (None, None) => Chosen { name: THIS_COMPUTER.to_owned(), target: Target::this_computer() },
    };
    adapt(&mut chosen.target, arguments)?;
    Ok(chosen)
}

/// The saved session called `name`, or by the beginning of its name where `prefix` allows it; `None` is this computer.
/// Errors call it `what`.
pub(super) fn by_name<'f>(
    name: &str,
    what: &str,
    file: &'f SessionsFile,
    prefix: bool,
) -> Result<Option<&'f Profile>, Failure> {
    match file.find(name, prefix) {
        Ok(found) => Ok(found),
        // Not repeated: a password may stand in it.
        Err(NotFound::Unknown(_)) if name.contains("://") => {
            Err(Failure::usage("usage", "-s", "a URL stands where a name is expected", "--url URL"))
        }
        Err(NotFound::Unknown(near)) => {
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the sessions are in {}", file.path.display()),
            };
            Err(Failure::usage("usage", what, "no session is called that", &hint))
        }
        Err(NotFound::Ambiguous(ids)) => {
            let cause = format!("{} sessions answer to that", ids.len());
            Err(Failure::usage("usage", what, &cause, &format!("one of {}", ids.join(", "))))
        }
    }
}

fn by_url(text: &str) -> Result<Chosen, Failure> {
    let url = TargetUrl::parse(text).map_err(|error| Failure::usage("usage", "--url", error.cause, error.hint))?;
    let target = url.into_target(Namespace::new("root/cimv2"));
    Ok(Chosen { name: target.computer.clone().unwrap_or_default(), target })
}

/// Lets the flags win over what `target` says.
pub(super) fn adapt(target: &mut Target, arguments: &TargetArguments) -> Result<(), Failure> {
    let usage = |what: &str, cause: &str, hint: &str| Err(Failure::usage("usage", what, cause, hint));
    let TargetArguments { user, password_env, auth, allow_clear_text, pull, tls, .. } = arguments;
    let tls_flag = tls.given().next();
    if target.computer.is_none() && (user.is_some() || password_env.is_some() || tls_flag.is_some()) {
        return usage("this-computer", "it takes no user, password or certificate", "-s NAME or --url URL");
    }
    if let Some(user) = user {
        if target.user.as_ref() != Some(user) {
            // Where the secret came from belongs to the user it came with.
            target.secret = SecretSource::Prompt;
        }
        target.user = Some(user.clone()).filter(|user| !user.is_empty());
    }
    if let Some(variable) = password_env {
        if target.user.is_none() {
            return usage("--password-env", "there is no user it could be for", "--user USER");
        }
        target.secret = SecretSource::Env(variable.clone());
    }
    match (&mut target.tls, tls_flag) {
        (_, None) => {}
        (Some(target), Some(_)) => adapt_tls(target, tls)?,
        (None, Some(flag)) => {
            return usage(flag, "the target has no TLS", "https in the URL, or tls in the profile");
        }
    }
    target.allow_clear_text |= allow_clear_text;
    target.mechanism = auth.map_or(target.mechanism, Into::into);
    target.pull = pull.map_or(target.pull, Into::into);
    if let Some(namespace) = &arguments.namespace {
        target.namespace = namespace.clone();
    }
    Ok(())
}

/// Flags go before what the profile says; what it skips stays skipped.
fn adapt_tls(target: &mut Tls, flags: &TlsArguments) -> Result<(), Failure> {
    let TlsArguments { ca_file, client_cert, client_key, skip_chain, skip_name, tls_min_version, .. } = flags;
    target.ca_file = ca_file.clone().or(target.ca_file.take());
    if client_cert.is_some() {
        // A key belongs to the certificate it came with.
        (target.client_cert, target.client_key) = (client_cert.clone(), None);
    }
    if client_key.is_some() && target.client_cert.is_none() {
        let cause = "there is no certificate it could be for";
        return Err(Failure::usage("usage", "--client-key", cause, "--client-cert FILE"));
    }
    target.client_key = client_key.clone().or(target.client_key.take());
    target.skip_chain |= skip_chain;
    target.skip_name |= skip_name;
    target.min_version = tls_min_version.unwrap_or(target.min_version);
    target.server_name = flags.tls_server_name.clone().or(target.server_name.take());
    target.pin = flags.pin.or(target.pin);
    Ok(())
}

/// The preset `target` builds on and what it needs that this version does not have, in words, if there is such a thing.
pub(super) fn unbuilt(target: &Target) -> Option<(&'static str, String)> {
    let preset = target.preset?;
    Some((preset.name.as_str(), preset.missing_in_words()?))
}

/// Whether the secret of `target` is there, if it comes from a variable: told before anything else is done.
///
/// # Errors
/// Exit 2 where the variable is not set; set but empty is an empty password.
pub(super) fn check_secret(target: &Target) -> Result<(), Failure> {
    match (&target.user, &target.secret) {
        (Some(_), SecretSource::Env(variable)) => secret_in(variable).map(drop),
        _ => Ok(()),
    }
}

/// The secret in the environment variable `variable`.
pub(super) fn secret_in(variable: &str) -> Result<SecretString, Failure> {
    let fails =
        |cause: &str| Failure::usage("secret", variable, cause, "set the variable to the password and export it");
    match std::env::var(variable) {
        Ok(secret) => Ok(SecretString::from(secret)),
        Err(std::env::VarError::NotPresent) => Err(fails("the environment variable is not set")),
        // The error would show the value.
        Err(std::env::VarError::NotUnicode(_)) => Err(fails("the environment variable is not UTF-8")),
    }
}

/// Reads PATH. A namespace in it wins and must not contradict `given`, which is that of `-n`.
pub(super) fn object_path(text: &str, given: Option<&Namespace>) -> Result<ObjectPath, Failure> {
    let path: ObjectPath = text.parse::<ObjectPath>().map_err(|error| {
        let cause = format!("not an object path: {}, at character {}", error.what, error.at);
        Failure::usage("usage", "PATH", &cause, "quote it for the shell: 'CLASS.KEY=\"VALUE\"'")
    })?;
    if let (Some(theirs), Some(given)) = (&path.namespace, given)
        && theirs != given
    {
        let cause = format!("its namespace is {theirs}, but -n says {given}");
        return Err(Failure::usage("usage", "PATH", &cause, "leave -n out: the namespace of the path wins"));
    }
    Ok(path)
}

/// `path` on `target`, whose host it must name if it names one.
pub(super) fn path_on(path: &ObjectPath, target: &Target) -> Result<ObjectPath, Failure> {
    if let Some(host) = path.host.as_deref().filter(|host| !is_session_host(host, target)) {
        let cause = format!("the host `{host}` is not the session's, and is never connected to");
        let hint = "leave the host out, or choose the session with -s or --url";
        return Err(Failure::usage("usage", "PATH", &cause, hint));
    }
    let namespace = path.namespace.clone().unwrap_or_else(|| target.namespace.clone());
    Ok(ObjectPath { host: None, namespace: Some(namespace), ..path.clone() })
}

/// Whether `host` of a path, with or without a port, means the computer of `target`.
fn is_session_host(host: &str, target: &Target) -> bool {
    if host == "." {
        return true;
    }
    let Some(computer) = &target.computer else {
        let here = node_name();
        let known = ["localhost", "127.0.0.1", "[::1]", "::1", here.as_str()];
        return known.iter().any(|known| known.eq_ignore_ascii_case(host));
    };
    let bracketed = if computer.contains(':') { format!("[{computer}]") } else { computer.clone() };
    let with_port = format!("{bracketed}:{}", target.port);
    [computer, &bracketed, &with_port].into_iter().any(|known| known.eq_ignore_ascii_case(host))
}

fn node_name() -> String {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    name
}
