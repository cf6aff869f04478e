"""The site of `make site`, opened from its folder in Chromium, as its readers use it."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from harness import axe
from harness.browser import browser
from harness.rendering import COPIER, ROOT, comparable
from harness.variants import QUESTIONS
from website.__main__ import SITE
from website.combinations import combinations, presets
from website.commands import PROGRAM, option
from website.data import size_of
from website.questions import Answers, Questionnaire
from website.renders import service_files

Open = Callable[..., Page]
Tested = Callable[[str, str], None]

QUESTIONNAIRE = Questionnaire(QUESTIONS)
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
# Every kind of view: files, a difference in both layouts, a combination that is not rendered.
VIEWS = [
    "",
    "#driver=asyncpg&auth=jwt&structure=by_feature&file=app/settings.py",
    "#view=compare&with=auth:session&auth=jwt&file=app/settings.py",
    "#view=compare&with=examples:&file=app/crud.py&diff=split",
    "#view=releases&from=2.6.0&to=2.7.0",
    "#auth=jwt&mail=smtp&jobs=database&telemetry=opentelemetry",
]
TEXTS = """async () => {
    const answers = explorer.resolve(explorer.stateOf(location.hash).chosen);
    const texts = {};
    for (const [path, text] of explorer.filesOf(answers)) {
        const lines = await explorer.linesOf(path, text);
        texts[path] = lines.map(([line]) => `${line}\\n`).join("");
    }
    return texts;
}"""


@pytest.fixture(scope="session")
def site() -> Path:
    """The site of the work tree, built as `make site` does."""
    subprocess.run([sys.executable, "-m", "website"], cwd=ROOT, check=True)
    return SITE


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.fixture
def visit(site: Path, chromium: Browser, tested: Tested) -> Iterator[Open]:
    """Opens a page of the site; errors, and requests to other places, fail the test."""
    tested("axe-core", axe.VERSION)
    problems: list[str] = []
    contexts = []

    def open_page(
        name: str = "", *, page: str = "explorer/index.html", theme: Any = "light", **size: int
    ) -> Page:
        context = chromium.new_context(viewport=size or DESKTOP, color_scheme=theme)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: problems.append(f"{message.type}: {message.text}"))
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on("requestfailed", lambda request: problems.append(f"failed: {request.url}"))
        tab.on("request", lambda request: note_request(request.url))
        tab.goto(f"{(site / page).as_uri()}{name}")
        if page.startswith("explorer"):
            tab.wait_for_selector("#panes nav")
        return tab

    def note_request(url: str) -> None:
        if not url.startswith((site.as_uri(), "data:")):
            problems.append(f"requested: {url}")

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def command_of(answers: Answers, template: str = str(ROOT)) -> str:
    """The command with the answers that differ from the defaults."""
    values = QUESTIONNAIRE.values_of(answers)
    options = [
        option(question, answer)
        for question, answer in zip(QUESTIONNAIRE.questions, answers, strict=True)
        if QUESTIONNAIRE.value_of(question.when, values)
        and values[question.name] != QUESTIONNAIRE.value_of(question.default, values)
    ]
    return " \\\n  ".join([PROGRAM, *options, f"{template} my-service"])


def input_of(page: Page, name: str, index: int) -> Any:
    return page.locator(f"#{name}-{index}")


def test_site_is_small(site: Path) -> None:
    assert size_of(site) <= 15_000_000


def test_every_choice_can_be_chosen_and_changes_the_command(visit: Open) -> None:
    page = visit("#driver=asyncpg&auth=jwt")
    main = {"driver": "asyncpg", "auth": "jwt"}
    rendered = set(combinations(QUESTIONNAIRE))
    for question in QUESTIONNAIRE.questions:
        before = QUESTIONNAIRE.resolve(main)
        for index, value in enumerate(question.values):
            box = input_of(page, question.name, index)
            chosen = dict(main)
            if question.several:
                mask = before[QUESTIONNAIRE.positions[question.name]] ^ 1 << index
                box.click()
                chosen[question.name] = question.choices[mask]
            else:
                box.check()
                chosen[question.name] = value
            answers = QUESTIONNAIRE.resolve(chosen)
            assert answers in rendered
            expect(page.locator("#command")).to_have_text(command_of(answers))
            expect(page.locator("#nearest")).to_be_hidden()
            page.goto(f"{page.url.partition('#')[0]}#driver=asyncpg&auth=jwt")
            expect(page.locator("#command")).to_have_text(command_of(before))


def test_question_is_shown_when_copier_asks_it(visit: Open) -> None:
    page = visit()
    for chosen in ({}, {"driver": "psycopg"}, {"auth": "jwt"}, {"auth": "oidc"}):
        words = "&".join(f"{name}={value}" for name, value in chosen.items())
        page.goto(f"{page.url.partition('#')[0]}#{words}")
        expect(page.locator("#command")).to_have_text(command_of(QUESTIONNAIRE.resolve(chosen)))
        shown = page.locator("fieldset:visible").evaluate_all("all => all.map(each => each.id)")
        asked = QUESTIONNAIRE.data(QUESTIONNAIRE.resolve(chosen))
        assert shown == [f"question-{name}" for name in asked]


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"examples": []},
        {"driver": "asyncmy", "auth": "session", "structure": "layered", "mail": "smtp"},
        {"driver": "psycopg", "auth": "oidc", "structure": "by_feature", "dev_database": "sqlite"},
        *presets().values(),
    ],
    ids=lambda chosen: "+".join(map(str, chosen.values())) or "default",
)
def test_page_shows_every_file_that_its_command_renders(
    visit: Open, template: Path, tmp_path: Path, chosen: dict[str, Any]
) -> None:
    answers = QUESTIONNAIRE.resolve(chosen)
    words = {
        name: ",".join(value) if isinstance(value, list) else str(value).lower()
        for name, value in QUESTIONNAIRE.data(answers).items()
    }
    page = visit("#" + "&".join(f"{name}={value}" for name, value in words.items()))
    expect(page.locator("#nearest")).to_be_hidden()
    command = page.locator("#command").inner_text()
    assert command == command_of(answers)
    words_of_shell = shlex.split(command.replace("\\\n", " "))
    assert words_of_shell[:2] == ["uvx", "copier"]
    arguments = [str(template) if each == str(ROOT) else each for each in words_of_shell[2:]]
    subprocess.run([*COPIER, *arguments, "--quiet"], cwd=tmp_path, check=True)
    assert page.evaluate(TEXTS) == comparable(tmp_path / "my-service", template)


def test_shown_text_and_copied_text_are_the_file(visit: Open, template: Path) -> None:
    page = visit("#auth=jwt&file=app/settings.py")
    text = service_files(template, {"driver": "aiosqlite", "auth": "jwt"})["app/settings.py"]
    expect(page.locator(".code")).to_have_text(text, use_inner_text=True)
    assert page.locator(".code").text_content() == text
    page.get_by_role("button", name="Copy file").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()


def test_service_name_is_checked_quoted_and_kept_in_the_link(visit: Open) -> None:
    page = visit()
    field = page.get_by_label("Service name")
    field.fill("Kurt's Stock")
    name = """'service_name=Kurt'\\''s Stock'"""
    expect(page.locator("#command")).to_contain_text(f"-d {name} \\\n  {ROOT} kurt-s-stock")
    page.reload()
    expect(field).to_have_value("Kurt's Stock")
    field.fill("7 things")
    expect(page.locator("#name-problem")).to_have_text("Start with a letter from A to Z.")
    expect(page.locator("#command")).to_contain_text(f"{ROOT} my-service")


