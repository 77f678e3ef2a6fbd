"""Many rows in one statement: what each engine is sent, and with which parameters."""

import pytest

from tests.support.dialects import compiled
from tracking_server.database.schema import latest_metrics, params, tags
from tracking_server.database.statements.bulk_insert import BulkInsert, array_of_numbers, array_of_texts

IGNORING = BulkInsert([params.c.key, params.c.value], same=[params.c.run_uuid])
REPLACING = BulkInsert([tags.c.key, tags.c.value], same=[tags.c.run_uuid], replace=[tags.c.value])
NEWER = BulkInsert(
    [latest_metrics.c.key, latest_metrics.c.step, latest_metrics.c.value],
    same=[latest_metrics.c.run_uuid],
    replace=[latest_metrics.c.step, latest_metrics.c.value],
    newer_by=[latest_metrics.c.step, latest_metrics.c.value],
)


def sql(bulk_insert: BulkInsert, engine: str) -> str:
    columns = ["key", "value", "run_uuid", "step"]
    return compiled(bulk_insert.statement(engine), engine, columns if bulk_insert is NEWER else columns[:3])


LEAVING_ALONE = {
    "sqlite": 'INSERT INTO params ("key", value, run_uuid) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    "postgresql": (
        "INSERT INTO params (key, value, run_uuid) SELECT new_row.key, new_row.value, %(run_uuid)s::VARCHAR AS anon_1"
        " FROM unnest(%(key)s::TEXT[], %(value)s::TEXT[]) AS new_row(key, value) ON CONFLICT DO NOTHING"
    ),
    "mysql": (
        "INSERT INTO params (`key`, value, run_uuid) VALUES (%s, %s, %s) ON DUPLICATE KEY UPDATE `key` = params.`key`"
    ),
    "mssql": (
        "MERGE INTO [params] WITH (HOLDLOCK) AS old USING (VALUES (:key, :value, :run_uuid))"
        " AS new ([key], [value], [run_uuid]) ON old.[key] = new.[key] AND old.[run_uuid] = new.[run_uuid]"
        " WHEN NOT MATCHED THEN INSERT ([key], [value], [run_uuid])"
        " VALUES (new.[key], new.[value], new.[run_uuid]);"
    ),
}


@pytest.mark.parametrize("engine", LEAVING_ALONE)
def test_a_row_that_exists_is_left_alone(engine: str) -> None:
    assert sql(IGNORING, engine) == LEAVING_ALONE[engine]


@pytest.mark.parametrize(
    ("engine", "end"),
    [
        ("sqlite", 'ON CONFLICT ("key", run_uuid) DO UPDATE SET value = excluded.value'),
        ("postgresql", "ON CONFLICT (key, run_uuid) DO UPDATE SET value = excluded.value"),
        ("mysql", "ON DUPLICATE KEY UPDATE value = VALUES(value)"),
    ],
)
def test_a_row_that_exists_is_replaced(engine: str, end: str) -> None:
    assert sql(REPLACING, engine).endswith(end)


def test_mssql_replaces_by_merging() -> None:
    assert " WHEN MATCHED THEN UPDATE SET [value] = new.[value] WHEN NOT MATCHED" in sql(REPLACING, "mssql")


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_row_is_replaced_by_a_newer_one_only(engine: str) -> None:
    assert sql(NEWER, engine).endswith(
        "DO UPDATE SET value = excluded.value, step = excluded.step"
        " WHERE (excluded.step, excluded.value) > (latest_metrics.step, latest_metrics.value)"
    )


def test_mysql_assigns_what_is_compared_last_and_the_most_significant_at_the_very_end() -> None:
    is_newer = "(VALUES(step), VALUES(value)) > (latest_metrics.step, latest_metrics.value)"
    assert sql(NEWER, "mysql").endswith(
        f"UPDATE value = if({is_newer}, VALUES(value), latest_metrics.value),"
        f" step = if({is_newer}, VALUES(step), latest_metrics.step)"
    )


def test_mssql_compares_column_by_column() -> None:
    assert (
        "WHEN MATCHED AND (new.[step] > old.[step] OR (new.[step] = old.[step] AND (new.[value] > old.[value])))"
        in sql(NEWER, "mssql")
    )


def test_postgresql_takes_arrays_and_the_others_rows() -> None:
    rows = [("a", "1"), ("b", "2")]
    assert REPLACING.prepare("postgresql", rows, run_uuid="r").parameters == {
        "key": ["a", "b"],
        "value": ["1", "2"],
        "run_uuid": "r",
    }
    for engine in ("sqlite", "mysql", "mssql"):
        assert REPLACING.prepare(engine, rows, run_uuid="r").parameters == [
            {"key": "a", "value": "1", "run_uuid": "r"},
            {"key": "b", "value": "2", "run_uuid": "r"},
        ]


@pytest.mark.parametrize(
    ("items", "text"),
    [
        pytest.param(["a", "two words", "", "NULL", None], '{"a","two words","","NULL",NULL}', id="plain"),
        pytest.param(['"', "\\", "{,}", "a\nb"], '{"\\"","\\\\","{,}","a\nb"}', id="special"),
    ],
)
def test_texts_are_sent_to_postgresql_as_the_text_of_an_array(items: list[str | None], text: str) -> None:
    assert array_of_texts(items) == text


@pytest.mark.parametrize(
    ("items", "text"),
    [
        pytest.param([0.1, -1e300, 5e-324, 1.0], "{0.1,-1e300,5e-324,1.0}", id="doubles"),
        pytest.param([2**63 - 1, None, 0], "{9223372036854775807,null,0}", id="integers"),
        pytest.param([True, False], "{true,false}", id="truth-values"),
    ],
)
def test_numbers_are_sent_to_postgresql_as_the_text_of_an_array(items: list[float | None], text: str) -> None:
    assert array_of_numbers(items) == text
