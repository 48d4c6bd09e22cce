/** Random interleavings of all that ends an order and of what can still happen after it, held against the model. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isFinal } from '@ticket-saga/contract/states';
import type { Db } from '@ticket-saga/runtime/database';
import fc from 'fast-check';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { propertySettings, propertyTimeoutMs } from '../../test/support/property.ts';
import { explain, sideBySide } from '../../test/support/side-by-side.ts';
import { type Diagram, readDiagrams } from '../diagram.ts';
import { beginning, type Command, command } from './end-commands.ts';
import { apply, type Model, placed, units, ways } from './end-model.ts';
import { openOrder } from './end-scenario.ts';

let database: TestDatabase;
let diagram: Diagram;
/** As many processes of the service, each with connections of its own. */
let clients: Db[];
beforeAll(async () => {
  database = await testDatabase();
  clients = Array.from({ length: 4 }, () => database.db('orders'));
  diagram = await readDiagrams();
  await database.admin.query("insert into orders.customer (id, name) values ('1', '1')");
});
afterAll(() => database.drop());

type Order = Awaited<ReturnType<typeof openOrder>>;
async function open(): Promise<Order> {
  const [db] = clients;
  if (!db) throw new Error('no client');
  return openOrder(database, db, diagram);
}

test(
  'one after the other, every act answers and leaves what the model says, and a final status goes the known ways only',
  async () => {
    const acts = fc.noBias(fc.array(command, { maxLength: 12, size: 'max' }));
    const property = fc.asyncProperty(beginning, acts, async (first, all) => {
      const order = await open();
      const model = placed();
      let { status } = model;
      for (const [at, one] of [...first, ...all].entries()) {
        expect([at, one, await order.perform(one)]).toEqual([at, one, applied(model, one)]);
        expect([at, one, await expectShown(order)]).toEqual([at, one, model]);
        if (model.status !== status)
          expect([status, ways[status]]).toEqual([status, expect.arrayContaining([model.status])]);
        ({ status } = model);
      }
    });
    await fc.assert(property, propertySettings(40));
  },
  propertyTimeoutMs,
);

test(
  'side by side, what acts answer and leave is what some order of them would',
  async () => {
    const together = fc.array(command, { minLength: 2, maxLength: 4, size: 'max' });
    const rounds = fc.noBias(fc.array(together, { minLength: 1, maxLength: 4, size: 'max' }));
    const property = fc.asyncProperty(beginning, rounds, async (first, all) => {
      const order = await open();
      let model = placed();
      for (const one of first) expect(await order.perform(one)).toBe(applied(model, one));
      for (const round of all) {
        const work = round.map((one, i) => () => order.perform(one, clients[i]));
        const answers = await sideBySide(database, ['orders.purchase'], work);
        model = explain(model, { round, answers, state: await expectShown(order) }, applied);
      }
    });
    await fc.assert(property, propertySettings(40));
  },
  propertyTimeoutMs,
);

/** Facts and steps are a set: the times in them are those of several services. */
function applied(model: Model, one: Command): string {
  const answer = apply(model, one);
  model.history.sort();
  model.steps.sort();
  return answer;
}

/** What its customer sees and what others were told agrees with what is stored. Returns that. */
async function expectShown(order: Order): Promise<Model> {
  const { state, cancels } = await order.state();
  const { status, finished, completedAt, tickets, history } = await order.view();
  const isEnded = isFinal(status);
  expect({ status, finished, isCompleted: completedAt !== null }).toEqual({
    status,
    finished: isEnded,
    isCompleted: isEnded,
  });
  expect([status, tickets.length]).toEqual([status, status === 'CONFIRMED' ? units : 0]);
  expect(history.map((one) => one.state).toSorted()).toEqual(
    state.history.map((fact) => fact.split(' ')[0]).toSorted(),
  );
  expect(cancels).toBe(state.cancelRequested ? 1 : 0);
  return state;
}