def test_preset_has_a_command_with_its_file(visit: Open) -> None:
    page = visit()
    page.get_by_label("Start from").select_option("large_backend")
    answers = QUESTIONNAIRE.resolve(presets()["large_backend"])
    expect(page.locator("#command")).to_have_text(command_of(answers))
    page.get_by_text("These are the answers of a preset").click()
    expect(page.locator("#preset-command-text")).to_contain_text(
        f"--data-file {ROOT}/presets/large_backend.yml"
    )
    page.get_by_label("Start from").select_option("default")
    expect(page.locator("#preset-command")).to_be_hidden()


def test_link_opens_the_same_answers_file_and_view_and_back_returns(visit: Open) -> None:
    page = visit()
    input_of(page, "auth", 1).check()
    page.get_by_role("link", name="crud.py", exact=True).first.click()
    expect(page.locator(".bar h2")).to_have_text("app/crud.py")
    page.get_by_role("link", name="Compare with auth: session").click()
    expect(page.locator("#controls select")).to_have_value("auth:session")
    link = page.url

    page.go_back()
    expect(page.locator(".bar h2")).to_have_text("app/crud.py")
    expect(input_of(page, "auth", 1)).to_be_checked()
    page.go_back()
    page.go_back()
    expect(input_of(page, "auth", 0)).to_be_checked()
    page.go_forward()
    expect(input_of(page, "auth", 1)).to_be_checked()

    other = visit(f"#{link.partition('#')[2]}")
    expect(other.locator("#controls select")).to_have_value("auth:session")
    expect(input_of(other, "auth", 1)).to_be_checked()


