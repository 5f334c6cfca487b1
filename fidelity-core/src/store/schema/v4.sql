-- Version 4: passes that ran elsewhere. `origin` is JSON: the block, the time and the files of such a pass.
ALTER TABLE pass ADD COLUMN origin TEXT;

-- Which passes a file became, so that it is taken in once. `digest` is that of its bytes.
CREATE TABLE source (
  digest BLOB NOT NULL,
  run INTEGER NOT NULL,
  pass INTEGER NOT NULL,
  PRIMARY KEY (digest, run, pass)
) STRICT, WITHOUT ROWID;
