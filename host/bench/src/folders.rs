//! Where the program keeps things: `BENCH_HOME` if set, else the folders that the system has for the purpose.

use std::path::PathBuf;

use bench_install::Home;
use bench_run::{Catalog, Folders};

use crate::failure::Failure;

fn home() -> Option<PathBuf> {
    std::env::var_os("BENCH_HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// The folders of this user.
pub fn folders() -> Folders {
    let (data, cache) = match home() {
        Some(home) => (home.clone(), home.join("cache")),
        None => {
            // Without a home folder there is still the current one.
            let here = || PathBuf::from(".bench");
            (
                dirs::data_local_dir().map_or_else(here, |folder| folder.join("bench")),
                dirs::cache_dir().map_or_else(|| here().join("cache"), |folder| folder.join("bench")),
            )
        }
    };
    Folders { logs: data.join("logs"), prices: data.join("prices.toml"), runs: data, cache }
}

/// The folder of the configuration.
pub fn config() -> PathBuf {
    match home() {
        Some(home) => home.join("config"),
        None => {
            dirs::config_dir().map_or_else(|| PathBuf::from(".bench").join("config"), |folder| folder.join("bench"))
        }
    }
}

/// What is installed.
pub fn installation() -> Home {
    let folders = folders();
    Home::new(&folders.runs, &folders.cache)
}

/// Plugins by name: installed ones and those that the binary carries.
pub fn catalog() -> Result<Catalog, Failure> {
    let folders = folders();
    let shelf = folders.shelf(None)?;
    Ok(Catalog::new(Some(folders.cache.join("compiled"))).with_shelf(shelf).with_grants(folders.grants()?))
}
