-- Who gets the mail to a list or an alias, as `nixie learn --lists` read it (microseconds since 1970, UTC).
-- members: how many addresses it leads to; an alias has one.
CREATE TABLE list (
  address INTEGER PRIMARY KEY,
  members INTEGER NOT NULL,
  learned_at INTEGER NOT NULL
) STRICT;
-- By member first: a decision asks which lists lead to an address, never for all members of a list.
CREATE TABLE list_member (
  member INTEGER NOT NULL,
  list INTEGER NOT NULL,
  PRIMARY KEY (member, list)
) STRICT, WITHOUT ROWID;
CREATE INDEX list_member_list ON list_member (list);
