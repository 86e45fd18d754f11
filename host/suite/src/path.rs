//! Paths inside a suite: relative, plain, the same on every system.

use crate::SuiteError;

/// Longest path, in bytes.
const LONGEST: usize = 200;

/// Accepts `a/b.txt`-like paths of letters, digits, `.`, `_` and `-`, and nothing that could leave the folder or be
/// written differently elsewhere (`..`, an absolute path, a backslash, a drive, a hidden or empty part).
pub fn check(path: &str) -> Result<(), SuiteError> {
    let refuse = |why| Err(SuiteError::Path { path: path.chars().take(LONGEST).collect(), why });
    if path.is_empty() || path.len() > LONGEST {
        return refuse("it is empty or longer than 200 bytes");
    }
    if path.starts_with('/') {
        return refuse("it is absolute");
    }
    if path.split('/').any(|part| part.is_empty() || part.starts_with('.') || part.ends_with('.')) {
        return refuse("a part is empty, hidden, `.` or `..`");
    }
    if !path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte)) {
        return refuse("it holds something else than letters, digits, `.`, `_`, `-` and `/`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_plain_relative_paths_pass() {
        for good in ["a", "corpora/prose.txt", "a/b-c/d_e.tar.gz"] {
            assert!(check(good).is_ok(), "{good}");
        }
        let long = "a".repeat(201);
        for bad in
            ["", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "a/", "C:/x", "a\\b", "a\0b", ".git/x", "a./b", &long]
        {
            assert!(check(bad).is_err_and(|error| error.code() == "suite-path-not-allowed"), "{bad}");
        }
    }
}
