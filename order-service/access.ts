/** Who may see and do what (PRODUCT 2, "Identity"). */
import type { Identity } from '@ticket-saga/runtime/identity';
import { Problem } from '@ticket-saga/runtime/problem';

export type AuthMode = 'local' | 'jwt';

/** Whose order it is when neither header nor body says so. */
const standardCustomer = '1';

/** The customer an order is placed for. Throws 422 CUSTOMER_MISMATCH where header and body disagree. */
export function orderingCustomer(identity: Identity, named: string | undefined, mode: AuthMode): string {
  if (identity.kind === 'customer') {
    if (named === undefined || named === identity.customerId) return identity.customerId;
    throw new Problem('CUSTOMER_MISMATCH', `You are ${identity.customerId}, and the body names ${named}.`, [
      { path: 'customerId', message: 'is another customer than the header Authorization names' },
    ]);
  }
  if (named !== undefined) return named;
  if (mode === 'local') return standardCustomer;
  throw new Problem('INVALID_INPUT', 'customerId: name the customer whom you order for.', [
    { path: 'customerId', message: 'name the customer whom you order for' },
  ]);
}

/** The only customer whose things the caller may see; null for no limit: operators, and everybody in local mode. */
export function onlyOf(identity: Identity, mode: AuthMode): string | null {
  return mode === 'jwt' && identity.kind === 'customer' ? identity.customerId : null;
}
