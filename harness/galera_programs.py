"""The programs of a Galera cluster: of a Debian release in a folder, or of the system."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from harness import debian
from harness.servers import SYSTEM_PATH

# A release of Debian, or "system".
RELEASE = os.environ.get("MARIADB", "trixie")
PROVIDERS = (Path("/usr/lib/galera/libgalera_smm.so"), Path("/usr/lib64/galera/libgalera_smm.so"))
PROGRAMS = ("mariadb", "mariadb-backup", "mbstream", "my_print_defaults", "resolveip")
# The scripts that copy the rows of a node call these, and find their processes by these names.
OF_THE_SYSTEM = ("rsync", "socat")


@dataclass(frozen=True)
class Programs:
    """MariaDB in a folder with `bin`, `sbin` and `share`, if not of the system; and Galera."""

    base: Path | None
    provider: Path


def galera_programs(folder: Path) -> Programs:
    """Return the programs of `RELEASE`, which are linked in `folder` if it is not the system's."""
    missing = [name for name in OF_THE_SYSTEM if not shutil.which(name, path=SYSTEM_PATH)]
    if missing:
        raise RuntimeError(f"Galera needs more programs: apt-get install {' '.join(missing)}")
    if RELEASE != "system":
        return _linked(debian.unpacked("mariadb-server,mariadb-backup", RELEASE), folder)
    provider = next(filter(Path.exists, PROVIDERS), None)
    if provider is None or not shutil.which("mariadb-backup", path=SYSTEM_PATH):
        raise RuntimeError("Galera is not installed: apt-get install mariadb-backup galera-4")
    return Programs(None, provider)


def _linked(release: Path, base: Path) -> Programs:
    base.mkdir()
    debian.linked(release, PROGRAMS, base / "bin")
    debian.linked(release, ["mariadbd"], base / "sbin")
    for script in (release / "usr/bin/mariadb-install-db", *release.glob("usr/bin/wsrep_sst_*")):
        (base / "bin" / script.name).symlink_to(script)
    (base / "share").symlink_to(release / "usr/share")
    return Programs(base, release / "usr/lib/galera/libgalera_smm.so")
