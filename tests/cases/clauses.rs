//! Every clause that is built is cited by a test.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The clauses of SPEC that decide something here and are built. A clause that gets built is
/// added here, and must then be cited.
const BUILT: [&str; 41] = [
    "1.1", "1.2", "1.3", "1.4", "1.5", "2.1", "2.2", "2.3", "2.4", "2.5", "3.1", "3.2", "3.3",
    "3.4", "3.5", "3.6", "4.1", "4.2", "4.3", "4.4", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6",
    "6.1", "6.2", "6.3", "6.4", "6.5", "7.1", "7.3", "8", "9.1", "9.2", "9.5", "10.1", "11.1",
    "11.2", "14",
];

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// What follows `SPEC ` in a text: `6.3, 9.2` and the like.
fn citations(text: &str, found: &mut BTreeSet<String>) {
    for after in text.split("SPEC ").skip(1) {
        for item in after.split([',', ' ', ':', ';', ')']) {
            let item = item.trim_end_matches('.');
            let is_clause = item.starts_with(|c: char| c.is_ascii_digit())
                && item.chars().all(|c| c.is_ascii_digit() || c == '.');
            if is_clause {
                found.insert(item.to_owned());
            } else if !item.is_empty() {
                break;
            }
        }
    }
}

#[test]
fn every_clause_built_is_cited_by_a_case_and_no_case_cites_another() {
    let cases: BTreeSet<String> = crate::file::all().into_iter().map(|c| c.clause).collect();
    let mut cited = cases.clone();
    let mut paths = Vec::new();
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"),
        &mut paths,
    );
    for path in paths
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "rs"))
    {
        citations(&std::fs::read_to_string(path).unwrap(), &mut cited);
    }
    let built: BTreeSet<String> = BUILT.iter().map(|c| (*c).to_owned()).collect();
    let missing: Vec<&String> = built.difference(&cited).collect();
    assert!(missing.is_empty(), "no test cites SPEC {missing:?}");
    let strange: Vec<&String> = cases.difference(&built).collect();
    assert!(
        strange.is_empty(),
        "cases cite SPEC {strange:?}, which BUILT does not list"
    );
}
