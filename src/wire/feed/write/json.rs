//! JSON, on one line or indented.

use crate::wire::feed::write::Out;

/// A JSON text.
#[derive(Debug)]
pub(in crate::wire::feed) struct Json {
    text: String,
    indented: bool,
    /// For every open object or list, whether it is still empty.
    empty: Vec<bool>,
}

impl Json {
    /// Nothing written yet.
    pub(in crate::wire::feed) const fn new(indented: bool) -> Self {
        Self {
            text: String::new(),
            indented,
            empty: Vec::new(),
        }
    }

    /// What was written since the last time.
    pub(in crate::wire::feed) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    fn next(&mut self) {
        if let Some(empty) = self.empty.last_mut() {
            if !*empty {
                self.text.push(',');
            }
            *empty = false;
        }
        self.line();
    }

    fn line(&mut self) {
        if self.indented {
            self.text.push('\n');
            self.text
                .extend(std::iter::repeat_n("  ", self.empty.len()));
        }
    }

    fn close(&mut self, bracket: char) {
        if self.empty.pop() == Some(false) {
            self.line();
        }
        self.text.push(bracket);
    }
}

impl Out for Json {
    fn open_object(&mut self) {
        self.text.push('{');
        self.empty.push(true);
    }

    fn key(&mut self, name: &str) {
        self.next();
        self.text.push_str(&json_string(name));
        self.text.push_str(if self.indented { ": " } else { ":" });
    }

    fn close_object(&mut self) {
        self.close('}');
    }

    fn open_list(&mut self) {
        self.text.push('[');
        self.empty.push(true);
    }

    fn item(&mut self) {
        self.next();
    }

    fn close_list(&mut self) {
        self.close(']');
    }

    fn text(&mut self, text: &str) {
        self.text.push_str(&json_string(text));
    }

    fn plain(&mut self, text: &str) {
        self.text.push_str(text);
    }
}

fn json_string(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}
