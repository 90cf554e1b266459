//! Arguments: what the command line accepts, and its help.
//!
//! Owns: the clap grammar. Must not do anything with what was given.

// The doc comments of arguments are the text of `--help`, where brackets are grammar, not links.
#![allow(rustdoc::broken_intra_doc_links)]

mod formats;
mod given;
mod values;

use std::{net::IpAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use self::values::{name, namespace, pin, seconds, tls_name, tls_version};
pub use self::{
    formats::{ClassFormat, ClassesFormat, GetFormat, InstancesFormat, RowFormat},
    values::{Auth, Dialect, Pull},
};
use super::sessions::SessionsCommand;
use crate::{
    cim::{CimName, Namespace},
    op::{FilterQuery, Fingerprint},
    session::TlsVersion,
};

/// `0.1.0 (COMMIT), TLS: PROVIDER`
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("LAZYCIM_COMMIT"), "), TLS: rustls 0.23 with ring");

const EXAMPLES: &str = "\
Examples:
  lazycim                                              browse this computer
  lazycim -s web01                                     browse a session of sessions.toml
  lazycim classes --of CIM_LogicalElement --deep       every logical element's class
  lazycim instances LC_Process -p Handle,Name --limit 5
  lazycim instances LC_LocalFileSystem -o csv > disks.csv
  lazycim associators 'LC_OperatingSystem.CSCreationClassName=\"LC_ComputerSystem\",...' --names
  lazycim --url cimxml+https://ann@db.example query 'SELECT * FROM CIM_Process' -o ndjson
  lazycim get 'LC_OperatingSystem.CSCreationClassName=\"LC_ComputerSystem\",...' -o mof
  lazycim --url cimxml+https://ann@db.example class CIM_System -o json
  lazycim --url wsman+https://ann@win01.example instances Win32_Service -p Name,State
  lazycim --tag lab instances CIM_OperatingSystem -p Name,Version     the same of every session
  PW=... lazycim --url cimxml+https://ann@db.example --password-env PW namespaces

Exit codes:
  0 complete, 1 an operation failed (the rows so far are printed), 2 usage, configuration, no terminal
  or no secret, 130 interrupted, 143 terminated";

/// Look inside machines over CIM.
///
/// Without a command, lazycim opens its terminal UI. A command runs one operation and prints what it answers: data on
/// stdout, everything else on stderr.
#[derive(Debug, Parser)]
#[command(name = "lazycim", version = VERSION, after_help = EXAMPLES, max_term_width = 100)]
pub struct Arguments {
    /// Where, and as whom.
    #[command(flatten)]
    pub target: TargetArguments,
    /// What holds for every command.
    #[command(flatten)]
    pub common: CommonArguments,
    /// What to do; the terminal UI if nothing.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Which session.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Target")]
pub struct TargetArguments {
    /// A session of sessions.toml: its id, its name, or for reading the beginning of either
    #[arg(short, long, global = true, value_name = "NAME", conflicts_with_all = ["url", "tags"])]
    pub session: Option<String>,
    /// (cimxml|wsman)+(http|https)://[USER@]HOST[:PORT][/PATH]
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// The sessions with this tag, or with all of several; what reads asks each of them
    #[arg(long = "tag", global = true, value_name = "TAG")]
    pub tags: Vec<String>,
    /// Ask at most N of the sessions of --tag at once [without it 15]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub throttle: Option<u16>,
    /// The user; none sends no credentials
    #[arg(long, global = true, value_name = "USER")]
    pub user: Option<String>,
    /// Take the password from the environment variable VAR
    #[arg(long, global = true, value_name = "VAR")]
    pub password_env: Option<String>,
    /// Whether enumerations are pulled in batches [without it the session's, else auto]
    #[arg(long, global = true, value_enum, value_name = "WHEN")]
    pub pull: Option<Pull>,
    /// How the user authenticates [without it the session's, else auto]
    #[arg(long, global = true, value_enum, value_name = "MECHANISM")]
    pub auth: Option<Auth>,
    /// Allow Basic over plain http to another machine
    #[arg(long, global = true)]
    pub allow_clear_text: bool,
    /// The namespace; without it the session's, else root/cimv2
    #[arg(short, long, global = true, value_name = "NS", value_parser = namespace)]
    pub namespace: Option<Namespace>,
    /// How TLS is spoken and checked.
    #[command(flatten)]
    pub tls: TlsArguments,
}

/// How TLS is spoken and checked, for this run.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArguments {
    /// Trust the certificates in this PEM file, or folder of PEM files, instead of the platform's
    #[arg(long, global = true, value_name = "PATH")]
    pub ca_file: Option<PathBuf>,
    /// Show the server this certificate (PEM), for servers that want one
    #[arg(long, global = true, value_name = "FILE")]
    pub client_cert: Option<PathBuf>,
    /// The key of --client-cert (PEM, not encrypted), if it is in another file
    #[arg(long, global = true, value_name = "FILE")]
    pub client_key: Option<PathBuf>,
    /// Do not check who signed the server's certificate; its name and dates are checked
    #[arg(long, global = true)]
    pub skip_chain: bool,
    /// Do not check which name the server's certificate is for; its chain and dates are checked
    #[arg(long, global = true)]
    pub skip_name: bool,
    /// The oldest version to speak: 1.2 (default) or 1.3
    #[arg(long, global = true, value_name = "VERSION", value_parser = tls_version)]
    pub tls_min_version: Option<TlsVersion>,
    /// The name to send (SNI) and to look for in the certificate instead of the host's
    #[arg(long, global = true, value_name = "NAME", value_parser = tls_name)]
    pub tls_server_name: Option<String>,
    /// Accept the certificate with this SHA-256 fingerprint and no other, whoever signed it
    #[arg(long, global = true, value_name = "SHA256", value_parser = pin)]
    pub pin: Option<Fingerprint>,
}

