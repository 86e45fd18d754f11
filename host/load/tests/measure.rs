//! Windows against a server on the loopback address that counts what it sees.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bench_load::{Closed, Crew, HeldBack, Lanes, NotSent, Shape, Waiting, Watch, measure};
use bench_wire::{Client, Control, Desk, Endpoint, Exchange, Limits, Prepared, Request, Secrets, Stamp, Stop, Stopper};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A window whose answers have been sorted out.
struct Window {
    opened: Stamp,
    closed: Stamp,
    sessions: Vec<Vec<Turn>>,
    ran_dry: bool,
    held_back: HeldBack,
}

type Turn = Result<Exchange, NotSent>;

impl Window {
    fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.sessions.iter().flatten().flatten()
    }
}

/// What the server saw.
#[derive(Debug, Default)]
struct Seen {
    /// Paths in the order in which they came.
    paths: Vec<String>,
    at_work: usize,
    most_at_work: usize,
    connections: usize,
}

/// A server whose answers depend on the path: `/hold...` waits to be released, `/fail...` is a 500, `/drop...` closes the
/// connection, `/close...` answers and closes without a word, anything else is answered at once with the path.
struct Server {
    client: Client,
    lanes: Lanes,
    desk: Desk,
    seen: Arc<Mutex<Seen>>,
    release: watch::Sender<bool>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint::parse(&listener.local_addr().unwrap().to_string()).unwrap();
        let limits = Limits { total: Duration::from_secs(60), ..Limits::default() };
        let client = Client::new(endpoint.clone(), Secrets::new(endpoint), limits).unwrap();
        let (release, released) = watch::channel(false);
        let seen: Arc<Mutex<Seen>> = Arc::default();
        tokio::spawn({
            let seen = seen.clone();
            async move {
                loop {
                    let (tcp, _) = listener.accept().await.unwrap();
                    seen.lock().unwrap().connections += 1;
                    tokio::spawn(serve(tcp, seen.clone(), released.clone()));
                }
            }
        });
        let lanes = Lanes::new(Arc::new(Crew::new(2).unwrap()), &client, Waiting::Sleep);
        Self { client, lanes, desk: Desk::default(), seen, release }
    }

    /// Sessions of turns, each named by its path.
    fn sessions(&self, sessions: &[&[&str]]) -> Vec<Vec<Prepared>> {
        let prepare = |path: &&str| self.client.prepare(Request::get(*path)).unwrap();
        sessions.iter().map(|turns| turns.iter().map(prepare).collect()).collect()
    }

    async fn measure(&self, sessions: &[&[&str]], shape: Shape, stop: &Stop) -> Window {
        let sessions = self.sessions(sessions);
        let window = measure((), &self.lanes, sessions, &shape, &self.desk, stop, None).await.1;
        let sorted = |turn: bench_load::Turn| turn.map(bench_wire::Transmission::into_exchange);
        Window {
            opened: window.opened,
            closed: window.closed,
            sessions: window.sessions.into_iter().map(|turns| turns.into_iter().map(sorted).collect()).collect(),
            ran_dry: window.ran_dry,
            held_back: window.held_back,
        }
    }

    fn paths(&self) -> Vec<String> {
        self.seen.lock().unwrap().paths.clone()
    }

    async fn until(&self, condition: impl Fn(&Seen) -> bool) {
        while !condition(&self.seen.lock().unwrap()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn serve(mut tcp: TcpStream, seen: Arc<Mutex<Seen>>, mut released: watch::Receiver<bool>) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        while !bytes.ends_with(b"\r\n\r\n") {
            tcp.read_buf(&mut bytes).await.ok().filter(|count| *count > 0)?;
        }
        let path = String::from_utf8_lossy(&bytes).split(' ').nth(1)?.to_owned();
        bytes.clear();
        {
            let mut seen = seen.lock().unwrap();
            seen.paths.push(path.clone());
            seen.at_work += 1;
            seen.most_at_work = seen.most_at_work.max(seen.at_work);
        }
        if path.starts_with("/hold") {
            released.wait_for(|released| *released).await.ok()?;
        }
        // Gives the others a chance to overlap.
        tokio::time::sleep(Duration::from_millis(2)).await;
        seen.lock().unwrap().at_work -= 1;
        if path.starts_with("/drop") {
            return None;
        }
        let status = if path.starts_with("/fail") { 500 } else { 200 };
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{path}", path.len());
        tcp.write_all(answer.as_bytes()).await.ok()?;
        if path.starts_with("/close") {
            return None;
        }
    }
}

