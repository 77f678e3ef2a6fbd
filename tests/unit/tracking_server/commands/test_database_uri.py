from pathlib import Path

import pytest

from tracking_server.commands.database_uri import chosen_uri
from tracking_server.errors import ConfigInvalid

FILE, OTHER_FILE = Path("uri"), Path("other")


@pytest.mark.parametrize(
    ("uri_option", "file_option", "uri_variable", "file_variable", "chosen"),
    [
        pytest.param(None, None, None, None, None, id="nowhere"),
        pytest.param("a://", None, None, None, "a://", id="an option"),
        pytest.param(None, FILE, None, None, FILE, id="an option with a file"),
        pytest.param(None, None, "a://", None, "a://", id="a variable"),
        pytest.param(None, None, None, FILE, FILE, id="a variable with a file"),
        pytest.param("a://", None, "b://", FILE, "a://", id="an option wins over both variables"),
        pytest.param(None, FILE, "b://", OTHER_FILE, FILE, id="so does one with a file"),
        pytest.param("", None, "", FILE, FILE, id="blank is not given"),
    ],
)
def test_which_one_is_meant(
    uri_option: str | None,
    file_option: Path | None,
    uri_variable: str | None,
    file_variable: Path | None,
    chosen: str | Path | None,
) -> None:
    assert (
        chosen_uri(
            uri_option=uri_option, file_option=file_option, uri_variable=uri_variable, file_variable=file_variable
        )
        == chosen
    )


def test_two_at_the_same_place_are_refused() -> None:
    with pytest.raises(ConfigInvalid, match="--database-uri-file"):
        chosen_uri(uri_option="a://u:s3cret@h", file_option=FILE, uri_variable=None, file_variable=None)
    with pytest.raises(ConfigInvalid, match=r"MLFLOW_BACKEND_STORE_URI and TRACKPLANE_DATABASE_URI_FILE") as caught:
        chosen_uri(uri_option=None, file_option=None, uri_variable="a://u:s3cret@h", file_variable=FILE)
    assert "s3cret" not in caught.value.message
