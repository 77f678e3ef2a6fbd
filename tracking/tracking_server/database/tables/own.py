"""Our own tables. They are made by our own lineage of migrations, which never imports this module."""

from sqlalchemy import BigInteger, Column, Index, Named, PrimaryKeyConstraint, String, Table, TypedColumns

from tracking_server.database.tables.metadata import own_metadata


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
