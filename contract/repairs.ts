/** What the reconciliation's repairs send to the services. */
import { z } from 'zod';

/** A reservation: the order's own, whose id is the order's, or `<order id>/late`. */
export const releaseReservation = z.object({
  reservationId: z
    .string()
    .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\/late)?$/, 'must be the id of an order, or `<order id>/late`'),
});
