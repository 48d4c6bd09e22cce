import { join } from 'node:path';
import { answers } from './http.ts';
import {
  copiedServices,
  type CopyName,
  type PartContext,
  type PartName,
  type partNames,
  type ServerPart,
} from './part.ts';
import { freePorts } from './ports.ts';
import type { Ports, PortVariable } from './settings.ts';

interface Service {
  name: (typeof partNames)[number];
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

/** One more process of a service, at a port of its own; the others find the first one. */
export interface ServiceCopy {
  name: CopyName;
  service: Service;
  port: number;
}

/** Plans copies 2 … `copies` of each service that is among `running`, at free ports that no other part will want. */
export async function planCopies(
  copies: number,
  running: ReadonlySet<PartName>,
  taken: Ports,
): Promise<readonly ServiceCopy[]> {
  const wanted = services.flatMap((service) => {
    const name = copiedServices.find((copied) => copied === service.name);
    if (!name || !running.has(name)) return [];
    return Array.from({ length: copies - 1 }, (_, index) => ({ name: `${name}-${index + 2}` as const, service }));
  });
  const others = new Set(Object.values(taken));
  const free = (await freePorts(wanted.length + others.size)).filter((port) => !others.has(port));
  return wanted.flatMap((copy, index) => {
    const port = free[index];
    return port === undefined ? [] : [{ ...copy, port }];
  });
}

export function servicePart(service: Service, context: PartContext): ServerPart {
  return servicePartAt(service, context, service.name, context.ports[service.port]);
}

export function copyPart({ service, name, port }: ServiceCopy, context: PartContext): ServerPart {
  return { ...servicePartAt(service, context, name, port), ports: [] };
}

function servicePartAt(service: Service, context: PartContext, name: PartName, port: number): ServerPart {
  return {
    kind: 'server',
    name,
    title: name,
    needs: service.needs,
    ports: [service.port],
    command: async () => ({
      file: process.execPath,
      args: ['--enable-source-maps', '--max-old-space-size=256', join(service.name, 'dist', 'main.js')],
      env: { ...context.serviceEnv, [service.port]: String(port) },
      cwd: context.root,
    }),
    ready: (signal) => answers(`http://127.0.0.1:${port}/health/ready`, signal),
    readyWithinSeconds: 300,
    stopSignal: 'SIGTERM',
    stopWithinSeconds: 12,
  };
}
