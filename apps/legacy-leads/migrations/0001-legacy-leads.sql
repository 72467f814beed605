-- As the old system has always had it: one row an offer, overwritten with each change.
CREATE TABLE customer (
  name text PRIMARY KEY,
  contacted boolean NOT NULL DEFAULT false,
  as_of timestamptz NOT NULL
);

CREATE TABLE bid (
  customer text NOT NULL REFERENCES customer,
  id text NOT NULL,
  car text NOT NULL,
  price integer NOT NULL,
  -- open, accepted or closed
  status text NOT NULL,
  -- How many facts of the offer it has seen, and which of them was the latest acceptance.
  revision integer NOT NULL,
  accepted_in integer NOT NULL DEFAULT 0,
  quoted boolean NOT NULL DEFAULT false,
  -- The acceptance that it has a call for; 0: none.
  called_for integer NOT NULL DEFAULT 0,
  PRIMARY KEY (customer, id)
);
