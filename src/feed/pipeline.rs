//! The single writer: read, compare, decode, build, publish.
//!
//! ```text
//! scan -> settle -> read + digest -> decode -> graph::build -> publish
//!           ^------ changed meanwhile ------'      | an issue: last good goes on
//! ```

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::feed::file::{Content, Digest, Scan, only};
use crate::feed::{Config, Source};
use crate::graph::document::Place;
use crate::graph::issue::{Code, Issue, Issues};
use crate::limits::{FEED_DEBOUNCE, FEED_HASH_SHARE, FEED_SETTLE_MAX, ISSUES_LOGGED_MAX};
use crate::live::{FeedKind, FeedReport, NotNewer, Rejected, SnapshotPublisher};
use crate::model::revision::Revision;
use crate::wire::feed::decode;

/// What one look at the source came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A new snapshot serves.
    Published(Revision),
    /// The content is that of the last look; if it serves, its freshness was confirmed.
    Unchanged,
    /// The files kept changing; the next look decides.
    Unsettled,
    /// The content was refused or could not be read; the last good goes on.
    Refused,
}

/// The update path of one source. One thread owns it.
#[derive(Debug)]
pub struct Pipeline {
    config: Config,
    publisher: SnapshotPublisher,
    clock: Arc<dyn Clock>,
    /// The content that was judged last; `None` before the first and after a failed read.
    judged: Option<Judged>,
    /// Digest of the content that serves.
    serving: Option<Digest>,
    /// When the content was hashed last, and how long that took.
    hashed: (Duration, Duration),
    /// The issues of the last refusal, until taken.
    issues: Issues,
    report: FeedReport,
}

/// Content that was judged, so that it is not judged again.
#[derive(Debug)]
struct Judged {
    scan: Scan,
    digest: Digest,
}

/// Content that was read, before it is judged.
struct Reading {
    scan: Scan,
    contents: Vec<Content>,
    digest: Digest,
}

/// Why content is refused, and the revision that it states.
type Problem = (Issues, Option<Revision>);

/// What one look at the files came to.
enum Look {
    /// The content that was judged last, or that serves.
    Known,
    /// The files changed just now.
    Moving,
    Read(Reading),
    Unreadable(Issues),
}

impl Pipeline {
    /// A pipeline that has not looked yet.
    #[must_use]
    pub fn new(config: Config, publisher: SnapshotPublisher, clock: Arc<dyn Clock>) -> Self {
        let kind = match &config.source {
            Source::Embedded { .. } => FeedKind::Demo,
            Source::Path(path) if path.is_dir() => FeedKind::Directory,
            Source::Path(_) => FeedKind::File,
        };
        let source = config.source.to_string();
        let report = FeedReport {
            kind,
            source,
            ..FeedReport::default()
        };
        publisher.report(report.clone());
        Self {
            config,
            publisher,
            clock,
            judged: None,
            serving: None,
            hashed: (Duration::ZERO, Duration::ZERO),
            issues: Issues::default(),
            report,
        }
    }

    /// Looks at the source once. `wait` passes time while the files settle.
    pub fn check(&mut self, wait: &mut dyn FnMut(Duration)) -> Outcome {
        let outcome = match self.config.source.clone() {
            Source::Embedded { name, text } => self.check_embedded(name, text),
            Source::Path(path) => self.check_path(&path, wait),
        };
        (self.config.progress)(None);
        outcome
    }

    /// Every issue of the last refusal.
    #[must_use]
    pub fn take_issues(&mut self) -> Issues {
        std::mem::take(&mut self.issues)
    }

    fn check_embedded(&mut self, name: &'static str, text: &'static str) -> Outcome {
        if self.serving.is_some() {
            self.confirm();
            return Outcome::Unchanged;
        }
        let content = (name.into(), text.as_bytes().to_vec());
        let reading = Reading {
            scan: Scan::default(),
            contents: vec![content],
            digest: Digest::default(),
        };
        match self.judge(reading) {
            Ok(revision) => Outcome::Published(revision),
            Err(problem) => self.refuse(problem, None),
        }
    }

    fn check_path(&mut self, path: &Path, wait: &mut dyn FnMut(Duration)) -> Outcome {
        // The first content is taken as it is: nobody told of a write, and a start is quick.
        let mut settled = self.serving.is_none() && self.judged.is_none();
        let mut waited = Duration::ZERO;
        // What looks broken may be half of a write: it is reported only when it is still
        // the same after a debounce. Holds the digest of what was judged, if it was read.
        let mut pending: Option<Option<Digest>> = None;
        while waited < FEED_SETTLE_MAX {
            match self.look(path, settled) {
                Look::Known => return Outcome::Unchanged,
                Look::Moving => pending = None,
                Look::Read(reading) => {
                    let (scan, digest) = (reading.scan.clone(), reading.digest);
                    match self.judge(reading) {
                        Ok(revision) => return Outcome::Published(revision),
                        Err(problem) if pending == Some(Some(digest)) => {
                            return self.refuse(problem, Some(Judged { scan, digest }));
                        }
                        Err(_) => pending = Some(Some(digest)),
                    }
                }
                Look::Unreadable(issues) if pending == Some(None) => {
                    return self.refuse((issues, None), None);
                }
                Look::Unreadable(_) => pending = Some(None),
            }
            let before = Scan::of(path);
            wait(FEED_DEBOUNCE);
            waited = waited.saturating_add(FEED_DEBOUNCE);
            settled = before == Scan::of(path);
        }
        Outcome::Unsettled
    }

