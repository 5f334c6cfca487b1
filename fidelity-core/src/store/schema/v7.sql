-- Version 7: attributions. `test` is a position in the list of the run; `question` says what is looked into; `result` is JSON,
-- NULL before the end. `body` is JSON. Their trials are no evidence for verdicts, and stand apart from those that are.
CREATE TABLE attribution (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  test INTEGER NOT NULL,
  question TEXT NOT NULL,
  result TEXT
) STRICT;
CREATE UNIQUE INDEX attribution_by_test ON attribution (run, test, question);

CREATE TABLE attribution_trial (
  attribution INTEGER NOT NULL,
  number INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (attribution, number)
) STRICT, WITHOUT ROWID;
