def last_column(constraint: str) -> str | None:
    """The last column of a constraint or unique index that a model declares."""
    for table in Base.metadata.tables.values():
        for declared in (*table.constraints, *table.indexes):
            named = getattr(declared, "name", None) == constraint
            if named and isinstance(declared, ColumnCollectionMixin):
                return str(list(declared.columns)[-1].name)
    return None
