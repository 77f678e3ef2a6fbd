"""The rule for keys, lengths and counts: section 3 of the contract."""

import pytest

from tracking_server.entities.datasets import Dataset, DatasetInput
from tracking_server.entities.metrics import NewMetric
from tracking_server.entities.runs import LogBatch
from tracking_server.entities.tags import Param, Tag
from tracking_server.errors import InvalidParameter
from tracking_server.services import limits


@pytest.mark.parametrize(
    "key",
    ["a", "a/b", "a.b-c d:e_f", "ключ/значение", "ä", "9", ".hidden", "a..b", "a/..b", "mlflow.runName", "k" * 250],
)
def test_keys(key: str) -> None:
    limits.check_key(key)


@pytest.mark.parametrize(
    "key",
    ["a//b", "a/../b", "./a", "a/", "/a", "..", "../a", ".", "a\n", "a\x00", "a?b", "a=b", "a\\b", "k" * 251, "🎉"],
)
def test_keys_that_would_be_other_files_or_hold_other_characters(key: str) -> None:
    with pytest.raises(InvalidParameter, match="'here'"):
        limits.check_key(key, "here")


def test_a_value_is_cut_off_only_if_that_is_allowed() -> None:
    assert limits.fitting("xyz", 3, "v", truncate=False) == "xyz"
    assert limits.fitting("xyz", 2, "v", truncate=True) == "xy"
    with pytest.raises(InvalidParameter, match="'v' exceeds the maximum length of 2 characters: it has 3"):
        limits.fitting("xyz", 2, "v", truncate=False)


def test_what_fits_is_not_copied() -> None:
    param, tag = Param("k", "v"), Tag("k", "v")
    assert limits.fitting_param(param, truncate=True) is param
    assert limits.fitting_run_tag(tag, truncate=True) is tag


def test_a_batch_is_cut_to_size() -> None:
    batch = LogBatch(run_id="r", params=(Param("p", "x" * 6001),), tags=(Tag("t", "y" * 8001),))
    fitting = limits.fitting_batch(batch, truncate=True)
    assert fitting == LogBatch(run_id="r", params=(Param("p", "x" * 6000),), tags=(Tag("t", "y" * 8000),))


def test_the_largest_batch_is_allowed() -> None:
    batch = LogBatch(
        run_id="r",
        metrics=(NewMetric(key="m", value=0, timestamp=0),) * 800,
        params=tuple(Param(str(number)) for number in range(100)),
        tags=(Tag("t"),) * 100,
    )
    assert limits.fitting_batch(batch, truncate=True) == batch


def test_long_keys_are_shown_shortened() -> None:
    with pytest.raises(InvalidParameter) as refused:
        limits.check_key("k" * 100_000)
    assert len(refused.value.message) < 600


def test_a_dataset_at_its_limits() -> None:
    dataset = Dataset(name="n" * 500, digest="d" * 36, source="s" * 65_535)
    limits.check_dataset_input(DatasetInput(dataset=dataset, tags=(Tag("k" * 255, "v" * 500),)), "here")
