"""A Galera cluster of MariaDB."""

import getpass
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.galera_programs import Programs, galera_programs
from harness.mariadb import MariaDB
from harness.servers import IS_ROOT, SECONDS_TO_INITIALIZE
from harness.waiting import eventually, free_port

SYNCED = "4"
# Runs a program of the system once a file does not exist.
HELD = """#!/bin/sh
touch {folder}/reached
while [ -e {folder}/held ]; do sleep 0.05; done
exec {program} "$@"
"""


class Node(MariaDB):
    """A node, which joins the cluster when it starts."""

    user = "nobody" if IS_ROOT else getpass.getuser()

    def __init__(self, folder: Path, programs: Programs) -> None:
        self.provider = programs.provider
        if IS_ROOT:
            shutil.chown(folder, self.user)
        super().__init__(folder, programs.base)
        self.group_port, self.ist_port, self.sst_port = free_port(), free_port(), free_port()
        self.members: list[Node] = []
        self.creates_cluster = False
        self.options: list[str] = []

    @property
    def environment(self) -> dict[str, str]:
        environment = super().environment
        return environment | {"PATH": f"{self.folder / 'bin'}:{environment['PATH']}"}

    def _server_options(self) -> list[str]:
        # mariadb-backup gets the options too, and refuses this one.
        refused = "--innodb-buffer-pool-size="
        return [option for option in super()._server_options() if not option.startswith(refused)]

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
            f"--wsrep-node-name={self.name}",
            # rsync of root would write as `nobody`.
            "--wsrep-sst-method=rsync",
            "--wsrep-sst-auth=root:",
            f"--wsrep-sst-receive-address=127.0.0.1:{self.sst_port}",
            f"--wsrep-provider-options={';'.join(provider_options)}",
            *self.options,
        ]

    @property
    def name(self) -> str:
        return self.folder.name

    def start(self, *options: str) -> None:
        """Start the node as systemd does, and wait until it has the rows of the cluster."""
        position = ["--wsrep-new-cluster"] if self.creates_cluster else self._position()
        self.options = [*position, *options]
        self.creates_cluster = False
        super().start()
        eventually(self.is_synced, seconds=60)

    def forget(self) -> None:
        """Let a node that is not running receive all rows when it starts, not only later ones."""
        (self.folder / "data" / "grastate.dat").unlink()

    @contextmanager
    def holding(self, program: str) -> Iterator[Path]:
        """Let a program of the system, which scripts of this node call, wait within the block.

        The file exists once it has been called.
        """
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
        script, held, reached = folder / program, folder / "held", folder / "reached"
        reached.unlink(missing_ok=True)
        held.touch()
        path = shutil.which(program, path=super().environment["PATH"])
        # It stays, because a script of the node may call the program again after the block.
        script.write_text(HELD.format(folder=shlex.quote(str(folder)), program=path))
        script.chmod(0o755)
        try:
            yield reached
        finally:
            held.unlink()

    def _position(self) -> list[str]:
        """Options with the last transaction of a node that was killed: it needs only later ones."""
        self.options = ["--wsrep-recover"]
        result = subprocess.run(
            self.command(),
            cwd=self.folder,
            env=self.environment,
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
        programs = galera_programs(Path(name, "mariadb"))
        folders = [Path(name, f"node{number}") for number in range(1, size + 1)]
        for folder in folders:
            folder.mkdir()
        nodes = [Node(folder, programs) for folder in folders]
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
