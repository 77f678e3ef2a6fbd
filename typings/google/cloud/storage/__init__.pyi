from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from google.api_core.retry import Retry
from google.auth.credentials import Credentials
from requests import Session

class Client:
    def __init__(
        self,
        project: str | None = ...,
        credentials: Credentials | None = ...,
        _http: Session | None = ...,
        client_options: Mapping[str, Any] | None = ...,
    ) -> None: ...
    def bucket(self, bucket_name: str) -> Bucket: ...
    def list_blobs(
        self,
        bucket_or_name: Bucket,
        page_token: str | None = ...,
        prefix: str | None = ...,
        delimiter: str | None = ...,
        fields: str | None = ...,
        page_size: int | None = ...,
        timeout: float | None = ...,
        retry: Retry | None = ...,
    ) -> BlobIterator: ...
    def close(self) -> None: ...

class BlobIterator:
    prefixes: set[str]
    next_page_token: str | None
    @property
    def pages(self) -> Iterator[Iterable[Blob]]: ...

class Bucket:
    def blob(self, blob_name: str, chunk_size: int | None = ...) -> Blob: ...

class Blob:
    name: str
    size: int | None
    generation: int | None
    updated: datetime | None
    def reload(self, timeout: float | None = ..., retry: Retry | None = ...) -> None: ...
    def delete(
        self, if_generation_match: int | None = ..., timeout: float | None = ..., retry: Retry | None = ...
    ) -> None: ...
    def upload_from_string(
        self,
        data: bytes,
        content_type: str = ...,
        timeout: float | None = ...,
        checksum: str | None = ...,
        retry: Retry | None = ...,
    ) -> None: ...
    def generate_signed_url(
        self,
        expiration: timedelta | None = ...,
        api_access_endpoint: str | None = ...,
        method: str = ...,
        content_type: str | None = ...,
        response_disposition: str | None = ...,
        headers: Mapping[str, str] | None = ...,
        query_parameters: Mapping[str, str] | None = ...,
        credentials: Credentials | None = ...,
        version: str | None = ...,
        service_account_email: str | None = ...,
        access_token: str | None = ...,
    ) -> str: ...
