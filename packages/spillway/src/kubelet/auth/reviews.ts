import {
  type KubeClient,
  type SubjectAccessReview,
  subjectAccessReviews,
  type TokenReview,
  tokenReviews,
} from '@spillway/kube';

/** Who sends a request, as Kubernetes describes users. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface AccessQuestion {
  readonly verb: string;
  /** Of the virtual node. */
  readonly subresource: string;
}

/** Was the token ever valid? Those of the one never wait for those of the other. */
export type TokenStanding = 'known' | 'unknown';

/** Questions that only the API server can answer. Both throw when no answer is to be had. */
export interface Reviews {
  /** Undefined when the token is not valid. */
  tokenReview(token: string, standing: TokenStanding): Promise<User | undefined>;
  subjectAccessReview(user: User, question: AccessQuestion): Promise<boolean>;
}

export interface KubeReviewsOptions {
  /** A client that acts as the node: its role contains both reviews. */
  readonly client: KubeClient;
  readonly nodeName: string;
  /** Default 10 s, for whoever waits for an exec or a log. */
  readonly timeoutMs?: number;
}

export function kubeReviews({ client, nodeName, timeoutMs = 10_000 }: KubeReviewsOptions): Reviews {
  const options = { lane: 'reviews', timeoutMs };
  return {
    async tokenReview(token, standing) {
      const lane = standing === 'known' ? options.lane : 'unknown-tokens';
      const review = { spec: { token } };
      const { status } = await client.resource(tokenReviews).create<TokenReview>(review, { ...options, lane });
      const { username, groups, uid, extra } = status?.user ?? {};
      if (status?.authenticated !== true || !username) return undefined;
      return { name: username, groups: groups ?? [], ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
    },

    async subjectAccessReview(user, { verb, subresource }) {
      const resourceAttributes = { verb, version: 'v1', resource: 'nodes', subresource, name: nodeName };
      const { name, groups, uid, extra } = user;
      const spec = {
        resourceAttributes,
        user: name,
        groups: [...groups],
        ...(uid === undefined ? {} : { uid }),
        ...(extra === undefined ? {} : { extra: mutable(extra) }),
      };
      const { status } = await client.resource(subjectAccessReviews).create<SubjectAccessReview>({ spec }, options);
      return status?.allowed === true && status.denied !== true;
    },
  };
}

function mutable(extra: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]));
}
