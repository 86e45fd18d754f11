//! One request on one connection: the hot path.
//!
//! HTTP's connection and the response are polled in turn by one task, the caller's. No other task stands between the
//! socket and the stamp, and nothing is parsed here that HTTP itself does not need; the rest is done in
//! [`Transmission::into_exchange`](crate::Transmission::into_exchange), which may run after the window has closed.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use crate::stream::{Log, Marks, Stream};
use crate::{Limits, Prepared, Progress, Stamp, Stop, WireError, sse};

/// What came of one attempt on one connection.
pub(crate) struct Attempt {
    /// The connection, where it can be used again.
    pub(crate) stream: Option<Stream>,
    pub(crate) log: Log,
    /// Stamps of the request's first and last byte.
    pub(crate) marks: (Option<Stamp>, Option<Stamp>),
    pub(crate) status: Option<u16>,
    /// Bytes of the body as HTTP counted them.
    pub(crate) body: u64,
    pub(crate) ended: Stamp,
    pub(crate) outcome: Result<(), WireError>,
}

/// Sends a request and takes in the answer.
pub(crate) async fn attempt(
    mut stream: Stream,
    prepared: &Prepared,
    limits: &Limits,
    started: Stamp,
    progress: &Progress,
    stop: &mut Stop,
) -> Attempt {
    let marks = stream.begin(raw_cap(limits));
    let handshake =
        http1::Builder::new().max_header_size(limits.max_head).handshake::<_, Full<Bytes>>(TokioIo::new(stream));
    let (mut sender, mut connection) = match handshake.await {
        Ok(pair) => pair,
        Err(error) => {
            let outcome = Err(WireError::MalformedHttp { reason: error.to_string() });
            let (log, ended) = (Log::default(), Stamp::now());
            return Attempt { stream: None, log, marks: (None, None), status: None, body: 0, ended, outcome };
        }
    };
    let mut request = http::Request::new(Full::new(prepared.body.clone()));
    *request.method_mut() = prepared.method.clone();
    *request.uri_mut() = prepared.target.clone();
    *request.headers_mut() = prepared.headers.clone();

    let mut incoming = Answer {
        state: State::Waiting(Box::pin(sender.send_request(request))),
        status: None,
        body: 0,
        frames: sse::FrameCounter::new(),
    };
    let mut deadline = Deadline::new(limits, started);
    let mut alarm = pin!(tokio::time::sleep(limits.total));
    let mut open = true;
    let mut reported = 0;
    let outcome = {
        let mut stopped = pin!(stop.stopped());
        poll_fn(|cx| {
            let polled = loop {
                let before = marks.reads();
                if open {
                    open = connection.poll_without_shutdown(cx).is_pending();
                }
                let polled = incoming.poll(cx, limits, progress);
                let reads = marks.reads();
                progress.reads(reads - reported);
                reported = reads;
                // A read that has just come may have been for the answer, which was polled before it.
                if polled.is_ready() || reads == before {
                    break polled;
                }
            };
            if polled.is_ready() {
                return polled;
            }
            if stopped.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(Broken::Known(WireError::Cancelled)));
            }
            deadline.poll(cx, alarm.as_mut(), &marks, incoming.body).map(|error| Err(Broken::Known(error)))
        })
        .await
    };
    let ended = Stamp::now();
    // One more turn lets HTTP see that the exchange is over, or that the connection is to be closed.
    let reusable = outcome.is_ok()
        && open
        && poll_fn(|cx| Poll::Ready(connection.poll_without_shutdown(cx).is_pending())).await
        && sender.is_ready();
    let (status, body) = (incoming.status, incoming.body);
    drop(incoming);
    let parts = connection.into_parts();
    let mut stream = parts.io.into_inner();
    let log = stream.take_log();
    let outcome = outcome.map_err(|broken| match broken {
        Broken::Known(error) => error,
        Broken::Http(error) => classify(&error, &log, &prepared.endpoint.authority(), body, limits),
    });
    let stream = (reusable && parts.read_buf.is_empty()).then_some(stream);
    Attempt { stream, log, marks: (marks.first_write(), marks.last_write()), status, body, ended, outcome }
}

impl Attempt {
    /// The connection ended before a byte of the answer came.
    pub(crate) fn was_raced(&self) -> bool {
        self.log.raw.is_empty() && matches!(self.outcome, Err(WireError::ClosedEarly { .. }))
    }
}

