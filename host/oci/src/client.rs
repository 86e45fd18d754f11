//! Talking to one repository of one registry, by the distribution specification. What came is believed when its digest was checked, and
//! its length before that.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bench_text::{clean_name, clean_sentence};
use bench_wire::{Answer, Control, Endpoint, Header, Limits, Part, Request, Secrets, Trust};
use bytes::Bytes;
use serde::Deserialize;

use crate::challenge::{self, Challenge};
use crate::error::OciError;
use crate::layout::{LISTS, Layer, MANIFEST};
use crate::logins::{Login, Logins};
use crate::place::{Place, agent};
use crate::reference::{Digest, Reference};

/// The largest manifest that is read: 1 MiB.
pub const LARGEST_MANIFEST: u64 = 1 << 20;
/// The largest answer with a token: 64 KiB.
const LARGEST_TOKEN: u64 = 64 << 10;
/// Bytes of an answer that says what went wrong.
const LARGEST_COMPLAINT: u64 = 8 << 10;
/// Most places that one blob's bytes are looked for in.
const MOST_REDIRECTS: usize = 3;

/// Registries whose own documents name another host for tokens.
const KNOWN_REALMS: [(&str, &str); 2] = [("docker.io", "auth.docker.io"), ("registry.gitlab.com", "gitlab.com")];

/// What is to be done. It is what a token is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read.
    Pull,
    /// Read and write.
    Push,
}

/// How registries are asked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who the user is to them; what [`Logins::of_user`] finds where this is `None`.
    pub logins: Option<Logins>,
    /// Where registries may have logins checked that is not the registry itself: the host of a registry, and the host of the
    /// server that gives tokens out for it, each with its port where that is not 443.
    pub realms: BTreeMap<String, String>,
    /// How long things may take. Sizes are bounded by what is asked for.
    pub limits: Limits,
    /// Whom to trust.
    pub trust: Trust,
}

impl Default for Settings {
    fn default() -> Self {
        let limits = Limits {
            connect: Duration::from_secs(10),
            // An upload counts as waiting for the first byte of its answer.
            first_byte: Duration::from_secs(300),
            stall: Duration::from_secs(30),
            total: Duration::from_secs(3600),
            max_body: usize::MAX >> 1,
            ..Limits::default()
        };
        Self { logins: None, realms: BTreeMap::new(), limits, trust: Trust::platform() }
    }
}

/// One repository.
#[derive(Debug)]
pub struct Client {
    pub(crate) reference: Reference,
    pub(crate) endpoint: Endpoint,
    access: Access,
    login: Option<Login>,
    /// The other host that may see the login.
    realm: Option<String>,
    /// Whether the user's login is kept by somebody who is not asked.
    helper: bool,
    limits: Limits,
    trust: Trust,
    session: Mutex<Session>,
}

/// The way to the registry, and how it knows who asks.
#[derive(Debug, Clone)]
struct Session {
    control: Control,
    scheme: Option<&'static str>,
}

