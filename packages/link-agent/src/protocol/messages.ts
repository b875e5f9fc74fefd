// Messages of the link, version 1: docs/interconnect.md describes them for whoever writes another agent. Each is one text message of a
// WebSocket. A key that is not known is ignored, so that both sides can learn more without a new version.

/** Where the stream is opened, and what it is called there. A version that is not compatible gets another path. */
export const linkPath = '/link/v1';
export const linkProtocol = 'v1.link.spillway.dev';

/** The name in the link server's certificate, whatever its address is. */
export const linkServerName = 'spillway-link';

/** Audience of the tokens with which agents log in. */
export const linkAudience = 'spillway-link';

/** Longest message from an agent, in bytes. */
export const maxAgentMessageBytes: number = 64 * 1024;
/** Longest message from the server, in bytes: a Service with some ten thousand endpoints. */
export const maxServerMessageBytes: number = 4 * 1024 * 1024;
/** How many Services an agent may follow at the same time. */
export const maxFollowed = 4096;
/** How many names fit into one message of an agent: the longest have 63 + 63 characters. */
export const maxNamesInMessage = 256;

export type ServiceName = readonly [namespace: string, name: string];

export interface AgentMessage {
  /** Send these now, and whenever they change. */
  readonly follow?: readonly ServiceName[];
  /** Send these no more. */
  readonly unfollow?: readonly ServiceName[];
}

export interface ServerMessage {
  /** How a Service is now. */
  readonly service?: LinkService;
  /** There is no such Service. */
  readonly absent?: ServiceName;
  /** Addresses of the cluster's own name servers, for all other names. */
  readonly resolvers?: readonly string[];
  /** Those who may vouch for the server from now on, PEM. */
  readonly authorities?: string;
}

export type PortProtocol = 'TCP' | 'UDP';

export interface LinkService {
  readonly namespace: string;
  readonly name: string;
  readonly kind: 'clusterIP' | 'headless' | 'externalName';
  /** Of kind `externalName`: the other name. */
  readonly externalName?: string;
  /** All connections of a pod go to the same endpoint, until there was none for this time. */
  readonly affinitySeconds?: number;
  /** Of kind `clusterIP`: what the Service offers. */
  readonly ports: readonly ServicePort[];
  /** As its EndpointSlices have them. */
  readonly groups: readonly EndpointGroup[];
}

export interface ServicePort {
  /** Empty: it has none. */
  readonly name: string;
  readonly protocol: PortProtocol;
  readonly port: number;
}

/** Endpoints with the same ports. */
export interface EndpointGroup {
  /** By the names of the Service's ports, with the ports of the endpoints. */
  readonly ports: readonly ServicePort[];
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoint {
  readonly address: string;
  readonly hostname?: string;
  /** It is going, and still answers: used only when no other is there. */
  readonly draining?: boolean;
}

export const keyOf = ({ namespace, name }: Pick<LinkService, 'namespace' | 'name'>): string => `${namespace}/${name}`;
