import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { fillPorts, freePorts, isFree, portProblems } from '../ports.ts';
import { highestOpenSearchPort, portVariables } from '../settings.ts';

test('a port on which something listens is not free, on whichever address it does', async () => {
  for (const host of ['127.0.0.1', '0.0.0.0']) {
    const server = createServer().listen(0, host);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await isFree(port)).toBe(false);
    server.close();
    await once(server, 'close');
    expect(await isFree(port)).toBe(true);
  }
});

test('a taken port is reported by name, with the variable that changes it', async () => {
  const uses = [{ title: 'order-service', variable: 'ORDER_PORT', port: 8080 }] as const;
  expect(await portProblems(uses, async () => false)).toEqual([
    'Port 8080 for order-service is taken by another program; ORDER_PORT changes it.',
  ]);
});

test('two parts that want the same port are told apart from a port that another program has', async () => {
  const uses = [
    { title: 'order-service', variable: 'ORDER_PORT', port: 8080 },
    { title: 'payment-service', variable: 'PAYMENT_PORT', port: 8080 },
  ] as const;
  expect(await portProblems(uses, async () => true)).toEqual(['PAYMENT_PORT and ORDER_PORT are both 8080.']);
});

test('free ports are different ones', async () => {
  const ports = await freePorts(20);
  expect(new Set(ports).size).toBe(20);
});

test('a platform for a test keeps the given ports, fills up the others, and gives OpenSearch one that it can use', async () => {
  const ports = await fillPorts({ ORDER_PORT: 21_099 });
  expect(ports.ORDER_PORT).toBe(21_099);
  expect(Object.keys(ports).sort()).toEqual([...portVariables].sort());
  expect(ports.OPENSEARCH_PORT).toBeLessThanOrEqual(highestOpenSearchPort);
});
