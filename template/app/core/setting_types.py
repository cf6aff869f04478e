"""Types of settings."""

import json
import re
from ipaddress import ip_network
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

T = TypeVar("T")

NAME = r"[\w-]+(\.[\w-]+)*|\[[0-9a-f:.]+\]"  # or an IPv6 address
HOST = re.compile(rf"\*|(\*\.)?({NAME})", re.ASCII | re.IGNORECASE)
# Browsers leave out the default port.
ORIGIN = re.compile(
    rf"\*|(?!http://.*:80$|https://.*:443$)[a-z][a-z0-9+.-]*://({NAME})(:\d+)?",
    re.ASCII | re.IGNORECASE,
)
PREFIX = re.compile(r"(/[\w.~-]+)*", re.ASCII)


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith("["):
        return [item.strip() for item in value.split(",") if item.strip()]
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('write a, b or the JSON list ["a", "b"]') from None


def _check_hosts(hosts: list[str]) -> list[str]:
    if not hosts:
        raise ValueError("write at least one host name, such as api.example.com")
    if not all(HOST.fullmatch(host) for host in hosts):
        raise ValueError(
            "write host names in ASCII, without scheme, port and path, such as api.example.com"
        )
    return hosts


def _check_origins(origins: list[str]) -> list[str]:
    if not all(ORIGIN.fullmatch(origin) for origin in origins):
        raise ValueError(
            "write origins with a scheme, but without default port, path and slash at the end, such"
            " as https://app.example.com"
        )
    return [origin.lower() for origin in origins]


def _check_proxies(proxies: list[str]) -> list[str]:
    try:
        for proxy in proxies if proxies != ["*"] else []:
            ip_network(proxy)
    except ValueError:
        raise ValueError(
            "write IP addresses and networks, such as 10.0.0.5 or 10.0.0.0/8, or only *"
        ) from None
    return proxies


def _check_prefix(path: str) -> str:
    if not PREFIX.fullmatch(path):
        raise ValueError("write a slash before each part and none at the end, such as /stock")
    return path


# A list that the environment writes as `a, b` or as the JSON list `["a", "b"]`.
CommaSeparated = Annotated[list[T], NoDecode, BeforeValidator(_split)]
# Compared with the headers Host and Origin: an entry in another form would match no request.
Hosts = Annotated[CommaSeparated[str], AfterValidator(_check_hosts)]
Origins = Annotated[CommaSeparated[str], AfterValidator(_check_origins)]
Proxies = Annotated[CommaSeparated[str], AfterValidator(_check_proxies)]
PathPrefix = Annotated[str, AfterValidator(_check_prefix)]
