-- One question per author and Message-ID, however many transactions carried the message. Times are milliseconds UTC.
-- `next_due` is the earliest step not yet done, NULL while nothing is to do: what is due is found without a scan.
-- `generation` grows with every answer, so that a replayed form is refused.
CREATE TABLE question (
  id INTEGER PRIMARY KEY,
  public TEXT NOT NULL UNIQUE,
  author INTEGER NOT NULL,
  lookup BLOB NOT NULL,
  opened INTEGER NOT NULL,
  generation INTEGER NOT NULL DEFAULT 1,
  notice_at INTEGER,
  remind_at INTEGER,
  escalate_at INTEGER,
  return_at INTEGER,
  notice_done INTEGER,
  remind_done INTEGER,
  escalate_done INTEGER,
  return_done INTEGER,
  next_due INTEGER,
  UNIQUE (author, lookup)
) STRICT;
CREATE INDEX question_due ON question (next_due) WHERE next_due IS NOT NULL;

-- One held copy. `copy_key` names it for as long as the row lives, unless the hold is void.
-- The envelope's own bytes are kept only until the copy's fate is final.
CREATE TABLE hold (
  id INTEGER PRIMARY KEY,
  public TEXT NOT NULL UNIQUE,
  copy_key BLOB NOT NULL,
  state TEXT NOT NULL,
  question INTEGER NOT NULL REFERENCES question (id),
  decision INTEGER NOT NULL REFERENCES ledger (seq),
  lookup BLOB NOT NULL,
  message_id BLOB NOT NULL,
  spool TEXT NOT NULL,
  disposition TEXT NOT NULL,
  choices TEXT NOT NULL,
  blind INTEGER NOT NULL,
  received INTEGER NOT NULL,
  author INTEGER,
  sender INTEGER NOT NULL,
  recipient INTEGER NOT NULL,
  corrected INTEGER,
  sender_raw BLOB,
  sender_params BLOB,
  recipient_raw BLOB,
  recipient_params BLOB,
  held_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  next_try INTEGER
) STRICT;
CREATE UNIQUE INDEX hold_copy ON hold (copy_key) WHERE state <> 'void';
CREATE INDEX hold_state ON hold (state, held_at);
CREATE INDEX hold_question ON hold (question);
CREATE INDEX hold_spool ON hold (spool);
CREATE INDEX hold_work ON hold (next_try) WHERE next_try IS NOT NULL;

-- The sessions that want a provisional hold: any of them makes it firm, and it is void once all of them gave it up.
CREATE TABLE claim (
  token TEXT NOT NULL,
  hold INTEGER NOT NULL REFERENCES hold (id),
  at INTEGER NOT NULL,
  PRIMARY KEY (token, hold)
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_hold ON claim (hold);
