"""The audit follows names across files and survives unusual code."""

from collections.abc import Callable
from pathlib import Path

import pytest
from audit_async.findings import Finding


def test_names_are_followed_across_files(audited: Callable[..., list[Finding]]) -> None:
    findings = audited(
        database="from sqlalchemy.ext.asyncio import AsyncSession as Database\n",
        deps=(
            "from typing import Annotated\n"
            "from fastapi import Depends\n"
            "from database import Database\n"
            "Db = Annotated[Database, Depends(object)]\n"
        ),
        api="import deps\nasync def save(db: deps.Db):\n    db.commit()\n",
    )
    assert [(Path(f.file).name, f.line, f.rule) for f in findings] == [
        ("api.py", 3, "missing-await")
    ]


@pytest.mark.parametrize(
    "code",
    [
        "",
        "def f(*, a, b=1, **k): ...\nclass f: ...\nf = f\n",
        "from . import a\nfrom .. import *\nfrom .... import b\nimport a.b.c\na.b.c.d()\n",
        "x = x.y\ny = z()\nz = y()\nclass A(B): ...\nclass B(A): ...\nA().b.c()\n",
        "async def f():\n    return await (await g())()\n    yield\nlambda: (yield)\n",
        "match a:\n    case [b, *c] if d: pass\n    case _: pass\n",
        "def f():\n    for x[0], (y, *z) in a: continue\n    else: return\n    while 1: break\n",
        "try: pass\nexcept* E as e: raise\nfinally: pass\n",
        "from sqlalchemy import select\nselect()\nselect(*a, **k).options()[0](1)\n",
        "from sqlalchemy.ext.asyncio import *\ne = AsyncSession().execute\ne()()\n",
        "x: 'not a type' = 1\ndef f(x: '1 +', y: 'a.b[c]', *z: 'list[', **k: 3): x.y\n",
        "x: Callable[()]\n",
        "def f(**k): ...\nasync def g(a, b): f(**a, **b)\n",
        "(" * 60 + "1" + ")" * 60 + "\n",
    ],
)
def test_unusual_code_does_not_crash(audited: Callable[..., list[Finding]], code: str) -> None:
    audited(unusual=code)
