import { join } from 'node:path';
import { answers } from './http.ts';
import type { PartContext, PartName, ServerPart } from './part.ts';
import type { PortVariable } from './settings.ts';

interface Service {
  name: PartName;
  port: PortVariable;
  needs: readonly PartName[];
}

const all = ['migrate', 'kafka', 'camunda'] as const;

/** Our own processes. `needs` only keeps their first minute quiet: each can stand the absence of what it uses. */
export const services: readonly Service[] = [
  { name: 'provider-simulator', port: 'PROVIDER_PORT', needs: ['migrate'] },
  { name: 'inventory-service', port: 'INVENTORY_PORT', needs: all },
  { name: 'payment-service', port: 'PAYMENT_PORT', needs: all },
  { name: 'order-service', port: 'ORDER_PORT', needs: all },
  { name: 'orchestrator', port: 'ORCHESTRATOR_PORT', needs: all },
];

export function servicePart({ name, port, needs }: Service, context: PartContext): ServerPart {
  return {
    kind: 'server',
    name,
    title: name,
    needs,
    ports: [port],
    command: async () => ({
      file: process.execPath,
      args: ['--enable-source-maps', '--max-old-space-size=256', join(name, 'dist', 'main.js')],
      env: context.serviceEnv,
      cwd: context.root,
    }),
    ready: (signal) => answers(`http://127.0.0.1:${context.ports[port]}/health/ready`, signal),
    readyWithinSeconds: 90,
    stopSignal: 'SIGTERM',
    stopWithinSeconds: 12,
  };
}
