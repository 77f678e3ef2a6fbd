"""The registry of MCP servers."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    String,
    Text,
    UnaryExpression,
    column,
)

from tracking_server.database.migrations.mlflow.operations import create_index, create_table

revision = "a8b9c0d1e2f3"
down_revision = "b7e4c1a90f23"


def _falling(name: str) -> UnaryExpression[int]:
    return column(name, Integer()).desc()


def upgrade() -> None:
    create_table(
        "mcp_servers",
        Column("workspace", String(63), nullable=False, server_default="default"),
        Column("name", String(256), nullable=False),
        Column("display_name", String(256), nullable=True),
        Column("description", Text(), nullable=True),
        Column("icons", JSON(), nullable=True),
        Column("created_by", String(256), nullable=True),
        Column("last_updated_by", String(256), nullable=True),
        Column("created_at", BigInteger(), nullable=False),
        Column("last_updated_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("workspace", "name", name="mcp_servers_pk"),
    )
    create_table(
        "mcp_server_versions",
        Column("workspace", String(63), nullable=False, server_default="default"),
        Column("name", String(256), nullable=False),
        Column("version", String(128), nullable=False),
        Column("version_major", Integer(), nullable=False),
        Column("version_minor", Integer(), nullable=False),
        Column("version_patch", Integer(), nullable=False),
        Column("version_prerelease_sort_key", String(512), nullable=False),
        Column("server_json", JSON(), nullable=False),
        Column("status", String(20), nullable=False, server_default="draft"),
        Column("tools", JSON(), nullable=True),
        Column("source", String(512), nullable=True),
        Column("connect_options", JSON(), nullable=True),
        Column("created_by", String(256), nullable=True),
        Column("last_updated_by", String(256), nullable=True),
        Column("created_at", BigInteger(), nullable=False),
        Column("last_updated_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("workspace", "name", "version", name="mcp_server_versions_pk"),
        ForeignKeyConstraint(
            ["workspace", "name"],
            ["mcp_servers.workspace", "mcp_servers.name"],
            name="mcp_server_versions_server_fkey",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
    )
    create_table(
        "mcp_server_tags",
        Column("workspace", String(63), nullable=False, server_default="default"),
        Column("name", String(256), nullable=False),
        Column("key", String(250), nullable=False),
        Column("value", String(5000), nullable=True),
        PrimaryKeyConstraint("workspace", "name", "key", name="mcp_server_tags_pk"),
        ForeignKeyConstraint(
            ["workspace", "name"],
            ["mcp_servers.workspace", "mcp_servers.name"],
            name="mcp_server_tags_server_fkey",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
    )
    create_table(
        "mcp_server_version_tags",
        Column("workspace", String(63), nullable=False, server_default="default"),
        Column("name", String(256), nullable=False),
        Column("version", String(128), nullable=False),
        Column("key", String(250), nullable=False),
        Column("value", String(5000), nullable=True),
        PrimaryKeyConstraint("workspace", "name", "version", "key", name="mcp_server_version_tags_pk"),
        ForeignKeyConstraint(
            ["workspace", "name", "version"],
            ["mcp_server_versions.workspace", "mcp_server_versions.name", "mcp_server_versions.version"],
            name="mcp_server_version_tags_version_fkey",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
    )
    create_table(
        "mcp_server_aliases",
        Column("workspace", String(63), nullable=False, server_default="default"),
        Column("name", String(256), nullable=False),
        Column("alias", String(256), nullable=False),
        Column("version", String(128), nullable=False),
        PrimaryKeyConstraint("workspace", "name", "alias", name="mcp_server_aliases_pk"),
        ForeignKeyConstraint(
            ["workspace", "name"],
            ["mcp_servers.workspace", "mcp_servers.name"],
            name="mcp_server_aliases_server_fkey",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
    )
    create_table(
        "mcp_access_endpoints",
        Column("id", String(36), nullable=False),
        Column("workspace", String(63), nullable=False, server_default="default"),
        Column("server_name", String(256), nullable=False),
        Column("server_version", String(128), nullable=True),
        Column("server_alias", String(256), nullable=True),
        Column("url", String(2048), nullable=False),
        Column("transport_type", String(32), nullable=False, server_default="streamable-http"),
        Column("created_by", String(256), nullable=True),
        Column("last_updated_by", String(256), nullable=True),
        Column("created_at", BigInteger(), nullable=False),
        Column("last_updated_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("id", name="mcp_access_endpoints_pk"),
        ForeignKeyConstraint(
            ["workspace", "server_name"],
            ["mcp_servers.workspace", "mcp_servers.name"],
            name="mcp_access_endpoints_server_fkey",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
    )
    create_index(
        "idx_mcp_server_versions_latest",
        "mcp_server_versions",
        [
            "workspace",
            "name",
            "status",
            _falling("version_major"),
            _falling("version_minor"),
            _falling("version_patch"),
        ],
    )
    create_index("ix_mcp_access_endpoints_server_name", "mcp_access_endpoints", ["workspace", "server_name"])
    create_index(
        "ix_mcp_access_endpoints_version", "mcp_access_endpoints", ["workspace", "server_name", "server_version"]
    )
    create_index("ix_mcp_access_endpoints_alias", "mcp_access_endpoints", ["workspace", "server_name", "server_alias"])
