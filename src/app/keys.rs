//! Which key does what right now.
//!
//! Owns: [`State::key`] and [`State::paste`]: the topmost layer first, then the keymap with its chords. Must not log keys.

use super::{
    CommandId, CommandLine, ConfirmDanger, ConfirmPin, ConfirmQuit, Effect, Key, KeyCode, Layer, ListCursor, Lookup,
    Motion, Question, State,
};

/// The most lines the history of the `:` line keeps.
const LINES: usize = 200;

impl State {
    /// Takes a key press in.
    pub fn key(&mut self, key: Key) -> Vec<Effect> {
        let key = key.normal();
        let always = match (key.code, key.ctrl) {
            (KeyCode::Char('q'), true) => Some(CommandId::Quit),
            (KeyCode::Char('c'), true) => Some(CommandId::Interrupt),
            (KeyCode::Char('z'), true) => Some(CommandId::Suspend),
            _ => None,
        };
        match (always, self.layers.is_empty()) {
            (Some(command), false) => self.command(command),
            (_, false) => self.layer_key(key),
            (_, true) => self.pane_key(key),
        }
        self.settle();
        std::mem::take(&mut self.effects)
    }

    /// Takes a pasted text in, as one edit. Line ends in it submit nothing. Without a field to take it, it is dropped.
    pub fn paste(&mut self, text: &str) -> Vec<Effect> {
        match self.layers.last_mut() {
            Some(Layer::Help(help)) => help.input.insert(text),
            Some(Layer::Palette(palette)) => palette.input.insert(text),
            Some(Layer::CommandLine(line)) => line.input.insert(text),
            Some(Layer::Query(prompt)) => prompt.input.insert(text),
            Some(Layer::Filter(prompt)) => prompt.input.insert(text),
            Some(Layer::ClassName(input)) => input.insert(text),
            Some(Layer::Rename(rename)) => rename.input.insert(text),
            Some(Layer::Form(form)) => form.paste(text),
            _ => {}
        }
        self.edited();
        self.settle();
        std::mem::take(&mut self.effects)
    }

    fn pane_key(&mut self, key: Key) {
        if !self.pending.is_empty() && key.code == KeyCode::Esc {
            self.pending.clear();
            return;
        }
        self.pending.push(key);
        match self.keymap.lookup(self.focus, &self.pending) {
            Lookup::Found(command) => {
                self.pending.clear();
                self.command(command);
            }
            Lookup::Pending => self.pending_since = self.now,
            Lookup::Unknown => self.pending.clear(),
        }
    }

    fn layer_key(&mut self, key: Key) {
        if key.code == KeyCode::Esc {
            self.close_layer();
            return;
        }
        match self.layers.last() {
            // What belongs to a secret never gets here; should it, it goes nowhere.
            Some(Layer::Secret(_)) | None => {}
            Some(Layer::CommandLine(_)) => self.command_line_key(key),
            Some(Layer::Query(_)) => self.query_key(key),
            Some(Layer::Form(_)) => self.form_key(key),
            Some(Layer::Conflict(_)) => self.conflict_key(key),
            Some(Layer::Presets(_)) => self.presets_key(key),
            Some(Layer::ConfirmQuit(_) | Layer::ConfirmPin(_) | Layer::ConfirmDanger(_) | Layer::Question(_)) => {
                self.confirm_key(key)
            }
            Some(Layer::Filter(_) | Layer::ClassName(_) | Layer::Rename(_) | Layer::Help(_) | Layer::Palette(_)) => {
                self.prompt_key(key)
            }
            Some(Layer::Error(_) | Layer::Timeline(_) | Layer::Text(_) | Layer::Log(_) | Layer::SessionList(_)) => {
                self.view_key(key);
            }
        }
    }

    fn prompt_key(&mut self, key: Key) {
        if key.code == KeyCode::Enter {
            self.submit();
            return;
        }
        if let Some(motion) = motion(key, true) {
            let (help, palette) = (self.help_rows().len(), self.palette_rows().len());
            let height = self.layer_height();
            match self.layers.last_mut() {
                Some(Layer::Help(layer)) => layer.list.go(motion, help, height),
                Some(Layer::Palette(layer)) => layer.list.go(motion, palette, height),
                _ => {}
            }
            return;
        }
        let taken = match self.layers.last_mut() {
            Some(Layer::Help(layer)) => layer.input.key(key),
            Some(Layer::Palette(layer)) => layer.input.key(key),
            Some(Layer::Filter(layer)) => layer.input.key(key),
            Some(Layer::ClassName(input)) => input.key(key),
            Some(Layer::Rename(rename)) => rename.input.key(key),
            _ => false,
        };
        if taken {
            self.edited();
        }
    }

