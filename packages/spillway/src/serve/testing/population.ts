import { type KubeClient, nameOf, type Pod, pods, uidOf } from '@spillway/kube';

/** A pod, and what its user did with it. */
export interface Person {
  readonly uid: string;
  readonly name: string;
  /** The code with which its container ends by itself; undefined: it runs until it is told to end. */
  readonly exitCode: number | undefined;
  /** `forced`: its user did not wait for its end. `gone`: its user took it away when it had ended. */
  readonly fate: 'kept' | 'deleted' | 'forced' | 'gone';
}

export interface PopulationOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly nodeName: string;
}

/** The pods of a namespace as their users know them. */
export class Population {
  readonly #options: PopulationOptions;
  readonly #people = new Map<string, Person>();
  #created = 0;

  constructor(options: PopulationOptions) {
    this.#options = options;
  }

  /** Everybody who ever was. */
  get all(): readonly Person[] {
    return [...this.#people.values()];
  }

  /** Those whose pods should run; the oldest first. */
  get running(): readonly Person[] {
    return this.all.filter(({ fate, exitCode }) => fate === 'kept' && exitCode === undefined);
  }

  get size(): number {
    return this.all.filter(({ fate }) => fate === 'kept').length;
  }

  isGone(name: string): boolean {
    const fate = this.#people.get(name)?.fate;
    return fate === 'forced' || fate === 'gone';
  }

  /** Every fourth ends by itself, well or not; every fifth has volumes that follow what they are made of. */
  async create(count: number): Promise<void> {
    const { client } = this.#options;
    const create = async (): Promise<void> => {
      const number = ++this.#created;
      const exitCode = number % 4 === 0 ? (number % 8 === 0 ? 0 : 3) : undefined;
      const pod = await client.resource(pods).create(this.#pod(number, exitCode));
      const name = nameOf(pod);
      this.#people.set(name, { uid: uidOf(pod), name, exitCode, fate: 'kept' });
    };
    await Promise.all(Array.from({ length: Math.max(0, count) }, create));
  }

  async delete(people: readonly Person[]): Promise<void> {
    await this.#end(people, 'deleted', {});
  }

  /** The objects are gone at once. */
  async force(people: readonly Person[], fate: 'forced' | 'gone' = 'forced'): Promise<void> {
    await this.#end(people, fate, { gracePeriodSeconds: 0 });
  }

  async #end(people: readonly Person[], fate: Person['fate'], how: { gracePeriodSeconds?: number }): Promise<void> {
    const { client, namespace } = this.#options;
    const end = async (person: Person): Promise<void> => {
      const { name, uid } = person;
      this.#people.set(name, { ...person, fate });
      await client.resource(pods).delete({ namespace, name }, { ...how, preconditions: { uid } });
    };
    await Promise.all(people.map(end));
  }

  #pod(number: number, exitCode: number | undefined): Pod {
    const { namespace, nodeName } = this.#options;
    const follows = number % 5 === 0;
    const [life, restartPolicy] = exitCode === undefined ? ['3600', 'Always'] : [String((number % 10) / 10), 'Never'];
    return {
      metadata: { name: `pod-${number}`, namespace },
      spec: {
        nodeName,
        terminationGracePeriodSeconds: 1,
        restartPolicy,
        automountServiceAccountToken: follows,
        containers: [
          {
            name: 'main',
            image: 'busybox',
            command: ['sh', '-c', `sleep ${life}; exit ${exitCode ?? 0}`],
            envFrom: [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'password' } }],
            ...(follows ? { volumeMounts: [{ name: 'settings', mountPath: '/etc/settings' }] } : {}),
          },
        ],
        ...(follows ? { volumes: [{ name: 'settings', configMap: { name: 'settings' } }] } : {}),
      },
    };
  }
}
