/** Where the engine and order-service are, by the variables that `npm start` knows. */
import { port } from '@ticket-saga/runtime/config';
import { z } from 'zod';

const loopback = (of: number) => `127.0.0.1:${of}`;

export const playSettings = z.object({
  ZEEBE_GRPC_ADDRESS: z.string().optional(),
  ZEEBE_GRPC_PORT: port(26500),
  ORDER_URL: z.url().optional(),
  ORDER_PORT: port(8080),
  OPERATOR_USER: z.string().default('techlead'),
  OPERATOR_PASSWORD: z.string().default('zup@123'),
});

export type Places = ReturnType<typeof placesOf>;

export const placesOf = (settings: z.infer<typeof playSettings>) => ({
  engine: settings.ZEEBE_GRPC_ADDRESS ?? `grpc://${loopback(settings.ZEEBE_GRPC_PORT)}`,
  orders: settings.ORDER_URL ?? `http://${loopback(settings.ORDER_PORT)}`,
  operator: `Basic ${Buffer.from(`${settings.OPERATOR_USER}:${settings.OPERATOR_PASSWORD}`).toString('base64')}`,
});

/** What `parse` makes of the command line; an option that does not exist ends the program with a sentence about it. */
export function argumentsOrExit<T>(parse: () => T, help: string): T {
  try {
    return parse();
  } catch (error) {
    process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    process.exit(1);
  }
}
