//! What the path of a control group says about the workload in it. The words of the paths are
//! those of systemd (systemd.resource-control(5)), of Kubernetes' two cgroup drivers, and of the
//! container runtimes; what none of them made says nothing.

/// Digits of a container's id that people and tools show.
const SHOWN_DIGITS: usize = 12;

/// What the path of a control group says about the workload in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CgroupWorkload {
    /// UID of the Kubernetes pod.
    pub(super) pod_uid: Option<String>,
    /// The container, else the systemd unit.
    pub(super) name: Option<String>,
}

impl CgroupWorkload {
    /// Reads the path as `/proc/PID/cgroup` tells it. The outermost container counts: what it
    /// starts inside, units and further containers, is its own affair. Of units the innermost
    /// counts.
    pub(super) fn of(path: &str) -> Self {
        let parts = || path.split('/').zip(path.split('/').skip(1));
        let pod_uid = parts().find_map(|(above, part)| pod_uid(above, part));
        let container = parts().find_map(|(above, part)| container(above, part));
        let unit = || path.split('/').rev().find_map(unit);
        Self { pod_uid, name: container.or_else(unit) }
    }
}

/// UID of a pod: `kubepods-burstable-pod0123_….slice` of the systemd driver, which writes `_` for
/// `-`, or `pod0123-…` of the cgroupfs driver.
fn pod_uid(above: &str, part: &str) -> Option<String> {
    if let Some(slice) = part.strip_suffix(".slice").filter(|name| name.starts_with("kubepods")) {
        return slice.split_once("-pod").map(|(_, uid)| uid.replace('_', "-"));
    }
    let classes = ["kubepods", "burstable", "besteffort"];
    classes.contains(&above).then(|| part.strip_prefix("pod")).flatten().map(str::to_owned)
}

fn container(above: &str, part: &str) -> Option<String> {
    let scope = part.strip_suffix(".scope");
    if let Some(machine) = scope.and_then(|scope| scope.strip_prefix("machine-")) {
        return Some(unescape(machine));
    }
    let nspawn =
        part.strip_prefix("systemd-nspawn@").and_then(|rest| rest.strip_suffix(".service"));
    if let Some(machine) = nspawn {
        return Some(unescape(machine));
    }
    if let Some(name) = part.strip_prefix("lxc.payload.") {
        return Some(name.to_owned());
    }
    if above == "lxc" && !part.is_empty() {
        return Some(part.to_owned());
    }
    // `docker-ID.scope`, `cri-containerd-ID.scope`, `crio-ID.scope`, `libpod-ID.scope`; the id
    // alone without systemd. `…-conmon-ID.scope` is a monitor beside the container.
    let id = match scope.and_then(|scope| scope.rsplit_once('-')) {
        Some((runtime, _)) if runtime.ends_with("conmon") => return None,
        Some((_, id)) => id,
        None => part,
    };
    is_container_id(id).then(|| short(id).to_owned())
}

fn unit(part: &str) -> Option<String> {
    let name = part.strip_suffix(".service")?;
    // The manager of a user's session: everything that the user runs is below it.
    (!name.starts_with("user@")).then(|| unescape(name))
}

fn is_container_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A container's id as people and tools show it; any other name as it is.
pub(super) fn short(id: &str) -> &str {
    if is_container_id(id) { id.get(..SHOWN_DIGITS).unwrap_or(id) } else { id }
}

/// Undoes the escapes in names of units: `\x2d` is `-` (systemd.unit(5), "String escaping for
/// inclusion in unit names").
fn unescape(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once("\\x") {
        let code = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        plain.push_str(before);
        match code.filter(u8::is_ascii) {
            Some(code) => plain.push(char::from(code)),
            None => plain.push_str("\\x"),
        }
        rest = if code.is_some_and(|code| code.is_ascii()) { &after[2..] } else { after };
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn of(path: &str) -> (Option<String>, Option<String>) {
        let CgroupWorkload { pod_uid, name } = CgroupWorkload::of(&path.replace("ID", ID));
        (pod_uid, name)
    }

    #[test]
    fn a_path_names_the_pod_the_container_or_the_unit() {
        let uid = Some("1f2e-3d");
        let container = Some("0123456789ab");
        let slice = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1f2e_3d.slice";
        for (path, pod, name) in [
            (&*format!("{slice}/cri-containerd-ID.scope"), uid, container),
            ("/kubepods.slice/kubepods-pod1f2e_3d.slice/crio-ID.scope", uid, container),
            ("/kubepods/besteffort/pod1f2e-3d/ID", uid, container),
            ("/kubepods/pod1f2e-3d/ID/system.slice/inner.service", uid, container),
            ("/system.slice/docker-ID.scope", None, container),
            ("/docker/ID", None, container),
            ("/../../docker-ID.scope", None, container),
            ("/machine.slice/libpod-ID.scope/container", None, container),
            ("/machine.slice/libpod-conmon-ID.scope", None, None),
            ("/machine.slice/machine-web\\x2d1.scope/payload", None, Some("web-1")),
            ("/system.slice/systemd-nspawn@db.service/payload/a.service", None, Some("db")),
            ("/lxc.payload.mail/system.slice/postfix.service", None, Some("mail")),
            ("/lxc/mail", None, Some("mail")),
            ("/system.slice/nginx.service", None, Some("nginx")),
            (
                "/system.slice/system-postgresql.slice/postgresql@15-main.service",
                None,
                Some("postgresql@15-main"),
            ),
            (
                "/user.slice/user-1000.slice/user@1000.service/app.slice/ipfs.service",
                None,
                Some("ipfs"),
            ),
            ("/user.slice/user-1000.slice/user@1000.service/init.scope", None, None),
            ("/user.slice/user-0.slice/session-3.scope", None, None),
            ("/init.scope", None, None),
            ("/", None, None),
            ("", None, None),
        ] {
            let expected = (pod.map(str::to_owned), name.map(str::to_owned));
            assert_eq!(of(path), expected, "{path}");
        }
    }

    #[test]
    fn only_whole_escapes_are_undone() {
        assert_eq!(unescape("a\\x2db\\x"), "a-b\\x");
        assert_eq!(unescape("\\xzz\\xff"), "\\xzz\\xff");
        assert_eq!(unescape("\\x2d\\x2d"), "--");
    }
}
