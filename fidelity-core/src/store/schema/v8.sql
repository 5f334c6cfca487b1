-- Version 8: when a search began, in microseconds since 1970 in UTC; 0 for those of earlier versions. It tells apart searches
-- that ask the same, so that two stores can be joined, and says which is newer.
ALTER TABLE search ADD COLUMN began INTEGER NOT NULL DEFAULT 0;
