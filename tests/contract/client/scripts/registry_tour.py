"""A tour through the model registry and the prompts, as `tour.py` is one through everything else."""

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
from mlflow import MlflowClient

if TYPE_CHECKING:
    from tests.contract.client.scripts.touring import Steps, add_to, an_experiment, failure, make, offers
else:  # its neighbour, found at run time
    from touring import Steps, add_to, an_experiment, failure, make, offers

if offers("mlflow.genai"):
    from mlflow.genai import (
        delete_prompt_alias,
        load_prompt,
        register_prompt,
        search_prompts,
        set_prompt_alias,
    )
    from mlflow.genai.prompts import (
        delete_prompt_model_config,
        delete_prompt_tag,
        delete_prompt_version_tag,
        get_prompt_tags,
        set_prompt_model_config,
        set_prompt_tag,
        set_prompt_version_tag,
    )

STEPS: Steps = []


def a_line() -> Any:
    import numpy as np
    from sklearn.linear_model import LinearRegression

    numbers = np.arange(10.0).reshape(-1, 1)
    return LinearRegression().fit(numbers, 2 * numbers.ravel() + 1)


def predicted(uri: str) -> list[float]:
    import numpy as np

    return [round(float(value), 6) for value in mlflow.pyfunc.load_model(uri).predict(np.array([[1.0], [2.0]]))]


@add_to(STEPS)
def registered_models(client: MlflowClient) -> Any:
    made = client.create_registered_model("models", tags={"a": "1"}, description="first")
    client.set_registered_model_tag("models", "b", "2")
    client.delete_registered_model_tag("models", "a")
    updated = client.update_registered_model("models", "second")
    renamed = client.rename_registered_model("models", "models renamed")
    answer = {
        "made": made,
        "updated": updated,
        "renamed": renamed,
        "read": client.get_registered_model("models renamed"),
        "by its old name": failure(lambda: client.get_registered_model("models")),
        "made twice": failure(lambda: client.create_registered_model("models renamed")),
        "a bad name": failure(lambda: client.create_registered_model("a/b")),
    }
    client.delete_registered_model("models renamed")
    return answer | {"deleted": failure(lambda: client.get_registered_model("models renamed"))}


@add_to(STEPS)
def model_versions(client: MlflowClient) -> Any:
    client.create_registered_model("versions")
    run = client.create_run(an_experiment(client, "versions"), run_name="maker")
    source = f"{run.info.artifact_uri}/model"
    made = client.create_model_version("versions", source, run.info.run_id, tags={"a": "1"}, description="first")
    client.create_model_version("versions", source, run.info.run_id)
    client.set_model_version_tag("versions", "1", "b", "2")
    client.delete_model_version_tag("versions", "1", "a")
    updated = client.update_model_version("versions", "1", "second")
    staged = client.transition_model_version_stage("versions", "1", "Production")
    client.set_model_version_tag("versions", key="c", value="3", stage="Production")
    latest = client.get_latest_versions("versions")
    moved = client.transition_model_version_stage("versions", "2", "Production", archive_existing_versions=True)
    answer = {
        "made": made,
        "updated": updated,
        "staged": staged,
        "latest": latest,
        "moved": moved,
        "archived": client.get_model_version("versions", "1"),
        "stages": client.get_model_version_stages("versions", "1"),
        "uri": client.get_model_version_download_uri("versions", "1"),
        "of another run": failure(lambda: client.create_model_version("versions", source)),
        "local": failure(lambda: client.create_model_version("versions", "/etc/passwd")),
        "missing": failure(lambda: client.get_model_version("versions", "77")),
        "not a number": failure(lambda: client.get_model_version("versions", "one")),
    }
    client.delete_model_version("versions", "2")
    return answer | {
        "deleted": failure(lambda: client.get_model_version("versions", "2")),
        "next": client.create_model_version("versions", source, run.info.run_id).version,
    }


