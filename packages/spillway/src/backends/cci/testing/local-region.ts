import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Account,
  randomAccessKey,
  randomAccount,
  type Region,
  type RegionOptions,
  startRegion,
} from '@spillway/cci-standin';
import { type Clock, type Logger, silentLogger, systemClock } from '@spillway/kube';
import { cciPool } from '../../../../testkit/cci-pool.ts';
import { spillwayProgram } from '../../../../testkit/program.ts';
import type { Workload } from '../../backend.ts';
import { makeWorkload, script } from '../../testing/workloads.ts';
import { trusted } from '../../trusted.ts';
import { CciConnection } from '../connect.ts';
import { fileLogin } from '../credentials/login-source.ts';
import { dialects } from '../dialects.ts';
import { type CciBackendOptions, makeCciBackend } from '../make-cci.ts';

type Login = Readonly<Record<string, string | undefined>>;

/** An account whose user has as many keys: mistakes lock a key, so each test that makes some has one of its own. */
export function accountWithKeys(keys: number): Account {
  const account = randomAccount('cn-north-4');
  const accessKeys = Array.from({ length: keys }, randomAccessKey);
  return { ...account, users: account.users.map((user) => ({ ...user, accessKeys })) };
}

/** One that runs on until it is stopped. */
export function podNamed(name: string): Workload {
  const resources = { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '500m', memory: '1Gi' } };
  const containers = [script('sleep 3600', { resources })];
  return makeWorkload({ name, image: 'swr.cn-north-4.myhuaweicloud.com/team/app:1', spec: { containers } });
}

/** A region on this machine whose pods are simulated, and Spillway's ways into it. */
export class LocalRegion implements AsyncDisposable {
  readonly region: Region;
  readonly dir: string;
  readonly #undo = new AsyncDisposableStack();
  #files = 0;

  private constructor(region: Region, dir: string) {
    this.region = region;
    this.dir = dir;
  }

  static async start(options: RegionOptions): Promise<LocalRegion> {
    const dir = await mkdtemp(join(tmpdir(), 'cci-region-'));
    const region = await startRegion({ node: 'simulated', program: spillwayProgram, networkStepMs: 50, ...options });
    return new LocalRegion(region, dir);
  }

  get account(): Account {
    const [account] = this.region.accounts;
    if (account === undefined) throw new Error('the region has no account');
    return account;
  }

  /** With the key of this number of the account's user. */
  key(index = 0): { accessKey: string; secretKey: string } {
    const { accessKey = '', secretKey = '' } = this.account.users[0]?.accessKeys[index] ?? {};
    return { accessKey, secretKey };
  }

  get user(): Login {
    const [user] = this.account.users;
    return { domainName: this.account.domain.name, userName: user?.name, password: user?.password };
  }

  /** A new file with credentials. */
  async credentials(login: Login): Promise<string> {
    this.#files += 1;
    const file = join(this.dir, `login-${this.#files}.json`);
    await writeCredentials(file, login);
    return file;
  }

  /** A backend that is closed with the region. */
  async backend({
    login,
    file,
    clusterId = 'c1',
    clock = systemClock,
    logger = silentLogger,
    ...more
  }: {
    readonly login?: Login;
    readonly file?: string;
    readonly clusterId?: string;
    readonly clock?: Clock;
    readonly logger?: Logger;
  } & Partial<CciBackendOptions>): Promise<ReturnType<typeof makeCciBackend>> {
    const credentials = { file: file ?? (await this.credentials(login ?? this.key())) };
    const options = await cciPool(this.region, this.dir, { soldOutAfterSeconds: 20 });
    const backend = makeCciBackend({
      options: { ...options, ...more, credentials },
      owner: { clusterId, nodeName: 'virtual' },
      environment: {},
      logger,
      clock,
    });
    this.#undo.defer(() => backend.close());
    return backend;
  }

  /** For calls that no backend makes. */
  async connection(login: Login): Promise<CciConnection> {
    const connection = new CciConnection({
      dialect: dialects.v1,
      endpoints: { cci: this.region.endpoint, iam: this.region.iamEndpoint },
      ca: await readFile(this.region.caFile, 'utf8'),
      projectId: this.account.project.id,
      namespace: 'cce-burst-c1',
      source: fileLogin(await this.credentials(login)),
      clock: systemClock,
      logger: silentLogger,
    });
    this.#undo.defer(() => connection.close());
    return connection;
  }

  /** As whoever runs the region. */
  async admin<T>(method: string, path: string, body?: object): Promise<T> {
    const { endpoint, token } = this.region.admin;
    const answer = await fetch(`${endpoint}/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path} of the region's administrator: status ${answer.status}`);
    return trusted<T>(await answer.json());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo.disposeAsync();
    await this.region.close();
    await rm(this.dir, { recursive: true });
  }
}

/** As a whole: nobody reads half of it. */
export async function writeCredentials(file: string, login: Login): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(login), { mode: 0o600 });
  await rename(`${file}.new`, file);
}
