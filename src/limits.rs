//! Every bound of the program: value, unit, reason, and what happens at the bound.
//!
//! Nothing else in the crate writes a bound as a bare number.

use std::time::Duration;

// === names (SPEC 1.2) ===

/// Longest id, bytes. Longer: the name is malformed.
pub const ID_BYTES_MAX: usize = 128;
/// Longest resource name, bytes. Longer: the name is malformed.
pub const NAME_BYTES_MAX: usize = 1_024;
/// Most segments of a resource name. More: the name is malformed.
pub const NAME_SEGMENTS_MAX: usize = 32;
/// Longest e-mail address, bytes (RFC 5321 path limit less the angle brackets).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Longest permission name, bytes; three ids would fit, nobody needs them.
pub const PERMISSION_BYTES_MAX: usize = 256;
/// Longest member or principal string, bytes: a name plus prefix and uid.
pub const MEMBER_BYTES_MAX: usize = 2_048;
/// Longest uid, bytes.
pub const UID_BYTES_MAX: usize = 128;
/// Longest title or display name, bytes.
pub const TEXT_BYTES_MAX: usize = 1_024;

// === one snapshot ===

/// Most entities of a snapshot. Ids are `u32`; the rest is head room. More: rejected.
pub const ENTITIES_MAX: usize = 64_000_000;
/// Most permissions, built-in and extended together: the width of a permission set.
/// More: rejected.
pub const PERMISSIONS_MAX: usize = 1_024;
/// Most bindings of one allow policy. More: rejected.
pub const BINDINGS_MAX: usize = 1_500;
/// Most members of one binding (Google: 1,500 principals a policy). More: rejected.
pub const BINDING_MEMBERS_MAX: usize = 1_500;
/// Most direct members of one group. More: rejected.
pub const GROUP_MEMBERS_MAX: usize = 100_000;
/// Deepest nesting of groups. Deeper, or a cycle: rejected.
pub const GROUP_DEPTH_MAX: usize = 16;
/// Most groups that one principal may belong to, nested ones counted: the decision's
/// longest loop. More: rejected.
pub const GROUPS_PER_PRINCIPAL_MAX: usize = 2_048;
/// Most seats of one user. More: rejected.
pub const SEATS_MAX: usize = 256;
/// Most tags of one node. More: rejected.
pub const TAGS_MAX: usize = 64;
/// Most entries of one list of a key's restrictions. More: rejected.
pub const RESTRICTIONS_MAX: usize = 100;
/// Most services that a project names. More: rejected.
pub const SERVICES_MAX: usize = 256;
/// Most permissions that one role lists. More: rejected.
pub const ROLE_PERMISSIONS_MAX: usize = PERMISSIONS_MAX;
/// Most issues that one validation reports; the count beyond it is still stated.
pub const ISSUES_MAX: usize = 10_000;
/// Default quota of user-managed service accounts of a project (FACTS B2.2).
pub const SERVICE_ACCOUNT_QUOTA_DEFAULT: u32 = 100;
/// Most API keys of one service account (FACTS A4.6). More: `QUOTA_EXCEEDED` on create.
pub const API_KEYS_PER_ACCOUNT_MAX: u32 = 100;
/// Most key pairs of one account that are not system-managed (FACTS B3.1).
pub const KEY_PAIRS_PER_ACCOUNT_MAX: u32 = 10;
/// Largest `context.count` of a creation decision (SPEC 5.4).
pub const CREATE_COUNT_MAX: u32 = 1_000;

// === credentials ===

/// Shortest foreign API key, bytes (SPEC 9.1).
pub const KEY_BYTES_MIN: usize = 20;
/// Longest foreign API key, bytes (SPEC 9.1).
pub const KEY_BYTES_MAX: usize = 256;
/// Shortest pepper, bytes: below it a leaked snapshot is worth guessing at.
pub const PEPPER_BYTES_MIN: usize = 32;
/// Largest pepper file, bytes.
pub const PEPPER_BYTES_MAX: usize = 4_096;

// === files ===

/// Largest YAML file, bytes (SPEC 2.2). Larger: use NDJSON.
pub const YAML_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Largest JSON or NDJSON file, bytes.
pub const JSON_BYTES_MAX: usize = 8 * 1024 * 1024 * 1024;
/// Longest line of NDJSON, bytes: one entity; a group of 100,000 members fits.
pub const NDJSON_LINE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Deepest nesting of a document; the schema needs 6.
pub const DOCUMENT_DEPTH_MAX: usize = 32;
/// Most files of a snapshot directory.
pub const SNAPSHOT_FILES_MAX: usize = 10_000;
/// Default interval of the content-hash poll (INTERFACES 2: 1-5 s).
pub const FEED_POLL: Duration = Duration::from_secs(2);
/// Quiet time after a file event before the file is read (INTERFACES 2: 50-100 ms).
pub const FEED_DEBOUNCE: Duration = Duration::from_millis(75);
/// Longest debounce under a continuous stream of events.
pub const FEED_DEBOUNCE_MAX: Duration = Duration::from_millis(500);

// === requests ===

/// Most requests of one `BatchAuthorize` (SPEC 14). More: `INVALID_ARGUMENT`.
pub const BATCH_MAX: usize = 1_000;
/// Largest request message, bytes. A full batch of long names with attributes fits.
pub const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most fields of `context` or `resource_attributes`, nested ones counted.
pub const ATTRIBUTES_MAX: usize = 256;
/// Longest `request_id`, bytes.
pub const REQUEST_ID_BYTES_MAX: usize = 256;
/// Longest attribution, bytes.
pub const ATTRIBUTION_BYTES_MAX: usize = EMAIL_BYTES_MAX;
/// Most delegates of one request.
pub const DELEGATES_MAX: usize = 16;
/// Longest wait for `min_revision` when the caller sets no deadline.
pub const MIN_REVISION_WAIT_MAX: Duration = Duration::from_secs(5);
/// Most concurrent streams of one HTTP/2 connection.
pub const STREAMS_PER_CONNECTION_MAX: u32 = 1_024;
/// Most connections of the whole server. More: closed at once and counted.
pub const CONNECTIONS_MAX: usize = 16_384;
/// Largest header list of a request, bytes.
pub const HEADER_LIST_BYTES_MAX: u32 = 32 * 1024;
/// Longest drain after the signal to stop; then connections are cut.
pub const DRAIN_MAX: Duration = Duration::from_secs(10);
/// Retired snapshots that wait for their last reader.
pub const RETIRED_MAX: usize = 64;
