import { once } from 'node:events';
import { acceptPortForward } from '@spillway/streaming';
import { instanceRef } from '../../podspec/pod-facts.ts';
import { requirePorts } from '../container-state.ts';
import { Problem, problemOf } from '../problem.ts';
import type { Route } from '../route.ts';
import { findPod, type HandlerContext } from './context.ts';
import type { PreparedUpgrade, StreamTimeouts } from './upgrade.ts';

type PortForwardRoute = Extract<Route, { kind: 'portForward' }>;

/** @throws {Problem} for what can be answered before the upgrade */
export function preparePortForward(
  context: HandlerContext,
  route: PortForwardRoute,
  timeouts: StreamTimeouts,
): PreparedUpgrade {
  const { backend, logger, stopping } = context;
  const { capabilities } = backend;
  if (!capabilities.portForward || backend.portForward === undefined) {
    throw new Problem(501, `the backend of this virtual node, ${capabilities.runtimeVersion}, cannot forward ports`);
  }
  const known = findPod(context.pods, route.namespace, route.pod, route.uid);
  requirePorts(known);
  const ref = instanceRef(known.pod);
  const portForward = backend.portForward.bind(backend);

  return {
    async run(request, socket, head) {
      const gone = new AbortController();
      socket.once('close', () => gone.abort(new Error('the client closed the connection')));
      const signal = AbortSignal.any([gone.signal, stopping]);
      // First the way to the pod: its failure can only be told while the client waits for the upgrade.
      const forwarder = await portForward(ref, signal).catch((error: unknown) => {
        throw problemOf(error, 'error forwarding ports');
      });
      try {
        const session = await acceptPortForward(request, socket, head, {
          ...timeouts,
          signal: stopping,
          onConnection: (connection) => forwarder.forward(connection),
        });
        const over = AbortSignal.any([session.ended, forwarder.ended]);
        if (!over.aborted) await once(over, 'abort');
        await session.close();
      } catch (error) {
        logger.debug({ err: error, pod: ref }, 'the client did not open its port-forward');
      } finally {
        await forwarder.close();
      }
    },
  };
}
