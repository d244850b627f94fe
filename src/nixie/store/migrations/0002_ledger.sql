-- What was seen, decided and done, in order. Rows are only ever appended; `chain` binds each to all before it.
-- `payload` may be erased: then `digest` holds what it hashed to, and a later tombstone row names the erased one.
-- `lookup` is a digest of the Message-ID, so that a message is found without storing its name.
CREATE TABLE ledger (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  lookup BLOB,
  hold INTEGER,
  payload BLOB,
  chain BLOB NOT NULL,
  digest BLOB
) STRICT;
CREATE INDEX ledger_lookup ON ledger (lookup) WHERE lookup IS NOT NULL;
CREATE INDEX ledger_hold ON ledger (hold, kind) WHERE hold IS NOT NULL;
