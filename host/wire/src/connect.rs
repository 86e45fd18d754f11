//! Opening connections.

use std::error::Error;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::stream::{Socket, Stream};
use crate::{Endpoint, Proxy, Route, StampMode, WireError};

/// Opens connections to one endpoint.
pub(crate) struct Connector {
    /// Host and port for messages.
    host: String,
    /// Host and port for the resolver: of the proxy, where there is one.
    lookup: (String, u16),
    tls: Option<(TlsConnector, ServerName<'static>)>,
    proxy: Option<Proxy>,
    stamps: StampMode,
    /// Where the last connection went, so that a connection inside a window does not wait for a resolver.
    last: Mutex<Option<SocketAddr>>,
}

impl Connector {
    pub(crate) fn new(endpoint: &Endpoint, route: &Route, stamps: StampMode) -> Result<Self, WireError> {
        let host = endpoint.host();
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = if endpoint.is_tls() {
            let name = ServerName::try_from(bare.clone()).map_err(|error| WireError::BadEndpoint {
                endpoint: endpoint.to_string(),
                reason: error.to_string(),
            })?;
            let mut config = route.trust.config()?;
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Some((TlsConnector::from(Arc::new(config)), name))
        } else {
            None
        };
        let proxy = route.proxy.clone();
        let lookup = proxy.as_ref().map_or_else(|| (bare, endpoint.port()), Proxy::lookup);
        Ok(Self { host: endpoint.authority(), lookup, tls, proxy, stamps, last: Mutex::new(None) })
    }

    /// Settles on an address before the first connection, for whoever has to know it. Blocks while the name is looked up.
    pub(crate) fn settle(&self) -> Result<SocketAddr, WireError> {
        let dns = |reason: String| WireError::Dns { host: self.host.clone(), reason };
        let (host, port) = &self.lookup;
        let mut found = (host.as_str(), *port).to_socket_addrs().map_err(|error| dns(error.to_string()))?;
        let address = found.next().ok_or_else(|| dns("the name has no address".to_owned()))?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
        Ok(address)
    }

    /// A new connection, ready for a request.
    pub(crate) async fn connect(&self, limit: Duration) -> Result<Stream, WireError> {
        match tokio::time::timeout(limit, self.open()).await {
            Ok(result) => result,
            Err(_) => Err(WireError::ConnectTimeout { host: self.host.clone(), after: limit }),
        }
    }

    async fn open(&self) -> Result<Stream, WireError> {
        let mut tcp = self.tcp().await?;
        if let Some(proxy) = &self.proxy {
            proxy.open_tunnel(&mut tcp, &self.host).await.map_err(|reason| WireError::NoTunnel {
                proxy: proxy.to_string(),
                host: self.host.clone(),
                reason,
            })?;
        }
        tcp.set_nodelay(true).map_err(|error| self.failed(&error))?;
        let socket = Socket::new(tcp, self.stamps);
        let Some((connector, name)) = &self.tls else { return Ok(Stream::plain(socket)) };
        let tls = connector.connect(name.clone(), socket).await;
        Ok(Stream::tls(tls.map_err(|error| WireError::Tls { host: self.host.clone(), reason: reason(&error) })?))
    }

    async fn tcp(&self) -> Result<TcpStream, WireError> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(address) = last
            && let Ok(tcp) = TcpStream::connect(address).await
        {
            return Ok(tcp);
        }
        let dns = |reason: String| WireError::Dns { host: self.host.clone(), reason };
        let (host, port) = &self.lookup;
        let addresses =
            tokio::net::lookup_host((host.as_str(), *port)).await.map_err(|error| dns(error.to_string()))?;
        let mut failure = dns("the name has no address".to_owned());
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(tcp) => {
                    *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
                    return Ok(tcp);
                }
                Err(error) => failure = self.failed(&error),
            }
        }
        Err(failure)
    }

    fn failed(&self, error: &io::Error) -> WireError {
        let host = self.host.clone();
        match error.kind() {
            io::ErrorKind::ConnectionRefused => WireError::ConnectRefused { host },
            io::ErrorKind::TimedOut => WireError::ConnectFailed { host, reason: "timed out".to_owned() },
            _ => WireError::ConnectFailed { host, reason: error.to_string() },
        }
    }
}

/// The innermost cause, which says most.
pub(crate) fn reason(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
