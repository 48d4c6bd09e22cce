export default async function tearDown() {
  globalThis.flow?.control.close();
  await globalThis.flow?.platform.stop();
}
