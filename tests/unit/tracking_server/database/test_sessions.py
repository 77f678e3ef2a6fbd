import pytest
from sqlalchemy import pool

from tracking_server.database.sessions import DatabaseOptions, engine_arguments, engine_url
from tracking_server.database.urls import parse_database_url

POSTGRESQL = parse_database_url("postgresql://u@h/d")


@pytest.mark.parametrize(
    ("options", "capacity"),
    [
        (DatabaseOptions(), 10),
        (DatabaseOptions(pool_size=5, max_overflow=3), 8),
        (DatabaseOptions(pool_size=5, max_overflow=-1), 5),
    ],
)
def test_the_capacity_is_what_the_pool_can_serve_at_once(options: DatabaseOptions, capacity: int) -> None:
    assert options.capacity == capacity


def test_the_options_of_the_pool_reach_it() -> None:
    options = DatabaseOptions(pool_size=3, max_overflow=2, pool_recycle_seconds=60, echo=True)
    arguments = engine_arguments(POSTGRESQL, options)
    assert arguments["poolclass"] is pool.QueuePool
    assert (arguments["pool_size"], arguments["max_overflow"], arguments["pool_recycle"]) == (3, 2, 60)
    assert arguments["echo"] is True


@pytest.mark.parametrize("pool_class", ["NullPool", "StaticPool", "SingletonThreadPool", "AssertionPool"])
def test_a_pool_without_a_size_is_given_none(pool_class: str) -> None:
    arguments = engine_arguments(POSTGRESQL, DatabaseOptions(pool_class=pool_class))
    assert "pool_size" not in arguments


@pytest.mark.parametrize("url", ["sqlite:///x.db", "postgresql://u@h/d", "mysql://u@h/d", "mssql://u@h/d"])
def test_values_enter_no_log(url: str) -> None:
    assert engine_arguments(parse_database_url(url), DatabaseOptions())["hide_parameters"] is True


def test_what_the_url_says_is_not_overruled() -> None:
    url = parse_database_url("postgresql://u@h/d?connect_timeout=3&application_name=mine")
    assert engine_arguments(url, DatabaseOptions())["connect_args"] == {}


def test_mysql_refuses_what_it_would_cut_and_can_store_experiment_0() -> None:
    command = engine_arguments(parse_database_url("mysql://u@h/d"), DatabaseOptions())["connect_args"]["init_command"]
    assert "TRADITIONAL" in command
    assert "NO_AUTO_VALUE_ON_ZERO" in command
    assert "innodb_lock_wait_timeout = 20" in command


def test_a_look_at_sqlite_opens_only_what_is_there() -> None:
    url = parse_database_url("sqlite:////data/folder with # and %.db")
    assert engine_url(url, DatabaseOptions()) == url.url
    look = engine_url(url, DatabaseOptions(read_only=True))
    assert look.database == "file:///data/folder%20with%20%23%20and%20%25.db"
    assert look.query == {"mode": "rw", "uri": "true"}
