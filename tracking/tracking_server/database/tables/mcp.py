"""The registry of MCP servers."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypedColumns,
)

from tracking_server.database.tables.metadata import metadata


class McpServersColumns(TypedColumns):
    workspace: Named[str] = Column(String(63), server_default="default")
    name: Named[str] = Column(String(256))
    display_name: Named[str | None] = Column(String(256))
    description: Named[str | None] = Column(Text)
    icons: Named[Any] = Column(JSON, nullable=True)
    created_by: Named[str | None] = Column(String(256))
    last_updated_by: Named[str | None] = Column(String(256))
    created_at: Named[int] = Column(BigInteger)
    last_updated_at: Named[int] = Column(BigInteger)


mcp_servers = Table(
    "mcp_servers",
    metadata,
    McpServersColumns,
    PrimaryKeyConstraint("workspace", "name", name="mcp_servers_pk"),
)


class McpServerVersionsColumns(TypedColumns):
    workspace: Named[str] = Column(String(63), server_default="default")
    name: Named[str] = Column(String(256))
    version: Named[str] = Column(String(128))
    version_major: Named[int] = Column(Integer)
    version_minor: Named[int] = Column(Integer)
    version_patch: Named[int] = Column(Integer)
    version_prerelease_sort_key: Named[str] = Column(String(512))
    server_json: Named[Any] = Column(JSON, nullable=False)
    status: Named[str] = Column(String(20), server_default="draft")
    tools: Named[Any] = Column(JSON, nullable=True)
    source: Named[str | None] = Column(String(512))
    connect_options: Named[Any] = Column(JSON, nullable=True)
    created_by: Named[str | None] = Column(String(256))
    last_updated_by: Named[str | None] = Column(String(256))
    created_at: Named[int] = Column(BigInteger)
    last_updated_at: Named[int] = Column(BigInteger)


mcp_server_versions = Table(
    "mcp_server_versions",
    metadata,
    McpServerVersionsColumns,
    PrimaryKeyConstraint("workspace", "name", "version", name="mcp_server_versions_pk"),
    ForeignKeyConstraint(
        ["workspace", "name"],
        ["mcp_servers.workspace", "mcp_servers.name"],
        name="mcp_server_versions_server_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
)


Index(
    "idx_mcp_server_versions_latest",
    mcp_server_versions.c.workspace,
    mcp_server_versions.c.name,
    mcp_server_versions.c.status,
    mcp_server_versions.c.version_major.desc(),
    mcp_server_versions.c.version_minor.desc(),
    mcp_server_versions.c.version_patch.desc(),
)


class McpServerAliasesColumns(TypedColumns):
    workspace: Named[str] = Column(String(63), server_default="default")
    name: Named[str] = Column(String(256))
    alias: Named[str] = Column(String(256))
    version: Named[str] = Column(String(128))


mcp_server_aliases = Table(
    "mcp_server_aliases",
    metadata,
    McpServerAliasesColumns,
    PrimaryKeyConstraint("workspace", "name", "alias", name="mcp_server_aliases_pk"),
    ForeignKeyConstraint(
        ["workspace", "name"],
        ["mcp_servers.workspace", "mcp_servers.name"],
        name="mcp_server_aliases_server_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
)


class McpServerTagsColumns(TypedColumns):
    workspace: Named[str] = Column(String(63), server_default="default")
    name: Named[str] = Column(String(256))
    key: Named[str] = Column(String(250))
    value: Named[str | None] = Column(String(5000))


mcp_server_tags = Table(
    "mcp_server_tags",
    metadata,
    McpServerTagsColumns,
    PrimaryKeyConstraint("workspace", "name", "key", name="mcp_server_tags_pk"),
    ForeignKeyConstraint(
        ["workspace", "name"],
        ["mcp_servers.workspace", "mcp_servers.name"],
        name="mcp_server_tags_server_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
)


class McpServerVersionTagsColumns(TypedColumns):
    workspace: Named[str] = Column(String(63), server_default="default")
    name: Named[str] = Column(String(256))
    version: Named[str] = Column(String(128))
    key: Named[str] = Column(String(250))
    value: Named[str | None] = Column(String(5000))


mcp_server_version_tags = Table(
    "mcp_server_version_tags",
    metadata,
    McpServerVersionTagsColumns,
    PrimaryKeyConstraint("workspace", "name", "version", "key", name="mcp_server_version_tags_pk"),
    ForeignKeyConstraint(
        ["workspace", "name", "version"],
        ["mcp_server_versions.workspace", "mcp_server_versions.name", "mcp_server_versions.version"],
        name="mcp_server_version_tags_version_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
)


class McpAccessEndpointsColumns(TypedColumns):
    id: Named[str] = Column(String(36))
    workspace: Named[str] = Column(String(63), server_default="default")
    server_name: Named[str] = Column(String(256))
    server_version: Named[str | None] = Column(String(128))
    server_alias: Named[str | None] = Column(String(256))
    url: Named[str] = Column(String(2048))
    transport_type: Named[str] = Column(String(32), server_default="streamable-http")
    created_by: Named[str | None] = Column(String(256))
    last_updated_by: Named[str | None] = Column(String(256))
    created_at: Named[int] = Column(BigInteger)
    last_updated_at: Named[int] = Column(BigInteger)


mcp_access_endpoints = Table(
    "mcp_access_endpoints",
    metadata,
    McpAccessEndpointsColumns,
    PrimaryKeyConstraint("id", name="mcp_access_endpoints_pk"),
    ForeignKeyConstraint(
        ["workspace", "server_name"],
        ["mcp_servers.workspace", "mcp_servers.name"],
        name="mcp_access_endpoints_server_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    Index("ix_mcp_access_endpoints_alias", "workspace", "server_name", "server_alias"),
    Index("ix_mcp_access_endpoints_server_name", "workspace", "server_name"),
    Index("ix_mcp_access_endpoints_version", "workspace", "server_name", "server_version"),
)
