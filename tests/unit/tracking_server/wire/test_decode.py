"""MLflow's leniency: what its server accepts is accepted, and what is wrong is named."""

import math
import re
from collections.abc import Mapping, Sequence

import msgspec
import pytest

from tracking_server.entities.experiments import CreateExperiment, SearchExperiments
from tracking_server.entities.lifecycle import ViewType
from tracking_server.entities.logged_models import (
    FinalizeLoggedModel,
    GetLoggedModel,
    LoggedModelStatus,
    SearchLoggedModels,
)
from tracking_server.entities.metrics import GetMetricHistoryBulkInterval, LogMetric, NewMetric
from tracking_server.entities.runs import (
    CreateRun,
    DeleteRun,
    GetRun,
    LogBatch,
    LogParam,
    RunStatus,
    SearchRuns,
    UpdateRun,
)
from tracking_server.entities.tags import Param, Tag
from tracking_server.errors import InvalidParameter
from tracking_server.wire.decode import decoder
from tracking_server.wire.raw import RawRequest


def post(body: str | bytes, *, content_type: str = "application/json") -> RawRequest:
    return RawRequest(method="POST", body=body.encode() if isinstance(body, str) else body, content_type=content_type)


def get(query: Mapping[str, Sequence[str]], **path_parameters: str) -> RawRequest:
    return RawRequest(method="GET", query=query, path_parameters=path_parameters)


def test_a_request_of_the_client_decodes() -> None:
    body = """{"run_id": "r", "metrics": [{"key": "m", "value": 0.5, "timestamp": 7, "step": 2}],
               "params": [{"key": "p", "value": "1"}], "tags": [{"key": "t", "value": "x"}]}"""
    assert decoder(LogBatch)(post(body)) == LogBatch(
        run_id="r",
        metrics=(NewMetric(key="m", value=0.5, timestamp=7, step=2),),
        params=(Param("p", "1"),),
        tags=(Tag("t", "x"),),
    )


@pytest.mark.parametrize(
    ("body", "request_meant"),
    [
        pytest.param('{"experiment_id": "1", "colour": {"a": [1]}}', CreateRun(experiment_id="1"), id="unknown-field"),
        pytest.param(
            '{"experimentId": "1", "runName": "n"}', CreateRun(experiment_id="1", run_name="n"), id="camel-case"
        ),
        pytest.param(
            '{"experiment_id": "1", "run_name": null, "tags": null, "start_time": null}',
            CreateRun(experiment_id="1"),
            id="nulls-are-unset",
        ),
        pytest.param(
            '{"experiment_id": "1", "start_time": "12"}', CreateRun(experiment_id="1", start_time=12), id="int-text"
        ),
        pytest.param(r'"{\"experiment_id\": \"1\"}"', CreateRun(experiment_id="1"), id="json-inside-a-json-string"),
        pytest.param(
            '{"experiment_id": "1", "tags": [{"key": "k", "value": "v", "colour": 1}, {"key": "l", "value": null}]}',
            CreateRun(experiment_id="1", tags=(Tag("k", "v"), Tag("l", ""))),
            id="unknown-field-and-null-inside-a-list",
        ),
    ],
)
def test_the_unusual_is_understood(body: str, request_meant: CreateRun) -> None:
    assert decoder(CreateRun)(post(body)) == request_meant


@pytest.mark.parametrize(
    ("given", "status"),
    [
        pytest.param('"FINISHED"', RunStatus.FINISHED, id="name"),
        pytest.param("3", RunStatus.FINISHED, id="number"),
        pytest.param('"4"', RunStatus.FAILED, id="number-as-text"),
        pytest.param("5.0", RunStatus.KILLED, id="whole-float"),
        pytest.param('"DONE"', None, id="unknown-name-is-unset"),
        pytest.param("null", None, id="null"),
    ],
)
def test_a_status_comes_by_name_or_by_number(given: str, status: RunStatus | None) -> None:
    assert decoder(UpdateRun)(post(f'{{"run_id": "r", "status": {given}}}')).status == status


def test_an_unknown_number_is_refused_for_a_status_and_the_default_for_a_view() -> None:
    with pytest.raises(InvalidParameter, match="Invalid value 9 for parameter 'status' supplied"):
        decoder(UpdateRun)(post('{"run_id": "r", "status": 9}'))
    with pytest.raises(InvalidParameter, match=r"Invalid value 2\.5 for parameter 'status' supplied"):
        decoder(UpdateRun)(post('{"run_id": "r", "status": 2.5}'))
    assert decoder(SearchRuns)(post('{"run_view_type": 9}')).run_view_type is ViewType.ACTIVE_ONLY
    assert decoder(SearchRuns)(post('{"run_view_type": 2}')).run_view_type is ViewType.DELETED_ONLY
    assert decoder(SearchExperiments)(get({"view_type": ["3"]})).view_type is ViewType.ALL


