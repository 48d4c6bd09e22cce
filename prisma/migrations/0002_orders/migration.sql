create table orders.customer (
  id text primary key,
  name text not null,
  created_at timestamptz(3) not null default now()
);

create table orders.catalog_product (
  id text primary key,
  name text not null,
  price int not null check (price >= 0),
  version bigint not null,
  updated_at timestamptz(3) not null default now()
);

-- `order` is a word of SQL, so the table is called what it is: a purchase.
create table orders.purchase (
  id uuid primary key,
  customer_id text not null references orders.customer,
  items jsonb not null,
  total_price int not null check (total_price >= 0),
  currency text not null,
  status text not null default 'PENDING' check (status in ('PENDING', 'AWAITING_PAYMENT', 'COMPENSATING', 'CONFIRMED',
    'REJECTED', 'PAYMENT_NOT_COMPLETED', 'CANCELLED', 'REFUNDED')),
  reason_code text,
  reason_message text,
  payment_token text,
  payment_deadline text,
  pay_by timestamptz(3),
  payment_state text,
  payment_state_at timestamptz(3),
  cancel_requested_at timestamptz(3),
  stopped_at timestamptz(3),
  version int not null default 1,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  completed_at timestamptz(3)
);
create index purchase_by_customer on orders.purchase (customer_id, id desc);
create index purchase_by_status on orders.purchase (status, id desc);

create table orders.step_event (
  order_id uuid not null references orders.purchase,
  idempotency_key text not null,
  process_instance_key text not null,
  element_id text not null,
  stage text not null,
  state text not null,
  attempt int not null,
  undo text[] not null default '{}',
  error_code text,
  error_message text,
  at timestamptz(3) not null,
  primary key (order_id, idempotency_key)
);

create table orders.history (
  id bigint generated always as identity primary key,
  order_id uuid not null references orders.purchase,
  state text not null,
  idempotency_key text not null,
  at timestamptz(3) not null,
  constraint history_once unique (order_id, state, idempotency_key)
);

create table orders.ticket (
  code text primary key,
  order_id uuid not null references orders.purchase,
  product_id text not null,
  unit int not null,
  constraint ticket_once unique (order_id, product_id, unit)
);

create table orders.idempotency_key (
  customer_id text not null,
  key text not null,
  body_hash text not null,
  order_id uuid not null,
  created_at timestamptz(3) not null default now(),
  primary key (customer_id, key)
);
