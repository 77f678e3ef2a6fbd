"""Addresses that stores sign: whoever has one reads or writes that file, for a while, without any credentials."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.storage.blob import UserDelegationKey

from tests.support.artifact_stores import GROUP, content_of, names_of, put, remote_store, store_through, unfinished_in
from tests.support.cloud_names import cloud_names
from tests.support.emulators import BUCKET, Emulator
from tests.support.faulty_proxy import Answer, Call, Pass, Treatment, faulty_proxy
from tracking_server.artifacts.azure_blob import AzureContainer
from tracking_server.artifacts.checked import CheckedStore
from tracking_server.artifacts.gcs import GcsBucket
from tracking_server.artifacts.local import LocalStore
from tracking_server.artifacts.objects import ObjectStore
from tracking_server.artifacts.options import StoreOptions
from tracking_server.artifacts.s3 import S3Bucket
from tracking_server.artifacts.signing import PartsStore, SentPart, SignedUrl, SigningStore, parts_store, signing_store
from tracking_server.artifacts.store import ArtifactNotFound, StoreDenied, StoreUnavailable
from tracking_server.errors import InvalidParameter, NotImplementedHere, TrackingError

PART = 5 * 1024 * 1024


@pytest.fixture
def signing(object_store: ObjectStore, google_key: Path, monkeypatch: pytest.MonkeyPatch) -> SigningStore:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google_key))
    found = signing_store(CheckedStore(object_store))
    assert found is not None
    return found


@pytest.fixture(params=[pytest.param(name, marks=GROUP) for name in ("s3", "azure")])
def strict_store(request: pytest.FixtureRequest) -> ObjectStore:
    """Of those whose emulators look at signatures and take parts from clients: fake-gcs-server does neither."""
    name: str = request.param
    return remote_store(request, name)


@pytest.fixture
def parts(strict_store: ObjectStore) -> PartsStore:
    found = parts_store(CheckedStore(strict_store))
    assert found is not None
    return found


def send(method: str, signed: SignedUrl, body: bytes | None = None) -> tuple[bytes, Mapping[str, str]]:
    request = urllib.request.Request(signed.url, method=method, data=body, headers=dict(signed.headers))
    with urllib.request.urlopen(request, timeout=30) as answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        content: bytes = answer.read()
        return content, headers


@pytest.mark.parametrize("name", ["file.txt", "with space & größe 🎉+%.png"])
def test_a_signed_address_writes_and_reads_one_file(
    object_store: ObjectStore, signing: SigningStore, name: str
) -> None:
    send("PUT", signing.sign_put(f"run/{name}", 300), b"content")
    assert content_of(object_store, f"run/{name}") == b"content"
    content, headers = send("GET", signing.sign_get(f"run/{name}", 300))
    assert content == b"content"
    if not isinstance(object_store.bucket, GcsBucket):  # the emulator ignores what the answer is to be called
        assert headers["content-disposition"].startswith("attachment; filename*=UTF-8''")


def test_an_address_to_read_does_not_write_and_is_for_one_file(strict_store: ObjectStore) -> None:
    signing = signing_store(strict_store)
    assert signing is not None
    for name in ("a", "b"):
        put(strict_store, name, b"content")
    signed = signing.sign_get("a", 300)
    with pytest.raises(urllib.error.HTTPError) as caught:
        send("PUT", signed, b"other")
    assert caught.value.code in {403, 400}
    caught.value.close()
    path = urlsplit(signed.url).path
    with pytest.raises(urllib.error.HTTPError) as caught:
        send("GET", SignedUrl(url=signed.url.replace(path, f"{path[:-1]}b")))
    assert caught.value.code == 403
    caught.value.close()
    assert content_of(strict_store, "a") == b"content"


def test_an_upload_in_parts_of_a_client(strict_store: ObjectStore, parts: PartsStore) -> None:
    content = bytes(range(256)) * (2 * PART // 256) + b"end"
    started = parts.start_parts("run/large", 3, 300)
    sent: list[SentPart] = []
    for number, signed in enumerate(started.parts, start=1):
        _, headers = send("PUT", signed, content[(number - 1) * PART : number * PART])
        sent.append(SentPart(number=number, etag=headers.get("etag", "")))
    assert names_of(strict_store, "run") == []
    stat = parts.complete_parts("run/large", started.upload_id, list(reversed(sent)))
    assert stat.size_bytes == len(content)
    with strict_store.open("run/large") as reader:
        assert b"".join(iter(lambda: reader.read(512 * 1024), b"")) == content


def test_an_upload_in_parts_that_is_given_up_leaves_nothing(strict_store: ObjectStore, parts: PartsStore) -> None:
    started = parts.start_parts("run/large", 2, 300)
    send("PUT", started.parts[0], bytes(PART))
    for _ in range(2):
        parts.abort_parts("run/large", started.upload_id)
    assert names_of(strict_store, "run") == []
    assert unfinished_in(strict_store) == []
    with pytest.raises((ArtifactNotFound, InvalidParameter, StoreUnavailable)):
        parts.complete_parts("run/large", started.upload_id, [SentPart(number=1, etag="x")])


@pytest.mark.parametrize("count", [0, 50_001])
def test_the_number_of_parts_is_checked(parts: PartsStore, count: int) -> None:
    with pytest.raises(InvalidParameter, match="from 1 to"):
        parts.start_parts("run/large", count, 300)


def test_a_folder_does_not_sign(tmp_path: Path) -> None:
    assert signing_store(CheckedStore(LocalStore(tmp_path))) is None
    assert parts_store(CheckedStore(LocalStore(tmp_path))) is None


@GROUP
def test_what_an_upload_is_to_have_is_part_of_the_signature(s3: Emulator, s3_bucket: S3Bucket) -> None:
    extra = '{"Metadata": {"team": "vision"}}'
    store = store_through("s3", s3, s3.url, MLFLOW_S3_UPLOAD_EXTRA_ARGS=extra)
    signing = signing_store(store)
    assert signing is not None
    signed = signing.sign_put("file", 300)
    assert signed.headers["x-amz-meta-team"] == "vision"
    send("PUT", signed, b"x")
    found = s3_bucket.client.head_object(Bucket=s3_bucket.name, Key=store.name_of("file"))
    assert found["Metadata"] == {"team": "vision"}
    store.close()


@GROUP
def test_azure_signs_by_a_key_of_the_service_when_the_server_has_an_identity(
    azure: Emulator, azure_bucket: AzureContainer
) -> None:
    """The service gives that key to identities alone, which the emulator has none of: the key is put in here."""
    host = "account.blob.core.windows.net"
    store = store_through(
        "azure", azure, azure.url, AZURE_STORAGE_CONNECTION_STRING="", MLFLOW_AZURE_STORAGE_BLOB_ENDPOINT=host
    )
    assert isinstance(store.bucket, AzureContainer)
    ends = datetime.now(UTC) + timedelta(hours=2)
    key = UserDelegationKey()  # type: ignore[no-untyped-call]  # the SDK has no annotation there
    key.signed_oid, key.signed_tid, key.signed_service, key.signed_version = "oid", "tid", "b", "2024-11-04"
    key.signed_start, key.signed_expiry = "2026-01-01T00:00:00Z", ends.strftime("%Y-%m-%dT%H:%M:%SZ")
    key.value = "c2VjcmV0"
    store.bucket.delegation = (key, ends)
    signing = signing_store(store)
    assert signing is not None
    query = parse_qs(urlsplit(signing.sign_get("file", 300).url).query)
    assert (query["skoid"], query["sktid"], query["sp"]) == (["oid"], ["tid"], ["r"])
    store.close()


@GROUP
def test_azure_cannot_sign_with_a_signature(azure: Emulator) -> None:
    store = store_through(
        "azure", azure, azure.url,
        AZURE_STORAGE_CONNECTION_STRING="",
        MLFLOW_AZURE_STORAGE_BLOB_ENDPOINT=azure.url,
        AZURE_STORAGE_SAS_TOKEN="?sv=1&sig=secret",
    )  # fmt: skip
    signing = signing_store(store)
    assert signing is not None
    with pytest.raises(NotImplementedHere, match="Storage Blob Delegator") as caught:
        signing.sign_get("file", 300)
    assert "secret" not in caught.value.message
    store.close()


@GROUP
def test_google_without_any_credentials_says_what_it_lacks(
    gcs: Emulator, gcs_bucket: GcsBucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(TrackingError) as caught:
        gcs_bucket.sign_get("file", 300)
    assert isinstance(caught.value, StoreDenied)


@GROUP
@pytest.mark.parametrize("text", ["not json", "{}", '{"type": "service_account", "private_key": "no key"}'])
def test_a_key_file_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (tmp_path / "key.json").write_text(text)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    with pytest.raises(StoreDenied, match=r"GOOGLE_APPLICATION_CREDENTIALS|credentials of the server") as caught:
        GcsBucket(BUCKET, StoreOptions()).head("file")
    assert "no key" not in caught.value.message


@GROUP
def test_google_takes_parts_by_its_xml_api(gcs: Emulator, google_key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """fake-gcs-server has no such API: what is asked is looked at, and answered as Google documents it."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google_key))
    asked: list[Call] = []

    def treat(call: Call) -> Treatment:
        if "/storage/v1/" in call.path:
            return Pass()
        asked.append(call)
        if call.path.endswith("?uploads="):
            return Answer(status=200, body=b"<InitiateMultipartUploadResult><UploadId>a&amp;b</UploadId></Initiate...>")
        return Answer(status=404 if call.method == "DELETE" else 200)

    with faulty_proxy(gcs.url) as proxy:
        store = store_through("gcs", gcs, proxy.url)
        put(store, "run/the file", b"what was put together")
        proxy.treat = treat
        parts = parts_store(store)
        assert parts is not None
        started = parts.start_parts("run/the file", 2, 300)
        assert started.upload_id == "a&b"
        for number, part in enumerate(started.parts, start=1):
            query = parse_qs(urlsplit(part.url).query)
            assert (query["uploadId"], query["partNumber"], query["X-Goog-Expires"]) == (
                ["a&b"],
                [str(number)],
                ["300"],
            )
            assert "X-Goog-Signature" in query
        sent = [SentPart(number=2, etag='"two"'), SentPart(number=1, etag='"one"')]
        assert parts.complete_parts("run/the file", "a&b", sent).size_bytes == 21
        parts.abort_parts("run/the file", "a&b")
        store.close()
    start, complete, abort = asked
    assert "/run/the%20file?uploads=" in start.path
    assert complete.path.endswith("?uploadId=a%26b")
    assert complete.begins == (
        b"<CompleteMultipartUpload>"
        b'<Part><PartNumber>1</PartNumber><ETag>"one"</ETag></Part>'
        b'<Part><PartNumber>2</PartNumber><ETag>"two"</ETag></Part>'
        b"</CompleteMultipartUpload>"
    )
    assert (abort.method, abort.path) == ("DELETE", complete.path)


