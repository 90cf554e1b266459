//! `lazycim sessions secret`.
//!
//! Owns: whose password goes into the keyring or out of it, and reading it unseen. Must not print a password, nor write one
//! anywhere but into the keyring.

use std::io::{self, IsTerminal};

use secrecy::{ExposeSecret, SecretString};

use super::{SecretArguments, SetSecretArguments, id_of, loaded, not_saved};
use crate::{
    cim::text::escape_for_terminal,
    cli::{
        failure::{Failure, say},
        prompt,
    },
    config::Paths,
    engine::{Account, KeyringClient},
    session::{
        ProfileId, Proxy, SecretSource, Target,
        store::{SessionsFile, Setting},
    },
};

/// Puts a password into the keyring.
pub(super) async fn set(arguments: &SetSecretArguments, keyring: &KeyringClient, paths: &Paths) -> Result<(), Failure> {
    let SetSecretArguments { whose, read_it } = arguments;
    let mut sessions = loaded(paths)?;
    let (id, account) = account(whose, &sessions)?;
    let secret = read(&account).await?;
    keyring.set(&account, secret).await.map_err(|error| Failure::from(&error))?;
    say(&format!("the keyring has the password of {}", account.name()));
    let key = account.key();
    if sessions.get(&id).is_some_and(|profile| *source(&profile.target, whose.proxy) == SecretSource::Keyring) {
        return Ok(());
    }
    if !*read_it {
        let how = if whose.proxy { "write secret = \"keyring\" in its proxy" } else { "run this again with --use" };
        say(&format!("`{}` does not read it there yet: {how}", id.as_str()));
        return Ok(());
    }
    let setting = Setting::set(&format!("{key}=\"keyring\""))
        .map_err(|error| Failure::usage("usage", key, &error.cause, &error.hint))?;
    sessions.set(&id, &[setting]).map_err(|error| not_saved(&id, &error))?;
    say(&format!("changed `{}`: {}", id.as_str(), sessions.path.display()));
    Ok(())
}

/// Takes a password out of the keyring.
pub(super) async fn forget(arguments: &SecretArguments, keyring: &KeyringClient, paths: &Paths) -> Result<(), Failure> {
    let (_, account) = account(arguments, &loaded(paths)?)?;
    keyring.forget(&account).await.map_err(|error| Failure::from(&error))?;
    say(&format!("the keyring has no password of {} any more", account.name()));
    Ok(())
}

fn account(whose: &SecretArguments, sessions: &SessionsFile) -> Result<(ProfileId, Account), Failure> {
    let id = id_of(&whose.name, sessions, false)?;
    let account = sessions.get(&id).and_then(|profile| Account::of(&profile.target, whose.proxy));
    let account = account.ok_or_else(|| {
        let (cause, hint) = if whose.proxy {
            ("its proxy, if it has one, knows no user", "write user in its proxy".to_owned())
        } else {
            (
                "it has no user a password could be for",
                format!("lazycim sessions edit {} --set auth.user=USER", id.as_str()),
            )
        };
        Failure::usage("sessions", id.as_str(), cause, &hint)
    })?;
    Ok((id, account))
}

fn source(target: &Target, of_proxy: bool) -> &SecretSource {
    match &target.proxy {
        Proxy::Http(proxy) if of_proxy => &proxy.secret,
        _ => &target.secret,
    }
}

/// One line of the terminal, unseen, or of stdin where that is none.
async fn read(account: &Account) -> Result<SecretString, Failure> {
    let read = if io::stdin().is_terminal() {
        prompt::ask(&escape_for_terminal(&format!("Password of {}: ", account.name()))).await
    } else {
        prompt::read_line(&mut tokio::io::stdin()).await
    };
    let fails =
        |cause| Failure::usage("secret", account.name(), cause, "give it as one line on a terminal or on stdin");
    match read {
        Some(secret) if !secret.expose_secret().is_empty() => Ok(secret),
        Some(_) => Err(fails("the password is empty")),
        None => Err(fails("no password was given, or it is no line of UTF-8 of at most 4096 bytes")),
    }
}
