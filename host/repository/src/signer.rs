//! Keys that are kept outside files: a program signs, such as a token's or a key service's own tool. The key is described in a file
//! `NAME.signer`, which stands where a key file would:
//!
//! ```toml
//! public = "targets-1.pem"                                   # a file with the public key, or its 64 hex digits
//! command = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", "key.pem", "-in", "{message}"]
//! ```
//!
//! The program gets the message on its standard input, or in a file whose path takes the place of `{message}`. It gives the signature, as it
//! is or in base64, on its standard output, or in the file `{signature}`. What it says on its standard error and asks of its terminal is the
//! user's to see. No time is set for it: a token may wait for a finger. Its answer is believed only when it fits the public key.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use serde::Deserialize;

use crate::error::{RepositoryError, at};
use crate::files;

/// The ending of a description's file.
pub(crate) const SIGNER_ENDING: &str = "signer";
/// What a program may say at most: a signature in base64 with room to spare.
const LARGEST_ANSWER: u64 = 4096;
/// The largest description or public key.
const LARGEST: u64 = 16 << 10;
/// What comes before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo, RFC 8410.
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// The place of the message's file in a command.
const MESSAGE: &str = "{message}";
/// The place of the signature's file in a command.
const SIGNATURE: &str = "{signature}";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    public: String,
    command: Vec<String>,
}

/// A program that signs.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    program: String,
    arguments: Vec<String>,
    public: Vec<u8>,
}

impl Signer {
    /// Reads a description; a public key in a file is looked for beside it.
    pub(crate) fn read(path: &Path) -> Result<Self, RepositoryError> {
        let bad =
            |problem: &str| RepositoryError::BadKey { origin: path.display().to_string(), problem: problem.to_owned() };
        let text = String::from_utf8(files::read(path, LARGEST)?).map_err(|_| bad("it is no text"))?;
        let description: Description = toml::from_str(&text).map_err(|error| bad(error.message()))?;
        let mut words = description.command.into_iter();
        let program = words.next().filter(|program| !program.is_empty()).ok_or_else(|| bad("its command is empty"))?;
        let public = match crate::keys::unhex(&description.public).filter(|key| key.len() == 32) {
            Some(key) => key,
            None => {
                let file = path.parent().unwrap_or(Path::new("")).join(&description.public);
                public_key(&files::read(&file, LARGEST)?)
                    .ok_or_else(|| bad("its public key is not Ed25519 in PEM, DER or hex"))?
            }
        };
        Ok(Self { program, arguments: words.collect(), public })
    }

    /// The 32 bytes of the public key.
    pub(crate) fn public(&self) -> &[u8] {
        &self.public
    }

    /// Has a message signed.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, RepositoryError> {
        let failed = |problem: String| RepositoryError::Signer { program: self.program.clone(), problem };
        // What is signed must be what is written, so no other user may write there, whatever the umask is.
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder.tempdir().map_err(at(&std::env::temp_dir()))?;
        let (given, wanted) = (folder.path().join("message"), folder.path().join("signature"));
        let names = |place: &str| self.arguments.iter().any(|argument| argument.contains(place));
        let (by_file, to_file) = (names(MESSAGE), names(SIGNATURE));
        if by_file {
            fs::write(&given, message).map_err(at(&given))?;
        }
        let arguments = self.arguments.iter().map(|argument| {
            argument.replace(MESSAGE, &given.to_string_lossy()).replace(SIGNATURE, &wanted.to_string_lossy())
        });
        let mut child = Command::new(&self.program)
            .args(arguments)
            .stdin(if by_file { Stdio::inherit() } else { Stdio::piped() })
            // What is no signature would only stand between what `bench` prints.
            .stdout(if to_file { Stdio::null() } else { Stdio::piped() })
            .spawn()
            .map_err(|error| RepositoryError::NoSigner { program: self.program.clone(), error })?;
        let input = child.stdin.take();
        let output = child.stdout.take();
        let mut answer = Vec::new();
        let heard = std::thread::scope(|scope| {
            // A message may be larger than what a pipe holds, and a program may answer before it has read all of it.
            scope.spawn(|| input.map(|mut input| input.write_all(message)));
            output.map_or(Ok(0), |output| output.take(LARGEST_ANSWER).read_to_end(&mut answer))
        });
        let status = child.wait().map_err(|error| failed(error.to_string()))?;
        heard.map_err(|error| failed(error.to_string()))?;
        if !status.success() {
            return Err(failed(format!("it ended with {status}")));
        }
        if to_file {
            answer = files::read(&wanted, LARGEST_ANSWER)
                .map_err(|_| failed("it left no signature in the file that was named to it".to_owned()))?;
        }
        let signature = signature(&answer)
            .ok_or_else(|| failed(format!("it gave {} bytes that are no Ed25519 signature", answer.len())))?;
        UnparsedPublicKey::new(&ED25519, &self.public)
            .verify(message, &signature)
            .map_err(|_| RepositoryError::WrongSignature { program: self.program.clone() })?;
        Ok(signature)
    }
}

/// 64 bytes, as they are or in base64.
fn signature(answer: &[u8]) -> Option<Vec<u8>> {
    if answer.len() == 64 {
        return Some(answer.to_vec());
    }
    unbase64(answer).filter(|signature| signature.len() == 64)
}

/// The 32 bytes of an Ed25519 key from PEM, DER or hex.
fn public_key(file: &[u8]) -> Option<Vec<u8>> {
    if let Some(key) = file.strip_prefix(&SPKI).filter(|key| key.len() == 32) {
        return Some(key.to_vec());
    }
    let text = std::str::from_utf8(file).ok()?.trim();
    if let Some(key) = crate::keys::unhex(text).filter(|key| key.len() == 32) {
        return Some(key);
    }
    let body = text.strip_prefix("-----BEGIN PUBLIC KEY-----")?.strip_suffix("-----END PUBLIC KEY-----")?;
    let der = unbase64(body.as_bytes())?;
    der.strip_prefix(&SPKI).filter(|key| key.len() == 32).map(<[u8]>::to_vec)
}

/// Base64 of RFC 4648, section 4. White space is passed over, padding may be missing.
fn unbase64(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let unpadded = digits.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    if digits.len() - unpadded > 2 {
        return None;
    }
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for digit in digits.get(..unpadded)? {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = (held << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    // What is left over is no byte, and has to be nothing.
    (bits < 6 && held == 0).then_some(bytes)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn base64_as_the_standard_has_it() {
        // The vectors of RFC 4648, section 10.
        for (text, bytes) in
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9v\nYmFy\n", "foobar")]
        {
            assert_eq!(unbase64(text.as_bytes()).unwrap(), bytes.as_bytes(), "{text}");
        }
        for text in ["Z", "Zm9v!", "Zh==", "Zg===", "Z=g="] {
            assert_eq!(unbase64(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_program_or_a_file_says_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(signature(&bytes).is_none_or(|signature| signature.len() == 64));
            prop_assert!(public_key(&bytes).is_none_or(|key| key.len() == 32));
        }
    }
}
