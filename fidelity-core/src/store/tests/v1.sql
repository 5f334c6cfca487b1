-- A store of version 1 as text. Written once by that version, and never changed: it must stay readable.
PRAGMA application_id = 1181312101;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE output (
  id INTEGER PRIMARY KEY,
  hash INTEGER NOT NULL,
  stdout_omitted INTEGER NOT NULL,
  stderr_omitted INTEGER NOT NULL,
  stdout BLOB NOT NULL,
  stderr BLOB NOT NULL
) STRICT;
INSERT INTO "output" VALUES(1,-7279417713485460444,0,0,X'',X'6669727374');
INSERT INTO "output" VALUES(2,-2140408645444926005,0,0,X'',X'7365636F6E64');
INSERT INTO "output" VALUES(3,1506754042764847227,0,0,X'',X'7468697264');
CREATE TABLE pass (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  number INTEGER NOT NULL,
  phase INTEGER NOT NULL,
  arm INTEGER NOT NULL,
  target_probability REAL NOT NULL,
  scope INTEGER NOT NULL,
  arm_pass INTEGER NOT NULL,
  order_seed INTEGER NOT NULL,
  timeout_factor INTEGER NOT NULL,
  environment INTEGER NOT NULL,
  ending INTEGER,
  reason INTEGER,
  elapsed_ms INTEGER,
  trials INTEGER,
  tests BLOB NOT NULL,
  passed BLOB,
  durations BLOB
) STRICT;
INSERT INTO "pass" VALUES(1,1,1,0,1,0.5,0,0,1,1,4,0,NULL,12,3,X'0004',X'0001',X'E807');
INSERT INTO "pass" VALUES(2,1,2,0,1,0.5,0,1,2,1,4,1,7,3,1,X'0004',X'0401',X'EA07');
INSERT INTO "pass" VALUES(3,1,3,0,1,0.5,0,2,3,1,4,NULL,NULL,NULL,NULL,X'0004',NULL,NULL);
CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  name BLOB NOT NULL UNIQUE,
  started INTEGER NOT NULL,
  seed INTEGER NOT NULL,
  seed_given INTEGER NOT NULL,
  test_count INTEGER NOT NULL,
  baseline INTEGER NOT NULL,
  target INTEGER NOT NULL,
  ending TEXT,
  binaries TEXT NOT NULL,
  profiles TEXT NOT NULL,
  toolchain TEXT NOT NULL,
  tests BLOB NOT NULL,
  selected BLOB NOT NULL,
  header TEXT NOT NULL
) STRICT;
INSERT INTO "run" VALUES(1,X'4AE6F877D73B43F40000000000000001',1772366401000000,1,0,4,2,3,'{"version":1,"body":{"stop":"interrupted","wall_ms":1234}}','b1','p1','t1',X'0204',X'00020201','{"version":1,"body":{"started_at":"2026-03-01T12:00:01Z","policy":{"fdr":0.05,"screen":{"baseline":1,"target":5},"tolerance":0.05,"max-passes":200,"futile-after":40,"company-after":20,"mass-failure":0.5,"reuse":true,"max-time-ms":900000,"max-trials":null,"confidence":0.95,"timeout-ms":60000,"fail-on":[{"verdict":"hidden-defect"},{"verdict":"broken"}]},"knobs":[{"knob":"cpus","baseline":null,"target":"1","applied":true,"reason":"saw 1","beyond_production":true}],"parallelism":2,"revision":{"commit":"c0ffee","dirty":true},"joined":["00000000000000000000000000000007"],"tool_version":"0.1.0","arguments":["run","--seed"],"workspace":"/workspace","problems":[{"kind":"doctests-not-run","message":"3 doctests"}]}}');
CREATE TABLE test (
  id INTEGER PRIMARY KEY,
  binary INTEGER NOT NULL,
  name TEXT NOT NULL
) STRICT;
INSERT INTO "test" VALUES(1,1,'test_0000');
INSERT INTO "test" VALUES(2,1,'test_0001');
INSERT INTO "test" VALUES(3,1,'test_0002');
INSERT INTO "test" VALUES(4,1,'test_0003');
CREATE TABLE text (
  id INTEGER PRIMARY KEY,
  hash INTEGER NOT NULL,
  value TEXT NOT NULL
) STRICT;
INSERT INTO "text" VALUES(1,6414853251673266949,'crate');
INSERT INTO "text" VALUES(2,-7456764273635949042,'{"version":1,"body":{"name":"low","knobs":{"tz":{"fixed":{"text":"UTC"}}}}}');
INSERT INTO "text" VALUES(3,-577851867065809979,'{"version":1,"body":{"name":"high","knobs":{"cpus":{"fixed":{"count":1}},"env.CI":{"fixed":"unset"},"memory":{"fixed":{"bytes":1073741824}},"tz":{"one-of":[{"text":"UTC"},{"text":"Pacific/Apia"}]},"umask":{"fixed":{"mode":23}}}}}');
INSERT INTO "text" VALUES(4,-5064402952467396495,'{"version":1,"body":{"tz":{"text":"UTC"}}}');
INSERT INTO "text" VALUES(5,-2279291255501284049,'src/lib.rs:1');
INSERT INTO "text" VALUES(6,374708210550341838,'boom');
INSERT INTO "text" VALUES(7,4624740020918103096,'no database');
INSERT INTO "text" VALUES(8,1425799438077357072,'intermittent');
CREATE TABLE trial (
  run INTEGER NOT NULL,
  pass INTEGER NOT NULL,
  test INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  duration INTEGER NOT NULL,
  leaked INTEGER NOT NULL,
  signature INTEGER,
  message INTEGER,
  output INTEGER,
  PRIMARY KEY (run, pass, test, attempt)
) STRICT, WITHOUT ROWID;
INSERT INTO "trial" VALUES(1,1,1,0,1,5,0,5,6,1);
INSERT INTO "trial" VALUES(1,1,1,1,93,5,2,5,6,2);
INSERT INTO "trial" VALUES(1,1,3,0,3,1003,0,NULL,NULL,NULL);
INSERT INTO "trial" VALUES(1,3,0,0,0,1000,0,NULL,NULL,NULL);
INSERT INTO "trial" VALUES(1,3,2,0,1,5,0,5,6,3);
CREATE TABLE verdict (
  run INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  reason INTEGER NOT NULL,
  tests BLOB NOT NULL,
  PRIMARY KEY (run, kind, reason)
) STRICT, WITHOUT ROWID;
INSERT INTO "verdict" VALUES(1,0,8,X'0201');
CREATE INDEX text_by_hash ON text (hash);
CREATE UNIQUE INDEX test_by_name ON test (binary, name);
CREATE INDEX run_by_start ON run (started);
CREATE UNIQUE INDEX pass_by_number ON pass (run, number);
CREATE INDEX trial_by_output ON trial (output) WHERE output IS NOT NULL;
CREATE INDEX output_by_hash ON output (hash);
COMMIT;