@GROUP
def test_google_signs_for_an_identity_without_a_private_key(
    gcs: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workload identity: the token of the pod for one of Google, that for one of a service account, and that signs."""
    email = "trackplane@example.iam.gserviceaccount.com"
    account = f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{email}"
    (tmp_path / "token").write_text("token of the pod")
    (tmp_path / "identity.json").write_text(
        json.dumps(
            {
                "type": "external_account",
                "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/k",
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                "token_url": "https://sts.googleapis.com/v1/token",
                "service_account_impersonation_url": f"{account}:generateAccessToken",
                "credential_source": {"file": str(tmp_path / "token")},
            }
        )
    )
    asked: list[str] = []

    def identity(call: Call) -> Treatment:
        asked.append(call.path.partition("?")[0].rpartition(":")[2])
        if call.path.startswith("/v1/projects/1"):
            return Answer(status=403, body=b"{}")  # what the project is called, which is not needed
        if call.path.startswith("/v1/token"):
            return Answer(status=200, body=b'{"access_token": "federated", "expires_in": 3600, "token_type": "Bearer"}')
        if ":signBlob" in call.path:
            return Answer(status=200, body=b'{"keyId": "1", "signedBlob": "c2lnbmVk"}')
        return Answer(status=200, body=b'{"accessToken": "token", "expireTime": "2099-01-01T00:00:00Z"}')

    names = ("sts", "iamcredentials", "cloudresourcemanager")
    hosts: dict[str, Callable[[Call], Treatment]] = {f"{name}.googleapis.com": identity for name in names}
    with cloud_names(tmp_path, {"storage.googleapis.com": gcs.url}, hosts) as environ:
        for name, value in {**environ, "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "identity.json")}.items():
            monkeypatch.setenv(name, value)
        bucket = GcsBucket(BUCKET, StoreOptions())
        store = ObjectStore(bucket, "signed-by-google")
        signing = signing_store(store)
        assert signing is not None
        signed = signing.sign_get("file", 300)
        store.close()
    query = parse_qs(urlsplit(signed.url).query)
    assert query["X-Goog-Credential"][0].startswith(f"{email}/")
    assert query["X-Goog-Signature"] == [b"signed".hex()]
    assert [each for each in dict.fromkeys(asked) if "projects" not in each] == [
        "/v1/token",
        "generateAccessToken",
        "signBlob",
    ]
