"""What the tours share: their steps, what the client at hand does not offer, and which of its methods they called."""

import functools
import importlib.util
import inspect
import json
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from requests import HTTPError

Step = Callable[[MlflowClient], Any]
Steps = list[Step]

_METHODS = {name: value for name, value in inspect.getmembers(MlflowClient, callable) if not name.startswith("_")}
_CALLED: set[str] = set()
_LEFT_OUT: set[str] = set()


def offers(*needs: str) -> bool:
    """Whether this client has all of these methods and packages. What it lacks is printed as left out."""
    missing = {name for name in needs if name not in _METHODS and not is_installed(name)}
    _LEFT_OUT.update(missing)
    return not missing


def is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def add_to(steps: Steps, *needs: str) -> Callable[[Step], Step]:
    """A step that is made if the client offers what it needs."""

    def add(function: Step) -> Step:
        if offers(*needs):
            steps.append(function)
        return function

    return add


def recorded(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(*arguments: Any, **options: Any) -> Any:
        _CALLED.add(name)
        return method(*arguments, **options)

    return call


def make(steps: Steps, tracking_uri: str) -> None:
    """Each step in turn. The last line printed is all that came back."""
    for name, method in _METHODS.items():
        setattr(MlflowClient, name, recorded(name, method))
    mlflow.set_tracking_uri(tracking_uri)
    client = MlflowClient()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answers = {function.__name__: plain(function(client)) for function in steps}
    told = {
        "version": mlflow.__version__,
        "answers": answers,
        "left out": sorted(_LEFT_OUT),
        "methods": sorted(_METHODS),
        "called": sorted(_CALLED),
    }
    print(json.dumps(told))


def failure(attempt: Callable[[], Any]) -> Any:
    """The code of the error that the attempt ends with."""
    try:
        return {"no error, but": plain(attempt())}
    except MlflowException as error:
        return {"error_code": error.error_code, "status": error.get_http_status_code()}
    except HTTPError as error:
        if error.response is None:
            raise
        return {"error_code": error.response.json()["error_code"], "status": error.response.status_code}


def plain(value: Any) -> Any:
    """Entities as dictionaries, and numbers that JSON has no sign for as words."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    as_dictionary = value.to_dictionary() if hasattr(value, "to_dictionary") else dict(value)
    return {str(key): plain(item) for key, item in sorted(as_dictionary.items())}


def an_experiment(client: MlflowClient, name: str) -> str:
    return str(client.create_experiment(name, tags={"team": "blue"}))
