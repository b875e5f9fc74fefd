export { acceptRemoteCommand } from './remote-command/accept.ts';
export { dialRemoteCommand } from './remote-command/client.ts';
export type { RemoteCommandClient } from './remote-command/client.ts';
export { parseRemoteCommandQuery } from './remote-command/query.ts';
export type { RemoteCommandQuery } from './remote-command/query.ts';
export type {
  AcceptOptions,
  RemoteResult,
  RemoteSession,
  RemoteStreams,
  TerminalSize,
} from './remote-command/session.ts';
export { acceptPortForward } from './port-forward/accept.ts';
export type { PortForwardOptions } from './port-forward/accept.ts';
export { dialPortForward } from './port-forward/client.ts';
export type { ClientConnection, PortForwardClient } from './port-forward/client.ts';
export { joinConnections } from './port-forward/join.ts';
export type { ForwardedConnection, ForwardStreams, PortForwardSession } from './port-forward/session.ts';
export { StreamError } from './errors.ts';
export type { RefusedUpgrade, StreamErrorDetails, StreamErrorKind } from './errors.ts';
export type { DialOptions } from './upgrade/dial.ts';
export { refuseUpgrade } from './upgrade/refuse.ts';
