"""Code with and without `sync-query` findings."""

FOUND = [
    (
        """
        async def read(db):
            return db.query(User).filter(User.id == 1).first()  # !
        """,
        "(await db.scalars(select(User).where(User.id == 1).limit(1))).first()",
    ),
    (
        """
        async def names(session):
            return session.query(User.name, User.id).order_by(User.name).all()  # !
        """,
        "(await session.execute(select(User.name, User.id).order_by(User.name))).all()",
    ),
    (
        """
        async def read(db):
            return db.query(User).options(joinedload(User.posts)).all()  # !
        """,
        "(await db.scalars(select(User).options(joinedload(User.posts)))).unique().all()",
    ),
    (
        """
        async def remove(db):
            db.query(User).filter_by(id=1).delete()  # !
        """,
        "await db.execute(delete(User).filter_by(id=1))",
    ),
    (
        """
        async def change(db):
            db.query(User).filter(User.id == 1).update({"name": "Ada"})  # !
        """,
        "await db.execute(update(User).where(User.id == 1).values({'name': 'Ada'}))",
    ),
    (
        """
        async def count(db):
            return db.query(User).filter(User.id > 1).count()  # !
        """,
        "await db.scalar(select(func.count()).select_from("
        "select(User).where(User.id > 1).subquery()))",
    ),
    (
        """
        def read(db: AsyncSession):
            return db.query(User).get(1)  # !
        """,
        "await db.get(User, 1)",
    ),
]

ACCEPTED = {
    "`query` methods of other objects": """
        async def read(client, df, session, db):
            client.query("select 1")
            df.query("a > 1")
            session.query("select 1")
            return await db.query(User)
        """,
}