@pytest.mark.parametrize(
    ("given", "value"),
    [
        pytest.param("1", 1.0, id="integer"),
        pytest.param('"2.5"', 2.5, id="numeric-text"),
        pytest.param('"Infinity"', math.inf, id="infinity"),
        pytest.param('"-Infinity"', -math.inf, id="minus-infinity"),
    ],
)
def test_a_double_comes_as_number_or_text(given: str, value: float) -> None:
    body = f'{{"run_id": "r", "key": "k", "timestamp": 1, "value": {given}}}'
    assert decoder(LogMetric)(post(body)).value == value


def test_nan_comes_as_text() -> None:
    assert math.isnan(decoder(LogMetric)(post('{"run_id": "r", "key": "k", "timestamp": 1, "value": "NaN"}')).value)


def test_a_bare_nan_is_not_json_and_counts_as_an_empty_body() -> None:
    with pytest.raises(InvalidParameter, match="Missing value for required parameter 'run_id'"):
        decoder(LogMetric)(post('{"run_id": "r", "key": "k", "timestamp": 1, "value": NaN}'))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param("{}", "Missing value for required parameter 'experiment_id'", id="missing"),
        pytest.param('{"experiment_id": ""}', "Missing value for required parameter 'experiment_id'", id="empty"),
        pytest.param('{"experiment_id": null}', "Missing value for required parameter 'experiment_id'", id="null"),
        pytest.param("not json", "Missing value for required parameter 'experiment_id'", id="malformed"),
        pytest.param("", "Missing value for required parameter 'experiment_id'", id="no-body"),
        pytest.param(
            b'{"experiment_id": "\xff"}', "Missing value for required parameter 'experiment_id'", id="bad-utf-8"
        ),
        pytest.param(r'{"experiment_id": "\ud800"}', "Missing value for required", id="lone-surrogate"),
        pytest.param("[" * 100_000, "nested too deeply", id="deep"),
        pytest.param(
            '{"experiment_id": 0}', "Invalid value 0 for parameter 'experiment_id' supplied", id="number-for-text"
        ),
        pytest.param(
            '{"experiment_id": "0", "tags": {}}', "Invalid value {} for parameter 'tags'", id="object-for-list"
        ),
        pytest.param('{"experiment_id": "0", "tags": [5]}', r"Invalid value 5 for parameter 'tags\[0\]'", id="item"),
        pytest.param(
            '{"experiment_id": "0", "tags": [{}]}', r"required parameter 'tags\[0\].key'", id="item-without-key"
        ),
        pytest.param(
            '{"experiment_id": "0", "tags": [{"key": "a"}, {"key": "k", "value": 5}]}',
            r"Invalid value 5 for parameter 'tags\[1\].value'",
            id="field-of-an-item",
        ),
        pytest.param(
            '{"experiment_id": "0", "start_time": 9223372036854775808}', "parameter 'start_time'", id="not-int64"
        ),
        pytest.param(
            '{"experiment_id": "0", "start_time": 1.5}', "Invalid value 1.5 for parameter 'start_time'", id="float"
        ),
        pytest.param(
            '{"experiment_id": "0", "run_name": "a", "runName": "b"}', "'run_name' was given twice", id="twice"
        ),
        pytest.param("[]", "must be a JSON object", id="list"),
        pytest.param("5", "must be a JSON object", id="bare-number"),
    ],
)
def test_what_is_wrong_is_named(body: str | bytes, message: str) -> None:
    with pytest.raises(InvalidParameter, match=message) as refused:
        decoder(CreateRun)(post(body))
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"run_id": 31, "key": "k"}', "Invalid value 31 for parameter 'run_id' supplied: "),
        ('{"run_id": "r", "key": {"a": [1]}}', "Invalid value {\"a\":[1]} for parameter 'key' supplied: "),
        ('{"run_id": "r", "timestamp": "x"}', "Missing value for required parameter 'key'."),
        ('{"run_id": "r", "key": "k", "value": "ü"}', "Missing value for required parameter 'timestamp'."),
        (
            '{"run_id": "r", "key": "k", "value": "\u00fc", "timestamp": 1}',
            "Invalid value \"\\u00fc\" for parameter 'value' supplied: Expected `float`, got `str`. Hint: Value was of",
        ),
    ],
)
def test_the_first_field_that_is_wrong_is_named_with_its_value_as_json(body: str, expected: str) -> None:
    with pytest.raises(InvalidParameter, match=f"^{re.escape(expected)}"):
        decoder(LogMetric)(post(body))


def test_an_empty_text_is_a_missing_param_value_but_a_missing_value_is_allowed() -> None:
    assert decoder(LogParam)(post('{"run_id": "r", "key": "k", "value": null}')).value == ""


def test_long_values_are_shown_shortened() -> None:
    with pytest.raises(InvalidParameter) as refused:
        decoder(CreateRun)(post(f'{{"experiment_id": ["{"x" * 10_000}"]}}'))
    assert len(refused.value.message) < 500


