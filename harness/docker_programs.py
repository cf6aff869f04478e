"""The programs of a Docker engine, unpacked from Debian packages into a folder, not installed."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

from harness import debian
from harness.servers import IS_ROOT

# The packages of this machine's release. slirp4netns connects a network namespace to the outside.
PACKAGES = ("containerd", "docker.io", "iptables", "runc", "slirp4netns", "tini")
# Compose 2 and Buildx, which older releases do not have; they need nothing but libc.
PLUGINS = {"docker-compose": "trixie", "docker-buildx": "trixie"}


def environment() -> dict[str, str]:
    """Return the environment variables with which the programs find each other."""
    check_machine()
    folder = debian.kept("docker-engine", unpack)
    usr = folder / "usr"
    [libraries] = usr.glob("lib/*-linux-gnu")
    return {
        "PATH": f"{usr / 'sbin'}:{usr / 'bin'}:{os.environ['PATH']}:/usr/sbin:/sbin",
        "LD_LIBRARY_PATH": str(libraries),
        "XTABLES_LIBDIR": str(libraries / "xtables"),
        "DOCKER_CONFIG": str(folder / "config"),
    }


def check_machine() -> None:
    """Raise an error that says what is missing, if this machine cannot run the engine."""
    released = Path("/etc/os-release")
    if not re.search(r"^ID=debian$", released.read_text() if released.exists() else "", re.M):
        raise RuntimeError("A Docker engine for tests needs Debian; leave it out: SKIP=docker")
    if not IS_ROOT:
        raise RuntimeError("A Docker engine for tests needs root; leave it out: SKIP=docker")


def unpack(folder: Path) -> None:
    run("apt-get", "update")
    folder.mkdir()
    # Simulated, to learn which libraries this machine does not have.
    install = ("apt-get", "install", "--simulate", "--no-install-recommends")
    missing = re.findall(r"^Inst (\S+)", run(*install, *PACKAGES), re.MULTILINE)
    with tempfile.TemporaryDirectory() as downloads:
        # Otherwise apt warns that its own user cannot write to the folder.
        download = ("apt-get", "download", "-o", "APT::Sandbox::User=root")
        run(*download, *{*PACKAGES, *missing}, folder=downloads)
        for package in Path(downloads).glob("*.deb"):
            run("dpkg", "--extract", str(package), str(folder))
    # Links that the installation of iptables makes.
    for name in ("iptables", "ip6tables"):
        (folder / "usr" / "sbin" / name).symlink_to("xtables-nft-multi")
    plugins = folder / "config" / "cli-plugins"
    plugins.mkdir(parents=True)
    for name, release in PLUGINS.items():
        unpacked = debian.unpacked(name, release)
        (plugins / name).symlink_to(unpacked / "usr" / "libexec" / "docker" / "cli-plugins" / name)


def run(*command: str, folder: str | None = None) -> str:
    result = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=debian.SECONDS_TO_UNPACK,
        check=False,
    )
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{result.stdout}{result.stderr}")
    return result.stdout