    /// Follows what was typed: filters filter, lists begin at their best match.
    fn edited(&mut self) {
        match self.layers.last_mut() {
            Some(Layer::Filter(prompt)) => {
                let (pane, text) = (prompt.pane, prompt.input.text().to_owned());
                self.set_filter(pane, &text);
            }
            Some(Layer::Help(layer)) => layer.list = ListCursor::default(),
            Some(Layer::Palette(layer)) => layer.list = ListCursor::default(),
            Some(Layer::CommandLine(_)) => self.complete(),
            _ => {}
        }
    }

    fn submit(&mut self) {
        match self.layers.last() {
            Some(Layer::Filter(_)) => {
                self.layers.pop();
            }
            Some(Layer::ClassName(input)) => {
                let line = input.text().trim().to_owned();
                self.layers.pop();
                if let (false, Some(classes)) = (line.is_empty(), &self.classes) {
                    let (session, namespace) = (classes.session, classes.namespace.clone());
                    self.open_class(session, namespace, line.as_str().into(), "");
                }
            }
            Some(Layer::Rename(_)) => self.submit_rename(),
            Some(Layer::Help(layer)) => {
                let chosen = self.help_rows().get(layer.list.at).map(|row| row.id);
                self.choose(chosen);
            }
            Some(Layer::Palette(layer)) => {
                let chosen = self.palette_rows().get(layer.list.at).map(|row| row.id);
                self.choose(chosen);
            }
            _ => {}
        }
    }

    fn choose(&mut self, chosen: Option<CommandId>) {
        self.layers.pop();
        if let Some(command) = chosen {
            self.command(command);
        }
    }

    fn command_line_key(&mut self, key: Key) {
        let last = self.lines.len();
        let Some(Layer::CommandLine(line)) = self.layers.last_mut() else { return };
        match key.code {
            KeyCode::Enter => self.submit_line(),
            KeyCode::Tab | KeyCode::BackTab => line.step_completion(key.code == KeyCode::Tab),
            KeyCode::Up | KeyCode::Down => {
                let back = if key.code == KeyCode::Up { line.back + 1 } else { line.back.saturating_sub(1) };
                line.back = back.min(last);
                let text = last.checked_sub(line.back).and_then(|at| self.lines.get(at));
                line.input.set(text.map_or("", String::as_str));
                self.complete();
            }
            KeyCode::Backspace if line.input.is_empty() => {
                self.layers.pop();
            }
            _ => {
                if line.input.key(key) {
                    self.edited();
                }
            }
        }
    }

    fn submit_line(&mut self) {
        let Some(Layer::CommandLine(line)) = self.layers.last() else { return };
        let text = line.input.text().trim().to_owned();
        let depth = self.layers.len() - 1;
        match self.obey(&text) {
            Ok(()) => {
                // What it did may have laid a layer over this one.
                self.layers.remove(depth);
                if !text.is_empty() && self.lines.back() != Some(&text) {
                    self.lines.push_back(text);
                    while self.lines.len() > LINES {
                        self.lines.pop_front();
                    }
                }
            }
            Err(error) => {
                if let Some(Layer::CommandLine(line)) = self.layers.last_mut() {
                    line.error = Some(super::display::safe(&error));
                }
            }
        }
    }

    fn presets_key(&mut self, key: Key) {
        let height = self.layer_height();
        let Some(Layer::Presets(picker)) = self.layers.last_mut() else { return };
        match (key.code, motion(key, false)) {
            (KeyCode::Enter, _) => self.take_preset(),
            (KeyCode::Char('q') | KeyCode::Backspace, _) => drop(self.layers.pop()),
            (_, Some(motion)) => picker.go(motion, height),
            _ => {}
        }
    }

    fn confirm_key(&mut self, key: Key) {
        let yes = match self.layers.last_mut() {
            Some(Layer::ConfirmQuit(ConfirmQuit { yes })) => yes,
            Some(Layer::ConfirmPin(ConfirmPin { yes, .. })) => yes,
            Some(Layer::ConfirmDanger(ConfirmDanger { yes, .. })) => yes,
            Some(Layer::Question(Question { yes, .. })) => yes,
            _ => return,
        };
        match key.code {
            KeyCode::Char('y' | 'Y') => self.confirmed(),
            KeyCode::Enter if *yes => self.confirmed(),
            KeyCode::Enter | KeyCode::Char('n' | 'N' | 'q') => {
                self.layers.pop();
            }
            KeyCode::Left | KeyCode::Right | KeyCode::Tab | KeyCode::BackTab | KeyCode::Char('h' | 'l') => *yes = !*yes,
            _ => {}
        }
    }

