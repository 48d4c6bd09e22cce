create table inventory.product (
  id text primary key,
  name text not null,
  price int not null check (price >= 0),
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
  owner text,
  state text not null check (state in ('HELD', 'REJECTED', 'CONFIRMED', 'RELEASED', 'EXPIRED')),
  reject_code text,
  reject_message text,
  total int not null default 0 check (total >= 0),
  pay_by timestamptz(3),
  hold_until timestamptz(3),
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now()
);
create index reservation_held on inventory.reservation (hold_until) where state = 'HELD';

create table inventory.reservation_line (
  reservation_id text not null references inventory.reservation on delete cascade,
  product_id text not null references inventory.product,
  quantity int not null check (quantity > 0),
  unit_price int not null check (unit_price >= 0),
  primary key (reservation_id, product_id)
);
