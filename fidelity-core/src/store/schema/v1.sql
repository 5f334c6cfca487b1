-- Version 1 of the store. Never edited once released: a change is a new step.
-- Columns that are read often come first, so that the pages behind a long row need not be read for them.

-- Every text that may occur again: signatures, messages, reasons, binaries, profiles, environments.
CREATE TABLE text (
  id INTEGER PRIMARY KEY,
  hash INTEGER NOT NULL,
  value TEXT NOT NULL
) STRICT;
CREATE INDEX text_by_hash ON text (hash);

-- Every test that was ever listed. `binary` is a text.
CREATE TABLE test (
  id INTEGER PRIMARY KEY,
  binary INTEGER NOT NULL,
  name TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX test_by_name ON test (binary, name);

-- `started` is in microseconds since 1970 in UTC; `baseline` and `target` are texts (profiles as JSON);
-- `tests` is a sequence of test ids, `selected` one of positions in it; `ending` and `header` are JSON.
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
CREATE INDEX run_by_start ON run (started);

-- `ending` is NULL while the pass is open. A pass that ended holds its plain passing trials packed: `passed` is
-- a sequence of positions, `durations` one number (microseconds) for each of them.
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
CREATE UNIQUE INDEX pass_by_number ON pass (run, number);

-- Trials in the order they are appended: all of an open pass, and of a pass that ended those that are not packed.
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
CREATE INDEX trial_by_output ON trial (output) WHERE output IS NOT NULL;

-- What failing trials printed, each once.
CREATE TABLE output (
  id INTEGER PRIMARY KEY,
  hash INTEGER NOT NULL,
  stdout_omitted INTEGER NOT NULL,
  stderr_omitted INTEGER NOT NULL,
  stdout BLOB NOT NULL,
  stderr BLOB NOT NULL
) STRICT;
CREATE INDEX output_by_hash ON output (hash);

-- The verdicts of a finished run: for each verdict and reason the positions of the tests that have it.
CREATE TABLE verdict (
  run INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  reason INTEGER NOT NULL,
  tests BLOB NOT NULL,
  PRIMARY KEY (run, kind, reason)
) STRICT, WITHOUT ROWID;
