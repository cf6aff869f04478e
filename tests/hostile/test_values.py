"""Hostile values in every place of a request: drivers differ in what they reject."""

import json
import re

from tests.hostile import corpus
from tests.hostile.attacked import Attacked
from tests.hostile.endpoints import HOLE, Choose, Endpoint, places


def test_hostile_values_in_bodies_do_no_harm(endpoints: list[Endpoint], choose: Choose) -> None:
    for endpoint in endpoints:
        if endpoint.body is None or endpoint.name == "log_in":
            continue
        for template, kind in places(endpoint.body):
            for text in choose({**corpus.VALUES["any"], **corpus.VALUES[kind]}):
                content = json.dumps(template).replace(f'"{HOLE}"', text)
                headers = {"Content-Type": "application/json"}
                endpoint.send(content=content.encode(), headers=headers)


def test_hostile_values_in_claims_of_signed_tokens_do_no_harm(
    attacked: Attacked, endpoints: list[Endpoint], choose: Choose
) -> None:
    if attacked.issuer is None:
        assert "OpenIdConnect" not in json.dumps(attacked.document)
        return
    [get_me] = [endpoint for endpoint in endpoints if endpoint.name == "get_me"]
    values = {name: text for kind in corpus.VALUES.values() for name, text in kind.items()}
    del values["deep"], values["900 kB"]  # longer than headers can be
    accepted = 0
    for claim in corpus.CLAIMS:
        for text in choose(values):
            claims = {"subject": f"Eve {claim}", claim: json.loads(text)}
            headers = {"Authorization": f"Bearer {attacked.issuer.token(**claims)}"}
            response = get_me.send(headers=headers)
            assert response.status_code in {200, 401}
            accepted += response.is_success
    assert accepted


def test_hostile_values_in_paths_do_no_harm(endpoints: list[Endpoint], choose: Choose) -> None:
    for endpoint in endpoints:
        for name in re.findall(r"{(\w+)}", endpoint.path):
            for text in choose(corpus.IDS):
                url = endpoint.path.format(**endpoint.resources | {name: text})
                assert endpoint.send(url=url, json=endpoint.body).status_code in {404, 422}


def test_hostile_values_in_queries_do_no_harm(endpoints: list[Endpoint], choose: Choose) -> None:
    for endpoint in endpoints:
        for name in endpoint.parameters:
            for text in choose(corpus.PARAMETERS):
                endpoint.send(f"{name}={text}")
        if endpoint.method == "get":
            for query in choose(corpus.QUERIES):
                endpoint.send(query)


def test_hostile_values_in_cursors_do_no_harm(endpoints: list[Endpoint], choose: Choose) -> None:
    for endpoint in endpoints:
        if "cursor" not in endpoint.parameters:
            continue
        for text in choose(corpus.CURSORS):
            assert endpoint.send(f"cursor={text}").status_code == 422
        for sort in endpoint.sorts:
            for text in choose(corpus.CURSOR_VALUES):
                cursor = corpus.cursor(f'["{sort}", {text}, "{corpus.NOBODY}"]')
                endpoint.send(f"sort={sort}&cursor={cursor}")
