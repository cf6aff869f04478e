"""The Dev Container CLI, an npm package, which is installed into a folder."""

from harness.npm import installed

VERSION = "0.89.0"


def program() -> str:
    """Return the path of the program `devcontainer`."""
    name = f"devcontainer-cli-{VERSION}"
    packages = installed(name, f"@devcontainers/cli@{VERSION}", scripts=True)
    return str(packages / ".bin" / "devcontainer")
