/** Routes of customers. In JWT mode a customer sees itself only, and operators add customers. */
import type { Api } from '@ticket-saga/runtime/api';
import { customerName } from '@ticket-saga/runtime/identity';
import { Problem } from '@ticket-saga/runtime/problem';
import { z } from 'zod';
import { onlyOf } from './access.ts';
import { addCustomer, type Customer, listCustomers, readCustomer } from './customers.ts';
import type { OrderParts } from './parts.ts';

const customerView = z
  .object({ id: z.string(), name: z.string(), createdAt: z.iso.datetime() })
  .meta({ id: 'Customer' });

const newCustomer = z.object({
  id: customerName.optional(),
  name: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not hold control characters'),
});

export function addCustomerRoutes(api: Api, { db, settings }: OrderParts): void {
  api.route({
    method: 'get',
    path: '/customers',
    summary: 'Customers, by id',
    access: 'customer',
    query: z.object({ limit: z.coerce.number().int().min(1).max(100).default(20), cursor: customerName.optional() }),
    answers: {
      200: {
        description: 'A page of customers',
        schema: z.object({ items: z.array(customerView), nextCursor: z.string().nullable() }),
      },
    },
    async handle({ query, identity }) {
      const page = await listCustomers(db, { ...query, onlyOf: onlyOf(identity, settings.AUTH_MODE) });
      return { status: 200, body: { ...page, items: page.items.map(viewCustomer) } };
    },
  });

  api.route({
    method: 'post',
    path: '/customers',
    summary: 'Adds a customer',
    access: settings.AUTH_MODE === 'jwt' ? 'operator' : 'customer',
    body: newCustomer,
    bodyExamples: { 'a customer': { name: 'Ada' } },
    answers: { 201: { description: 'Added', schema: customerView } },
    async handle({ body }) {
      const customer = await addCustomer(db, body);
      const headers = { Location: `/customers/${encodeURIComponent(customer.id)}` };
      return { status: 201, body: viewCustomer(customer), headers };
    },
  });

  api.route({
    method: 'get',
    path: '/customers/:id',
    summary: 'A customer',
    access: 'customer',
    params: z.object({ id: z.string() }),
    answers: { 200: { description: 'The customer', schema: customerView } },
    async handle({ params: { id }, identity }) {
      const own = onlyOf(identity, settings.AUTH_MODE);
      const visible = customerName.safeParse(id).success && (own === null || own === id);
      const customer = visible ? await readCustomer(db, id) : undefined;
      if (!customer) throw new Problem('CUSTOMER_NOT_FOUND', `There is no customer ${id}.`);
      return { status: 200, body: viewCustomer(customer) };
    },
  });
}

const viewCustomer = ({ id, name, createdAt }: Customer) => ({ id, name, createdAt: createdAt.toISOString() });
