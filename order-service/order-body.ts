/** The bodies of `POST /orders`: what they may hold, and the one request that both come to. */
import { createHash } from 'node:crypto';
import { productId as productWord } from '@ticket-saga/contract/topics';
import { durationMs } from '@ticket-saga/runtime/config';
import { customerName } from '@ticket-saga/runtime/identity';
import { z } from 'zod';

export type OrderLine = {
  productId: string;
  quantity: number;
  /** Minor units: what the customer says to have seen for one. */
  seenPrice?: number;
  /** Where the body names the product, for error messages. */
  path: string;
};

export type OrderRequest = {
  customerId: string | undefined;
  /** Each product once. */
  lines: OrderLine[];
  paymentToken: string | undefined;
  /** ISO 8601, whole milliseconds in seconds: `PT900S`. */
  paymentDeadline: string | undefined;
  /** Of the body without its customer: two bodies that say the same have the same. */
  hash: string;
};

const mostLines = 20;
const mostOfOne = 100;

/** Older systems write ids as numbers. */
const numberAsText = (value: unknown) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? String(value) : value;

const productId = z.preprocess(numberAsText, productWord);
const quantity = z.int().min(1).max(mostOfOne);
const money = z
  .number()
  .min(0)
  .max(20_000_000)
  .refine((amount) => Math.round(amount * 100) / 100 === amount, 'must not have more than two decimals');

/** Older systems' clients write null for what they leave out. */
const optional = <S extends z.ZodType>(schema: S) => schema.nullish().transform((value) => value ?? undefined);

export const orderBodyExamples = {
  'one item': { productId: '1', quantity: 1 },
  items: { customerId: '1', items: [{ id: '1', quantity: 2, amount: 199 }], payment: { token: 'tok_approve' } },
};

/**
 * Both bodies as one schema, so that every complaint names its field.
 * @param longestDeadline ISO 8601: an order may shorten the time to pay, not lengthen it
 */
export function orderBody(longestDeadline: string) {
  const deadline = z.iso
    .duration({ error: 'must be an ISO 8601 duration such as PT10M', abort: true })
    .refine((text) => !(durationMs(text) < 1), 'must be longer than nothing')
    .refine(
      // What is too long to count in milliseconds is not a number.
      (text) => durationMs(text) <= durationMs(longestDeadline),
      `must not be longer than ${longestDeadline}, the shop's own`,
    );
  const payment = z.object({
    token: optional(
      z.string().regex(/^[A-Za-z0-9_:.-]{1,100}$/, 'may hold up to 100 letters, digits and _ : . -'),
    ).meta({ description: 'Single-use token of the payment provider' }),
    deadline: optional(deadline).meta({ description: 'ISO 8601 duration; may only shorten the time to pay' }),
  });
  const item = z.object({
    id: productId.meta({ description: 'The product' }),
    quantity,
    name: optional(z.string().max(200)),
    amount: optional(money).meta({ description: 'The price for one that the customer saw' }),
  });
  return z
    .object({
      customerId: optional(z.preprocess(numberAsText, customerName)),
      items: optional(z.array(item).min(1).max(mostLines)),
      productId: optional(productId).meta({ description: 'Short for one item, together with `quantity`' }),
      quantity: optional(quantity),
      amount: optional(money).meta({ description: 'Accepted and not trusted: the server computes the total' }),
      payment: optional(payment),
    })
    .meta({ description: 'Either `items`, or `productId` and `quantity` as a short form for one item.' })
    .transform((body, context): OrderRequest => {
      const complain = (path: (string | number)[], message: string) =>
        context.issues.push({ code: 'custom', path, message, input: body });
      const lines = linesOf(body, complain);
      const { customerId, ...rest } = body;
      const deadlineMs = body.payment?.deadline ? Math.round(durationMs(body.payment.deadline)) : undefined;
      return {
        customerId,
        lines,
        paymentToken: body.payment?.token,
        paymentDeadline: deadlineMs === undefined ? undefined : `PT${deadlineMs / 1000}S`,
        hash: hashOf(rest),
      };
    });
}

type Item = { id: string; quantity: number; amount?: number | undefined };
type Complain = (path: (string | number)[], message: string) => void;

function linesOf(
  body: { items?: Item[] | undefined; productId?: string | undefined; quantity?: number | undefined },
  complain: Complain,
): OrderLine[] {
  const { items, productId: short, quantity: shortQuantity } = body;
  if (items) {
    if (short !== undefined) complain(['productId'], 'name products either here or in items');
    if (shortQuantity !== undefined) complain(['quantity'], 'belongs into each item');
    return merged(items, complain);
  }
  if (short === undefined) {
    complain(['items'], 'name at least one item, or productId and quantity');
    return [];
  }
  if (shortQuantity === undefined) complain(['quantity'], 'say how many');
  return [{ productId: short, quantity: shortQuantity ?? 1, path: 'productId' }];
}

/** The same product twice is one line. */
function merged(items: Item[], complain: Complain): OrderLine[] {
  const lines = new Map<string, OrderLine>();
  for (const [index, { id, quantity: more, amount }] of items.entries()) {
    const seenPrice = amount === undefined ? undefined : Math.round(amount * 100);
    const line = lines.get(id);
    if (!line) {
      const path = `items[${index}].id`;
      lines.set(id, { productId: id, quantity: more, path, ...(seenPrice === undefined ? {} : { seenPrice }) });
      continue;
    }
    line.quantity += more;
    if (line.quantity > mostOfOne)
      complain(['items', index, 'quantity'], `is more than ${mostOfOne} of one product in all`);
    if (seenPrice === undefined) continue;
    line.seenPrice ??= seenPrice;
    if (line.seenPrice !== seenPrice) complain(['items', index, 'amount'], 'differs from what another line says');
  }
  return [...lines.values()];
}

/** Parsed keys stand in the order of the schema, whatever the order in the body. */
function hashOf(parsed: unknown): string {
  return createHash('sha256').update(JSON.stringify(parsed)).digest('hex');
}
