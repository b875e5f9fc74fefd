import type { KubeClient, KubeObject, ObjectRef, Patch, ResourceClient, ResourceType } from '@spillway/kube';

/** What a test answers; what it leaves out must not be called. */
export interface FakeAnswers {
  get?(type: ResourceType<KubeObject>, ref: ObjectRef): Promise<KubeObject>;
  list?(type: ResourceType<KubeObject>, options: object): Promise<{ items: KubeObject[] }>;
  create?(type: ResourceType<KubeObject>, object: KubeObject, options: object): Promise<KubeObject>;
  patch?(type: ResourceType<KubeObject>, ref: ObjectRef, patch: Patch, options: object): Promise<KubeObject>;
  delete?(type: ResourceType<KubeObject>, ref: ObjectRef, options: object): Promise<KubeObject>;
}

const refuse = (): never => {
  throw new Error('the test did not expect this request');
};

/** A client of which only some verbs work, each answered by the test. */
export function fakeClient(answers: FakeAnswers): Pick<KubeClient, 'resource'> {
  return {
    resource<T extends KubeObject>(type: ResourceType<T>): ResourceClient<T> {
      const resource = {
        get: (ref: ObjectRef) => answers.get?.(type, ref) ?? refuse(),
        list: (options: object = {}) => answers.list?.(type, options) ?? refuse(),
        create: (object: KubeObject, options: object = {}) => answers.create?.(type, object, options) ?? refuse(),
        patch: (ref: ObjectRef, patch: Patch, options: object = {}) =>
          answers.patch?.(type, ref, patch, options) ?? refuse(),
        delete: (ref: ObjectRef, options: object = {}) => answers.delete?.(type, ref, options) ?? refuse(),
      };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a fake knows less than the real one
      return resource as unknown as ResourceClient<T>;
    },
  };
}

/** The body of a patch, in the type that the code under test gives it. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function bodyOf<T>(patch: Patch): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the test knows who made it
  return patch.body as unknown as T;
}
