//! The server: one thread that writes answers at their times and, in between, accepts connections and reads requests.
//!
//! It is the server's own, so that a load generator in the same process cannot hold up the schedule by being busy on a
//! shared runtime. Large prompts are taken in on a second one, which is there only while it has something to do.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{spawn_blocking, yield_now};

use crate::answer::Said;
use crate::cache::BlockCache;
use crate::config::SimConfig;
use crate::counters::{Counters, Tally};
use crate::error::SimError;
use crate::generate::{AT_ONCE_BYTES, After, Engine, generate};
use crate::http::{Answer, Connection, Incoming};
use crate::pacer::{Pacer, Pacing};
use crate::routes::{Route, route};

/// Most connections at once; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 8192;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 4096;
/// Threads for large prompts.
const MAX_HELPERS: usize = 1;

/// Starts simulated engines.
#[derive(Clone, Copy, Debug)]
pub struct Sim;

/// A running simulated engine. Dropping it stops the engine without waiting for that.
#[derive(Debug)]
pub struct SimHandle {
    address: SocketAddr,
    schedule_id: Arc<str>,
    tally: Arc<Tally>,
    stop: oneshot::Sender<()>,
    stopped: oneshot::Receiver<()>,
}

impl Sim {
    /// Starts an engine on a thread of its own. It accepts connections when this returns. Port 0 picks a free port.
    ///
    /// # Errors
    /// When the configuration is not valid, the address is not of this machine alone or cannot be listened on, or the
    /// threads cannot be started.
    pub fn start(config: SimConfig, address: SocketAddr) -> Result<SimHandle, SimError> {
        config.validate()?;
        if !address.ip().is_loopback() {
            return Err(SimError::NotLoopback(address));
        }
        let runtime = Builder::new_current_thread()
            .enable_all()
            // One task between two looks at the clock: see `pacer`.
            .event_interval(1)
            .max_blocking_threads(MAX_HELPERS)
            .build()
            .map_err(SimError::Thread)?;
        let inside = runtime.enter();
        let listener = listen(address).map_err(|source| SimError::Bind { address, source })?;
        let address = listener.local_addr().map_err(|source| SimError::Bind { address, source })?;
        let tally: Arc<Tally> = Arc::default();
        let (pacer, pacing) = Pacer::new(Arc::clone(&tally)).map_err(SimError::Thread)?;
        drop(inside);
        let schedule_id: Arc<str> = config.schedule_id().into();
        let engine = Arc::new(Engine {
            slots: Semaphore::new(usize::try_from(config.slots).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS)),
            cache: config
                .prefix_cache
                .map(|cache| Mutex::new(BlockCache::new(cache.block_tokens, cache.capacity_blocks))),
            config: Arc::new(config),
            schedule_id: Arc::clone(&schedule_id),
            tally: Arc::clone(&tally),
            pacer,
            said: Said::default(),
            seen: AtomicU64::new(0),
        });
        let (stop, stopping) = oneshot::channel();
        let (stopped_sender, stopped) = oneshot::channel();
        let serve = move || {
            serve(runtime, listener, engine, pacing, stopping);
            let _ = stopped_sender.send(());
        };
        thread::Builder::new().name("bench-sim".to_owned()).spawn(serve).map_err(SimError::Thread)?;
        Ok(SimHandle { address, schedule_id, tally, stop, stopped })
    }
}

impl SimHandle {
    /// Where the engine listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Base address for clients, such as `http://127.0.0.1:8081`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The value of the `bench-sim-schedule` header: see [`SimConfig::schedule_id`].
    #[must_use]
    pub fn schedule_id(&self) -> &str {
        &self.schedule_id
    }

    /// What the engine has done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.tally.snapshot()
    }

    /// What the engine has done, once no request is in flight. A client has its answer a moment before the engine has
    /// counted it, so whoever compares the two asks here. Needs a runtime with timers.
    pub async fn settled(&self) -> Counters {
        loop {
            let counters = self.counters();
            if counters.in_flight == 0 {
                return counters;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Stops the engine, cutting open connections, and waits until its threads have ended.
    pub async fn shutdown(self) {
        drop(self.stop);
        // An error means that the thread ended without a word, which is as good.
        let _ = self.stopped.await;
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // On Windows this would let two servers share the port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until it is told to stop; the port is free again when this returns.
fn serve(
    runtime: Runtime,
    listener: TcpListener,
    engine: Arc<Engine>,
    pacing: Pacing,
    stopping: oneshot::Receiver<()>,
) {
    runtime.block_on(async {
        let accepting = tokio::spawn(accept(listener, engine));
        tokio::select! {
            biased;
            // The handle drops its end to stop the engine.
            _ = stopping => {}
            () = pacing => {}
        }
        accepting.abort();
        // Ends with the listener closed, whatever it was doing.
        let _ = accepting.await;
    });
    runtime.shutdown_background();
}

async fn accept(listener: TcpListener, engine: Arc<Engine>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                engine.tally.connections.fetch_add(1, SeqCst);
                let engine = Arc::clone(&engine);
                tokio::spawn(async move {
                    converse(&engine, stream).await;
                    drop(place);
                });
                // A thousand clients that come at once are no reason for a late write.
                yield_now().await;
            }
            // Out of files, most likely: let some connections end.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Serves one connection until either side has had enough.
async fn converse(engine: &Arc<Engine>, stream: TcpStream) {
    // Without this, writes wait for the client's acknowledgements, which shows in the client's stamps.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut connection = Connection::new(stream);
    loop {
        let incoming = match connection.request(engine.config.max_body_bytes).await {
            Ok(Some(incoming)) => incoming,
            Ok(None) => return,
            Err(problem) => {
                if connection.answer(&Answer::from(problem), true).await {
                    connection.drain().await;
                }
                return;
            }
        };
        let Some((incoming, route)) = routed(engine, incoming).await else { return };
        let after = match route {
            Route::Generate { chat } => generate(engine, &mut connection, incoming, chat).await,
            Route::Answer(answer) => {
                let written = connection.answer(&answer, incoming.close).await;
                if written && !incoming.close { After::Keep } else { After::Close }
            }
        };
        if after == After::Close {
            return;
        }
    }
}

/// What to do with a request; none when the server is about to end.
async fn routed(engine: &Arc<Engine>, incoming: Incoming) -> Option<(Incoming, Route)> {
    let is_short = incoming.body.len() <= AT_ONCE_BYTES;
    let engine = Arc::clone(engine);
    let work = move || {
        let route = route(&engine.config, &engine.schedule_id, &engine.tally, &incoming);
        (incoming, route)
    };
    if is_short { Some(work()) } else { spawn_blocking(work).await.ok() }
}
