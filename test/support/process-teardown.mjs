export default async function tearDown() {
  await globalThis.processPlatform?.stop();
}
