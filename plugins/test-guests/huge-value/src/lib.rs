//! Returns a body of 16 MiB.

guest_stub::driver!(encode: |_, _| Ok(guest_stub::encoded("/".to_owned(), vec![7; 16 << 20])));
