-- The element instance that a step event speaks of: with it an operator begins a stuck step anew, without a search index.
alter table orders.step_event add column element_instance_key text;
-- What is stuck is looked for from the stuck events, the oldest first.
create index step_event_stuck on orders.step_event (at, order_id) where state = 'STUCK';

-- What went to the topic `dead-letters`, so that operators can list it, send it again, or discard it.
create table orchestration.dead_letter (
  id bigint generated always as identity primary key,
  idempotency_key text not null unique,
  occurred_at timestamptz(3) not null,
  state text not null default 'OPEN' check (state in ('OPEN', 'REPLAYED', 'DISCARDED')),
  service text not null,
  code text not null,
  message text not null,
  order_id uuid,
  source_topic text not null,
  -- The record as it came, byte for byte: text of PostgreSQL holds no null bytes.
  letter bytea not null,
  decided_at timestamptz(3),
  decided_by text,
  decided_because text
);
create index dead_letter_by_state on orchestration.dead_letter (state, id);
create index dead_letter_of_order on orchestration.dead_letter (order_id) where order_id is not null;
