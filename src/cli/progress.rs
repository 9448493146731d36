//! Progress on anything that takes more than a second: a spinner on a terminal, plain lines
//! otherwise; on standard error.

use std::io::{self, IsTerminal as _};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// What takes less is not worth a word.
const SILENCE: Duration = Duration::from_secs(1);
/// Interval of plain lines.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Tells what is being done, `None` when it is done. Shows nothing during the first second.
pub fn show(doing: Option<&str>) {
    static PAINTER: LazyLock<Option<SyncSender<Option<String>>>> = LazyLock::new(|| {
        let (sender, receiver) = sync_channel(16);
        let painter = std::thread::Builder::new()
            .name("progress".to_owned())
            .spawn(move || paint(&receiver));
        painter.is_ok().then_some(sender)
    });
    if let Some(painter) = &*PAINTER {
        // Full: the painter is behind, and this word is not worth waiting for.
        let _full = painter.try_send(doing.map(str::to_owned));
    }
}

fn paint(words: &Receiver<Option<String>>) {
    let is_terminal = io::stderr().is_terminal();
    while let Ok(word) = words.recv() {
        let Some(mut doing) = word else { continue };
        let mut bar: Option<ProgressBar> = None;
        let mut wait = SILENCE;
        loop {
            match words.recv_timeout(wait) {
                Ok(Some(next)) => {
                    doing = next;
                    if let Some(bar) = &bar {
                        bar.set_message(doing.clone());
                    }
                }
                Ok(None) => break,
                Err(RecvTimeoutError::Timeout) if is_terminal => {
                    bar.get_or_insert_with(spinner).set_message(doing.clone());
                }
                Err(RecvTimeoutError::Timeout) => super::note(format_args!("{doing} ...")),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            wait = LINE_INTERVAL;
        }
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
    }
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
