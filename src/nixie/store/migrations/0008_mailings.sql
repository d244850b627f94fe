-- Mails as knowledge keeps them: who wrote to whom together, when, about what. Instants are microseconds since 1970, UTC;
-- people are numbers of `address`.
-- ours: whether one of our people wrote it. members: the recipients' numbers, ascending, little-endian 32 bit; NULL where there
-- were more than a circle has. words: 32-bit hashes in the same form. refs: 64-bit keys of the mails it refers to, oldest first.
-- readers: those of the members who are ours. topic: number of what its subject is about, 0 for nothing.
CREATE TABLE mailing (
  key INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  sender INTEGER NOT NULL,
  ours INTEGER NOT NULL,
  members BLOB,
  words BLOB NOT NULL,
  refs BLOB NOT NULL,
  readers BLOB NOT NULL,
  topic INTEGER NOT NULL
) STRICT;
-- Mail by person: the latest ones before a moment are one seek and a few steps back.
-- scope: the author who wrote to `address`; 0 for the whole organisation; minus one of ours who got the mail, which `address` wrote
-- or got too. address 0: that author's mail without a circle. The address comes first, so that its rows lie together and writing them touches
-- few pages.
-- members and words stand here again for mail to a few: a seek into `mailing` for each would cost twice the read. With a negative
-- scope there are no words, and the sender comes before the members.
CREATE TABLE mailing_to (
  address INTEGER NOT NULL,
  scope INTEGER NOT NULL,
  at INTEGER NOT NULL,
  mailing INTEGER NOT NULL,
  members BLOB,
  words BLOB,
  PRIMARY KEY (address, scope, at, mailing)
) STRICT, WITHOUT ROWID;
-- Mail with a topic by those of ours who wrote or got it: an answer without references belongs to the latest one before it.
CREATE TABLE mailing_topic (
  topic INTEGER NOT NULL,
  person INTEGER NOT NULL,
  at INTEGER NOT NULL,
  mailing INTEGER NOT NULL,
  PRIMARY KEY (topic, person, at, mailing)
) STRICT, WITHOUT ROWID;
-- What the rows of an author add up to. A question later than `last_at` needs no counting; one about the past counts them.
-- spelling: hash of a display name whose tokens stand in `token` with `spelled_at` or earlier, so that they are not written again.
CREATE TABLE contact (
  scope INTEGER NOT NULL,
  address INTEGER NOT NULL,
  mails INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  spelling INTEGER NOT NULL,
  spelled_at INTEGER NOT NULL,
  PRIMARY KEY (scope, address)
) STRICT, WITHOUT ROWID;
CREATE TABLE author (
  id INTEGER PRIMARY KEY,
  mails INTEGER NOT NULL,
  contacts INTEGER NOT NULL,
  last_at INTEGER NOT NULL
) STRICT;
-- Display names by address, those first seen, with the instant: one that is seen later is no answer to an earlier question.
CREATE TABLE name (
  address INTEGER NOT NULL,
  name TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  PRIMARY KEY (address, name)
) STRICT, WITHOUT ROWID;
-- By what people are found: hashes of `core.person.tokens`. An author's scope has all of each contact, as his own mail named it;
-- scope 0 has whole names alone. first_at: the earliest mail that showed it.
CREATE TABLE token (
  scope INTEGER NOT NULL,
  hash INTEGER NOT NULL,
  address INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  PRIMARY KEY (scope, hash, address)
) STRICT, WITHOUT ROWID;