/// Framing may take several times the body's size when chunks are tiny; beyond this it is an attack.
fn raw_cap(limits: &Limits) -> usize {
    limits.max_head.saturating_add(limits.max_body.saturating_mul(8)).saturating_add(64 << 10)
}

enum Broken {
    Http(hyper::Error),
    Known(WireError),
}

type Sending = Pin<Box<dyn Future<Output = hyper::Result<http::Response<Incoming>>> + Send>>;

enum State {
    Waiting(Sending),
    Body(Incoming),
}

/// The answer as it comes in.
struct Answer {
    state: State,
    status: Option<u16>,
    body: u64,
    frames: sse::FrameCounter,
}

impl Answer {
    /// Takes whatever there is.
    fn poll(&mut self, cx: &mut Context<'_>, limits: &Limits, progress: &Progress) -> Poll<Result<(), Broken>> {
        loop {
            match &mut self.state {
                State::Waiting(sending) => match std::task::ready!(sending.as_mut().poll(cx)) {
                    Ok(response) => {
                        self.status = Some(response.status().as_u16());
                        self.state = State::Body(response.into_body());
                    }
                    Err(error) => return Poll::Ready(Err(Broken::Http(error))),
                },
                State::Body(body) => match std::task::ready!(Pin::new(body).poll_frame(cx)) {
                    Some(Ok(frame)) => {
                        if let Some(data) = frame.data_ref() {
                            self.body += data.len() as u64;
                            progress.body(data.len() as u64, self.frames.push(data));
                        }
                        if self.body > limits.max_body.min(u32::MAX as usize) as u64 {
                            let error = WireError::BodyTooLarge { limit: limits.max_body };
                            return Poll::Ready(Err(Broken::Known(error)));
                        }
                    }
                    Some(Err(error)) => return Poll::Ready(Err(Broken::Http(error))),
                    None => return Poll::Ready(Ok(())),
                },
            }
        }
    }
}

/// When to give up. The alarm is set again only when the due time has come nearer or when it has rung, never per read.
struct Deadline<'l> {
    limits: &'l Limits,
    started: Stamp,
    armed: Option<Stamp>,
}

impl<'l> Deadline<'l> {
    const fn new(limits: &'l Limits, started: Stamp) -> Self {
        Self { limits, started, armed: None }
    }

    /// When the exchange is due, and what it has failed with then.
    fn due(&self, marks: &Marks, body: u64) -> (Stamp, WireError) {
        let limits = self.limits;
        let (quiet, error) = if body == 0 {
            let from = marks.first_write().unwrap_or(self.started);
            (from.after(limits.first_byte), WireError::FirstByteTimeout { after: limits.first_byte })
        } else {
            let from = marks.last_read().unwrap_or(self.started);
            (from.after(limits.stall), WireError::Stalled { after: limits.stall, bytes: body })
        };
        let total = self.started.after(limits.total);
        if total < quiet { (total, WireError::TotalTimeout { after: limits.total }) } else { (quiet, error) }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut alarm: Pin<&mut tokio::time::Sleep>,
        marks: &Marks,
        body: u64,
    ) -> Poll<WireError> {
        loop {
            let (due, error) = self.due(marks, body);
            if self.armed.is_none_or(|armed| due < armed) {
                alarm.set(tokio::time::sleep(due.since(Stamp::now())));
                self.armed = Some(due);
            }
            std::task::ready!(alarm.as_mut().poll(cx));
            if Stamp::now() >= due {
                return Poll::Ready(error);
            }
            self.armed = None;
        }
    }
}

/// What HTTP's error means.
fn classify(error: &hyper::Error, log: &Log, host: &str, body: u64, limits: &Limits) -> WireError {
    if log.overflow {
        return WireError::BodyTooLarge { limit: limits.max_body };
    }
    if error.is_parse() {
        return WireError::MalformedHttp { reason: crate::connect::reason(error) };
    }
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            if let Some(tls) = io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                return WireError::Tls { host: host.to_owned(), reason: tls.to_string() };
            }
            // HTTP says so of framing that it cannot read.
            if matches!(io.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) {
                return WireError::MalformedHttp { reason: io.to_string() };
            }
            return WireError::ClosedEarly { bytes: body, reason: io.to_string() };
        }
        source = cause.source();
    }
    WireError::ClosedEarly { bytes: body, reason: error.to_string() }
}