def test_run_uuid_stands_in_for_run_id_only_where_there_is_such_a_field() -> None:
    assert decoder(UpdateRun)(post('{"run_uuid": "u"}')).run_id == "u"
    assert decoder(UpdateRun)(post('{"run_uuid": "u", "run_id": "i"}')).run_id == "i"
    assert decoder(GetRun)(get({"run_uuid": ["u"]})).run_id == "u"
    with pytest.raises(InvalidParameter, match="Missing value for required parameter 'run_id'"):
        decoder(DeleteRun)(post('{"run_uuid": "u"}'))


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/jsonp"])
def test_a_body_must_say_that_it_is_json(content_type: str) -> None:
    with pytest.raises(InvalidParameter, match="Content-Type must be one of"):
        decoder(CreateRun)(post('{"experiment_id": "1"}', content_type=content_type))


def test_parameters_of_the_content_type_are_fine() -> None:
    assert decoder(CreateRun)(post('{"experiment_id": "1"}', content_type="application/json; charset=utf-8"))


def test_patch_and_delete_do_not_need_a_content_type() -> None:
    raw = RawRequest(method="DELETE", body=b'{"run_id": "r"}')
    assert decoder(DeleteRun)(raw).run_id == "r"


def test_a_query_repeats_the_key_of_a_list() -> None:
    query = {"run_ids": ["a", "b"], "metric_key": ["m"], "max_results": ["10"], "other": ["x"]}
    assert decoder(GetMetricHistoryBulkInterval)(get(query)) == GetMetricHistoryBulkInterval(
        run_ids=("a", "b"), metric_key="m", max_results=10
    )


@pytest.mark.parametrize(("text", "meaning"), [("true", True), ("TRUE", True), ("False", False)])
def test_a_flag_in_a_query_is_true_or_false_in_any_case(text: str, meaning: bool) -> None:
    assert decoder(GetLoggedModel)(get({"allow_deleted": [text]}, model_id="m")).allow_deleted is meaning


def test_other_text_is_not_a_flag() -> None:
    with pytest.raises(InvalidParameter, match="Invalid value \"1\" for parameter 'allow_deleted'"):
        decoder(GetLoggedModel)(get({"allow_deleted": ["1"]}, model_id="m"))


def test_the_path_names_the_model_and_the_body_repeats_it_where_mlflow_wants_that() -> None:
    decode = decoder(FinalizeLoggedModel, repeated_in_body=["model_id"])
    path = {"model_id": "m-1"}
    whole = RawRequest(
        method="PATCH", path_parameters=path, body=b'{"model_id": "m-1", "status": "LOGGED_MODEL_READY"}'
    )
    assert decode(whole) == FinalizeLoggedModel(model_id="m-1", status=LoggedModelStatus.READY)
    with pytest.raises(InvalidParameter, match="required parameter 'model_id'"):
        decode(RawRequest(method="PATCH", path_parameters=path, body=b'{"status": 2}'))
    with pytest.raises(InvalidParameter, match="required parameter 'status'"):
        decode(RawRequest(method="PATCH", path_parameters=path, body=b'{"model_id": "m-1", "status": "DONE"}'))


def test_a_required_list_may_be_empty_but_not_absent() -> None:
    assert decoder(SearchLoggedModels)(post('{"experiment_ids": []}')).experiment_ids == ()
    with pytest.raises(InvalidParameter, match="required parameter 'experiment_ids'"):
        decoder(SearchLoggedModels)(post("{}"))


def test_a_name_may_be_anything_but_empty() -> None:
    assert decoder(CreateExperiment)(post('{"name": "  "}')).name == "  "


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"experiment_id": "0", "x": [' + b"{}," * 300_000 + b"{}]}", id="objects"),
        pytest.param(b'{"experiment_id": "0", "x": [' + b"1," * 300_000 + b"1]}", id="numbers"),
        pytest.param(b'{"experiment_id": "0", "x": ["' + b'","' * 300_000 + b'"]}', id="texts"),
        pytest.param(b'{"experiment_id": "0", "tags": [' + b'{"key":"a"},' * 300_000 + b"]}", id="tags"),
    ],
)
def test_more_values_than_anybody_means_are_not_even_read(body: bytes) -> None:
    with pytest.raises(InvalidParameter, match="holds more than 200000 values"):
        decoder(CreateRun)(post(body))


def test_a_text_may_hold_whatever_a_document_is_made_of() -> None:
    value = ',[{"\\' * 300_000
    body = msgspec.json.encode({"run_id": "r", "key": "k", "value": value})
    assert decoder(LogParam)(post(body)).value == value


@pytest.mark.parametrize("status", ["1" * 5000, "99", "-1"])
def test_a_number_that_no_enumerator_has_is_refused_however_long(status: str) -> None:
    with pytest.raises(InvalidParameter, match="expected one of RUNNING"):
        decoder(UpdateRun)(post(msgspec.json.encode({"run_id": "r", "status": status})))


def test_what_only_looks_like_a_number_is_an_unknown_name() -> None:
    assert decoder(UpdateRun)(post(b'{"run_id": "r", "status": "--1"}')).status is None
