"""What each version of the client lacks, and the public methods of `MlflowClient` that no tour calls, with reasons."""

from collections.abc import Mapping
from typing import Final

from tests.support.environments import CLIENTS

FROM_THE_LIGHT_ONES: Final = frozenset({"numpy", "pandas", "matplotlib", "PIL", "sklearn"})
LACKS: Final[Mapping[str, frozenset[str]]] = {
    "3.17": frozenset({"log_prompt"}),
    "2.22": FROM_THE_LIGHT_ONES
    | {"create_logged_model", "delete_experiment_tag", "log_stream", "create_prompt", "mlflow.genai"},
    "newest": FROM_THE_LIGHT_ONES | {"log_prompt"},
}
"""What parts of the tours ask for and do not find: methods of the client, and packages of its environment."""

_TRACES: Final = (
    "start_trace end_trace start_span end_span get_trace search_traces delete_traces set_trace_tag delete_trace_tag "
    "link_prompt_versions_to_trace link_traces_to_run unlink_traces_from_run "
    "log_assessment update_assessment delete_assessment"
)
_DATASETS: Final = (
    "create_dataset get_dataset delete_dataset search_datasets set_dataset_tags delete_dataset_tag "
    "add_dataset_to_experiments remove_dataset_from_experiments"
)
_MCP: Final = (
    "create_mcp_server get_mcp_server update_mcp_server delete_mcp_server search_mcp_servers create_mcp_server_version "
    "get_mcp_server_version get_latest_mcp_server_version get_mcp_server_version_by_alias update_mcp_server_version "
    "delete_mcp_server_version search_mcp_server_versions set_mcp_server_tag delete_mcp_server_tag "
    "set_mcp_server_version_tag delete_mcp_server_version_tag set_mcp_server_alias delete_mcp_server_alias "
    "create_mcp_access_endpoint get_mcp_access_endpoint update_mcp_access_endpoint delete_mcp_access_endpoint "
    "search_mcp_access_endpoints refresh_mcp_server_version_tools"
)
_SKILLS: Final = (
    "create_skill get_skill update_skill delete_skill search_skills bulk_register_skills create_skill_version "
    "get_skill_version get_latest_skill_version get_skill_version_by_alias update_skill_version delete_skill_version "
    "search_skill_versions set_skill_tag delete_skill_tag set_skill_version_tag delete_skill_version_tag "
    "set_skill_alias delete_skill_alias"
)
_WORKSPACES: Final = (
    "create_workspace get_workspace update_workspace delete_workspace list_workspaces get_workspace_store_uri"
)
_WEBHOOKS: Final = "create_webhook get_webhook update_webhook delete_webhook list_webhooks test_webhook"

_NOT_CALLED: Final[Mapping[str, str]] = {
    "traces and assessments are not of tier 1": _TRACES,
    "evaluation datasets are not of tier 1": _DATASETS,
    "the registry of MCP servers is not of tier 1": _MCP,
    "the registry of skills is not of tier 1": _SKILLS,
    "workspaces are not of tier 1": _WORKSPACES,
    "they need a receiver: test_webhooks.py, with the client 3.17": _WEBHOOKS,
}
_NEEDS_PACKAGES: Final = frozenset({"log_table", "load_table", "log_image", "log_figure"})
"""Called with the client 3.17; the environments of the others have no pandas, Pillow and matplotlib."""

assert LACKS.keys() == CLIENTS.keys()


def reasons(client: str) -> Mapping[str, str]:
    """Why a method is not called, by its name. Names that this version of the client does not have are among them."""
    found = {name: reason for reason, names in _NOT_CALLED.items() for name in names.split()}
    if LACKS[client] & FROM_THE_LIGHT_ONES:
        found |= dict.fromkeys(_NEEDS_PACKAGES, "needs a package that this environment does not have")
    return found


def every_name() -> frozenset[str]:
    return frozenset(name for client in CLIENTS for name in reasons(client))
