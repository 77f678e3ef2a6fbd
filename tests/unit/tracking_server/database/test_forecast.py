from tracking_server.database.check import Step
from tracking_server.database.forecast import TableSize, forecast


def step(*rewrites: str) -> Step:
    return Step(lineage="mlflow", revision="a", title="a", is_additive=False, rewrites=rewrites)


def test_a_table_counts_as_often_as_it_is_copied() -> None:
    sizes = {"metrics": TableSize(rows=1_000_000, size_bytes=9), "params": TableSize(rows=500_000, size_bytes=None)}
    expected = forecast("postgresql", [step("metrics"), step("metrics", "params"), step()], sizes)
    assert expected.copies == {"metrics": 2, "params": 1}
    assert expected.seconds == 25
    assert expected.basis.startswith("about 2500000 rows to copy")
    assert "100000 rows a second" in expected.basis


def test_a_table_that_is_made_on_the_way_is_empty() -> None:
    expected = forecast("sqlite", [step("spans")], {})
    assert (expected.copies, expected.sizes, expected.seconds) == ({}, {}, 0)


def test_what_the_engine_does_not_know_is_said() -> None:
    expected = forecast("postgresql", [step("metrics")], {"metrics": TableSize(rows=None, size_bytes=9)})
    assert expected.seconds == 0
    assert "without metrics" in expected.basis