/// What holds for every command.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "General")]
pub struct CommonArguments {
    /// Seconds for resolving, connecting and the TLS handshake of one address, each
    #[arg(long, global = true, value_name = "S", value_parser = seconds)]
    pub connect_timeout: Option<Duration>,
    /// Seconds for the whole operation
    #[arg(long, global = true, value_name = "S", value_parser = seconds)]
    pub timeout: Option<Duration>,
    /// Read this file instead of config.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Tell on stderr what each operation does
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// A headless command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the namespaces
    Namespaces {
        /// The output format
        #[arg(short, long, value_enum, default_value_t = RowFormat::Table)]
        output: RowFormat,
    },
    /// List classes: the top-level ones, or those below one
    Classes {
        /// The class whose subclasses are wanted
        #[arg(long, value_name = "CLASS", value_parser = name)]
        of: Option<CimName>,
        /// All descendants instead of direct subclasses
        #[arg(long)]
        deep: bool,
        /// The output format
        #[arg(short, long, value_enum, default_value_t = ClassesFormat::Table)]
        output: ClassesFormat,
    },
    /// Print a class with inherited elements and qualifiers
    Class {
        /// Its name
        #[arg(value_parser = name)]
        name: CimName,
        /// The output format
        #[arg(short, long, value_enum, default_value_t = ClassFormat::Mof)]
        output: ClassFormat,
    },
    /// List the instances of a class and of its subclasses
    Instances(InstancesArguments),
    /// Print one instance
    Get {
        /// [//HOST/][NS:]CLASS.KEY=VALUE,... or \\HOST\NS:CLASS.KEY=VALUE,...
        path: String,
        /// The WS-Man resource URI, instead of the one made from the class
        #[arg(long, value_name = "URI")]
        resource_uri: Option<String>,
        /// The output format
        #[arg(short, long, value_enum, default_value_t = GetFormat::Table)]
        output: GetFormat,
    },
    /// Run a query and print what it selects
    Query(QueryArguments),
    /// List what is associated with an instance or a class
    Associators(AssociatorsArguments),
    /// List the associations that refer to an instance or a class
    References(ReferencesArguments),
    /// Print the qualifier types a namespace declares, or one of them
    Qualifiers {
        /// Its name
        #[arg(value_parser = name)]
        name: Option<CimName>,
        /// The output format
        #[arg(short, long, value_enum, default_value_t = ClassFormat::Mof)]
        output: ClassFormat,
    },
    /// Show where the configuration is, what is in force, and what is wrong with it
    Config {
        /// What to do
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Serve this computer over CIM-XML; the first line of stdout is `listening on URL`
    Serve(ServeArguments),
    /// List, show, add, change, remove, import and export saved sessions
    Sessions {
        /// What to do
        #[command(subcommand)]
        command: SessionsCommand,
    },
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// What `config` does.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print where config.toml, sessions.toml, keys.toml and the themes are
    Path,
    /// Print the configuration in force as TOML, with the source of each value
    Show,
    /// Read config.toml, sessions.toml, keys.toml and the themes, and tell every mistake
    Check,
    /// Print a config.toml in which every key is explained and none is set
    Template {
        /// Of sessions.toml instead
        #[arg(long)]
        sessions: bool,
    },
}

/// Arguments of `instances`.
#[derive(Clone, Debug, Args)]
pub struct InstancesArguments {
    /// The class
    #[arg(value_parser = name)]
    pub class: CimName,
    /// Only these properties
    #[arg(short, long, value_name = "A,B", value_delimiter = ',', value_parser = name)]
    pub properties: Option<Vec<CimName>>,
    /// Paths only
    #[arg(long, conflicts_with = "properties")]
    pub keys_only: bool,
    /// Only instances of exactly this class
    #[arg(long)]
    pub shallow: bool,
    /// Stop, and release the enumeration, after N rows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// What the server lets through
    #[command(flatten)]
    pub filter: FilterArguments,
    /// The WS-Man resource URI, instead of the one made from the class
    #[arg(long, value_name = "URI")]
    pub resource_uri: Option<String>,
    /// The output format
    #[arg(short, long, value_enum, default_value_t = InstancesFormat::Table)]
    pub output: InstancesFormat,
}

/// Arguments of `query`.
#[derive(Clone, Debug, Args)]
pub struct QueryArguments {
    /// The query, such as 'SELECT * FROM CIM_Process'
    #[arg(value_name = "TEXT")]
    pub text: String,
    /// The query's language
    #[arg(long, value_enum, default_value_t = Dialect::Wql)]
    pub dialect: Dialect,
    /// The WS-Man resource URI, instead of the one of all classes
    #[arg(long, value_name = "URI")]
    pub resource_uri: Option<String>,
    /// The output format
    #[arg(short, long, value_enum, default_value_t = InstancesFormat::Table)]
    pub output: InstancesFormat,
}

/// Arguments of `associators`.
#[derive(Clone, Debug, Args)]
pub struct AssociatorsArguments {
    /// [//HOST/][NS:]CLASS.KEY=VALUE,... or [NS:]CLASS for what its schema allows
    pub path: String,
    /// Only through associations of this class or its subclasses
    #[arg(long, value_name = "CLASS", value_parser = name)]
    pub assoc: Option<CimName>,
    /// Only results of this class or its subclasses
    #[arg(long, value_name = "CLASS", value_parser = name)]
    pub result: Option<CimName>,
    /// Only where the association's property of this name refers to PATH
    #[arg(long, value_name = "ROLE", value_parser = name)]
    pub role: Option<CimName>,
    /// Only where the association's property of this name refers to the result
    #[arg(long, value_name = "ROLE", value_parser = name)]
    pub result_role: Option<CimName>,
    /// Paths only
    #[arg(long)]
    pub names: bool,
    /// What the server lets through
    #[command(flatten)]
    pub filter: FilterArguments,
    /// The WS-Man resource URI, instead of the one of all classes
    #[arg(long, value_name = "URI")]
    pub resource_uri: Option<String>,
    /// The output format
    #[arg(short, long, value_enum, default_value_t = InstancesFormat::Table)]
    pub output: InstancesFormat,
}

/// A filter the server applies.
#[derive(Clone, Debug, Args)]
pub struct FilterArguments {
    /// Only what this query lets through, such as \"Name = 'x'\"; the server must be able to pull
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// The language of the filter
    #[arg(long, value_enum, default_value_t = Dialect::Fql, requires = "filter")]
    pub filter_dialect: Dialect,
}

impl FilterArguments {
    /// The filter, if there is one.
    pub fn into_query(self) -> Option<FilterQuery> {
        let language = self.filter_dialect.language().to_owned();
        self.filter.map(|text| FilterQuery { language, text })
    }
}

/// Arguments of `references`.
#[derive(Clone, Debug, Args)]
pub struct ReferencesArguments {
    /// [//HOST/][NS:]CLASS.KEY=VALUE,... or [NS:]CLASS for what its schema allows
    pub path: String,
    /// Only associations of this class or its subclasses
    #[arg(long, value_name = "CLASS", value_parser = name)]
    pub result: Option<CimName>,
    /// Only where the association's property of this name refers to PATH
    #[arg(long, value_name = "ROLE", value_parser = name)]
    pub role: Option<CimName>,
    /// Paths only
    #[arg(long)]
    pub names: bool,
    /// What the server lets through
    #[command(flatten)]
    pub filter: FilterArguments,
    /// The WS-Man resource URI, instead of the one of all classes
    #[arg(long, value_name = "URI")]
    pub resource_uri: Option<String>,
    /// The output format
    #[arg(short, long, value_enum, default_value_t = InstancesFormat::Table)]
    pub output: InstancesFormat,
}

/// Arguments of `serve`. The credential is `--user` and `--password-env`.
#[derive(Clone, Debug, Args)]
pub struct ServeArguments {
    /// The TCP port; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,
    /// The address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub listen: IpAddr,
    /// The server's certificate chain, PEM
    #[arg(long, value_name = "F", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM
    #[arg(long, value_name = "F", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Allow an address that others can reach without TLS
    #[arg(long)]
    pub allow_clear_text_from_the_network: bool,
}
