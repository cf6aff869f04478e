"""The audit of other people's code: what it finds, what it leaves alone, and how it is run."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parent.parent / "tools" / "audit_async.py"

PREAMBLE = """\
import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
import requests
from fastapi import Depends
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship, selectinload

class User(Base):
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    posts: Mapped[list["Post"]] = relationship(back_populates="author")
    roles: Mapped[list["Role"]] = relationship(lazy="selectin")

class Post(Base):
    id: Mapped[int] = mapped_column(primary_key=True)
    author: Mapped["User"] = relationship(back_populates="posts")
    tags: Mapped[list["Tag"]] = relationship()
"""


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit_async", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules["audit_async"] = module
    spec.loader.exec_module(module)
    return module


def audit(tool: ModuleType, folder: Path, **files: str) -> list:
    for name, code in files.items():
        (folder / f"{name}.py").write_text(code)
    modules = [tool.parse(path) for path in tool.files([folder])]
    return tool.audit(tool.CodeBase(modules))


def marked(code: str) -> list[int]:
    return [number for number, line in enumerate(code.splitlines(), 1) if "# !" in line]


FOUND = [
    (
        "sync-query",
        """
        async def read(db):
            return db.query(User).filter(User.id == 1).first()  # !
        """,
        "(await db.scalars(select(User).where(User.id == 1).limit(1))).first()",
    ),
    (
        "sync-query",
        """
        async def names(session):
            return session.query(User.name, User.id).order_by(User.name).all()  # !
        """,
        "(await session.execute(select(User.name, User.id).order_by(User.name))).all()",
    ),
    (
        "sync-query",
        """
        async def read(db):
            return db.query(User).options(joinedload(User.posts)).all()  # !
        """,
        "(await db.scalars(select(User).options(joinedload(User.posts)))).unique().all()",
    ),
    (
        "sync-query",
        """
        async def remove(db):
            db.query(User).filter_by(id=1).delete()  # !
        """,
        "await db.execute(delete(User).filter_by(id=1))",
    ),
    (
        "sync-query",
        """
        async def change(db):
            db.query(User).filter(User.id == 1).update({"name": "Ada"})  # !
        """,
        "await db.execute(update(User).where(User.id == 1).values({'name': 'Ada'}))",
    ),
    (
        "sync-query",
        """
        async def count(db):
            return db.query(User).filter(User.id > 1).count()  # !
        """,
        "await db.scalar(select(func.count()).select_from("
        "select(User).where(User.id > 1).subquery()))",
    ),
    (
        "sync-query",
        """
        def read(db: AsyncSession):
            return db.query(User).get(1)  # !
        """,
        "await db.get(User, 1)",
    ),
    (
        "sync-session",
        """
        async def read(
            db: Session,  # !
        ):
            return db.execute(select(User)).all()
        """,
        "db: AsyncSession, from a dependency that yields an AsyncSession",
    ),
    (
        "sync-session",
        """
        from sqlalchemy import create_engine
        from sqlalchemy.orm import sessionmaker
        SessionLocal = sessionmaker(create_engine(url))
        def get_db():
            db = SessionLocal()
            try:
                yield db
            finally:
                db.close()
        async def read(
            db=Depends(get_db),  # !
        ):
            db.commit()
        """,
        "db: AsyncSession, from a dependency that yields an AsyncSession",
    ),
    (
        "sync-session",
        """
        from sqlalchemy.orm import sessionmaker
        SessionLocal = sessionmaker(bind=engine)
        async def read():
            with SessionLocal() as db:  # !
                return db.scalars(select(User)).all()
        """,
        "async with async_session() as db:  # an async_sessionmaker",
    ),
    (
        "sync-session",
        """
        def find(db: Session):
            return db.get(User, 1)
        async def read(db: Session):  # !
            return find(db)
        """,
        "db: AsyncSession, from a dependency that yields an AsyncSession",
    ),
    (
        "sync-session",
        """
        class Users:
            def __init__(self, session: Session):
                self.session = session
            async def read(self):
                return self.session.get(User, 1)  # !
        """,
        "async with async_session() as session:  # an async_sessionmaker",
    ),
    (
        "missing-await",
        """
        async def save(session: AsyncSession):
            session.commit()  # !
        """,
        "await session.commit()",
    ),
    (
        "missing-await",
        """
        async def read(session: AsyncSession):
            users = session.execute(select(User)).scalars().all()  # !
            return users
        """,
        "users = (await session.execute(select(User))).scalars().all()",
    ),
    (
        "missing-await",
        """
        async def read(session: AsyncSession):
            user = session.get(User, 1)  # !
            return user.name
        """,
        "user = await session.get(User, 1)",
    ),
    (
        "missing-await",
        """
        Db = Annotated[AsyncSession, Depends(get)]
        async def read(db: Db):
            for user in db.scalars(select(User)):  # !
                print(user)
        """,
        "await db.scalars(select(User))",
    ),
    (
        "missing-await",
        """
        maker = async_sessionmaker(engine)
        async def save():
            async with maker() as session:
                session.add(User())
                session.flush()  # !
        """,
        "await session.flush()",
    ),
    (
        "missing-await",
        """
        @asynccontextmanager
        async def transaction():
            async with AsyncSession(engine) as session:
                yield session
        async def save():
            async with transaction() as tx:
                tx.delete(user)  # !
        """,
        "await tx.delete(user)",
    ),
    (
        "missing-await",
        """
        class Users:
            def __init__(self, session: AsyncSession):
                self.session = session
            async def save(self):
                self.session.refresh(user)  # !
        """,
        "await self.session.refresh(user)",
    ),
    (
        "missing-await",
        """
        engine = create_async_engine(url)
        async def ping():
            async with engine.connect() as connection:
                return connection.execute(query).one()  # !
        """,
        "return (await connection.execute(query)).one()",
    ),
    (
        "missing-await",
        """
        async def save(session: AsyncSession): ...
        async def endpoint(session: AsyncSession):
            save(session)  # !
        """,
        "await save(session)",
    ),
    (
        "missing-await",
        """
        def save(session: AsyncSession):
            session.commit()  # !
        """,
        "in `async def`: await session.commit()",
    ),
    (
        "missing-await",
        """
        async def read(factory):
            async with factory.get_session() as session:
                return bool(session.scalar(query))  # !
        """,
        "return bool(await session.scalar(query))",
    ),
    (
        "missing-await",
        """
        async def rename(session: AsyncSession):
            user = session.get(User, 1)  # !
            if user is None:
                return
            user.name = "Ada"
        """,
        "user = await session.get(User, 1)",
    ),
    (
        "needless-await",
        """
        async def save(session: AsyncSession):
            await session.add(User())  # !
        """,
        "session.add(User())",
    ),
    (
        "needless-await",
        """
        async def read(session: AsyncSession):
            result = await session.execute(select(User))
            return await result.scalars()  # !
        """,
        "return result.scalars()",
    ),
    (
        "sync-driver",
        """
        engine = create_async_engine("mysql+pymysql://root:hunter2@db/app")  # !
        """,
        "mysql+aiomysql://...",
    ),
    (
        "sync-driver",
        """
        URL = "sqlite:///./app.db"  # !
        engine = create_async_engine(URL)
        """,
        "sqlite+aiosqlite://...",
    ),
    (
        "lazy-load",
        """
        async def read(session: AsyncSession):
            user = (await session.execute(select(User).where(User.id == 1))).scalar_one()
            return user.posts  # !
        """,
        "select(User).options(selectinload(User.posts))",
    ),
    (
        "lazy-load",
        """
        async def read(session: AsyncSession):
            posts = (await session.scalars(select(Post))).all()
            return [post.author.name for post in posts]  # !
        """,
        "select(Post).options(joinedload(Post.author))",
    ),
    (
        "lazy-load",
        """
        async def read(session: AsyncSession):
            user = await session.get(User, 1)
            user.posts.append(Post())  # !
        """,
        "select(User).options(selectinload(User.posts))",
    ),
    (
        "lazy-load",
        """
        async def read(session: AsyncSession):
            users = await session.scalars(select(User).options(selectinload(User.posts)))
            for user in users:
                for post in user.posts:
                    print(post.author.name, post.tags)  # !
        """,
        "select(Post).options(selectinload(Post.tags))",
    ),
    (
        "expired-attribute",
        """
        maker = async_sessionmaker(engine)
        async def rename():
            async with maker() as session:
                user = await session.get(User, 1)
                await session.commit()
                return user.name  # !
        """,
        "async_sessionmaker(engine, expire_on_commit=False), "
        "or before it: await session.refresh(user)",
    ),
    (
        "expired-attribute",
        """
        maker = async_sessionmaker(engine)
        async def create(session: AsyncSession):
            user = User(name="Ada")
            session.add(user)
            await session.commit()
            print(user.id)  # !
        """,
        "async_sessionmaker(engine, expire_on_commit=False), "
        "or before it: await session.refresh(user)",
    ),
    (
        "blocking-call",
        """
        async def wait():
            time.sleep(1)  # !
        """,
        "await asyncio.sleep(1)",
    ),
    (
        "blocking-call",
        """
        async def fetch():
            return requests.get("https://ada:hunter2@example.org", timeout=3)  # !
        """,
        "async with httpx.AsyncClient() as client: "
        "await client.get('https://ada:***@example.org', timeout=3)",
    ),
    (
        "blocking-call",
        """
        async def fetch():
            with httpx.Client() as client:  # !
                return client.get("/")
        """,
        "async with httpx.AsyncClient() as client: await client....()",
    ),
    (
        "blocking-call",
        """
        async def run():
            subprocess.run(["ls"], check=True)  # !
        """,
        "await asyncio.to_thread(subprocess.run, ['ls'], check=True)",
    ),
    (
        "blocking-call",
        """
        def pause(seconds):
            time.sleep(seconds)
        async def wait():
            pause(2)  # !
        """,
        "await asyncio.to_thread(pause, 2)",
    ),
    (
        "lost-session",
        """
        async def read(session: AsyncSession):
            await asyncio.gather(one(session), two(session))  # !
        """,
        "in each task: async with async_session() as session:",
    ),
    (
        "lost-session",
        """
        async def read(session: AsyncSession):
            await asyncio.gather(*(one(session, number) for number in range(3)))  # !
        """,
        "in each task: async with async_session() as session:",
    ),
    (
        "lost-session",
        """
        async def read(session: AsyncSession):
            async def one(number):
                return await session.get(User, number)
            tasks = [one(number) for number in range(3)]
            return await asyncio.gather(*tasks)  # !
        """,
        "in each task: async with async_session() as session:",
    ),
    (
        "lost-session",
        """
        async def read(db: AsyncSession):
            async with asyncio.TaskGroup() as tasks:
                for number in range(3):
                    tasks.create_task(one(db, number))  # !
        """,
        "in each task: async with async_session() as db:",
    ),
]


@pytest.mark.parametrize(("rule", "code", "instead"), FOUND)
def test_finding_has_its_rule_its_line_and_what_to_write_instead(
    tool: ModuleType, tmp_path: Path, rule: str, code: str, instead: str
) -> None:
    code = PREAMBLE + dedent(code)
    findings = [f for f in audit(tool, tmp_path, sample=code) if f.rule == rule]
    assert [finding.line for finding in findings] == marked(code)
    assert findings[0].instead == instead
    assert "hunter2" not in str(findings)


def test_every_rule_has_a_sample(tool: ModuleType) -> None:
    assert {rule for rule, _, _ in FOUND} == set(tool.RULES)


LEFT_ALONE = {
    "the same call, awaited": """
        async def save(session: AsyncSession):
            async with session.begin():
                session.add(User())
                await session.flush()
            result = await session.stream(select(User))
            async for user in result.scalars():
                print(user.name)
            return (await session.execute(select(User))).scalars().all()
        """,
    "a coroutine that is awaited later": """
        async def read(session: AsyncSession):
            task = asyncio.create_task(session.execute(select(User)))
            count = session.scalar(select(func.count(User.id)))
            return await task, await count
        """,
    "a coroutine that a sync function hands on": """
        def read(session: AsyncSession):
            return session.execute(select(User))
        async def endpoint(session: AsyncSession):
            return (await read(session)).all()
        """,
    "a stream as a context": """
        engine = create_async_engine(url)
        async def read():
            async with engine.connect() as connection, connection.stream(query) as result:
                async for row in result:
                    print(row)
        """,
    "a query of something else": """
        async def read(client, df, session, db):
            client.query("select 1")
            df.query("a > 1")
            session.query("select 1")
            return await db.query(User)
        """,
    "sync code in a sync function": """
        def read(db: Session):
            time.sleep(1)
            requests.get("https://example.org")
            return db.query(User).all()
        """,
    "sync work handed to a thread": """
        from fastapi.concurrency import run_in_threadpool
        def find(db: Session):
            return db.query(User).all()
        async def read(db: Session):
            def work():
                time.sleep(1)
                return db.query(User).all()
            await asyncio.to_thread(work)
            await asyncio.to_thread(lambda: time.sleep(1))
            await asyncio.to_thread(time.sleep, 1)
            await run_in_threadpool(find, db)
        """,
    "a sync session inside run_sync": """
        def find(db: Session):
            return db.query(User).all()
        async def read(session: AsyncSession):
            await session.run_sync(find)
            return await session.run_sync(lambda db: db.query(User).all())
        """,
    "a Session that is another thing": """
        from app.models import Session
        async def read(session: Session):
            return session.execute()
        """,
    "a dependency that gives an async session in spite of its name": """
        maker = async_sessionmaker(engine, expire_on_commit=False)
        async def get_db():
            async with maker() as db:
                yield db
        async def read(db=Depends(get_db)):
            await db.commit()
        """,
    "a relationship that is loaded": """
        async def read(session: AsyncSession):
            query = select(User).options(selectinload(User.posts).selectinload(Post.tags))
            user = (await session.scalars(query)).one()
            print(user.posts[0].tags, user.roles, user.name)
            user = await session.get(User, 2, options=[selectinload(User.posts)])
            print(user.posts)
            user = await session.get(User, 3)
            await session.refresh(user, ["posts"])
            print(user.posts)
            user = await session.get(User, 4)
            print(await user.awaitable_attrs.posts)
            print(user.posts)
            post = await session.get(Post, 5)
            post.author = user
            print(post.author)
        """,
    "options that cannot be seen": """
        async def read(session: AsyncSession, options):
            user = (await session.scalars(select(User).options(*options))).one()
            return user.posts
        """,
    "options in one branch": """
        async def read(session: AsyncSession, full):
            query = select(User)
            if full:
                query = query.options(selectinload(User.posts))
            user = await session.scalar(query)
            return user.posts if full else []
        """,
    "a commit that expires nothing": """
        maker = async_sessionmaker(engine, expire_on_commit=False)
        async def rename(session: AsyncSession):
            user = await session.get(User, 1)
            await session.commit()
            return user.name
        """,
    "an object that is refreshed or loaded anew": """
        maker = async_sessionmaker(engine)
        async def rename(session: AsyncSession):
            user = await session.get(User, 1)
            await session.commit()
            await session.refresh(user)
            print(user.name)
            await session.commit()
            user = await session.get(User, 1)
            print(user.name)
            if user.id:
                await session.commit()
                return None
            return user.name
        """,
    "a commit that failed, and an object that was not added or was deleted": """
        maker = async_sessionmaker(engine)
        async def rename(session: AsyncSession, owner: User):
            user = await session.get(User, 1)
            session.add(Post(author_id=owner.id))
            try:
                await session.commit()
            except ValueError:
                print(user.id)
                raise
            print(owner.id)
            other = await session.get(User, 2)
            await session.delete(other)
            await session.commit()
            return other.id
        """,
    "a function of the code base that reads like a sessionmaker": """
        from sqlalchemy import create_engine
        def connect(is_async):
            return create_async_engine(url) if is_async else create_engine(url)
        def read():
            with connect(False).connect() as connection:
                connection.execute(query)
                connection.commit()
        """,
    "what a coroutine object has of its own": """
        async def work(session: AsyncSession): ...
        class Job:
            def __await__(self):
                return self.run().__await__()
            async def run(self): ...
        def start(session: AsyncSession):
            task = work(session)
            task.close()
            return work(session)
        """,
    "what surrounds async HTTP and processes": """
        async def fetch():
            await asyncio.sleep(1)
            await asyncio.create_subprocess_exec("ls")
            async with httpx.AsyncClient() as client:
                return await client.get("/")
        async def shadow(requests):
            return requests.get("key")
        """,
    "a session for each task": """
        maker = async_sessionmaker(engine, expire_on_commit=False)
        async def one(number):
            async with maker() as session:
                return await session.get(User, number)
        async def read(session: AsyncSession, sessions: list[AsyncSession]):
            await asyncio.gather(*(one(number) for number in range(3)))
            await asyncio.gather(*(two(session) for session in sessions))
            await asyncio.gather(two(session), one(1))
        """,
    "the URL of a sync engine, and one that is rewritten": """
        from sqlalchemy import create_engine
        URL = "postgresql://db/app"
        sync_engine = create_engine("sqlite:///app.db")
        engine = create_async_engine(URL.replace("postgresql://", "postgresql+asyncpg://"))
        assert URL.startswith("mysql://") is False
        """,
    "a URL where no async engine is made": """
        URL = "postgresql://db/app"
        """,
}


@pytest.mark.parametrize("code", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_correct_code_is_left_alone(tool: ModuleType, tmp_path: Path, code: str) -> None:
    assert audit(tool, tmp_path, sample=PREAMBLE + dedent(code)) == []


def test_names_are_followed_across_files(tool: ModuleType, tmp_path: Path) -> None:
    findings = audit(
        tool,
        tmp_path,
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


def test_url_that_reaches_no_engine_for_sure_is_a_warning(tool: ModuleType, tmp_path: Path) -> None:
    code = PREAMBLE + 'engine = create_async_engine(url)\nDEFAULT = "mysql://root:hunter2@db/app"\n'
    (finding,) = audit(tool, tmp_path, sample=code)
    assert (finding.rule, finding.severity) == ("sync-driver", "warning")
    assert "hunter2" not in str(finding)


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("# audit: ignore", 0),
        ("# audit: ignore[missing-await]", 0),
        ("# audit: ignore[sync-query, missing-await]", 0),
        ("# audit: ignore[sync-query]", 1),
        ("# audited", 1),
    ],
)
def test_comment_silences_its_line(
    tool: ModuleType, tmp_path: Path, comment: str, found: int
) -> None:
    code = f"{PREAMBLE}async def save(session: AsyncSession):\n    session.commit()  {comment}\n"
    assert len(audit(tool, tmp_path, sample=code)) == found


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
        "(" * 60 + "1" + ")" * 60 + "\n",
    ],
)
def test_odd_code_is_survived(tool: ModuleType, tmp_path: Path, code: str) -> None:
    audit(tool, tmp_path, odd=code)


BAD = """\
from sqlalchemy.ext.asyncio import AsyncSession

