//! The same through the client, which keeps every byte and the stamp of every read until the answer is over.

use std::error::Error;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bench_wire::{Client, Desk, Endpoint, Limits, Progress, Request, Secrets, Spool, Stamp, Stop};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use super::flood::Kind;

/// Answers taken in the given time, and socket reads.
pub fn read(address: SocketAddr, kind: Kind, connections: usize, time: Duration) -> Result<(u64, u64), Box<dyn Error>> {
    let endpoint = Endpoint::parse(&format!("http://{address}"))?;
    let client = Client::new(endpoint.clone(), Secrets::new(endpoint), Limits::default())?;
    let prepared = client.prepare(Request::get(kind.path()))?;
    let desk = Desk { progress: Progress::new(), spool: Spool::default() };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        let end = Instant::now() + time;
        for _ in 0..connections {
            let (client, prepared, desk) = (client.clone(), prepared.clone(), desk.clone());
            tasks.spawn(async move {
                let stop = Stop::never();
                let mut answers = 0;
                let mut failure = None;
                while Instant::now() < end && failure.is_none() {
                    let sent = client.transmit(&prepared, Stamp::now(), &desk, &stop).await;
                    if sent.succeeded() {
                        answers += 1;
                    } else {
                        failure = Some(format!("{:?}", sent.into_exchange().outcome));
                    }
                }
                failure.map_or(Ok(answers), Err)
            });
        }
        let mut answers = 0;
        while let Some(ended) = tasks.join_next().await {
            answers += ended??;
        }
        Ok((answers, desk.progress.snapshot().reads))
    })
}
