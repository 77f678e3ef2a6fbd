-- What MLflow 3.17.2's models (mlflow.store.*.dbmodels) are for SQL Server: CreateTable and CreateIndex of each, compiled by SQLAlchemy in an
-- environment with mlflow, without a server. Its migrations may make something else: no server was there to ask.
CREATE TABLE assessments (
	assessment_id VARCHAR(50) NOT NULL,
	trace_id VARCHAR(50) NOT NULL,
	name VARCHAR(250) NOT NULL,
	assessment_type VARCHAR(50) NOT NULL,
	value TEXT NOT NULL,
	error TEXT NULL,
	created_timestamp BIGINT NOT NULL,
	last_updated_timestamp BIGINT NOT NULL,
	experiment_id INTEGER NULL,
	trace_timestamp_ms BIGINT NULL,
	aggregate_value FLOAT(53) NULL,
	is_numeric_value BIT NOT NULL DEFAULT 0,
	source_type VARCHAR(50) NOT NULL,
	source_id VARCHAR(250) NULL,
	run_id VARCHAR(32) NULL,
	span_id VARCHAR(50) NULL,
	rationale TEXT NULL,
	overrides VARCHAR(50) NULL,
	valid BIT NOT NULL,
	assessment_metadata TEXT NULL,
	CONSTRAINT assessments_pkey PRIMARY KEY (assessment_id),
	FOREIGN KEY(trace_id) REFERENCES trace_info (request_id) ON DELETE CASCADE
);
CREATE INDEX idx_assessments_exp_name_valid ON assessments (experiment_id, name, valid);
CREATE INDEX idx_assessments_exp_trace_ts ON assessments (experiment_id, trace_timestamp_ms);
CREATE INDEX idx_assessments_exp_trace_ts_name ON assessments (experiment_id, trace_timestamp_ms, name);
CREATE INDEX index_assessments_assessment_type ON assessments (assessment_type);
CREATE INDEX index_assessments_last_updated_timestamp ON assessments (last_updated_timestamp);
CREATE INDEX index_assessments_run_id_created_timestamp ON assessments (run_id, created_timestamp);
CREATE INDEX index_assessments_trace_id_created_timestamp ON assessments (trace_id, created_timestamp);
CREATE TABLE budget_policies (
	budget_policy_id VARCHAR(36) NOT NULL,
	budget_unit VARCHAR(32) NOT NULL,
	budget_amount FLOAT NOT NULL,
	duration_unit VARCHAR(32) NOT NULL,
	duration_value INTEGER NOT NULL,
	target_scope VARCHAR(32) NOT NULL,
	budget_action VARCHAR(32) NOT NULL,
	created_by VARCHAR(255) NULL,
	created_at BIGINT NOT NULL,
	last_updated_by VARCHAR(255) NULL,
	last_updated_at BIGINT NOT NULL,
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	target_value VARCHAR(255) NULL,
	CONSTRAINT budget_policies_pk PRIMARY KEY (budget_policy_id)
);
CREATE INDEX idx_budget_policies_target_value ON budget_policies (target_value);
CREATE INDEX idx_budget_policies_workspace ON budget_policies (workspace);
CREATE TABLE datasets (
	dataset_uuid VARCHAR(36) NOT NULL,
	experiment_id INTEGER NOT NULL,
	name VARCHAR(500) NOT NULL,
	digest VARCHAR(36) NOT NULL,
	dataset_source_type VARCHAR(36) NOT NULL,
	dataset_source NTEXT NOT NULL,
	dataset_schema NTEXT NULL,
	dataset_profile NTEXT NULL,
	CONSTRAINT dataset_pk PRIMARY KEY (experiment_id, name, digest),
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
CREATE INDEX index_datasets_dataset_uuid ON datasets (dataset_uuid);
CREATE INDEX index_datasets_experiment_id_dataset_source_type ON datasets (experiment_id, dataset_source_type);
CREATE TABLE endpoint_bindings (
	endpoint_id VARCHAR(36) NOT NULL,
	resource_type VARCHAR(50) NOT NULL,
	resource_id VARCHAR(255) NOT NULL,
	created_at BIGINT NOT NULL,
	created_by VARCHAR(255) NULL,
	last_updated_at BIGINT NOT NULL,
	last_updated_by VARCHAR(255) NULL,
	display_name VARCHAR(255) NULL,
	CONSTRAINT endpoint_bindings_pk PRIMARY KEY (endpoint_id, resource_type, resource_id),
	FOREIGN KEY(endpoint_id) REFERENCES endpoints (endpoint_id) ON DELETE CASCADE
);
CREATE TABLE endpoint_model_mappings (
	mapping_id VARCHAR(36) NOT NULL,
	endpoint_id VARCHAR(36) NOT NULL,
	model_definition_id VARCHAR(36) NOT NULL,
	weight FLOAT NOT NULL,
	linkage_type VARCHAR(64) NOT NULL,
	fallback_order INTEGER NULL,
	created_by VARCHAR(255) NULL,
	created_at BIGINT NOT NULL,
	CONSTRAINT endpoint_model_mappings_pk PRIMARY KEY (mapping_id),
	FOREIGN KEY(endpoint_id) REFERENCES endpoints (endpoint_id) ON DELETE CASCADE,
	FOREIGN KEY(model_definition_id) REFERENCES model_definitions (model_definition_id)
);
CREATE INDEX index_endpoint_model_mappings_endpoint_id ON endpoint_model_mappings (endpoint_id);
CREATE INDEX index_endpoint_model_mappings_model_definition_id ON endpoint_model_mappings (model_definition_id);
CREATE UNIQUE INDEX unique_endpoint_model_linkage_mapping ON endpoint_model_mappings (endpoint_id, model_definition_id, linkage_type);
CREATE TABLE endpoint_tags (
	[key] VARCHAR(250) NOT NULL,
	value VARCHAR(5000) NULL,
	endpoint_id VARCHAR(36) NOT NULL,
	CONSTRAINT endpoint_tag_pk PRIMARY KEY ([key], endpoint_id),
	FOREIGN KEY(endpoint_id) REFERENCES endpoints (endpoint_id) ON DELETE CASCADE
);
CREATE INDEX index_endpoint_tags_endpoint_id ON endpoint_tags (endpoint_id);
CREATE TABLE endpoints (
	endpoint_id VARCHAR(36) NOT NULL,
	name VARCHAR(255) NULL,
	created_by VARCHAR(255) NULL,
	created_at BIGINT NOT NULL,
	last_updated_by VARCHAR(255) NULL,
	last_updated_at BIGINT NOT NULL,
	routing_strategy VARCHAR(64) NULL,
	fallback_config_json TEXT NULL,
	experiment_id INTEGER NULL,
	usage_tracking BIT NOT NULL,
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	CONSTRAINT endpoints_pk PRIMARY KEY (endpoint_id),
	CONSTRAINT uq_endpoints_workspace_name UNIQUE (workspace, name),
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE SET NULL
);
CREATE INDEX idx_endpoints_workspace ON endpoints (workspace);
CREATE TABLE entity_associations (
	association_id VARCHAR(36) NOT NULL,
	source_type VARCHAR(36) NOT NULL,
	source_id VARCHAR(36) NOT NULL,
	destination_type VARCHAR(36) NOT NULL,
	destination_id VARCHAR(36) NOT NULL,
	created_time BIGINT NULL,
	CONSTRAINT entity_associations_pk PRIMARY KEY (source_type, source_id, destination_type, destination_id)
);
CREATE INDEX index_entity_associations_association_id ON entity_associations (association_id);
CREATE INDEX index_entity_associations_reverse_lookup ON entity_associations (destination_type, destination_id, source_type, source_id);
CREATE TABLE evaluation_dataset_records (
	dataset_record_id VARCHAR(36) NOT NULL,
	dataset_id VARCHAR(36) NOT NULL,
	inputs NVARCHAR(max) NOT NULL,
	outputs NVARCHAR(max) NULL,
	expectations NVARCHAR(max) NULL,
	tags NVARCHAR(max) NULL,
	source NVARCHAR(max) NULL,
	source_id VARCHAR(36) NULL,
	source_type VARCHAR(255) NULL,
	created_time BIGINT NULL,
	last_update_time BIGINT NULL,
	created_by VARCHAR(255) NULL,
	last_updated_by VARCHAR(255) NULL,
	input_hash VARCHAR(64) NOT NULL,
	CONSTRAINT evaluation_dataset_records_pk PRIMARY KEY (dataset_record_id),
	CONSTRAINT unique_dataset_input UNIQUE (dataset_id, input_hash),
	CONSTRAINT fk_evaluation_dataset_records_dataset_id FOREIGN KEY(dataset_id) REFERENCES evaluation_datasets (dataset_id) ON DELETE CASCADE,
	FOREIGN KEY(dataset_id) REFERENCES evaluation_datasets (dataset_id) ON DELETE CASCADE
);
CREATE INDEX index_evaluation_dataset_records_dataset_id ON evaluation_dataset_records (dataset_id);
CREATE TABLE evaluation_dataset_tags (
	dataset_id VARCHAR(36) NOT NULL,
	[key] VARCHAR(255) NOT NULL,
	value VARCHAR(5000) NULL,
	CONSTRAINT evaluation_dataset_tags_pk PRIMARY KEY (dataset_id, [key]),
	CONSTRAINT fk_evaluation_dataset_tags_dataset_id FOREIGN KEY(dataset_id) REFERENCES evaluation_datasets (dataset_id) ON DELETE CASCADE,
	FOREIGN KEY(dataset_id) REFERENCES evaluation_datasets (dataset_id) ON DELETE CASCADE
);
CREATE INDEX index_evaluation_dataset_tags_dataset_id ON evaluation_dataset_tags (dataset_id);
CREATE TABLE evaluation_datasets (
	dataset_id VARCHAR(36) NOT NULL,
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	name VARCHAR(255) NOT NULL,
	[schema] TEXT NULL,
	profile TEXT NULL,
	digest VARCHAR(64) NULL,
	created_time BIGINT NULL,
	last_update_time BIGINT NULL,
	created_by VARCHAR(255) NULL,
	last_updated_by VARCHAR(255) NULL,
	CONSTRAINT evaluation_datasets_pk PRIMARY KEY (dataset_id)
);
CREATE INDEX idx_evaluation_datasets_workspace ON evaluation_datasets (workspace);
CREATE INDEX index_evaluation_datasets_created_time ON evaluation_datasets (created_time);
CREATE INDEX index_evaluation_datasets_name ON evaluation_datasets (name);
CREATE TABLE experiment_tags (
	[key] VARCHAR(250) NOT NULL,
	value NVARCHAR(max) NULL,
	experiment_id INTEGER NOT NULL,
	CONSTRAINT experiment_tag_pk PRIMARY KEY ([key], experiment_id),
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
CREATE TABLE experiments (
	experiment_id INTEGER NOT NULL IDENTITY,
	name VARCHAR(256) NOT NULL,
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	artifact_location VARCHAR(256) NULL,
	lifecycle_stage VARCHAR(32) NULL,
	creation_time BIGINT NULL,
	last_update_time BIGINT NULL,
	CONSTRAINT experiment_pk PRIMARY KEY (experiment_id),
	CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')),
	CONSTRAINT uq_experiments_workspace_name UNIQUE (workspace, name)
);
CREATE TABLE guardrail_configs (
	endpoint_id VARCHAR(36) NOT NULL,
	guardrail_id VARCHAR(36) NOT NULL,
	execution_order INTEGER NULL,
	created_by VARCHAR(255) NULL,
	created_at BIGINT NOT NULL,
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	CONSTRAINT guardrail_configs_pk PRIMARY KEY (endpoint_id, guardrail_id),
	CONSTRAINT fk_guardrail_configs_endpoint_id FOREIGN KEY(endpoint_id) REFERENCES endpoints (endpoint_id) ON DELETE CASCADE,
	CONSTRAINT fk_guardrail_configs_guardrail_id FOREIGN KEY(guardrail_id) REFERENCES guardrails (guardrail_id) ON DELETE CASCADE
);
CREATE INDEX idx_guardrail_configs_endpoint_id ON guardrail_configs (endpoint_id);
CREATE INDEX idx_guardrail_configs_guardrail_id ON guardrail_configs (guardrail_id);
CREATE TABLE guardrails (
	guardrail_id VARCHAR(36) NOT NULL,
	name VARCHAR(255) NOT NULL,
	scorer_id VARCHAR(36) NOT NULL,
	scorer_version INTEGER NOT NULL,
	stage VARCHAR(32) NOT NULL,
	action VARCHAR(32) NOT NULL,
	action_endpoint_id VARCHAR(36) NULL,
	created_by VARCHAR(255) NULL,
	created_at BIGINT NOT NULL,
	last_updated_by VARCHAR(255) NULL,
	last_updated_at BIGINT NOT NULL,
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	CONSTRAINT guardrails_pk PRIMARY KEY (guardrail_id),
	CONSTRAINT fk_guardrails_scorer_version FOREIGN KEY(scorer_id, scorer_version) REFERENCES scorer_versions (scorer_id, scorer_version),
	CONSTRAINT fk_guardrails_action_endpoint_id FOREIGN KEY(action_endpoint_id) REFERENCES endpoints (endpoint_id) ON DELETE SET NULL
);
CREATE INDEX idx_guardrails_scorer ON guardrails (scorer_id, scorer_version);
CREATE INDEX idx_guardrails_workspace ON guardrails (workspace);
CREATE TABLE input_tags (
	input_uuid VARCHAR(36) NOT NULL,
	name VARCHAR(255) NOT NULL,
	value VARCHAR(500) NOT NULL,
	CONSTRAINT input_tags_pk PRIMARY KEY (input_uuid, name),
	FOREIGN KEY(input_uuid) REFERENCES inputs (input_uuid)
);
CREATE TABLE inputs (
	input_uuid VARCHAR(36) NOT NULL,
	source_type VARCHAR(36) NOT NULL,
	source_id VARCHAR(36) NOT NULL,
	destination_type VARCHAR(36) NOT NULL,
	destination_id VARCHAR(36) NOT NULL,
	step BIGINT NOT NULL DEFAULT '0',
	CONSTRAINT inputs_pk PRIMARY KEY (source_type, source_id, destination_type, destination_id)
);
CREATE INDEX index_inputs_destination_type_destination_id_source_type ON inputs (destination_type, destination_id, source_type);
CREATE INDEX index_inputs_input_uuid ON inputs (input_uuid);
CREATE TABLE issues (
	issue_id VARCHAR(36) NOT NULL,
	experiment_id INTEGER NOT NULL,
	name VARCHAR(250) NOT NULL,
	description TEXT NOT NULL,
	status VARCHAR(50) NOT NULL,
	severity VARCHAR(50) NULL,
	root_causes TEXT NULL,
	source_run_id VARCHAR(32) NULL,
	categories TEXT NULL,
	created_timestamp BIGINT NOT NULL,
	last_updated_timestamp BIGINT NOT NULL,
	created_by VARCHAR(255) NULL,
	CONSTRAINT issues_pk PRIMARY KEY (issue_id),
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE,
	FOREIGN KEY(source_run_id) REFERENCES runs (run_uuid) ON DELETE SET NULL
);
CREATE INDEX index_issues_created_by ON issues (created_by);
CREATE INDEX index_issues_experiment_id ON issues (experiment_id);
CREATE INDEX index_issues_source_run_id ON issues (source_run_id);
CREATE INDEX index_issues_status ON issues (status);
CREATE TABLE job_locks (
	lock_key VARCHAR(255) NOT NULL,
	job_id VARCHAR(36) NOT NULL,
	acquired_at BIGINT NOT NULL,
	CONSTRAINT job_locks_pk PRIMARY KEY (lock_key),
	FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
CREATE INDEX index_job_locks_job_id ON job_locks (job_id);
CREATE TABLE jobs (
	id VARCHAR(36) NOT NULL,
	creation_time BIGINT NOT NULL,
	job_name VARCHAR(500) NOT NULL,
	params TEXT NOT NULL,
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	timeout FLOAT(53) NULL,
	status INTEGER NOT NULL,
	result TEXT NULL,
	retry_count INTEGER NOT NULL,
	last_update_time BIGINT NOT NULL,
	executor_backend VARCHAR(255) NULL,
	lease_expires_at BIGINT NULL,
	status_message TEXT NULL,
	progress NVARCHAR(max) NULL,
	progress_updated_at BIGINT NULL,
	token_hash VARCHAR(64) NULL,
	scoped_permissions NVARCHAR(max) NULL,
	status_details NVARCHAR(max) NULL,
	creator VARCHAR(255) NULL,
	next_attempt_at BIGINT NULL,
	CONSTRAINT jobs_pk PRIMARY KEY (id)
);
CREATE INDEX index_jobs_name_status_creation_time ON jobs (job_name, workspace, status, creation_time);
CREATE INDEX index_jobs_status_lease_expires_at ON jobs (status, lease_expires_at);
CREATE TABLE label_schemas (
	schema_id VARCHAR(36) NOT NULL,
	experiment_id INTEGER NOT NULL,
	name VARCHAR(250) NOT NULL,
	type VARCHAR(16) NOT NULL,
	instruction TEXT NULL,
	enable_comment BIT NOT NULL DEFAULT '0',
	input_type VARCHAR(32) NOT NULL,
	input_config TEXT NOT NULL,
	created_by VARCHAR(255) NULL,
	created_time BIGINT NOT NULL,
	last_update_time BIGINT NOT NULL,
	is_default BIT NOT NULL DEFAULT '0',
	CONSTRAINT label_schemas_pk PRIMARY KEY (schema_id),
	CONSTRAINT uq_label_schemas_exp_name UNIQUE (experiment_id, name),
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
CREATE INDEX index_label_schemas_experiment_id ON label_schemas (experiment_id);
CREATE TABLE latest_metrics (
	[key] VARCHAR(250) NOT NULL,
	value FLOAT(53) NOT NULL,
	timestamp BIGINT NULL,
	step BIGINT NOT NULL,
	is_nan BIT NOT NULL,
	run_uuid VARCHAR(32) NOT NULL,
	CONSTRAINT latest_metric_pk PRIMARY KEY ([key], run_uuid),
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
CREATE INDEX index_latest_metrics_run_uuid ON latest_metrics (run_uuid);
CREATE TABLE logged_model_metrics (
	model_id VARCHAR(36) NOT NULL,
	metric_name VARCHAR(500) NOT NULL,
	metric_timestamp_ms BIGINT NOT NULL,
	metric_step BIGINT NOT NULL,
	metric_value FLOAT(53) NULL,
	experiment_id INTEGER NOT NULL,
	run_id VARCHAR(32) NOT NULL,
	dataset_uuid VARCHAR(36) NULL,
	dataset_name VARCHAR(500) NULL,
	dataset_digest VARCHAR(36) NULL,
	CONSTRAINT logged_model_metrics_pk PRIMARY KEY (model_id, metric_name, metric_timestamp_ms, metric_step, run_id),
	CONSTRAINT fk_logged_model_metrics_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE,
	CONSTRAINT fk_logged_model_metrics_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id),
	CONSTRAINT fk_logged_model_metrics_run_id FOREIGN KEY(run_id) REFERENCES runs (run_uuid) ON DELETE CASCADE
);
CREATE INDEX index_logged_model_metrics_model_id ON logged_model_metrics (model_id);
CREATE TABLE logged_model_params (
	model_id VARCHAR(36) NOT NULL,
	experiment_id INTEGER NOT NULL,
	param_key VARCHAR(255) NOT NULL,
	param_value TEXT NOT NULL,
	CONSTRAINT logged_model_params_pk PRIMARY KEY (model_id, param_key),
	CONSTRAINT fk_logged_model_params_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE,
	CONSTRAINT fk_logged_model_params_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
CREATE TABLE logged_model_tags (
	model_id VARCHAR(36) NOT NULL,
	experiment_id INTEGER NOT NULL,
	tag_key VARCHAR(255) NOT NULL,
	tag_value TEXT NOT NULL,
	CONSTRAINT logged_model_tags_pk PRIMARY KEY (model_id, tag_key),
	CONSTRAINT fk_logged_model_tags_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE,
	CONSTRAINT fk_logged_model_tags_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
CREATE TABLE logged_models (
	model_id VARCHAR(36) NOT NULL,
	experiment_id INTEGER NOT NULL,
	name VARCHAR(500) NOT NULL,
	artifact_location VARCHAR(1000) NOT NULL,
	creation_timestamp_ms BIGINT NOT NULL,
	last_updated_timestamp_ms BIGINT NOT NULL,
	status INTEGER NOT NULL,
	lifecycle_stage VARCHAR(32) NULL,
	model_type VARCHAR(500) NULL,
	source_run_id VARCHAR(32) NULL,
	status_message VARCHAR(1000) NULL,
	CONSTRAINT logged_models_pk PRIMARY KEY (model_id),
	CONSTRAINT logged_models_lifecycle_stage_check CHECK (lifecycle_stage IN ('active', 'deleted')),
	CONSTRAINT fk_logged_models_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
CREATE TABLE mcp_access_endpoints (
	id VARCHAR(36) NOT NULL,
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	server_name VARCHAR(256) NOT NULL,
	server_version VARCHAR(128) NULL,
	server_alias VARCHAR(256) NULL,
	url VARCHAR(2048) NOT NULL,
	transport_type VARCHAR(32) NOT NULL DEFAULT 'streamable-http',
	created_by VARCHAR(256) NULL,
	last_updated_by VARCHAR(256) NULL,
	created_at BIGINT NOT NULL,
	last_updated_at BIGINT NOT NULL,
	CONSTRAINT mcp_access_endpoints_pk PRIMARY KEY (id),
	CONSTRAINT mcp_access_endpoints_server_fkey FOREIGN KEY(workspace, server_name) REFERENCES mcp_servers (workspace, name) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX ix_mcp_access_endpoints_alias ON mcp_access_endpoints (workspace, server_name, server_alias);
CREATE INDEX ix_mcp_access_endpoints_server_name ON mcp_access_endpoints (workspace, server_name);
CREATE INDEX ix_mcp_access_endpoints_version ON mcp_access_endpoints (workspace, server_name, server_version);
CREATE TABLE mcp_server_aliases (
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	name VARCHAR(256) NOT NULL,
	alias VARCHAR(256) NOT NULL,
	version VARCHAR(128) NOT NULL,
	CONSTRAINT mcp_server_aliases_pk PRIMARY KEY (workspace, name, alias),
	CONSTRAINT mcp_server_aliases_server_fkey FOREIGN KEY(workspace, name) REFERENCES mcp_servers (workspace, name) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TABLE mcp_server_tags (
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	name VARCHAR(256) NOT NULL,
	[key] VARCHAR(250) NOT NULL,
	value VARCHAR(5000) NULL,
	CONSTRAINT mcp_server_tags_pk PRIMARY KEY (workspace, name, [key]),
	CONSTRAINT mcp_server_tags_server_fkey FOREIGN KEY(workspace, name) REFERENCES mcp_servers (workspace, name) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TABLE mcp_server_version_tags (
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	name VARCHAR(256) NOT NULL,
	version VARCHAR(128) NOT NULL,
	[key] VARCHAR(250) NOT NULL,
	value VARCHAR(5000) NULL,
	CONSTRAINT mcp_server_version_tags_pk PRIMARY KEY (workspace, name, version, [key]),
	CONSTRAINT mcp_server_version_tags_version_fkey FOREIGN KEY(workspace, name, version) REFERENCES mcp_server_versions (workspace, name, version) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TABLE mcp_server_versions (
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	name VARCHAR(256) NOT NULL,
	version VARCHAR(128) NOT NULL,
	version_major INTEGER NOT NULL,
	version_minor INTEGER NOT NULL,
	version_patch INTEGER NOT NULL,
	version_prerelease_sort_key VARCHAR(512) NOT NULL,
	server_json NVARCHAR(max) NOT NULL,
	status VARCHAR(20) NOT NULL DEFAULT 'draft',
	tools NVARCHAR(max) NULL,
	source VARCHAR(512) NULL,
	connect_options NVARCHAR(max) NULL,
	created_by VARCHAR(256) NULL,
	last_updated_by VARCHAR(256) NULL,
	created_at BIGINT NOT NULL,
	last_updated_at BIGINT NOT NULL,
	CONSTRAINT mcp_server_versions_pk PRIMARY KEY (workspace, name, version),
	CONSTRAINT mcp_server_versions_server_fkey FOREIGN KEY(workspace, name) REFERENCES mcp_servers (workspace, name) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX idx_mcp_server_versions_latest ON mcp_server_versions (workspace, name, status, version_major DESC, version_minor DESC, version_patch DESC);
CREATE TABLE mcp_servers (
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	name VARCHAR(256) NOT NULL,
	display_name VARCHAR(256) NULL,
	description TEXT NULL,
	icons NVARCHAR(max) NULL,
	created_by VARCHAR(256) NULL,
	last_updated_by VARCHAR(256) NULL,
	created_at BIGINT NOT NULL,
	last_updated_at BIGINT NOT NULL,
	CONSTRAINT mcp_servers_pk PRIMARY KEY (workspace, name)
);
CREATE TABLE metrics (
	[key] VARCHAR(250) NOT NULL,
	value FLOAT(53) NOT NULL,
	timestamp BIGINT NOT NULL,
	step BIGINT NOT NULL,
	is_nan BIT NOT NULL,
	run_uuid VARCHAR(32) NOT NULL,
	CONSTRAINT metric_pk PRIMARY KEY ([key], timestamp, step, run_uuid, value, is_nan),
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
CREATE INDEX index_metrics_run_uuid ON metrics (run_uuid);
CREATE INDEX index_metrics_run_uuid_key_step ON metrics (run_uuid, [key], step);
CREATE TABLE model_definitions (
	model_definition_id VARCHAR(36) NOT NULL,
	name VARCHAR(255) NOT NULL,
	secret_id VARCHAR(36) NULL,
	provider VARCHAR(64) NOT NULL,
	model_name VARCHAR(256) NOT NULL,
	created_by VARCHAR(255) NULL,
	created_at BIGINT NOT NULL,
	last_updated_by VARCHAR(255) NULL,
	last_updated_at BIGINT NOT NULL,
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	CONSTRAINT model_definitions_pk PRIMARY KEY (model_definition_id),
	CONSTRAINT uq_model_definitions_workspace_name UNIQUE (workspace, name),
	FOREIGN KEY(secret_id) REFERENCES secrets (secret_id) ON DELETE SET NULL
);
CREATE INDEX idx_model_definitions_workspace ON model_definitions (workspace);
CREATE INDEX index_model_definitions_provider ON model_definitions (provider);
CREATE INDEX index_model_definitions_secret_id ON model_definitions (secret_id);
CREATE TABLE model_version_tags (
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	name VARCHAR(256) NOT NULL,
	version INTEGER NOT NULL,
	[key] VARCHAR(250) NOT NULL,
	value TEXT NULL,
	CONSTRAINT model_version_tag_pk PRIMARY KEY (workspace, [key], name, version),
	FOREIGN KEY(workspace, name, version) REFERENCES model_versions (workspace, name, version) ON UPDATE cascade
);
CREATE TABLE model_versions (
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	name VARCHAR(256) NOT NULL,
	version INTEGER NOT NULL,
	creation_time BIGINT NULL,
	last_updated_time BIGINT NULL,
	description VARCHAR(5000) NULL,
	user_id VARCHAR(256) NULL,
	current_stage VARCHAR(20) NULL,
	source VARCHAR(500) NULL,
	storage_location VARCHAR(500) NULL,
	run_id VARCHAR(32) NULL,
	run_link VARCHAR(500) NULL,
	status VARCHAR(20) NULL,
	status_message VARCHAR(500) NULL,
	CONSTRAINT model_version_pk PRIMARY KEY (workspace, name, version),
	FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON UPDATE cascade
);
CREATE TABLE online_scoring_configs (
	online_scoring_config_id VARCHAR(36) NOT NULL,
	scorer_id VARCHAR(36) NOT NULL,
	sample_rate FLOAT(53) NOT NULL,
	experiment_id INTEGER NOT NULL,
	filter_string TEXT NULL,
	CONSTRAINT online_scoring_config_pk PRIMARY KEY (online_scoring_config_id),
	FOREIGN KEY(scorer_id) REFERENCES scorers (scorer_id) ON DELETE CASCADE,
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
CREATE TABLE params (
	[key] VARCHAR(250) NOT NULL,
	value VARCHAR(8000) NOT NULL,
	run_uuid VARCHAR(32) NOT NULL,
	CONSTRAINT param_pk PRIMARY KEY ([key], run_uuid),
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
CREATE INDEX index_params_run_uuid ON params (run_uuid);
CREATE TABLE registered_model_aliases (
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	name VARCHAR(256) NOT NULL,
	alias VARCHAR(256) NOT NULL,
	version INTEGER NOT NULL,
	CONSTRAINT registered_model_alias_pk PRIMARY KEY (workspace, name, alias),
	CONSTRAINT registered_model_alias_registered_model_fkey FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON DELETE cascade ON UPDATE cascade
);
CREATE TABLE registered_model_tags (
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	name VARCHAR(256) NOT NULL,
	[key] VARCHAR(250) NOT NULL,
	value VARCHAR(5000) NULL,
	CONSTRAINT registered_model_tag_pk PRIMARY KEY (workspace, [key], name),
	FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON UPDATE cascade
);
CREATE TABLE registered_models (
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	name VARCHAR(256) NOT NULL,
	creation_time BIGINT NULL,
	last_updated_time BIGINT NULL,
	description VARCHAR(5000) NULL,
	CONSTRAINT registered_model_pk PRIMARY KEY (workspace, name)
);
CREATE TABLE review_queue_items (
	queue_id VARCHAR(36) NOT NULL,
	item_type VARCHAR(16) NOT NULL,
	item_id VARCHAR(50) NOT NULL,
	status VARCHAR(16) NOT NULL,
	completed_by VARCHAR(250) NULL,
	completed_time_ms BIGINT NULL,
	creation_time_ms BIGINT NOT NULL,
	last_update_time_ms BIGINT NOT NULL,
	CONSTRAINT review_queue_items_pk PRIMARY KEY (queue_id, item_id),
	FOREIGN KEY(queue_id) REFERENCES review_queues (queue_id) ON DELETE CASCADE
);
CREATE INDEX index_review_queue_items_item_id ON review_queue_items (item_id);
CREATE INDEX index_review_queue_items_queue_id_status ON review_queue_items (queue_id, status);
CREATE TABLE review_queue_label_schemas (
	queue_id VARCHAR(36) NOT NULL,
	schema_id VARCHAR(36) NOT NULL,
	CONSTRAINT review_queue_label_schemas_pk PRIMARY KEY (queue_id, schema_id),
	FOREIGN KEY(queue_id) REFERENCES review_queues (queue_id) ON DELETE CASCADE
);
CREATE INDEX index_review_queue_label_schemas_schema_id ON review_queue_label_schemas (schema_id);
CREATE TABLE review_queue_users (
	queue_id VARCHAR(36) NOT NULL,
	user_id VARCHAR(250) NOT NULL,
	CONSTRAINT review_queue_users_pk PRIMARY KEY (queue_id, user_id),
	FOREIGN KEY(queue_id) REFERENCES review_queues (queue_id) ON DELETE CASCADE
);
CREATE INDEX index_review_queue_users_user_id ON review_queue_users (user_id);
CREATE TABLE review_queues (
	queue_id VARCHAR(36) NOT NULL,
	experiment_id INTEGER NOT NULL,
	name VARCHAR(250) NOT NULL,
	name_key VARCHAR(250) NOT NULL,
	queue_type VARCHAR(16) NOT NULL,
	created_by VARCHAR(255) NULL,
	creation_time_ms BIGINT NOT NULL,
	last_update_time_ms BIGINT NOT NULL,
	CONSTRAINT review_queues_pk PRIMARY KEY (queue_id),
	CONSTRAINT uq_review_queues_experiment_name_key UNIQUE (experiment_id, name_key),
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
CREATE INDEX index_review_queues_experiment_id ON review_queues (experiment_id);
CREATE TABLE runs (
	run_uuid VARCHAR(32) NOT NULL,
	name VARCHAR(250) NULL,
	source_type VARCHAR(20) NULL,
	source_name VARCHAR(500) NULL,
	entry_point_name VARCHAR(50) NULL,
	user_id VARCHAR(256) NULL,
	status VARCHAR(20) NULL,
	start_time BIGINT NULL,
	end_time BIGINT NULL,
	deleted_time BIGINT NULL,
	source_version VARCHAR(50) NULL,
	lifecycle_stage VARCHAR(20) NULL,
	artifact_uri VARCHAR(200) NULL,
	experiment_id INTEGER NULL,
	CONSTRAINT run_pk PRIMARY KEY (run_uuid),
	CONSTRAINT source_type CHECK (source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')),
	CHECK (status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED')),
	CONSTRAINT runs_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')),
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
CREATE TABLE scheduler_leases (
	lease_key VARCHAR(255) NOT NULL,
	acquired_at BIGINT NOT NULL,
	ttl_seconds INTEGER NOT NULL,
	CONSTRAINT scheduler_leases_pk PRIMARY KEY (lease_key)
);
CREATE TABLE scorer_versions (
	scorer_id VARCHAR(36) NOT NULL,
	scorer_version INTEGER NOT NULL,
	serialized_scorer TEXT NOT NULL,
	creation_time BIGINT NULL,
	CONSTRAINT scorer_version_pk PRIMARY KEY (scorer_id, scorer_version),
	FOREIGN KEY(scorer_id) REFERENCES scorers (scorer_id) ON DELETE CASCADE
);
CREATE INDEX index_scorer_versions_scorer_id ON scorer_versions (scorer_id);
CREATE TABLE scorers (
	experiment_id INTEGER NOT NULL,
	scorer_name VARCHAR(256) NOT NULL,
	scorer_id VARCHAR(36) NOT NULL,
	CONSTRAINT scorer_pk PRIMARY KEY (scorer_id),
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX index_scorers_experiment_id_scorer_name ON scorers (experiment_id, scorer_name);
CREATE TABLE secrets (
	secret_id VARCHAR(36) NOT NULL,
	secret_name VARCHAR(255) NOT NULL,
	encrypted_value IMAGE NOT NULL,
	wrapped_dek IMAGE NOT NULL,
	kek_version INTEGER NOT NULL,
	masked_value VARCHAR(500) NOT NULL,
	provider VARCHAR(64) NULL,
	auth_config TEXT NULL,
	description TEXT NULL,
	created_by VARCHAR(255) NULL,
	created_at BIGINT NOT NULL,
	last_updated_by VARCHAR(255) NULL,
	last_updated_at BIGINT NOT NULL,
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	CONSTRAINT secrets_pk PRIMARY KEY (secret_id),
	CONSTRAINT uq_secrets_workspace_secret_name UNIQUE (workspace, secret_name)
);
CREATE INDEX idx_secrets_workspace ON secrets (workspace);
CREATE TABLE span_metrics (
	trace_id VARCHAR(50) NOT NULL,
	span_id VARCHAR(50) NOT NULL,
	[key] VARCHAR(250) NOT NULL,
	value FLOAT(53) NULL,
	CONSTRAINT span_metrics_pk PRIMARY KEY (trace_id, span_id, [key]),
	CONSTRAINT fk_span_metrics_span FOREIGN KEY(trace_id, span_id) REFERENCES spans (trace_id, span_id) ON DELETE CASCADE
);
CREATE INDEX index_span_metrics_trace_id_span_id ON span_metrics (trace_id, span_id);
CREATE TABLE spans (
	trace_id VARCHAR(50) NOT NULL,
	experiment_id INTEGER NOT NULL,
	span_id VARCHAR(50) NOT NULL,
	parent_span_id VARCHAR(50) NULL,
	name TEXT NULL,
	type VARCHAR(500) NULL,
	status VARCHAR(50) NOT NULL,
	start_time_unix_nano BIGINT NOT NULL,
	end_time_unix_nano BIGINT NULL,
	duration_ns AS (end_time_unix_nano - start_time_unix_nano) PERSISTED,
	content TEXT NOT NULL,
	input_cost FLOAT(53) NULL,
	output_cost FLOAT(53) NULL,
	total_cost FLOAT(53) NULL,
	model_name NVARCHAR(500) NULL,
	model_provider NVARCHAR(500) NULL,
	CONSTRAINT spans_pk PRIMARY KEY (trace_id, span_id),
	CONSTRAINT fk_spans_trace_id FOREIGN KEY(trace_id) REFERENCES trace_info (request_id) ON DELETE CASCADE,
	CONSTRAINT fk_spans_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
CREATE INDEX idx_spans_cost_exp_time_cover ON spans (experiment_id, start_time_unix_nano);
CREATE INDEX idx_spans_cost_trace_time_cover ON spans (trace_id, start_time_unix_nano);
CREATE INDEX index_spans_experiment_id_duration ON spans (experiment_id, duration_ns);
CREATE INDEX index_spans_experiment_id_start_time ON spans (experiment_id, start_time_unix_nano);
CREATE INDEX index_spans_experiment_id_status_type ON spans (experiment_id, status, type);
CREATE INDEX index_spans_experiment_id_type_status ON spans (experiment_id, type, status);
CREATE TABLE sql_assessment_daily_rollups (
	id BIGINT NOT NULL IDENTITY,
	experiment_id INTEGER NOT NULL,
	rollup_day DATETIME NOT NULL,
	metric_name VARCHAR(250) NOT NULL,
	grouping_set VARCHAR(50) NOT NULL,
	sample_count BIGINT NOT NULL,
	sum_value FLOAT(53) NULL,
	min_value FLOAT(53) NULL,
	max_value FLOAT(53) NULL,
	CONSTRAINT sql_assessment_daily_rollups_pk PRIMARY KEY (id)
);
CREATE INDEX idx_assessment_rollups_lookup ON sql_assessment_daily_rollups (experiment_id, rollup_day, metric_name, grouping_set);
CREATE TABLE sql_span_cost_daily_rollups (
	id BIGINT NOT NULL IDENTITY,
	experiment_id INTEGER NOT NULL,
	rollup_day DATETIME NOT NULL,
	metric_name VARCHAR(250) NOT NULL,
	grouping_set VARCHAR(50) NOT NULL,
	model_name NVARCHAR(500) NULL,
	model_provider NVARCHAR(500) NULL,
	sample_count BIGINT NOT NULL,
	sum_value FLOAT(53) NULL,
	min_value FLOAT(53) NULL,
	max_value FLOAT(53) NULL,
	CONSTRAINT sql_span_cost_daily_rollups_pk PRIMARY KEY (id)
);
CREATE INDEX idx_span_cost_rollups_lookup ON sql_span_cost_daily_rollups (experiment_id, rollup_day, metric_name, grouping_set, model_name, model_provider);
CREATE TABLE sql_trace_metric_daily_rollups (
	id BIGINT NOT NULL IDENTITY,
	experiment_id INTEGER NOT NULL,
	rollup_day DATETIME NOT NULL,
	metric_name VARCHAR(250) NOT NULL,
	grouping_set VARCHAR(50) NOT NULL,
	trace_status VARCHAR(50) NULL,
	sample_count BIGINT NOT NULL,
	sum_value FLOAT(53) NULL,
	min_value FLOAT(53) NULL,
	max_value FLOAT(53) NULL,
	p50_value FLOAT(53) NULL,
	p90_value FLOAT(53) NULL,
	p99_value FLOAT(53) NULL,
	CONSTRAINT sql_trace_metric_daily_rollups_pk PRIMARY KEY (id)
);
CREATE INDEX idx_trace_rollups_lookup ON sql_trace_metric_daily_rollups (experiment_id, rollup_day, metric_name, grouping_set, trace_status);
CREATE TABLE sql_trace_rollup_rebuild_queue (
	experiment_id INTEGER NOT NULL,
	rollup_day DATETIME NOT NULL,
	rollup_family VARCHAR(50) NOT NULL,
	CONSTRAINT sql_trace_rollup_rebuild_queue_pk PRIMARY KEY (experiment_id, rollup_day, rollup_family)
);
CREATE TABLE tags (
	[key] VARCHAR(250) NOT NULL,
	value VARCHAR(8000) NULL,
	run_uuid VARCHAR(32) NOT NULL,
	CONSTRAINT tag_pk PRIMARY KEY ([key], run_uuid),
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
CREATE INDEX index_tags_run_uuid ON tags (run_uuid);
CREATE TABLE trace_info (
	request_id VARCHAR(50) NOT NULL,
	experiment_id INTEGER NOT NULL,
	timestamp_ms BIGINT NOT NULL,
	execution_time_ms BIGINT NULL,
	status VARCHAR(50) NOT NULL,
	client_request_id VARCHAR(50) NULL,
	request_preview VARCHAR(1000) NULL,
	response_preview VARCHAR(1000) NULL,
	db_payload_generation INTEGER NOT NULL DEFAULT '0',
	trace_name VARCHAR(4096) NULL,
	session_id VARCHAR(250) NULL,
	input_tokens BIGINT NULL,
	output_tokens BIGINT NULL,
	total_tokens BIGINT NULL,
	cache_read_input_tokens BIGINT NULL,
	cache_creation_input_tokens BIGINT NULL,
	cache_creation_input_tokens_above_1hr BIGINT NULL,
	input_cost FLOAT(53) NULL,
	output_cost FLOAT(53) NULL,
	total_cost FLOAT(53) NULL,
	CONSTRAINT trace_info_pk PRIMARY KEY (request_id),
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
CREATE INDEX index_trace_info_experiment_id_session_id ON trace_info (experiment_id, session_id);
CREATE INDEX index_trace_info_experiment_id_timestamp_ms ON trace_info (experiment_id, timestamp_ms);
CREATE INDEX index_trace_info_timestamp_ms_request_id ON trace_info (timestamp_ms, request_id);
CREATE TABLE trace_metrics (
	request_id VARCHAR(50) NOT NULL,
	[key] VARCHAR(250) NOT NULL,
	value FLOAT(53) NULL,
	CONSTRAINT trace_metrics_pk PRIMARY KEY (request_id, [key]),
	FOREIGN KEY(request_id) REFERENCES trace_info (request_id) ON DELETE CASCADE
);
CREATE INDEX index_trace_metrics_request_id ON trace_metrics (request_id);
CREATE TABLE trace_request_metadata (
	[key] VARCHAR(250) NOT NULL,
	value VARCHAR(8000) NULL,
	request_id VARCHAR(50) NOT NULL,
	CONSTRAINT trace_request_metadata_pk PRIMARY KEY (request_id, [key]),
	FOREIGN KEY(request_id) REFERENCES trace_info (request_id) ON DELETE CASCADE
);
CREATE INDEX index_trace_request_metadata_request_id ON trace_request_metadata;
CREATE TABLE trace_tags (
	[key] VARCHAR(250) NOT NULL,
	value VARCHAR(8000) NULL,
	request_id VARCHAR(50) NOT NULL,
	CONSTRAINT trace_tag_pk PRIMARY KEY (request_id, [key]),
	FOREIGN KEY(request_id) REFERENCES trace_info (request_id) ON DELETE CASCADE
);
CREATE INDEX index_trace_tags_request_id ON trace_tags;
CREATE TABLE webhook_events (
	webhook_id VARCHAR(256) NOT NULL,
	entity VARCHAR(50) NOT NULL,
	action VARCHAR(50) NOT NULL,
	CONSTRAINT webhook_event_pk PRIMARY KEY (webhook_id, entity, action),
	FOREIGN KEY(webhook_id) REFERENCES webhooks (webhook_id) ON DELETE cascade
);
CREATE INDEX idx_webhook_events_action ON webhook_events (action);
CREATE INDEX idx_webhook_events_entity ON webhook_events (entity);
CREATE INDEX idx_webhook_events_entity_action ON webhook_events (entity, action);
CREATE TABLE webhooks (
	workspace VARCHAR(63) NOT NULL DEFAULT 'default',
	webhook_id VARCHAR(256) NOT NULL,
	name VARCHAR(256) NOT NULL,
	description VARCHAR(1000) NULL,
	url VARCHAR(500) NOT NULL,
	status VARCHAR(20) NOT NULL,
	secret VARCHAR(1000) NULL,
	creation_timestamp BIGINT NULL,
	last_updated_timestamp BIGINT NULL,
	deleted_timestamp BIGINT NULL,
	CONSTRAINT webhook_pk PRIMARY KEY (webhook_id)
);
CREATE INDEX idx_webhooks_name ON webhooks (name);
CREATE INDEX idx_webhooks_status ON webhooks (status);
CREATE INDEX idx_webhooks_workspace ON webhooks (workspace);
CREATE TABLE workspaces (
	name VARCHAR(63) NOT NULL,
	description TEXT NULL,
	default_artifact_root TEXT NULL,
	trace_archival_location TEXT NULL,
	trace_archival_retention VARCHAR(32) NULL,
	CONSTRAINT workspaces_pk PRIMARY KEY (name)
);
