create table inventory.product (
  id text primary key check (id ~ '^[A-Za-z0-9._-]{1,64}$'),
  name text not null,
  -- 20 lines of 100 tickets at the highest price still fit an int.
  price int not null check (price between 0 and 1000000),
  currency text not null default 'GBP',
  capacity int not null check (capacity >= 0),
  available int not null check (available >= 0),
  held int not null default 0 check (held >= 0),
  sold int not null default 0 check (sold >= 0),
  version bigint not null default 1,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  constraint nothing_lost check (available + held + sold = capacity)
);

create table inventory.reservation (
  id text primary key,
  order_id uuid not null,
  -- The process instance that reserved; null on a tombstone, which a release of the unknown wrote.
  owner text,
  state text not null check (state in ('HELD', 'REJECTED', 'CONFIRMED', 'RELEASED', 'EXPIRED')),
  reject_code text,
  reject_message text,
  total int not null default 0 check (total >= 0),
  pay_by timestamptz(3),
  hold_until timestamptz(3),
  -- When the first release ran. An expired hold that was released stays EXPIRED, and may not take tickets again.
  released_at timestamptz(3),
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  constraint tombstone_or_owned check (owner is not null or state = 'RELEASED'),
  constraint released_when check (state <> 'RELEASED' or released_at is not null),
  constraint refusal_has_reason check ((state = 'REJECTED') = (reject_code is not null and reject_message is not null)),
  constraint hold_has_end check (state not in ('HELD', 'CONFIRMED', 'EXPIRED') or (pay_by is not null and hold_until >= pay_by))
);
create index reservation_held on inventory.reservation (hold_until) where state = 'HELD';

create table inventory.reservation_line (
  reservation_id text not null references inventory.reservation on delete cascade,
  product_id text not null references inventory.product,
  quantity int not null check (quantity > 0),
  unit_price int not null check (unit_price >= 0),
  primary key (reservation_id, product_id)
);
