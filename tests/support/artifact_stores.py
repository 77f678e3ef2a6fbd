"""Putting files into an artifact store and taking them out, as the tests of stores do it."""

from tracking_server.artifacts.store import ArtifactStore, Wanted


def put(store: ArtifactStore, key: str, content: bytes) -> None:
    with store.create(key) as writer:
        writer.write(content)
        writer.commit()


def content_of(store: ArtifactStore, key: str, wanted: Wanted = None) -> bytes:
    with store.open(key, wanted) as reader:
        chunks: list[bytes] = []
        while chunk := reader.read(3):
            chunks.append(chunk)
    return b"".join(chunks)


def names_of(store: ArtifactStore, folder: str) -> list[str]:
    return [entry.name for entry in store.list(folder).entries]
