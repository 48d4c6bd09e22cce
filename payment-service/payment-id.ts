/** A payment's id follows from its order's, so that however often it is requested it is one payment. */
import { v5 as uuidV5 } from 'uuid';

/** Any constant will do; changing it would make a second payment of each order. */
const namespace = '5d0c2a5e-7b0a-4f0e-9a46-2f8b6c1f3d10';

export function paymentIdOf(orderId: string): string {
  return uuidV5(orderId.toLowerCase(), namespace);
}
