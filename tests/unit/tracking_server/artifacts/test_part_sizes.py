import pytest

from tracking_server.artifacts.part_sizes import part_bytes

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("limit", "largest_object"), [(10_000, 5 * 1024**4), (50_000, 20 * 1024**4)], ids=["s3", "azure"]
)
def test_the_parts_that_there_may_be_hold_the_largest_object_that_there_may_be(limit: int, largest_object: int) -> None:
    sizes = [part_bytes(5 * MIB, limit, number) for number in range(limit)]
    assert sum(sizes) >= largest_object
    assert sizes == sorted(sizes)
    assert max(sizes) <= 4000 * MIB


def test_parts_stay_small_up_to_five_gigabytes() -> None:
    assert {part_bytes(5 * MIB, 10_000, number) for number in range(967)} == {5 * MIB, 10 * MIB}
    assert sum(part_bytes(5 * MIB, 10_000, number) for number in range(600)) > 5 * 1024 * MIB


def test_a_store_without_a_limit_never_needs_larger_ones() -> None:
    assert part_bytes(5 * MIB, 1_000_000_000, 10_000_000) == 5 * MIB
