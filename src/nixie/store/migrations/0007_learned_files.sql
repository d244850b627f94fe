-- How far each source was read. A file is known by its first bytes (after decompression), so that rotation, renaming and
-- compression do not make it new; `mark` is a digest of the bytes before the offset, `stat` spares opening it at all.
CREATE TABLE learned_file (
  id INTEGER PRIMARY KEY,
  head_size INTEGER NOT NULL,
  head BLOB NOT NULL,
  stat TEXT NOT NULL,
  position INTEGER NOT NULL,
  mark BLOB NOT NULL,
  state TEXT NOT NULL,
  UNIQUE (head_size, head)
) STRICT;
-- What tables of people and partners said; candidates from the first day, with no history at all.
CREATE TABLE person (
  address INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  unit TEXT NOT NULL
) STRICT;
CREATE TABLE partner_domain (
  domain INTEGER PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;
