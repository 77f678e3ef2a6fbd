"""What the message of an error has to say: the part that clients, and MLflow's own tests, look for."""

import re
from typing import Final

FAMILIES: Final = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"'[^']+' exceeds the maximum length of \d+ characters",
        r"Missing value for required parameter '[^']+'",
        r"Invalid value .{0,190}? for parameter '[^']+' supplied",
        r"The (?:run|experiment) \S+ must be in the 'active' state\. Current state is deleted",
        r"A batch logging request can contain at most \d+ [a-z, ]+\. Got \d+ [a-z, ]+\.",
        r"Experiment\(name=.*?\) already exists",
        r"No Experiment with id=\d+ exists",
        r"Could not find experiment with (?:name|ID) \S+",
        r"Invalid experiment ID '",
        r"Run with id=\S+ not found",
        r"No tag with name: .* in (?:run|experiment) with id \S+",
        r"Changing param values is not allowed\. Params? .*? value",
        r"Duplicate parameter keys have been submitted: \[.*?\]\.",
        r"Invalid path$",
        r"Invalid model name",
        r"Logged model with ID '\S+' not found",
        r"Model json is missing mandatory fields",
        r"GetMetricHistoryBulk(?:Interval)? request .*? run_ids?\.",
        r"SearchDatasets request .*? experiment_ids?\.",
        r"If either start step or end step are specified, both must be specified",
        r"end_step must be greater than start_step\. Found start_step=\S+ and end_step=\S+\.",
        r"max_results must be between 1 and 2500",
        r"Both dataset_name and dataset_digest must be provided if one is provided",
        r"Registered Model \(name=.*?\) already exists",
        r"Registered Model with name=.*? not found",
        r"Model Version \(name=.*?, version=",
        r"Registered model alias \S+ not found",
        r"Invalid model version source",
        r"Webhook with ID \S+ not found",
        r"Invalid page token",
        r"Request must specify \w+\.",
        r"'(?:source|artifact_location)' cannot use the '\S+' scheme",
        r"URL can't include fragments or params",
        r"Artifact location cannot be a runs:/ URI\.",
        r"(?:Multipart|Presigned) (?:up|down)load is not supported",
        r"No such artifact: ",
    )
)


def told(message: str) -> str:
    """The part of the message that has to be said; empty where only status and code count.

    MLflow's server calls a number of a query a text.
    """
    for family in FAMILIES:
        found = family.search(message)
        if found is not None:
            return re.sub(r'^Invalid value "([^"]*)"', r"Invalid value \1", found.group())
    return ""
