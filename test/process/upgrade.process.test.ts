import { describe, expect, test } from '@jest/globals';
import { jobs } from '@ticket-saga/contract/jobs';
import { type Order, timeToPayMs } from './order.ts';
import { orderAt, undo } from './places.ts';
import { processTest } from './process-test.ts';
import { newJob, nextInput, rehearsal } from './upgrade-rehearsal.ts';

const saga = processTest();
const upgrade = rehearsal(saga);

describe('When a new version is deployed while orders wait for their payment', () => {
  test('they move, the payments arrive, and all end through the new task', async () => {
    const orders: Order[] = [];
    for (let count = 0; count < 3; count += 1) orders.push(await orderAt(saga, 'WaitForPayment'));
    await upgrade.deployNext();
    const { ok, said } = await upgrade.migrate(orders);
    expect(said).toMatch(/migrated +3\nleft +0\nfailed +0/);
    expect(ok).toBe(true);
    for (const order of orders) {
      await order.callback('APPROVED');
      await order.complete('ConfirmTickets');
      await upgrade.work(order, newJob, ['orderId']);
      await order.complete('CompleteOrder');
      const end = await order.end();
      expect(end.slice(end.indexOf('PaymentAnswered'))).toEqual([
        'PaymentAnswered',
        'ConfirmTickets',
        'SendTickets',
        'CompleteOrder',
        'OrderCompleted',
      ]);
    }
  });

  test('orders that are not moved end as they began, without the new task', async () => {
    const order = await orderAt(saga, 'WaitForPayment');
    await upgrade.deployNext();
    await order.callback('APPROVED');
    await order.complete('ConfirmTickets');
    await order.complete('CompleteOrder');
    expect(await order.end()).not.toContain('SendTickets');
  });

  test('one that is cancelled after the move gets its tickets released', async () => {
    const order = await orderAt(saga, 'WaitForPayment');
    await upgrade.deployNext();
    await upgrade.migrate([order]);
    await order.cancel();
    await undo(order);
    expect(await order.end()).toEqual(expect.arrayContaining(['ReleaseTickets', 'UndoReservation', 'OrderCancelled']));
  });

  test('one whose time to pay ends after the move is undone in time', async () => {
    const order = await orderAt(saga, 'WaitForPayment');
    await upgrade.deployNext();
    await upgrade.migrate([order]);
    await saga.clock.pass(timeToPayMs);
    await order.complete('ClosePayment', { paymentOutcome: 'VOIDED' });
    await undo(order);
    expect(await order.end()).toContain('PaymentNotCompleted');
  });

  test('a second run moves nothing twice', async () => {
    const order = await orderAt(saga, 'WaitForPayment');
    await upgrade.deployNext();
    await upgrade.migrate([order]);
    const { ok, said } = await upgrade.migrate([order]);
    expect(said).toMatch(/migrated +0\n +1 {2}migrated by an earlier run/);
    expect(ok).toBe(true);
  });
});

describe('When an order moves to a new version from elsewhere', () => {
  test('a payment request in an old worker’s hands is answered by it, and a message boundary still holds', async () => {
    const [first, second] = [await orderAt(saga, 'RequestPayment'), await orderAt(saga, 'RequestPayment')];
    await first.job('RequestPayment');
    await second.job('RequestPayment');
    await upgrade.deployNext();
    expect(await upgrade.migrate([first, second])).toMatchObject({ ok: true });
    await first.complete('RequestPayment');
    await first.standsAt('WaitForPayment');
    await second.cancel();
    await undo(second);
    expect(await second.end()).toContain('CancelledDuringRequest');
  });

  test('a payment request that nobody has taken yet is done by the new worker, which finds no new variable', async () => {
    const order = await orderAt(saga, 'RequestPayment');
    await upgrade.deployNext();
    await upgrade.migrate([order]);
    const job = await upgrade.work(order, 'request-payment', Object.keys(nextInput.shape));
    expect(job.elementId).toBe('AskForPayment');
    expect(nextInput.parse(job.variables)).toMatchObject({ orderId: order.orderId, total: 19_900 });
    await order.standsAt('WaitForPayment');
  });

  test('one that is stuck moves too, and an abort still ends it', async () => {
    const order = await orderAt(saga, 'RequestPayment');
    await order.fail('RequestPayment');
    await upgrade.deployNext();
    expect(await upgrade.migrate([order])).toMatchObject({ ok: true });
    await order.abort();
    for (const step of ['StopOrder', 'AbortCancelPayment', 'AbortReleaseTickets', 'AbortCloseOrder'])
      await order.complete(step);
    expect(await order.end()).toContain('OrderAborted');
  });

  test.each(['ConfirmTickets', 'CompleteOrder', 'CancelPayment', 'CloseOrder', 'ClosePayment', 'RejectOrder'] as const)(
    'it can stand at %s',
    async (place) => {
      const order = await orderAt(saga, place);
      await upgrade.deployNext();
      expect(await upgrade.migrate([order])).toMatchObject({ ok: true });
      await upgrade.moved(order);
    },
  );
});

