-- Version 6: attributions, each with what it was asked and how it ended (NULL while it goes on), and what it saw in order.
CREATE TABLE search (
    id INTEGER PRIMARY KEY,
    binary INTEGER NOT NULL,
    test TEXT NOT NULL,
    question TEXT NOT NULL,
    ending TEXT
) STRICT;
CREATE TABLE search_event (
    search INTEGER NOT NULL,
    number INTEGER NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (search, number)
) STRICT, WITHOUT ROWID;
