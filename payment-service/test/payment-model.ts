/**
 * One payment as ARCHITECTURE 5 tells it, with the provider's side of it, as plain objects: the yardstick of the property
 * tests. What the provider decides reaches the shop by webhook, by asking, or as the answer to a void.
 */
import type { HistoryState, PaymentState } from '@ticket-saga/contract/states';
import type { PaymentEvent } from '@ticket-saga/contract/topics';
import { asked, type Command, type Verdict } from './payment-commands.ts';
import { book, hear } from './payment-model-moves.ts';
import { accept, request, settle } from './payment-model-steps.ts';

export type Model = {
  shop: { state: PaymentState; source: 'provider' | 'manual'; accepted: boolean; amount: number } | undefined;
  lateAfter: 'DECLINED' | 'VOIDED' | undefined;
  reinstatedBy: string | undefined;
  provider:
    | {
        status: string;
        approved: number | null;
        refunded: number;
        refundCalls: number;
        requested: boolean;
        overruled: boolean;
      }
    | undefined;
  due: { verdict: Verdict; amount: number; overrule: boolean }[];
  webhooks: { verdict: Verdict; amount: number; heard: boolean; waits: boolean }[];
  history: HistoryState[];
  told: PaymentEvent['type'][];
};

export const nothing = (): Model => ({
  shop: undefined,
  lateAfter: undefined,
  reinstatedBy: undefined,
  provider: undefined,
  due: [],
  webhooks: [],
  history: [],
  told: [],
});

/** Changes `model` as the command does, and returns what it answers: an outcome, `ok`, or the code of its failure. */
export function apply(model: Model, command: Command): string {
  switch (command.do) {
    case 'request':
      return request(model, command.fault);
    case 'close':
    case 'cancel':
    case 'refund the order':
    case 'give back':
      return settle(model, command);
    case 'accept':
      return accept(model, command.by);
    case 'decide':
      if (model.provider?.status === 'PENDING') model.due.push({ ...command, overrule: false });
      return 'ok';
    case 'overrule': {
      const { provider } = model;
      if (!provider?.requested || provider.overruled) return 'ok';
      if (provider.status !== 'VOIDED' && provider.status !== 'DECLINED') return 'ok';
      provider.overruled = true;
      model.due.push({ verdict: 'APPROVED', amount: asked, overrule: true });
      return 'ok';
    }
    case 'provider acts':
      for (const { verdict, amount, overrule } of model.due.splice(0)) {
        if (!model.provider || (model.provider.status !== 'PENDING' && !overrule)) continue;
        model.provider.status = verdict;
        model.provider.approved = verdict === 'APPROVED' ? amount : null;
        model.webhooks.push({ verdict, amount, heard: false, waits: true });
      }
      return 'ok';
    case 'deliver':
    case 'lose':
      for (const webhook of model.webhooks.filter(({ waits }) => waits)) {
        webhook.waits = false;
        if (command.do === 'deliver') hear(model, webhook);
      }
      return 'ok';
    case 'webhook': {
      const webhook = model.webhooks[command.which % (model.webhooks.length || 1)];
      if (!webhook) return 'none';
      if (command.how === 'forged') return 'INVALID_SIGNATURE';
      if (command.how === 'old') return 'STALE_SIGNATURE';
      if (command.how === 'afresh') book(model, webhook.verdict, webhook.amount, 'provider');
      else hear(model, webhook);
      return 'ok';
    }
    case 'poll': {
      const { status, approved } = model.provider ?? { status: '', approved: null };
      if (model.shop?.state !== 'REQUESTED') return 'ok';
      if (status === 'APPROVED' || status === 'DECLINED') book(model, status, approved ?? 0, 'provider');
      return 'ok';
    }
    case 'by hand':
      if (!model.shop) return 'UNKNOWN_PAYMENT';
      book(model, command.verdict, model.shop.amount, 'manual');
      return 'ok';
  }
}
