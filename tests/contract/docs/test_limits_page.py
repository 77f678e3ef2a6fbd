"""docs/reference/limits.md has the numbers of the code."""

import re
from pathlib import Path

from tracking_server import connections
from tracking_server.services import limits
from tracking_server.web import app, route
from tracking_server.wire import decode

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "limits.md"


def test_the_numbers_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| (.+?) \| (\d+) \|$", PAGE.read_text(), flags=re.MULTILINE)
    assert [int(number) for _, number in rows] == [
        *(limits.MAX_KEY, limits.MAX_PARAM_VALUE, limits.MAX_TAG_VALUE, limits.MAX_EXPERIMENT_NAME),
        *(limits.MAX_EXPERIMENT_TAG_VALUE, limits.MAX_SAVED_VIEWS),
        *(limits.MAX_METRICS, limits.MAX_PARAMS, limits.MAX_TAGS, limits.MAX_ITEMS),
        *limits.MAX_DATASET_FIELDS.values(),
        *(limits.MAX_INPUT_TAG_KEY, limits.MAX_INPUT_TAG_VALUE, limits.MAX_SEARCHED_DATASETS),
        *(route.BODY_LIMIT_BYTES, decode.MOST_VALUES),
        *(connections.HEAD_LIMIT_BYTES, connections.HEAD_LIMIT_FIELDS, connections.PIPELINE_LIMIT),
        *(app.WAITING_LIMIT, app.BODY_BUDGET_BYTES, app.ANSWER_BUDGET_BYTES),
    ]
