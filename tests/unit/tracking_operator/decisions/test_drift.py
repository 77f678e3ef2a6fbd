from typing import Any

import pytest

from tracking_operator.decisions.drift import amount, differences


@pytest.mark.parametrize(
    ("wanted", "live"),
    [
        pytest.param({"a": 1}, {"a": 1, "b": 2}, id="a field of others"),
        pytest.param({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, id="a field of others further in"),
        pytest.param({"env": [{"name": "A", "value": ""}]}, {"env": [{"name": "A"}]}, id="empty text is dropped"),
        pytest.param({"labels": {}}, {}, id="an empty map is dropped"),
        pytest.param(
            {"env": [{"name": "A", "value": "1"}]},
            {"env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]},
            id="an element of others, in another order",
        ),
        pytest.param(
            {"ports": [{"name": "http", "port": 80}]},
            {"ports": [{"name": "http", "port": 80, "protocol": "TCP", "nodePort": 30500}]},
            id="a port with its default",
        ),
        pytest.param({"requests": {"cpu": "1000m"}}, {"requests": {"cpu": "1"}}, id="an amount written shorter"),
        pytest.param({"requests": {"memory": "1024Mi"}}, {"requests": {"memory": "1Gi"}}, id="bytes written shorter"),
        pytest.param({"rules": [{"a": 1}]}, {"rules": [{"a": 1, "default": True}]}, id="a default in an element"),
    ],
)
def test_what_is_as_wanted_does_not_differ(wanted: dict[str, Any], live: dict[str, Any]) -> None:
    assert differences(wanted, live) == ()


@pytest.mark.parametrize(
    ("wanted", "live", "paths"),
    [
        pytest.param({"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}, ("spec.replicas",), id="a value"),
        pytest.param({"spec": {"replicas": 0}}, {"spec": {}}, ("spec.replicas",), id="zero is not nothing"),
        pytest.param({"token": False}, {}, ("token",), id="false is not nothing"),
        pytest.param({"args": ["a", "b"]}, {"args": ["b", "a"]}, ("args",), id="the order of arguments"),
        pytest.param(
            {"containers": [{"name": "server", "image": "a"}]},
            {"containers": [{"name": "sidecar", "image": "x"}, {"name": "server", "image": "b"}]},
            ("containers[server].image",),
            id="an element by its key",
        ),
        pytest.param(
            {"containers": [{"name": "server"}]},
            {"containers": []},
            ("containers[server]",),
            id="an element that is not there",
        ),
        pytest.param(
            {"selector": {"app": "a"}}, {"selector": {"app": "a", "more": "b"}}, ("selector",), id="a selector is one"
        ),
        pytest.param({"limits": {"cpu": "1"}}, {"limits": {"cpu": "2"}}, ("limits.cpu",), id="an amount"),
        pytest.param(
            {"tolerations": [{"key": "a"}]}, {"tolerations": [{"key": "b"}]}, ("tolerations[0].key",), id="by place"
        ),
        pytest.param({"b": 1, "a": 1}, {}, ("a", "b"), id="sorted"),
    ],
)
def test_what_differs_is_named_by_its_path(
    wanted: dict[str, Any], live: dict[str, Any], paths: tuple[str, ...]
) -> None:
    assert differences(wanted, live) == paths


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        pytest.param("10Gi", 10 * 2**30, id="binary"),
        pytest.param("1.5G", 1_500_000_000, id="decimal"),
        pytest.param("1e3", 1000, id="exponent"),
        pytest.param(7, 7, id="number"),
        pytest.param("ten", 0, id="not a quantity"),
        pytest.param("10Xi", 0, id="not a suffix"),
    ],
)
def test_amounts(quantity: object, expected: int) -> None:
    assert amount(quantity) == expected
