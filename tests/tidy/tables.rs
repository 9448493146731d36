//! What is allowed where.

/// Modules in order, and what each may import. A row may only name rows above it, so a cycle
/// cannot be written; a permission that nothing uses fails too, so the table stays the truth.
pub(crate) const LAYERS: &[(&str, &str)] = &[
    ("limits", ""),
    ("clock", ""),
    ("model", "limits"),
    ("condition", "model limits"),
    ("graph", "model condition limits"),
    ("credential", "model limits"),
    ("decide", "model condition graph limits"),
    ("wire", "model condition graph decide limits"),
    ("import", "graph wire"),
    ("lint", "limits"),
    ("cases", "model graph decide wire lint limits"),
    ("live", "model graph limits"),
    ("telemetry", ""),
    ("feed", "model graph wire live clock limits"),
    (
        "serve",
        "model graph credential decide wire live clock limits",
    ),
    ("config", "model limits"),
    (
        "app",
        "model graph credential decide wire live clock telemetry feed serve config",
    ),
    (
        "cli",
        "app config graph wire import lint cases decide credential model clock limits",
    ),
];

/// Modules without I/O, async, clock and wire types, and what they may not name.
pub(crate) const PURE: &[&str] = &[
    "limits",
    "model",
    "condition",
    "graph",
    "credential",
    "decide",
    "import",
    "lint",
    "cases",
];
pub(crate) const BANNED_IN_PURE: &[&str] = &[
    "tokio",
    "tonic",
    "prost",
    "arc_swap",
    "notify",
    "tracing",
    "hyper",
    "std::fs",
    "std::env",
    "std::net::Tcp",
    "std::net::Udp",
    "std::os",
    "std::thread",
    "SystemTime",
    "Instant::now",
];

/// Crates that only some modules may name.
pub(crate) const ONLY_IN: &[(&str, &[&str])] = &[
    ("arc_swap", &["live"]),
    ("notify", &["feed"]),
    ("tonic", &["wire", "serve", "feed", "cli"]),
    ("prost", &["wire", "serve", "feed", "cli"]),
    ("clap", &["cli"]),
    ("saphyr_parser", &["wire", "lint"]),
    ("envoy_types", &["wire"]),
    ("cel", &["condition"]),
    ("jiff", &["condition"]),
    ("regex_automata", &["condition"]),
    ("regex_syntax", &["condition"]),
];

/// Types whose empty value lets a call through: named in one file, which lets nobody make one
/// but from a decision.
pub(crate) const ALLOWS_BY_DEFAULT: &[&str] = &["CheckResponse", "OkHttpResponse"];
pub(crate) const ALLOWS_BY_DEFAULT_IN: &str = "src/wire/envoy/response.rs";

/// Where "nothing that fails to parse is skipped" is at stake: a statement that reads a value
/// may not also do what would skip it.
pub(crate) const PARSING: &[&str] = &["parse(", "parse::<", "from_str("];
pub(crate) const SKIPPING: &[&str] = &[
    "filter_map(",
    "flat_map(",
    ".flatten()",
    "unwrap_or_default()",
    "unwrap_or(",
];
pub(crate) const NOTHING_SKIPPED_IN: &[&str] = &["wire", "graph"];

pub(crate) const FILE_LINES_MAX: usize = 600;
pub(crate) const WORDS_BANNED: &[&str] = &[
    "TODO",
    "FIXME",
    "XXX",
    "HACK",
    "dbg!",
    "todo!",
    "unimplemented!",
];
