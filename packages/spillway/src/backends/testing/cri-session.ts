import type { Workload } from '../backend.ts';
import { RuntimeClient } from '../cri/client/runtime-client.ts';
import { podSelector } from '../cri/config/marks.ts';
import type { CriBackend } from '../cri/cri-backend.ts';
import type { CriBackendOptions } from '../cri/options.ts';
import type { CriPool } from './cri-pool.ts';
import { Driver } from './driver.ts';
import { makeWorkload, type WorkloadInput } from './workloads.ts';

/** A backend on a real containerd that can be left and taken up again, as by a restart of the process. */
export class CriSession {
  readonly #pool: () => CriPool;
  #open: { readonly backend: CriBackend; readonly driver: Driver } | undefined;

  /** @param pool asked for when it is needed: it is started by the test file. */
  constructor(pool: () => CriPool) {
    this.#pool = pool;
  }

  get pool(): CriPool {
    return this.#pool();
  }

  get backend(): CriBackend {
    return this.#opened().backend;
  }

  get driver(): Driver {
    return this.#opened().driver;
  }

  async reopen(options: Partial<CriBackendOptions> = {}): Promise<void> {
    const backend = this.pool.open(options);
    await backend.prepare(new AbortController().signal);
    this.#open = { backend, driver: new Driver(backend) };
  }

  /** The pods go on. */
  async leave(): Promise<void> {
    await this.driver.detach();
    await this.backend.close();
  }

  /** Removes what is left, and says what then remains on the machine. */
  async finish(): Promise<string[]> {
    await this.driver.finish();
    await this.backend.close();
    return await this.pool.residue();
  }

  workload(input: Omit<WorkloadInput, 'image'>): Workload {
    return makeWorkload({ image: this.pool.image, ...input });
  }

  /** Runs a pod to its end and returns what its container said. */
  async outputOf(spec: WorkloadInput['spec'], more: Partial<WorkloadInput> = {}): Promise<string> {
    const pod = await this.driver.run(this.workload({ ...more, spec: { restartPolicy: 'Never', ...spec } }));
    await this.driver.reaches(pod, 'ended');
    return await this.driver.logs(pod);
  }

  /** Does something behind the backend's back. */
  async onRuntime<T>(work: (client: RuntimeClient) => Promise<T>): Promise<T> {
    const client = new RuntimeClient(this.pool.socket);
    try {
      return await work(client);
    } finally {
      client.close();
    }
  }

  async sandboxesOf({ ListPodSandbox }: RuntimeClient['calls'], { ref }: Workload): Promise<string[]> {
    const filter = { labelSelector: podSelector(this.pool.owner, ref.uid) };
    const { items } = await ListPodSandbox({ filter });
    return items.map(({ id }) => id);
  }

  #opened(): { readonly backend: CriBackend; readonly driver: Driver } {
    if (!this.#open) throw new Error('the backend is not open');
    return this.#open;
  }
}
