"""Names for what comes without one, and the ids of experiments."""

import itertools
import re

import pytest

from tracking_server.errors import DoesNotExist, InvalidParameter
from tracking_server.services.experiment_ids import experiment_key, parse_experiment_id
from tracking_server.services.names import ADJECTIVES, NOUNS, random_name


def test_a_name_is_an_adjective_a_noun_and_a_number() -> None:
    assert random_name(lambda choices: choices[-1]) == f"{ADJECTIVES[-1]}-{NOUNS[-1]}-1000"


def test_every_name_fits_whole() -> None:
    longest = max(len(f"{adjective}-{noun}-1000") for adjective, noun in itertools.product(ADJECTIVES, NOUNS))
    assert longest <= 20
    assert all(re.fullmatch("[a-z]+", word) for word in (*ADJECTIVES, *NOUNS))
    assert len(set(ADJECTIVES)) == len(ADJECTIVES)
    assert len(set(NOUNS)) == len(NOUNS)


@pytest.mark.parametrize("text", ["", "x", "1.0", " 1", "1 ", "+1", "--1", "0x1", "1e3", "٣", "1\n", "9" * 31])
def test_an_id_is_a_decimal_integer(text: str) -> None:
    with pytest.raises(InvalidParameter, match="must be a valid integer"):
        parse_experiment_id(text)


def test_an_id_that_the_column_cannot_hold_is_not_found() -> None:
    assert experiment_key("2147483647", "postgresql") == 2**31 - 1
    assert experiment_key("123456789012345678", "sqlite") == 123456789012345678
    for text, dialect in (("2147483648", "postgresql"), ("-2147483649", "mysql"), (str(2**63), "sqlite")):
        with pytest.raises(DoesNotExist, match=f"No Experiment with id={text} exists"):
            experiment_key(text, dialect)
