"""The trigger that keeps the name and the id of a secret of the gateway: its ciphertext is bound to both."""

from typing import Final

from alembic import op

from tracking_server.database.migrations.mlflow.operations import dialect

_REFUSED: Final = "'secret_id and secret_name are immutable (used as AAD in encryption)'"
_CHANGED: Final = "OLD.secret_id != NEW.secret_id OR OLD.secret_name != NEW.secret_name"
_BEFORE: Final = "CREATE TRIGGER prevent_secrets_aad_mutation BEFORE UPDATE ON secrets FOR EACH ROW"
_FUNCTION: Final = f"""
    CREATE OR REPLACE FUNCTION prevent_secrets_aad_mutation() RETURNS TRIGGER AS $$
    BEGIN IF {_CHANGED} THEN RAISE EXCEPTION {_REFUSED}; END IF; RETURN NEW; END; $$ LANGUAGE plpgsql
"""
_ON_MSSQL: Final = f"""
    CREATE OR ALTER TRIGGER prevent_secrets_aad_mutation ON secrets AFTER UPDATE AS
    BEGIN
        SET NOCOUNT ON;
        IF EXISTS (SELECT secret_id, secret_name FROM inserted EXCEPT SELECT secret_id, secret_name FROM deleted)
        BEGIN RAISERROR({_REFUSED}, 16, 1); ROLLBACK TRANSACTION; END
    END
"""  # noqa: S608 - all of it stands above
_STATEMENTS: Final = {
    "sqlite": (
        "DROP TRIGGER IF EXISTS prevent_secrets_aad_mutation",
        f"{_BEFORE} WHEN {_CHANGED} BEGIN SELECT RAISE(ABORT, {_REFUSED}); END;",
    ),
    "postgresql": (
        _FUNCTION,
        "DROP TRIGGER IF EXISTS prevent_secrets_aad_mutation ON secrets",
        f"{_BEFORE} EXECUTE FUNCTION prevent_secrets_aad_mutation()",
    ),
    "mysql": (
        "DROP TRIGGER IF EXISTS prevent_secrets_aad_mutation",
        f"{_BEFORE} BEGIN IF {_CHANGED} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = {_REFUSED}; END IF; END;",
    ),
    "mssql": (_ON_MSSQL,),
}


def create_secrets_trigger() -> None:
    """Also where it is already: a table that SQLite copies loses its triggers."""
    for statement in _STATEMENTS[dialect()]:
        op.execute(statement)
