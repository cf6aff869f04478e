"""Postfix from packages of Debian, unpacked into a folder to which it is confined with chroot.

It runs in its own namespaces of processes and mounts, which end with it. Its configuration, queue
and mailbox are in the folder of a test; the configuration of this machine is not touched.
"""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import psutil

from harness import debian
from harness.certificates import Authority
from harness.docker import DIES_WITH_TESTS
from harness.servers import IS_ROOT
from harness.waiting import free_port, wait_until_reachable

RELEASE = "trixie"
PACKAGES = "postfix,sasl2-bin,libsasl2-modules"
HOSTNAME = "mail.example.org"
# Mails to others are rejected.
RECIPIENTS = [f"{name}@example.org" for name in ("ada", "bob", "carol", "dora")]
USER, PASSWORD = "service", "p@ss/word"
# The folder of a test, as Postfix sees it.
MOUNTED = Path("/mnt")
UID = 101
QUEUE = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"),
    *("maildrop", "pid", "private", "public", "saved", "trace"),
)
MAIN = f"""\
compatibility_level = 3.6
myhostname = {HOSTNAME}
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
queue_directory = {MOUNTED}/queue
data_directory = {MOUNTED}/data
maillog_file_prefixes = {MOUNTED}
maillog_file = {MOUNTED}/log
alias_maps =
virtual_mailbox_domains = example.org
virtual_mailbox_base = {MOUNTED}
virtual_mailbox_maps = inline:{{{", ".join(f"{each}=mails/" for each in RECIPIENTS)}}}
virtual_uid_maps = static:{UID}
virtual_gid_maps = static:{UID}
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_chain_files = {MOUNTED}/localhost.key, {MOUNTED}/localhost.crt
smtpd_sasl_auth_enable = yes
smtpd_sasl_local_domain = $myhostname
cyrus_sasl_config_path = {MOUNTED}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = reject_unlisted_recipient, permit_sasl_authenticated, reject
"""
MASTER = """\
127.0.0.1:{starttls} inet n - n - - smtpd
127.0.0.1:{implicit} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:{without} inet n - n - - smtpd -o smtpd_tls_security_level=none
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
postlog unix-dgram n - n - 1 postlogd
"""
SASL = f"""\
pwcheck_method: auxprop
auxprop_plugin: sasldb
mech_list: PLAIN LOGIN
sasldb_path: {MOUNTED}/passwords
"""


def installation() -> Path:
    """Return the folder with Postfix, which is unpacked first."""
    return debian.kept(f"{RELEASE}-postfix", unpack)


def unpack(folder: Path) -> None:
    debian.unpack(PACKAGES, RELEASE, folder)
    for library in ("lib", "lib64"):
        (folder / library).symlink_to(f"usr/{library}")
    (folder / MOUNTED.relative_to("/")).mkdir()
    users = {"root": 0, "postfix": UID, "postdrop": UID + 1, "nobody": 65534}
    etc = folder / "etc"
    (etc / "passwd").write_text("".join(f"{u}:x:{n}:{n}::/:\n" for u, n in users.items()))
    (etc / "group").write_text("".join(f"{u}:x:{n}:\n" for u, n in users.items()))


class Postfix:
    """A server that requires a password, and the mails that it delivered to `RECIPIENTS`.

    It has a port for STARTTLS, one for implicit TLS, and one without TLS.
    """

    def __init__(self, folder: Path) -> None:
        if not IS_ROOT:
            raise RuntimeError("Postfix can only be started by root. Run these tests as root.")
        self.folder = folder
        self.root = installation()
        self.starttls, self.implicit, self.without = (free_port() for _ in range(3))
        self.authority = Authority(folder, "authority")
        self.authority.sign("localhost")
        ports = {name: getattr(self, name) for name in ("starttls", "implicit", "without")}
        (folder / "main.cf").write_text(MAIN)
        (folder / "master.cf").write_text(MASTER.format(**ports))
        (folder / "smtpd.conf").write_text(SASL)
        folder.chmod(0o755)
        for name in ("data", "mails", *(f"queue/{each}" for each in QUEUE)):
            (folder / name).mkdir(parents=True)
            shutil.chown(folder / name, UID, UID)
        shutil.chown(folder / "queue" / "pid", 0, 0)
        self._add_user()

    def _add_user(self) -> None:
        passwords = str(MOUNTED / "passwords")
        self._run("saslpasswd2", "-p", "-c", "-u", HOSTNAME, "-f", passwords, USER, given=PASSWORD)
        shutil.chown(self.folder / "passwords", UID, UID)

    def _confined(self, *command: str) -> list[str]:
        """Return the command that runs a program of the installation."""
        # The shell stays as init: Postfix changes its user, which would disable --kill-child.
        script = 'mount --bind "$0" "$1$2" && cd "$1" && shift 2 && chroot . "$@"; exit'
        return [
            *DIES_WITH_TESTS,
            *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
            *("sh", "-c", script, str(self.folder), str(self.root), str(MOUNTED)),
            *command,
        ]

    def _run(self, *command: str, given: str = "") -> str:
        confined = self._confined(*command)
        return subprocess.run(
            confined, input=given, capture_output=True, text=True, check=True
        ).stdout

    def start(self) -> None:
        master = ("/usr/lib/postfix/sbin/master", "-c", str(MOUNTED))
        output = self.folder / "output"
        with output.open("wb") as file:
            self._process = subprocess.Popen(
                self._confined(*master), stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
        wait_until_reachable(self._greeting, OSError, self._process, output)

    def _greeting(self) -> None:
        with socket.create_connection(("127.0.0.1", self.starttls), 10) as connection:
            assert connection.recv(3) == b"220", self.log

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Postfix accepts connections, and does not respond on them."""
        processes = psutil.Process(self._process.pid).children(recursive=True)
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()

    def stop(self) -> None:
        """Kill Postfix: all its processes end with their namespace."""
        self._process.kill()
        self._process.wait()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def mails(self) -> list[EmailMessage]:
        """The delivered mails, the oldest first."""
        files = (self.folder / "mails" / "new").glob("*")
        oldest_first = sorted(files, key=lambda file: file.stat().st_mtime_ns)
        contents = [file.read_bytes() for file in oldest_first]
        return [message_from_bytes(each, policy=policy.default) for each in contents]

    @property
    def version(self) -> str:
        return self._run("postconf", "-h", "-c", str(MOUNTED), "mail_version").strip()


@contextmanager
def running_postfix(folder: Path) -> Iterator[Postfix]:
    postfix = Postfix(folder)
    try:
        postfix.start()
        yield postfix
    finally:
        postfix.stop()
