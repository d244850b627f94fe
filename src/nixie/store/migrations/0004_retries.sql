-- How often a message was answered "try again later"; after three such answers it is held for the postmaster.
CREATE TABLE retry (
  message BLOB PRIMARY KEY,
  count INTEGER NOT NULL,
  last_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX retry_last ON retry (last_at);
