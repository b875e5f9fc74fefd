import type { Client, Dispatcher } from 'undici';
import type { ClusterConfig } from '../config/cluster-config.ts';
import { TransportError } from '../errors.ts';
import { aboutOf } from './call.ts';
import type { KubeRequest, KubeStream } from './request.ts';
import { streamBody } from './stream-body.ts';
import { toTransportError } from './transport-errors.ts';

/** Makes the body of an answer a stream that owns its connection: they end together. */
export function openStream(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  connection: Client,
  request: KubeRequest,
  { config, onClosed }: { config: ClusterConfig; onClosed: (stream: KubeStream) => void },
): KubeStream {
  const { signal } = request;
  let closing = false;
  const givenUp = (): TransportError =>
    new TransportError('aborted', `${aboutOf(request)} was cancelled`, { cause: signal?.reason });
  const translate = (error: unknown): TransportError =>
    closing || signal?.aborted === true ? givenUp() : toTransportError(error, config);
  const dropConnection = (): Promise<void> => connection.destroy().catch(() => undefined);
  const onAbort = (): void => void close(givenUp());

  const close = async (error?: TransportError): Promise<void> => {
    closing = true;
    stream.body.destroy(error);
    await dropConnection();
  };
  const stream: KubeStream = {
    status: statusCode,
    headers,
    body: streamBody(body, translate, () => {
      signal?.removeEventListener('abort', onAbort);
      onClosed(stream);
      void dropConnection();
    }),
    close: () => close(signal?.aborted === true ? givenUp() : undefined),
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  return stream;
}
