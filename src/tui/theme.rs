//! Themes: what each role looks like, and the symbols lines and marks are drawn with.
//!
//! Owns: the roles, the four built-in themes (`config/themes`), reading a theme of the user's, and the choice between them.
//! Must not know: panes, state. A view names a role, never a colour.

use std::{fmt, str::FromStr};

use ratatui::{
    style::{Color, Modifier, Style},
    symbols::border,
};
use serde::Deserialize;

/// Every role a theme may set, each a [`Style`].
macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident),+ $(,)?) => {
        /// The look of each role.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct Roles { $($(#[$doc])* pub $role: Style),+ }

        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct RolesFile { $($role: StyleFile),+ }

        impl RolesFile {
            fn styles(self) -> Result<Roles, ThemeError> {
                Ok(Roles { $($role: self.$role.style(stringify!($role))?),+ })
            }
        }
    };
}

roles! {
    /// Ordinary text.
    text,
    /// Text of less weight: counts, units, hints.
    dim,
    /// The border of a pane without focus.
    border,
    /// The border of the pane with focus.
    border_focused,
    /// The title of a pane without focus.
    title,
    /// The title of the pane with focus.
    title_focused,
    /// The selected row of the pane with focus.
    selection,
    /// The selected row of a pane without focus.
    selection_unfocused,
    /// Column headings.
    heading,
    /// Key properties.
    key,
    /// Names of types.
    kind,
    /// NULL and absent values.
    null,
    /// Keys of the keyboard in hints.
    hint_key,
    /// What a hint or link leads to; the accent of the screen.
    accent,
    /// The letters a filter matched.
    matched,
    /// Done, connected.
    ok,
    /// Needs attention.
    warning,
    /// Failed.
    error,
    /// Dangerous settings that must not be overlooked: read-only, clear text.
    danger,
    /// Phases before the request: resolve, connect, tls, authenticate.
    phase_open,
    /// Phases spent waiting for the server.
    phase_wait,
    /// Phases in which the answer arrives.
    phase_data,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct StyleFile {
    fg: Option<String>,
    bg: Option<String>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    reverse: bool,
}

impl StyleFile {
    fn style(self, role: &'static str) -> Result<Style, ThemeError> {
        let color = |text: &str| Color::from_str(text).map_err(|_| ThemeError::Color(role, text.to_owned()));
        let mut style = Style::new();
        if let Some(fg) = &self.fg {
            style = style.fg(color(fg)?);
        }
        if let Some(bg) = &self.bg {
            style = style.bg(color(bg)?);
        }
        for (wanted, modifier) in [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            (self.italic, Modifier::ITALIC),
            (self.underline, Modifier::UNDERLINED),
            (self.reverse, Modifier::REVERSED),
        ] {
            if wanted {
                style = style.add_modifier(modifier);
            }
        }
        Ok(style)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ThemeFile {
    roles: RolesFile,
}

/// Why a theme cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub enum ThemeError {
    /// The file is not a theme: the byte it is wrong at, and why.
    Syntax(usize, String),
    /// A role names a colour that does not exist.
    Color(&'static str, String),
    /// No built-in theme has this name.
    Unknown(String),
}

impl fmt::Display for ThemeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(_, text) => f.write_str(text),
            Self::Color(role, color) => write!(f, "`{color}` of role `{role}` is no colour"),
            Self::Unknown(name) => write!(f, "there is no theme `{name}`: auto, dark, light, sixteen, mono"),
        }
    }
}

impl std::error::Error for ThemeError {}

/// The characters lines and marks are drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbols {
    /// The border of a pane.
    pub border: border::Set<'static>,
    /// Where text was cut.
    pub ellipsis: &'static str,
    /// A node that is unfolded.
    pub open: &'static str,
    /// A node that is folded.
    pub closed: &'static str,
    /// A live session.
    pub live: &'static str,
    /// A session at rest.
    pub rest: &'static str,
    /// Between parts of a sentence.
    pub dot: &'static str,
    /// Between breadcrumbs.
    pub crumb: &'static str,
    /// The left edge of a phase.
    pub edge: &'static str,
    /// A full cell of a bar, then its eighths from 1 to 7.
    pub bar: [&'static str; 8],
    /// Sorted upwards, sorted downwards.
    pub sorted: [&'static str; 2],
    /// Good, bad.
    pub marks: [&'static str; 2],
    /// The frames of the spinner.
    pub spinner: &'static [&'static str],
    /// The thumb of a scroll bar.
    pub thumb: &'static str,
}

/// Symbols of the Unicode blocks every terminal font has.
pub const UNICODE: Symbols = Symbols {
    border: border::ROUNDED,
    ellipsis: "…",
    open: "▾",
    closed: "▸",
    live: "●",
    rest: "○",
    dot: " · ",
    crumb: " › ",
    edge: "▕",
    bar: ["█", "▏", "▎", "▍", "▌", "▋", "▊", "▉"],
    sorted: ["▲", "▼"],
    marks: ["✓", "✗"],
    spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
    thumb: "┃",
};

/// Symbols of ASCII alone.
pub const ASCII: Symbols = Symbols {
    border: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
    ellipsis: "~",
    open: "v",
    closed: ">",
    live: "*",
    rest: "o",
    dot: " - ",
    crumb: " > ",
    edge: "|",
    bar: ["#", " ", " ", " ", "#", "#", "#", "#"],
    sorted: ["^", "v"],
    marks: ["+", "x"],
    spinner: &["|", "/", "-", "\\"],
    thumb: "#",
};

/// How everything looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Theme {
    /// The roles.
    pub roles: Roles,
    /// The symbols.
    pub symbols: Symbols,
}

