from google.api_core.retry import Retry
from google.cloud.storage import Blob

class BlobWriter:
    def __init__(
        self,
        blob: Blob,
        chunk_size: int | None = ...,
        ignore_flush: bool = ...,
        retry: Retry | None = ...,
        *,
        content_type: str = ...,
        timeout: float | None = ...,
        checksum: str | None = ...,
    ) -> None: ...
    def write(self, b: bytes | bytearray | memoryview) -> int: ...
    def close(self) -> None: ...
    def terminate(self) -> None: ...
