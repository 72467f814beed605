CREATE TABLE account (
  id text PRIMARY KEY,
  username text NOT NULL,
  email text NOT NULL,
  activated boolean NOT NULL,
  closed boolean NOT NULL,
  created_at timestamptz NOT NULL,
  version integer NOT NULL,
  password_version integer NOT NULL,
  -- Where on the log it came from, and what it counts for: a rebuild from a position takes that back.
  partition integer NOT NULL,
  last_seq bigint NOT NULL,
  day date NOT NULL,
  host text NOT NULL
);

CREATE INDEX account_touched ON account (partition, last_seq);

-- Counted for each partition apart, so that those who apply different partitions do not wait for each other.
CREATE TABLE sign_up_count (
  partition integer NOT NULL,
  day date NOT NULL,
  host text NOT NULL,
  count integer NOT NULL,
  PRIMARY KEY (partition, day, host)
);
