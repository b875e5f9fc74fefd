export { acceptRemoteCommand } from './remote-command/accept.ts';
export { dialRemoteCommand } from './remote-command/client.ts';
export type { DialOptions, RemoteCommandClient } from './remote-command/client.ts';
export { parseRemoteCommandQuery } from './remote-command/query.ts';
export type { RemoteCommandQuery } from './remote-command/query.ts';
export type {
  AcceptOptions,
  RemoteResult,
  RemoteSession,
  RemoteStreams,
  TerminalSize,
} from './remote-command/session.ts';
export { StreamError } from './errors.ts';
export type { RefusedUpgrade, StreamErrorDetails, StreamErrorKind } from './errors.ts';
export { refuseUpgrade } from './http-answer.ts';
