//! The built-in permissions and roles (SPEC 3.1), from `catalogue.txt`.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// What SPEC 2.1 says of a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flags {
    /// `VIEWER`, `EDITOR`, `OWNER` or `NONE`.
    pub(crate) basic_role: String,
    /// `MODELS`, `WEAVE` or `NONE`.
    pub(crate) product: String,
    pub(crate) public_read: bool,
    /// `NONE`, `ANY` or `OWN`.
    pub(crate) open_submit: String,
    pub(crate) administrative: bool,
    pub(crate) read: bool,
    pub(crate) configures: bool,
}

/// A built-in role.
#[derive(Debug, Clone, Default)]
pub(crate) struct BuiltIn {
    /// `membership`, `basic` or `iam`.
    pub(crate) kind: String,
    pub(crate) permissions: Vec<String>,
    pub(crate) own: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Catalogue {
    pub(crate) permissions: BTreeMap<String, Flags>,
    pub(crate) roles: BTreeMap<String, BuiltIn>,
}

/// The table, read once.
pub(crate) fn get() -> Arc<Catalogue> {
    static TABLE: LazyLock<Arc<Catalogue>> = LazyLock::new(|| Arc::new(read()));
    Arc::clone(&TABLE)
}

fn read() -> Catalogue {
    let mut permissions = BTreeMap::new();
    let mut roles: BTreeMap<String, BuiltIn> = BTreeMap::new();
    let mut role = String::new();
    for line in include_str!("catalogue.txt").lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["#", ..] | [] => {}
            ["permission", name, class, flags] => {
                permissions.insert((*name).to_owned(), flags_of(name, class, flags));
            }
            ["role", name, kind] => {
                role = (*name).to_owned();
                roles.entry(role.clone()).or_default().kind = (*kind).to_owned();
            }
            ["own:", name] => roles.get_mut(&role).unwrap().own.push((*name).to_owned()),
            [name] => roles
                .get_mut(&role)
                .unwrap()
                .permissions
                .push((*name).to_owned()),
            _ => panic!("catalogue.txt: cannot read {line:?}"),
        }
    }
    Catalogue { permissions, roles }
}

fn flags_of(name: &str, class: &str, flags: &str) -> Flags {
    let basic_role = match class {
        "V" => "VIEWER",
        "E" => "EDITOR",
        "O" => "OWNER",
        "N" => "NONE",
        _ => panic!("catalogue.txt: class {class:?}"),
    };
    // SPEC 3.6: the product goes by the service.
    let product = match name.split('.').next() {
        Some("models") => "MODELS",
        Some("weave") => "WEAVE",
        _ => "NONE",
    };
    let open_submit = match (flags.contains('s'), flags.contains('o')) {
        (true, _) => "ANY",
        (false, true) => "OWN",
        (false, false) => "NONE",
    };
    Flags {
        basic_role: basic_role.to_owned(),
        product: product.to_owned(),
        public_read: flags.contains('p'),
        open_submit: open_submit.to_owned(),
        administrative: flags.contains('a'),
        read: flags.contains('r'),
        configures: flags.contains('c'),
    }
}
