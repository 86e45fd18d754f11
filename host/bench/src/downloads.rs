//! What an installation says while it works: a bar per download on a terminal, and nothing elsewhere.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};

use bench_install::{Change, Installer, Note, Options, configured};
use bench_text::clean_name;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use semver::Version;

use crate::distribution::AskArgs;
use crate::failure::Failure;
use crate::{folders, output, results};

/// The installer that the options ask for.
pub fn installer(ask: &AskArgs) -> Result<Installer, Failure> {
    let sources = configured(&folders::config(), bench_registry::own_root(), ask.bundle.as_deref())?;
    let home = folders::installation();
    let home = match &ask.lock {
        Some(lock) => home.with_lock(lock.clone()),
        None => home,
    };
    let options = Options {
        now: bench_install::now(),
        host: version(),
        channel: ask.channel.into(),
        offline: ask.offline,
        frozen: ask.frozen,
        progress: progress(),
        waiting: Arc::new(|| output::say("another bench is changing what is installed; waiting for it")),
    };
    Ok(Installer::new(home, sources, options).asking_oci(oci_settings()?))
}

/// How OCI registries are asked, by the configuration.
pub fn oci_settings() -> Result<bench_oci::Settings, Failure> {
    Ok(bench_install::oci_settings(&folders::config())?)
}

/// This program's version.
pub fn version() -> Version {
    // Cargo takes no other versions.
    Version::parse(env!("CARGO_PKG_VERSION")).unwrap_or(Version::new(0, 0, 0))
}

fn progress() -> bench_install::Progress {
    if !std::io::stderr().is_terminal() {
        return Arc::new(|_, _, _| {});
    }
    let all = MultiProgress::new();
    let bars: Mutex<BTreeMap<String, ProgressBar>> = Mutex::new(BTreeMap::new());
    Arc::new(move |name, have, expected| {
        let mut bars = bars.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bars.entry(name.to_owned()).or_insert_with(|| {
            let bar = all.add(ProgressBar::new(expected));
            if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}") {
                bar.set_style(style);
            }
            bar.set_message(clean_name(name).to_string());
            bar
        });
        bar.set_position(have);
        if have == expected {
            bar.finish_and_clear();
        }
    })
}

/// What changed, as a table.
pub fn changes(changes: &[Change]) -> String {
    let mut table = results::table(&["kind", "name", "from", "to", "registry"]);
    let version = |version: &Option<Version>| version.as_ref().map_or_else(|| "-".to_owned(), Version::to_string);
    for change in changes {
        table.add_row(vec![
            change.kind.to_string(),
            change.name.to_string(),
            version(&change.from),
            version(&change.to),
            change.registry.clone(),
        ]);
    }
    table.to_string()
}

/// Notes as warnings.
pub fn notes<'n>(notes: impl IntoIterator<Item = &'n Note>) {
    for note in notes {
        output::note(&note.text, &note.code, note.hint.as_deref());
    }
}
