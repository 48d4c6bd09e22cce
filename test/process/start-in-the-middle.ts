import { ZeebeGrpcClient } from '@camunda8/sdk/dist/zeebe/index.js';

/**
 * Starts a process at an element in its middle: the only way to have messages wait before the element is reached. The
 * services never do so, and their engine client does not offer it. Resolves with the instance's key.
 */
export async function startInTheMiddle(
  address: string,
  bpmnProcessId: string,
  elementId: string,
  variables: object,
): Promise<string> {
  const client = new ZeebeGrpcClient({
    config: {
      ZEEBE_GRPC_ADDRESS: address,
      CAMUNDA_OAUTH_DISABLED: true,
      zeebeGrpcSettings: { ZEEBE_CLIENT_LOG_LEVEL: 'NONE' },
    },
  });
  try {
    const startInstructions = [{ elementId }];
    const started = await client.createProcessInstance({
      bpmnProcessId,
      variables: { ...variables },
      startInstructions,
    });
    return String(started.processInstanceKey);
  } finally {
    await client.close();
  }
}
