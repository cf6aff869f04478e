"""Stand-ins for the official images that services build on, made from Debian packages.

They have the label `standin.for`, and are kept between runs: delete their archives in `.venv/roots`
to get newer packages.
"""

import os
import shutil
import ssl
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness import debian
from harness.docker import Engine

ENTRYPOINTS = Path(__file__).parent / "entrypoints"
PYTHON = ("ca-certificates", "python3", "python3-pip", "python3-venv")
# As in the official images: pip installs into the system, and Python is called `python`.
AFTER_PYTHON = (
    'rm "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',
    'ln -s python3 "$1/usr/bin/python"',
)
DATABASE_IMAGES = {"sqlite": [], "postgresql": ["postgres:18"], "mysql": ["mysql:8.4"]}


@dataclass(frozen=True)
class StandIn:
    """An image of packages of a Debian release, with further instructions of a Dockerfile.

    The hooks of mmdebstrap run before and after the packages are installed.
    """

    release: str
    packages: tuple[str, ...]
    instructions: tuple[str, ...]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


STAND_INS = {
    "python:3.13-slim": StandIn("trixie", PYTHON, ('CMD ["python3"]',), after=AFTER_PYTHON),
    "python:3.13": StandIn("trixie", (*PYTHON, "git"), ('CMD ["python3"]',), after=AFTER_PYTHON),
    "postgres:18": StandIn(
        "forky",
        ("postgresql-18",),
        (
            "COPY postgresql.sh /entrypoint.sh",
            'ENTRYPOINT ["/entrypoint.sh"]',
            "VOLUME /var/lib/postgresql",
            "EXPOSE 5432",
            "STOPSIGNAL SIGINT",
        ),
        before=(
            'mkdir -p "$1/etc/postgresql-common"',
            'echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"',
        ),
    ),
    # A newer version, because Debian has no 8.4.
    "mysql:8.4": StandIn(
        "sid",
        ("mysql-client-core", "mysql-server-core"),
        (
            "COPY mysql.sh /entrypoint.sh",
            'ENTRYPOINT ["/entrypoint.sh"]',
            "VOLUME /var/lib/mysql",
            "EXPOSE 3306",
        ),
    ),
}


def load(engine: Engine, *images: str) -> None:
    """Give the stand-ins the names of the official images in this engine."""
    there = engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    for image in [image for image in images if image not in there]:
        packages = f"standin/{image}"
        engine.docker("import", str(archive_of(image)), packages)
        with tempfile.TemporaryDirectory() as name:
            context = Path(shutil.copytree(ENTRYPOINTS, name, dirs_exist_ok=True))
            lines = [f"FROM {packages}", f"LABEL standin.for={image}"]
            if image.startswith("python:"):
                lines += package_index(context)
            lines += STAND_INS[image].instructions
            (context / "Dockerfile").write_text("\n".join(lines) + "\n")
            engine.docker("build", "--quiet", "--tag", image, name)


def archive_of(image: str) -> Path:
    """Return the root folder of a stand-in, without its instructions, as a tar file."""
    name = f"{image.replace(':', '-')}.tar"
    return debian.kept(name, lambda path: bootstrap(STAND_INS[image], path))


def bootstrap(standin: StandIn, path: Path) -> None:
    command = [
        debian.mmdebstrap(),
        "--variant=minbase",
        f"--include={','.join(standin.packages)}",
        # Copies of the archive are often older than their index allows.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        *(f"--setup-hook={hook}" for hook in standin.before),
        *(f"--customize-hook={hook}" for hook in standin.after),
        standin.release,
        str(path),
        debian.archive(),
    ]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=debian.SECONDS_TO_UNPACK, check=False
    )
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{result.stderr}")


def package_index(context: Path) -> list[str]:
    """Return instructions by which pip and uv use the package index of this machine.

    They write files, because builds do not see the environment variables of this machine.
    """
    pip, uv, instructions = ["[global]"], ["system-certs = true"], []
    if index := os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL"):
        pip.append(f"index-url = {index}")
        uv.append(f'[[index]]\nurl = "{index}"\ndefault = true')
    certificates = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    if certificates and Path(certificates).exists():
        shutil.copy(certificates, context / "ca-certificates.crt")
        pip.append("cert = /etc/ssl/certs/ca-certificates.crt")
        instructions.append("COPY ca-certificates.crt /etc/ssl/certs/")
    (context / "pip.conf").write_text("\n".join(pip) + "\n")
    (context / "uv.toml").write_text("\n".join(uv) + "\n")
    return [*instructions, "COPY pip.conf /etc/", "COPY uv.toml /etc/uv/"]
