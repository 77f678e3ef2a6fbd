"""Artifacts through the server, as its clients and the web UI call them."""

from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.http import Reply, call, call_json
from tests.support.server import LiveServer, live_server

PROXY = "/api/2.0/mlflow-artifacts"
FILES = f"{PROXY}/artifacts"


def put(server: LiveServer, path: str, content: bytes) -> Reply:
    return call(server.url, "PUT", f"{FILES}/{path}", content)


@pytest.fixture(scope="module")
def run_id(server: LiveServer) -> str:
    created = call_json(server.url, "POST", "/api/2.0/mlflow/runs/create", {"experiment_id": "0"})
    identifier: str = created.json["run"]["info"]["run_id"]
    for path, content in (("data.csv", b"a,b\n1,2\n"), ("model/MLmodel", b"flavors: {}"), ("model/deep/empty", b"")):
        assert put(server, f"0/{identifier}/artifacts/{path}", content).status == 200
    return identifier


def test_a_file_goes_up_and_comes_down(server: LiveServer, folder: Path) -> None:
    reply = put(server, "1/up/artifacts/a.bin", bytes(range(256)))
    assert (reply.status, reply.body) == (200, b"{}")
    assert (folder / "mlartifacts/1/up/artifacts/a.bin").read_bytes() == bytes(range(256))
    down = call(server.url, "GET", f"{FILES}/1/up/artifacts/a.bin")
    assert (down.status, down.body) == (200, bytes(range(256)))
    assert down.headers["content-length"] == "256"
    assert down.headers["content-disposition"] == "attachment; filename=a.bin"
    assert down.headers["content-security-policy"] == "sandbox"
    assert down.headers["x-content-type-options"] == "nosniff"
    assert down.headers["accept-ranges"] == "bytes"


def test_large_files_are_streamed_both_ways(server: LiveServer) -> None:
    content = bytes(range(256)) * 40_000
    assert put(server, "1/large", content).status == 200
    assert call(server.url, "GET", f"{FILES}/1/large").body == content


def test_a_chunked_upload_and_an_empty_one(server: LiveServer) -> None:
    reply = call(server.url, "PUT", f"{FILES}/1/chunked", iter([b"one ", b"two ", b"x" * 700_000]))
    assert reply.status == 200
    assert len(call(server.url, "GET", f"{FILES}/1/chunked").body) == 700_008
    assert call(server.url, "PUT", f"{FILES}/1/nothing", iter([])).status == 200
    assert put(server, "1/none", b"").status == 200
    for name in ("nothing", "none"):
        assert call(server.url, "GET", f"{FILES}/1/{name}").body == b""


@pytest.mark.parametrize(
    ("name", "filename"),
    [
        ("with space.txt", 'filename="with space.txt"'),
        (
            "größe 测试.txt",
            "filename=\"groe .txt\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%E6%B5%8B%E8%AF%95.txt",
        ),
        ("100%.csv", "filename=100%.csv"),
        ("a+b&c=d;e,f", 'filename="a+b&c=d;e,f"'),
        ("'quoted'", "filename='quoted'"),
        ('"quoted"', 'filename="\\"quoted\\""'),
    ],
)
def test_names_survive_the_way(server: LiveServer, name: str, filename: str) -> None:
    assert put(server, f"1/names/{quote(name)}", name.encode()).status == 200
    down = call(server.url, "GET", f"{FILES}/1/names/{quote(name)}")
    assert down.body == name.encode()
    assert down.headers["content-disposition"] == f"attachment; {filename}"
    listed = call(server.url, "GET", f"{FILES}?path=1/names").json["files"]
    assert {"path": name, "is_dir": False, "file_size": len(name.encode())} in listed


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("MLmodel", "text/plain"),
        ("conda.yaml", "text/plain"),
        ("x.json", "text/plain"),
        ("page.html", "text/html"),
        ("image.png", "image/png"),
        ("model.pkl", "application/octet-stream"),
        ("data.csv.gz", "application/octet-stream"),
        ("no-extension", "application/octet-stream"),
    ],
)
def test_media_types(server: LiveServer, name: str, media_type: str) -> None:
    put(server, f"1/types/{name}", b"x")
    assert call(server.url, "GET", f"{FILES}/1/types/{name}").headers["content-type"] == media_type


