"""axe-core, an npm package that finds what makes a page hard to use with assistive technology."""

from playwright.sync_api import Page

from harness.npm import installed

VERSION = "4.14.1"
# Without preload, axe-core does not request the style sheets, which fails on pages of files.
RUN = "async () => (await axe.run({preload: false})).violations"


def violations(page: Page) -> list[str]:
    """The rules that a page violates, each with the elements."""
    page.add_script_tag(
        path=installed(f"axe-core-{VERSION}", f"axe-core@{VERSION}") / "axe-core" / "axe.min.js"
    )
    return [
        f"{found['id']}: {[node['html'][:120] for node in found['nodes']]}"
        for found in page.evaluate(RUN)
    ]