fn closed_loop(streams: u32) -> Shape {
    Shape::ClosedLoop { closed: Closed::fixed(NonZeroU32::new(streams).unwrap()), lasts: None }
}

/// The body, the failure's code, or why a turn was not sent.
fn outcomes(window: &Window) -> Vec<Vec<String>> {
    let outcome = |turn: &Turn| match turn {
        Ok(exchange) => match &exchange.outcome {
            Ok(()) => String::from_utf8_lossy(&exchange.body).into_owned(),
            Err(error) => error.code().to_owned(),
        },
        Err(why) => why.code().to_owned(),
    };
    window.sessions.iter().map(|turns| turns.iter().map(outcome).collect()).collect()
}

fn check_stamps(window: &Window) {
    for exchange in window.exchanges() {
        assert!(window.opened <= exchange.intended && exchange.ended <= window.closed);
        assert!(exchange.intended <= exchange.started && exchange.started <= exchange.ended);
    }
    for turns in &window.sessions {
        let ended = turns.iter().flatten().map(|exchange| (exchange.intended, exchange.ended));
        assert!(ended.collect::<Vec<_>>().is_sorted_by(|a, b| a.1 <= b.0));
    }
}

const THREE: &[&[&str]] = &[&["/a1", "/a2"], &["/b1"], &["/c1", "/c2", "/c3"]];

#[tokio::test]
async fn sequential_keeps_the_order() {
    let server = Server::start().await;
    let window = server.measure(THREE, Shape::Sequential, &Stop::never()).await;
    assert_eq!(server.paths(), ["/a1", "/a2", "/b1", "/c1", "/c2", "/c3"]);
    assert_eq!(outcomes(&window), THREE);
    check_stamps(&window);
    let seen = server.seen.lock().unwrap();
    assert_eq!((seen.most_at_work, seen.connections), (1, 1));
    assert!(window.exchanges().all(|exchange| exchange.connected.is_none()), "opened before the window");
}

#[tokio::test]
async fn sequential_never_connects_inside_a_request() {
    let server = Server::start().await;
    let window =
        server.measure(&[&["/close1", "/close2"], &["/close3"], &["/close4"]], Shape::Sequential, &Stop::never()).await;
    assert!(window.exchanges().all(|exchange| exchange.succeeded()));
    // The server closes behind the client's back; whatever that does, no request is lost and none is sent in silence twice.
    let resends: u32 = window.exchanges().map(|exchange| exchange.resends).sum();
    assert_eq!(server.paths().len(), 4);
    assert!(resends <= 1, "a server that closes is known after the first time");
}

#[tokio::test]
async fn closed_loop_is_never_wider_than_asked() {
    let server = Server::start().await;
    let sessions: Vec<Vec<String>> = (0..40).map(|s| (0..3).map(|t| format!("/s{s}t{t}")).collect()).collect();
    let borrowed: Vec<Vec<&str>> = sessions.iter().map(|turns| turns.iter().map(String::as_str).collect()).collect();
    let slices: Vec<&[&str]> = borrowed.iter().map(Vec::as_slice).collect();
    let window = server.measure(&slices, closed_loop(4), &Stop::never()).await;
    assert_eq!(outcomes(&window), sessions);
    check_stamps(&window);
    let seen = server.seen.lock().unwrap();
    assert_eq!((seen.most_at_work, seen.connections, seen.paths.len()), (4, 4, 120));
    // Each place goes on as soon as it is free: what was intended is the opening or the end of a request before.
    let free: BTreeSet<_> = window.exchanges().map(|exchange| exchange.ended).chain([window.opened]).collect();
    assert!(window.exchanges().all(|exchange| free.contains(&exchange.intended)));
    assert_eq!(window.exchanges().filter(|exchange| exchange.intended == window.opened).count(), 4);
}

