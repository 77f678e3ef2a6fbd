"""`trackplane gc --orphans`: each root of artifacts by itself."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import click

from tracking_server.artifacts.roots import Root
from tracking_server.artifacts.store import ArtifactStore
from tracking_server.collect.orphans import Limits, Sweep, delete_orphans, find_orphans
from tracking_server.collect.ownership import adopt
from tracking_server.commands.report import Report
from tracking_server.database.claims import has_claims
from tracking_server.database.transactions import Database
from tracking_server.errors import GarbageCollectionFailed, TrackingError


def sweep_roots(
    database: Database,
    roots: Sequence[Root],
    limits: Limits,
    report: Report,
    *,
    now: int,
    adopts: bool,
    deletes: bool,
) -> None:
    """Only tells, unless it `deletes`. Raises ConfigInvalid, GarbageCollectionFailed."""
    with database.read() as connection:
        if not has_claims(connection):
            raise GarbageCollectionFailed("The database lacks our table of claims. Run `trackplane db upgrade` first.")
    stores = list(_stores(roots))
    sweeps: list[Sweep] = []
    try:
        if adopts:
            for name, store in stores:
                adopt(database, store, name, now=now)
        for name, store in stores:
            sweep = delete_orphans(database, store, name, limits) if deletes else find_orphans(database, store, limits)
            sweeps.append(sweep)
            _print(name, sweep, deletes=deletes)
            _tell(report, sweeps)
    except TrackingError as error:
        raise GarbageCollectionFailed(f"The artifact store does not do what is needed: {error.message}") from error


def _stores(roots: Sequence[Root]) -> Iterator[tuple[str, ArtifactStore]]:
    """Each store once, by the last of its locations, which is not that of the server."""
    by_id = {id(root.store): root for root in roots}
    for root in by_id.values():
        yield "/".join((root.location.origin.removesuffix("/"), root.location.path)) or "/", root.store


def _print(name: str, sweep: Sweep, *, deletes: bool) -> None:
    for orphan in sweep.shown:
        click.echo(f"orphan: {orphan.path}: {orphan.files} files, {orphan.size_bytes} bytes", err=True)
    for item in sweep.leftovers:
        click.echo(f"left over: {item.id}: {item.reason}", err=True)
    done = f"{sweep.deleted} deleted" if deletes else "nothing deleted"
    click.echo(
        f"{name}: {sweep.owned} folders have an owner, {sweep.orphans} have none, {sweep.young} more are too young to"
        f" tell, {sweep.others} things are none of ours; {done}",
        err=True,
    )


def _tell(report: Report, sweeps: Sequence[Sweep]) -> None:
    leftovers = [item for sweep in sweeps for item in sweep.leftovers]
    report.tell(
        owned=sum(sweep.owned for sweep in sweeps),
        orphans=sum(sweep.orphans for sweep in sweeps),
        orphans_files=sum(sweep.files for sweep in sweeps),
        orphans_bytes=sum(sweep.size_bytes for sweep in sweeps),
        young=sum(sweep.young for sweep in sweeps),
        others=sum(sweep.others for sweep in sweeps),
        deleted=sum(sweep.deleted for sweep in sweeps),
        artifacts_files=sum(sweep.deleted_files for sweep in sweeps),
        artifacts_bytes=sum(sweep.deleted_bytes for sweep in sweeps),
        leftovers=len(leftovers),
        orphan_items=[asdict(orphan) for sweep in sweeps for orphan in sweep.shown],
        leftover_items=[asdict(item) for item in leftovers],
    )
