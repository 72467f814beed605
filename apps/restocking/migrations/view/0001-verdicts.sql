-- Derived from the topic of suggestions: what is said about each line now, and what is not said any more.
CREATE TABLE verdict (
  -- <order>/<line>
  line_key text PRIMARY KEY,
  order_id text NOT NULL,
  line integer NOT NULL,
  product text NOT NULL,
  product_name text NOT NULL,
  supplier text NOT NULL,
  quantity integer NOT NULL,
  due_on date NOT NULL,
  line_version integer NOT NULL,
  kind text NOT NULL,
  proposed_due_on date,
  numbers jsonb NOT NULL,
  reason text NOT NULL,
  -- Null unless something is to be done.
  suggestion_id text,
  correlation_id text NOT NULL,
  event_id text NOT NULL,
  reviewed_at timestamptz NOT NULL,
  partition integer NOT NULL,
  last_seq bigint NOT NULL
);
CREATE UNIQUE INDEX verdict_suggestion ON verdict (suggestion_id) WHERE suggestion_id IS NOT NULL;
CREATE INDEX verdict_product ON verdict (product);

CREATE TABLE withdrawn (
  suggestion_id text PRIMARY KEY,
  line_key text NOT NULL,
  -- The suggestion as it was.
  was jsonb NOT NULL,
  reason text NOT NULL,
  withdrawn_at timestamptz NOT NULL
);
CREATE INDEX withdrawn_at ON withdrawn (withdrawn_at);
