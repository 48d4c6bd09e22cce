/** Error codes: BPMN errors and end reasons of the saga, and the codes of HTTP problem documents. */
import { z } from 'zod';

/** Business outcomes that a worker throws as BPMN errors; the diagram decides what follows. */
export const bpmnErrors = {
  SOLD_OUT: 'There are not enough tickets left.',
  PRICE_CHANGED: 'The price has changed since the order was placed.',
  UNKNOWN_PRODUCT: 'A product of the order is not sold here.',
  ORDER_EXPIRED: 'The order was too old when it could be handled.',
  DUPLICATE_PROCESS: 'Another process instance already takes care of this order.',
  RESERVATION_EXPIRED: 'The hold on the tickets ended before they were paid, and they are gone.',
  ORDER_STOPPED: 'The order was stopped before it could be completed.',
  ORDER_ALREADY_FINAL: 'The order has already ended.',
  PAYMENT_NOT_LATE: 'The late payment was given back already, or it is not this process that decides about it.',
  ORDER_NOT_REINSTATABLE: 'Only an order that was not paid in time can be reinstated.',
  ORDER_NOT_REFUNDABLE: 'Only a confirmed order can be refunded.',
} as const;
export type BpmnErrorCode = keyof typeof bpmnErrors;

/** Why an order ended other than CONFIRMED: code and the plain sentence for people. Source: PRODUCT 2. */
export const reasons = {
  SOLD_OUT: bpmnErrors.SOLD_OUT,
  PRICE_CHANGED: bpmnErrors.PRICE_CHANGED,
  UNKNOWN_PRODUCT: bpmnErrors.UNKNOWN_PRODUCT,
  ORDER_EXPIRED: bpmnErrors.ORDER_EXPIRED,
  PAYMENT_DECLINED: 'The payment was declined.',
  PAYMENT_TIMEOUT: 'The payment did not arrive in time.',
  PAYMENT_UNAVAILABLE: 'The payment could not be requested before its deadline.',
  RESERVATION_EXPIRED: bpmnErrors.RESERVATION_EXPIRED,
  CANCELLED_BY_CUSTOMER: 'The customer cancelled the order.',
  ABORTED_BY_OPERATOR: 'An operator stopped the order.',
  REFUNDED_BY_OPERATOR: 'An operator refunded the order.',
} as const;
export const reasonCode = z.enum(Object.keys(reasons) as [ReasonCode, ...ReasonCode[]]);
export type ReasonCode = keyof typeof reasons;

/** Codes of problem documents (RFC 9457, member `code`). The README explains each. */
export const problems = {
  INVALID_INPUT: { status: 422, title: 'The request has invalid fields' },
  MALFORMED_JSON: { status: 400, title: 'The body is not JSON' },
  MALFORMED_REQUEST: { status: 400, title: 'The address or the body is encoded wrongly' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is larger than 100 kB' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The body must be application/json' },
  UNKNOWN_PRODUCT: { status: 422, title: 'A product of the order is not sold here' },
  CUSTOMER_MISMATCH: { status: 422, title: 'Header and body name different customers' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'The idempotency key was used with another body' },
  ORDER_NOT_FOUND: { status: 404, title: 'No such order' },
  PRODUCT_NOT_FOUND: { status: 404, title: 'No such product' },
  CUSTOMER_NOT_FOUND: { status: 404, title: 'No such customer' },
  PAYMENT_NOT_FOUND: { status: 404, title: 'No such payment' },
  DEAD_LETTER_NOT_FOUND: { status: 404, title: 'No such dead letter' },
  NOT_FOUND: { status: 404, title: 'No such resource' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The resource does not know this method' },
  ALREADY_EXISTS: { status: 409, title: 'It exists already' },
  ORDER_NOT_CANCELLABLE: { status: 409, title: 'The order can no longer be cancelled' },
  RECONCILIATION_RUNNING: { status: 409, title: 'A reconciliation is running already' },
  RECONCILIATION_NOT_FOUND: { status: 404, title: 'No such reconciliation' },
  STOCK_BELOW_SOLD: { status: 409, title: 'The stock cannot be less than what is held or sold' },
  ORDER_NOT_REFUNDABLE: { status: 409, title: 'The order is not confirmed, or no longer: there is nothing to refund' },
  REFUND_NOT_FOUND: { status: 404, title: 'No such refund' },
  STALE_ACTION: { status: 409, title: 'It has moved on meanwhile: nothing was done' },
  ACTION_NOT_POSSIBLE: { status: 409, title: 'This cannot be done here; the detail says what can' },
  UNAUTHENTICATED: { status: 401, title: 'Who you are is not known' },
  FORBIDDEN: { status: 403, title: 'This needs the role operator' },
  INVALID_SIGNATURE: { status: 401, title: 'The signature does not fit the body' },
  STALE_SIGNATURE: { status: 401, title: 'The signature is too old' },
  TOO_MANY_REQUESTS: { status: 429, title: 'Too many calls in a short time' },
  NOT_KNOWN_YET: { status: 503, title: 'Not known yet: come again' },
  DEPENDENCY_UNAVAILABLE: { status: 503, title: 'A part this needs is away: try again' },
  INTERNAL: { status: 500, title: 'Something went wrong here' },
} as const;
export type ProblemCode = keyof typeof problems;
