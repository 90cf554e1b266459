//! Places of layers that can be clicked.
//!
//! Owns: what a click on one does. Must not know where it is: the view that painted it does.

use super::{ConfirmDanger, ConfirmPin, ConfirmQuit, Layer, Question, State};

/// A place of the topmost layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// A field of the form, by its number.
    Field(usize),
    /// What says how many mistakes the form has.
    Mistakes,
    /// A choice of a list, by its number.
    Choice(usize),
    /// An answer of a question, by its number: No is the first.
    Answer(usize),
    /// Whether the secret being typed is kept.
    Keep,
}

impl State {
    /// A click on a place of the topmost layer. One on what has the cursor already, or a double click, means it.
    pub(super) fn click_spot(&mut self, spot: Spot, double: bool) {
        match spot {
            Spot::Field(at) => {
                let Some(form) = self.form() else { return };
                let again = form.at() == at;
                form.go_to(at);
                if (again || double) && form.field().is_some_and(super::Field::has_choices) {
                    form.pick();
                }
            }
            Spot::Mistakes => {
                if let Some(form) = self.form() {
                    form.go_to_mistake();
                }
            }
            Spot::Choice(at) => self.click_choice(at, double),
            Spot::Answer(at) => self.click_answer(at),
            Spot::Keep => self.toggle_keep(),
        }
    }

    fn click_choice(&mut self, at: usize, double: bool) {
        let picker = match self.layers.last_mut() {
            Some(Layer::Presets(picker)) => Some(picker),
            Some(Layer::Form(form)) => form.picker.as_mut(),
            _ => None,
        };
        let Some(picker) = picker else { return };
        let again = picker.list.at == at;
        picker.list.at = at;
        picker.refused = None;
        match self.layers.last() {
            Some(Layer::Presets(_)) if again || double => self.take_preset(),
            Some(Layer::Form(_)) if again || double => self.take_choice(),
            _ => {}
        }
    }

    fn click_answer(&mut self, at: usize) {
        match self.layers.last_mut() {
            Some(
                Layer::ConfirmQuit(ConfirmQuit { yes })
                | Layer::ConfirmPin(ConfirmPin { yes, .. })
                | Layer::ConfirmDanger(ConfirmDanger { yes, .. })
                | Layer::Question(Question { yes, .. }),
            ) => {
                *yes = at > 0;
                if at > 0 { self.confirmed() } else { drop(self.layers.pop()) }
            }
            Some(Layer::Conflict(view)) => {
                let keep = view.buttons().get(at).map(|button| button.0);
                if keep.is_some() {
                    self.settle_conflict(keep);
                }
            }
            _ => {}
        }
    }
}
