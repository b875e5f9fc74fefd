import { randomUUID } from 'node:crypto';
import { isConflict, isForbidden, isNotFound, type KubeObject, type ResourceType, uidOf } from '@spillway/kube';
import type { BackendObject, EndedInSilence, HeartbeatTerms } from '../../backend.ts';
import { deleting } from '../lanes.ts';
import { patiently } from '../patiently.ts';
import { isDeadMan } from '../pods/marks.ts';
import { deadManName } from '../pods/names.ts';
import { datedHeartbeat, type HeartbeatPlace } from './dated-heartbeat.ts';
import { hadJob, heartbeatData, heartbeatMetadata, nothingNoted, readNote } from './heartbeat-object.ts';
import { jobObjects, jobTypes } from './job-objects.ts';

export interface DeadManOptions extends HeartbeatPlace {
  /** Can the cluster run a job that may end pods? */
  readonly runsJobs: boolean;
  /** Of Spillway, for that job. Absent: somebody else looks at the heartbeat. */
  readonly image: string | undefined;
}

/** The heartbeat of a virtual node, and the job that looks at it. */
export class DeadManSwitch {
  readonly #options: DeadManOptions;
  #installed = false;

  constructor(options: DeadManOptions) {
    this.#options = options;
  }

  /** See `Backend.renewHeartbeat`. */
  async renew(terms: HeartbeatTerms, signal: AbortSignal): Promise<EndedInSilence | undefined> {
    const { client, configMaps, namespace, owner, image } = this.#options;
    const { nowMs, object } = await datedHeartbeat(this.#options, signal);
    const call = { signal, lane: deleting };
    const metadata = heartbeatMetadata(owner, namespace);
    const data = heartbeatData({ ...terms, nowMs, beat: randomUUID(), hasJob: image !== undefined });
    if (object === undefined) {
      await client.resource(configMaps).create({ metadata, data }, call);
      this.#installed = false;
    } else {
      const body = { metadata, data: { ...nothingNoted, ...data } };
      await client.resource(configMaps).patch({ namespace, name: deadManName(owner) }, { type: 'merge', body }, call);
    }
    if (image !== undefined && !this.#installed) await this.#install(image, signal);
    else if (image === undefined && object && hadJob(object)) await this.#take(jobTypes, false, signal);
    return object && readNote(object);
  }

  /** See `Backend.endHeartbeat`. Where there is none, it costs one question. */
  async end(signal: AbortSignal): Promise<void> {
    const { configMaps, owner } = this.#options;
    const { object } = await datedHeartbeat(this.#options, signal);
    if (object === undefined || !isDeadMan(object, owner)) return;
    // Without it the job ends nothing.
    await this.#take([configMaps], false, signal);
    if (hadJob(object)) await this.#take(jobTypes, false, signal);
  }

  /** Takes away all of it that there is. */
  async dismantle(dryRun: boolean, signal: AbortSignal): Promise<readonly TakenAway[]> {
    const { configMaps, runsJobs } = this.#options;
    return await this.#take([configMaps, ...(runsJobs ? jobTypes : [])], dryRun, signal);
  }

  async #install(image: string, signal: AbortSignal): Promise<void> {
    const { client, owner, namespace } = this.#options;
    for (const object of jobObjects({ owner, namespace, image })) {
      const type = jobTypes.find(({ kind }) => kind === object.kind);
      if (!type) continue;
      const options = { fieldManager: 'spillway', force: true, signal, lane: deleting };
      await client.resource(type).apply(object, options);
    }
    this.#installed = true;
  }

  /** @returns what was there of these kinds, and is ours */
  async #take(types: readonly ResourceType<KubeObject>[], dryRun: boolean, signal: AbortSignal): Promise<TakenAway[]> {
    const { client, namespace, owner } = this.#options;
    const name = deadManName(owner);
    const taken: TakenAway[] = [];
    for (const type of types) {
      const resource = client.resource(type);
      const object = await patiently(
        () => resource.get({ namespace, name }, { signal, lane: deleting }).catch(unlessHidden),
        signal,
      );
      if (!object || !isDeadMan(object, owner)) continue;
      taken.push({ kind: type.kind, namespace, name, uid: uidOf(object) });
      if (dryRun) continue;
      const options = {
        preconditions: { uid: uidOf(object) },
        propagationPolicy: 'Background',
        signal,
        lane: deleting,
      } as const;
      await patiently(() => resource.delete({ namespace, name }, options).catch(unlessReplaced), signal);
    }
    return taken;
  }
}

export interface TakenAway extends BackendObject {
  readonly uid: string;
}

/** Who may not see it has not made it. */
function unlessHidden(error: unknown): undefined {
  if (!isNotFound(error) && !isForbidden(error)) throw error;
}

function unlessReplaced(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error)) throw error;
}
