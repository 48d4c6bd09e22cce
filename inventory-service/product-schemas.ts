/** What products look like over HTTP: prices have two decimals there, minor units inside. */
import { z } from 'zod';
import { type Product, productIdPattern } from './products.ts';

const twoDecimals = (amount: number) => Number(amount.toFixed(2)) === amount;

/** 0.01 to 10,000.00, parsed to minor units. Not free: the process asks for a payment in any case. */
const price = z
  .number()
  .min(0.01)
  .max(10_000)
  .refine(twoDecimals, 'must have at most two decimals')
  .transform((amount) => Math.round(amount * 100))
  .meta({ description: 'Price of one ticket', examples: [200] });

const stock = z.int().min(0).max(1_000_000).meta({ description: 'Tickets there are in all, sold ones included' });

const name = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not hold control characters');

/** Dots alone would mean another place in a URL; order-service takes no orders for them. */
const isDots = (id: string) => /^\.+$/.test(id);

const productId = z
  .string()
  .regex(productIdPattern, 'must be 1 to 64 of the letters A-Z a-z, digits and . _ -')
  .refine((id) => !isDots(id), 'must not be dots alone');

export const newProduct = z.object({ id: productId.optional(), name, price, stock });

/** Strict: a misspelt field would silently change nothing. */
export const productChange = z
  .strictObject({ name: name.optional(), price: price.optional(), stock: stock.optional() })
  .refine((change) => Object.values(change).some((value) => value !== undefined), 'name, price or stock is wanted');

export const product = z
  .object({
    id: z.string(),
    name: z.string(),
    price: z.number(),
    currency: z.string(),
    capacity: z.int(),
    available: z.int(),
    held: z.int(),
    sold: z.int(),
  })
  .meta({ id: 'Product' });

export const productPage = z.object({ items: z.array(product), nextCursor: z.string().nullable() });

export function productBody(stored: Product): z.input<typeof product> {
  return { ...stored, price: stored.price / 100 };
}

export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  /** Opaque outside; the id of the last product of the page before. */
  cursor: z
    .string()
    .transform((text) => Buffer.from(text, 'base64url').toString('utf8'))
    .pipe(productId)
    .optional(),
});

export const cursorAfter = (id: string | undefined): string | null =>
  id === undefined ? null : Buffer.from(id, 'utf8').toString('base64url');
