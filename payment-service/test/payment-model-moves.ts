/** How the model's payment moves: by what is decided outside, and the facts that are told with it. */
import type { HistoryState, PaymentState } from '@ticket-saga/contract/states';
import type { PaymentEvent } from '@ticket-saga/contract/topics';
import type { Verdict } from './payment-commands.ts';
import type { Model } from './payment-model.ts';

export function hear(model: Model, webhook: Model['webhooks'][number]): void {
  if (!webhook.heard) book(model, webhook.verdict, webhook.amount, 'provider');
  webhook.heard = true;
}

export function book(model: Model, verdict: Verdict, amount: number, source: 'provider' | 'manual'): void {
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
  const isLate = shop.state === 'DECLINED' || shop.state === 'VOIDED' || (isRealNow && shop.state === 'REFUNDED');
  if (verdict === 'APPROVED' && isLate) {
    shop.source = source;
    model.lateAfter = shop.state === 'DECLINED' ? 'DECLINED' : 'VOIDED';
    model.reinstatedBy = undefined;
    end(model, 'LATE', 'PAYMENT_LATE');
    model.told.push('PAYMENT_LATE');
  }
}

/** The provider is known to have the request: this is told once, with what shows it. */
export function move(model: Model, state: PaymentState, history: HistoryState[], tell?: PaymentEvent['type']): void {
  const { shop } = model;
  if (!shop) return;
  model.history.push(...(shop.accepted ? [] : (['PAYMENT_CREATED'] as const)), ...history);
  shop.accepted = true;
  shop.state = state;
  if (tell) model.told.push(tell);
}

export function end({ shop, history }: Model, state: PaymentState, fact: HistoryState): void {
  if (shop) shop.state = state;
  history.push(fact);
}
