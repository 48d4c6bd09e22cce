/** True when a GET is answered with 2xx within three seconds. */
export async function answers(url: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(3_000)]) });
  await response.body?.cancel();
  return response.ok;
}
