"""Searches of runs and of experiments: a page of rows, then what they hold, with one statement for each kind."""

from tracking_server.database import rows
from tracking_server.database.fetching import fetch_rows
from tracking_server.database.statements import tags as tag_statements
from tracking_server.database.statements.experiment_search import select_experiment_page
from tracking_server.database.statements.run_search import select_run_page
from tracking_server.entities.experiments import FoundExperiments, SearchExperiments
from tracking_server.entities.runs import FoundRuns, SearchRuns
from tracking_server.services.context import Context
from tracking_server.services.experiment_ids import parse_experiment_id
from tracking_server.services.run_reading import fetch_runs


def search_runs(request: SearchRuns, context: Context) -> FoundRuns:
    """Without experiments nothing is found."""
    keys = [parse_experiment_id(experiment_id) for experiment_id in request.experiment_ids]
    query = select_run_page(request, keys, context.database.dialect)
    if not keys:
        return FoundRuns()
    with context.database.read() as connection:
        page = query.page_of_rows(fetch_rows(connection, query.statement))
        found = fetch_runs(connection, page.rows, with_model_inputs=False)
    return FoundRuns(runs=found or (), next_page_token=page.next_page_token)


def search_experiments(request: SearchExperiments, context: Context) -> FoundExperiments:
    query = select_experiment_page(request, context.database.dialect)
    with context.database.read() as connection:
        page = query.page_of_rows(fetch_rows(connection, query.statement))
        ids = [row[0] for row in page.rows]
        tags = rows.tags_by_owner(fetch_rows(connection, tag_statements.SELECT_OF_EXPERIMENTS, {"experiment_ids": ids}))
    found = [rows.experiment(row, tags.get(row[0], ())) for row in page.rows]
    return FoundExperiments(experiments=found or (), next_page_token=page.next_page_token)
