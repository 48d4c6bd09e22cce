/** Starts a process; what the engine says against it becomes one of the failures that a consumer knows. */
import { type Engine, grpc, grpcCode } from '@ticket-saga/runtime/engine';
import { PassingFault, PermanentError } from '@ticket-saga/runtime/errors';

/** Throws `PassingFault` NOT_DEPLOYED, and `PermanentError` REFUSED_BY_ENGINE for what it would refuse for ever. */
export async function start(engine: Pick<Engine, 'startProcess'>, processId: string, variables: object) {
  return engine.startProcess(processId, variables).catch((error: unknown) => {
    if (grpcCode(error) === grpc.notFound)
      throw new PassingFault('NOT_DEPLOYED', `${processId} is not deployed yet.`, error);
    if (grpcCode(error) !== grpc.invalidArgument) throw error;
    throw new PermanentError('REFUSED_BY_ENGINE', `The engine refuses to start ${processId}: ${String(error)}`, error);
  });
}
