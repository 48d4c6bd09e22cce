create table provider.payment (
  id uuid primary key,
  -- The shop's payment id.
  reference text not null constraint payment_reference unique,
  amount int not null check (amount >= 0),
  currency text not null,
  token text,
  status text not null check (status in ('PENDING', 'APPROVED', 'DECLINED', 'VOIDED', 'REFUNDED')),
  approved_amount int,
  refunded_amount int not null default 0,
  decline_reason text,
  -- Null on the tombstone of a payment that was voided before it was requested.
  callback_url text,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now()
);

-- Every idempotency key that was used, with what it was used for and how often.
create table provider.api_call (
  key text primary key,
  request_hash text not null,
  calls int not null default 1,
  first_at timestamptz(3) not null default now()
);

-- What the provider is going to decide, and when: outlives a kill. In full precision: rounded up, "now" would be later.
create table provider.decision (
  id bigint generated always as identity primary key,
  payment_id uuid not null references provider.payment,
  verdict text not null check (verdict in ('APPROVED', 'DECLINED')),
  amount int not null,
  reason text,
  -- Decides again what was decided, or voided, before.
  overrule boolean not null default false,
  copies int not null default 1,
  due_at timestamptz not null,
  done_at timestamptz(3)
);
create index decision_due on provider.decision (due_at) where done_at is null;

-- The webhooks due: delivered in order for each payment, repeated until a 2xx.
create table provider.webhook (
  id bigint generated always as identity primary key,
  payment_id uuid not null references provider.payment,
  body text not null,
  copies_left int not null default 1,
  -- A malformed one is not repeated once it was answered.
  once boolean not null default false,
  attempts int not null default 0,
  next_attempt_at timestamptz not null default now(),
  created_at timestamptz(3) not null default now(),
  delivered_at timestamptz(3)
);
create index webhook_due on provider.webhook (next_attempt_at) where delivered_at is null;
create index webhook_waiting on provider.webhook (payment_id, id) where delivered_at is null;
