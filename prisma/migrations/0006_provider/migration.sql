create table provider.payment (
  id text primary key,
  idempotency_key text not null constraint provider_payment_key unique,
  reference text not null,
  amount int not null check (amount >= 0),
  currency text not null,
  token text,
  status text not null check (status in ('PENDING', 'APPROVED', 'DECLINED', 'VOIDED')),
  approved_amount int,
  refunded_amount int not null default 0,
  decline_reason text,
  callback_url text not null,
  decide_at timestamptz(3),
  voided_at timestamptz(3),
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now()
);
