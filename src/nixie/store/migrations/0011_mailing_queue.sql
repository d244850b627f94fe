-- Mails that passed the guard and are not learned yet, as lines (`core.mailing_line`), the oldest first. A line waits for less than
-- a second; learning it and removing it are one transaction.
CREATE TABLE mailing_queue (
  id INTEGER PRIMARY KEY,
  line TEXT NOT NULL
) STRICT;
