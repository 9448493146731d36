//! Wakes the feed when something near the snapshot changes.
//!
//! What is watched are *directories*: a watch on a file goes deaf with the first atomic
//! rename. Any event is only a reason to look; the poll finds whatever no event told.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

/// A directory that is watched, and the inode that the watch sits on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Armed {
    directory: PathBuf,
    device: u64,
    inode: u64,
}

/// The watches on the directories that matter for one path.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    wake: SyncSender<()>,
    watcher: Option<RecommendedWatcher>,
    armed: Vec<Armed>,
    /// Set by an event that may mean that a watch is gone.
    lost: Arc<AtomicBool>,
    warned: bool,
}

impl Watch {
    /// Watches nothing yet; see [`Watch::arm`].
    #[must_use]
    pub fn new(path: PathBuf, wake: SyncSender<()>) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        Self {
            path,
            wake,
            watcher: None,
            armed: Vec::new(),
            lost,
            warned: false,
        }
    }

    /// Whether every directory that matters is watched; if not, only the poll works.
    #[must_use]
    pub const fn is_armed(&self) -> bool {
        self.watcher.is_some()
    }

    /// Brings the watches in step with what the path means now: a directory may have been
    /// removed and made again, a symlink may point elsewhere. Cheap when nothing changed.
    pub fn arm(&mut self) {
        let wanted = directories(&self.path);
        let lost = self.lost.swap(false, Ordering::AcqRel);
        if self.watcher.is_some() && !lost && wanted == self.armed {
            return;
        }
        // All anew: a watch on a directory that was removed and made again may sit on an
        // inode number that looks the same.
        self.watcher = None;
        self.armed.clear();
        match self.watch(&wanted) {
            Ok(watcher) => {
                self.watcher = Some(watcher);
                self.armed = wanted;
                if self.warned {
                    self.warned = false;
                    tracing::info!("file events work again");
                }
            }
            Err(error) if !self.warned => {
                self.warned = true;
                tracing::warn!(
                    path = %self.path.display(),
                    %error,
                    "no file events, the snapshot is only polled; \
                     raise fs.inotify.max_user_instances or max_user_watches to mend this"
                );
            }
            Err(_) => {}
        }
    }

    fn watch(&self, wanted: &[Armed]) -> notify::Result<RecommendedWatcher> {
        let (wake, lost) = (self.wake.clone(), Arc::clone(&self.lost));
        let directories: Vec<PathBuf> = wanted.iter().map(|w| w.directory.clone()).collect();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.as_ref().is_ok_and(is_read) {
                return;
            }
            if event
                .as_ref()
                .map_or(true, |event| may_lose_a_watch(event, &directories))
            {
                lost.store(true, Ordering::Release);
            }
            // Full is as good: a wake-up is already on its way.
            let _full = wake.try_send(());
        })?;
        for Armed { directory, .. } in wanted {
            watcher.watch(directory, RecursiveMode::NonRecursive)?;
        }
        Ok(watcher)
    }
}

/// Whether the event only tells of a read: our own reads must not wake us up for ever.
fn is_read(event: &Event) -> bool {
    use notify::event::{AccessKind, AccessMode};
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
        EventKind::Access(_) => true,
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => false,
    }
}

fn may_lose_a_watch(event: &Event, directories: &[PathBuf]) -> bool {
    use notify::event::ModifyKind;
    let moves = match event.kind {
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) | EventKind::Other => true,
        EventKind::Any | EventKind::Access(_) | EventKind::Create(_) | EventKind::Modify(_) => {
            false
        }
    };
    event.need_rescan() || (moves && event.paths.iter().any(|path| directories.contains(path)))
}

/// The directories whose change may change what `path` means: its parent, itself if it is a
/// directory, and the same for what it points to. Those that are not there are left out; the
/// poll arms them when they come.
fn directories(path: &Path) -> Vec<Armed> {
    let mut found: Vec<Armed> = Vec::new();
    let mut add = |directory: &Path| {
        let directory = if directory.as_os_str().is_empty() {
            Path::new(".")
        } else {
            directory
        };
        let Ok(metadata) = std::fs::metadata(directory) else {
            return;
        };
        let armed = Armed {
            directory: directory.to_path_buf(),
            device: metadata.dev(),
            inode: metadata.ino(),
        };
        let known = found
            .iter()
            .any(|f| (f.device, f.inode) == (armed.device, armed.inode));
        if metadata.is_dir() && !known {
            found.push(armed);
        }
    };
    let real = std::fs::canonicalize(path);
    for path in std::iter::once(path).chain(real.as_deref().ok()) {
        if let Some(parent) = path.parent() {
            add(parent);
        }
        add(path);
    }
    found
}
