//! That no guest code runs while a window is open.
//!
//! The proof has three parts. The crate that opens windows does not know guests (`layers`). It takes whatever can call one
//! by value, and a handle cannot be copied (`host/plugin/tests/handles.rs`). What is left is that the callers hand over
//! what they have and run nothing beside the window, which is checked here.

use crate::project::{SOURCES, Source, expect_none};

/// The files that open windows with guests at hand.
const WITH_GUESTS: [&str; 2] = ["host/run/src/preflight.rs", "host/run/src/sessions.rs"];

fn run() -> impl Iterator<Item = &'static Source> {
    SOURCES.iter().filter(|source| source.path.starts_with("host/run/src/"))
}

/// Whether the file takes `measure` from the crate that opens windows. Others may have functions of that name.
fn opens_windows(source: &Source) -> bool {
    source.shipped.split("bench_load::").skip(1).any(|after| {
        let named = if after.starts_with('{') { after.split('}').next() } else { after.split([';', '(']).next() };
        let mut words = named.unwrap_or_default().split(|c: char| !c.is_alphanumeric() && c != '_');
        words.any(|word| word == "measure")
    })
}

#[test]
fn windows_are_opened_in_few_places() {
    let openers: Vec<&str> = run().filter(|source| opens_windows(source)).map(|source| source.path.as_str()).collect();
    for path in WITH_GUESTS {
        assert!(openers.contains(&path), "{path} opens no window any more; bring `WITH_GUESTS` up to date");
    }
    for path in openers.iter().filter(|path| !WITH_GUESTS.contains(path)) {
        let source = run().find(|source| source.path == **path).unwrap();
        let guests = source.find(&source.shipped, &["bench_plugin", "Engine", "Driver", "Workload"]);
        expect_none("a new place opens windows; let it know no guests, or list it in `WITH_GUESTS`:", &guests);
    }
}

#[test]
fn nothing_runs_beside_a_window() {
    let words = ["spawn", "join!", "try_join!", "select!", "JoinSet", "thread::"];
    let places = run().filter(|source| WITH_GUESTS.contains(&source.path.as_str()));
    let broken: Vec<String> = places.flat_map(|source| source.find(&source.shipped, &words)).collect();
    expect_none("a task beside an open window could call a guest; do it before or after:", &broken);
}

#[test]
fn windows_take_the_guests_by_value() {
    let library = SOURCES.iter().find(|source| source.path == "host/load/src/lib.rs").unwrap();
    let signature: String = library.shipped.split_whitespace().collect::<Vec<_>>().join(" ");
    let by_value = signature.contains("pub async fn measure<G>( guests: G, ") && signature.contains("-> (G, Window)");
    assert!(
        by_value,
        "host/load/src/lib.rs: `measure` must take `guests: G` by value and give it back with the window"
    );
}
