"""The command line: options, printed findings and exit status."""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import audit_async
from audit_async.audit import audit
from audit_async.findings import RULES, Finding
from audit_async.source.files import parse, python_files
from audit_async.source.modules import Module


def main() -> int:
    parser = argument_parser()
    options = parser.parse_args()
    for path in options.paths:
        if not path.exists():
            parser.error(f"no such file or directory: {path}")
    modules = parse_all(options.paths)
    if not modules:
        parser.error("no Python files found")
    rules = options.select - options.ignore
    findings = [finding for finding in audit(modules) if finding.rule in rules]
    if options.json:
        print(json.dumps([vars(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            print(finding)
    print(summary(findings, modules), file=sys.stderr)
    return 1 if findings else 0


def argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="audit_async",
        description=audit_async.__doc__,
        epilog="rules:\n" + "\n".join(f"  {name:18} {what}" for name, what in RULES.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a Python file, or a folder"
    )
    parser.add_argument("--json", action="store_true", help="print findings as a JSON array")
    parser.add_argument(
        "--select",
        type=rule_names,
        default=set(RULES),
        metavar="RULE,...",
        help="report only these rules",
    )
    parser.add_argument(
        "--ignore",
        type=rule_names,
        default=set(),
        metavar="RULE,...",
        help="do not report these rules",
    )
    return parser


def rule_names(text: str) -> set[str]:
    names = {name.strip() for name in text.split(",") if name.strip()}
    if not names <= RULES.keys():
        unknown = ", ".join(sorted(names - RULES.keys()))
        raise argparse.ArgumentTypeError(
            f"unknown rule: {unknown} (choose from {', '.join(RULES)})"
        )
    return names


def parse_all(paths: list[Path]) -> list[Module]:
    files = dict.fromkeys(python_files(paths))
    return [module for path in files if (module := parse(path))]


def summary(findings: list[Finding], modules: list[Module]) -> str:
    total = f"{counted(len(findings), 'finding')} in {counted(len(modules), 'file')}"
    counts = Counter(finding.rule for finding in findings).most_common()
    return f"{total}: {', '.join(f'{count} {rule}' for rule, count in counts)}" if counts else total


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
