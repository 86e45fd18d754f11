//! That an event costs no allocation while a window is open: what an answer takes from the heap grows with its bytes, a block at
//! a time, and not with its events.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::TcpListener;

use bench_wire::{Client, Desk, Endpoint, Limits, Request, Secrets, Stamp, Stop};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes on to the system's allocator as it came; counting touches nothing that allocates.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Answers one request with so many events, each in a write of its own.
fn serve(listener: TcpListener, events: u32) {
    let (mut tcp, _) = listener.accept().unwrap();
    tcp.set_nodelay(true).unwrap();
    let mut buffer = [0; 4096];
    assert_ne!(tcp.read(&mut buffer).unwrap(), 0);
    tcp.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
    for number in 0..events {
        let event = format!("data: {{\"n\":{number:06}}}\n\n");
        tcp.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).unwrap();
    }
    tcp.write_all(b"0\r\n\r\n").unwrap();
}

/// Allocations of the thread that receives.
fn allocations(events: u32) -> u64 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Endpoint::parse(&listener.local_addr().unwrap().to_string()).unwrap();
    let server = std::thread::spawn(move || serve(listener, events));
    let client = Client::new(endpoint.clone(), Secrets::new(endpoint), Limits::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let prepared = client.prepare(Request::get("/")).unwrap();
    let (desk, stop) = (Desk::default(), Stop::never());
    let (transmission, count) = runtime.block_on(async {
        client.connect_ahead(1).await.unwrap();
        let before = ALLOCATIONS.with(Cell::get);
        let transmission = client.transmit(&prepared, Stamp::now(), &desk, &stop).await;
        (transmission, ALLOCATIONS.with(Cell::get) - before)
    });
    server.join().unwrap();
    let exchange = transmission.into_exchange();
    assert!(exchange.succeeded());
    assert_eq!(exchange.body.len(), events as usize * "data: {\"n\":000000}\n\n".len());
    count
}

#[test]
fn an_event_allocates_nothing() {
    // Whatever is made once per thread is made here.
    allocations(10);
    let (few, many) = (allocations(100), allocations(20_000));
    // A record takes 20 bytes and its event's; blocks double until they are 1 MiB, and then there is one for each MiB.
    assert!(many < few + 40, "{few} allocations for 100 events, {many} for 20,000");
}
