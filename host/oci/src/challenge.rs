//! What a registry answers to somebody whom it does not know: the `www-authenticate` header (RFC 9110 section 11.6.1), as far as
//! registries use it.

/// How a registry wants to be told who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// By name and password with each request.
    Basic,
    /// By a token from this place.
    Bearer {
        /// The address that gives tokens out.
        realm: String,
        /// For whom the token is meant.
        service: Option<String>,
    },
}

/// The first challenge that can be met among the values of all such headers. A token is preferred: it shows the password less often.
pub(crate) fn read<'h>(headers: impl Iterator<Item = &'h str>) -> Option<Challenge> {
    let mut basic = None;
    for (scheme, parameters) in headers.flat_map(challenges) {
        let get = |wanted: &str| {
            parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.clone())
        };
        if scheme.eq_ignore_ascii_case("basic") {
            basic = Some(Challenge::Basic);
        } else if scheme.eq_ignore_ascii_case("bearer")
            && let Some(realm) = get("realm")
        {
            return Some(Challenge::Bearer { realm, service: get("service") });
        }
    }
    basic
}

/// The challenges of one header: schemes, each with its parameters.
fn challenges(header: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for piece in pieces(header) {
        let (before, value) = match piece.split_once('=') {
            Some((before, value)) => (before.trim(), Some(value.trim())),
            None => (piece.trim(), None),
        };
        // `Scheme name=value` begins a challenge, `name=value` goes on with one.
        let name = match (before.split_once(char::is_whitespace), value) {
            (Some((scheme, name)), Some(_)) => {
                found.push((scheme.to_owned(), Vec::new()));
                name.trim()
            }
            (_, None) => {
                found.push((before.to_owned(), Vec::new()));
                continue;
            }
            (None, Some(_)) => before,
        };
        if let (Some((_, parameters)), Some(value)) = (found.last_mut(), value) {
            parameters.push((name.to_owned(), unquoted(value)));
        }
    }
    found
}

/// The parts between commas that stand in no quotes.
fn pieces(header: &str) -> Vec<&str> {
    let (mut found, mut from, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, letter) in header.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                found.push(&header[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(&header[from..]);
    found.retain(|piece| !piece.trim().is_empty());
    found
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut text = String::new();
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        text.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer { realm: realm.to_owned(), service: service.map(ToOwned::to_owned) })
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        for (header, challenge) in [
            (
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io""#,
                bearer("https://auth.docker.io/token", Some("registry.docker.io")),
            ),
            (r#"bearer service=x , Realm="a,b\"c""#, bearer("a,b\"c", Some("x"))),
            (r#"Basic realm="Registry Realm""#, Some(Challenge::Basic)),
            (r#"Basic realm="x", Bearer realm="y""#, bearer("y", None)),
            ("Basic", Some(Challenge::Basic)),
            ("Bearer service=x", None),
            ("Negotiate", None),
            ("", None),
            ("=,=,\"", None),
        ] {
            assert_eq!(read([header].into_iter()), challenge, "{header}");
        }
        assert_eq!(read(["Basic realm=x", "Bearer realm=y"].into_iter()), bearer("y", None));
    }

    proptest! {
        #[test]
        fn any_header_is_read(header in "[ -~]{0,60}|(Bearer|Basic|,|=|\"|\\\\| |a){0,30}") {
            let _ = read([header.as_str()].into_iter());
        }
    }
}
