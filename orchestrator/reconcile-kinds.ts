/** Every kind of mismatch that the reconciliation names, how bad it is, and what repairs it. One cause, one kind. */

/**
 * The repairs, each by ordinary steps. `named`: it gives money back, takes tickets from a confirmed order, or touches what
 * may not be ours, so it is carried out only by a run that names the kind; `always`: by every run that repairs.
 */
export const repairs = {
  'publish-order': { when: 'always', does: 'the order’s first event goes out again' },
  abort: { when: 'always', does: '`ticket-order` starts at Stop order: cancel payment, release tickets, close' },
  'undo-again': {
    when: 'always',
    does: '`ticket-order` starts at the Cancel payment of its abort; the order stays as it ended',
  },
  'publish-result': { when: 'always', does: 'payment-service tells the result again' },
  'ask-provider': { when: 'always', does: 'payment-service asks the provider and books the answer' },
  'end-process': { when: 'always', does: 'the process is aborted; nothing is undone' },
  'cancel-process': { when: 'always', does: 'the process is cancelled in the engine' },
  'refund-again': { when: 'always', does: '`refund-order` starts at Refund payment: the order ends REFUNDED' },
  'ticket-codes': { when: 'always', does: 'order-service gives the codes that are missing, and takes those too many' },
  'release-tickets': { when: 'always', does: 'inventory-service releases the reservations' },
  'recount-stock': { when: 'always', does: 'inventory-service counts the product’s reservations anew' },
  'publish-outbox': { when: 'always', does: 'the service sends its outbox now' },
  refund: { when: 'named', does: 'the order is refunded: what was paid goes back, its tickets are free' },
  'return-payment': { when: 'named', does: 'payment-service voids the payment, or refunds it' },
  'settle-payment': { when: 'named', does: 'payment-service asks the provider and makes both books agree' },
  'return-at-provider': { when: 'named', does: 'payment-service voids or refunds it at the provider' },
} as const satisfies Record<string, { when: 'always' | 'named'; does: string }>;
export type RepairName = keyof typeof repairs;

/** `critical`: a customer's money or tickets are wrong now. `serious`: they will be, or are for us. */
export type Severity = 'critical' | 'serious' | 'minor';

/** `look`: where a person looks first. */
type KindOfMismatch = { sentence: string; severity: Severity; repair: RepairName; look?: string };

export const kinds = {
  'order-never-started': {
    sentence: 'The order waits for its process, which was never started.',
    severity: 'serious',
    repair: 'publish-order',
  },
  'order-without-process': {
    sentence: 'The order has not ended, and its process is gone: cancelled in Operate, or vanished.',
    severity: 'serious',
    repair: 'abort',
  },
  'paid-not-confirmed': {
    sentence: 'The order is paid and was not confirmed, and its process is gone.',
    severity: 'critical',
    repair: 'abort',
  },
  'paid-but-waiting': {
    sentence: 'The order has been paid for long, and its process has not gone on.',
    severity: 'serious',
    repair: 'publish-result',
    look: 'If a step of it is stuck, retry the step.',
  },
  'refund-without-process': {
    sentence: 'The order is being refunded, and the process of its refund is gone.',
    severity: 'critical',
    repair: 'refund-again',
  },
  'held-for-final-order': {
    sentence: 'Tickets are held for an order that has ended.',
    severity: 'serious',
    repair: 'undo-again',
  },
  'sold-for-ended-order': {
    sentence: 'Tickets count as sold for an order that was not confirmed.',
    severity: 'serious',
    repair: 'undo-again',
  },
  'confirmed-without-tickets': {
    sentence: 'The order is confirmed, and no tickets are sold for it.',
    severity: 'critical',
    repair: 'refund',
    look: 'Would the customer rather have other tickets, by a new order?',
  },
  'quantities-differ': {
    sentence: 'The tickets sold for a confirmed order are not those that it lists.',
    severity: 'critical',
    repair: 'refund',
    look: 'Compare the lines in the details: was the order changed by hand, or its reservation?',
  },
  'confirmed-not-paid': {
    sentence: 'The order is confirmed, and its total is not paid.',
    severity: 'critical',
    repair: 'refund',
    look: 'Has the customer paid in another way?',
  },
  'money-kept': {
    sentence: 'The money of an order that was not confirmed is kept.',
    severity: 'critical',
    repair: 'undo-again',
  },
  'payment-open': {
    sentence: 'The order has ended, and its payment is still on the way: asked for, or half voided or refunded.',
    severity: 'critical',
    repair: 'undo-again',
  },
  'late-without-process': {
    sentence: 'A payment came after its order had ended, and no process takes care of it.',
    severity: 'critical',
    repair: 'publish-result',
  },
  'ticket-codes-off': {
    sentence: 'The number of ticket codes is not that of the tickets that the customer has bought.',
    severity: 'critical',
    repair: 'ticket-codes',
  },
  'tickets-without-order': {
    sentence: 'Tickets are held or sold for an order that does not exist.',
    severity: 'serious',
    repair: 'release-tickets',
    look: 'Was the order-service’s database restored to an earlier state? Bring the order back first.',
  },
  'money-without-order': {
    sentence: 'There is a payment for an order that does not exist.',
    severity: 'critical',
    repair: 'return-payment',
    look: 'Was the order-service’s database restored to an earlier state? Bring the order back first.',
  },
  'provider-not-heard': {
    sentence: 'The provider has decided, and payment-service has not heard of it.',
    severity: 'critical',
    repair: 'ask-provider',
  },
  'books-differ': {
    sentence: 'Our books and the provider’s disagree on the state or the amount of a payment.',
    severity: 'critical',
    repair: 'settle-payment',
    look: 'Compare both in the details.',
  },
  'unknown-to-shop': {
    sentence: 'The provider has a payment, open or paid, that we do not know.',
    severity: 'critical',
    repair: 'return-at-provider',
    look: 'Was payment-service’s database restored to an earlier state, or does another shop use this account?',
  },
  'unknown-to-provider': {
    sentence: 'We have a payment that the provider accepted, and it does not know it.',
    severity: 'critical',
    repair: 'settle-payment',
    look: 'Is it the right account at the provider?',
  },
  'process-without-order': {
    sentence: 'A process runs in the engine for an order that does not exist.',
    severity: 'serious',
    repair: 'cancel-process',
  },
  'process-for-final-order': {
    sentence: 'The order has ended, and its process still runs.',
    severity: 'minor',
    repair: 'end-process',
  },
  'stock-off': {
    sentence: 'What a product counts as held or sold is not the sum of its reservations.',
    severity: 'critical',
    repair: 'recount-stock',
    look: 'Find out who changed the table by hand: our statements move stock and reservation together.',
  },
  'outbox-unsent': {
    sentence: 'Events wait in the outbox of a service for long.',
    severity: 'serious',
    repair: 'publish-outbox',
    look: 'See what `/health/ready` of the service says of its outbox relay, and whether Kafka is there.',
  },
} as const satisfies Record<string, KindOfMismatch>;

export type Kind = keyof typeof kinds;
export const kindNames = Object.keys(kinds) as [Kind, ...Kind[]];

/** Whether a run that repairs sees to the kind: those that it names, else all that need not be named. */
export const isRepaired = (kind: Kind, named: readonly Kind[]): boolean =>
  named.length > 0 ? named.includes(kind) : repairs[kinds[kind].repair].when === 'always';

export type Finding = {
  kind: Kind;
  /** Id of what it is about: order, payment, product, process instance, or the name of a service. */
  subject: string;
  orderId: string | null;
  details: Record<string, unknown>;
};
