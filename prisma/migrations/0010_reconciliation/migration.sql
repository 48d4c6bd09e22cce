-- The reconciliation reads all reservations in the order of their orders, and the provider's books by reference.
create index reservation_by_order on inventory.reservation (order_id);
create index payment_by_reference on provider.payment (reference collate "C");
-- An instance that runs in the engine is looked up by its key.
create index started_process_by_key on orchestration.started_process (process_instance_key);

-- Processes that a repair started. The next run asks whether they live, before it repairs again.
create table orchestration.repair_process (
  process_instance_key text primary key,
  order_id uuid not null,
  started_at timestamptz(3) not null default now()
);
create index repair_process_of_order on orchestration.repair_process (order_id);

create table orchestration.reconciliation (
  id bigint generated always as identity primary key,
  state text not null default 'RUNNING' check (state in ('RUNNING', 'DONE', 'FAILED', 'BROKEN_OFF')),
  operator text not null,
  reason text not null,
  repair boolean not null,
  -- What it is at, for people.
  phase text not null default 'starting',
  -- How much was looked at, by what it is.
  counts jsonb not null default '{}',
  -- What could not be looked at, or why it failed.
  notes text[] not null default '{}',
  started_at timestamptz(3) not null default now(),
  -- Its process says every few seconds that it is still at it.
  alive_at timestamptz(3) not null default now(),
  ended_at timestamptz(3)
);
-- One at a time, whichever of the orchestrators runs it.
create unique index reconciliation_one_at_a_time on orchestration.reconciliation (state) where state = 'RUNNING';

-- What looked wrong at first sight: pages are read at different moments, so all of it is looked at again.
create table orchestration.reconciliation_suspect (
  run_id bigint not null references orchestration.reconciliation on delete cascade,
  subject text not null check (subject in ('order', 'payment', 'process')),
  id text not null,
  primary key (run_id, subject, id)
);

create table orchestration.reconciliation_mismatch (
  id bigint generated always as identity primary key,
  run_id bigint not null references orchestration.reconciliation on delete cascade,
  kind text not null,
  -- Of an order, payment, product, process instance or service: what the kind is about.
  subject text not null,
  order_id uuid,
  details jsonb not null default '{}',
  found_at timestamptz(3) not null default now(),
  -- What came of its repair: `done`, `not-needed`, or why it failed. Null while none was tried.
  outcome text,
  constraint mismatch_once unique (run_id, kind, subject)
);
