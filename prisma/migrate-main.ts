/** `node prisma/dist/migrate-main.js`: migrates the database of `POSTGRES_URL`, then adds the seed rows that are missing. */
import { migrate } from './migrate.ts';
import { seed } from './seed.ts';

const url = process.env['POSTGRES_URL'];
if (!url) {
  process.stderr.write(
    'POSTGRES_URL is missing: name the database to migrate, as postgresql://user:password@host:port/name.\n',
  );
  process.exit(78);
}
const ran = await migrate(url);
process.stdout.write(ran.length ? `migrated: ${ran.join(', ')}\n` : 'the database is up to date\n');
await seed(url);
process.stdout.write('seed rows are there\n');
