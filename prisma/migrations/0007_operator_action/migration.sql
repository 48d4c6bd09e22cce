-- What operators did, why, and what came of it: written once, never changed.
create table orchestration.operator_action (
  id bigint generated always as identity primary key,
  at timestamptz(3) not null default now(),
  -- Who: the operator's name, `reconcile` for the schedule.
  operator text not null,
  -- What: retry-step, abort-order, refund-order, replay-dead-letter, repair …
  action text not null,
  order_id uuid,
  reason text not null check (reason <> ''),
  -- done, or refused with the code of the problem.
  outcome text not null,
  details jsonb not null default '{}'
);
create index operator_action_of_order on orchestration.operator_action (order_id, id);
