/** Routes of the orchestrator. */
import type { Api } from '@ticket-saga/runtime/api';

export function addRoutes(api: Api, settings: { OPERATE_URL: string }): void {
  api.route({
    method: 'get',
    path: '/',
    summary: 'Leads to Camunda Operate, where operators see every order on the diagram',
    access: 'public',
    answers: { 302: { description: 'Operate' } },
    handle: async () => ({ status: 302, headers: { Location: settings.OPERATE_URL } }),
  });
}
