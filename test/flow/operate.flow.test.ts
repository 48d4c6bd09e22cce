import { afterAll, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { part, query, shop } from '../support/system.ts';

afterAll(() => shop.close());

const operate = process.env['OPERATE_URL'];

async function loginToOperate(): Promise<string> {
  const response = await fetch(`${operate}/api/login`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'techlead', password: 'zup@123' }),
  });
  expect(response.status).toBe(204);
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
}

it('the techlead sees a step whose tries are used up as an incident in Operate, and the order shows it as STUCK', async () => {
  const { id } = await shop.place({
    items: [{ id: '1', quantity: 1 }],
    payment: { token: 'tok_down', deadline: 'PT2M' },
  });
  const stuck = await eventually(
    'the request for payment is stuck',
    async () => {
      const order = await shop.order(id);
      return order.steps.some((step) => step.id === 'RequestPayment' && step.state === 'STUCK') && order;
    },
    { withinMs: 60_000, everyMs: 250 },
  );
  expect(stuck).toMatchObject({ currentStep: 'RequestPayment', stage: 'Processing', finished: false });
  expect(stuck.steps.find((step) => step.id === 'RequestPayment')).toMatchObject({
    attempts: 5,
    error: { message: expect.any(String) },
  });

  const [process_] = await query<{ process_instance_key: string }>(
    'select process_instance_key from orchestration.started_process where order_id = $1',
    [id],
  );
  const cookie = await loginToOperate();
  const incident = await eventually(
    'Operate shows the incident',
    async () => {
      const response = await fetch(`${operate}/v1/incidents/search`, {
        method: 'POST',
        headers: { cookie, 'content-type': 'application/json' },
        body: `{"filter":{"processInstanceKey":${process_?.process_instance_key}}}`,
      });
      const found = (await response.json()) as { items: { state: string; message: string; type: string }[] };
      return found.items.find(({ state }) => state === 'ACTIVE');
    },
    { withinMs: 60_000, everyMs: 500 },
  );
  expect(incident).toMatchObject({ type: 'JOB_NO_RETRIES' });

  await shop.abort(id);
  await eventually('the aborted order has ended', async () => (await shop.order(id)).finished, { withinMs: 60_000 });
}, 180_000);

it('an incident that no worker caused shows on its order, with what Operate says of it', async () => {
  await part('payment-service', 'stop');
  try {
    const { id } = await shop.place({ items: [{ id: '1', quantity: 1 }], payment: { token: 'tok_approve' } });
    const job = await eventually(
      'the request for payment waits for a worker',
      async () => {
        const jobs = await shop.engine.activateJobs({
          type: 'request-payment',
          worker: 'test',
          most: 10,
          leaseMs: 20_000,
          waitMs: 1_000,
          variables: ['orderId'],
        });
        return jobs.find(({ variables }) => (variables as { orderId: string }).orderId === id);
      },
      { withinMs: 30_000 },
    );
    await shop.engine.throwError(job.key, {
      errorCode: 'NOBODY_CATCHES',
      errorMessage: 'seen by a test',
      variables: {},
    });
    const stuck = await eventually(
      'the order shows the incident',
      async () => {
        const order = await shop.order(id);
        return order.steps.find((step) => step.id === 'RequestPayment' && step.state === 'STUCK');
      },
      { withinMs: 60_000, everyMs: 500 },
    );
    expect(stuck.error?.message).toContain('NOBODY_CATCHES');
    await part('payment-service', 'start');
    await shop.abort(id);
    await eventually('the aborted order has ended', async () => (await shop.order(id)).finished, { withinMs: 60_000 });
  } finally {
    await part('payment-service', 'start');
  }
}, 180_000);
