/**
 * One payment as ARCHITECTURE 5 tells it, with the provider's side of it, as plain objects: the yardstick of the property
 * tests. What the provider decides reaches the shop by webhook, by asking, or as the answer to a void.
 */
import type { HistoryState, PaymentOutcome, PaymentState } from '@ticket-saga/contract/states';
import type { PaymentEvent } from '@ticket-saga/contract/topics';

export const asked = 200_00;
type Verdict = 'APPROVED' | 'DECLINED';
/** A call to the provider gets lost on its way, or its answer on the way back. */
export type Fault = 'none' | 'before' | 'after';
export type Step = { run: string; fault: Fault };

export type Command =
  | ({ do: 'request' | 'close' | 'cancel' } & Step)
  | { do: 'decide'; verdict: Verdict; amount: number }
  /** The provider approves what it declined or voided before. */
  | { do: 'overrule' }
  | { do: 'provider acts' | 'deliver' | 'lose' | 'poll' }
  /** An earlier webhook once more, or the same under a new id, or not from the provider, or an hour old. */
  | { do: 'webhook'; which: number; how: 'again' | 'afresh' | 'forged' | 'old' }
  | { do: 'by hand'; verdict: Verdict };

export type Model = {
  shop: { state: PaymentState; source: 'provider' | 'manual'; accepted: boolean; amount: number } | undefined;
  lateAfter: PaymentState | undefined;
  provider:
    { status: string; approved: number | null; refunded: number; requested: boolean; overruled: boolean } | undefined;
  due: { verdict: Verdict; amount: number; overrule: boolean }[];
  webhooks: { verdict: Verdict; amount: number; heard: boolean; waits: boolean }[];
  history: HistoryState[];
  told: PaymentEvent['type'][];
};

export const nothing = (): Model => ({
  shop: undefined,
  lateAfter: undefined,
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
      return settle(model, command.do, command.fault);
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

function request(model: Model, fault: Fault): string {
  model.shop ??= { state: 'REQUESTED', source: 'provider', accepted: false, amount: asked };
  if (model.shop.state !== 'REQUESTED' || model.shop.accepted) return 'ok';
  if (fault === 'before') return 'LOST';
  model.provider ??= { status: 'PENDING', approved: null, refunded: 0, requested: true, overruled: false };
  if (fault === 'after') return 'LOST';
  move(model, 'REQUESTED', []);
  return 'ok';
}

function settle(model: Model, how: 'close' | 'cancel', fault: Fault): string {
  model.shop ??= { state: 'VOIDED', source: 'provider', accepted: false, amount: 0 };
  const { shop } = model;
  if (shop.state === 'REQUESTED') shop.state = 'VOIDING';
  const beginRefund = () => {
    if (shop.state === 'APPROVED' && how === 'cancel') shop.state = 'REFUNDING';
  };
  beginRefund();
  if (shop.state === 'VOIDING') {
    if (fault === 'before') return 'LOST';
    const { status, approved } = voided(model);
    if (fault === 'after') return 'LOST';
    if (status === 'VOIDED') end(model, 'VOIDED', 'PAYMENT_VOIDED');
    else if (status === 'DECLINED') book(model, 'DECLINED', 0, 'provider');
    else if (approved === asked && status === 'APPROVED') book(model, 'APPROVED', approved, 'provider');
    else shop.state = 'REFUNDING';
  }
  beginRefund();
  if (shop.state === 'REFUNDING') {
    if (fault === 'before') return 'LOST';
    const answer = shop.source === 'manual' ? voided(model).status : '';
    if (fault === 'after' && shop.source === 'manual') return 'LOST';
    if (answer !== 'VOIDED' && answer !== 'DECLINED' && model.provider?.status === 'APPROVED') {
      model.provider.status = 'REFUNDED';
      model.provider.refunded = model.provider.approved ?? 0;
    }
    if (fault === 'after') return 'LOST';
    if (answer !== 'VOIDED' && answer !== 'DECLINED') shop.source = 'provider';
    end(model, 'REFUNDED', 'PAYMENT_REFUNDED');
  }
  return how === 'cancel' ? 'ok' : outcomeOf(model);
}

function outcomeOf({ shop, lateAfter }: Model): PaymentOutcome {
  if (shop?.state === 'APPROVED' || shop?.state === 'DECLINED') return shop.state;
  return shop?.state === 'LATE' && lateAfter === 'DECLINED' ? 'DECLINED' : 'VOIDED';
}

/** What the provider says to a void: it voids what waits, also in advance. */
function voided(model: Model) {
  model.provider ??= { status: 'VOIDED', approved: null, refunded: 0, requested: false, overruled: false };
  if (model.provider.status === 'PENDING') model.provider.status = 'VOIDED';
  return model.provider;
}

function hear(model: Model, webhook: Model['webhooks'][number]): void {
  if (!webhook.heard) book(model, webhook.verdict, webhook.amount, 'provider');
  webhook.heard = true;
}

function book(model: Model, verdict: Verdict, amount: number, source: 'provider' | 'manual'): void {
  const { shop } = model;
  if (!shop || (verdict === 'APPROVED' && amount !== shop.amount)) return;
  const open = shop.state === 'REQUESTED' || shop.state === 'VOIDING';
  if (open) {
    shop.source = source;
    if (verdict === 'APPROVED') move(model, 'APPROVED', ['PAYMENT_COMPLETED'], 'PAYMENT_APPROVED');
    else move(model, 'DECLINED', ['PAYMENT_FAILED'], 'PAYMENT_DECLINED');
    return;
  }
  // What was given back by hand moved no money; what the provider takes after that has to go back as late money.
  const isRealNow = shop.source === 'manual' && source === 'provider';
  if (verdict === 'APPROVED' && isRealNow && shop.state === 'REFUNDING') shop.source = source;
  const late = shop.state === 'DECLINED' || shop.state === 'VOIDED' || (isRealNow && shop.state === 'REFUNDED');
  if (verdict === 'APPROVED' && late) {
    shop.source = source;
    model.lateAfter = shop.state === 'REFUNDED' ? 'VOIDED' : shop.state;
    end(model, 'LATE', 'PAYMENT_LATE');
    model.told.push('PAYMENT_LATE');
  }
}

/** The provider is known to have the request: this is told once, with what shows it. */
function move(model: Model, state: PaymentState, history: HistoryState[], tell?: PaymentEvent['type']): void {
  const { shop } = model;
  if (!shop) return;
  model.history.push(...(shop.accepted ? [] : (['PAYMENT_CREATED'] as const)), ...history);
  shop.accepted = true;
  shop.state = state;
  if (tell) model.told.push(tell);
}

function end({ shop, history }: Model, state: PaymentState, fact: HistoryState): void {
  if (shop) shop.state = state;
  history.push(fact);
}