    pub(super) fn confirmed(&mut self) {
        match self.layers.last() {
            Some(Layer::ConfirmQuit(_)) => self.quit(),
            Some(Layer::ConfirmPin(_)) => self.pin(),
            Some(Layer::ConfirmDanger(_)) => self.dare(),
            Some(Layer::Question(_)) => self.agreed(),
            _ => {}
        }
    }

    /// Keys of the layers that only show something.
    fn view_key(&mut self, key: Key) {
        if let Some(motion) = motion(key, false) {
            self.move_view(motion);
            return;
        }
        match (key.code, self.layers.last()) {
            (code, Some(Layer::SessionList(_))) if let Some(command) = of_live(code) => self.do_with_live(command),
            (KeyCode::Char('q' | 'h' | '?') | KeyCode::Backspace, _) => {
                self.close_layer();
            }
            (KeyCode::Char('y'), Some(Layer::Text(view))) => self.effects.push(Effect::Copy(view.raw.clone())),
            (KeyCode::Char('y'), Some(Layer::Error(view))) => {
                let lines = self.log.get(view.entry).map(|entry| entry.lines().join("\n"));
                self.effects.extend(lines.map(Effect::Copy));
            }
            (KeyCode::Char('P'), Some(Layer::Error(view))) => self.confirm_pin(Some(view.entry)),
            (KeyCode::Char('x'), Some(Layer::Timeline(view))) => {
                let op = self.operations.get(view.op).filter(|row| row.is_running()).map(|row| row.id);
                self.effects.extend(op.map(Effect::Cancel));
            }
            (KeyCode::Enter | KeyCode::Char('l'), Some(Layer::Log(list))) => {
                let entry = self.log.entries().rev().nth(list.at).map(|entry| entry.number);
                self.layers.extend(entry.map(|entry| Layer::Error(super::ErrorView { entry, offset: 0 })));
            }
            _ => {}
        }
    }

    fn move_view(&mut self, motion: Motion) {
        let (height, entries) = (self.layer_height(), self.layer_lines());
        let lines = self.layer_lines();
        match self.layers.last_mut() {
            Some(Layer::Log(list) | Layer::SessionList(list)) => list.go(motion, entries, height),
            Some(Layer::Form(form)) => match &mut form.picker {
                Some(picker) => picker.go(motion, height),
                None => form.go(motion),
            },
            Some(Layer::Presets(picker)) => picker.go(motion, height),
            Some(Layer::Error(super::ErrorView { offset, .. }))
            | Some(Layer::Timeline(super::TimelineView { offset, .. }))
            | Some(Layer::Text(super::TextView { offset, .. })) => {
                let last = lines.saturating_sub(height);
                let page = height.max(1);
                *offset = match motion {
                    Motion::Up => offset.saturating_sub(1),
                    Motion::Down => *offset + 1,
                    Motion::HalfUp => offset.saturating_sub(page / 2),
                    Motion::HalfDown => *offset + page / 2,
                    Motion::PageUp => offset.saturating_sub(page),
                    Motion::PageDown => *offset + page,
                    Motion::First => 0,
                    Motion::Last => last,
                }
                .min(last);
            }
            _ => {}
        }
    }

    pub(super) fn scroll_layer(&mut self, lines: isize) {
        if let Some(Layer::Form(form)) = self.layers.last_mut()
            && form.picker.is_none()
        {
            // The wheel ends where the form does.
            form.go_to(form.at().saturating_add_signed(lines));
            return;
        }
        let motion = if lines < 0 { Motion::Up } else { Motion::Down };
        for _ in 0..lines.unsigned_abs().min(20) {
            self.move_view(motion);
        }
    }

    /// How many cells a page over the panes is wide inside.
    pub fn page_width(&self) -> usize {
        usize::from(self.size.0.saturating_sub(4))
    }

