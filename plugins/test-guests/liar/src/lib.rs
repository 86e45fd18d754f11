//! Claims that its event came in a read that was never handed to it.

use bench_sdk::types::Event;

guest_stub::driver!(
    encode: |_, _| Ok(guest_stub::encoded("/".to_owned(), Vec::new())),
    push: |before: u32, _, ends: Vec<u32>| Ok(vec![LocatedEvent { read: before + ends.len() as u32, event: Event::Start }])
);