def test_difference_is_that_of_the_rendered_files(visit: Open, template: Path) -> None:
    page = visit("#auth=jwt&view=compare&with=auth:session&file=app/settings.py")
    before, after = (
        service_files(template, {"driver": "aiosqlite", "auth": auth})
        for auth in ("jwt", "session")
    )
    groups = {
        "added": after.keys() - before.keys(),
        "removed": before.keys() - after.keys(),
        "changed": {path for path in before.keys() & after.keys() if before[path] != after[path]},
    }
    for kind, paths in groups.items():
        shown = page.locator(f".group.{kind} .path").all_inner_texts()
        assert sorted(shown) == sorted(paths)
    page.locator(".difference").wait_for()
    while (folds := page.locator(".fold button")).count():
        folds.first.click()
    rows = page.locator(".difference tr").evaluate_all(
        "all => all.map(row => [row.className, row.querySelector('.text').textContent])"
    )
    kept = [text for kind, text in rows if kind != "added"]
    new = [text for kind, text in rows if kind != "removed"]
    assert kept == before["app/settings.py"].splitlines()
    assert new == after["app/settings.py"].splitlines()
    assert {kind for kind, _ in rows} == {"added", "removed", "same"}

    page.get_by_role("link", name="Side by side").click()
    page.locator(".difference.split").wait_for()
    while (folds := page.locator(".fold button")).count():
        folds.first.click()
    for column, text in ((1, before), (3, after)):
        cells = page.locator(".difference tr").evaluate_all(
            f"all => all.map(row => row.children[{column}])"
            ".filter(cell => !cell.classList.contains('missing')).map(cell => cell.textContent)"
        )
        assert cells == text["app/settings.py"].splitlines()


def test_unrendered_answers_are_named_and_the_nearest_are_shown(visit: Open) -> None:
    page = visit("#auth=jwt&mail=smtp&jobs=database")
    answers = QUESTIONNAIRE.resolve({"auth": "jwt", "mail": "smtp", "jobs": "database"})
    assert answers not in set(combinations(QUESTIONNAIRE))
    expect(page.locator("#nearest")).to_contain_text("These answers were not rendered.")
    expect(page.locator("#command")).to_have_text(command_of(answers))
    page.get_by_role("link", name="Use the nearest answers").click()
    expect(page.locator("#nearest")).to_be_hidden()
    expect(page.locator("#command")).to_contain_text("auth=jwt")


def test_release_shows_what_it_changed(visit: Open) -> None:
    page = visit("#view=releases")
    expect(page.locator(".difference")).to_be_visible()
    selects = page.locator("#controls select")
    expect(selects).to_have_count(3)
    selects.nth(0).select_option("2.6.0")
    selects.nth(1).select_option("2.7.0")
    expect(page.locator(".difference")).to_be_visible()
    for name in ("empty", *presets()):
        selects.nth(2).select_option(name)
        expect(page.locator(".total")).to_contain_text("lines")
    # 1.0.0 had no rate limits, so it cannot have the answers of each preset.
    expect(selects.nth(0).locator("option").first).to_contain_text("1.0.0")


