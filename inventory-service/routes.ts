/** The HTTP face of the catalogue. */
import type { Api } from '@ticket-saga/runtime/api';
import type { Db } from '@ticket-saga/runtime/database';
import { v7 as newId } from 'uuid';
import { z } from 'zod';
import {
  cursorAfter,
  newProduct,
  pageQuery,
  product,
  productBody,
  productChange,
  productPage,
} from './product-schemas.ts';
import { changeProduct, createProduct, getProduct, listProducts } from './products.ts';

// Any text: an id that no product can have is not found, as any other that none has.
const params = z.object({ id: z.string() });

export function addRoutes(api: Api, db: Db): void {
  api.route({
    method: 'get',
    path: '/products',
    summary: 'List the products',
    access: 'public',
    query: pageQuery,
    answers: { 200: { description: 'A page, in the order of the ids', schema: productPage } },
    async handle({ query }) {
      const { products, next } = await listProducts(db, query.cursor, query.limit);
      return { status: 200, body: { items: products.map(productBody), nextCursor: cursorAfter(next) } };
    },
  });

  api.route({
    method: 'get',
    path: '/products/:id',
    summary: 'One product with its stock',
    access: 'public',
    params,
    answers: { 200: { description: 'The product', schema: product } },
    async handle({ params: { id } }) {
      return { status: 200, body: productBody(await getProduct(db, id)) };
    },
  });

  api.route({
    method: 'post',
    path: '/products',
    summary: 'Add a product',
    access: 'operator',
    body: newProduct,
    bodyExamples: { 'a product': { name: 'day-two', price: 150, stock: 100 } },
    answers: { 201: { description: 'The new product; `Location` names it', schema: product } },
    async handle({ body }) {
      const created = await createProduct(db, { ...body, id: body.id ?? newId() });
      return { status: 201, body: productBody(created), headers: { Location: `/products/${created.id}` } };
    },
  });

  api.route({
    method: 'patch',
    path: '/products/:id',
    summary: 'Change name, price or stock of a product',
    description: 'An order that was placed at another price is rejected with `PRICE_CHANGED`.',
    access: 'operator',
    params,
    body: productChange,
    bodyExamples: { 'a price': { price: 175.5 }, 'a stock': { stock: 200 } },
    answers: { 200: { description: 'The product as it is now', schema: product } },
    async handle({ params: { id }, body }) {
      return { status: 200, body: productBody(await changeProduct(db, id, body)) };
    },
  });
}
