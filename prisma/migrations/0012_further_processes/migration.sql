-- Late money starts a process of its own, too: the reconciliation asks whether any process of an order lives.
alter table orchestration.repair_process rename to further_process;
alter table orchestration.further_process rename constraint repair_process_pkey to further_process_pkey;
alter index orchestration.repair_process_of_order rename to further_process_of_order;
