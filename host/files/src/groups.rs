//! Groups that have one member.
//!
//! Debian, Ubuntu and Fedora give each user a group of the same name and let that group write what the user makes. Such a
//! folder is as private as one without the bit. Debian's `sshd` has the same exception.

use std::path::Path;

use crate::regular::read_bounded;

/// The largest file of users or groups that is read: 16 MiB.
const LARGEST: u64 = 16 << 20;

/// Whether the user with the id `user` is the only member of the group with the id `group`.
pub(crate) fn is_private_group(user: u32, group: u32) -> bool {
    let read = |path: &str| read_bounded(Path::new(path), LARGEST).ok().and_then(|text| String::from_utf8(text).ok());
    match (read("/etc/passwd"), read("/etc/group")) {
        (Some(users), Some(groups)) => is_only_member(&users, &groups, user, group),
        // Users of a directory service are in neither file, so nothing is known of the group.
        _ => false,
    }
}

/// Whether `users` and `groups`, as in passwd(5) and group(5), give the group to this user alone.
fn is_only_member(users: &str, groups: &str, user: u32, group: u32) -> bool {
    let mut name = None;
    for fields in users.lines().map(|line| line.split(':').collect::<Vec<_>>()) {
        let id = |index: usize| fields.get(index).and_then(|text| text.parse::<u32>().ok());
        match (id(2), id(3)) {
            (Some(other), _) if other == user => name = fields.first().copied(),
            (_, Some(primary)) if primary == group => return false,
            _ => {}
        }
    }
    let Some(name) = name else { return false };
    let mut is_own = false;
    for fields in groups.lines().map(|line| line.split(':').collect::<Vec<_>>()) {
        if fields.get(2).and_then(|text| text.parse().ok()) != Some(group) {
            continue;
        }
        let members = fields.get(3).copied().unwrap_or_default().trim();
        if fields.first() != Some(&name) || !members.split(',').all(|member| member.is_empty() || member == name) {
            return false;
        }
        is_own = true;
    }
    is_own
}

#[cfg(test)]
mod tests {
    use super::is_only_member;

    const USERS: &str =
        "root:x:0:0:root:/root:/bin/sh\nanna:x:1000:1000::/home/anna:/bin/sh\nben:x:1001:100::/home/ben:\n";

    #[test]
    fn only_a_group_of_the_user_alone_is_private() {
        let check = |groups: &str, group| is_only_member(USERS, groups, 1000, group);
        assert!(check("root:x:0:\nanna:x:1000:\n", 1000));
        assert!(check("anna:x:1000:anna\n", 1000));
        assert!(!check("anna:x:1000:anna,ben\n", 1000), "another member");
        assert!(!check("anna:x:1000:\nanna:x:1000:ben\n", 1000), "another line with another member");
        assert!(!check("staff:x:1000:\n", 1000), "a group of another name");
        assert!(!check("users:x:100:\nanna:x:100:\n", 100), "the primary group of another user");
        assert!(!check("", 1000), "an unknown group");
        assert!(!is_only_member(USERS, "carl:x:1002:\n", 1002, 1002), "an unknown user");
        assert!(!is_only_member(&format!("{USERS}eve:x:1003:1000::/:\n"), "anna:x:1000:\n", 1000, 1000));
    }
}
