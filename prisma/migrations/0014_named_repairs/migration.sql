-- The kinds whose repairs a run was asked for by name; none: all that need not be named.
alter table orchestration.reconciliation add column named_kinds text[] not null default '{}';
