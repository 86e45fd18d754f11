//! Windows as they run on the threads of a crew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use bench_wire::{Client, Desk, Prepared, Stamp, Stop};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use crate::pace::Alarm;
use crate::room::{HeldBack, Room};
use crate::window::{NotSent, Session};
use crate::{Lanes, Shape, Waiting};

/// Streams of a closed loop for which one thread is enough whatever they carry, and requests per second of an open one.
const STREAMS_PER_WORKER: usize = 64;
const REQUESTS_PER_WORKER: f64 = 250.0;
/// Connections that an open loop has ready on each thread. Those that it needs beyond are opened when they are needed.
const READY: usize = 64;

/// The sessions of a window as they came back.
pub(crate) struct Driven {
    pub(crate) opened: Stamp,
    pub(crate) closed: Stamp,
    pub(crate) sessions: Vec<Session>,
    pub(crate) workers: usize,
    pub(crate) ran_dry: bool,
    pub(crate) held_back: HeldBack,
}

/// What every task of a window shares.
struct Common {
    sessions: Vec<Vec<Prepared>>,
    desk: Desk,
    stop: Stop,
    /// The next session that nobody has begun.
    queue: AtomicUsize,
    ran_dry: AtomicBool,
    room: Room,
}

type Finished = Vec<(usize, Session)>;

pub(crate) async fn drive(
    lanes: &Lanes,
    sessions: Vec<Vec<Prepared>>,
    shape: &Shape,
    desk: &Desk,
    stop: &Stop,
) -> Driven {
    let count = sessions.len();
    let workers = workers(shape, count).min(lanes.count()).max(1);
    let (queue, ran_dry) = (AtomicUsize::new(0), AtomicBool::new(false));
    let room = match shape {
        Shape::Open { most_in_flight, .. } => Room::new(*most_in_flight),
        Shape::Sequential | Shape::ClosedLoop { .. } => Room::new(None),
    };
    let common = Arc::new(Common { sessions, desk: desk.clone(), stop: stop.clone(), queue, ran_dry, room });
    let (gate, opening) = watch::channel(None);
    let (ready, mut waiting) = tokio::sync::mpsc::channel::<()>(workers);
    let mut parts = JoinSet::new();
    for (number, (handle, client)) in lanes.first(workers).enumerate() {
        let waiting = lanes.waiting();
        let part = Part { client: client.clone(), common: common.clone(), number, workers, waiting };
        let (opening, ready, shape) = (opening.clone(), ready.clone(), shape.clone());
        parts.spawn_on(part.run(shape, opening, ready), handle);
    }
    drop(ready);
    // Each part says once that it is ready, and lets go of its end.
    while waiting.recv().await.is_some() {}
    let opened = Stamp::now();
    gate.send_replace(Some(opened));
    let mut done: Vec<Option<Session>> = std::iter::repeat_with(|| None).take(count).collect();
    while let Some(part) = parts.join_next().await {
        for (index, session) in settled(part) {
            if let Some(place) = done.get_mut(index) {
                *place = Some(session);
            }
        }
    }
    let closed = Stamp::now();
    let why = if stop.is_stopped() { NotSent::Stopped } else { NotSent::NotNeeded };
    let sessions = done
        .into_iter()
        .zip(&common.sessions)
        .map(|(session, turns)| session.unwrap_or_else(|| Session::new(turns, why)))
        .collect();
    let (ran_dry, held_back) = (common.ran_dry.load(Relaxed), common.room.held_back());
    Driven { opened, closed, sessions, workers, ran_dry, held_back }
}

/// Threads that a load is worth. More than it needs would only wake more often.
fn workers(shape: &Shape, sessions: usize) -> usize {
    match shape {
        Shape::Sequential => 1,
        Shape::ClosedLoop { closed, .. } => {
            usize::try_from(closed.to.get()).unwrap_or(usize::MAX).min(sessions).div_ceil(STREAMS_PER_WORKER)
        }
        Shape::Open { due_ns, .. } => {
            let seconds = due_ns.last().map_or(0.0, |last| *last as f64 / 1e9).max(1.0);
            (due_ns.len() as f64 / seconds / REQUESTS_PER_WORKER).ceil() as usize
        }
    }
}

/// A panic goes on where the work was awaited. Nobody cancels.
fn settled<T: Default>(joined: Result<T, JoinError>) -> T {
    match joined {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => T::default(),
        },
    }
}

/// One thread's share of a window.
struct Part {
    client: Client,
    common: Arc<Common>,
    number: usize,
    workers: usize,
    waiting: Waiting,
}

