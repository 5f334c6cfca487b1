-- Version 3: what other programs took of the machine during a pass, in hundredths of a CPU, and how many CPUs there were.
-- Both are NULL where nobody could say, and in passes of earlier versions.
ALTER TABLE pass ADD COLUMN foreign_load INTEGER;
ALTER TABLE pass ADD COLUMN cpus INTEGER;
