"""Options that several commands share."""

from pathlib import Path

import click

from tracking_server.commands.report import REPORT_FILE

BACKEND_STORE_URI = "MLFLOW_BACKEND_STORE_URI"

database_url_argument = click.argument("url", envvar=BACKEND_STORE_URI, required=True, metavar="[URL]")
"""A password in an argument is seen by everybody on the machine: jobs use the environment."""

database_url_option = click.option(
    "--backend-store-uri",
    "url",
    envvar=BACKEND_STORE_URI,
    required=True,
    show_envvar=True,
    help="URL of the database. In the environment, a password is not seen by others.",
)

report_file_option = click.option(
    "--report-file",
    envvar=REPORT_FILE,
    show_envvar=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for the report, JSON of at most 4096 bytes.",
)

json_option = click.option("--json", "prints_json", is_flag=True, help="Print the report as JSON.")
