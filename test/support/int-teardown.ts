export default async function tearDown(): Promise<void> {
  if ('stopTestPostgres' in globalThis && typeof globalThis.stopTestPostgres === 'function')
    await globalThis.stopTestPostgres();
}
