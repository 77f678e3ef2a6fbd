"""Pages by key: what comes after a row in an order, on engines with and without comparison of tuples."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, or_


def is_after(columns: Sequence[ColumnElement[Any]], values: Sequence[Any]) -> ColumnElement[bool]:
    """`columns`, compared as one tuple in ascending order, are greater than `values`."""
    column, *columns_left = columns
    value, *values_left = values
    is_greater: ColumnElement[bool] = column > value
    if not columns_left:
        return is_greater
    return or_(is_greater, and_(column == value, is_after(columns_left, values_left)))
