//! The command registry: every command, its words, its keys and where it applies.
//!
//! Owns: [`COMMANDS`], the one list that drives keymap, palette, help, footer hints, `config/keys.toml` and
//! `docs/keys.md`. Must not know what a command does; [`super::State`] does.

use super::Pane;

/// Where a command's keys are heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In every pane.
    Anywhere,
    /// In the panes listed.
    Panes(&'static [Pane]),
}

impl Scope {
    /// Whether `pane` is in it.
    pub fn has(self, pane: Pane) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Panes(panes) => panes.contains(&pane),
        }
    }
}

/// One command.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// Which.
    pub id: CommandId,
    /// Its name on the `:` line and in `keys.toml`.
    pub name: &'static str,
    /// Its title, as short as a footer wants it.
    pub title: &'static str,
    /// What it does, in a sentence without a full stop.
    pub description: &'static str,
    /// Its default keys, chords with spaces: `g g`.
    pub keys: &'static [&'static str],
    /// Where its keys are heard.
    pub scope: Scope,
}

macro_rules! commands {
    ($(#[doc = $text:literal] $id:ident $name:literal $title:literal [$($key:literal)*] $scope:expr;)*) => {
        /// The commands.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum CommandId { $(#[doc = $text] $id,)* }

        /// Every command, in the order help lists them.
        pub const COMMANDS: &[Command] = &[$(Command {
            id: CommandId::$id,
            name: $name,
            title: $title,
            description: trimmed($text),
            keys: &[$($key),*],
            scope: $scope,
        },)*];
    };
}

/// `text` without the blank a doc comment begins with and the full stop it ends with.
const fn trimmed(text: &'static str) -> &'static str {
    let (_, rest) = text.split_at(1);
    let (body, _) = rest.split_at(rest.len() - 1);
    body
}

use Pane::{Classes, Detail, Operations, Sessions, Table};
const HERE: Scope = Scope::Anywhere;
const TREES: Scope = Scope::Panes(&[Sessions, Classes, Detail]);
const RIGHT: Scope = Scope::Panes(&[Table, Operations]);
const TABLE: Scope = Scope::Panes(&[Table]);
const DATA: Scope = Scope::Panes(&[Classes, Table, Detail]);
const SESSIONS: Scope = Scope::Panes(&[Sessions]);
const LISTED: Scope = Scope::Panes(&[Sessions, Classes, Table, Detail]);

commands! {
    /// Open what is under the cursor.
    Open "open" "open" ["enter"] HERE;
    /// Go in: open what is under the cursor.
    Enter "enter" "in" ["l"] RIGHT;
    /// Unfold what is under the cursor, or go in.
    Unfold "unfold" "unfold" ["l" "right"] TREES;
    /// Fold what is under the cursor, or go to what it belongs to.
    Fold "fold" "fold" ["h" "left"] TREES;
    /// Fold or unfold what is under the cursor.
    Toggle "toggle" "fold or unfold" ["space"] TREES;
    /// Clear the filter; without one, go one level out.
    Out "out" "back" ["esc" "backspace"] HERE;
    /// Go one level out.
    Leave "leave" "out" ["h"] RIGHT;
    /// Move one row up.
    Up "up" "up" ["k" "up"] HERE;
    /// Move one row down.
    Down "down" "down" ["j" "down"] HERE;
    /// Move half a page up.
    HalfUp "half-page-up" "½ up" ["ctrl-u"] HERE;
    /// Move half a page down.
    HalfDown "half-page-down" "½ down" ["ctrl-d"] HERE;
    /// Move a page up.
    PageUp "page-up" "page up" ["pageup" "ctrl-b"] HERE;
    /// Move a page down.
    PageDown "page-down" "page down" ["pagedown" "ctrl-f"] HERE;
    /// Go to the first row.
    First "first" "first" ["g g" "home"] HERE;
    /// Go to the last row.
    Last "last" "last" ["G" "end"] HERE;
    /// Go one column left.
    ColumnLeft "column-left" "column left" ["left" "<"] TABLE;
    /// Go one column right.
    ColumnRight "column-right" "column right" ["right" ">"] TABLE;
    /// Go to the next pane.
    NextPane "next-pane" "next pane" ["tab"] HERE;
    /// Go to the previous pane.
    PreviousPane "previous-pane" "previous pane" ["shift-tab"] HERE;
    /// Go to the sessions and their namespaces.
    PaneSessions "sessions-pane" "sessions pane" ["1"] HERE;
    /// Go to the classes.
    PaneClasses "classes" "classes" ["2"] HERE;
    /// Go to the table of instances.
    PaneTable "table" "table" ["3"] HERE;
    /// Go to the properties of the instance.
    PaneDetail "detail" "detail" ["4"] HERE;
    /// Go to the operations.
    PaneOperations "operations" "operations" ["5"] HERE;
    /// Give the pane the whole screen, or take it back.
    Zoom "zoom" "zoom" ["z"] HERE;
    /// Go back to where you were.
    Back "back" "back" ["["] HERE;
    /// Go forward again.
    Forward "forward" "forward" ["]"] HERE;
    /// Filter the pane: plain, `!` inverted, `~` fuzzy, `re:`.
    Filter "filter" "filter" ["/"] LISTED;
    /// Go to the next row that passes the filter.
    NextMatch "next-match" "next match" ["n"] LISTED;
    /// Go to the previous row that passes the filter.
    PreviousMatch "previous-match" "previous match" ["N"] LISTED;
    /// Open a class, a path or a command by its name.
    CommandLine "command" "command" [":"] HERE;
    /// Ask with a query, in WQL, CQL or FQL.
    Query "query" "query" ["Q"] HERE;
    /// Search every command.
    Palette "palette" "palette" ["ctrl-p"] HERE;
    /// Show the keys of this pane.
    Help "help" "help" ["?" "f1"] HERE;
    /// Fetch what the pane shows again.
    Refresh "refresh" "refresh" ["r" "ctrl-r" "f5"] LISTED;
    /// Sort by the column under the cursor, turn the order over, drop it.
    Sort "sort" "sort" ["s"] TABLE;
    /// Show the properties of the instance.
    Details "details" "details" ["d"] TABLE;
    /// Show what the instance is associated with, or its properties again.
    Associations "associations" "associations" ["A"] Scope::Panes(&[Table, Detail]);
    /// Show the class or the instance as MOF.
    Mof "mof" "MOF" ["m"] DATA;
    /// Open a class whose name you type.
    ClassName "class" "class by name" ["c"] Scope::Panes(&[Classes]);
    /// Cancel the operation under the cursor, or the one that runs in this pane.
    Cancel "cancel" "cancel" ["x"] HERE;
    /// Copy the value under the cursor.
    CopyValue "copy-value" "copy value" ["y y"] LISTED;
    /// Copy the object path.
    CopyPath "copy-path" "copy path" ["y p"] DATA;
    /// Copy the PowerShell command that does the same.
    CopyPowerShell "copy-powershell" "copy PowerShell" ["y c"] LISTED;
    /// Copy the instance as JSON.
    CopyJson "copy-json" "copy JSON" ["y j"] Scope::Panes(&[Table, Detail]);
    /// Copy the lazycim command that does the same.
    CopyCommand "copy-command" "copy lazycim" ["Y"] LISTED;
    /// Add a session.
    NewSession "new-session" "new session" ["a"] SESSIONS;
    /// Add a session that builds on a preset.
    NewFromPreset "new-from-preset" "from a preset" ["A"] SESSIONS;
    /// Edit the saved session.
    EditSession "edit-session" "edit" ["e"] SESSIONS;
    /// Give the saved session another name.
    RenameSession "rename-session" "rename" ["f2"] SESSIONS;
    /// Add a copy of the saved session.
    DuplicateSession "duplicate-session" "duplicate" ["D"] SESSIONS;
    /// See and allow the command that prints the password of an imported session.
    ConfirmCommand "confirm-command" "confirm" ["C"] SESSIONS;
    /// Remove the saved session; it can be put back.
    RemoveSession "remove-session" "remove" ["d d" "delete"] SESSIONS;
    /// Put the session back that was removed last.
    UndoRemove "undo-remove" "undo remove" ["u"] SESSIONS;
    /// Move the saved session up.
    MoveUp "move-up" "move up" ["K" "alt-up"] SESSIONS;
    /// Move the saved session down.
    MoveDown "move-down" "move down" ["J" "alt-down"] SESSIONS;
    /// Group the sessions by their tags, or list them one after the other again.
    GroupByTag "group-by-tag" "group by tag" ["t"] SESSIONS;
    /// Add the sessions of another tool's file.
    Import "import" "import" [] HERE;
    /// Write sessions into another tool's file.
    Export "export" "export" [] HERE;
    /// Close the session: its operations are cancelled, its secret is forgotten.
    CloseSession "close-session" "close session" ["X"] SESSIONS;
    /// Ask every session of a tag at once, for one table.
    Tag "tag" "tag" ["T"] SESSIONS;
    /// Test the session: connect, authenticate and ask one question every server can answer.
    TestSession "test-session" "test" ["p"] SESSIONS;
    /// List the sessions: id, instance id, state, operations in flight, whether a secret is held.
    SessionList "sessions" "sessions" ["S"] HERE;
    /// Show the newest error in full.
    ErrorDetail "error" "error" ["E"] HERE;
    /// Pin the session to the certificate that was refused, after asking.
    Pin "pin" "pin" ["P"] HERE;
    /// Show errors and notices since the start.
    Log "log" "log" ["L"] HERE;
    /// Draw the screen anew.
    Redraw "redraw" "redraw" ["ctrl-l"] HERE;
    /// Hand the terminal back to the shell; `fg` returns.
    Suspend "suspend" "suspend" ["ctrl-z"] HERE;
    /// Cancel the operation that runs; quit if none does.
    Interrupt "interrupt" "cancel or quit" ["ctrl-c"] HERE;
    /// Close what lies on top; with nothing on top, quit.
    Close "quit" "quit" ["q"] HERE;
    /// Quit at once; operations are cancelled and cleaned up.
    Quit "quit-now" "quit now" ["ctrl-q"] HERE;
}

impl CommandId {
    /// Its row of the registry.
    pub fn command(self) -> &'static Command {
        // The table and the enumeration come from the same macro, in the same order.
        &COMMANDS[self as usize]
    }

    /// The command `name` of the `:` line and of `keys.toml`.
    pub fn named(name: &str) -> Option<Self> {
        COMMANDS.iter().find(|command| command.name == name).map(|command| command.id)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_command_has_its_row_a_name_of_its_own_and_words() {
        let mut names = HashSet::new();
        for (at, command) in COMMANDS.iter().enumerate() {
            assert_eq!(command.id as usize, at);
            assert_eq!(command.id.command().name, command.name);
            assert!(names.insert(command.name), "{}", command.name);
            assert!(command.description.starts_with(char::is_uppercase), "{:?}", command.description);
            assert!(!command.description.ends_with('.'), "{:?}", command.description);
        }
    }
}