/// The secret that goes with each request.
const SECRET: &str = "authorization";

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// What registries say of an error.
#[derive(Deserialize)]
struct Complaint {
    errors: Vec<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Client {
    /// For the repository of `reference`.
    ///
    /// # Errors
    /// [`OciError::Logins`] when the user's logins cannot be read.
    pub fn new(reference: &Reference, access: Access, settings: &Settings) -> Result<Self, OciError> {
        let logins = settings.logins.clone().map_or_else(Logins::of_user, Ok)?;
        let endpoint = reference.endpoint()?;
        let (limits, trust) = (settings.limits.clone(), settings.trust.clone());
        let secrets = Secrets::new(endpoint.clone());
        let control = Control::with_trust(endpoint.clone(), secrets, limits.clone(), &trust)
            .map_err(|error| OciError::Unreachable { host: reference.host().to_owned(), error })?;
        Ok(Self {
            reference: reference.clone(),
            endpoint,
            access,
            login: logins.of(reference.host()).cloned(),
            realm: settings.realms.get(reference.host()).cloned(),
            helper: logins.is_helped(reference.host()),
            limits,
            trust,
            session: Mutex::new(Session { control, scheme: None }),
        })
    }

    /// The digest of what a tag points to at this moment.
    ///
    /// # Errors
    /// See [`OciError`].
    pub async fn digest_of(&self, tag: &str) -> Result<Digest, OciError> {
        // The bytes are hashed here: what the server says of them is one more thing that it could lie about.
        Ok(Digest::of(&self.fetch_manifest(tag, &format!("the manifest of the tag {tag}")).await?))
    }

    /// The manifest with this digest, as it is, and the component that it names.
    ///
    /// # Errors
    /// See [`OciError`].
    pub async fn manifest(&self, digest: &Digest) -> Result<(Bytes, Layer), OciError> {
        let what = format!("the manifest {digest}");
        let bytes = self.fetch_manifest(&digest.to_string(), &what).await?;
        let found = Digest::of(&bytes);
        if found != *digest {
            return Err(self.mismatch(&what, format!("its digest is {found}")));
        }
        let layer = Layer::of_manifest(&bytes, &what, self.reference.host())?;
        Ok((bytes, layer))
    }

    async fn fetch_manifest(&self, name: &str, what: &str) -> Result<Bytes, OciError> {
        let mut request = self.request("GET", &format!("manifests/{name}"));
        request.headers.push(Header::text("accept", format!("{MANIFEST}, {}", LISTS[0])));
        let answer = self.ask(request).await?;
        if answer.status != 200 {
            return Err(self.refusal(answer, what).await);
        }
        let kind = header(&answer, "content-type").split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            MANIFEST => self.body(answer, LARGEST_MANIFEST, what).await,
            list if LISTS.contains(&list) => Err(OciError::Layout {
                what: what.to_owned(),
                problem: "it is a list of manifests, as containers for several platforms have".to_owned(),
            }),
            other => Err(OciError::NoManifest {
                what: what.to_owned(),
                host: self.reference.host().to_owned(),
                problem: format!("it is sent as `{}`", clean_name(other)),
            }),
        }
    }

