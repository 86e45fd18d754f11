//! The packet capture, on real connections over loopback.
//!
//! Where the tests may not open packet sockets, they check that the refusal says so. Times are compared by cause and
//! effect alone: a segment arrives after it was sent and before its acknowledgement was seen.

#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bench_wire::packet::{Capture, CaptureError, ConnectionLog};

/// A capture, or `None` where this process may not have one.
fn start(server: SocketAddr) -> Option<Capture> {
    match Capture::start(server) {
        Ok(capture) => Some(capture),
        Err(error @ (CaptureError::NotPermitted | CaptureError::NotOffered { .. })) => {
            assert!(["capture-not-permitted", "capture-not-offered"].contains(&error.code()));
            assert!(error.hint().is_some());
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Listens on an address, or on one of IPv4 where the machine lacks its family.
fn listen(address: &str) -> TcpListener {
    TcpListener::bind(address).or_else(|_| TcpListener::bind("127.0.0.1:0")).unwrap()
}

fn connect(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    server.set_nodelay(true).unwrap();
    (client, server)
}

fn wall() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

/// Bytes that were sent and not acknowledged.
fn in_flight(stream: &TcpStream) -> i32 {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the pointer is to an integer, which is what the call writes.
    let answer = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    assert_eq!(answer, 0);
    bytes
}

/// Sends bytes and waits until the other side's kernel has them; when it was begun and when that was known.
fn send(stream: &mut TcpStream, bytes: &[u8]) -> (u64, u64) {
    let before = wall();
    stream.write_all(bytes).unwrap();
    while in_flight(stream) > 0 {
        std::thread::sleep(Duration::from_micros(50));
    }
    (before, wall())
}

fn settled(capture: &Capture, client: &TcpStream) -> ConnectionLog {
    capture.settle().unwrap();
    let log = capture.take(client.local_addr().unwrap()).unwrap();
    assert_eq!(capture.stats().dropped, 0);
    assert!(!log.is_cut());
    log
}

fn every_byte_has_the_time_of_its_own_segment(address: &str) {
    let listener = listen(address);
    let Some(capture) = start(listener.local_addr().unwrap()) else { return };
    let before = wall();
    let (mut client, mut server) = connect(&listener);
    let connected = wall();
    // Nobody reads until the end, so that all of it queues up and would be merged.
    let mut spans = Vec::new();
    for part in 0..40_usize {
        let (from, to) = send(&mut server, &vec![b'x'; 1 + part * 7]);
        spans.extend(std::iter::repeat_n((from, to), 1 + part * 7));
    }
    server.shutdown(Shutdown::Write).unwrap();
    let mut all = Vec::new();
    client.read_to_end(&mut all).unwrap();
    assert_eq!(all.len(), spans.len());

    let log = settled(&capture, &client);
    assert!((before..=connected).contains(&log.opened_ns()));
    assert_eq!(log.received(), spans.len() as u64);
    for (offset, (from, to)) in (0..).zip(spans) {
        let arrival = log.arrival(offset).unwrap();
        assert!((from..=to).contains(&arrival), "byte {offset}: {from} {arrival} {to}");
    }
    assert_eq!(log.arrival(log.received()), None);
    assert_eq!(capture.take(client.local_addr().unwrap()), None);
}

#[test]
fn every_byte_has_the_time_of_its_own_segment_over_ipv4() {
    every_byte_has_the_time_of_its_own_segment("127.0.0.1:0");
}

#[test]
fn every_byte_has_the_time_of_its_own_segment_over_ipv6() {
    every_byte_has_the_time_of_its_own_segment("[::1]:0");
}

#[test]
fn writes_of_many_segments_are_seen_whole() {
    let listener = listen("127.0.0.1:0");
    let Some(capture) = start(listener.local_addr().unwrap()) else { return };
    let (mut client, mut server) = connect(&listener);
    let reader = std::thread::spawn(move || {
        let mut all = Vec::new();
        client.read_to_end(&mut all).unwrap();
        (client, all.len() as u64)
    });
    let before = wall();
    server.write_all(&vec![b'x'; 3 << 20]).unwrap();
    drop(server);
    let (client, length) = reader.join().unwrap();
    let log = settled(&capture, &client);
    assert_eq!((log.received(), length), (3 << 20, 3 << 20));
    let arrivals: Vec<u64> = (0..length).step_by(1000).map(|offset| log.arrival(offset).unwrap()).collect();
    assert!(arrivals.is_sorted() && arrivals[0] >= before && arrivals.last().unwrap() <= &wall());
}

#[test]
fn connections_and_servers_are_told_apart() {
    let listener = listen("127.0.0.1:0");
    let other = listen("127.0.0.1:0");
    let Some(capture) = start(listener.local_addr().unwrap()) else { return };
    let (stranger, mut busy) = connect(&other);
    send(&mut busy, b"not logged");
    let mut pairs: Vec<(TcpStream, TcpStream)> = (0..20).map(|_| connect(&listener)).collect();
    for round in 0..5 {
        for (place, (client, server)) in pairs.iter_mut().enumerate() {
            // What clients send is not logged either.
            client.write_all(b"some request").unwrap();
            send(server, &vec![b'x'; place + round]);
        }
    }
    capture.settle().unwrap();
    for (place, (client, _)) in (0..).zip(&pairs) {
        let log = capture.take(client.local_addr().unwrap()).unwrap();
        assert_eq!(log.received(), place * 5 + 10);
    }
    assert_eq!(capture.take(stranger.local_addr().unwrap()), None);
}

#[test]
fn a_connection_is_handed_out_in_parts_and_logged_on() {
    let listener = listen("127.0.0.1:0");
    let Some(capture) = start(listener.local_addr().unwrap()) else { return };
    let (client, mut server) = connect(&listener);
    let local = client.local_addr().unwrap();
    send(&mut server, b"the first answer");
    capture.settle().unwrap();
    let first = capture.take_until(local, 16).unwrap();
    assert_eq!((first.received(), first.marks().len()), (16, 1));
    let (from, to) = send(&mut server, b"the second");
    capture.settle().unwrap();
    let second = capture.take_as_of(local, wall()).unwrap();
    assert_eq!((second.arrival(15), second.received()), (None, 26));
    assert!((from..=to).contains(&second.arrival(16).unwrap()));
}

#[test]
fn what_was_open_before_the_capture_is_unknown() {
    let listener = listen("127.0.0.1:0");
    let (client, mut server) = connect(&listener);
    let Some(capture) = start(listener.local_addr().unwrap()) else { return };
    send(&mut server, b"bytes whose place nobody knows");
    capture.settle().unwrap();
    assert_eq!(capture.take(client.local_addr().unwrap()), None);
    assert!(capture.stats().packets > 0);
}

#[test]
fn a_server_without_a_route_is_refused() {
    // A zone that no machine has.
    let error = Capture::start("[fe80::1%4000000000]:80".parse().unwrap()).unwrap_err();
    assert!(matches!(error, CaptureError::Setup { .. } | CaptureError::NotPermitted | CaptureError::NotOffered { .. }));
}
