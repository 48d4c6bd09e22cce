create table orchestration.started_process (
  order_id uuid primary key,
  process_instance_key text not null,
  process_version int not null,
  started_at timestamptz(3) not null default now()
);

-- Which version of a diagram came from which file: a gap tells that somebody deployed from elsewhere.
create table orchestration.deployment (
  process_id text not null,
  version int not null,
  file text not null,
  checksum text not null,
  deployed_at timestamptz(3) not null default now(),
  primary key (process_id, version)
);
