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

-- Whatever changes on an order, its readers must hear of it: the version is the event id of `GET /orders/{id}/events`.
create function orders.touch_purchase() returns trigger language plpgsql as $$
begin
  new.version := old.version + 1;
  new.updated_at := greatest(old.updated_at, clock_timestamp());
  perform pg_notify('order_changed', new.id::text);
  return new;
end $$;
create trigger touch_purchase before update on orders.purchase for each row execute function orders.touch_purchase();

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
-- An incident in the engine names its process instance only.
create index step_event_by_process on orders.step_event (process_instance_key);

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

-- Sixty random bits in Crockford's base 32, easy to read out: 7XKM-20QD-PV9T. Bytes 6 to 9 of a UUID hold fixed bits.
create function orders.ticket_code() returns text language sql volatile as $$
  select regexp_replace(string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', (get_byte(random.bytes, place) & 31) + 1, 1), ''),
    '(.{4})(.{4})(.{4})', '\1-\2-\3')
  from (select uuid_send(gen_random_uuid()) as bytes) as random, unnest(array[0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15]) as place
$$;

create table orders.idempotency_key (
  customer_id text not null,
  key text not null,
  body_hash text not null,
  order_id uuid not null,
  created_at timestamptz(3) not null default now(),
  primary key (customer_id, key)
);
create index idempotency_key_by_age on orders.idempotency_key (created_at);
