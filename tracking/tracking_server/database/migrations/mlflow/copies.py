"""Which tables a revision copies whole, or changes in every row: what takes long when they are large."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

_TRACES: Final = ("assessments", "spans", "trace_info")

COPIES: Final[Mapping[str, Mapping[str, Sequence[str]]]] = MappingProxyType(
    {
        "sqlite": {
            "451aebb31d03": ("metrics",),
            "181f10493468": ("metrics",),
            "7ac759974ad8": ("tags",),
            "cfd24bdc0731": ("runs",),
            "a8c4a736bde6": ("model_versions",),
            "39d1c3be5f05": ("latest_metrics", "metrics"),
            "cc1f77228345": ("params",),
            "2d6e25af4d3e": ("params",),
            "5b0e9adcef9c": ("trace_request_metadata", "trace_tags"),
            "f5a4f2784254": ("tags",),
            "0584bdc529eb": ("datasets",),
            "bda7b8c39065": ("model_version_tags",),
            "71994744cf8e": ("evaluation_dataset_records",),
            "5d2d30f0abce": ("jobs",),
            "d0e1f2a3b4c5": ("endpoints",),
            "1b5f0d9ad7c1": ("model_version_tags", "model_versions"),
            "6f8d9c3b2a1e": ("trace_info",),
            "17e22815139b": ("experiment_tags",),
            "75868b020152": _TRACES,
        },
        "postgresql": {"cfd24bdc0731": ("runs",), "75868b020152": _TRACES},
        "mysql": {
            "451aebb31d03": ("metrics",),
            "181f10493468": ("metrics",),
            "cfd24bdc0731": ("runs",),
            "a8c4a736bde6": ("model_versions",),
            "39d1c3be5f05": ("latest_metrics", "metrics"),
            "c48cb773bb87": ("metrics",),
            "5b0e9adcef9c": ("trace_request_metadata", "trace_tags"),
            "4465047574b1": ("datasets",),
            "0584bdc529eb": ("datasets",),
            "bda7b8c39065": ("model_version_tags",),
            "5d2d30f0abce": ("jobs",),
            "d0e1f2a3b4c5": ("endpoints",),
            "1b5f0d9ad7c1": (
                "model_version_tags",
                "model_versions",
                "registered_model_aliases",
                "registered_model_tags",
                "registered_models",
            ),
            "6f8d9c3b2a1e": ("trace_info",),
            "17e22815139b": ("experiment_tags",),
            "75868b020152": _TRACES,
        },
    }
)
