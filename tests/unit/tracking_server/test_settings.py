from dataclasses import fields

import pytest

from tracking_server.errors import ConfigInvalid
from tracking_server.settings import NOT_BUILT, SETTINGS, Secret, Settings

BAD = {
    "MLFLOW_PORT": "70000",
    "MLFLOW_WORKERS": "many",
    "TRACKPLANE_CREATE_SCHEMA": "perhaps",
    "MLFLOW_SERVER_X_FRAME_OPTIONS": "ALLOWALL",
    "MLFLOW_STATIC_PREFIX": "prefix/",
    "MLFLOW_LOGGING_LEVEL": "LOUD",
    "TRACKPLANE_ARTIFACTS_ACCESS": "direct",
    "MLFLOW_PRESIGNED_DOWNLOAD_URL_TTL_SECONDS": "604801",
}


def test_the_defaults() -> None:
    settings = Settings.from_environ({})
    assert settings.backend_store_uri.reveal() == "sqlite:///mlflow.db"
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 5000, 2)
    assert settings.default_artifact_root == "mlflow-artifacts:/"
    assert settings.artifacts_destination == "./mlartifacts"
    assert settings.creates_schema
    assert settings.serves_artifacts
    assert (settings.artifacts_access, settings.presigned_download_seconds) == ("proxied", 300)
    assert settings.checks_requests
    assert settings.allowed_hosts == ()
    assert settings.pool_class == ""


def test_an_option_wins_over_the_environment_and_that_over_the_default() -> None:
    environ = {"MLFLOW_PORT": "5001", "MLFLOW_WORKERS": "3", "MLFLOW_HOST": " "}
    settings = Settings.from_environ(environ, {"port": "5002"})
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 5002, 3)


@pytest.mark.parametrize(
    ("environ", "options", "url"),
    [
        ({"MLFLOW_TRACKING_URI": "sqlite:///t.db"}, {}, "sqlite:///t.db"),
        ({"MLFLOW_TRACKING_URI": "sqlite:///t.db", "MLFLOW_BACKEND_STORE_URI": "sqlite:///b.db"}, {}, "sqlite:///b.db"),
        ({"MLFLOW_BACKEND_STORE_URI": "sqlite:///b.db"}, {"backend_store_uri": "sqlite:///o.db"}, "sqlite:///o.db"),
    ],
)
def test_where_the_database_is(environ: dict[str, str], options: dict[str, str], url: str) -> None:
    assert Settings.from_environ(environ, options).backend_store_uri == Secret(url)


@pytest.mark.parametrize("url", ["https://t.example.com", "databricks", "databricks://profile"])
def test_another_tracking_server_may_be_the_backend(url: str) -> None:
    settings = Settings.from_environ({"MLFLOW_TRACKING_URI": url})
    assert settings.is_gateway
    assert settings.artifacts_destination == ""
    kept = Settings.from_environ({"MLFLOW_TRACKING_URI": url, "MLFLOW_ARTIFACTS_DESTINATION": "./mlartifacts"})
    assert kept.artifacts_destination == "./mlartifacts"
    assert not Settings.from_environ({}).is_gateway


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"MLFLOW_DEFAULT_ARTIFACT_ROOT": "s3://b"}, "MLFLOW_DEFAULT_ARTIFACT_ROOT has no meaning"),
        ({"ARTIFACT_ROOT": "s3://b"}, "ARTIFACT_ROOT has no meaning"),
        ({"TRACKPLANE_DATABASE_PASSWORD_FILE": "f"}, "TRACKPLANE_TRACKING_PASSWORD_FILE has the password"),
        ({"TRACKPLANE_DATABASE_TOKEN_COMMAND": "c"}, "TRACKPLANE_TRACKING_TOKEN_FILE has the token"),
        ({"TRACKPLANE_ARTIFACTS_ACCESS": "presigned"}, "presigned needs --artifacts-destination"),
    ],
)
def test_settings_that_say_nothing_to_a_gateway_are_refused(environ: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigInvalid, match=told):
        Settings.from_environ({"MLFLOW_BACKEND_STORE_URI": "http://u:hunter2@h", **environ})
    Settings.from_environ(environ)


