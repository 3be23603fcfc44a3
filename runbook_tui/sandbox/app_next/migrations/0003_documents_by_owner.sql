-- runbook: no-transaction
create index concurrently documents_by_owner on documents (owner, id desc);
