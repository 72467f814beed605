CREATE TABLE lead (
  buyer text PRIMARY KEY,
  low boolean NOT NULL,
  high text[] NOT NULL,
  open integer NOT NULL,
  quotes integer NOT NULL,
  contacted boolean NOT NULL,
  -- Where on the log it came from.
  partition integer NOT NULL,
  last_seq bigint NOT NULL
);

CREATE INDEX lead_high ON lead USING gin (high);

CREATE TABLE call_task (
  id text PRIMARY KEY,
  buyer text NOT NULL,
  offer text NOT NULL,
  car text NOT NULL,
  acceptance integer NOT NULL,
  state text NOT NULL,
  opened_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL
);

CREATE INDEX call_task_listed ON call_task (state, id);
CREATE INDEX call_task_buyer ON call_task (buyer, id);
