//! Measured requests to one endpoint.

use std::fmt;
use std::sync::Arc;

use http::Method;
use tokio::task::JoinSet;

use crate::attempt::{self, Attempt};
use crate::connect::Connector;
use crate::pool::Pool;
use crate::stamp::WallOffset;
use crate::stream::Stream;
use crate::{
    Endpoint, Exchange, Limits, OnRace, Prepared, Progress, Request, Secrets, Stamp, Stop, Transmission, Trust,
    WireError, prepare,
};

/// Sends measured requests to one endpoint on connections of its own. Clones share the connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    endpoint: Endpoint,
    secrets: Arc<Secrets>,
    limits: Limits,
    connector: Connector,
    pool: Pool,
}

impl Client {
    /// A client that trusts what the operating system trusts.
    ///
    /// # Errors
    /// [`WireError::BadRequest`] when the secrets are another endpoint's, [`WireError::BadTrust`] when the system's
    /// certificates cannot be used for an `https` endpoint.
    pub fn new(endpoint: Endpoint, secrets: Secrets, limits: Limits) -> Result<Self, WireError> {
        Self::with_trust(endpoint, secrets, limits, &Trust::platform())
    }

    /// A client with its own idea of whom to trust.
    ///
    /// # Errors
    /// As for [`Client::new`].
    pub fn with_trust(endpoint: Endpoint, secrets: Secrets, limits: Limits, trust: &Trust) -> Result<Self, WireError> {
        check_binding(&endpoint, &secrets)?;
        let connector = Connector::new(&endpoint, trust)?;
        let secrets = Arc::new(secrets);
        Ok(Self(Arc::new(Inner { endpoint, secrets, limits, connector, pool: Pool::default() })))
    }

    /// Where requests go.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    /// What redacts texts that came from the endpoint.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    /// Checks a request and puts the secrets in, so that nothing is left to do when it is sent.
    ///
    /// # Errors
    /// [`WireError::BadRequest`] or [`WireError::MissingSecret`].
    pub fn prepare(&self, request: Request) -> Result<Prepared, WireError> {
        prepare::prepare(&self.0.endpoint, &self.0.secrets, request)
    }

    /// Opens connections until `count` of them are open and idle, so that no request that follows has to wait for one.
    /// A server may still close them again; a request then opens its own, which its `connected` shows.
    ///
    /// # Errors
    /// The first failure to connect.
    pub async fn connect_ahead(&self, count: usize) -> Result<(), WireError> {
        let mut opening = JoinSet::new();
        for _ in self.0.pool.count_alive().await..count {
            let client = self.clone();
            opening.spawn(async move { client.0.connector.connect(client.0.limits.connect).await });
        }
        while let Some(opened) = opening.join_next().await {
            match opened {
                Ok(stream) => self.0.pool.put(stream?),
                // Only a panic or the runtime's end gets here.
                Err(_) => return Err(WireError::Cancelled),
            }
        }
        Ok(())
    }

    /// Sends a request now and waits for the end of its answer. `intended` is when it was meant to be sent.
    pub async fn exchange(&self, prepared: Prepared, intended: Stamp, progress: &Progress) -> Exchange {
        self.transmit(&prepared, intended, progress, &mut Stop::never()).await.into_exchange()
    }

    /// Like [`Client::exchange`], but leaves the bytes of the answer to be sorted out later, and ends with the outcome
    /// `cancelled` and whatever came until then when `stop` says so.
    pub async fn transmit(
        &self,
        prepared: &Prepared,
        intended: Stamp,
        progress: &Progress,
        stop: &mut Stop,
    ) -> Transmission {
        progress.start();
        let transmission = self.transmit_uncounted(prepared, intended, progress, stop).await;
        progress.end(transmission.outcome.is_ok());
        transmission
    }

    async fn transmit_uncounted(
        &self,
        prepared: &Prepared,
        intended: Stamp,
        progress: &Progress,
        stop: &mut Stop,
    ) -> Transmission {
        let inner = &*self.0;
        let mut transmission = Transmission {
            intended,
            started: Stamp::now(),
            connected: None,
            first_byte_written: None,
            last_byte_written: None,
            status: None,
            log: crate::stream::Log::default(),
            offset: None,
            counted: 0,
            bodiless: prepared.method == Method::HEAD,
            ended: intended,
            outcome: Ok(()),
            resends: 0,
            max_head: inner.limits.max_head,
            endpoint: inner.endpoint.clone(),
            secrets: inner.secrets.clone(),
        };
        if prepared.endpoint != inner.endpoint {
            let reason = "it was prepared for another endpoint".to_owned();
            return failed(transmission, WireError::BadRequest { reason });
        }
        let mut reused = inner.pool.take().await;
        loop {
            let is_reused = reused.is_some();
            let stream = match reused.take() {
                Some(stream) => stream,
                None => match self.open(transmission.started, stop).await {
                    Ok(stream) => {
                        transmission.connected = Some(Stamp::now());
                        stream
                    }
                    Err(error) => return failed(transmission, error),
                },
            };
            let attempt = attempt::attempt(stream, prepared, &inner.limits, transmission.started, progress, stop).await;
            if is_reused && attempt.was_raced() {
                inner.pool.distrust();
                if inner.limits.on_race == OnRace::ResendOnce {
                    transmission.resends += 1;
                    continue;
                }
                return failed(transmission, WireError::ConnectionRaced);
            }
            return self.take_in(transmission, attempt);
        }
    }

    async fn open(&self, started: Stamp, stop: &mut Stop) -> Result<Stream, WireError> {
        let limits = &self.0.limits;
        let left = started.after(limits.total).since(Stamp::now());
        tokio::select! {
            biased;
            () = stop.stopped() => Err(WireError::Cancelled),
            opened = self.0.connector.connect(limits.connect.min(left)) => match opened {
                Err(WireError::ConnectTimeout { .. }) if left < limits.connect => {
                    Err(WireError::TotalTimeout { after: limits.total })
                }
                opened => opened,
            },
        }
    }

    fn take_in(&self, transmission: Transmission, attempt: Attempt) -> Transmission {
        match attempt.stream {
            Some(mut stream) => {
                stream.served = Some(attempt.ended);
                self.0.pool.put(stream);
            }
            // The next time the end may come too late to be seen.
            None if attempt.outcome.is_ok() && attempt.log.eof => self.0.pool.distrust(),
            None => {}
        }
        Transmission {
            first_byte_written: attempt.marks.0,
            last_byte_written: attempt.marks.1,
            status: attempt.status,
            offset: attempt.log.offset.map(|_| WallOffset::now()),
            log: attempt.log,
            counted: attempt.body,
            ended: attempt.ended,
            outcome: attempt.outcome,
            ..transmission
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
        f.debug_struct("Client").field("endpoint", &self.0.endpoint.to_string()).finish_non_exhaustive()
    }
}