    /// The bytes of a blob from byte `from` on. Whoever takes them checks their digest.
    ///
    /// # Errors
    /// See [`OciError`]; [`OciError::Mismatch`] when the server says a length that is another one than the manifest's.
    pub async fn blob(&self, layer: &Layer, from: u64) -> Result<Blob<'_>, OciError> {
        let what = format!("the blob {}", layer.digest);
        let ranged = |mut request: Request| {
            if from > 0 {
                request.headers.push(Header::text("range", format!("bytes={from}-")));
            }
            request
        };
        let mut answer = self.ask(ranged(self.request("GET", &format!("blobs/{}", layer.digest)))).await?;
        let mut at = (self.endpoint.clone(), self.path(&format!("blobs/{}", layer.digest)));
        for _ in 0..MOST_REDIRECTS {
            let Some(place) = self.sent_on(&answer, &at.0, &at.1, &what)? else { break };
            place.may_follow(&at.0).map_err(|problem| self.not_followed(&what, &place, problem))?;
            // Registries keep bytes with others. They are told nothing of who asks, and their bytes have to have the digest as well.
            let secrets = Secrets::new(place.endpoint.clone());
            let control = self.control(&place.endpoint, secrets)?;
            answer = control.open_as_it_is(ranged(place.get())).await.map_err(|error| self.unreachable(error))?;
            at = (place.endpoint, place.target);
        }
        let starts = match answer.status {
            200 => 0,
            206 if from > 0 && header(&answer, "content-range").starts_with(&format!("bytes {from}-")) => from,
            206 => return Err(self.mismatch(&what, "it is another range than was asked for".to_owned())),
            _ => return Err(self.refusal(answer, &what).await),
        };
        let expected = layer.bytes.saturating_sub(starts);
        match header(&answer, "content-length").parse::<u64>() {
            Ok(length) if length != expected => {
                Err(self.mismatch(&what, format!("{length} bytes are to come, and not {expected}")))
            }
            _ => Ok(Blob { client: self, what, starts, left: expected, answer }),
        }
    }

    pub(crate) fn path(&self, below: &str) -> String {
        format!("/v2/{}/{below}", self.reference.repository())
    }

    pub(crate) fn request(&self, method: &str, below: &str) -> Request {
        Request { method: method.to_owned(), ..Request::get(self.path(below)) }
    }

    /// Sends a request, and once more when the registry wants to know who asks and can be told.
    pub(crate) async fn ask(&self, request: Request) -> Result<Answer, OciError> {
        let answer = self.send(request.clone()).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let values = answer.headers.iter().filter(|(name, _)| name == "www-authenticate");
        let told = match challenge::read(values.map(|(_, value)| value.as_str())) {
            Some(Challenge::Basic) => match &self.login {
                Some(login) => self.enter("Basic ", &login.basic())?,
                None => false,
            },
            Some(Challenge::Bearer { realm, service }) => {
                let token = self.token(&realm, service.as_deref()).await?;
                self.enter("Bearer ", &token)?
            }
            None => false,
        };
        if told { self.send(request).await } else { Ok(answer) }
    }

    async fn send(&self, mut request: Request) -> Result<Answer, OciError> {
        request.headers.push(agent());
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(scheme) = session.scheme {
            let value = vec![Part::Text(scheme.to_owned()), Part::Secret(SECRET.to_owned())];
            request.headers.push(Header { name: "authorization".to_owned(), value });
        }
        session.control.open_as_it_is(request).await.map_err(|error| self.unreachable(error))
    }

    /// From now on requests say who asks.
    fn enter(&self, scheme: &'static str, secret: &str) -> Result<bool, OciError> {
        let secrets = self.secrets(&self.endpoint, secret)?;
        let control = self.control(&self.endpoint, secrets)?;
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Session { control, scheme: Some(scheme) };
        Ok(true)
    }

    /// Asks for a token: with the user's login where there is one, else as anybody.
    async fn token(&self, realm: &str, service: Option<&str>) -> Result<String, OciError> {
        let none = |problem: String| OciError::NoToken { host: self.reference.host().to_owned(), problem };
        let what = format!("a token for {}", self.reference.repository());
        let place = Place::read(&self.endpoint, "/", realm)
            .ok_or_else(|| none(format!("it is to come from `{}`", clean_name(realm))))?;
        place.may_follow(&self.endpoint).map_err(|problem| self.not_followed(&what, &place, problem))?;
        let actions = match self.access {
            Access::Pull => "pull",
            Access::Push => "pull,push",
        };
        let scope = format!("repository:{}:{actions}", self.reference.repository());
        let place = match service {
            Some(service) => place.with(&[("service", service)]),
            None => place,
        };
        let place = place.with(&[("scope", &scope)]);
        let mut request = place.get();
        let mut secrets = Secrets::new(place.endpoint.clone());
        if let Some(login) = &self.login {
            self.check_realm(&place)?;
            secrets = self.secrets(&place.endpoint, &login.basic())?;
            let value = vec![Part::Text("Basic ".to_owned()), Part::Secret(SECRET.to_owned())];
            request.headers.push(Header { name: "authorization".to_owned(), value });
        }
        let answer = self.control(&place.endpoint, secrets)?.open_as_it_is(request).await;
        let answer = answer.map_err(|error| self.unreachable(error))?;
        if answer.status != 200 {
            return Err(self.refusal(answer, &what).await);
        }
        let body = self.body(answer, LARGEST_TOKEN, &what).await?;
        let token: Token = serde_json::from_slice(&body).map_err(|_| none("the answer is none".to_owned()))?;
        token.token.or(token.access_token).ok_or_else(|| none("the answer has none".to_owned()))
    }

    /// Checks that the login may go to a place: to the registry, to the server that its documents name, or to the server
    /// that the user allowed.
    fn check_realm(&self, place: &Place) -> Result<(), OciError> {
        let registry = self.reference.host();
        let realm = place.host();
        let is_known = KNOWN_REALMS.contains(&(registry, realm.as_str())) && place.endpoint.is_tls();
        if place.is_at(&self.endpoint) || is_known || self.realm.as_deref() == Some(realm.as_str()) {
            return Ok(());
        }
        Err(OciError::ForeignRealm { host: registry.to_owned(), realm })
    }

    fn secrets(&self, endpoint: &Endpoint, value: &str) -> Result<Secrets, OciError> {
        let mut secrets = Secrets::new(endpoint.clone());
        let bad = |error: bench_wire::WireError| OciError::NoToken {
            host: self.reference.host().to_owned(),
            problem: error.to_string(),
        };
        secrets.insert(SECRET, value).map_err(bad)?;
        Ok(secrets)
    }

    fn control(&self, endpoint: &Endpoint, secrets: Secrets) -> Result<Control, OciError> {
        Control::with_trust(endpoint.clone(), secrets, self.limits.clone(), &self.trust)
            .map_err(|error| self.unreachable(error))
    }

    /// The place that a redirect names. `None` when the answer is none.
    fn sent_on(&self, answer: &Answer, at: &Endpoint, path: &str, what: &str) -> Result<Option<Place>, OciError> {
        if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        match Place::read(at, path, header(answer, "location")) {
            Some(place) => Ok(Some(place)),
            None => Err(OciError::Redirect {
                what: what.to_owned(),
                host: self.reference.host().to_owned(),
                place: "an unreadable address".to_owned(),
                problem: "which is not gone to",
            }),
        }
    }

    pub(crate) fn not_followed(&self, what: &str, place: &Place, problem: &'static str) -> OciError {
        let host = self.reference.host().to_owned();
        OciError::Redirect { what: what.to_owned(), host, place: place.shown(), problem }
    }

    pub(crate) fn unreachable(&self, error: bench_wire::WireError) -> OciError {
        OciError::Unreachable { host: self.reference.host().to_owned(), error }
    }

    fn mismatch(&self, what: &str, problem: String) -> OciError {
        OciError::Mismatch { what: what.to_owned(), host: self.reference.host().to_owned(), problem }
    }

    /// The whole of a small body.
    async fn body(&self, mut answer: Answer, limit: u64, what: &str) -> Result<Bytes, OciError> {
        let long = || OciError::TooLong { what: what.to_owned(), host: self.reference.host().to_owned(), limit };
        if header(&answer, "content-length").parse::<u64>().is_ok_and(|length| length > limit) {
            return Err(long());
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.unreachable(error))? {
            if body.len() as u64 + chunk.len() as u64 > limit {
                return Err(long());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.into())
    }

    /// What an answer that is none means.
    pub(crate) async fn refusal(&self, answer: Answer, what: &str) -> OciError {
        let status = answer.status;
        let (what, host) = (what.to_owned(), self.reference.host().to_owned());
        match self.sent_on(&answer, &self.endpoint, "/", &what) {
            Ok(Some(place)) => return self.not_followed(&what, &place, "where it has no business"),
            Ok(None) => {}
            Err(error) => return error,
        }
        let detail = self.body(answer, LARGEST_COMPLAINT, &what).await.map(|body| complaint(&body)).unwrap_or_default();
        let detail = match &self.login {
            // It may repeat what it was sent.
            Some(login) if !login.password.is_empty() => {
                detail.replace(&login.basic(), "[redacted]").replace(&login.password, "[redacted]")
            }
            _ => detail,
        };
        match status {
            401 | 403 => OciError::Denied { what, host, status, detail, helper: self.helper },
            404 | 410 => OciError::NotFound { what, host, detail },
            429 => OciError::Busy { what, host, detail },
            _ => OciError::Status { what, host, status, detail },
        }
    }
}

