/** One payment of the real service at the real simulator, whose clockwork turns only when a command says so. */
import { randomUUID } from 'node:crypto';
import { jobs } from '@ticket-saga/contract/jobs';
import { topics } from '@ticket-saga/contract/topics';
import { BusinessError, PassingFault, PermanentError } from '@ticket-saga/runtime/errors';
import { v7 as uuidV7 } from 'uuid';
import { z } from 'zod';
import { claimDue, decideDue, deliver } from '../../provider-simulator/webhooks.ts';
import { testContext } from '../../test/support/context.ts';
import { acceptPayment, refundPayment } from '../late-money.ts';
import { bookManual } from '../manual.ts';
import { paymentIdOf } from '../payment-id.ts';
import { type Payment, readByOrder } from '../payment-row.ts';
import { cancelPayment, closePayment, requestPayment } from '../payments.ts';
import { askUnanswered } from '../poller.ts';
import type { Parts } from '../settle.ts';
import { asked, type Command, type Fault } from './payment-commands.ts';
import type { Model } from './payment-model.ts';
import { inMinutes, webhookSecret, type World } from './world.ts';

type ProviderSide = { status: string; approved: number | null; refunded: number; refundCalls: number };
const bodies = z.object({ body: z.string() }).array();

export function openPayment(world: World) {
  const orderId = uuidV7();
  const reference = paymentIdOf(orderId);
  const { admin } = world.database;
  const providerDb = world.providerDb;
  const ended = new Map<string, number>();
  const nameOf = (given: Command) => JSON.stringify([given.do, 'run' in given && given.run, 'by' in given && given.by]);
  /** A run that was lost is repeated as it was; one that has ended is followed by another. */
  const context = (job: keyof typeof jobs, given: Command) => {
    const by = 'by' in given ? given.by : given.do === 'refund the order' ? 'refund' : 'order';
    const jobKey = `${nameOf(given)} ${ended.get(nameOf(given)) ?? 0}`;
    return testContext({ orderId, job: jobs[job], processInstanceKey: `${by} of ${orderId}`, jobKey });
  };

  const work = async (given: Command): Promise<string> => {
    switch (given.do) {
      case 'request': {
        const input = { orderId, total: asked, payBy: inMinutes(15), paymentToken: 'tok_manual' };
        await requestPayment(faulty(world.parts, given.fault), input, context('requestPayment', given));
        return 'ok';
      }
      case 'close': {
        const parts = faulty(world.parts, given.fault);
        return (await closePayment(parts, { orderId }, context('closePayment', given))).paymentOutcome;
      }
      case 'cancel':
      case 'refund the order': {
        const input = { orderId, orderRefund: given.do === 'refund the order' };
        await cancelPayment(faulty(world.parts, given.fault), input, context('cancelPayment', given));
        return 'ok';
      }
      case 'accept':
        await acceptPayment(world.parts, { orderId }, context('acceptPayment', given));
        return 'ok';
      case 'give back':
        await refundPayment(faulty(world.parts, given.fault), { orderId }, context('refundPayment', given));
        return 'ok';
      case 'decide':
        if (given.amount === asked) await world.decide(orderId, given.verdict);
        else await planned(given.verdict, given.amount, false, "status = 'PENDING'");
        return 'ok';
      case 'overrule':
        await planned('APPROVED', asked, true, "status in ('VOIDED', 'DECLINED') and callback_url is not null");
        return 'ok';
      case 'provider acts':
        while ((await decideDue(providerDb)) > 0);
        return 'ok';
      case 'deliver':
        for (;;) {
          const due = await claimDue(providerDb, 10);
          if (due.length === 0) return 'ok';
          await Promise.all(due.map((one) => deliver(providerDb, webhookSecret, one, world.parts.logger)));
        }
      case 'lose':
        await admin.query(
          'update provider.webhook set delivered_at = now() where payment_id in (select id from provider.payment where reference = $1)',
          [reference],
        );
        return 'ok';
      case 'webhook':
        return callAgain(given);
      case 'poll':
        await askUnanswered(world.parts, -1_000);
        return 'ok';
      case 'by hand': {
        const value = JSON.stringify({ orderId, type: `PAYMENT_${given.verdict}` });
        const event = { idempotencyKey: randomUUID(), occurredAt: new Date().toISOString(), orderId };
        const source = { topic: topics.paymentEvent, key: orderId, value: Buffer.from(value) };
        const meta = { headers: {}, rawValue: source.value, source };
        await bookManual(world.parts, 'local', { ...event, type: `PAYMENT_${given.verdict}` }, meta);
        return 'ok';
      }
    }
  };

  /** A decision that no token of the simulator makes; an overruling one at the most once, as with its tokens. */
  const planned = (said: string, approved: number, overrule: boolean, when: string) =>
    admin.query(
      `insert into provider.decision (payment_id, verdict, amount, overrule, due_at)
       select id, $2, $3, $4, now() from provider.payment p where reference = $1 and ${when}
         and not ($4 and exists (select from provider.decision d where d.payment_id = p.id and d.overrule))`,
      [reference, said, approved, overrule],
    );

  const callAgain = async ({ which, how }: Command & { do: 'webhook' }): Promise<string> => {
    const { rows } = await admin.query(
      'select body from provider.webhook w join provider.payment p on p.id = w.payment_id where reference = $1 order by w.id',
      [reference],
    );
    const all = bodies.parse(rows);
    const body = all[which % (all.length || 1)]?.body;
    if (body === undefined) return 'none';
    const afresh = body.replace(/"id"\s*:\s*"[^"]+"/, `"id":"${randomUUID()}"`);
    const secret = how === 'forged' ? 'not the secret' : webhookSecret;
    const at = new Date(Date.now() - (how === 'old' ? 3_600_000 : 0));
    const answer = await world.webhook(how === 'afresh' ? afresh : body, { secret, at });
    return answer.status === 200 ? 'ok' : (answer.code ?? String(answer.status));
  };

  return {
    orderId,
    async perform(given: Command): Promise<string> {
      try {
        const answer = await work(given);
        ended.set(nameOf(given), (ended.get(nameOf(given)) ?? 0) + 1);
        return answer;
      } catch (error) {
        if (error instanceof PassingFault || error instanceof PermanentError || error instanceof BusinessError)
          return error.code;
        throw error;
      }
    },
    /** What is stored on both sides, and what was told, as the model says it. */
    async state(): Promise<
      Pick<Model, 'shop' | 'reinstatedBy' | 'history' | 'told'> & { provider: ProviderSide | undefined }
    > {
      const payment = await readByOrder(world.db, orderId);
      const there = await world.atProvider(orderId);
      const { rows } = await admin.query<{ calls: number }>(
        "select coalesce(sum(calls), 0)::int as calls from provider.api_call where key = 'refund:' || $1",
        [reference],
      );
      const refundCalls = rows[0]?.calls ?? 0;
      return {
        shop: payment && {
          state: payment.state,
          source: payment.source,
          accepted: payment.accepted,
          amount: payment.amount,
        },
        provider: there && {
          status: there.status,
          approved: there.approvedAmount,
          refunded: there.refundedAmount,
          refundCalls,
        },
        reinstatedBy: payment?.reinstatedBy?.split(' of ')[0],
        history: (await world.history(orderId)) as Model['history'],
        told: (await world.paymentEvents(orderId)).map(({ type }) => type),
      };
    },
  };
}

/** Calls to the provider that get lost: before it hears them, or only their answers. */
function faulty(parts: Parts, how: Fault): Parts {
  if (how === 'none') return parts;
  const lossy =
    <T>(call: (payment: Payment) => Promise<T>) =>
    async (payment: Payment): Promise<T> => {
      if (how === 'after') await call(payment);
      throw new PassingFault('LOST', 'The line is dead.');
    };
  const { request, void: voidIt, refund, query } = parts.provider;
  const provider = { request: lossy(request), void: lossy(voidIt), refund: lossy(refund), query: lossy(query) };
  return { ...parts, provider };
}
