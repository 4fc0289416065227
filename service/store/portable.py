"""What stands for the same on SQLite and on PostgreSQL; tables, migrations and queries are written in these words."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Integer, Text, TextClause
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

__all__ = ["NUMBER", "TEXT", "insert", "only", "texts"]  # SQLite's compiler writes this insert's ON CONFLICT as well

TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of its bytes, on every machine: a system's order changes with its updates, under the indexes."""
NUMBER: Final = Integer().with_variant(BigInteger(), "postgresql")
"""A row's number, which SQLite gives by itself only to an INTEGER."""


def only(condition: ColumnElement[bool] | TextClause) -> dict[str, Any]:
    """Return the arguments of an index that holds only the rows that meet a condition."""
    return {"sqlite_where": condition, "postgresql_where": condition}


class texts(FunctionElement[Any]):  # noqa: N801 - it reads as the function that it is
    """The texts of a JSON list, as rows of one column, `value`."""

    name = "texts"
    inherit_cache = True


@compiles(texts, "sqlite")
def _texts_of_sqlite(element: texts, compiler: SQLCompiler, **how: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **how)})"


@compiles(texts, "postgresql")
def _texts_of_postgresql(element: texts, compiler: SQLCompiler, **how: Any) -> str:
    return f"json_array_elements_text(CAST({compiler.process(element.clauses, **how)} AS JSON))"
