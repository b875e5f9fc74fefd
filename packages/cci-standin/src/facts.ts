import {
  Informer,
  isNotFound,
  type KubeClient,
  type KubeObject,
  type Namespace,
  namespaces,
  persistentVolumes,
  type Store,
} from '@spillway/kube';
import type { Account } from './accounts.ts';
import { projectLabel } from './gateway/adapt.ts';
import { textAt } from './json.ts';
import { networks, type Network } from './network-type.ts';
import type { Call, Facts, Standing } from './rules/call.ts';

const usual: Standing = { agency: true, arrears: false, frozen: false };

/** What the rules need to know of the region. Answers from informers, and asks the API server before it says no. */
export class RegionFacts {
  readonly #client: KubeClient;
  readonly #networks: Store<Network>;
  readonly #namespaces: Informer<Namespace>;
  readonly #standing = new Map<string, Standing>();

  constructor(options: {
    client: KubeClient;
    networks: Store<Network>;
    accounts: readonly Account[];
    agency: boolean;
  }) {
    this.#client = options.client;
    this.#networks = options.networks;
    this.#namespaces = new Informer<Namespace>({ client: options.client, type: namespaces });
    for (const { domain } of options.accounts) this.#standing.set(domain.id, { ...usual, agency: options.agency });
  }

  get synced(): Promise<void> {
    return this.#namespaces.synced;
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#namespaces.run(signal);
  }

  standingOf(domainId: string): Standing {
    return this.#standing.get(domainId) ?? usual;
  }

  setStanding(domainId: string, change: Partial<Standing>): Standing {
    const standing = { ...this.standingOf(domainId), ...change };
    this.#standing.set(domainId, standing);
    return standing;
  }

  /** "" for a namespace that no project has. */
  projectOf(namespace: string): string | undefined {
    const found = this.#namespaces.store.get('', namespace);
    return found === undefined ? undefined : projectIn(found);
  }

  async factsFor({
    method,
    route,
    body,
    identity,
  }: Pick<Call, 'method' | 'route' | 'body' | 'identity'>): Promise<Facts> {
    const creating = method === 'POST' && route.subresource === undefined;
    const newName = creating && route.resource === 'namespaces' ? textAt(body, 'metadata', 'name') : undefined;
    const namespace = newName ?? (route.resource === 'namespaces' ? route.name : route.namespace);
    return {
      standing: this.standingOf(identity.domain.id),
      namespaceProject: namespace === undefined ? undefined : await this.#projectOf(namespace),
      volumeProject: route.resource === 'persistentvolumes' ? await this.#projectOfVolume(route.name) : undefined,
      ownNamespaces: newName === undefined ? 0 : await this.#countNamespaces(identity.project.id),
      networkStates: creating && route.namespace !== undefined ? await this.#networkStates(route.namespace) : [],
    };
  }

  async #projectOf(namespace: string): Promise<string | undefined> {
    const known = this.projectOf(namespace);
    if (known !== undefined) return known;
    return projectOfThere(this.#client.resource(namespaces).get({ name: namespace }));
  }

  async #projectOfVolume(name: string | undefined): Promise<string | undefined> {
    return name === undefined ? undefined : projectOfThere(this.#client.resource(persistentVolumes).get({ name }));
  }

  async #countNamespaces(projectId: string): Promise<number> {
    const list = await this.#client.resource(namespaces).list({ labelSelector: `${projectLabel}=${projectId}` });
    return list.items.length;
  }

  async #networkStates(namespace: string): Promise<string[]> {
    const known = statesOf([...this.#networks.values()].filter(({ metadata }) => metadata?.namespace === namespace));
    if (known.includes('Active')) return known;
    return statesOf((await this.#client.resource(networks).list({ namespace })).items);
  }
}

function statesOf(found: readonly Network[]): string[] {
  return found.map(({ status }) => status?.state ?? 'Initializing');
}

function projectIn({ metadata }: KubeObject): string {
  return metadata?.labels?.[projectLabel] ?? '';
}

/** Undefined when it is not there. */
async function projectOfThere(found: Promise<KubeObject>): Promise<string | undefined> {
  try {
    return projectIn(await found);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
