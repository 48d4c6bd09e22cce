-- One schema and one login role for each service; a role sees its own schema and no other.
-- The roles themselves belong to the whole server and are made by migrate.ts, with their passwords.
do $$
declare
  service text;
begin
  foreach service in array array['orders', 'inventory', 'payments', 'orchestration', 'provider'] loop
    execute format('create schema %I', service);
    execute format('grant usage on schema %I to %I', service, service);
    execute format('alter default privileges in schema %I grant select, insert, update, delete on tables to %I', service, service);
    execute format('alter default privileges in schema %I grant usage, select on sequences to %I', service, service);
  end loop;
end $$;
revoke all on schema public from public;

-- The transactional outbox: written in the transaction of the effect, sent to Kafka by the relay in the order of the ids.
create function public.wake_relay() returns trigger language plpgsql as $$
begin
  perform pg_notify('outbox_' || tg_table_schema, '');
  return null;
end $$;

do $$
declare
  service text;
begin
  foreach service in array array['orders', 'inventory', 'payments', 'orchestration'] loop
    execute format($table$
      create table %1$I.outbox (
        id bigint generated always as identity primary key,
        idempotency_key text not null unique,
        topic text not null,
        key text not null,
        value text not null,
        headers jsonb not null default '{}',
        created_at timestamptz(3) not null default now(),
        published_at timestamptz(3)
      );
      create index outbox_pending on %1$I.outbox (id) where published_at is null;
      create index outbox_pending_key on %1$I.outbox (key, id) where published_at is null;
      create trigger wake_relay after insert on %1$I.outbox for each statement execute function public.wake_relay();

      -- The inbox: an event is in here once its effect is done. Only then may the consumer's offset move.
      create table %1$I.inbox (
        consumer text not null,
        idempotency_key text not null,
        done_at timestamptz(3) not null default now(),
        primary key (consumer, idempotency_key)
      );
    $table$, service);
  end loop;
end $$;
