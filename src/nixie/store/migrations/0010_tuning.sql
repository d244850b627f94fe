-- The least probability that is asked about, from `since` on (milliseconds UTC): for everybody (author 0), and for authors who
-- would otherwise be asked too often. Rows are added, so that a look at the past sees what was in force.
CREATE TABLE threshold (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  author INTEGER NOT NULL,
  since INTEGER NOT NULL,
  value REAL NOT NULL
) STRICT;
CREATE INDEX threshold_author ON threshold (author, since);
-- The factors of the slip kinds that an administrator accepted, as JSON (core.scales).
CREATE TABLE scale (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  since INTEGER NOT NULL,
  value TEXT NOT NULL
) STRICT;
-- The UTC days (since 1970-01-01) whose digest of copies that nobody was asked about was written.
CREATE TABLE digest (
  day INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  copies INTEGER NOT NULL
) STRICT;