@add_to(STEPS)
def aliases(client: MlflowClient) -> Any:
    client.create_registered_model("aliases")
    for number in range(2):
        client.create_model_version("aliases", f"s3://bucket/{number}")
    client.set_registered_model_alias("aliases", "best", "1")
    client.set_registered_model_alias("aliases", "best", "2")
    client.set_registered_model_alias("aliases", "worst", "1")
    answer = {
        "best": client.get_model_version_by_alias("aliases", "best"),
        "latest": client.get_model_version_by_alias("aliases", "latest").version,
        "all": sorted(client.get_registered_model("aliases").aliases.items()),
        "missing": failure(lambda: client.get_model_version_by_alias("aliases", "nothing")),
        "reserved": failure(lambda: client.set_registered_model_alias("aliases", "latest", "1")),
        "of nothing": failure(lambda: client.set_registered_model_alias("aliases", "a", "7")),
    }
    client.delete_registered_model_alias("aliases", "worst")
    return answer | {"left": sorted(client.get_registered_model("aliases").aliases.items())}


@add_to(STEPS)
def searches(client: MlflowClient) -> Any:
    for name, team in (("search a", "blue"), ("search b", "red"), ("search c", "Blue")):
        client.create_registered_model(name, tags={"team": team})
        client.create_model_version(name, f"s3://bucket/{name[-1]}", tags={"team": team})
    client.create_model_version("search a", "s3://bucket/second")

    def models(text: str, **options: Any) -> list[str]:
        return [model.name for model in client.search_registered_models(text, **options)]

    def versions(text: str, **options: Any) -> list[str]:
        found = client.search_model_versions(text, **options)
        return [f"{version.name}/{version.version}" for version in found]

    first = client.search_registered_models("name LIKE 'search%'", max_results=2, order_by=["name DESC"])
    second = client.search_registered_models(
        "name LIKE 'search%'", max_results=2, order_by=["name DESC"], page_token=first.token
    )
    return {
        "by name": models("name = 'search a'"),
        "like": models("name ILIKE 'SEARCH%'"),
        "tag": models("name LIKE 'search%' AND tags.team = 'blue'"),
        "tag is not": models("name LIKE 'search%' AND tags.team != 'blue'"),
        "in": models("name IN ('search a', 'search c')"),
        "pages": [[model.name for model in page] for page in (first, second)],
        "versions": versions("name = 'search a'", order_by=["version_number ASC"]),
        "versions by tag": versions("tags.team ILIKE 'BLUE' AND name LIKE 'search%'", order_by=["name"]),
        "versions by number": versions("version_number > 1 AND name LIKE 'search%'"),
        "versions by source": versions("source_path LIKE 's3://bucket/s%'"),
        "whole": client.search_model_versions("name = 'search b'"),
        "nonsense": failure(lambda: models("colour = 'red'")),
        "no quotes": failure(lambda: versions("name = a")),
    }


@add_to(STEPS)
def registered_files(client: MlflowClient) -> Any:
    """Files of a run that no flavor made. MLflow 2 registers them by the address of the run, MLflow 3 refuses to."""
    made = client.create_run(an_experiment(client, "registered files"), run_name="maker")
    run = made.info.run_id
    client.log_text(run, "weights", "folder/weights.txt")
    client.create_registered_model("files")
    first = client.create_model_version("files", f"{made.info.artifact_uri}/folder", run, tags={"a": "1"})
    client.set_registered_model_alias("files", "best", "1")
    copy = client.copy_model_version("models:/files@best", "files copy")
    return {
        "first": first,
        "by the address of the run": failure(lambda: mlflow.register_model(f"runs:/{run}/folder", "files")),
        "copy": copy,
        "uri of the copy": client.get_model_version_download_uri("files copy", "1"),
        "text": mlflow.artifacts.load_text("models:/files@best/weights.txt"),
        "text of the copy": mlflow.artifacts.load_text("models:/files copy/1/weights.txt"),
        "found": [model.name for model in mlflow.search_registered_models(filter_string="name = 'files'")],
        "found versions": len(mlflow.search_model_versions(filter_string=f"run_id = '{run}'")),
        "nothing": failure(lambda: mlflow.artifacts.load_text("models:/files@nothing/weights.txt")),
    }


