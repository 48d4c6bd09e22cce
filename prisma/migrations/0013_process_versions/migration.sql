-- Operators see on which version of its diagram a stuck process runs. Null: nobody wrote it down, Operate knows it.
alter table orchestration.further_process add column process_version int;
