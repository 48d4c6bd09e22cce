-- Who may act on late money and on a refund: one process instance each, however many run for the same order.
alter table payments.payment
  -- The instance of late-payment that has accepted the late money for its order; no other may give it back.
  add column reinstated_by text;

alter table orders.purchase
  -- The instance of late-payment that reinstated the order.
  add column reinstated_by text,
  -- The instance of refund-order that refunds the order, or has: what ended the order first must not end it again.
  add column refund_by text;

-- A wish of an operator: to refund one order, or all of a product.
create table orchestration.refund (
  id uuid primary key,
  order_id uuid,
  product_id text,
  operator text not null,
  reason text not null check (reason <> ''),
  -- COLLECTING: the product's orders are being written down, from `collect_status` and `collect_cursor` on.
  state text not null check (state in ('COLLECTING', 'RUNNING', 'DONE')),
  collect_status text,
  collect_cursor text,
  created_at timestamptz(3) not null default now(),
  done_at timestamptz(3),
  constraint one_order_or_a_product check ((order_id is null) <> (product_id is null))
);
create index refund_open on orchestration.refund (id) where state <> 'DONE';

create table orchestration.refund_order (
  refund_id uuid not null references orchestration.refund on delete cascade,
  order_id uuid not null,
  -- FAILED: a step of it is stuck; it goes on when somebody has helped.
  state text not null default 'WAITING' check (state in ('WAITING', 'RUNNING', 'FAILED', 'DONE', 'REFUSED')),
  -- Null although RUNNING: it was about to be started, and will be again.
  process_instance_key text,
  code text,
  message text,
  next_look_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  primary key (refund_id, order_id)
);
create index refund_order_open on orchestration.refund_order (next_look_at) where state in ('WAITING', 'RUNNING', 'FAILED');
create index refund_order_of_order on orchestration.refund_order (order_id);