describe('When old and new workers share a process', () => {
  test('each does the step of a new order: the old one reads what it knows, the new one also the new variable', async () => {
    await upgrade.deployNext();
    const old = jobs.requestPayment.input;
    for (const input of [old, nextInput]) {
      const newer = { paymentToken: null, channel: 'sms' };
      const order = await saga.placeOrder(newer);
      await order.complete('ReserveTickets');
      const { variables } = await upgrade.work(order, 'request-payment', Object.keys(input.shape));
      const read = input.parse(variables);
      expect(read).toMatchObject({ orderId: order.orderId, total: 19_900 });
      expect('channel' in read).toBe(input === nextInput);
      await order.standsAt('WaitForPayment');
    }
  });
});

describe('What cannot be migrated is listed before anything is touched:', () => {
  test('an order in a step with an undo, and one whose undo runs; the others wait or go alone', async () => {
    const waiting = await orderAt(saga, 'WaitForPayment');
    const reserving = await orderAt(saga, 'ReserveTickets');
    const releasing = await orderAt(saga, 'ReleaseTickets');
    const orders = [waiting, reserving, releasing];
    await upgrade.deployNext();

    const refused = await upgrade.migrate(orders);
    expect(refused.ok).toBe(false);
    for (const [order, place, reason] of [
      [reserving, '“Reserve tickets”', 'a step that has an undo'],
      [releasing, '“Undo reservation”', 'a compensation intermediate throw event'],
    ] as const) {
      const line = refused.said.split('\n').find((it) => it.includes(order.orderId));
      expect(line).toContain(order.instance);
      expect(line).toContain(place);
      expect(line).toContain(reason);
    }
    expect(refused.said).toContain('Nothing was touched');
    expect(await upgrade.hasMoved(waiting)).toEqual({ moved: false });

    const others = await upgrade.migrate(orders, { leave: true });
    expect(others.said).toMatch(/migrated +1\nleft +2\n/);
    expect(others.ok).toBe(true);
    await upgrade.moved(waiting);
    await releasing.complete('ReleaseTickets');
    await releasing.complete('CloseOrder');
    await releasing.end();
    expect(await upgrade.hasMoved(reserving)).toEqual({ moved: false });
  });

  test('the engine refuses just the same, when it is asked without the list', async () => {
    const order = await orderAt(saga, 'ReserveTickets');
    await upgrade.deployNext();
    const target = { processDefinitionKey: upgrade.newest(), elements: { ReserveTickets: 'ReserveTickets' } };
    await expect(saga.engine.migrateProcessInstance(order.instance, target)).rejects.toMatchObject({ code: 9 });
  });

  test('every order, when the list of a dry run is all that was asked for', async () => {
    const order = await orderAt(saga, 'WaitForPayment');
    await upgrade.deployNext();
    const { ok, said } = await upgrade.migrate([order], { dryRun: true });
    expect(ok).toBe(true);
    expect(said).toContain('1  at “Wait for payment”');
    expect(await upgrade.hasMoved(order)).toEqual({ moved: false });
  });

  test('every order, when the new diagram renames a step that has an undo: the engine would lose the undo in silence', async () => {
    const order = await orderAt(saga, 'WaitForPayment');
    const ids = /(id|sourceRef|targetRef|attachedToRef|activityRef)="ReserveTickets"/g;
    await upgrade.deployNext(upgrade.v1.replace(ids, '$1="HoldTickets"'));
    const { ok, said } = await upgrade.migrate([order], {
      mapping: { process: 'ticket-order', elements: { ReserveTickets: 'HoldTickets' } },
    });
    expect(ok).toBe(false);
    expect(said).toContain('would lose its undo');
    expect(await upgrade.hasMoved(order)).toEqual({ moved: false });

    const stays = ['WaitForPayment', 'PaymentAnswered', 'PaymentDeadline', 'CustomerCancelled', 'AbortRequested'];
    const elements = Object.fromEntries([...stays.map((id) => [id, id]), ['ReserveTickets', 'HoldTickets']]);
    await saga.engine.migrateProcessInstance(order.instance, { processDefinitionKey: upgrade.newest(), elements });
    await order.cancel();
    await order.complete('CancelPayment');
    await order.complete('CloseOrder');
    expect(await order.end()).not.toContain('ReleaseTickets');
  });
});
