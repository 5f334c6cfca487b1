-- Version 5: what authors say of the tests of a run, and in which arms they are run: a text (JSON), NULL where nobody says
-- anything, and in runs of earlier versions.
ALTER TABLE run ADD COLUMN terms INTEGER;