    /// How many lines of content the topmost layer has, broken as they are shown.
    pub fn layer_lines(&self) -> usize {
        match self.layers.last() {
            Some(Layer::Error(view)) => self.log.get(view.entry).map_or(0, |entry| match &entry.error {
                Some(error) => super::error_lines(error, self.page_width()).len(),
                None => super::wrap(&entry.lines().join("\n"), self.page_width(), usize::MAX).len(),
            }),
            Some(Layer::Text(view)) => view.wrapped().len(),
            Some(Layer::Timeline(view)) => {
                let row = self.operations.get(view.op);
                row.map_or(0, |row| super::timeline_height(row, self.page_width()))
            }
            Some(Layer::Log(_)) => self.log.len(),
            Some(Layer::SessionList(_)) => self.session_list().len(),
            _ => 0,
        }
    }

    /// How many lines of its content a full layer shows: it leaves the header and footer free and has a frame; lists under an
    /// input line have two rows less.
    pub fn layer_height(&self) -> usize {
        let frame = if self.layers.last().is_some_and(Layer::is_text) { 6 } else { 4 };
        usize::from(self.size.1.saturating_sub(frame)).max(1)
    }

    pub(super) fn settle_layers(&mut self) {
        let height = self.layer_height();
        let (help, palette) = match self.layers.last() {
            Some(Layer::Help(_)) => (self.help_rows().len(), 0),
            Some(Layer::Palette(_)) => (0, self.palette_rows().len()),
            _ => (0, 0),
        };
        let width = self.page_width();
        if let Some(Layer::Text(view)) = self.layers.last_mut() {
            view.wrap(width);
        }
        let lines = self.layer_lines();
        match self.layers.last_mut() {
            Some(Layer::Help(layer)) => layer.list.settle(help, height),
            Some(Layer::Palette(layer)) => layer.list.settle(palette, height),
            Some(Layer::Log(list) | Layer::SessionList(list)) => list.settle(lines, height),
            Some(Layer::Text(view)) => view.offset = view.offset.min(lines.saturating_sub(height)),
            Some(Layer::Error(view)) => view.offset = view.offset.min(lines.saturating_sub(height)),
            Some(Layer::Timeline(view)) => view.offset = view.offset.min(lines.saturating_sub(height)),
            _ => {}
        }
    }
}

/// What a key does on the page of sessions, beside moving and closing it.
const fn of_live(code: KeyCode) -> Option<CommandId> {
    match code {
        KeyCode::Enter | KeyCode::Char('l') => Some(CommandId::Open),
        KeyCode::Char('X') => Some(CommandId::CloseSession),
        KeyCode::Char('p') => Some(CommandId::TestSession),
        KeyCode::Char('y') => Some(CommandId::CopyValue),
        _ => None,
    }
}

/// The motion a key means in a layer; in one with text, only keys that type nothing.
pub(super) fn motion(key: Key, text: bool) -> Option<Motion> {
    Some(match (key.code, key.ctrl) {
        (KeyCode::Up, false) => Motion::Up,
        (KeyCode::Down, false) => Motion::Down,
        (KeyCode::Char('p'), true) if text => Motion::Up,
        (KeyCode::Char('n'), true) if text => Motion::Down,
        (KeyCode::PageUp, false) => Motion::PageUp,
        (KeyCode::PageDown, false) => Motion::PageDown,
        _ if text => return None,
        (KeyCode::Char('k'), false) => Motion::Up,
        (KeyCode::Char('j'), false) => Motion::Down,
        (KeyCode::Char('u'), true) => Motion::HalfUp,
        (KeyCode::Char('d'), true) => Motion::HalfDown,
        (KeyCode::Char('b'), true) => Motion::PageUp,
        (KeyCode::Char('f'), true) | (KeyCode::Char(' '), false) => Motion::PageDown,
        (KeyCode::Char('g'), false) | (KeyCode::Home, false) => Motion::First,
        (KeyCode::Char('G'), false) | (KeyCode::End, false) => Motion::Last,
        _ => return None,
    })
}

impl CommandLine {
    /// Puts the next or the previous completion in the place of the word under the cursor.
    fn step_completion(&mut self, forward: bool) {
        let count = self.completions.len();
        if count == 0 {
            return;
        }
        let next = match (self.chosen, forward) {
            (None, true) => 0,
            (None, false) => count - 1,
            (Some(at), true) => (at + 1) % count,
            (Some(at), false) => (at + count - 1) % count,
        };
        self.chosen = Some(next);
        let word_at = self.input.text().rfind(' ').map_or(0, |at| at + 1);
        let (before, _) = self.input.text().split_at(word_at);
        if let Some(word) = self.completions.get(next) {
            let text = format!("{before}{word}");
            self.input.set(&text);
        }
    }
}
