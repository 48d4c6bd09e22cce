/** What the reconciliation works with. */
import type { OutboxRow } from '@ticket-saga/contract/reconciliation';
import type { OrchestratorParts } from './parts.ts';
import type { ProviderBooks } from './provider-books.ts';
import type { RunningProcesses } from './running-processes.ts';
import type { Times } from './reconcile-judge.ts';

export type ReconcileParts = Pick<OrchestratorParts, 'db' | 'engine' | 'services' | 'logger' | 'settings'> & {
  books: ProviderBooks;
  running: RunningProcesses;
  times: Times;
  /** Sends the orchestrator's own outbox now. */
  publishOutbox: () => Promise<OutboxRow>;
  /** Rows of a page. */
  pageSize?: number;
};