def test_ranges(server: LiveServer) -> None:
    put(server, "1/ten", b"0123456789")

    def get(**headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return call(server.url, "GET", f"{FILES}/1/ten", headers=named)

    part = get(Range="bytes=2-4")
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert get(Range="bytes=-3").body == b"789"
    assert get(Range="bytes=8-").body == b"89"
    for ignored in ("bytes=0-1,3-4", "lines=1-2", "bytes=5-2", "bytes=", "nonsense"):
        assert (get(Range=ignored).status, len(get(Range=ignored).body)) == (200, 10)
    behind = get(Range="bytes=10-")
    assert (behind.status, behind.headers["content-range"]) == (416, "bytes */10")
    assert behind.error_code == "INVALID_PARAMETER_VALUE"
    etag = part.headers["etag"]
    assert get(Range="bytes=2-4", If_Range=etag).status == 206
    assert get(Range="bytes=2-4", If_Range='"other"').status == 200


def test_conditional_requests(server: LiveServer) -> None:
    put(server, "1/cached", b"0123456789")

    def get(method: str = "GET", **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return call(server.url, method, f"{FILES}/1/cached", headers=named)

    first = get()
    etag, date = first.headers["etag"], first.headers["last-modified"]
    for method in ("GET", "HEAD"):
        unchanged = get(method, If_None_Match=f'"x", {etag}')
        assert (unchanged.status, unchanged.body, unchanged.headers["etag"]) == (304, b"", etag)
        assert get(method, If_Modified_Since=date).status == 304
        assert get(method, If_Match='"other"').status == 412
        assert get(method, If_Unmodified_Since="Thu, 01 Jan 1970 00:00:00 GMT").status == 412
    assert get(If_None_Match='"other"').status == 200
    assert get(If_Modified_Since="Thu, 01 Jan 1970 00:00:00 GMT").status == 200
    assert get(If_Modified_Since="not a date").status == 200
    put(server, "1/cached", b"0123456789")
    assert get(If_None_Match=etag).status == 200


def test_head_has_the_headers_of_get(server: LiveServer) -> None:
    put(server, "1/head.txt", b"12345")
    get, head = (call(server.url, method, f"{FILES}/1/head.txt") for method in ("GET", "HEAD"))
    unequal = {"date", "x-request-id"}
    assert {name: value for name, value in head.headers.items() if name not in unequal} == {
        name: value for name, value in get.headers.items() if name not in unequal
    }
    assert (head.status, head.body) == (200, b"")


def test_a_listing_has_base_names_of_one_level(server: LiveServer) -> None:
    put(server, "1/list/b", b"12")
    put(server, "1/list/a/deep", b"")
    listing = call(server.url, "GET", f"{FILES}?path=1/list")
    assert listing.json == {
        "files": [{"path": "a", "is_dir": True}, {"path": "b", "is_dir": False, "file_size": 2}],
    }
    for missing in ("1/nowhere", "1/list/b"):
        assert call(server.url, "GET", f"{FILES}?path={missing}").json == {}


def test_deleting_is_recursive_and_idempotent(server: LiveServer, folder: Path) -> None:
    put(server, "2/run/artifacts/a", b"")
    put(server, "2/run/artifacts/deep/b", b"")
    put(server, "2/run2/artifacts/c", b"")
    for _ in range(2):
        reply = call(server.url, "DELETE", f"{FILES}/2/run/artifacts/")
        assert (reply.status, reply.body) == (200, b"{}")
    assert sorted(path.name for path in (folder / "mlartifacts/2").iterdir()) == ["run", "run2"]
    assert call(server.url, "DELETE", f"{FILES}/2/run2/artifacts/c").status == 200


def test_the_root_itself_cannot_be_deleted(server: LiveServer) -> None:
    assert call(server.url, "DELETE", FILES).status == 405
    assert call(server.url, "DELETE", f"{FILES}/").status == 404
    assert call(server.url, "DELETE", f"{FILES}/%2F").error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    "path",
    [
        "..%2F..%2Fetc%2Fpasswd",
        "%2e%2e/secret",
        "a/%2e%2e/%2e%2e/secret",
        "%252e%252e/secret",
        "..%5c..%5csecret",
        "%2Fetc/passwd",
        "C:/secret",
        "file:%2F%2F%2Fetc%2Fpasswd",
        "a%2F%2Fb",
        "a/./b",
        "a%00b",
        "a%0ab",
        "a%23b",
        "x" * 300,
        ".artifact.uploading.x",
        "%ff%fe",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_odd_paths_are_refused_by_every_verb(server: LiveServer, method: str, path: str) -> None:
    reply = call(server.url, method, f"{FILES}/{path}", b"x" if method == "PUT" else None)
    assert reply.status == 400
    if method != "HEAD":
        assert reply.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize("path", ["..%2F..", "%2Fetc", "C:%2F", "a%2F%2Fb", "%252e%252e", "a%00", "%5c", "a%2F..%2Fb"])
def test_odd_folders_are_refused(server: LiveServer, run_id: str, path: str) -> None:
    for url in (
        f"{FILES}?path={path}",
        f"/api/2.0/mlflow/artifacts/list?run_id={run_id}&path={path}",
        f"/get-artifact?run_id={run_id}&path={path}",
    ):
        reply = call(server.url, "GET", url)
        assert (reply.status, reply.error_code) == (400, "INVALID_PARAMETER_VALUE"), url


def test_what_is_missing_and_what_is_a_folder(server: LiveServer) -> None:
    put(server, "1/folder/file", b"")
    missing = call(server.url, "GET", f"{FILES}/1/folder/none")
    assert (missing.status, missing.error_code) == (404, "RESOURCE_DOES_NOT_EXIST")
    for method in ("GET", "PUT"):
        reply = call(server.url, method, f"{FILES}/1/folder", b"x" if method == "PUT" else None)
        assert (reply.status, reply.error_code) == (400, "INVALID_PARAMETER_VALUE")
    assert put(server, "1/folder/", b"x").status == 400
    assert put(server, "1/folder/file/below", b"x").status == 400


@pytest.mark.parametrize("step", ["create", "complete", "abort"])
@pytest.mark.parametrize("place", ["", "/0/run/artifacts"])
def test_multipart_is_refused_in_the_words_that_the_client_knows(server: LiveServer, step: str, place: str) -> None:
    document: dict[str, object] = {"path": "/home/me/big.bin", "num_parts": 3, "upload_id": "x", "parts": []}
    reply = call_json(server.url, "POST", f"{PROXY}/mpu/{step}{place}", document)
    assert (reply.status, reply.error_code) == (501, "NOT_IMPLEMENTED")
    assert reply.json["message"].startswith("Multipart upload is not supported for the current artifact repository")


def test_presigned_urls_are_refused(server: LiveServer, run_id: str) -> None:
    reply = call(server.url, "GET", f"{PROXY}/presigned/0/run/artifacts/x")
    assert (reply.status, reply.error_code) == (501, "NOT_IMPLEMENTED")
    for direction in ("upload", "download"):
        path = f"/api/2.0/mlflow/artifacts/presigned-{direction}-url"
        reply = call_json(server.url, "POST", path, {"run_id": run_id, "path": "x"})
        assert (reply.status, reply.error_code) == (400, "INVALID_PARAMETER_VALUE")


def test_the_artifacts_of_a_run_are_listed_below_its_root(server: LiveServer, run_id: str) -> None:
    def listed(query: str) -> dict[str, object]:
        answer: dict[str, object] = call(server.url, "GET", f"/api/2.0/mlflow/artifacts/list?{query}").json
        return answer

    root = f"mlflow-artifacts:/0/{run_id}/artifacts"
    assert listed(f"run_id={run_id}") == {
        "root_uri": root,
        "files": [{"path": "data.csv", "is_dir": False, "file_size": 8}, {"path": "model", "is_dir": True}],
    }
    assert listed(f"run_uuid={run_id}&path=model")["files"] == [
        {"path": "model/MLmodel", "is_dir": False, "file_size": 11},
        {"path": "model/deep", "is_dir": True},
    ]
    assert listed(f"run_id={run_id}&path=model/deep")["files"] == [
        {"path": "model/deep/empty", "is_dir": False, "file_size": 0}
    ]
    for path in ("none", "data.csv"):
        assert listed(f"run_id={run_id}&path={path}") == {"root_uri": root}


def test_get_artifact(server: LiveServer, run_id: str) -> None:
    for query in (f"run_id={run_id}&path=model/MLmodel", f"run_uuid={run_id}&path=model%2FMLmodel"):
        reply = call(server.url, "GET", f"/get-artifact?{query}")
        assert (reply.status, reply.body) == (200, b"flavors: {}")
        assert reply.headers["content-disposition"] == "attachment; filename=MLmodel"
    assert call(server.url, "GET", f"/get-artifact?run_id={run_id}").error_code == "INVALID_PARAMETER_VALUE"
    missing = call(server.url, "GET", f"/get-artifact?run_id={run_id}&path=none")
    assert missing.error_code == "RESOURCE_DOES_NOT_EXIST"
    assert missing.json["message"] == f"No such artifact: '0/{run_id}/artifacts/none'"
    assert call(server.url, "GET", "/get-artifact?run_id=none&path=x").error_code == "RESOURCE_DOES_NOT_EXIST"


def test_the_artifacts_of_a_model_version(server: LiveServer, run_id: str) -> None:
    call_json(server.url, "POST", "/api/2.0/mlflow/registered-models/create", {"name": "forest"})
    for source in (f"runs:/{run_id}/model", f"mlflow-artifacts:/0/{run_id}/artifacts/model", "models:/forest/1"):
        fields = {"name": "forest", "source": source}
        fields |= {} if source.startswith("models:") else {"run_id": run_id}
        version = call_json(server.url, "POST", "/api/2.0/mlflow/model-versions/create", fields).json["model_version"]
        path = f"/model-versions/get-artifact?name=forest&version={version['version']}&path="
        assert call(server.url, "GET", f"{path}MLmodel").body == b"flavors: {}"
        for odd in ("../../a", "%252e%252e/a", "/etc/passwd"):
            assert call(server.url, "GET", f"{path}{odd}").error_code == "INVALID_PARAMETER_VALUE"
        assert call(server.url, "GET", f"{path}none").error_code == "RESOURCE_DOES_NOT_EXIST"
    elsewhere = {"name": "forest", "source": "s3://elsewhere/m"}
    call_json(server.url, "POST", "/api/2.0/mlflow/model-versions/create", elsewhere)
    reply = call(server.url, "GET", "/model-versions/get-artifact?name=forest&version=4&path=x")
    assert (reply.status, reply.error_code) == (501, "NOT_IMPLEMENTED")
    reply = call(server.url, "GET", "/model-versions/get-artifact?name=forest&version=9&path=x")
    assert reply.error_code == "RESOURCE_DOES_NOT_EXIST"
    assert call(server.url, "GET", "/model-versions/get-artifact?name=forest").error_code == "INVALID_PARAMETER_VALUE"


def test_upload_artifact_of_the_web_ui(server: LiveServer, run_id: str) -> None:
    path = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run_id}&path=notes/image.png"
    assert call(server.url, "POST", path, b"png").body == b"{}"
    assert call(server.url, "GET", f"/get-artifact?run_id={run_id}&path=notes/image.png").body == b"png"
    large = call(server.url, "POST", path, b"x" * (10 * 1024 * 1024 + 1))
    assert (large.status, large.error_code) == (400, "INVALID_PARAMETER_VALUE")
    chunked = call(server.url, "POST", path, iter([b"x" * 1024 * 1024] * 11))
    assert (chunked.status, chunked.error_code) == (400, "INVALID_PARAMETER_VALUE")
    assert call(server.url, "GET", f"/get-artifact?run_id={run_id}&path=notes/image.png").body == b"png"


def test_an_upload_of_the_web_ui_says_what_is_missing(server: LiveServer, run_id: str) -> None:
    for query, body, message in (
        ("", b"x", "Request must specify run_uuid."),
        (f"?run_uuid={run_id}", b"x", "Request must specify path."),
        (f"?run_uuid={run_id}&path=", b"x", "Request must specify path."),
        (f"?run_uuid={run_id}&path=../test.txt", b"", "Invalid path"),
        (f"?run_uuid={run_id}&path=test.txt", b"", "Request must specify data."),
    ):
        reply = call(server.url, "POST", f"/ajax-api/2.0/mlflow/upload-artifact{query}", body)
        assert (reply.status, reply.error_code) == (400, "INVALID_PARAMETER_VALUE")
        assert reply.json["message"] == message
    assert call(server.url, "GET", f"/get-artifact?run_id={run_id}&path=test.txt").status == 404


def test_the_artifacts_of_a_logged_model(server: LiveServer) -> None:
    created = call_json(server.url, "POST", "/api/2.0/mlflow/logged-models", {"experiment_id": "0", "name": "m"})
    model_id = created.json["model"]["info"]["model_id"]
    put(server, f"0/models/{model_id}/artifacts/sub/MLmodel", b"x")
    base = f"/2.0/mlflow/logged-models/{model_id}/artifacts"
    top = call(server.url, "GET", f"/api{base}/directories").json
    assert top == {
        "root_uri": f"mlflow-artifacts:/0/models/{model_id}/artifacts",
        "files": [{"path": "sub", "is_dir": True}],
    }
    below = call(server.url, "GET", f"/ajax-api{base}/directories?artifact_directory_path=sub").json
    assert below["files"] == [{"path": "sub/MLmodel", "is_dir": False, "file_size": 1}]
    assert call(server.url, "GET", f"/ajax-api{base}/files?artifact_file_path=sub/MLmodel").body == b"x"
    unknown = call(server.url, "GET", "/api/2.0/mlflow/logged-models/m-none/artifacts/directories")
    assert unknown.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_a_default_root_that_is_an_address_of_the_server(tmp_path: Path) -> None:
    """As clients write it that were started beside the server. It has many names, so the host is not looked at."""
    address = f"http://ml.example.com{FILES}"
    with live_server(tmp_path, "--default-artifact-root", address) as server:
        created = call_json(server.url, "POST", "/api/2.0/mlflow/runs/create", {"experiment_id": "0"})
        info = created.json["run"]["info"]
        assert info["artifact_uri"] == f"{address}/0/{info['run_id']}/artifacts"
        assert put(server, f"0/{info['run_id']}/artifacts/a.txt", b"12").status == 200
        listed = call(server.url, "GET", f"/api/2.0/mlflow/artifacts/list?run_id={info['run_id']}").json
        assert listed["files"] == [{"path": "a.txt", "is_dir": False, "file_size": 2}]
        assert call(server.url, "GET", f"/get-artifact?run_id={info['run_id']}&path=a.txt").body == b"12"
        document = {"run_id": info["run_id"], "path": "b.txt"}
        for direction in ("upload", "download"):
            signed = call_json(server.url, "POST", f"/api/2.0/mlflow/artifacts/presigned-{direction}-url", document)
            assert (signed.status, signed.error_code) == (400, "INVALID_PARAMETER_VALUE")
            assert signed.json["message"].startswith(f"Presigned {direction} is not supported for proxied artifact")
        signed = call(server.url, "GET", f"{PROXY}/presigned/0/x")
        assert (signed.status, signed.error_code) == (501, "NOT_IMPLEMENTED")
        assert signed.json["message"].startswith(
            "Multipart download is not supported for the current artifact repository"
        )


def test_stores_that_are_not_the_servers_own_are_never_opened(server: LiveServer, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    document = {"name": "elsewhere", "artifact_location": f"file://{tmp_path}"}
    created = call_json(server.url, "POST", "/api/2.0/mlflow/experiments/create", document)
    experiment_id = created.json["experiment_id"]
    run = call_json(server.url, "POST", "/api/2.0/mlflow/runs/create", {"experiment_id": experiment_id})
    run_id = run.json["run"]["info"]["run_id"]
    for path in (f"/api/2.0/mlflow/artifacts/list?run_id={run_id}", f"/get-artifact?run_id={run_id}&path=x"):
        reply = call(server.url, "GET", path)
        assert (reply.status, reply.error_code) == (501, "NOT_IMPLEMENTED")


@pytest.mark.parametrize("root", ["mlflow-artifacts:/", f"http://artifacts.example.com{FILES}"])
def test_a_server_beside_one_that_serves_the_artifacts(tmp_path: Path, root: str) -> None:
    with live_server(tmp_path, "--no-serve-artifacts", "--default-artifact-root", root) as server:
        created = call_json(server.url, "POST", "/api/2.0/mlflow/runs/create", {"experiment_id": "0"})
        info = created.json["run"]["info"]
        assert info["artifact_uri"] == f"{root.rstrip('/')}/0/{info['run_id']}/artifacts"
        assert put(server, f"0/{info['run_id']}/artifacts/a.txt", b"12").status == 501
        for path in (
            f"/api/2.0/mlflow/artifacts/list?run_id={info['run_id']}",
            f"/get-artifact?run_id={info['run_id']}&path=x",
        ):
            reply = call(server.url, "GET", path)
            assert (reply.status, reply.error_code) == (501, "NOT_IMPLEMENTED")


def test_a_server_without_artifacts_lists_the_local_root_and_proxies_nothing(tmp_path: Path) -> None:
    with live_server(tmp_path, "--no-serve-artifacts") as server:
        created = call_json(server.url, "POST", "/api/2.0/mlflow/runs/create", {"experiment_id": "0"})
        info = created.json["run"]["info"]
        file = tmp_path / "mlruns" / "0" / info["run_id"] / "artifacts" / "a.txt"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"12")
        listed = call(server.url, "GET", f"/api/2.0/mlflow/artifacts/list?run_id={info['run_id']}").json
        assert listed["files"] == [{"path": "a.txt", "is_dir": False, "file_size": 2}]
        for method in ("GET", "PUT", "DELETE"):
            reply = call(server.url, method, f"{FILES}/0/x", b"x" if method == "PUT" else None)
            assert (reply.status, reply.error_code) == (501, "NOT_IMPLEMENTED")
