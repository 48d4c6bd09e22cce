create table payments.payment (
  id uuid primary key,
  order_id uuid not null constraint payment_of_order unique,
  amount int not null check (amount >= 0),
  currency text not null default 'GBP',
  token text,
  state text not null check (state in ('REQUESTED', 'APPROVED', 'DECLINED', 'VOIDING', 'VOIDED', 'LATE', 'REFUNDING', 'REFUNDED')),
  source text not null default 'provider' check (source in ('provider', 'manual')),
  provider_reference text,
  decline_reason text,
  -- What a LATE payment was before the approval came too late.
  late_after text check (late_after in ('DECLINED', 'VOIDED')),
  pay_by timestamptz(3),
  accepted_at timestamptz(3),
  asked_at timestamptz(3),
  -- Grows with every change: the compare-and-set that decides all races is on it.
  version int not null default 1,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  constraint late_tells_of_what check ((state = 'LATE') <= (late_after is not null))
);
create index payment_unanswered on payments.payment (coalesce(asked_at, created_at)) where state = 'REQUESTED';

create table payments.webhook_call (
  event_id text primary key,
  payment_id uuid not null,
  type text not null,
  received_at timestamptz(3) not null default now()
);
