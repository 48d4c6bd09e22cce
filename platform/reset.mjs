import { prepare } from './prepare.mjs';

// `npm run reset`, also in a clone that has never been started.
try {
  await prepare();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
await import('./dist/reset.js');