#[tokio::test]
async fn closed_loop_uses_every_place() {
    let server = Server::start().await;
    let stop = Stop::never();
    let measuring = server.measure(&[&["/hold1"], &["/hold2"], &["/hold3"], &["/x"]], closed_loop(3), &stop);
    let releasing = async {
        server.until(|seen| seen.at_work == 3).await;
        assert_eq!(server.paths().len(), 3, "the fourth session waits for a place");
        server.release.send_replace(true);
    };
    let (window, ()) = tokio::join!(measuring, releasing);
    assert_eq!(outcomes(&window), [["/hold1"], ["/hold2"], ["/hold3"], ["/x"]]);
}

#[tokio::test]
async fn more_places_than_sessions() {
    let server = Server::start().await;
    let window = server.measure(&[&["/a"], &["/b"]], closed_loop(100), &Stop::never()).await;
    assert_eq!(outcomes(&window), [["/a"], ["/b"]]);
    assert_eq!(server.seen.lock().unwrap().connections, 2);
    let empty = server.measure(&[], closed_loop(3), &Stop::never()).await;
    assert!(empty.sessions.is_empty() && empty.opened <= empty.closed);
    let nothing = server.measure(&[&[]], Shape::Sequential, &Stop::never()).await;
    assert_eq!(nothing.sessions.iter().map(Vec::len).collect::<Vec<_>>(), [0]);
}

#[tokio::test]
async fn a_failure_ends_its_session_alone() {
    for shape in [Shape::Sequential, closed_loop(2)] {
        let server = Server::start().await;
        let sessions: &[&[&str]] = &[&["/a", "/fail", "/b"], &["/drop", "/c", "/d"], &["/e", "/f"]];
        let window = server.measure(sessions, shape, &Stop::never()).await;
        let found = outcomes(&window);
        assert_eq!(found[0], ["/a", "/fail", "after-failure"]);
        assert!(["closed-early", "connection-raced"].contains(&found[1][0].as_str()), "{found:?}");
        assert_eq!(found[1][1..], ["after-failure", "after-failure"]);
        assert_eq!(found[2], ["/e", "/f"]);
        check_stamps(&window);
    }
}

#[tokio::test]
async fn stopping_keeps_what_has_finished() {
    for shape in [Shape::Sequential, closed_loop(2)] {
        let server = Server::start().await;
        let (stopper, stop) = Stopper::new();
        let stopping = async {
            server.until(|seen| seen.paths.iter().any(|path| path == "/hold") && seen.at_work == 1).await;
            stopper.stop();
        };
        let sessions: &[&[&str]] = &[&["/a", "/hold", "/b"], &["/c"], &["/hold2"]];
        let sessions = if shape == Shape::Sequential { sessions } else { &sessions[..2] };
        let (window, ()) = tokio::join!(server.measure(sessions, shape.clone(), &stop), stopping);
        let found = outcomes(&window);
        assert_eq!(found[0], ["/a", "cancelled", "stopped"]);
        if shape == Shape::Sequential {
            assert_eq!(found[1..], [["stopped"], ["stopped"]]);
        }
        check_stamps(&window);
    }
}

