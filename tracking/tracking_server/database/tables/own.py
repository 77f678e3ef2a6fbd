"""Our own tables. They are made by our own lineage of migrations, which never imports this module."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
    TypedColumns,
)

from tracking_server.database.tables.metadata import MEDIUM_TEXT, own_metadata


class TrackplaneGcClaimsColumns(TypedColumns):
    kind: Named[str] = Column(String(16))
    """`run`, `experiment` or `logged_model`."""
    id: Named[str] = Column(String(36))
    claim_id: Named[str] = Column(String(32))
    """Which collection holds the claim."""
    claimed_at: Named[int] = Column(BigInteger)
    """Milliseconds since the epoch."""


trackplane_gc_claims = Table(
    "trackplane_gc_claims",
    own_metadata,
    TrackplaneGcClaimsColumns,
    PrimaryKeyConstraint("kind", "id", name="trackplane_gc_claims_pk"),
    Index("trackplane_gc_claims_by_claim", "claim_id"),
)
"""What garbage collection is about to remove for good: a claimed run, experiment or logged model is not restored."""


class TrackplaneWebhookDeliveriesColumns(TypedColumns):
    sequence: Named[int] = Column(BigInteger().with_variant(Integer(), "sqlite"), autoincrement=True)
    """The order in which the deliveries of a webhook go out."""
    delivery_id: Named[str] = Column(String(36))
    """What the receiver is told, the same at each try."""
    webhook_id: Named[str] = Column(String(256))
    body: Named[str] = Column(MEDIUM_TEXT)
    """The JSON that is sent."""
    created_at: Named[int] = Column(BigInteger)
    """This and all times here: milliseconds since the epoch."""
    due_at: Named[int] = Column(BigInteger)
    """Not to be tried before."""
    attempts: Named[int] = Column(Integer)
    """How often it was tried in vain."""
    lease_id: Named[str | None] = Column(String(32))
    """Who sends it just now; a lease that has run out was left by a process that died."""
    leased_until: Named[int] = Column(BigInteger)
    failed_at: Named[int | None] = Column(BigInteger)
    """When it was given up; NULL while it waits or is under way. What has arrived has no row any more."""
    failure: Named[str | None] = Column(String(500))
    """Why the last try was in vain."""


trackplane_webhook_deliveries = Table(
    "trackplane_webhook_deliveries",
    own_metadata,
    TrackplaneWebhookDeliveriesColumns,
    PrimaryKeyConstraint("sequence", name="trackplane_webhook_deliveries_pk"),
    Index("trackplane_webhook_deliveries_by_webhook", "webhook_id", "failed_at", "sequence"),
    sqlite_autoincrement=True,
)
"""The queue of what webhooks are to be told, written in the transaction of the change that it tells of."""
