//! What a window does when its disk is slower than the network.

use crate::support::*;
use bench_wire::{Desk, Limits, Request, Spool, SpoolBudget, Stamp, Stop};

/// One answer of so many bytes, kept in a store of this budget; how long the exchange waited for its disk.
async fn keep(budget: SpoolBudget, length: usize) -> std::time::Duration {
    let text: String = (0..length).map(|n| char::from(b'a' + (n % 23) as u8)).collect();
    let server = Server::answering(sized(&text)).await;
    let client = server.client(Limits::default());
    let prepared = client.prepare(Request::get("/")).unwrap();
    let desk = Desk { spool: Spool::new(budget, std::env::temp_dir()), ..Desk::default() };
    let exchange = client.transmit(&prepared, Stamp::now(), &desk, &Stop::never()).await.into_exchange();
    assert_eq!(code(&exchange), "ok");
    assert!(exchange.body == text, "nothing is lost by waiting");
    exchange.waited
}

#[tokio::test]
async fn reads_wait_for_a_slow_disk_and_the_exchange_says_so() {
    // Without room for blocks that wait, each block holds reads back until it is written.
    let waited = keep(SpoolBudget { kept: 0, memory: 0, disk: 1 << 30 }, 12 << 20).await;
    assert!(!waited.is_zero());
}

#[tokio::test]
async fn usually_nothing_waits() {
    assert!(keep(SpoolBudget::WINDOW, 12 << 20).await.is_zero());
}
