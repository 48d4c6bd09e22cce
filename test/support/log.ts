/** A logger whose lines the test reads. */
import { Writable } from 'node:stream';
import winston from 'winston';
import { createLogger, type Logger } from '../../runtime/logger.ts';

export function capturedLogger(level = 'debug'): { logger: Logger; text: () => string } {
  const lines: string[] = [];
  const logger = createLogger('test', level);
  const stream = new Writable({
    write(line: Buffer, _encoding, done) {
      lines.push(line.toString());
      done();
    },
  });
  logger.clear().add(new winston.transports.Stream({ stream }));
  return { logger, text: () => lines.join('') };
}