#[tokio::test]
async fn stopped_before_it_began() {
    let server = Server::start().await;
    let (stopper, stop) = Stopper::new();
    stopper.stop();
    for shape in [Shape::Sequential, closed_loop(2)] {
        let window = server.measure(THREE, shape, &stop).await;
        assert!(window.sessions.iter().flatten().all(|turn| matches!(turn, Err(NotSent::Stopped))));
        assert_eq!(window.sessions.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 3]);
    }
    assert!(server.paths().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_come_back_and_engines_that_are_gone_are_reported() {
    struct Guests(u32);
    let server = Server::start().await;
    let (shape, stop, sessions) = (closed_loop(3), Stop::never(), server.sessions(THREE));
    let (guests, _) = measure(Guests(7), &server.lanes, sessions, &shape, &server.desk, &stop, None).await;
    assert_eq!(guests.0, 7);

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Endpoint::parse(&closed.local_addr().unwrap().to_string()).unwrap();
    drop(closed);
    let client = Client::new(endpoint.clone(), Secrets::new(endpoint), Limits::default()).unwrap();
    let gone = Server { lanes: Lanes::new(Arc::new(Crew::new(2).unwrap()), &client, Waiting::Sleep), client, ..server };
    for shape in [Shape::Sequential, closed_loop(2), at(&[0, 1000, 2000])] {
        let window = gone.measure(&[&["/", "/"] as &[&str]; 3], shape, &Stop::never()).await;
        assert_eq!(outcomes(&window), [["connect-refused", "after-failure"]; 3]);
    }
}

fn at(due_ns: &[u64]) -> Shape {
    Shape::Open { due_ns: due_ns.into(), most_in_flight: None }
}

#[tokio::test]
async fn no_more_are_in_flight_than_may_be() {
    let server = Server::start().await;
    let most_in_flight = NonZeroU32::new(2);
    let shape = Shape::Open { due_ns: [0; 5].into(), most_in_flight };
    let releasing = async {
        server.until(|seen| seen.at_work == 2).await;
        server.release.send_replace(true);
    };
    let sessions = [&["/hold"] as &[&str]; 5];
    let stop = Stop::never();
    let (window, ()) = tokio::join!(server.measure(&sessions, shape, &stop), releasing);
    assert!(window.exchanges().all(Exchange::succeeded));
    assert_eq!(window.held_back.requests, 3);
    let turns = || window.sessions.iter().flatten().map(|turn| turn.as_ref().unwrap());
    assert!(turns().all(|turn| turn.intended == window.opened), "what waits is late by that");
    let running = |at| turns().filter(|turn| turn.started <= at && at < turn.ended).count();
    assert!(turns().all(|turn| running(turn.started) <= 2));
    let waited = turns().map(|turn| turn.started.since(turn.intended)).max().unwrap();
    assert!(window.held_back.longest <= waited);
}

#[tokio::test]
async fn what_waits_for_a_place_is_not_sent_after_a_stop() {
    let server = Server::start().await;
    let (stopper, stop) = Stopper::new();
    let shape = Shape::Open { due_ns: [0; 3].into(), most_in_flight: NonZeroU32::new(1) };
    let stopping = async {
        server.until(|seen| seen.at_work == 1).await;
        stopper.stop();
    };
    let sessions = [&["/hold"] as &[&str]; 3];
    let (window, ()) = tokio::join!(server.measure(&sessions, shape, &stop), stopping);
    let found = outcomes(&window);
    assert_eq!(found.iter().filter(|turns| turns[0] == "stopped").count(), 2, "{found:?}");
    assert_eq!(server.paths().len(), 1);
}

#[tokio::test]
async fn an_open_loop_waits_for_nobody() {
    let server = Server::start().await;
    let stop = Stop::never();
    let due: Vec<u64> = (0..20).map(|number| number * 1_000_000).collect();
    let paths: Vec<String> = (0..20).map(|number| format!("/hold{number}")).collect();
    let sessions: Vec<[&str; 2]> = paths.iter().map(|path| [path.as_str(), "/then"]).collect();
    let sessions: Vec<&[&str]> = sessions.iter().map(<[&str; 2]>::as_slice).collect();
    let releasing = async {
        // All are under way before any is answered.
        server.until(|seen| seen.at_work == 20).await;
        server.release.send_replace(true);
    };
    let (window, ()) = tokio::join!(server.measure(&sessions, at(&due), &stop), releasing);
    assert!(window.exchanges().all(Exchange::succeeded));
    check_stamps(&window);
    for (turns, due) in window.sessions.iter().zip(due) {
        let [Ok(first), Ok(second)] = turns.as_slice() else { panic!("both turns were sent") };
        assert_eq!(first.intended, window.opened.after(Duration::from_nanos(due)), "the schedule is absolute");
        assert!(first.started >= first.intended, "nothing is sent early");
        assert_eq!(second.intended, first.ended);
    }
}

#[tokio::test]
async fn an_open_loop_that_is_stopped_sends_no_more() {
    let server = Server::start().await;
    let (stopper, stop) = Stopper::new();
    let hour = 3_600_000_000_000;
    let stopping = async {
        server.until(|seen| seen.paths == ["/a"] && seen.at_work == 0).await;
        stopper.stop();
    };
    let (window, ()) = tokio::join!(server.measure(&[&["/a"], &["/b"]], at(&[0, hour]), &stop), stopping);
    assert_eq!(outcomes(&window)[1], ["stopped"]);
    assert_eq!(server.paths(), ["/a"]);
}

#[tokio::test]
async fn a_loop_with_an_end_begins_nothing_after_it() {
    let server = Server::start().await;
    let closed = Closed::fixed(NonZeroU32::new(2).unwrap());
    let sessions = vec![&["/a", "/b"][..]; 2000];
    let lasts = Some(Duration::from_millis(50));
    let window = server.measure(&sessions, Shape::ClosedLoop { closed, lasts }, &Stop::never()).await;
    let end = window.opened.after(Duration::from_millis(50));
    let found = outcomes(&window);
    assert_eq!(found.last().unwrap(), &["not-needed", "not-needed"]);
    assert!(!window.ran_dry);
    // What had begun ran to its end.
    for turns in window.sessions.iter().filter(|turns| turns[0].is_ok()) {
        assert!(turns.iter().all(Result::is_ok));
        assert!(turns[0].as_ref().unwrap().intended < end);
    }
    let window = server.measure(&sessions[..1], Shape::ClosedLoop { closed, lasts }, &Stop::never()).await;
    assert!(window.ran_dry, "one session is not enough for two places");
}

#[tokio::test]
async fn a_loop_that_grows_opens_its_places_one_by_one() {
    let server = Server::start().await;
    let closed =
        Closed { from: NonZeroU32::MIN, to: NonZeroU32::new(3).unwrap(), ramp: Some(Duration::from_millis(40)) };
    let window =
        server.measure(&[&["/a"] as &[&str]; 3], Shape::ClosedLoop { closed, lasts: None }, &Stop::never()).await;
    let mut intended: Vec<Duration> =
        window.exchanges().map(|exchange| exchange.intended.since(window.opened)).collect();
    intended.sort();
    assert!(intended.iter().all(|after| *after <= Duration::from_millis(40)));
    assert!(window.exchanges().all(Exchange::succeeded));
}

/// The server's own numbers are asked for from beside while requests are under way.
#[tokio::test]
async fn the_server_is_looked_at_from_beside() {
    let server = Server::start().await;
    let endpoint = server.client.endpoint().clone();
    let control = Control::new(endpoint.clone(), Secrets::new(endpoint), Limits::default()).unwrap();
    let requests = [Request::get("/metrics"), Request::get("/drop")];
    let beside = Some(Watch { control: &control, requests: &requests, every: Duration::from_millis(1) });
    let releasing = async {
        server.until(|seen| seen.paths.iter().filter(|path| *path == "/metrics").count() >= 3).await;
        server.release.send_replace(true);
    };
    let (stop, sessions) = (Stop::never(), server.sessions(&[&["/hold"]]));
    let measuring = measure((), &server.lanes, sessions, &Shape::Sequential, &server.desk, &stop, beside);
    let (((), window), ()) = tokio::join!(measuring, releasing);
    assert!(window.looks.len() >= 2);
    for look in &window.looks {
        assert_eq!(look.answers[0].as_ref().unwrap().body, "/metrics");
        assert!(look.answers[1].is_none() && look.at <= window.closed);
    }
}