    /// Reads the content unless it is known to be that of the last look.
    fn look(&mut self, path: &Path, settled: bool) -> Look {
        let scan = match Scan::of(path) {
            Ok(scan) => scan,
            Err(issue) => return Look::Unreadable(only(issue)),
        };
        match &self.judged {
            Some(judged) if judged.scan == scan => {
                if !self.is_hash_due() {
                    return self.known(None);
                }
                let start = self.clock.monotonic();
                match scan.digest() {
                    Ok(digest) if digest == judged.digest => {
                        self.note_hash(start);
                        return self.known(None);
                    }
                    // Other content behind the same times and length: read it.
                    Ok(_) => {}
                    Err(issue) => return Look::Unreadable(only(issue)),
                }
            }
            Some(_) | None if !settled => return Look::Moving,
            Some(_) | None => {}
        }
        (self.config.progress)(Some(&format!("reading {} bytes", scan.length())));
        let start = self.clock.monotonic();
        let (contents, digest) = match scan.read() {
            Ok(read) => read,
            Err(issue) => return Look::Unreadable(only(issue)),
        };
        self.note_hash(start);
        if Scan::of(path).as_ref() != Ok(&scan) {
            return Look::Moving;
        }
        let judged = self.judged.as_ref().map(|judged| judged.digest);
        if judged == Some(digest) || self.serving == Some(digest) {
            return self.known(Some(Judged { scan, digest }));
        }
        Look::Read(Reading {
            scan,
            contents,
            digest,
        })
    }

    /// The content is one that was judged before. If it is what serves, it is fresh.
    fn known(&mut self, now: Option<Judged>) -> Look {
        if now.is_some() {
            self.judged = now;
        }
        let digest = self.judged.as_ref().map(|judged| judged.digest);
        if digest.is_some() && digest == self.serving {
            if self.report.rejected.take().is_some() {
                tracing::info!(source = %self.config.source, "the content that serves is back");
                self.publisher.report(self.report.clone());
            }
            self.confirm();
        }
        Look::Known
    }

    fn confirm(&self) {
        self.publisher.confirm(self.clock.monotonic());
    }

    fn is_hash_due(&self) -> bool {
        let (at, took) = self.hashed;
        self.clock.monotonic() >= at.saturating_add(took.saturating_mul(FEED_HASH_SHARE))
    }

    fn note_hash(&mut self, start: Duration) {
        let now = self.clock.monotonic();
        self.hashed = (now, now.saturating_sub(start));
    }

    /// Decodes, validates, compiles and publishes.
    fn judge(&mut self, reading: Reading) -> Result<Revision, Problem> {
        let Reading {
            scan,
            contents,
            digest,
        } = reading;
        let files = contents.len();
        let document = decode(&contents).map_err(|issues| (issues, None))?;
        drop(contents);
        let (stated, entities) = (document.revision, document.entities.len());
        (self.config.progress)(Some(&format!("compiling {entities} entities")));
        let current = self.publisher.current();
        let previous = current.as_deref().map(|state| &state.snapshot);
        let built = crate::graph::build(&document, previous, &self.config.build)
            .map_err(|issues| (issues, stated))?;
        drop((current, document));
        let revision = built.snapshot.revision();
        if let Err(error) = self
            .publisher
            .publish(built.snapshot, self.clock.monotonic())
        {
            return Err((only(not_newer(&self.config.source, error)), stated));
        }
        tracing::info!(
            source = %self.config.source, revision = revision.0, files, entities,
            "snapshot published"
        );
        for file in scan.ignored() {
            tracing::warn!(file, "no snapshot file, not read");
        }
        log_bounded(built.warnings.iter(), built.warnings.len(), |issue| {
            tracing::warn!(%issue, "allowed, but probably not meant");
        });
        self.judged = Some(Judged { scan, digest });
        self.serving = Some(digest);
        self.issues = Issues::default();
        self.report.rejected = None;
        self.report.published = self.report.published.saturating_add(1);
        self.publisher.report(self.report.clone());
        Ok(revision)
    }

    /// Keeps the last good, says why once.
    fn refuse(&mut self, (issues, revision): Problem, judged: Option<Judged>) -> Outcome {
        let shown = issues.list().iter().take(ISSUES_LOGGED_MAX);
        let rejected = Rejected {
            at: self.clock.unix_seconds(),
            revision,
            issues: shown.map(ToString::to_string).collect(),
            issue_count: issues.count(),
        };
        // A file that stays away is looked for at each poll; it is told of once.
        let told = judged.is_none()
            && self
                .report
                .rejected
                .as_ref()
                .is_some_and(|told| told.issues == rejected.issues);
        if !told {
            self.report.refused = self.report.refused.saturating_add(1);
            self.report.rejected = Some(rejected);
            self.publisher.report(self.report.clone());
        }
        // At the start the issues go to the operator's terminal instead.
        if !told && self.serving.is_some() {
            let count = issues.count();
            tracing::error!(
                source = %self.config.source, issues = count,
                "snapshot refused, the last good one goes on"
            );
            log_bounded(
                issues.list().iter(),
                count,
                |issue| tracing::error!(%issue, "refused"),
            );
        }
        self.judged = judged;
        self.issues = issues;
        Outcome::Refused
    }
}

fn not_newer(source: &Source, error: NotNewer) -> Issue {
    let place = Place {
        file: source.to_string().into(),
        line: 0,
        index: Place::WHOLE_FILE,
    };
    Issue {
        place,
        path: "revision".to_owned(),
        code: Code::Revision,
        found: error.got.to_string(),
        allowed: format!("newer than {}", error.serving),
    }
}

fn log_bounded<T>(items: impl Iterator<Item = T>, count: usize, log: impl Fn(T)) {
    items.take(ISSUES_LOGGED_MAX).for_each(log);
    let more = count.saturating_sub(ISSUES_LOGGED_MAX);
    if more > 0 {
        tracing::warn!(more, "more of them; `postern validate` lists them all");
    }
}
