from collections.abc import Iterator, Mapping
from typing import Any

from tracking_operator.resource.rules import RULES
from tracking_operator.resource.schema import resource_schema


def test_every_rule_of_the_definition_has_a_twin_and_no_twin_is_left_over() -> None:
    rules = {rule for rule in _rules(resource_schema()) if "oldSelf" not in rule}
    assert rules == set(RULES)


def _rules(schema: Mapping[str, Any]) -> Iterator[str]:
    for validation in schema.get("x-kubernetes-validations", ()):
        yield validation["rule"]
    inner = (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties"))
    for one in inner:
        if one is not None:
            yield from _rules(one)
