/** What the steps of the processes do to the model's payment. */
import type { PaymentOutcome, PaymentState } from '@ticket-saga/contract/states';
import { asked, type Command, type Fault } from './payment-commands.ts';
import type { Model } from './payment-model.ts';
import { book, end, move } from './payment-model-moves.ts';

const unseen = { approved: null, refunded: 0, refundCalls: 0, overruled: false };
type Settling = Command & { do: 'close' | 'cancel' | 'refund the order' | 'give back' };

export function request(model: Model, fault: Fault): string {
  model.shop ??= { state: 'REQUESTED', source: 'provider', accepted: false, amount: asked };
  if (model.shop.state !== 'REQUESTED' || model.shop.accepted) return 'ok';
  if (fault === 'before') return 'LOST';
  model.provider ??= { ...unseen, status: 'PENDING', requested: true };
  if (fault === 'after') return 'LOST';
  move(model, 'REQUESTED', []);
  return 'ok';
}

/** Late money is accepted for one process instance. */
export function accept(model: Model, by: string): string {
  const { shop } = model;
  if (shop?.state === 'LATE') {
    model.reinstatedBy = by;
    end(model, 'APPROVED', 'PAYMENT_COMPLETED');
  }
  return shop?.state === 'APPROVED' && model.reinstatedBy === by ? 'ok' : 'PAYMENT_NOT_LATE';
}

const taken: (PaymentState | undefined)[] = ['LATE', 'APPROVED', 'REFUNDING', 'REFUNDED'];

export function settle(model: Model, command: Settling): string {
  const { fault } = command;
  if (command.do === 'give back') {
    if (!taken.includes(model.shop?.state)) return 'PAYMENT_NOT_LATE';
    const inTime = model.shop?.state === 'APPROVED' && model.reinstatedBy === undefined;
    if (inTime || (model.reinstatedBy ?? command.by) !== command.by) return 'DUPLICATE_PROCESS';
  }
  model.shop ??= { state: 'VOIDED', source: 'provider', accepted: false, amount: 0 };
  const { shop } = model;
  if (shop.state === 'REQUESTED') shop.state = 'VOIDING';
  beginRefund(model, command);
  if (shop.state === 'VOIDING') {
    if (fault === 'before') return 'LOST';
    const { status, approved } = voided(model);
    if (fault === 'after') return 'LOST';
    if (status === 'VOIDED') end(model, 'VOIDED', 'PAYMENT_VOIDED');
    else if (status === 'DECLINED') book(model, 'DECLINED', 0, 'provider');
    else if (approved === asked && status === 'APPROVED') book(model, 'APPROVED', approved, 'provider');
    else shop.state = 'REFUNDING';
  }
  beginRefund(model, command);
  if (shop.state === 'REFUNDING' && !refunded(model, fault)) return 'LOST';
  return command.do === 'close' ? outcomeOf(model) : 'ok';
}

/** Accepted late money is left alone by the undo of the order that ended before it. */
function beginRefund({ shop, reinstatedBy }: Model, command: Settling): void {
  const mayTake = {
    close: false,
    cancel: shop?.state === 'APPROVED' && reinstatedBy === undefined,
    'refund the order': shop?.state === 'APPROVED',
    'give back': shop?.state === 'APPROVED' || shop?.state === 'LATE',
  };
  if (shop && mayTake[command.do]) shop.state = 'REFUNDING';
}

/** Gives the money back, or voids what was approved by hand; false where the provider's word got lost. */
function refunded(model: Model, fault: Fault): boolean {
  const { shop, provider } = model;
  if (!shop || fault === 'before') return false;
  const answer = shop.source === 'manual' ? voided(model).status : '';
  if (fault === 'after' && shop.source === 'manual') return false;
  if (answer !== 'VOIDED' && answer !== 'DECLINED') {
    if (provider) provider.refundCalls += 1;
    if (provider?.status === 'APPROVED') {
      provider.status = 'REFUNDED';
      provider.refunded = provider.approved ?? 0;
    }
    if (fault === 'after') return false;
    shop.source = 'provider';
  }
  end(model, 'REFUNDED', 'PAYMENT_REFUNDED');
  return true;
}

/** A late approval changes nothing about how the payment ended before it. */
function outcomeOf({ shop, lateAfter }: Model): PaymentOutcome {
  if (lateAfter) return lateAfter;
  return shop?.state === 'APPROVED' || shop?.state === 'DECLINED' ? shop.state : 'VOIDED';
}

/** What the provider says to a void: it voids what waits, also in advance. */
function voided(model: Model) {
  model.provider ??= { ...unseen, status: 'VOIDED', requested: false };
  if (model.provider.status === 'PENDING') model.provider.status = 'VOIDED';
  return model.provider;
}
