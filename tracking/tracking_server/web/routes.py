"""The table of routes: what is called, how its request is read, who answers.

Rows stand in the order of `docs/reference/api.md`. A path below `/api/` is served below `/ajax-api/` as well.
"""

from typing import Final

from tracking_server.entities import datasets, experiments, logged_models, metrics, runs
from tracking_server.services import experiments as experiment_services
from tracking_server.services import inputs as input_services
from tracking_server.services import logged_models as model_services
from tracking_server.services import metrics as metric_services
from tracking_server.services import run_data as run_data_services
from tracking_server.services import runs as run_services
from tracking_server.services import search as search_services
from tracking_server.web.registry_routes import REGISTRY_ROWS
from tracking_server.web.route import Row, call
from tracking_server.web.webhook_routes import WEBHOOK_ROWS

_BASE = "/api/2.0/mlflow"


EXPERIMENTS: Final[tuple[Row, ...]] = (
    call("POST", f"{_BASE}/experiments/create", experiments.CreateExperiment, experiment_services.create_experiment),
    call("POST", f"{_BASE}/experiments/search", experiments.SearchExperiments, search_services.search_experiments),
    call("GET", f"{_BASE}/experiments/search", experiments.SearchExperiments, search_services.search_experiments),
    call("GET", f"{_BASE}/experiments/get", experiments.GetExperiment, experiment_services.get_experiment),
    call(
        "GET",
        f"{_BASE}/experiments/get-by-name",
        experiments.GetExperimentByName,
        experiment_services.get_experiment_by_name,
    ),
    call("POST", f"{_BASE}/experiments/delete", experiments.DeleteExperiment, experiment_services.delete_experiment),
    call("POST", f"{_BASE}/experiments/restore", experiments.RestoreExperiment, experiment_services.restore_experiment),
    call("POST", f"{_BASE}/experiments/update", experiments.UpdateExperiment, experiment_services.update_experiment),
    call(
        "POST",
        f"{_BASE}/experiments/set-experiment-tag",
        experiments.SetExperimentTag,
        experiment_services.set_experiment_tag,
    ),
    call(
        "POST",
        f"{_BASE}/experiments/delete-experiment-tag",
        experiments.DeleteExperimentTag,
        experiment_services.delete_experiment_tag,
    ),
)

RUNS: Final[tuple[Row, ...]] = (
    call("POST", f"{_BASE}/runs/create", runs.CreateRun, run_services.create_run),
    call("POST", f"{_BASE}/runs/update", runs.UpdateRun, run_services.update_run),
    call("POST", f"{_BASE}/runs/delete", runs.DeleteRun, run_services.delete_run),
    call("POST", f"{_BASE}/runs/restore", runs.RestoreRun, run_services.restore_run),
    call("GET", f"{_BASE}/runs/get", runs.GetRun, run_services.get_run),
    call("POST", f"{_BASE}/runs/search", runs.SearchRuns, search_services.search_runs),
    call("POST", f"{_BASE}/runs/log-metric", metrics.LogMetric, run_data_services.log_metric),
    call("POST", f"{_BASE}/runs/log-parameter", runs.LogParam, run_data_services.log_param),
    call("POST", f"{_BASE}/runs/set-tag", runs.SetTag, run_data_services.set_tag),
    call("POST", f"{_BASE}/runs/delete-tag", runs.DeleteTag, run_data_services.delete_tag),
    call("POST", f"{_BASE}/runs/log-batch", runs.LogBatch, run_data_services.log_batch),
    call("POST", f"{_BASE}/runs/log-model", runs.LogModel, run_data_services.log_model),
    call("POST", f"{_BASE}/runs/log-inputs", datasets.LogInputs, input_services.log_inputs),
    call("POST", f"{_BASE}/runs/outputs", datasets.LogOutputs, input_services.log_outputs),
)

METRICS: Final[tuple[Row, ...]] = (
    call("GET", f"{_BASE}/metrics/get-history", metrics.GetMetricHistory, metric_services.get_metric_history),
    call(
        "GET",
        f"{_BASE}/metrics/get-history-bulk-interval",
        metrics.GetMetricHistoryBulkInterval,
        metric_services.get_metric_history_bulk_interval,
    ),
    call(
        "GET",
        "/ajax-api/2.0/mlflow/metrics/get-history-bulk",
        metrics.GetMetricHistoryBulk,
        metric_services.get_metric_history_bulk,
    ),
)

DATASETS: Final[tuple[Row, ...]] = (
    call(
        "POST",
        "/ajax-api/2.0/mlflow/experiments/search-datasets",
        datasets.SearchDatasets,
        input_services.search_datasets,
    ),
    # MLflow declares this path without the slash, and some clients call it so.
    call("POST", "/api/2.0mlflow/experiments/search-datasets", datasets.SearchDatasets, input_services.search_datasets),
)

LOGGED_MODELS: Final[tuple[Row, ...]] = (
    call("POST", f"{_BASE}/logged-models", logged_models.CreateLoggedModel, model_services.create_logged_model),
    call(
        "POST", f"{_BASE}/logged-models/search", logged_models.SearchLoggedModels, model_services.search_logged_models
    ),
    call(
        "PATCH",
        f"{_BASE}/logged-models/{{model_id}}",
        logged_models.FinalizeLoggedModel,
        model_services.finalize_logged_model,
        repeated_in_body=["model_id"],
    ),
    call("GET", f"{_BASE}/logged-models/{{model_id}}", logged_models.GetLoggedModel, model_services.get_logged_model),
    call(
        "DELETE",
        f"{_BASE}/logged-models/{{model_id}}",
        logged_models.DeleteLoggedModel,
        model_services.delete_logged_model,
    ),
    call(
        "PATCH",
        f"{_BASE}/logged-models/{{model_id}}/tags",
        logged_models.SetLoggedModelTags,
        model_services.set_logged_model_tags,
    ),
    call(
        "DELETE",
        f"{_BASE}/logged-models/{{model_id}}/tags/{{tag_key}}",
        logged_models.DeleteLoggedModelTag,
        model_services.delete_logged_model_tag,
    ),
    call(
        "POST",
        f"{_BASE}/logged-models/{{model_id}}/params",
        logged_models.LogLoggedModelParams,
        model_services.log_logged_model_params,
        repeated_in_body=["model_id"],
    ),
)

TRACKING: Final[tuple[Row, ...]] = (
    *EXPERIMENTS,
    *RUNS,
    *METRICS,
    *DATASETS,
    *LOGGED_MODELS,
    *REGISTRY_ROWS,
    *WEBHOOK_ROWS,
)
