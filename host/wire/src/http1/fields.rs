//! What the header fields of an answer say about its framing and its connection.

/// How the end of a body is known.
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// How the end of an answer's body is known, by RFC 9112 section 6.3.
pub(super) fn framing(
    status: u16,
    http_1_0: bool,
    fields: &[httparse::Header<'_>],
    bodiless: bool,
) -> Result<Framing, &'static str> {
    if bodiless || matches!(status, 204 | 304) {
        return Ok(Framing::Length(0));
    }
    if let Some(last) = values(fields, "transfer-encoding").next_back() {
        if http_1_0 {
            return Err("HTTP/1.0 has no transfer-encoding");
        }
        let coding = last.rsplit(|byte| *byte == b',').next().unwrap_or_default();
        return Ok(if coding.trim_ascii().eq_ignore_ascii_case(b"chunked") {
            Framing::Chunked
        } else {
            Framing::UntilClose
        });
    }
    let mut length = None;
    for value in values(fields, "content-length").flat_map(|value| value.split(|byte| *byte == b',')) {
        let digits = value.trim_ascii();
        let parsed = std::str::from_utf8(digits).ok().filter(|_| digits.iter().all(u8::is_ascii_digit));
        let parsed = parsed.and_then(|digits| digits.parse::<u64>().ok()).ok_or("its content-length is no number")?;
        if *length.get_or_insert(parsed) != parsed {
            return Err("it has several values of content-length");
        }
    }
    Ok(length.map_or(Framing::UntilClose, Framing::Length))
}

/// Whether the connection may be used again, by RFC 9112 section 9.3.
pub(super) fn persistent(http_1_0: bool, fields: &[httparse::Header<'_>]) -> bool {
    let says = |wanted: &[u8]| {
        values(fields, "connection")
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|option| option.trim_ascii().eq_ignore_ascii_case(wanted))
    };
    !says(b"close") && (!http_1_0 || says(b"keep-alive"))
}

fn values<'f>(fields: &'f [httparse::Header<'_>], name: &'static str) -> impl DoubleEndedIterator<Item = &'f [u8]> {
    fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
}
