//! The form of a session, and the lists of choices.
//!
//! Owns: how they look at every size. Must not know what is checked, nor what a choice does. A text that could be a password
//! is shown as dots.

use ratatui::{
    layout::{Position, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
};

use super::{
    dialogs::page_area,
    lines,
    paint::{Brush, inside, line_width},
    text,
};
use crate::{
    app::{Field, Form, FormRow, FormTest, Picker, Section, Spot, origin_text, safe},
    session::{
        Colour,
        store::{Kind, Origin},
    },
};

/// The widest the form gets, in cells.
const WIDTH: u16 = 110;
/// From this width on the origin of a value has a column of its own.
const WITH_ORIGINS: u16 = 56;
/// The column of the origins, in cells.
const ORIGINS: u16 = 24;

/// Paints the form; the answer is where the cursor stands.
pub fn paint(brush: &mut Brush<'_>, screen: Rect, form: &Form) -> Option<Position> {
    let whole = page_area(screen);
    let width = whole.width.min(WIDTH);
    let area = Rect { x: whole.x + (whole.width - width) / 2, width, ..whole };
    brush.clear(area);
    let inner = brush.frame(area, true, title(brush, form), note(brush, form));
    if let Some(note) = note(brush, form).filter(|_| form.mistakes() > 0) {
        let wide = (line_width(&note) as u16 + 2).min(area.width);
        brush.spot(Rect { x: area.right() - wide, width: wide, ..area }, 0, Spot::Mistakes);
    }
    let told = told(brush, form, inner);
    let low = (told.len() as u16).min(inner.height.saturating_sub(1));
    let list = Rect { height: inner.height - low, ..inner };
    let rows = form.rows();
    let at = rows.iter().position(|row| *row == FormRow::Field(form.at())).unwrap_or(0);
    let shown = usize::from(list.height);
    // The heading of the section stays in sight, and something below the cursor.
    let offset = (at + 1 + shown / 3).saturating_sub(shown).min(at.saturating_sub(1));
    let offset = offset.min(rows.len().saturating_sub(shown));
    let mut cursor = None;
    for (row, item) in rows.iter().skip(offset).take(shown).enumerate() {
        match item {
            FormRow::Heading(section) => {
                let heading = Span::styled(format!(" {}", section.title()), brush.theme.roles.heading);
                brush.line(list, row as u16, Line::from(heading));
            }
            FormRow::Field(number) => {
                if let Some(field) = form.fields().get(*number) {
                    let at = paint_field(brush, list, row as u16, form, field, *number == form.at());
                    cursor = cursor.or(at);
                    brush.spot(list, row as u16, Spot::Field(*number));
                }
            }
        }
    }
    brush.thumb(Rect { height: list.height + 2, ..area }, rows.len(), shown, offset, true);
    for (row, line) in told.into_iter().enumerate() {
        brush.line(inner, list.height + row as u16, line);
    }
    match &form.picker {
        Some(picker) => {
            brush.spots.clear();
            self::picker(brush, screen, picker);
            None
        }
        None => cursor,
    }
}

fn title(brush: &Brush<'_>, form: &Form) -> Line<'static> {
    let name = form.id.as_ref().map_or_else(|| "New session".to_owned(), |id| format!("Edit {}", id.as_str()));
    let dot = brush.theme.symbols.dot;
    let section = form.field().map_or("", |field| Section::of(field.key).title());
    Line::from(vec![Span::raw(name), Span::styled(format!("{dot}{section}"), brush.theme.roles.dim)])
}

/// How it stands: saving, mistakes, changed.
fn note(brush: &Brush<'_>, form: &Form) -> Option<Line<'static>> {
    let roles = &brush.theme.roles;
    let span = match (form.saving, form.mistakes()) {
        (true, _) => Span::styled("saving", roles.accent),
        (_, 0) if form.is_changed() => Span::styled("not saved", roles.warning),
        (_, 0) => return None,
        (_, number) => Span::styled(text::plural(number as u64, "mistake", "mistakes"), roles.error),
    };
    Some(Line::from(span))
}

fn paint_field(
    brush: &mut Brush<'_>,
    list: Rect,
    row: u16,
    form: &Form,
    field: &Field,
    here: bool,
) -> Option<Position> {
    let (roles, symbols) = (brush.theme.roles, brush.theme.symbols);
    let wrong = form.mistake(field.key.name).is_some();
    let label = text::left(&Section::label(field.key), label_width(form, list), symbols.ellipsis);
    let style = match (wrong, here) {
        (true, _) => roles.error,
        (_, true) => roles.title_focused,
        _ => roles.text,
    };
    let mark = if wrong {
        "!"
    } else if here {
        symbols.closed
    } else {
        " "
    };
    let prompt = format!(" {mark} {label}  ");
    let origins = if list.width >= WITH_ORIGINS { ORIGINS } else { 0 };
    let place = Rect { width: list.width - origins, ..list };
    let typed = field.input.text();
    let effective = form.effective(field.key.name);
    let (value, look) = match (typed.is_empty(), effective) {
        (false, _) => (shown(brush, field), value_style(brush, field, typed)),
        (true, Some(known)) => (safe(&known.value), roles.dim),
        (true, None) => (unsaid(field).to_owned(), roles.dim),
    };
    let origin = match (typed.is_empty(), effective) {
        (false, _) if field.is_changed() => "changed".to_owned(),
        (false, _) => "said here".to_owned(),
        (true, _) if field.is_changed() => "taken out".to_owned(),
        // Only an id made of the name is the session's own without being typed.
        (true, Some(known)) if known.origin == Origin::Own => "made of the name".to_owned(),
        (true, known) => known.map_or_else(String::new, |known| origin_text(&known.origin)),
    };
    if origins > 0 {
        let origin = text::fit(&origin, usize::from(origins) - 2, symbols.ellipsis).into_owned();
        let origin_style = if field.is_changed() { roles.warning } else { roles.dim };
        let at = Rect { x: list.x + list.width - origins, width: origins, ..list };
        brush.line(at, row, Line::from(Span::styled(format!(" {origin}"), origin_style)));
    }
    let cursor = Position::new(place.x + text::width(&prompt) as u16, place.y + row);
    let label = Span::styled(prompt, style);
    if here && !typed.is_empty() && !field.is_choice() && !field.is_hidden() {
        return lines::edit(brush, place, row, label, &field.input, "");
    }
    let dots = if field.is_hidden() { text::width(&value) as u16 } else { 0 };
    brush.line(place, row, Line::from(vec![label, Span::styled(value, look)]));
    let cursor = Position { x: (cursor.x + dots).min(place.right().saturating_sub(1)), ..cursor };
    here.then_some(cursor)
}

/// The widest label, or what a narrow screen has for it.
fn label_width(form: &Form, list: Rect) -> usize {
    let widest = form.fields().iter().map(|field| text::width(&Section::label(field.key))).max().unwrap_or(0);
    widest.min(usize::from(list.width) / 3)
}

/// What is typed, as it may be seen.
fn shown(brush: &Brush<'_>, field: &Field) -> String {
    let typed = field.input.text();
    if field.is_hidden() {
        let mark = if brush.theme.symbols.ellipsis == "~" { "*" } else { "•" };
        return mark.repeat(typed.chars().count());
    }
    safe(typed)
}

/// What stands for a value that nobody says and that has no usual one here.
fn unsaid(field: &Field) -> &'static str {
    match field.key.name.split_once('.') {
        Some(("timeouts" | "limits", _)) => "as in config.toml",
        _ => "-",
    }
}

fn value_style(brush: &Brush<'_>, field: &Field, typed: &str) -> Style {
    let roles = &brush.theme.roles;
    let dangerous = matches!(field.key.name, "allow_clear_text" | "tls.skip_chain" | "tls.skip_name");
    match (field.key.kind, typed) {
        (Kind::Switch, "true") if dangerous => roles.danger,
        (_, _) if field.key.name == "colour" => Colour::named(typed).map_or(roles.text, |it| colour(brush, it)),
        _ => roles.text,
    }
}

/// The look of a session's colour; without colours it is bold.
pub fn colour(brush: &Brush<'_>, colour: Colour) -> Style {
    if brush.theme.roles.error.fg.is_none() {
        return Style::new().add_modifier(Modifier::BOLD);
    }
    Style::new().fg(Color::Indexed(colour.index()))
}

/// The lines below the fields: what is wrong or what the field is for, then what became of saving or trying.
fn told(brush: &Brush<'_>, form: &Form, inner: Rect) -> Vec<Line<'static>> {
    let roles = &brush.theme.roles;
    let room = usize::from(inner.width).saturating_sub(2);
    let most = if inner.height < 12 { 1 } else { 2 };
    let mut lines = Vec::new();
    let mut say = |told: &str, most: usize, style: Style| {
        let wrapped = text::wrap(told, room, most);
        lines.extend(wrapped.into_iter().map(|line| Line::from(Span::styled(format!(" {line}"), style))));
    };
    if let Some(field) = form.field() {
        match form.mistake(field.key.name) {
            Some(mistake) => say(&safe(&format!("{}; {}", mistake.cause, mistake.hint)), most, roles.error),
            None => say(&about(field), most, roles.dim),
        }
    }
    match (&form.error, &form.test) {
        (Some((cause, hint)), _) => {
            say(cause, most + 1, roles.error);
            say(&format!("try: {hint}"), 1, roles.dim);
        }
        (None, FormTest::None) => {}
        (None, FormTest::Running(op)) => say(&format!("{op} tries to connect; ctrl-t cancels"), 1, roles.accent),
        (None, FormTest::Passed(took)) => {
            say(&format!("the server answered in {}", text::duration(*took)), 1, roles.ok)
        }
        (None, FormTest::Cancelled) => say("trying to connect was cancelled", 1, roles.warning),
        (None, FormTest::Failed(error)) => {
            say(&safe(&error.to_string()), most + 1, roles.error);
            say(&format!("try: {}", safe(&error.hint)), 1, roles.dim);
        }
    }
    lines
}

fn about(field: &Field) -> String {
    let meaning = field.key.choices().into_iter().find(|choice| choice.0 == field.input.text() && field.is_choice());
    match meaning {
        Some((choice, meaning)) if !meaning.is_empty() && field.key.kind != Kind::Switch => {
            format!("{}: {choice}: {meaning}", field.key.about)
        }
        _ if field.is_choice() => format!("{} (space: next, enter: choices)", field.key.about),
        _ if field.has_choices() => format!("{} (enter: choices)", field.key.about),
        _ => field.key.about.to_owned(),
    }
}

/// A list of choices in the middle of the screen.
pub fn picker(brush: &mut Brush<'_>, screen: Rect, picker: &Picker) {
    let roles = brush.theme.roles;
    let whole = page_area(screen);
    let height = (picker.choices.len() as u16 + 4).min(whole.height);
    let width = whole.width.min(96);
    let area = Rect { x: whole.x + (whole.width - width) / 2, y: whole.y + (whole.height - height) / 2, width, height };
    brush.clear(area);
    brush.frame(area, true, Line::from(picker.title.clone()), None);
    let inner = inside(area);
    let list = Rect { height: inner.height.saturating_sub(2), ..inner };
    let shown = usize::from(list.height);
    let offset = (picker.list.at + 1).saturating_sub(shown);
    let wide = picker.choices.iter().map(|choice| text::width(&choice.label)).max().unwrap_or(0);
    let wide = wide.min(usize::from(inner.width) / 2);
    for (row, (at, choice)) in picker.choices.iter().enumerate().skip(offset).take(shown).enumerate() {
        let style = if choice.greyed.is_some() { roles.dim } else { roles.text };
        let label = text::left(&choice.label, wide, brush.theme.symbols.ellipsis);
        let about = choice.greyed.as_ref().unwrap_or(&choice.about);
        let spans = vec![Span::styled(format!(" {label}  "), style), Span::styled(about.clone(), roles.dim)];
        brush.line(list, row as u16, Line::from(spans));
        brush.spot(list, row as u16, Spot::Choice(at));
        if at == picker.list.at {
            brush.select(list, row as u16, true);
        }
    }
    brush.thumb(Rect { height: list.height + 2, ..area }, picker.choices.len(), shown, offset, true);
    let chosen = picker.choices.get(picker.list.at);
    let (told, style) = match (&picker.refused, chosen) {
        (Some(why), _) => (why.clone(), roles.error),
        (None, Some(choice)) => (choice.about.clone(), roles.dim),
        (None, None) => (String::new(), roles.dim),
    };
    for (row, line) in text::wrap(&told, usize::from(inner.width).saturating_sub(2), 2).into_iter().enumerate() {
        brush.line(inner, list.height + row as u16, Line::from(Span::styled(format!(" {line}"), style)));
    }
}
