//! Measured requests to one endpoint.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::attempt;
use crate::connect::Connector;
use crate::packet::Capture;
use crate::pool::Pool;
use crate::spool::Spool;
use crate::stamp::WallOffset;
use crate::stream::Stream;
use crate::tape::Tape;
use crate::{
    Endpoint, Exchange, Limits, OnRace, Prepared, Progress, Proxy, Request, Secrets, Stamp, StampMode, Stop,
    Transmission, Trust, WireError, prepare,
};

/// Sends measured requests to one endpoint on connections of its own. Clones share the connections; [`Client::sibling`] has
/// its own.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    pool: Arc<Pool>,
}

struct Inner {
    endpoint: Endpoint,
    secrets: Arc<Secrets>,
    limits: Limits,
    connector: Connector,
    /// Sees every segment by itself, where that was asked for.
    capture: Option<Capture>,
}

/// Where a request reports to while it is under way.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    /// Counts for a live view.
    pub progress: Progress,
    /// Takes what was read.
    pub spool: Spool,
}

/// How an endpoint is reached.
#[derive(Clone, Debug, Default)]
pub struct Route {
    /// Which certificates to accept.
    pub trust: Trust,
    /// The proxy that connections go through.
    pub proxy: Option<Proxy>,
}

impl Client {
    /// A client that trusts what the operating system trusts.
    ///
    /// # Errors
    /// [`WireError::BadRequest`] when the secrets are another endpoint's, [`WireError::BadTrust`] when the system's
    /// certificates cannot be used for an `https` endpoint, [`WireError::Capture`] when packets cannot be captured.
    pub fn new(endpoint: Endpoint, secrets: Secrets, limits: Limits) -> Result<Self, WireError> {
        Self::with(endpoint, secrets, limits, &Trust::platform(), StampMode::default())
    }

    /// A client with its own idea of whom to trust, and of whose stamps to take.
    ///
    /// # Errors
    /// As for [`Client::new`].
    pub fn with(
        endpoint: Endpoint,
        secrets: Secrets,
        limits: Limits,
        trust: &Trust,
        stamps: StampMode,
    ) -> Result<Self, WireError> {
        Self::through(endpoint, secrets, limits, &Route { trust: trust.clone(), proxy: None }, stamps)
    }

    /// A client that reaches its endpoint on this route.
    ///
    /// # Errors
    /// As for [`Client::new`].
    pub fn through(
        endpoint: Endpoint,
        secrets: Secrets,
        limits: Limits,
        route: &Route,
        stamps: StampMode,
    ) -> Result<Self, WireError> {
        check_binding(&endpoint, &secrets)?;
        let connector = Connector::new(&endpoint, route, stamps)?;
        let capture = match stamps {
            StampMode::Packet => Some(Capture::start(connector.settle()?)?),
            StampMode::Kernel | StampMode::UserSpace => None,
        };
        let secrets = Arc::new(secrets);
        Ok(Self { inner: Arc::new(Inner { endpoint, secrets, limits, connector, capture }), pool: Arc::default() })
    }

