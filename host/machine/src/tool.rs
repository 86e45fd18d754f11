//! Runs the system's own tools (`nvidia-smi`, `rocm-smi`, `dmidecode`, `pmset`) within a time limit.
//!
//! This is the thin, untestable half of a probe; what a tool printed goes to a pure parser.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use bench_text::clean_text;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::Found;

/// How long an ordinary tool may take.
pub(crate) const QUICK: Duration = Duration::from_secs(2);
/// How long a GPU tool may take: without persistence mode `nvidia-smi` wakes every GPU first, and on a machine with eight
/// of them that takes longer than two seconds.
pub(crate) const GPU: Duration = Duration::from_secs(8);

const OUTPUT_LIMIT: u64 = 4 << 20;
const REASON_LIMIT: usize = 200;

/// Where tools live that are not always on the search path.
const EXTRA_DIRECTORIES: [&str; 4] = ["/usr/sbin", "/sbin", "/opt/rocm/bin", "/usr/lib/wsl/lib"];

/// The full path of a program on the search path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let file = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path)
        .chain(EXTRA_DIRECTORIES.into_iter().map(PathBuf::from))
        .map(|directory| directory.join(&file))
        .find(|candidate| candidate.is_file())
}

/// What a tool printed to its standard output.
///
/// `NotPresent` when the tool is not installed; `Failed` when it did not end in time, ended with an error or could not be
/// started, with the first line of what it said.
pub(crate) async fn run(program: &str, arguments: &[&str], limit: Duration) -> Found<String> {
    run_usable(program, arguments, limit, |_| false).await
}

/// As [`run`], for tools that end with an error although they printed something `usable`, such as a table with one card missing.
pub(crate) async fn run_usable(
    program: &str,
    arguments: &[&str],
    limit: Duration,
    usable: fn(&str) -> bool,
) -> Found<String> {
    let Some(path) = find(program) else { return Found::not_present(program) };
    let mut command = Command::new(path);
    command.args(arguments).env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    let work = async {
        let mut child = command.spawn()?;
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        let read_out = async {
            match stdout {
                Some(pipe) => pipe.take(OUTPUT_LIMIT).read_to_end(&mut out).await,
                None => Ok(0),
            }
        };
        let read_err = async {
            match stderr {
                Some(pipe) => pipe.take(OUTPUT_LIMIT).read_to_end(&mut err).await,
                None => Ok(0),
            }
        };
        let (a, b) = tokio::join!(read_out, read_err);
        a.and(b)?;
        let status = child.wait().await?;
        Ok::<_, std::io::Error>((status, out, err))
    };
    match tokio::time::timeout(limit, work).await {
        Err(_) => Found::failed(format!("{program} did not answer within {} s", limit.as_secs())),
        Ok(Err(error)) => Found::failed(format!("{program} could not be run: {}", error.kind())),
        Ok(Ok((status, out, _))) if status.success() => Found::present(String::from_utf8_lossy(&out).into_owned()),
        Ok(Ok((_, out, _))) if usable(&String::from_utf8_lossy(&out)) => {
            Found::present(String::from_utf8_lossy(&out).into_owned())
        }
        Ok(Ok((status, out, err))) => {
            // nvidia-smi complains on standard output, most others on standard error.
            let said = first_line(&err).or_else(|| first_line(&out)).unwrap_or_else(|| "no message".to_owned());
            Found::failed(format!("{program} ended with {status}: {said}"))
        }
    }
}

fn first_line(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(clean_text(line, REASON_LIMIT).to_string())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_tool_that_is_not_installed_is_not_present() {
        let found = run("no-such-tool-of-bench", &[], QUICK).await;
        assert_eq!(found, Found::not_present("no-such-tool-of-bench"));
    }

    #[tokio::test]
    async fn a_tool_that_fails_says_why_in_its_own_words() {
        let Found::Failed { reason } = run("sh", &["-c", "echo broken driver; exit 9"], QUICK).await else {
            panic!("expected a failure")
        };
        assert!(reason.contains("broken driver") && reason.contains('9'), "{reason}");
    }

    #[tokio::test]
    async fn what_a_failing_tool_printed_is_used_where_it_is_usable() {
        let arguments = ["-c", "echo index, name; echo '0, A100'; exit 15"];
        let found = run_usable("sh", &arguments, QUICK, |text| text.starts_with("index")).await;
        assert_eq!(found, Found::present("index, name\n0, A100\n".to_owned()));
    }

    #[tokio::test]
    async fn a_tool_that_hangs_is_given_up_on() {
        let found = run("sh", &["-c", "sleep 60"], Duration::from_millis(50)).await;
        assert!(matches!(found, Found::Failed { .. }));
    }

    #[tokio::test]
    async fn a_tool_that_prints_gives_its_text() {
        assert_eq!(run("sh", &["-c", "echo hello"], QUICK).await, Found::present("hello\n".to_owned()));
    }
}
