-- Version 2: which tests a run screened harder for their history, as a sequence of positions. Nobody before.
ALTER TABLE run ADD COLUMN suspicious BLOB NOT NULL DEFAULT x'';