    /// Gives each of these exchanges of this client what the capture of packets knows of it. Without one nothing happens. To
    /// be called once, after the window has closed: it waits for the capture to catch up, and that forgets what it has given.
    pub fn add_packets<'t>(&self, transmissions: impl Iterator<Item = &'t mut Transmission>) {
        let Some(capture) = &self.inner.capture else { return };
        if capture.settle().is_err() {
            // The capture is a reference: without it the kernel's stamps of the reads are taken.
            return;
        }
        let mut transmissions: Vec<&mut Transmission> = transmissions.collect();
        // A part that is taken makes the capture forget everything before it.
        transmissions.sort_by_key(|transmission| transmission.started);
        for transmission in transmissions {
            if let Some((local, before)) = transmission.tape.place {
                transmission.packets = capture.take_until(local, before + transmission.tape.bytes);
            }
        }
    }

    /// The same client with connections of its own. A connection belongs to the runtime that it was opened in, so each
    /// runtime needs a client of its own.
    #[must_use]
    pub fn sibling(&self) -> Self {
        Self { inner: self.inner.clone(), pool: Arc::default() }
    }

    /// Where requests go.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.inner.endpoint
    }

    /// What redacts texts that came from the endpoint.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.inner.secrets
    }

    /// Checks a request and puts the secrets in, so that nothing is left to do when it is sent.
    ///
    /// # Errors
    /// [`WireError::BadRequest`] or [`WireError::MissingSecret`].
    pub fn prepare(&self, request: Request) -> Result<Prepared, WireError> {
        prepare::prepare(&self.inner.endpoint, &self.inner.secrets, request)
    }

    /// Opens connections until `count` of them are open and idle, so that no request that follows has to wait for one.
    /// A server may still close them again; a request then opens its own, which its `connected` shows.
    ///
    /// # Errors
    /// The first failure to connect.
    pub async fn connect_ahead(&self, count: usize) -> Result<(), WireError> {
        let mut opening = JoinSet::new();
        for _ in self.pool.count_alive().await..count {
            let client = self.clone();
            opening.spawn(async move { client.inner.connector.connect(client.inner.limits.connect).await });
        }
        while let Some(opened) = opening.join_next().await {
            match opened {
                Ok(stream) => self.pool.put(stream?),
                // Only a panic or the runtime's end gets here.
                Err(_) => return Err(WireError::Cancelled),
            }
        }
        Ok(())
    }

    /// Sends a request now and waits for the end of its answer. `intended` is when it was meant to be sent.
    pub async fn exchange(&self, prepared: Prepared, intended: Stamp, progress: &Progress) -> Exchange {
        let desk = Desk { progress: progress.clone(), spool: Spool::default() };
        self.transmit(&prepared, intended, &desk, &Stop::never()).await.into_exchange()
    }

    /// Like [`Client::exchange`], but leaves the bytes of the answer to be sorted out later, and ends with the outcome
    /// `cancelled` and whatever came until then when `stop` says so.
    pub async fn transmit(&self, prepared: &Prepared, intended: Stamp, desk: &Desk, stop: &Stop) -> Transmission {
        desk.progress.start();
        let transmission = self.transmit_uncounted(prepared, intended, desk, stop).await;
        desk.progress.end(transmission.outcome.is_ok());
        transmission
    }

    async fn transmit_uncounted(&self, prepared: &Prepared, intended: Stamp, desk: &Desk, stop: &Stop) -> Transmission {
        let inner = &*self.inner;
        let mut transmission = Transmission {
            intended,
            started: Stamp::now(),
            connected: None,
            first_byte_written: None,
            last_byte_written: None,
            status: None,
            tape: Tape::new(desk.spool.clone()),
            offset: None,
            packets: None,
            bodiless: prepared.bodiless,
            ended: intended,
            waited: Duration::ZERO,
            outcome: Ok(()),
            resends: 0,
            endpoint: inner.endpoint.clone(),
            secrets: inner.secrets.clone(),
        };
        if prepared.endpoint != inner.endpoint {
            let reason = "it was prepared for another endpoint".to_owned();
            return failed(transmission, WireError::BadRequest { reason });
        }
        let mut reused = self.pool.take().await;
        loop {
            let is_reused = reused.is_some();
            let mut stream = match reused.take() {
                Some(stream) => stream,
                None => match self.open(transmission.started, stop).await {
                    Ok(stream) => {
                        transmission.connected = Some(Stamp::now());
                        stream
                    }
                    Err(error) => return failed(transmission, error),
                },
            };
            let started = transmission.started;
            let attempt =
                attempt::attempt(&mut stream, prepared, &inner.limits, started, &desk.progress, &desk.spool, stop)
                    .await;
            if is_reused && attempt.was_raced() {
                self.pool.distrust();
                if inner.limits.on_race == OnRace::ResendOnce {
                    transmission.resends += 1;
                    continue;
                }
                return failed(transmission, WireError::ConnectionRaced);
            }
            if attempt.reusable {
                stream.served = Some(attempt.ended);
                self.pool.put(stream);
            } else if attempt.outcome.is_ok() && attempt.tape.eof {
                // The next time the end may come too late to be seen.
                self.pool.distrust();
            }
            return Transmission {
                first_byte_written: attempt.writes.0,
                last_byte_written: attempt.writes.1,
                status: attempt.status,
                offset: attempt.tape.offset.map(|_| WallOffset::now()),
                tape: attempt.tape,
                ended: attempt.ended,
                waited: attempt.waited,
                outcome: attempt.outcome,
                ..transmission
            };
        }
    }

    async fn open(&self, started: Stamp, stop: &Stop) -> Result<Stream, WireError> {
        let limits = &self.inner.limits;
        let left = started.after(limits.total).since(Stamp::now());
        tokio::select! {
            biased;
            () = stop.stopped() => Err(WireError::Cancelled),
            opened = self.inner.connector.connect(limits.connect.min(left)) => match opened {
                Err(WireError::ConnectTimeout { .. }) if left < limits.connect => {
                    Err(WireError::TotalTimeout { after: limits.total })
                }
                opened => opened,
            },
        }
    }
}

fn failed(transmission: Transmission, error: WireError) -> Transmission {
    Transmission { ended: Stamp::now(), outcome: Err(error), ..transmission }
}

/// Secrets go to the endpoint that they were given for and nowhere else.
pub(crate) fn check_binding(endpoint: &Endpoint, secrets: &Secrets) -> Result<(), WireError> {
    if secrets.is_for(endpoint) {
        return Ok(());
    }
    Err(WireError::BadRequest { reason: format!("the secrets were not given for {endpoint}") })
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.inner.endpoint.to_string()).finish_non_exhaustive()
    }
}
