//! Tells the program which commit it was built from. Works without git and without a repository.

use std::{path::Path, process::Command};

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn main() {
    // A package inside somebody else's repository must not take that repository's commit for its own.
    let ours = Path::new(".git").exists();
    let commit = ours.then(|| git(&["rev-parse", "--short=10", "HEAD"])).flatten();
    println!("cargo:rustc-env=LAZYCIM_COMMIT={}", commit.as_deref().unwrap_or("no commit"));
    println!("cargo:rerun-if-changed=build.rs");
    let watched =
        if ours { ["HEAD", "logs/HEAD"].map(|name| git(&["rev-parse", "--git-path", name])) } else { [None, None] };
    for file in watched.into_iter().flatten().filter(|file| Path::new(file).exists()) {
        println!("cargo:rerun-if-changed={file}");
    }
}
