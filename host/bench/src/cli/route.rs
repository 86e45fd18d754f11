//! How a server is reached, and with which key.

use std::path::PathBuf;

use clap::Args;

/// Certificates, proxies, limits and keys.
#[derive(Debug, Args)]
pub struct RouteArgs {
    /// Trust the certificates in this PEM file too: a private authority, or the server's own self-signed certificate
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pin_cert", "insecure"])]
    pub ca_cert: Option<PathBuf>,
    /// Accept the server's certificate with this SHA-256 and no other
    #[arg(long, value_name = "sha256:HEX", conflicts_with = "insecure")]
    pub pin_cert: Option<bench_run::Fingerprint>,
    /// Accept any certificate. API keys are then sent only with --allow-http-key
    #[arg(long)]
    pub insecure: bool,
    /// Send measured requests through this HTTP proxy, whose way is then part of every time. Requests that are not measured use
    /// the proxies of the environment
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
    /// Longest time in seconds that the engine may be silent, from the first contact on [default: 600 before an answer, 120 within]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: Option<u64>,
    /// Environment variable that holds the key [default: the driver's]
    #[arg(long, value_name = "NAME")]
    pub api_key_env: Option<String>,
    /// Allow the API key to go over plain HTTP to another machine, or to another user's server on this one
    #[arg(long)]
    pub allow_http_key: bool,
}
