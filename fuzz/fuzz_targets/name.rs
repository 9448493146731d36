//! Names, members, permissions, addresses: never a panic, and what is accepted obeys SPEC 1.2.
#![no_main]

use libfuzzer_sys::fuzz_target;
use postern::limits::{
    EMAIL_BYTES_MAX, ID_BYTES_MAX, NAME_BYTES_MAX, NAME_SEGMENTS_MAX, PERMISSION_BYTES_MAX,
};
use postern::model::{email, member, name, permission};

fuzz_target!(|text: &str| {
    if let Ok(parsed) = name::parse(text) {
        assert!(text.len() <= NAME_BYTES_MAX);
        assert!(text.split('/').count() <= NAME_SEGMENTS_MAX);
        for segment in text.split('/') {
            let default_team = segment == name::DEFAULT_TEAM;
            assert!(default_team && parsed.default_team || name::is_id(segment), "{segment:?}");
            assert!(segment.len() <= ID_BYTES_MAX && segment != "." && segment != "..");
        }
        assert!(text.starts_with(parsed.node));
        assert!(name::is_at_or_below(text, parsed.node) || parsed.node.is_empty());
    }
    let subject = member::parse_subject(text);
    assert!(subject.is_none() || member::parse(text).is_some(), "a subject is a member");
    if permission::is_well_formed(text) {
        assert!(text.len() <= PERMISSION_BYTES_MAX && text.split('.').count() == 3);
    }
    if email::is_well_formed(text) {
        assert!(text.len() <= EMAIL_BYTES_MAX && text.matches('@').count() == 1);
    }
});
