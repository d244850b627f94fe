-- Mail to us that refers to earlier mail. It becomes a REPLIED event once one of the copies it refers to is known to have
-- been sent to its author; which of the two is learned first makes no difference.
CREATE TABLE answer (
  key INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  ours INTEGER NOT NULL,
  other INTEGER NOT NULL
) STRICT;
CREATE TABLE answer_to (
  sent INTEGER NOT NULL,
  answer INTEGER NOT NULL,
  PRIMARY KEY (sent, answer)
) STRICT, WITHOUT ROWID;
CREATE INDEX answer_to_answer ON answer_to (answer);
