CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('dc11669786a5');
CREATE TABLE "experiments" (
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	artifact_location VARCHAR(256), 
	lifecycle_stage VARCHAR(32), 
	creation_time BIGINT, 
	last_update_time BIGINT, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT experiment_pk PRIMARY KEY (experiment_id), 
	CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	CONSTRAINT uq_experiments_workspace_name UNIQUE (workspace, name)
);
INSERT INTO "experiments" VALUES(0,'Default','/home/ada/mlruns/0','active',1795789411970,1795789411970,'default');
INSERT INTO "experiments" VALUES(1,'churn','/home/ada/mlruns/1','active',1795789411975,1795789411975,'default');
CREATE TABLE "latest_metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT, 
	step BIGINT NOT NULL, 
	is_nan BOOLEAN NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT latest_metric_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), 
	CHECK (is_nan IN (0, 1))
);
INSERT INTO "latest_metrics" VALUES('train/loss',0.25,1795789412020,3,0,'8c0aeb81edd84f9a95d9e624d0dfdf74');
INSERT INTO "latest_metrics" VALUES('auc',0.875,1795789412024,0,0,'8c0aeb81edd84f9a95d9e624d0dfdf74');
INSERT INTO "latest_metrics" VALUES('auc',0.0,1795789412124,0,1,'33921d68cf44479989d9ea008cc37026');
INSERT INTO "latest_metrics" VALUES('auc',0.5,1795789412216,0,0,'729a6647b3054fa8a8975cde5b992cf1');
INSERT INTO "latest_metrics" VALUES('auc',0.1,1795789412296,0,0,'83b8162a1b14478a9b78b2f76d4ed08f');
CREATE TABLE "metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	step BIGINT DEFAULT '0' NOT NULL, 
	is_nan BOOLEAN DEFAULT '0' NOT NULL, 
	CONSTRAINT metric_pk PRIMARY KEY ("key", timestamp, step, run_uuid, value, is_nan), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), 
	CHECK (is_nan IN (0, 1))
);
INSERT INTO "metrics" VALUES('train/loss',0.9,1795789412005,'8c0aeb81edd84f9a95d9e624d0dfdf74',0,0);
INSERT INTO "metrics" VALUES('train/loss',0.5,1795789412011,'8c0aeb81edd84f9a95d9e624d0dfdf74',1,0);
INSERT INTO "metrics" VALUES('train/loss',3.00000011920928955078e-01,1795789412017,'8c0aeb81edd84f9a95d9e624d0dfdf74',2,0);
INSERT INTO "metrics" VALUES('train/loss',0.25,1795789412020,'8c0aeb81edd84f9a95d9e624d0dfdf74',3,0);
INSERT INTO "metrics" VALUES('auc',0.875,1795789412024,'8c0aeb81edd84f9a95d9e624d0dfdf74',0,0);
INSERT INTO "metrics" VALUES('auc',0.0,1795789412124,'33921d68cf44479989d9ea008cc37026',0,1);
INSERT INTO "metrics" VALUES('auc',0.5,1795789412216,'729a6647b3054fa8a8975cde5b992cf1',0,0);
INSERT INTO "metrics" VALUES('auc',0.1,1795789412296,'83b8162a1b14478a9b78b2f76d4ed08f',0,0);
CREATE TABLE "params" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000) NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT param_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "params" VALUES('lr','0.01','8c0aeb81edd84f9a95d9e624d0dfdf74');
INSERT INTO "params" VALUES('depth','6','8c0aeb81edd84f9a95d9e624d0dfdf74');
INSERT INTO "params" VALUES('optimizer','adam','8c0aeb81edd84f9a95d9e624d0dfdf74');
INSERT INTO "params" VALUES('api_key','not-for-git','8c0aeb81edd84f9a95d9e624d0dfdf74');
INSERT INTO "params" VALUES('lr','1e-05','33921d68cf44479989d9ea008cc37026');
CREATE TABLE "runs" (
	run_uuid VARCHAR(32) NOT NULL, 
	name VARCHAR(250), 
	source_type VARCHAR(20), 
	source_name VARCHAR(500), 
	entry_point_name VARCHAR(50), 
	user_id VARCHAR(256), 
	status VARCHAR(9), 
	start_time BIGINT, 
	end_time BIGINT, 
	source_version VARCHAR(50), 
	lifecycle_stage VARCHAR(20), 
	artifact_uri VARCHAR(200), 
	experiment_id INTEGER, deleted_time BIGINT, 
	CONSTRAINT run_pk PRIMARY KEY (run_uuid), 
	CONSTRAINT source_type CHECK (source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')), 
	CONSTRAINT runs_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CHECK (status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED'))
);
INSERT INTO "runs" VALUES('8c0aeb81edd84f9a95d9e624d0dfdf74','parent','UNKNOWN','','','ada','FINISHED',1795789411982,1795789412164,'','active','/home/ada/mlruns/1/8c0aeb81edd84f9a95d9e624d0dfdf74/artifacts',1,NULL);
INSERT INTO "runs" VALUES('33921d68cf44479989d9ea008cc37026','child','UNKNOWN','','','ada','FINISHED',1795789412068,1795789412133,'','active','/home/ada/mlruns/1/33921d68cf44479989d9ea008cc37026/artifacts',1,NULL);
INSERT INTO "runs" VALUES('729a6647b3054fa8a8975cde5b992cf1','broken','UNKNOWN','','','ada','FAILED',1795789412189,1795789412240,'','active','/home/ada/mlruns/1/729a6647b3054fa8a8975cde5b992cf1/artifacts',1,NULL);
INSERT INTO "runs" VALUES('83b8162a1b14478a9b78b2f76d4ed08f','gone','UNKNOWN','','','ada','FINISHED',1795789412265,1795789412332,'','deleted','/home/ada/mlruns/1/83b8162a1b14478a9b78b2f76d4ed08f/artifacts',1,1795789412362);
CREATE TABLE "tags" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000), 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT tag_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "tags" VALUES('mlflow.user','ada','8c0aeb81edd84f9a95d9e624d0dfdf74');
INSERT INTO "tags" VALUES('mlflow.source.name','/work/main/tests/experiments/foreign/make_foreign.py','8c0aeb81edd84f9a95d9e624d0dfdf74');
INSERT INTO "tags" VALUES('mlflow.source.type','LOCAL','8c0aeb81edd84f9a95d9e624d0dfdf74');
INSERT INTO "tags" VALUES('mlflow.source.git.commit','c0ffee0000000000000000000000000000000000','8c0aeb81edd84f9a95d9e624d0dfdf74');
INSERT INTO "tags" VALUES('mlflow.source.git.branch','main','8c0aeb81edd84f9a95d9e624d0dfdf74');
INSERT INTO "tags" VALUES('team','growth','8c0aeb81edd84f9a95d9e624d0dfdf74');
INSERT INTO "tags" VALUES('mlflow.runName','parent','8c0aeb81edd84f9a95d9e624d0dfdf74');
INSERT INTO "tags" VALUES('mlflow.note.content','The first
one.','8c0aeb81edd84f9a95d9e624d0dfdf74');
INSERT INTO "tags" VALUES('mlflow.user','ada','33921d68cf44479989d9ea008cc37026');
INSERT INTO "tags" VALUES('mlflow.source.name','/work/main/tests/experiments/foreign/make_foreign.py','33921d68cf44479989d9ea008cc37026');
INSERT INTO "tags" VALUES('mlflow.source.type','LOCAL','33921d68cf44479989d9ea008cc37026');
INSERT INTO "tags" VALUES('mlflow.source.git.commit','61155660b89aafbc58884917df8244fad825eb12','33921d68cf44479989d9ea008cc37026');
INSERT INTO "tags" VALUES('mlflow.source.git.branch','main','33921d68cf44479989d9ea008cc37026');
INSERT INTO "tags" VALUES('mlflow.parentRunId','8c0aeb81edd84f9a95d9e624d0dfdf74','33921d68cf44479989d9ea008cc37026');
INSERT INTO "tags" VALUES('mlflow.runName','child','33921d68cf44479989d9ea008cc37026');
INSERT INTO "tags" VALUES('mlflow.user','ada','729a6647b3054fa8a8975cde5b992cf1');
INSERT INTO "tags" VALUES('mlflow.source.name','/work/main/tests/experiments/foreign/make_foreign.py','729a6647b3054fa8a8975cde5b992cf1');
INSERT INTO "tags" VALUES('mlflow.source.type','LOCAL','729a6647b3054fa8a8975cde5b992cf1');
INSERT INTO "tags" VALUES('mlflow.source.git.commit','61155660b89aafbc58884917df8244fad825eb12','729a6647b3054fa8a8975cde5b992cf1');
INSERT INTO "tags" VALUES('mlflow.source.git.branch','main','729a6647b3054fa8a8975cde5b992cf1');
INSERT INTO "tags" VALUES('mlflow.runName','broken','729a6647b3054fa8a8975cde5b992cf1');
INSERT INTO "tags" VALUES('mlflow.user','ada','83b8162a1b14478a9b78b2f76d4ed08f');
INSERT INTO "tags" VALUES('mlflow.source.name','/work/main/tests/experiments/foreign/make_foreign.py','83b8162a1b14478a9b78b2f76d4ed08f');
INSERT INTO "tags" VALUES('mlflow.source.type','LOCAL','83b8162a1b14478a9b78b2f76d4ed08f');
INSERT INTO "tags" VALUES('mlflow.source.git.commit','61155660b89aafbc58884917df8244fad825eb12','83b8162a1b14478a9b78b2f76d4ed08f');
INSERT INTO "tags" VALUES('mlflow.source.git.branch','main','83b8162a1b14478a9b78b2f76d4ed08f');
INSERT INTO "tags" VALUES('mlflow.runName','gone','83b8162a1b14478a9b78b2f76d4ed08f');
