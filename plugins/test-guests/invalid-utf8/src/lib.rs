//! Returns a string that is not UTF-8, which the interface forbids and the canonical ABI cannot prevent.

guest_stub::driver!(encode: |_, _| {
    // SAFETY: this is deliberately unsound inside the sandbox: the string goes straight to the host, whose check is the case.
    let path = unsafe { String::from_utf8_unchecked(vec![b'/', 0xff, 0xfe]) };
    Ok(guest_stub::encoded(path, Vec::new()))
});
