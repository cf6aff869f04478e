"""Applies all rules to a code base."""

import sys
from collections import defaultdict
from collections.abc import Sequence

from audit_async.findings import Finding, ModuleFindings
from audit_async.inference.codebase import CodeBase
from audit_async.reading.walk import Walk
from audit_async.rules.sync_drivers import SyncUrl, report_sync_url, sync_urls
from audit_async.source.modules import Module


def audit(modules: Sequence[Module]) -> list[Finding]:
    base = CodeBase(modules, Walk)
    urls: dict[Module, list[SyncUrl]] = defaultdict(list)
    for url in sync_urls(base):
        urls[url.module].append(url)
    findings: list[Finding] = []
    for module in modules:
        found = ModuleFindings(module)
        try:
            base.reader(module, findings=found).run()
        except RecursionError:
            print(f"{module.path}: audited only in part: nested too deeply", file=sys.stderr)
        for url in urls[module]:
            report_sync_url(found, url)
        findings += found.all()
    return sorted(findings, key=lambda f: (f.file, f.line, f.column, f.rule))