/// The server's own words, where it speaks as the specification says.
fn complaint(body: &[u8]) -> String {
    let Ok(complaint) = serde_json::from_slice::<Complaint>(body) else { return String::new() };
    let words = complaint.errors.first().map(|fault| match (fault.code.as_str(), fault.message.as_str()) {
        (code, "") => code.to_owned(),
        ("", message) => message.to_owned(),
        (code, message) => format!("{code}: {message}"),
    });
    clean_sentence(words.unwrap_or_default().trim()).to_string()
}

pub(crate) fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
}

/// Bytes of a blob that are coming.
#[derive(Debug)]
pub struct Blob<'c> {
    client: &'c Client,
    what: String,
    starts: u64,
    left: u64,
    answer: Answer,
}

impl Blob<'_> {
    /// From which byte on they come: the one that was asked for, or 0 where the server cannot begin in the middle.
    #[must_use]
    pub const fn starts(&self) -> u64 {
        self.starts
    }

    /// The next bytes, or `None` at the end.
    ///
    /// # Errors
    /// [`OciError::Mismatch`] when there are more than the manifest says, or the server says that these are all and they are fewer.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, OciError> {
        let Some(chunk) = self.answer.chunk().await.map_err(|error| self.client.unreachable(error))? else {
            return match self.left {
                0 => Ok(None),
                left => Err(self.client.mismatch(&self.what, format!("{left} bytes of it are missing"))),
            };
        };
        let rest = self.left.checked_sub(chunk.len() as u64);
        self.left =
            rest.ok_or_else(|| self.client.mismatch(&self.what, "it is longer than its manifest says".to_owned()))?;
        Ok(Some(chunk))
    }
}
