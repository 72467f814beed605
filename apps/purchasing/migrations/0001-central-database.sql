-- The central database of purchasing. Others read it by its change stream; nobody else writes to it.
CREATE TABLE supplier (
  id text PRIMARY KEY,
  name text NOT NULL,
  email text NOT NULL
);

CREATE TABLE product (
  id text PRIMARY KEY,
  name text NOT NULL,
  supplier_id text NOT NULL REFERENCES supplier,
  -- Pieces that are expected to be sold a day.
  daily_forecast numeric(12, 3) NOT NULL CHECK (daily_forecast >= 0),
  -- Pieces below which it is time to reorder.
  reorder_level integer NOT NULL CHECK (reorder_level >= 0)
);

CREATE TABLE stock (
  product_id text PRIMARY KEY REFERENCES product,
  quantity bigint NOT NULL
);

-- Each difference of the stock, in the transaction that changes it.
CREATE TABLE stock_movement (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  product_id text NOT NULL REFERENCES product,
  difference integer NOT NULL CHECK (difference <> 0),
  reason text NOT NULL,
  moved_at timestamptz NOT NULL DEFAULT now()
);

-- One row is the whole order, so that one change of a row is one change of the order.
CREATE TABLE purchase_order (
  id text PRIMARY KEY,
  supplier_id text NOT NULL REFERENCES supplier,
  status text NOT NULL CHECK (status IN ('open', 'shipped', 'delivered', 'cancelled')),
  ordered_on date NOT NULL,
  -- [{ line, product, quantity, dueOn, status: open | cancelled, version }]
  lines jsonb NOT NULL,
  version integer NOT NULL DEFAULT 1,
  changed_at timestamptz NOT NULL DEFAULT now()
);

-- The change stream tells the old row whole: an update does not repeat long values that it leaves alone.
ALTER TABLE purchase_order REPLICA IDENTITY FULL;

-- What others are to hear of beside changed rows; the change stream carries it, nobody reads it here.
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  type text NOT NULL,
  key text NOT NULL,
  data jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);

-- Answers that were given, by Idempotency-Key: a repeated request gets the first one again.
CREATE TABLE answer (
  key text PRIMARY KEY,
  fingerprint text NOT NULL,
  -- As text would be kept: in the order in which it was answered.
  body json NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX answer_at ON answer (at);
