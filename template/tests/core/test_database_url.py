"""DATABASE_URL: what is rejected in words, whatever the database."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.core.database_url import check_certificates, check_files, parse_database_url
from app.settings import Settings
from tests.core.support import CERTIFICATE, with_url

HOSTS = "scheme://user:p%40ss@one:1,two:2/name"


@pytest.mark.parametrize(
    ("written", "hosts"),
    [(HOSTS, ("one:1", "two:2")), (HOSTS.replace("one:1,two:2", "%2Frun%2Fdb"), ("/run/db",))],
)
def test_several_or_encoded_hosts_become_a_parameter(
    settings: Settings, written: str, hosts: tuple[str, ...]
) -> None:
    url = parse_database_url(with_url(settings, written), "scheme", {"scheme"}, {"host"})
    assert url.query["host"] == hosts
    assert (url.host, url.password, url.database) == (None, "p@ss", "name")


def test_encoded_host_stays_where_one_host_is_possible(settings: Settings) -> None:
    written = with_url(settings, "scheme://one%2Etwo/name")
    assert parse_database_url(written, "scheme", {"scheme"}, ()).host == "one%2Etwo"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (HOSTS, "names several hosts"),
        ("scheme://host:port/name", "has a port that is not a number"),
        ("scheme://host/name?mine=1", "has an unknown query parameter: mine"),
        ("other://host/name", "must start with scheme://, not with other://"),
        ("name", "must start with scheme://, not with a string without ://"),
    ],
)
def test_unusable_url_is_rejected(settings: Settings, written: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_database_url(with_url(settings, written), "scheme", {"scheme"}, ())


def test_file_that_does_not_exist_is_rejected(tmp_path: Path) -> None:
    url = make_url("scheme://host/name").update_query_dict({"authority": str(tmp_path / "ca")})
    with pytest.raises(ValueError, match="the file of authority does not exist"):
        check_files(url, "certificate", "authority")
    (tmp_path / "ca").touch()
    check_files(url, "certificate", "authority")


@pytest.mark.parametrize("content", ["", "a certificate", CERTIFICATE.replace("MII", "MIII")])
def test_file_without_a_certificate_is_rejected(tmp_path: Path, content: str) -> None:
    file = tmp_path / "ca"
    url = make_url("scheme://host/name").update_query_dict({"authority": str(file)})
    file.write_text(content)
    with pytest.raises(ValueError, match="the file of authority has no readable certificate"):
        check_certificates(url, "certificate", "authority")
    file.write_text(CERTIFICATE)
    check_certificates(url, "certificate", "authority")
