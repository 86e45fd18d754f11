//! Which API keys go to which server.
//!
//! A server is first asked without any key. A key goes out only when all of this holds:
//!
//! - The environment variable was granted to the driver for this server, or the user named it.
//! - The driver recognised the server without a key, or the user named both driver and address, or
//!   the user named the driver and the server answered 401 or 403.
//! - The connection is encrypted, or ends at a process of the same user on this machine, or the user
//!   allowed plain HTTP.

use bench_grants::{KeyTarget, Permit};
use bench_machine::Found;
use bench_machine::attribution::listener_owners;
use bench_plugin::driver_types::Secret;
use bench_wire::{Endpoint, Secrets};

use crate::catalog::Identity;
use crate::error::RunError;
use crate::options::RunOptions;

/// What the user named, as far as keys depend on it.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyPolicy {
    /// The user named the driver.
    pub(crate) named_driver: bool,
    /// The user named the server's address.
    pub(crate) named_server: bool,
    /// The environment variable that the user named for the driver's first secret.
    pub(crate) variable: Option<String>,
    /// The user allowed plain HTTP to other machines.
    pub(crate) allow_http: bool,
    /// Any certificate is accepted, so that encryption protects a key from nobody in between.
    pub(crate) unverified: bool,
}

impl KeyPolicy {
    /// The policy of a run with these options. `named_driver` says whether the user named the driver.
    pub(crate) fn from_options(options: &RunOptions, named_driver: bool) -> Self {
        Self {
            named_driver,
            named_server: options.endpoint.is_some(),
            variable: options.api_key_env.clone(),
            allow_http: options.allow_http_key,
            unverified: options.trust.is_unverified(),
        }
    }
}

/// A secret of a driver and the variable that holds its value.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// The driver's name for the secret.
    name: String,
    variable: String,
    value: String,
    required: bool,
}

/// A key that is set and does not go out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WithheldKey {
    /// The environment variable.
    pub(crate) variable: String,
    /// Why, as the end of a sentence.
    pub(crate) reason: String,
    /// What to do.
    pub(crate) hint: String,
}

/// The keys of one driver for one server, before any is sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    granted: Vec<Key>,
    withheld: Vec<WithheldKey>,
}

/// The command that grants what a plugin asks for.
pub(crate) fn grant_command(identity: &Identity) -> String {
    format!("bench plugin grants add {}", identity.reference)
}

impl Keys {
    /// Reads the variables of a driver's secrets, as far as the user allows it.
    ///
    /// # Errors
    /// [`RunError::MissingSecret`] and [`RunError::KeyNotGranted`] for a secret that the driver cannot
    /// do without.
    pub(crate) fn read(
        secrets: &[Secret],
        identity: &Identity,
        target: KeyTarget<'_>,
        policy: &KeyPolicy,
    ) -> Result<Self, RunError> {
        let mut keys = Self::default();
        for (index, secret) in secrets.iter().enumerate() {
            let named = policy.variable.as_deref().filter(|_| index == 0);
            let variable = named.unwrap_or(&secret.environment);
            let granted = named.is_some() || identity.permit.may_send_variable(variable, target);
            if !granted && secret.required {
                return Err(RunError::KeyNotGranted {
                    driver: identity.name.clone(),
                    variable: variable.to_owned(),
                    command: grant_command(identity),
                });
            }
            if !granted {
                // Not even whether the variable is set matters to a driver without a grant.
                keys.note_ungranted(variable, identity, &identity.permit);
                continue;
            }
            match std::env::var(variable) {
                Ok(value) if !value.trim().is_empty() => keys.granted.push(Key {
                    name: secret.name.clone(),
                    variable: variable.to_owned(),
                    value,
                    required: secret.required,
                }),
                _ if secret.required || named.is_some() => {
                    return Err(RunError::MissingSecret {
                        driver: identity.name.clone(),
                        variable: variable.to_owned(),
                    });
                }
                _ => {}
            }
        }
        Ok(keys)
    }

    fn note_ungranted(&mut self, variable: &str, identity: &Identity, permit: &Permit) {
        if !permit.carried && std::env::var_os(variable).is_some() {
            self.withheld.push(WithheldKey {
                variable: variable.to_owned(),
                reason: format!("it was not granted to the plugin {}", identity.name),
                hint: format!("grant it with `{}`", grant_command(identity)),
            });
        }
    }

    /// The keys that go to the server, and those that do not.
    ///
    /// # Errors
    /// [`RunError::KeyWithheld`] where the driver cannot do without a key that must not be sent.
    pub(crate) async fn admit(
        self,
        endpoint: &Endpoint,
        policy: &KeyPolicy,
    ) -> Result<(Secrets, Vec<WithheldKey>), RunError> {
        let mut secrets = Secrets::new(endpoint.clone());
        let mut withheld = self.withheld;
        let refusal = if self.granted.is_empty() { None } else { refuse_connection(endpoint, policy).await };
        for key in self.granted {
            match &refusal {
                None => secrets.insert(key.name, &key.value)?,
                Some((reason, hint)) => {
                    let (variable, reason, hint) = (key.variable, reason.clone(), hint.clone());
                    if key.required {
                        return Err(RunError::KeyWithheld { variable, reason, hint });
                    }
                    withheld.push(WithheldKey { variable, reason, hint });
                }
            }
        }
        Ok((secrets, withheld))
    }
}

/// Why no key may go over a connection to this endpoint, and what to do; `None` when it may.
async fn refuse_connection(endpoint: &Endpoint, policy: &KeyPolicy) -> Option<(String, String)> {
    if policy.allow_http || (endpoint.is_tls() && !policy.unverified) {
        return None;
    }
    if endpoint.is_tls() {
        let reason = format!("the certificate of {endpoint} is not verified");
        return Some((
            reason,
            "name the certificate with --ca-cert or --pin-cert, or allow it with --allow-http-key".to_owned(),
        ));
    }
    let allow = "use https, or allow it with --allow-http-key";
    if !endpoint.is_loopback() {
        return Some((format!("it would go unencrypted to {endpoint}"), allow.to_owned()));
    }
    let address = endpoint.host().trim_matches(['[', ']']).parse().ok();
    let reason = match listener_owners(address, endpoint.port()).await {
        Found::Present { value } if value.iter().all(|owner| is_trusted_owner(*owner)) => return None,
        Found::Present { .. } => format!("another user of this machine listens at {endpoint}"),
        Found::NotPresent { .. } | Found::Failed { .. } => {
            format!("the user who listens at {endpoint} cannot be determined")
        }
    };
    Some((reason, "if you trust that listener, allow it with --allow-http-key".to_owned()))
}

/// This user and root. Root can read the key anyway, and runs the listeners of containers.
fn is_trusted_owner(owner: u32) -> bool {
    owner == 0 || owner == bench_machine::current_user()
}
