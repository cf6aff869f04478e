"""A Galera cluster of MariaDB: the Debian package of MariaDB has the provider and rsync."""

import getpass
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.mariadb import MariaDB
from harness.servers import IS_ROOT, SECONDS_TO_INITIALIZE
from harness.waiting import eventually, free_port

PROVIDERS = (Path("/usr/lib/galera/libgalera_smm.so"), Path("/usr/lib64/galera/libgalera_smm.so"))
USER = "nobody" if IS_ROOT else getpass.getuser()
SYNCED = "4"


class Node(MariaDB):
    """A node, which joins the cluster when it starts."""

    def __init__(self, folder: Path) -> None:
        self.provider = next(filter(Path.exists, PROVIDERS), None)
        if self.provider is None or not shutil.which("rsync"):
            raise RuntimeError(
                "Galera is not installed: apt-get install mariadb-server galera-4 rsync"
            )
        if IS_ROOT:
            shutil.chown(folder, USER)
        super().__init__(folder)
        self.group_port, self.ist_port, self.sst_port = free_port(), free_port(), free_port()
        self.members: list[Node] = []
        self.creates_cluster = False
        self.options: list[str] = []

    def _data_options(self) -> list[str]:
        # rsync of root would write as `nobody`.
        return [f"--user={USER}", f"--datadir={self.folder / 'data'}"]

    def command(self) -> list[str]:
        group = [f"127.0.0.1:{node.group_port}" for node in self.members]
        provider_options = [
            f"gmcast.listen_addr=tcp://127.0.0.1:{self.group_port}",
            f"ist.recv_addr=127.0.0.1:{self.ist_port}",
            "gcache.size=32M",
        ]
        return [
            *super().command(),
            "--binlog-format=ROW",
            "--innodb-autoinc-lock-mode=2",
            "--wsrep-on=ON",
            f"--wsrep-provider={self.provider}",
            f"--wsrep-cluster-address=gcomm://{','.join(group)}",
            f"--wsrep-node-address=127.0.0.1:{self.group_port}",
            f"--wsrep-node-name={self.folder.name}",
            "--wsrep-sst-method=rsync",
            f"--wsrep-sst-receive-address=127.0.0.1:{self.sst_port}",
            f"--wsrep-provider-options={';'.join(provider_options)}",
            *self.options,
        ]

    def start(self) -> None:
        """Start the node as systemd does, and wait until it has the rows of the cluster."""
        self.options = ["--wsrep-new-cluster"] if self.creates_cluster else self._position()
        self.creates_cluster = False
        super().start()
        eventually(self.is_synced, seconds=60)

    def _position(self) -> list[str]:
        """Options with the last transaction of a node that was killed: it needs only later ones."""
        self.options = ["--wsrep-recover"]
        result = subprocess.run(
            self.command(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=SECONDS_TO_INITIALIZE,
            check=False,
        )
        found = re.search(r"Recovered position:? *(\S+:-?\d+)", result.stderr)
        return [f"--wsrep-start-position={found[1]}"] if found else []

    def status(self, name: str) -> str:
        """The value of a status variable, such as `wsrep_cluster_status`."""
        rows = self.execute(f"SHOW STATUS LIKE '{name}'")
        return str(rows[0][1]) if rows else ""

    def is_synced(self) -> bool:
        return self.status("wsrep_local_state") == SYNCED

    @property
    def version(self) -> str:
        server = self.execute("SELECT version()")[0][0].partition("-")[0]
        return f"{self.status('wsrep_provider_version').partition('(')[0]} with MariaDB {server}"


@contextmanager
def running_cluster(size: int = 3) -> Iterator[list[Node]]:
    """The nodes of a cluster in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="galera-") as name:
        Path(name).chmod(0o755)
        folders = [Path(name, f"node{number}") for number in range(1, size + 1)]
        for folder in folders:
            folder.mkdir()
        nodes = [Node(folder) for folder in folders]
        nodes[0].creates_cluster = True
        try:
            for node in nodes:
                node.members = nodes
                node.start()
            yield nodes
        finally:
            for node in nodes:
                if node.is_running:
                    node.kill()
