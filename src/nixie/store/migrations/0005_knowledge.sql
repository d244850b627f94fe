-- Events in counts, by UTC day (days since 1970-01-01) and kind (core.events.EventKind).
-- scope: the number of one of our people, 0 for the whole organisation. Days are never rolled up: "as of" stays exact.
CREATE TABLE address_day (
  scope INTEGER NOT NULL,
  address INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  day INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (scope, address, kind, day)
) STRICT, WITHOUT ROWID;
-- The same by domain of the other side; domain 0 stands for all domains together.
CREATE TABLE domain_day (
  scope INTEGER NOT NULL,
  domain INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  day INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (scope, domain, kind, day)
) STRICT, WITHOUT ROWID;
-- Running totals of the organisation, so that a question costs one seek however many years are known.
-- what: 1 copies sent, 2 addresses written to for the first time, 3 domains written to for the first time.
CREATE TABLE total_day (
  what INTEGER NOT NULL,
  day INTEGER NOT NULL,
  upto INTEGER NOT NULL,
  PRIMARY KEY (what, day)
) STRICT, WITHOUT ROWID;
-- The events of the last two days with their instants (microseconds since 1970, UTC), and their keys for counting once.
CREATE TABLE tail (
  key INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  ours INTEGER NOT NULL,
  other INTEGER NOT NULL
) STRICT;
CREATE INDEX tail_at ON tail (at);
-- Keys of events that left the tail or were learned in bulk: sorted little-endian 64-bit numbers, a few runs a day.
CREATE TABLE seen (
  day INTEGER NOT NULL,
  run INTEGER NOT NULL,
  keys BLOB NOT NULL,
  PRIMARY KEY (day, run)
) STRICT;
-- floor: first day whose instants are all in the tail. past: grows whenever a day before the floor changes.
CREATE TABLE knowledge_state (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO knowledge_state VALUES ('floor', 0), ('past', 0);