@add_to(STEPS, "sklearn")
def fluent(client: MlflowClient) -> Any:
    """A model that is logged, registered, and loaded by every name that it has."""
    mlflow.set_experiment("registering")
    with mlflow.start_run(run_name="fit") as run:
        info = mlflow.sklearn.log_model(a_line(), name="line", registered_model_name="fluent")
    again = mlflow.register_model(f"runs:/{run.info.run_id}/line", "fluent", tags={"again": "yes"})
    third = mlflow.register_model(info.model_uri, "fluent")
    client.set_registered_model_alias("fluent", "best", "2")
    copy = client.copy_model_version("models:/fluent@best", "fluent copy")
    with tempfile.TemporaryDirectory() as folder:
        files = mlflow.artifacts.download_artifacts("models:/fluent/1", dst_path=folder)
        names = sorted(str(path.relative_to(files)) for path in Path(files).rglob("*") if path.is_file())
    lineage = client.get_logged_model(info.model_id).tags["mlflow.modelVersions"]
    return {
        "registered": client.get_model_version("fluent", "1"),
        "again": again,
        "third": third,
        "copy": copy,
        "uri of the copy": client.get_model_version_download_uri("fluent copy", "1"),
        "files": [name for name in names if not name.endswith(".yaml")],
        "predicted": {
            uri: predicted(uri)
            for uri in ("models:/fluent/1", "models:/fluent@best", "models:/fluent/latest", "models:/fluent copy/1")
        },
        "lineage": sorted(f"{each['name']}/{each['version']}" for each in json.loads(lineage)),
        "found": [model.name for model in mlflow.search_registered_models(filter_string="name = 'fluent'")],
        "found versions": len(mlflow.search_model_versions(filter_string="name = 'fluent'")),
        "nothing": failure(lambda: mlflow.pyfunc.load_model("models:/fluent@nothing")),
    }


def as_facts(prompt: Any) -> Any:
    if prompt is None:
        return None
    return {
        "name": prompt.name,
        "version": prompt.version,
        "template": prompt.template,
        "message": prompt.commit_message,
        "tags": prompt.tags,
        "aliases": sorted(prompt.aliases),
        "config": prompt.model_config,
        "format": prompt.response_format,
    }


@add_to(STEPS, "mlflow.genai")
def prompts(client: MlflowClient) -> Any:
    first = register_prompt("greeting", "Hello {{name}}", commit_message="first", tags={"tone": "plain"})
    register_prompt("greeting", "Good day, {{name}}", tags={"tone": "stiff"})
    register_prompt("chat", [{"role": "user", "content": "Hello {{name}}"}], response_format={"type": "object"})
    set_prompt_alias("greeting", "live", 1)
    set_prompt_tag("greeting", "team", "blue")
    set_prompt_version_tag("greeting", 1, "seen", "yes")
    set_prompt_model_config("greeting", 2, {"model_name": "small", "temperature": 0.5})
    answer = {
        "made": as_facts(first),
        "by version": as_facts(load_prompt("prompts:/greeting/2")),
        "by alias": as_facts(load_prompt("prompts:/greeting@live")),
        "latest": as_facts(load_prompt("prompts:/greeting@latest")),
        "by name": as_facts(load_prompt("greeting", version=1)),
        "chat": as_facts(load_prompt("chat", version=1)),
        "said": load_prompt("prompts:/greeting@live").format(name="Ada"),
        "missing": failure(lambda: load_prompt("nothing", version=1)),
        "or nothing": as_facts(load_prompt("nothing", version=1, allow_missing=True)),
        "tags": get_prompt_tags("greeting"),
        "all": [prompt.name for prompt in search_prompts()],
        "some": [prompt.name for prompt in search_prompts(filter_string="name LIKE 'gree%'")],
        "tagged": [prompt.name for prompt in search_prompts(filter_string="tags.team = 'blue'")],
        "versions": [as_facts(prompt) for prompt in client.search_prompt_versions("greeting")],
        "among models": [model.name for model in client.search_registered_models("name = 'greeting'")],
        "among versions": len(client.search_model_versions("name = 'greeting'")),
        "a model of that name": failure(lambda: client.create_registered_model("greeting")),
        "a bad name": failure(lambda: register_prompt("a b", "text")),
        "long": len(register_prompt("long", "x" * 50_000).template),
        "too long": failure(lambda: register_prompt("long", "x" * 100_001)),
    }
    delete_prompt_alias("greeting", "live")
    delete_prompt_tag("greeting", "team")
    delete_prompt_version_tag("greeting", 1, "seen")
    delete_prompt_model_config("greeting", 2)
    after = client.get_prompt("greeting")
    client.delete_prompt_version("chat", "1")
    client.delete_prompt("chat")
    return answer | {
        "no alias": failure(lambda: load_prompt("prompts:/greeting@live", cache_ttl_seconds=0)),
        "after": {"name": after.name, "tags": after.tags} if after else None,
        "first after": as_facts(client.get_prompt_version("greeting", 1)),
        "deleted": client.get_prompt("chat"),
    }


