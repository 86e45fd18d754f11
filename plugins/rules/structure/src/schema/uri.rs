//! As much of addresses as references within a schema need.

/// `reference` as seen from `base`, without a fragment.
pub fn join(base: &str, reference: &str) -> String {
    let reference = reference.split('#').next().unwrap_or_default();
    if reference.is_empty() {
        return base.to_owned();
    }
    if scheme(reference).is_some() {
        return reference.to_owned();
    }
    let root = scheme(base).map_or(0, |length| {
        let rest = &base[length + 1..];
        let authority = rest.strip_prefix("//").map_or(0, |rest| 2 + rest.find('/').unwrap_or(rest.len()));
        length + 1 + authority
    });
    if reference.starts_with('/') {
        return format!("{}{}", &base[..root], without_dots(reference));
    }
    let folder = base[root..].rfind('/').map_or("", |end| &base[root..=root + end]);
    format!("{}{}", &base[..root], without_dots(&format!("{folder}{reference}")))
}

fn scheme(address: &str) -> Option<usize> {
    let end = address.find(':')?;
    let name = &address[..end];
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    (name.bytes().next()?.is_ascii_alphabetic() && name.bytes().all(is_part)).then_some(end)
}

fn without_dots(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => {
                if parts.len() > 1 {
                    parts.pop();
                }
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A fragment without its percent signs.
pub fn decoded(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{decoded, join};

    #[test]
    fn references_are_seen_from_their_base() {
        let cases = [
            ("", "a.json", "a.json"),
            ("http://x.org/s/root.json", "item.json", "http://x.org/s/item.json"),
            ("http://x.org/s/root.json", "/t", "http://x.org/t"),
            ("http://x.org/s/root.json", "../t", "http://x.org/t"),
            ("http://x.org/s/root.json", "urn:a:b", "urn:a:b"),
            ("http://x.org/s/root.json", "", "http://x.org/s/root.json"),
        ];
        for (base, reference, address) in cases {
            assert_eq!(join(base, reference), address);
        }
        assert_eq!(decoded("/a%25b%zz%C3%A9"), "/a%b%zzé");
    }
}
