//! Where the program keeps things: `BENCH_HOME` if set, else the folders that the system has for the purpose.

use std::path::PathBuf;

use bench_run::Folders;

/// The folders of this user.
pub fn folders() -> Folders {
    let home = std::env::var_os("BENCH_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let (data, cache) = match home {
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
