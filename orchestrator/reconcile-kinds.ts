/** Every kind of mismatch that the reconciliation names, how bad it is, and what repairs it. One cause, one kind. */

/**
 * The repairs, each by an ordinary step:
 * - `publish-order`: the order's first event goes out again
 * - `abort`: `ticket-order` is started at the abort's first task: stop, cancel payment, release tickets, close
 * - `undo-again`: `ticket-order` is started at the abort's second task; for an order that has ended, so it stays as it ended
 * - `publish-result`: payment-service tells the payment's result again, which goes on in the process, or starts the one for
 *   late money
 * - `ask-provider`: payment-service asks the provider and books the answer, as it does by itself for a lost webhook
 * - `end-process`: the process is aborted; it finds that its order has ended, and ends without undoing anything
 * - `person`: nothing is done by itself; `look` says where to begin
 */
export type RepairName =
  'publish-order' | 'abort' | 'undo-again' | 'publish-result' | 'ask-provider' | 'end-process' | 'person';

/** `critical`: a customer's money or tickets are wrong now. `serious`: they will be, or are for us. */
export type Severity = 'critical' | 'serious' | 'minor';

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
    repair: 'person',
    look: 'Give the customer tickets by a new order, or refund this one.',
  },
  'quantities-differ': {
    sentence: 'The tickets sold for a confirmed order are not those that it lists.',
    severity: 'critical',
    repair: 'person',
    look: 'Compare the lines in the details; refund the order if it cannot be served.',
  },
  'confirmed-not-paid': {
    sentence: 'The order is confirmed, and its total is not paid.',
    severity: 'critical',
    repair: 'person',
    look: 'Look at the payment and at the provider’s books; refund the order to take the tickets back.',
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
    repair: 'person',
    look: 'Compare the order’s tickets with its items.',
  },
  'tickets-without-order': {
    sentence: 'Tickets are held or sold for an order that does not exist.',
    severity: 'serious',
    repair: 'person',
    look: 'Was the order-service’s database restored to an earlier state? Bring the order back, or free the tickets.',
  },
  'money-without-order': {
    sentence: 'There is a payment for an order that does not exist.',
    severity: 'critical',
    repair: 'person',
    look: 'Was the order-service’s database restored to an earlier state? Bring the order back, or refund at the provider.',
  },
  'provider-not-heard': {
    sentence: 'The provider has decided, and payment-service has not heard of it.',
    severity: 'critical',
    repair: 'ask-provider',
  },
  'books-differ': {
    sentence: 'Our books and the provider’s disagree on the state or the amount of a payment.',
    severity: 'critical',
    repair: 'person',
    look: 'Compare both in the details, and settle it with the provider.',
  },
  'unknown-to-shop': {
    sentence: 'The provider has a payment that we do not know.',
    severity: 'critical',
    repair: 'person',
    look: 'Was payment-service’s database restored to an earlier state? Void or refund it at the provider.',
  },
  'unknown-to-provider': {
    sentence: 'We have a payment that the provider accepted, and it does not know it.',
    severity: 'critical',
    repair: 'person',
    look: 'Ask the provider.',
  },
  'process-without-order': {
    sentence: 'A process runs in the engine for an order that does not exist.',
    severity: 'serious',
    repair: 'person',
    look: 'See to its tickets and its money first, then cancel it in Operate.',
  },
  'process-for-final-order': {
    sentence: 'The order has ended, and its process still runs.',
    severity: 'minor',
    repair: 'end-process',
  },
  'stock-off': {
    sentence: 'What a product counts as held or sold is not the sum of its reservations.',
    severity: 'critical',
    repair: 'person',
    look: 'Find out who changed the table by hand: our statements move stock and reservation together.',
  },
  'outbox-unsent': {
    sentence: 'Events wait in the outbox of a service for long.',
    severity: 'serious',
    repair: 'person',
    look: 'See what `/health/ready` of the service says of its outbox relay, and whether Kafka is there.',
  },
} as const satisfies Record<string, KindOfMismatch>;

export type Kind = keyof typeof kinds;
export const kindNames = Object.keys(kinds) as [Kind, ...Kind[]];

export type Finding = {
  kind: Kind;
  /** Id of what it is about: order, payment, product, process instance, or the name of a service. */
  subject: string;
  orderId: string | null;
  details: Record<string, unknown>;
};
