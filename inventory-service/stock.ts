/**
 * How stock moves: the two parts that every statement over stock is made of. Tickets of a product are available, held
 * or sold; they move between these three and never get lost (`nothing_lost` in the database).
 */
import { sql } from '@ticket-saga/runtime/database';

/**
 * Locks the products whose ids `productIds` selects, always in the order of their ids, and returns their newest stock.
 * Use it as the CTE `stock`.
 */
export function lockStock(productIds: sql.Sql): sql.Sql {
  return sql.sql`
      select id, name, price, currency, capacity, available, held, sold from product
      where id in (${productIds}) order by id for update`;
}

/**
 * Adds the CTE `move` (product_id, and how many more are available, held and sold) to the locked CTE `stock`.
 *
 * It counts from `stock`, never from the row it updates: that is first read as it was when the statement began, and
 * PostgreSQL checks the constraints on it before it notices that another transaction changed it meanwhile. Counting
 * from the old row, a statement that waited for the lock would fail although all is well. So all four columns are set.
 */
export const moveStock = sql.sql`
      update product p set capacity = s.capacity, available = s.available + m.available, held = s.held + m.held,
        sold = s.sold + m.sold
      from stock s join move m on m.product_id = s.id where p.id = s.id`;
