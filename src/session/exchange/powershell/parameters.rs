//! The parameters of the two cmdlets.
//!
//! Owns: their names, aliases and abbreviations, as PowerShell resolves them. Must not know values.

/// The two cmdlets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cmdlet {
    /// `New-CimSession`, `ncms`
    Session,
    /// `New-CimSessionOption`, `ncso`
    Option,
}

/// A parameter: its name, its aliases, and whether it takes a value.
#[derive(Debug)]
pub(super) struct Parameter(pub(super) &'static str, pub(super) &'static [&'static str], pub(super) bool);

const SESSION: &[Parameter] = &[
    Parameter("Authentication", &[], true),
    Parameter("CertificateThumbprint", &[], true),
    Parameter("ComputerName", &["CN", "ServerName"], true),
    Parameter("Credential", &[], true),
    Parameter("Name", &[], true),
    Parameter("OperationTimeoutSec", &["OT"], true),
    Parameter("Port", &[], true),
    Parameter("SessionOption", &[], true),
    Parameter("SkipTestConnection", &[], false),
];
const OPTION: &[Parameter] = &[
    Parameter("Culture", &[], true),
    Parameter("EncodePortInServicePrincipalName", &[], false),
    Parameter("Encoding", &[], true),
    Parameter("HttpPrefix", &[], true),
    Parameter("Impersonation", &[], true),
    Parameter("MaxEnvelopeSizeKB", &[], true),
    Parameter("NoEncryption", &[], false),
    Parameter("PacketIntegrity", &[], false),
    Parameter("PacketPrivacy", &[], false),
    Parameter("Protocol", &[], true),
    Parameter("ProxyAuthentication", &[], true),
    Parameter("ProxyCertificateThumbprint", &[], true),
    Parameter("ProxyCredential", &[], true),
    Parameter("ProxyType", &[], true),
    Parameter("SkipCACheck", &[], false),
    Parameter("SkipCNCheck", &[], false),
    Parameter("SkipRevocationCheck", &[], false),
    Parameter("UICulture", &[], true),
    Parameter("UseSsl", &[], false),
];
/// The parameters every cmdlet has (about_CommonParameters).
const EVERY: &[Parameter] = &[
    Parameter("Debug", &["db"], false),
    Parameter("ErrorAction", &["ea"], true),
    Parameter("ErrorVariable", &["ev"], true),
    Parameter("InformationAction", &["infa"], true),
    Parameter("InformationVariable", &["iv"], true),
    Parameter("OutBuffer", &["ob"], true),
    Parameter("OutVariable", &["ov"], true),
    Parameter("PipelineVariable", &["pv"], true),
    Parameter("ProgressAction", &["proga"], true),
    Parameter("Verbose", &["vb"], false),
    Parameter("WarningAction", &["wa"], true),
    Parameter("WarningVariable", &["wv"], true),
];

impl Cmdlet {
    /// The cmdlet called `name`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        // A module may stand before it: CimCmdlets\New-CimSession.
        let name = name.rsplit('\\').next().unwrap_or(name);
        let is = |names: [&str; 2]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        if is(["New-CimSession", "ncms"]) {
            return Some(Self::Session);
        }
        is(["New-CimSessionOption", "ncso"]).then_some(Self::Option)
    }

    const fn parameters(self) -> &'static [Parameter] {
        match self {
            Self::Session => SESSION,
            Self::Option => OPTION,
        }
    }

    /// The parameter whose value may stand without its name, at the beginning.
    pub(super) const fn positional(self) -> &'static Parameter {
        match self {
            Self::Session => &SESSION[2],
            Self::Option => &OPTION[9],
        }
    }

    /// The parameter `name` means: in full, by alias, or by a beginning no other has.
    pub(super) fn parameter(self, name: &str) -> Result<&'static Parameter, &'static str> {
        for list in [self.parameters(), EVERY] {
            let exact = |one: &&Parameter| names(one).any(|known| known.eq_ignore_ascii_case(name));
            if let Some(found) = list.iter().find(exact) {
                return Ok(found);
            }
        }
        for list in [self.parameters(), EVERY] {
            let begins = |known: &str| known.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
            let mut found = list.iter().filter(|one| names(one).any(begins));
            match (found.next(), found.next()) {
                (Some(one), None) => return Ok(one),
                (Some(_), Some(_)) => return Err("several parameters begin like that"),
                (None, _) => {}
            }
        }
        Err("the cmdlet has no such parameter")
    }
}

fn names(parameter: &Parameter) -> impl Iterator<Item = &'static str> {
    std::iter::once(parameter.0).chain(parameter.1.iter().copied())
}