def test_artifacts_that_are_not_served_are_kept_in_a_folder() -> None:
    assert Settings.from_environ({"MLFLOW_SERVE_ARTIFACTS": "false"}).default_artifact_root == "./mlruns"
    for name in ("MLFLOW_DEFAULT_ARTIFACT_ROOT", "ARTIFACT_ROOT"):
        given = {"MLFLOW_SERVE_ARTIFACTS": "false", name: "s3://bucket"}
        assert Settings.from_environ(given).default_artifact_root == "s3://bucket"


def test_all_faults_are_told_at_once_with_the_name_that_the_user_used() -> None:
    with pytest.raises(ConfigInvalid) as caught:
        Settings.from_environ(BAD | {"MLFLOW_HOST": "0.0.0.0"}, {"port": "x"})
    faults = caught.value.message.splitlines()
    assert len(faults) == len(BAD)
    for name in ("--port", *(BAD.keys() - {"MLFLOW_PORT"})):
        assert any(fault.startswith(f"{name} must ") for fault in faults)


@pytest.mark.parametrize("feature", NOT_BUILT, ids=lambda feature: feature.option or feature.env)
def test_a_feature_that_is_not_built_is_refused_and_turning_it_off_is_not(feature: object) -> None:
    (unbuilt,) = (each for each in NOT_BUILT if each == feature)
    if unbuilt.env:
        with pytest.raises(ConfigInvalid, match=f"{unbuilt.env} asks for .* not built yet"):
            Settings.from_environ({unbuilt.env: "true"})
        Settings.from_environ({unbuilt.env: "false"})
        Settings.from_environ({unbuilt.env: ""})
    if unbuilt.option:
        with pytest.raises(ConfigInvalid, match=f"{unbuilt.option} asks for .* not built yet"):
            Settings.from_environ({}, {unbuilt.option: "x"})


@pytest.mark.parametrize("prefix", ["", "/ml", "/a/b"])
def test_static_prefix(prefix: str) -> None:
    assert Settings.from_environ({"MLFLOW_STATIC_PREFIX": prefix}).static_prefix == prefix


@pytest.mark.parametrize("prefix", ["ml", "/ml/", "/", "/{x}", "/a?b"])
def test_static_prefix_that_cannot_be(prefix: str) -> None:
    with pytest.raises(ConfigInvalid, match="MLFLOW_STATIC_PREFIX"):
        Settings.from_environ({"MLFLOW_STATIC_PREFIX": prefix})


def test_lists_are_separated_by_commas() -> None:
    settings = Settings.from_environ({"MLFLOW_SERVER_ALLOWED_HOSTS": "a.example.com, b ,,[::1]:*"})
    assert settings.allowed_hosts == ("a.example.com", "b", "[::1]:*")


def test_a_secret_shows_itself_to_nobody_who_does_not_ask() -> None:
    settings = Settings.from_environ({"MLFLOW_BACKEND_STORE_URI": "postgresql://u:hunter2@h/d"})
    for shown in (repr(settings), str(settings), f"{settings.backend_store_uri}"):
        assert "hunter2" not in shown
    assert settings.backend_store_uri.reveal() == "postgresql://u:hunter2@h/d"
    assert settings.backend_store_uri != Secret("other")


def test_each_default_is_what_its_own_parser_takes() -> None:
    assert [setting.name for setting in SETTINGS] == [field.name for field in fields(Settings)]
    for setting in SETTINGS:
        setting.parse(setting.default)
        assert setting.env
        assert setting.meaning.endswith(".")


@pytest.mark.parametrize("key", ["s3cret", "c2hvcnQ=", "k" * 43, "é" * 44])
def test_a_key_of_webhooks_that_is_none_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ConfigInvalid, match="MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY must be a Fernet key") as caught:
        Settings.from_environ({"MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": key})
    assert key not in caught.value.message


@pytest.mark.parametrize(
    ("text", "schemes"), [("https", ("https",)), ("http, https", ("http", "https")), ("HTTP", ("http",))]
)
def test_schemes_of_webhooks(text: str, schemes: tuple[str, ...]) -> None:
    assert Settings.from_environ({"MLFLOW_WEBHOOK_ALLOWED_SCHEMES": text}).webhook_schemes == schemes


@pytest.mark.parametrize("text", ["ftp", "https,file", ","])
def test_schemes_that_webhooks_cannot_have(text: str) -> None:
    with pytest.raises(ConfigInvalid, match="MLFLOW_WEBHOOK_ALLOWED_SCHEMES must be http"):
        Settings.from_environ({"MLFLOW_WEBHOOK_ALLOWED_SCHEMES": text})
