"""A column compared with a list of any length, in a statement whose text is always the same.

An `IN` with a parameter for each item is a new text for each number of items: SQLAlchemy writes it anew, the driver
takes it apart, the database parses and plans it. Of a thousand ids that costs as much as the rows that they find.
"""

from typing import Any, Self, cast

from sqlalchemy import JSON, BindParameter, Boolean, Column, String, Text, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class one_of(FunctionElement[bool]):  # noqa: N801 - as it reads in a statement
    """Whether `column` is in the parameter `name`, which is a list."""

    inherit_cache = True
    type = Boolean()

    def __init__(self, column: Column[Any], name: str) -> None:
        super().__init__(column, bindparam(name, expanding=True, type_=column.type))

    def self_group(self, against: object = None) -> Self:  # noqa: ARG002 - as the class above declares it
        """What it is compiled to is a comparison: engines without Booleans need no `= 1` behind it."""
        return self

    @property
    def parts(self) -> tuple[Column[Any], BindParameter[Any]]:
        column, items = self.clauses
        return cast(Column[Any], column), cast(BindParameter[Any], items)


@compiles(one_of)
def _parameter_for_each(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, items = element.parts
    return compiler.process(column.in_(items), **options)


@compiles(one_of, "postgresql")
def _array(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, items = element.parts
    # a cast to VARCHAR(n)[] would cut a longer text off
    item_type = Text() if isinstance(column.type, String) else column.type
    return compiler.process(column == any_(bindparam(items.key, type_=ARRAY(item_type))), **options)


@compiles(one_of, "sqlite")
def _json(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    return _in_json("json_each", element, compiler, **options)


@compiles(one_of, "mssql")
def _open_json(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    """SQL Server takes at most 2,100 parameters, and a page may have more rows."""
    return _in_json("openjson", element, compiler, **options)


def _in_json(function: str, element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, items = element.parts
    given = getattr(func, function)(bindparam(items.key, type_=JSON)).table_valued("value")
    return compiler.process(column.in_(select(given.c.value)), **options)
