"""Fields of the contract that no decoder reads, each with the reason: all that `make api-coverage` lets pass."""

from collections.abc import Mapping
from typing import Final

_WHOLE: Final = "A listing is whole: there is no second page. MLflow's server takes no notice either."
_DATABRICKS: Final = "Databricks alone has deployment jobs. MLflow's server takes no notice either."

IGNORED: Final[Mapping[str, Mapping[str, str]]] = {
    "GET /api/2.0/mlflow/artifacts/list": {"page_token": _WHOLE},
    "GET /api/2.0/mlflow/logged-models/{model_id}/artifacts/directories": {"page_token": _WHOLE},
    "POST /api/2.0/mlflow/registered-models/create": {"deployment_job_id": _DATABRICKS},
    "PATCH /api/2.0/mlflow/registered-models/update": {"deployment_job_id": _DATABRICKS},
}
"""By method and path of the call, then by field; a field inside of another is named with a dot."""
