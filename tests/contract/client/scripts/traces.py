"""Print the traces that the client reads of each place, by their ids. `--write` writes some into the first before."""

import json
import sys
from contextlib import suppress
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Assessment, AssessmentSource, TraceInfo

PERSON = AssessmentSource(source_type="HUMAN", source_id="me")


def write() -> None:
    """Traces that ended well, ended badly, and have all kinds of assessments."""
    mlflow.set_experiment("traced")
    with mlflow.start_span("predict", attributes={"a": 1}) as span:
        span.set_inputs({"question": "ä?"})
        span.set_outputs("yes")
        mlflow.update_current_trace(
            tags={"deep.er": "ü", "empty": ""},
            metadata={"mlflow.trace.session": "s-1", "mlflow.trace.tokenUsage": '{"input_tokens": 3}'},
            client_request_id="c-1",
        )
    judged = span.trace_id
    first = mlflow.log_feedback(
        trace_id=judged, name="good", value=0.5, source=PERSON, rationale="so", metadata={"k": "v"}
    )
    mlflow.override_feedback(trace_id=judged, assessment_id=first.assessment_id, value=True)
    mlflow.log_feedback(trace_id=judged, name="failed", error=ValueError("no"))
    mlflow.log_expectation(trace_id=judged, name="answer", value={"ä": [1, 2]}, source=PERSON)
    mlflow.log_expectation(trace_id=judged, name="words", value=5, source=PERSON)
    with suppress(ZeroDivisionError), mlflow.start_span("fail"):
        _ = 1 / 0


def told(assessment: Assessment) -> dict[str, Any]:
    names = ("name", "rationale", "metadata", "span_id", "run_id", "create_time_ms", "last_update_time_ms", "overrides")
    return {
        **{name: getattr(assessment, name) for name in names},
        "id": assessment.assessment_id,
        "valid": assessment.valid is not False,  # the file store forgets it of expectations
        "source": assessment.source.to_dictionary(),
        "feedback": assessment.feedback.to_dictionary() if assessment.feedback else None,
        "expectation": assessment.expectation.to_dictionary() if assessment.expectation else None,
    }


def trace(found: TraceInfo) -> dict[str, Any]:
    names = ("trace_id", "experiment_id", "request_time", "execution_duration", "state", "client_request_id", "tags")
    return {
        **{name: getattr(found, name) for name in (*names, "trace_metadata", "request_preview", "response_preview")},
        "assessments": sorted(map(told, found.assessments), key=lambda each: str(each["id"])),
    }


def read(uri: str) -> list[dict[str, Any]]:
    client = MlflowClient(uri)
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    found = client.search_traces(locations=ids, include_spans=False, max_results=500)
    return sorted((trace(each.info) for each in found), key=lambda each: str(each["trace_id"]))


def main(*arguments: str) -> None:
    places = [each for each in arguments if each != "--write"]
    mlflow.set_tracking_uri(places[0])
    if "--write" in arguments:
        write()
    print(json.dumps([read(place) for place in places]))


if __name__ == "__main__":
    main(*sys.argv[1:])
