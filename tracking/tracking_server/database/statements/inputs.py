"""What runs read and write: datasets, and the edges between them, runs and models, with the tags of an edge."""

from sqlalchemy import and_, bindparam, insert, select

from tracking_server.database.schema import datasets, input_tags, inputs
from tracking_server.database.statements.bulk_insert import BulkInsert
from tracking_server.database.statements.lists import one_of
from tracking_server.entities.tags import DATASET_CONTEXT_TAG

DATASET = "DATASET"
RUN = "RUN"
RUN_INPUT = "RUN_INPUT"
MODEL_INPUT = "MODEL_INPUT"
RUN_OUTPUT = "RUN_OUTPUT"
MODEL_OUTPUT = "MODEL_OUTPUT"

MAX_DATASET_SUMMARIES = 1000

NEW_DATASETS = BulkInsert(
    [
        datasets.c.name,
        datasets.c.digest,
        datasets.c.dataset_uuid,
        datasets.c.dataset_source_type,
        datasets.c.dataset_source,
        datasets.c.dataset_schema,
        datasets.c.dataset_profile,
    ],
    same=[datasets.c.experiment_id],
)
"""A dataset that exists in the experiment, by name and digest, is left as it is."""

NEW_EDGES = BulkInsert(
    [
        inputs.c.source_type,
        inputs.c.source_id,
        inputs.c.destination_type,
        inputs.c.destination_id,
        inputs.c.step,
        inputs.c.input_uuid,
    ]
)
"""An edge that exists is left as it is."""

INSERT_EDGES = insert(inputs)
INSERT_TAGS = insert(input_tags)

SELECT_DATASET_IDS = select(datasets.c.name, datasets.c.digest, datasets.c.dataset_uuid).where(
    datasets.c.experiment_id == bindparam("experiment_id"),
    datasets.c.name.in_(bindparam("names", expanding=True)),
    datasets.c.digest.in_(bindparam("digests", expanding=True)),
)
SELECT_EDGE_IDS = select(inputs.c.source_id, inputs.c.input_uuid).where(
    inputs.c.source_type == DATASET,
    inputs.c.source_id.in_(bindparam("dataset_ids", expanding=True)),
    inputs.c.destination_type == RUN,
    inputs.c.destination_id == bindparam("run_id"),
)

SELECT_DATASETS_OF_RUNS = (
    select(
        inputs.c.destination_id,
        inputs.c.input_uuid,
        datasets.c.name,
        datasets.c.digest,
        datasets.c.dataset_source_type,
        datasets.c.dataset_source,
        datasets.c.dataset_schema,
        datasets.c.dataset_profile,
        input_tags.c.name.label("tag_key"),
        input_tags.c.value.label("tag_value"),
    )
    .join_from(inputs, datasets, datasets.c.dataset_uuid == inputs.c.source_id)
    .join(input_tags, input_tags.c.input_uuid == inputs.c.input_uuid, isouter=True)
    .where(
        inputs.c.destination_type == RUN,
        one_of(inputs.c.destination_id, "run_ids"),
        inputs.c.source_type == DATASET,
    )
    .order_by(inputs.c.input_uuid, input_tags.c.name)
)
"""A row for each tag of an edge, or one row without a tag."""

SELECT_MODELS_OF_RUNS = select(inputs.c.source_type, inputs.c.source_id, inputs.c.destination_id, inputs.c.step).where(
    inputs.c.source_type.in_(bindparam("edge_types", expanding=True)),
    one_of(inputs.c.source_id, "run_ids"),
    inputs.c.destination_type.in_((MODEL_INPUT, MODEL_OUTPUT)),
)

SELECT_DATASET_SUMMARIES = (
    select(datasets.c.experiment_id, datasets.c.name, datasets.c.digest, input_tags.c.value)
    .join_from(datasets, inputs, inputs.c.source_id == datasets.c.dataset_uuid)
    .join(
        input_tags,
        and_(input_tags.c.input_uuid == inputs.c.input_uuid, input_tags.c.name == DATASET_CONTEXT_TAG),
        isouter=True,
    )
    .where(
        datasets.c.experiment_id.in_(bindparam("experiment_ids", expanding=True)),
        inputs.c.source_type == DATASET,
        inputs.c.destination_type == RUN,
    )
    .distinct()
    .order_by(datasets.c.experiment_id, datasets.c.name, datasets.c.digest, input_tags.c.value)
    .limit(MAX_DATASET_SUMMARIES)
)
