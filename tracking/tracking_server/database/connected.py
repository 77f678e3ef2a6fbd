"""Who has a session open in a database besides this process: an MLflow server that still runs, say. Not on SQLite."""

from typing import Final

from sqlalchemy import text

from tracking_server.database.transactions import Database

_POSTGRESQL: Final = text("""
    SELECT concat(COALESCE(NULLIF(application_name, ''), 'a session'), ' of ', usename, ' from ' || host(client_addr))
        AS name, count(*) AS sessions
    FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
        AND application_name NOT LIKE 'trackplane%'
    GROUP BY 1 ORDER BY 1
""")
"""Without our own: `who_serves` names the servers."""
_MYSQL: Final = text("""
    SELECT CONCAT('a session of ', user, ' from ', SUBSTRING_INDEX(host, ':', 1)) AS name, COUNT(*) AS sessions
    FROM information_schema.processlist
    WHERE db = DATABASE() AND id <> CONNECTION_ID()
    GROUP BY 1 ORDER BY 1
""")
"""Our own servers too: a session does not tell its program. An account without PROCESS sees its own alone."""


def who_is_connected(database: Database) -> tuple[str, ...]:
    match database.dialect:
        case "postgresql":
            statement = _POSTGRESQL
        case "mysql":
            statement = _MYSQL
        case _:
            return ()
    with database.read() as connection:
        return tuple(
            row.name if row.sessions == 1 else f"{row.name} ({row.sessions} sessions)"
            for row in connection.execute(statement)
        )