impl Part {
    async fn run(
        self,
        shape: Shape,
        mut opening: watch::Receiver<Option<Stamp>>,
        ready: tokio::sync::mpsc::Sender<()>,
    ) -> Finished {
        // Every how-manieth belongs to this thread.
        let mine = |index: &usize| index % self.workers == self.number;
        let places: Vec<u64> = match &shape {
            Shape::Sequential => vec![0],
            Shape::ClosedLoop { closed, .. } => {
                let all = closed.openings_ns().take(self.common.sessions.len()).enumerate();
                all.filter(|(index, _)| mine(index)).map(|(_, opening)| opening).collect()
            }
            Shape::Open { .. } => Vec::new(),
        };
        let connections = match &shape {
            Shape::Open { due_ns, most_in_flight } => {
                let most = most_in_flight.map_or(usize::MAX, |most| most.get() as usize).min(due_ns.len());
                READY.min(most.div_ceil(self.workers))
            }
            _ => places.len(),
        };
        connect(&self.client, connections, &self.common.stop).await;
        drop(ready);
        // Where the window is dropped before it opens, nothing is sent.
        let Ok(opened) = opening.wait_for(Option::is_some).await.map(|opened| opened.unwrap_or_default()) else {
            return Vec::new();
        };
        // Aborted when it is dropped, which is when the window closes.
        let mut awake = JoinSet::new();
        if self.waiting == Waiting::Poll {
            // A thread with a task that is always ready looks for events instead of waiting for them.
            awake.spawn(async {
                loop {
                    tokio::task::yield_now().await;
                }
            });
        }
        match shape {
            Shape::Sequential => self.sequential().await,
            Shape::ClosedLoop { lasts, .. } => self.closed_loop(places, opened, lasts).await,
            Shape::Open { due_ns, .. } => {
                let due = due_ns.iter().copied().enumerate().filter(|(index, _)| mine(index)).collect();
                self.open_loop(due, opened).await
            }
        }
    }

    /// One request at a time.
    async fn sequential(&self) -> Finished {
        let mut done = Vec::with_capacity(self.common.sessions.len());
        for (index, turns) in self.common.sessions.iter().enumerate() {
            let mut session = Session::new(turns, NotSent::Stopped);
            while let Some(prepared) = session.next(turns, &self.common.stop) {
                connect(&self.client, 1, &self.common.stop).await;
                let (desk, stop) = (&self.common.desk, &self.common.stop);
                session.push(self.client.transmit(prepared, Stamp::now(), desk, stop).await);
            }
            done.push((index, session));
        }
        done
    }

    /// A place that takes one session after the other, for each of `places`.
    async fn closed_loop(&self, places: Vec<u64>, opened: Stamp, lasts: Option<Duration>) -> Finished {
        let until = lasts.map(|lasts| opened.after(lasts));
        let mut running = JoinSet::new();
        for place in places {
            let (client, common) = (self.client.clone(), self.common.clone());
            running.spawn(take_turns(client, common, opened.after(Duration::from_nanos(place)), until));
        }
        let mut done = Vec::new();
        while let Some(ended) = running.join_next().await {
            done.extend(settled(ended));
        }
        done
    }

    /// Each session at its own time, whatever became of those before it.
    async fn open_loop(&self, due: Vec<(usize, u64)>, opened: Stamp) -> Finished {
        let mut alarm = Alarm::new();
        let mut running = JoinSet::new();
        let mut done = Vec::with_capacity(due.len());
        for (index, offset) in due {
            let intended = opened.after(Duration::from_nanos(offset));
            tokio::select! {
                biased;
                () = self.common.stop.stopped() => break,
                () = alarm.wait_until(intended) => {}
            }
            let (client, common) = (self.client.clone(), self.common.clone());
            running.spawn(async move {
                let Some(turns) = common.sessions.get(index) else { return Vec::new() };
                vec![(index, converse(&client, &common, turns, intended).await.0)]
            });
            while let Some(ended) = running.try_join_next() {
                done.extend(settled(ended));
            }
        }
        while let Some(ended) = running.join_next().await {
            done.extend(settled(ended));
        }
        done
    }
}

/// One place of a closed loop. It is free from `free` on and takes no new session after `until`.
async fn take_turns(client: Client, common: Arc<Common>, mut free: Stamp, until: Option<Stamp>) -> Finished {
    if free > Stamp::now() {
        tokio::select! {
            biased;
            () = common.stop.stopped() => return Vec::new(),
            () = async { Alarm::new().wait_until(free).await } => {}
        }
    }
    let mut done = Vec::new();
    loop {
        if until.is_some_and(|until| free >= until) {
            return done;
        }
        let index = common.queue.fetch_add(1, Relaxed);
        let Some(turns) = common.sessions.get(index) else {
            common.ran_dry.fetch_or(until.is_some(), Relaxed);
            return done;
        };
        let (session, ended) = converse(&client, &common, turns, free).await;
        free = ended;
        done.push((index, session));
    }
}

/// A session: the first turn is meant to be sent at `intended`, each other one when the one before has ended. Returns it with
/// the end of its last turn.
async fn converse(client: &Client, common: &Common, turns: &[Prepared], intended: Stamp) -> (Session, Stamp) {
    let mut session = Session::new(turns, NotSent::Stopped);
    let mut free = intended;
    while let Some(prepared) = session.next(turns, &common.stop) {
        let Some(_place) = common.room.take(&common.stop).await else { break };
        let transmission = client.transmit(prepared, free, &common.desk, &common.stop).await;
        free = transmission.ended();
        session.push(transmission);
    }
    (session, free)
}

async fn connect(client: &Client, count: usize, stop: &Stop) {
    tokio::select! {
        biased;
        () = stop.stopped() => {}
        // The requests will meet the same failure and report it.
        _ = client.connect_ahead(count) => {}
    }
}
