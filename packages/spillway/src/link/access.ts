import { hash } from 'node:crypto';
import { type KubeClient, type TokenReview, tokenReviews } from '@spillway/kube';
import { linkAudience } from '@spillway/link-agent';
import { ReviewCache } from '../kubelet/auth/review-cache.ts';
import { type Share, StrangerQuestions } from '../kubelet/auth/stranger-questions.ts';

/** Whose token it is. */
export interface LinkPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Why an agent may not log in. */
export type Denial = 'unauthorized' | 'tooMany' | 'unavailable';

export interface LinkAccessOptions {
  /** Undefined: the token is not valid, or is not bound to a pod. @throws when the API server does not answer */
  readonly review: (token: string) => Promise<LinkPod | undefined>;
  /** Of questions about tokens that were never valid. Default: 50 a second in all. */
  readonly inAll?: Share;
  /** Default: 5 a second from one address. */
  readonly perAddress?: Share;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const maxTokenLength = 8 * 1024;
/** How long an answer holds: a token of a pod that is gone opens nothing after this time. */
const goodMs = 60_000;
const badMs = 10_000;

/** Lets agents in by the tokens of their pods. The API server is asked once a token and minute, and rarely for strangers. */
export class LinkAccess {
  readonly #options: LinkAccessOptions;
  readonly #tokens: ReviewCache<LinkPod | undefined>;
  readonly #strangers: StrangerQuestions;

  constructor(options: LinkAccessOptions) {
    this.#options = options;
    this.#tokens = new ReviewCache({
      maxEntries: 20_000,
      isGood: (pod) => pod !== undefined,
      goodMs,
      badMs,
      now: options.now,
    });
    this.#strangers = new StrangerQuestions(options);
  }

  /** Never rejects. */
  async admit(authorization: string | undefined, address: string): Promise<LinkPod | Denial> {
    const [, token] = /^bearer +(\S+) *$/i.exec((authorization ?? '').slice(0, maxTokenLength)) ?? [];
    if (token === undefined) return 'unauthorized';
    let isTooMany = false;
    try {
      const pod = await this.#tokens.get(hash('sha256', token), async (known) => {
        if (known) return this.#options.review(token);
        const asked = await this.#strangers.ask(address, () => this.#options.review(token));
        if (asked !== undefined) return asked.answer;
        isTooMany = true;
        throw new Error('too many unknown tokens');
      });
      return pod ?? 'unauthorized';
    } catch {
      return isTooMany ? 'tooMany' : 'unavailable';
    }
  }
}

const podName = 'authentication.kubernetes.io/pod-name';
const podUid = 'authentication.kubernetes.io/pod-uid';

/** Asks the API server. The pod must exist: a token that is bound to a pod ends with it. */
export function reviewTokens(client: Pick<KubeClient, 'resource'>): LinkAccessOptions['review'] {
  return async (token) => {
    const review: TokenReview = { spec: { token, audiences: [linkAudience] } };
    const { status } = await client.resource(tokenReviews).create<TokenReview>(review, { timeoutMs: 10_000 });
    const { username = '', extra = {} } = status?.user ?? {};
    const [, namespace] = /^system:serviceaccount:([^:]+):/.exec(username) ?? [];
    const [name] = extra[podName] ?? [];
    const [uid] = extra[podUid] ?? [];
    const isForUs = status?.authenticated === true && status.audiences?.includes(linkAudience) === true;
    if (!isForUs || namespace === undefined || name === undefined || uid === undefined) return undefined;
    return { namespace, name, uid };
  };
}
