"""Tags and params: a key and a text. Tags may change, a param is written once.

Positional and outside the garbage collector (`gc=False`): a page of a thousand runs holds tens of thousands of them.
"""

import msgspec

from tracking_server.entities.shapes import NonEmpty

RUN_NAME_TAG = "mlflow.runName"
"""Always equal to the run's name: writing either writes both."""

LOG_MODEL_HISTORY_TAG = "mlflow.log-model.history"
DATASET_CONTEXT_TAG = "mlflow.data.context"

MODEL_VERSIONS_TAG = "mlflow.modelVersions"
"""On a logged model: a JSON list of the model versions that were made of it."""

IS_PROMPT_TAG = "mlflow.prompt.is_prompt"
"""`true` on a registered model makes a prompt of it, on a version a version of a prompt."""


class Tag(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A tag of an experiment, a run, a dataset input, a logged model, a registered model or a version of one."""

    key: NonEmpty
    value: str = ""


class Param(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A parameter of a run or a logged model."""

    key: NonEmpty
    value: str = ""
