create table orchestration.started_process (
  order_id uuid primary key,
  process_instance_key text not null,
  process_version int not null,
  started_at timestamptz(3) not null default now()
);
