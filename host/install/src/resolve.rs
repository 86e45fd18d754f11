//! Which version to take. A pure function of what is offered and what is wanted.

use semver::{Version, VersionReq};

use bench_plugin::SUPPORTED_VERSION;
use bench_registry::{Channel, ItemKind};

use crate::error::InstallError;
use crate::reader::Offered;

/// What fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// The versions that the user asked for.
    pub range: VersionReq,
    /// This host's version.
    pub host: Version,
    /// Whether previews are welcome.
    pub channel: Channel,
}

/// What stands in the way of a version.
fn obstacle(offered: &Offered, want: &Want, what: &str) -> Option<InstallError> {
    let release = &offered.release;
    let (what, version) = (what.to_owned(), release.version.to_string());
    if let Some(reason) = &release.yanked {
        return Some(InstallError::Yanked { what, version, reason: reason.clone() });
    }
    if !release.host.matches(&base(&want.host)) {
        let (needed, host) = (release.host.to_string(), want.host.to_string());
        return Some(InstallError::HostUnfit { what, version, needed, host });
    }
    if release.kind.plugin().is_some() {
        let fits = |wit: Version| {
            wit.major == SUPPORTED_VERSION.major && wit.minor == SUPPORTED_VERSION.minor && wit <= SUPPORTED_VERSION
        };
        if !release.wit().is_some_and(fits) {
            let world = release.world.clone().unwrap_or_else(|| "no world".to_owned());
            return Some(InstallError::InterfaceUnfit { what, version, world, speaks: SUPPORTED_VERSION.to_string() });
        }
    }
    // Suites alone are made of files.
    if let Some(data) = release.data.first().filter(|_| release.kind != ItemKind::Suite) {
        return Some(InstallError::DataMissing { what, version, data: data.name.clone() });
    }
    None
}

/// A host's pre-release counts as the version that it comes before: otherwise no range would ever hold for it.
fn base(version: &Version) -> Version {
    Version::new(version.major, version.minor, version.patch)
}

fn in_range(offered: &Offered, want: &Want) -> bool {
    let version = &offered.release.version;
    let preview = !version.pre.is_empty() || offered.release.channel == Channel::Preview;
    // Who writes a pre-release into the range asks for it by name.
    want.range.matches(version) && (!preview || want.channel == Channel::Preview || !version.pre.is_empty())
        || preview && want.channel == Channel::Preview && want.range.matches(&base(version))
}

/// The versions that are in the range, the best first.
#[must_use]
pub fn in_order<'o>(offered: &'o [Offered], want: &Want) -> Vec<&'o Offered> {
    let mut fitting: Vec<&Offered> = offered.iter().filter(|offered| in_range(offered, want)).collect();
    fitting.sort_by(|one, other| other.release.version.cmp(&one.release.version));
    fitting
}

/// The newest version that nothing stands in the way of. `what` names the item in messages.
///
/// # Errors
/// What stands in the way of the newest one, if something does of all; [`InstallError::NoVersion`] if none is in the range.
pub fn choose<'o>(offered: &'o [Offered], want: &Want, what: &str) -> Result<&'o Offered, InstallError> {
    let mut first = None;
    for candidate in in_order(offered, want) {
        match obstacle(candidate, want, what) {
            None => return Ok(candidate),
            Some(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or_else(|| {
        let mut there: Vec<&Version> = offered.iter().map(|offered| &offered.release.version).collect();
        there.sort_unstable();
        let there: Vec<String> = there.iter().rev().take(8).map(ToString::to_string).collect();
        InstallError::NoVersion { what: what.to_owned(), wanted: want.range.to_string(), there: there.join(", ") }
    }))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use bench_registry::{DataNeeded, ItemName, ItemPath, Release};

    use super::*;

    fn offered(version: &str, change: impl FnOnce(&mut Release)) -> Offered {
        let path = ItemPath {
            kind: ItemKind::Driver,
            name: ItemName::parse("fast").unwrap(),
            version: Version::parse(version).unwrap(),
        };
        let mut release = Release { world: Some("bench:plugin/driver@0.1.0".to_owned()), ..Release::new(path) };
        change(&mut release);
        Offered { release, sha256: String::new(), bytes: 0 }
    }

    fn want(range: &str, channel: Channel) -> Want {
        Want { range: VersionReq::parse(range).unwrap(), host: Version::parse("0.3.0").unwrap(), channel }
    }

    fn chosen(all: &[Offered], range: &str, channel: Channel) -> Result<String, &'static str> {
        choose(all, &want(range, channel), "driver fast")
            .map(|offered| offered.release.version.to_string())
            .map_err(|error| error.code())
    }

    #[test]
    fn the_newest_that_fits_is_taken() {
        let all = [
            offered("1.2.0", |_| {}),
            offered("1.10.0", |_| {}),
            offered("1.11.0", |it| it.yanked = Some("broken".to_owned())),
            offered("2.0.0", |it| it.host = VersionReq::parse(">=0.4").unwrap()),
            offered("2.1.0-rc.1", |_| {}),
        ];
        for (range, stable, preview) in [
            ("^1", Ok("1.10.0"), Ok("1.10.0")),
            ("~1.2", Ok("1.2.0"), Ok("1.2.0")),
            ("*", Ok("1.10.0"), Ok("2.1.0-rc.1")),
            ("=1.11.0", Err("version-yanked"), Err("version-yanked")),
            ("^2", Err("host-unfit"), Ok("2.1.0-rc.1")),
            ("=2.1.0-rc.1", Ok("2.1.0-rc.1"), Ok("2.1.0-rc.1")),
            ("^3", Err("no-version"), Err("no-version")),
        ] {
            assert_eq!(chosen(&all, range, Channel::Stable), stable.map(str::to_owned), "{range}");
            assert_eq!(chosen(&all, range, Channel::Preview), preview.map(str::to_owned), "{range}");
        }
    }

    #[test]
    fn a_release_for_those_who_ask_is_for_them_alone() {
        let all = [offered("1.0.0", |_| {}), offered("1.1.0", |it| it.channel = Channel::Preview)];
        assert_eq!(chosen(&all, "^1", Channel::Stable).unwrap(), "1.0.0");
        assert_eq!(chosen(&all, "^1", Channel::Preview).unwrap(), "1.1.0");
    }

    #[test]
    fn the_interface_and_the_data_have_to_be_there() {
        for world in [None, Some("bench:plugin/driver@0.2.0"), Some("bench:plugin/driver@0.1.9"), Some("nonsense")] {
            let all = [offered("1.0.0", |it| it.world = world.map(str::to_owned))];
            assert_eq!(chosen(&all, "*", Channel::Stable), Err("interface-unfit"), "{world:?}");
        }
        let data = DataNeeded { name: "items".to_owned(), sha256: "00".repeat(32), bytes: 1 };
        let all = [offered("1.0.0", |it| it.data.push(data))];
        assert_eq!(chosen(&all, "*", Channel::Stable), Err("data-missing"));
        let all = [offered("1.0.0", |it| {
            it.kind = ItemKind::Suite;
            it.world = None;
        })];
        assert_eq!(chosen(&all, "*", Channel::Stable).unwrap(), "1.0.0");
    }

    #[test]
    fn a_host_before_its_release_counts_as_it() {
        let all = [offered("1.0.0", |it| it.host = VersionReq::parse(">=0.3").unwrap())];
        let early = Want { host: Version::parse("0.3.0-dev").unwrap(), ..want("*", Channel::Stable) };
        assert!(choose(&all, &early, "driver fast").is_ok());
    }
}
