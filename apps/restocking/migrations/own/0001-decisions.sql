-- What planners have decided: nothing else knows it, so it is no part of the view.
CREATE TABLE decision (
  suggestion_id text PRIMARY KEY,
  line_key text NOT NULL,
  line_version integer NOT NULL,
  -- The suggestion as it was when it was decided.
  was jsonb NOT NULL,
  status text NOT NULL
    CHECK (status IN ('in-progress', 'completed', 'needs-attention', 'dismissed', 'snoozed')),
  actor text NOT NULL,
  correlation_id text NOT NULL,
  idempotency_key text,
  saga_id text,
  -- By whom it was seen first that the order is changed: the answer of its owner, or the change stream.
  completed_by text CHECK (completed_by IN ('answer', 'echo')),
  reason text,
  snoozed_until timestamptz,
  decided_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz
);
CREATE INDEX decision_line ON decision (line_key) WHERE status = 'in-progress';
CREATE INDEX decision_ended ON decision (ended_at);

-- What was decided, when the decision itself has been swept: it is not suggested a second time.
CREATE TABLE handled (
  suggestion_id text PRIMARY KEY,
  status text NOT NULL,
  handled_at timestamptz NOT NULL
);

-- Changes of suggestions in the order of their commits, for pages that follow.
CREATE TABLE feed (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  seq bigint NOT NULL
);
INSERT INTO feed (seq) VALUES (0);

CREATE TABLE change (
  seq bigint PRIMARY KEY,
  suggestion_id text NOT NULL
);
