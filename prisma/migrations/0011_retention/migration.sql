-- What the clean-up looks for: the oldest rows that nobody needs any more.
do $$
declare
  service text;
begin
  foreach service in array array['orders', 'inventory', 'payments', 'orchestration'] loop
    execute format('create index outbox_by_age on %I.outbox (published_at) where published_at is not null', service);
    execute format('create index inbox_by_age on %I.inbox (done_at)', service);
  end loop;
end $$;
create index webhook_call_by_age on payments.webhook_call (received_at);