@add_to(STEPS, "mlflow.genai")
def prompts_of_runs(client: MlflowClient) -> Any:
    register_prompt("linked", "Hello {{name}}")
    mlflow.set_experiment("prompted")
    with mlflow.start_run(run_name="prompted") as run:
        used = load_prompt("prompts:/linked/1", link_to_model=False)
        client.link_prompt_version_to_run(run.info.run_id, used)
    linked = client.get_run(run.info.run_id).data.tags["mlflow.linkedPrompts"]
    return {
        "linked": json.loads(linked),
        "logged": [as_facts(prompt) for prompt in client.list_logged_prompts(run.info.run_id)],
        "tags": client.get_prompt("linked").tags,
        "detached": failure(lambda: client.detach_prompt_from_run(run.info.run_id, "prompts:/linked/1")),
    }


@add_to(STEPS, "create_prompt")
def prompts_of_the_client(client: MlflowClient) -> Any:
    """What `mlflow.genai` has no function for."""
    made = client.create_prompt("own", description="mine", tags={"a": "1"})
    client.create_prompt_version("own", "Hello {{name}}", description="first", tags={"b": "2"})
    client.set_prompt_alias("own", "live", 1)
    model = client.create_logged_model(an_experiment(client, "own prompts"), "writer")
    client.link_prompt_version_to_model("own", "1", model.model_id)
    return {
        "made": {"name": made.name, "description": made.description, "tags": made.tags},
        "by alias": as_facts(client.get_prompt_version_by_alias("own", "live")),
        "loaded": as_facts(client.load_prompt("prompts:/own@live")),
        "linked": json.loads(client.get_logged_model(model.model_id).tags["mlflow.linkedPrompts"]),
        "parsed": list(client.parse_prompt_uri("prompts:/own/1")),
        "of a version": failure(lambda: client.create_prompt_version("nothing", "text")),
    }


@add_to(STEPS, "log_prompt")
def prompts_of_mlflow_2(client: MlflowClient) -> Any:
    """As they were before `mlflow.genai`: the runs that used a prompt are in a tag of its version."""

    def facts(prompt: Any) -> Any:
        return [prompt.name, prompt.version, prompt.template, prompt.commit_message, prompt.tags, prompt.aliases]

    run = client.create_run(an_experiment(client, "older prompts"), run_name="prompted").info.run_id
    made = client.register_prompt("older", "Hello {{name}}", commit_message="first", tags={"tone": "plain"})
    client.register_prompt("older", "Good day, {{name}}", version_metadata={"seen": "yes"})
    client.set_prompt_alias("older", "live", 1)
    client.log_prompt(run, "prompts:/older/1")
    answer = {
        "made": facts(made),
        "by version": facts(client.load_prompt("prompts:/older/2")),
        "by alias": facts(client.load_prompt("prompts:/older@live")),
        "by name": facts(client.load_prompt("older", version=1)),
        "missing": failure(lambda: client.load_prompt("prompts:/nothing/1")),
        "parsed": list(client.parse_prompt_uri("prompts:/older/1")),
        "logged": [facts(prompt) for prompt in client.list_logged_prompts(run)],
        "among models": [model.name for model in client.search_registered_models("name = 'older'")],
        "a model of that name": failure(lambda: client.create_registered_model("older")),
    }
    client.detach_prompt_from_run(run, "prompts:/older/1")
    client.delete_prompt_alias("older", "live")
    client.delete_prompt("older", 2)
    return answer | {
        "detached": len(client.list_logged_prompts(run)),
        "no alias": failure(lambda: client.load_prompt("prompts:/older@live")),
        "deleted": failure(lambda: client.load_prompt("older", version=2)),
    }


def main(tracking_uri: str) -> None:
    make(STEPS, tracking_uri)


if __name__ == "__main__":
    main(*sys.argv[1:])