async def save(session: AsyncSession):
    session.commit()
    await session.add(1)
"""


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False
    )


def test_findings_are_printed_with_their_place_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text(BAD)
    result = run(path)
    assert result.returncode == 1
    assert result.stdout.splitlines()[:2] == [
        f"{path}:4:5: missing-await: `session.commit()` gives a coroutine; "
        "without `await` nothing is run",
        "    await session.commit()",
    ]
    assert result.stderr == "2 findings in 1 file: 1 missing-await, 1 needless-await\n"


def test_json_has_every_field(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(BAD)
    findings = json.loads(run("--json", tmp_path).stdout)
    assert [finding["rule"] for finding in findings] == ["missing-await", "needless-await"]
    assert list(findings[0]) == ["file", "line", "column", "rule", "severity", "why", "instead"]


def test_nothing_found_is_success(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text("async def read(session): ...\n")
    result = run("--json", tmp_path)
    assert (result.returncode, json.loads(result.stdout)) == (0, [])


def test_rules_are_selected_and_ignored(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text(BAD)
    assert "needless-await" not in run("--select", "missing-await", path).stdout
    assert "missing-await" not in run("--ignore", "missing-await", path).stdout
    assert run("--ignore", "missing-await,needless-await", path).returncode == 0


def test_file_that_cannot_be_parsed_is_named_and_skipped(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(BAD)
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00")
    result = run(tmp_path)
    assert result.returncode == 1
    assert f"{tmp_path / 'broken.py'}: skipped, cannot be parsed" in result.stderr
    assert f"{tmp_path / 'binary.py'}: skipped, cannot be parsed" in result.stderr


def test_folders_of_others_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text("")
    for name in (".git", ".venv", "build", "node_modules"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "bad.py").write_text(BAD)
    assert run(tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "the following arguments are required: PATH"),
        (["missing.py"], "no such file or folder: missing.py"),
        (["--select", "lint", "."], "no such rule: lint"),
        (["{folder}"], "no Python file to read"),
    ],
)
def test_wrong_usage_is_refused(tmp_path: Path, arguments: list[str], words: str) -> None:
    result = run(*(argument.format(folder=tmp_path) for argument in arguments))
    assert result.returncode == 2
    assert words in result.stderr