def test_page_works_by_keyboard_alone(visit: Open) -> None:
    page = visit()
    page.keyboard.press("Tab")
    expect(page.locator("#skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Service name")).not_to_be_focused()
    expect(page.get_by_label("Filter files")).to_be_focused()
    page.keyboard.type("settings.py")
    page.keyboard.press("Tab")
    tab_until(page, "a[data-path='app/settings.py']")
    page.keyboard.press("Enter")
    expect(page.locator(".bar h2")).to_have_text("app/settings.py")
    tab_until(page, ".scroll")
    page.keyboard.press("End")

    input_of(page, "auth", 0).focus()
    page.keyboard.press("ArrowDown")
    expect(input_of(page, "auth", 1)).to_be_checked()
    expect(input_of(page, "auth", 1)).to_be_focused()
    tab_until(page, "a.effect")
    page.keyboard.press("Enter")
    expect(page.locator(".group").first).to_be_visible()
    page.locator("#theme").focus()
    page.keyboard.press("Space")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def tab_until(page: Page, selector: str) -> None:
    """Press Tab until an element that matches has the focus, which has to be visible."""
    for _ in range(60):
        if page.evaluate(f"document.activeElement.matches({json.dumps(selector)})"):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none"
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{selector} is not reached by Tab")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_page_is_accessible(visit: Open, theme: str, size: dict[str, int]) -> None:
    for name in VIEWS:
        page = visit(name, theme=theme, **size)
        page.locator(".content .scroll").wait_for()
        assert axe.violations(page) == [], name


def test_page_does_not_scroll_sideways_on_a_phone(visit: Open) -> None:
    for name in VIEWS:
        page = visit(name, **PHONE)
        page.locator(".content .scroll").wait_for()
        page.locator("#answers > summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], name
        expect(input_of(page, "driver", 0)).to_be_visible()


def test_chosen_file_is_scrolled_into_view_on_a_phone(visit: Open) -> None:
    page = visit(**PHONE)
    heading = page.locator(".content h2")
    for name in ("main.py", "database.py"):
        page.locator(f'.tree [data-path="app/{name}"]').click()
        expect(heading).to_have_text(f"app/{name}")
        expect(heading).to_be_in_viewport()
    page.get_by_role("link", name="Compare releases").click()
    page.locator('.changes [data-path="README.md"]').click()
    expect(heading).to_be_in_viewport()
    # However long the lines are.
    expect(page.locator(".fold button").first).to_be_in_viewport(ratio=1)


def test_theme_follows_the_system_or_the_choice_of_the_reader(visit: Open) -> None:
    color = "getComputedStyle(document.body).backgroundColor"
    light, dark = (visit(theme=theme).evaluate(color) for theme in ("light", "dark"))
    assert light != dark
    page = visit(theme="dark")
    page.get_by_role("button", name="Theme: auto").click()
    assert page.evaluate(color) == light
    page.reload()
    page.wait_for_selector("#panes nav")
    assert page.evaluate(color) == light
    page.get_by_role("button", name="Theme: light").click()
    page.get_by_role("button", name="Theme: dark").click()
    expect(page.get_by_role("button", name="Theme: auto")).to_be_visible()


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.ids |= {attributes["id"]} if "id" in attributes else set()
        link = attributes.get("href") or attributes.get("src")
        if link and tag == "a":
            self.found.append(link)
        elif link:
            self.loaded.append(link)


def test_every_link_leads_to_a_file_and_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages: dict[Path, Links] = {}
    for path in site.rglob("*.html"):
        pages[path] = Links()
        pages[path].feed(path.read_text())
    assert len(pages) > 80
    for path, links in pages.items():
        for link in links.loaded:
            assert not re.match(r"(https?:)?//", link), (path, link)
        for link in [*links.found, *links.loaded]:
            if re.match(r"[a-z]+:", link):
                continue
            address, _, fragment = link.partition("#")
            target = (path.parent / address.partition("?")[0]).resolve() if address else path
            assert target.is_file(), (path, link)
            if fragment and target in pages and "explorer" not in target.parts:
                assert fragment in pages[target].ids, (path, link)


def test_documentation_is_readable_on_a_phone_and_searchable(visit: Open) -> None:
    for name in ("index.html", "guides/caching.html", "reliability.html", "changelog.html"):
        page = visit(page=name, **PHONE)
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], name
    page = visit("?q=replica", page="search.html")
    expect(page.locator("#search-results li").first).to_be_visible()
    page = visit(page="index.html")
    expect(page.get_by_text(f"uvx copier copy {ROOT} my-service")).to_be_visible()
    page.get_by_role("link", name="Open the explorer").click()
    page.wait_for_selector("#panes nav")
