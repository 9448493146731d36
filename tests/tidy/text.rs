//! Files and their text.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The code: without comments, and without `#[cfg(test)] mod`.
pub(crate) fn code(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            skip_item(&mut lines);
            continue;
        }
        let line = match line.find("//") {
            Some(at) if !line[..at].contains('"') => &line[..at],
            _ => line,
        };
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// Skips the item that follows: to the closing brace at the same depth, or to `;`.
fn skip_item<'a>(lines: &mut impl Iterator<Item = &'a str>) {
    let mut depth = 0_i32;
    for line in lines {
        if depth == 0 && (line.trim_start().starts_with("#[") || line.trim().is_empty()) {
            continue;
        }
        for c in line.chars() {
            depth += i32::from(c == '{') - i32::from(c == '}');
        }
        if depth <= 0 {
            return;
        }
    }
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| {
        assert!(!path.is_empty(), "a path");
        format!("{path}: {error}")
    })
}

pub(crate) fn read_if_there(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|_| String::new())
}

pub(crate) fn walk(folder: &Path, files: &mut BTreeMap<String, String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("a folder entry").path();
        if path.is_dir() {
            let skipped = path.ends_with("__pycache__") || path.ends_with("target");
            if !skipped {
                walk(&path, files);
            }
        } else if let Ok(text) = fs::read_to_string(&path) {
            let name = path.strip_prefix(root()).expect("below the root");
            files.insert(name.to_string_lossy().replace('\\', "/"), text);
        }
    }
}
