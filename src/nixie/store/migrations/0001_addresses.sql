-- Outside and inside addresses stand here once; everything else refers to their number.
-- Erasing a person erases the text of that row (text becomes NULL) and its index entry.
CREATE TABLE domain (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE address (
  id INTEGER PRIMARY KEY,
  domain INTEGER NOT NULL REFERENCES domain (id),
  key TEXT UNIQUE
) STRICT;
