//! YAML in block style.

use crate::wire::feed::write::Out;
use crate::wire::feed::yaml::is_string_when_plain;

/// A YAML text.
#[derive(Debug, Default)]
pub(in crate::wire::feed) struct Yaml {
    text: String,
    open: Vec<Level>,
    /// The next key goes on the line of the `-` before it.
    after_dash: bool,
}

/// An open object or list.
#[derive(Debug, Clone, Copy)]
struct Level {
    is_list: bool,
    empty: bool,
    indent: usize,
}

impl Yaml {
    /// What was written since the last time.
    pub(in crate::wire::feed) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    fn open(&mut self, is_list: bool) {
        let indent = self
            .open
            .last()
            .map_or(0, |level| level.indent.saturating_add(2));
        self.after_dash = !is_list && self.open.last().is_some_and(|level| level.is_list);
        self.open.push(Level {
            is_list,
            empty: true,
            indent,
        });
    }

    fn close(&mut self, brackets: &str) {
        if self.open.pop().is_some_and(|level| level.empty) {
            self.value(brackets);
        }
        self.after_dash = false;
    }

    /// Begins a line, unless the `-` before has begun it.
    fn line(&mut self) {
        let Some(level) = self.open.last_mut() else {
            return;
        };
        level.empty = false;
        let indent = level.indent;
        if std::mem::take(&mut self.after_dash) {
            self.text.push(' ');
        } else {
            if !self.text.is_empty() || indent > 0 {
                self.text.push('\n');
            }
            self.text.extend(std::iter::repeat_n(' ', indent));
        }
    }

    fn value(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(text);
    }
}

impl Out for Yaml {
    fn open_object(&mut self) {
        self.open(false);
    }

    fn key(&mut self, name: &str) {
        self.line();
        self.text.push_str(&scalar(name));
        self.text.push(':');
    }

    fn close_object(&mut self) {
        self.close("{}");
    }

    fn open_list(&mut self) {
        self.open(true);
    }

    fn item(&mut self) {
        self.line();
        self.text.push('-');
    }

    fn close_list(&mut self) {
        self.close("[]");
    }

    fn text(&mut self, text: &str) {
        self.value(&scalar(text));
    }

    fn plain(&mut self, text: &str) {
        self.value(text);
    }
}

/// Without quotes only where no reader, YAML 1.1 included, could see anything but a string.
fn scalar(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || " _./@:+=?~*()-".contains(c);
    let word = text.to_ascii_lowercase();
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(safe)
        && !text.ends_with([':', ' '])
        && !text.contains(": ")
        && is_string_when_plain(text)
        && !matches!(
            &*word,
            "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null"
        );
    if plain { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            ' '..='~' => out.push(c),
            c if u32::from(c) > 0xA0
                && c != '\u{FEFF}'
                && !matches!(c, '\u{2028}' | '\u{2029}') =>
            {
                out.push(c);
            }
            c => out.push_str(&format!("\\U{:08X}", u32::from(c))),
        }
    }
    out.push('"');
    out
}
