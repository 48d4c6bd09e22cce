/** A fresh inventory for each run, and what the real service answers and stores, in the words of the model. */
import { randomUUID } from 'node:crypto';
import { jobs } from '@ticket-saga/contract/jobs';
import { orderStepsEvent } from '@ticket-saga/contract/topics';
import type { Db } from '@ticket-saga/runtime/database';
import { BusinessError } from '@ticket-saga/runtime/errors';
import { Problem } from '@ticket-saga/runtime/problem';
import { testContext } from '../../test/support/context.ts';
import { confirmTickets } from '../confirmation.ts';
import { changeProduct, createProduct } from '../products.ts';
import { releaseTickets, reserveTickets } from '../reservations.ts';
import { expireHolds } from '../sweeper.ts';
import type { Command, Model } from './model.ts';
import type { Shop } from './shop.ts';

/** What the tables hold, by real ids. */
type Stored = Pick<Model, 'products' | 'reservations'> & { told: { key: string; value: string }[] };

/** A process instance serves one order: the scenario's `process-0` is another one for each. */
const ownerOf = (processInstanceKey: string | undefined | null) => processInstanceKey?.split(' ')[0];
const kinds: Record<string, string> = {
  ReserveTickets: 'reserve',
  ConfirmTickets: 'confirm',
  ReleaseTickets: 'release',
};

/** An empty inventory with two shows, and the service's own functions on it; names of a scenario stand for real ids. */
export async function openScenario(shop: Shop) {
  await shop.database.admin.query(
    'truncate inventory.reservation, inventory.reservation_line, inventory.product, inventory.outbox',
  );
  const ids = new Map<string, string>();
  const names = new Map<string, string>();
  const id = (name: string) => {
    const there = ids.get(name) ?? randomUUID();
    ids.set(name, there);
    names.set(there, name);
    return there;
  };
  const name = (real: string) => names.get(real) ?? real;
  const named = (text: string) => text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, name);
  const stocks = { 'show-0': 5, 'show-1': 3 };
  for (const [show, stock] of Object.entries(stocks)) {
    // The sentences name products by id order: the first show must have the smaller id.
    ids.set(show, `${show === 'show-0' ? '0' : 'f'}${randomUUID().slice(1)}`);
    await createProduct(shop.db, { id: id(show), name: `show ${show}`, price: 10_00, stock });
    names.set(id(show), show);
  }

  const work = async (db: Db, given: Command): Promise<string> => {
    switch (given.do) {
      case 'reserve': {
        const startBy = new Date(Date.now() + (given.late ? -86_400_000 : 86_400_000)).toISOString();
        const items = given.items.map((each) => ({ ...each, productId: ids.get(each.productId) ?? each.productId }));
        const input = { orderId: id(given.order), items, paymentDeadline: 'PT15M', startBy };
        const { total } = await reserveTickets(db, input, context('reserveTickets', given), 'PT5M');
        return `ok ${total}`;
      }
      case 'confirm':
        await confirmTickets(db, { orderId: id(given.order) }, context('confirmTickets', given));
        return 'ok';
      case 'release':
        await releaseTickets(db, { orderId: id(given.order) }, context('releaseTickets', given));
        return 'ok';
      case 'hold ends':
        await db.$executeRaw`update reservation set pay_by = now() - interval '10 min', hold_until = now() - interval '5 min'
          where id = ${id(given.order)} and state = 'HELD'`;
        return 'ok';
      case 'sweep':
        return `ok ${(await expireHolds(db)).map(name).toSorted().join()}`;
      case 'change':
        await changeProduct(db, id(given.product), given);
        return 'ok';
    }
  };
  const context = (job: keyof typeof jobs, by: { order: string; owner: string; jobKey: string }) =>
    testContext({
      job: jobs[job],
      orderId: id(by.order),
      processInstanceKey: `${by.owner} of ${by.order}`,
      jobKey: by.jobKey,
    });

  return {
    model: {
      products: Object.fromEntries(
        Object.entries(stocks).map(([show, stock]) => [
          show,
          { price: 10_00, capacity: stock, available: stock, held: 0, sold: 0 },
        ]),
      ),
      reservations: {},
      told: {},
    } satisfies Model as Model,
    /** What the service answers, in the model's words; what it does not answer on purpose is thrown. */
    async perform(given: Command, db: Db = shop.db): Promise<string> {
      try {
        return await work(db, given);
      } catch (error) {
        if (error instanceof Problem) return error.code;
        if (!(error instanceof BusinessError)) throw error;
        const sentence = ['DUPLICATE_PROCESS', 'RESERVATION_EXPIRED'].includes(error.code) ? '' : `: ${error.message}`;
        return named(`${error.code}${sentence}`);
      }
    },
    /** What the database holds, as the model would say it. */
    async state(): Promise<Model> {
      const [stored] = await shop.db.$queryRaw<[Stored]>`
        select
          (select jsonb_object_agg(id, jsonb_build_object('price', price, 'capacity', capacity, 'available', available,
            'held', held, 'sold', sold)) from product) as products,
          (select coalesce(jsonb_object_agg(r.id, jsonb_build_object('state', state, 'owner', owner,
            'released', released_at is not null, 'holdEnded', coalesce(hold_until < now(), false),
            'refusal', reject_code || ': ' || reject_message, 'total', total, 'lines',
            (select coalesce(jsonb_agg(jsonb_build_object('product', product_id, 'quantity', quantity) order by product_id), '[]')
              from reservation_line l where l.reservation_id = r.id))), '{}') from reservation r) as reservations,
          (select coalesce(jsonb_agg(jsonb_build_object('key', key, 'value', value)), '[]')
            from outbox where topic = 'order-steps') as told`;
      const { products, reservations, told } = stored;
      const events = told.map(({ key, value }) => {
        const event = orderStepsEvent.parse(JSON.parse(value));
        if (event.type !== 'STEP') throw new Error(`no step: ${value}`);
        const { processInstanceKey, elementId, elementInstanceKey, state, history } = event;
        const unique = [name(key), kinds[elementId], ownerOf(processInstanceKey), elementInstanceKey, state];
        return [unique.join(' '), history ?? []] as const;
      });
      const byName = <T, U>(entries: Record<string, T>, shown: (entry: T) => U) =>
        Object.fromEntries(Object.entries(entries).map(([real, entry]) => [name(real), shown(entry)]));
      return {
        products: byName(products, (stock) => stock),
        reservations: byName(reservations, ({ owner: by, refusal, lines, ...rest }) => ({
          ...rest,
          owner: ownerOf(by),
          refusal: refusal ? named(refusal) : undefined,
          lines: lines.map((line) => ({ ...line, product: name(line.product) })),
        })),
        told: Object.fromEntries(events),
      };
    },
  };
}

export type Scenario = Awaited<ReturnType<typeof openScenario>>;