const DARK: &str = include_str!("../../config/themes/dark.toml");
const LIGHT: &str = include_str!("../../config/themes/light.toml");
const MONO: &str = include_str!("../../config/themes/mono.toml");
const SIXTEEN: &str = include_str!("../../config/themes/sixteen.toml");

/// The names of the built-in themes.
pub const NAMES: [&str; 4] = ["dark", "light", "sixteen", "mono"];

/// What the environment says about the terminal's colours.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `NO_COLOR`, if set and not empty.
    pub no_color: bool,
    /// `COLORTERM`.
    pub colorterm: String,
    /// `COLORFGBG`, which some terminals set to `foreground;background`.
    pub colorfgbg: String,
}

impl Environment {
    /// Of this process.
    pub fn of_process() -> Self {
        let text = |name: &str| std::env::var(name).unwrap_or_default();
        Self {
            no_color: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
            colorterm: text("COLORTERM"),
            colorfgbg: text("COLORFGBG"),
        }
    }

    /// The built-in theme that fits: `mono` under `NO_COLOR`, `sixteen` where the terminal does not claim more colours
    /// (its own palette then fits its own background), else by the background, dark if nothing is known.
    pub fn theme(&self) -> &'static str {
        if self.no_color {
            return "mono";
        }
        if !matches!(self.colorterm.as_str(), "truecolor" | "24bit") {
            return "sixteen";
        }
        match self.colorfgbg.rsplit(';').next().and_then(|background| background.parse::<u8>().ok()) {
            Some(7 | 9..=15) => "light",
            _ => "dark",
        }
    }
}

impl Theme {
    /// The theme `name` (`auto` chooses by the environment), in ASCII if wanted.
    ///
    /// # Errors
    /// No theme has this name.
    pub fn named(name: &str, ascii: bool, environment: &Environment) -> Result<Self, ThemeError> {
        let text = match if name == "auto" { environment.theme() } else { name } {
            "dark" => DARK,
            "light" => LIGHT,
            "mono" => MONO,
            "sixteen" => SIXTEEN,
            _ => return Err(ThemeError::Unknown(name.to_owned())),
        };
        Self::parse(text, ascii)
    }

    /// The theme a file describes: a table `[roles]` with a style for every role.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str, ascii: bool) -> Result<Self, ThemeError> {
        let file = toml::from_str::<ThemeFile>(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            ThemeError::Syntax(at, error.message().lines().collect::<Vec<_>>().join(" "))
        })?;
        Ok(Self { roles: file.roles.styles()?, symbols: if ascii { ASCII } else { UNICODE } })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn every_built_in_theme_parses_and_sets_every_role() {
        for name in NAMES {
            Theme::named(name, false, &Environment::default()).unwrap();
        }
    }

    #[test]
    fn mono_has_no_colour_and_a_selection_one_can_see() {
        let mono = Theme::named("mono", false, &Environment::default()).unwrap();
        let text = format!("{:?}", mono.roles);
        for color in ["fg: Some", "bg: Some", ".fg(", ".bg(", ".red()", ".cyan()", ".on_"] {
            assert!(!text.contains(color), "{color} in {text}");
        }
        assert!(mono.roles.selection.add_modifier.contains(Modifier::REVERSED));
        assert!(!mono.roles.selection_unfocused.add_modifier.is_empty());
    }

    #[test]
    fn sixteen_keeps_to_the_ansi_colours() {
        for line in SIXTEEN.lines().chain(MONO.lines()).filter(|line| !line.starts_with('#')) {
            assert!(!line.split('"').any(|part| part.starts_with('#') && part.len() == 7), "{line}");
        }
    }

    #[test]
    fn the_environment_chooses() {
        let environment = |no_color, colorterm: &str, colorfgbg: &str| {
            Environment { no_color, colorterm: colorterm.to_owned(), colorfgbg: colorfgbg.to_owned() }.theme()
        };
        assert_eq!(environment(true, "truecolor", "0;15"), "mono");
        assert_eq!(environment(false, "", "0;15"), "sixteen");
        assert_eq!(environment(false, "truecolor", ""), "dark");
        assert_eq!(environment(false, "truecolor", "15;0"), "dark");
        assert_eq!(environment(false, "truecolor", "0;default;15"), "light");
    }

    #[test]
    fn mistakes_are_named() {
        let broken = SIXTEEN.replacen("\"red\"", "\"rad\"", 1);
        assert!(Theme::parse(&broken, false).unwrap_err().to_string().contains("`rad`"));
        let unknown = format!("{SIXTEEN}\nextra = {{}}\n");
        assert!(Theme::parse(&unknown, false).unwrap_err().to_string().contains("extra"));
        assert!(Theme::named("pink", false, &Environment::default()).unwrap_err().to_string().contains("pink"));
    }
}
