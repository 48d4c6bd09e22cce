export default async function tearDown() {
  await globalThis.intPlatform?.stop();
}
