# What we call of a generated client that carries no annotations on its methods.
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
from multidict import CIMultiDictProxy

class Configuration:
    host: str
    ssl_ca_cert: str | None
    cert_file: str | None
    key_file: str | None
    verify_ssl: bool
    proxy: str | None
    api_key: dict[str, str]
    client_session_kwargs: dict[str, Any] | None
    connection_pool_maxsize: int
    def __init__(self, host: str | None = None, *, ssl_ca_cert: str | None = None) -> None: ...
    async def get_api_key_with_prefix(self, identifier: str, alias: str | None = None) -> str | None: ...

class RESTResponse:
    status: int
    reason: str | None
    @property
    def headers(self) -> CIMultiDictProxy[str]: ...
    async def read(self) -> bytes: ...

class RESTClientObject:
    ssl_context: ssl.SSLContext

class ApiClient:
    configuration: Configuration
    rest_client: RESTClientObject
    user_agent: str
    def __init__(self, configuration: Configuration) -> None: ...
    async def close(self) -> None: ...
    async def param_serialize(
        self,
        method: str,
        resource_path: str,
        *,
        query_params: Mapping[str, str] | None = None,
        header_params: Mapping[str, str] | None = None,
        body: object = None,
        auth_settings: Sequence[str] | None = None,
    ) -> tuple[str, str, dict[str, str], object, list[object]]: ...
    async def call_api(
        self,
        method: str,
        url: str,
        header_params: Mapping[str, str] | None = None,
        body: object = None,
        post_params: list[object] | None = None,
        _request_timeout: aiohttp.ClientTimeout | None = None,
    ) -> RESTResponse: ...
