import { describe, expect, it } from 'vitest';
import { type Manifest, rbacManifests } from './rbac.ts';

const manifests = (approveServingCertificates = false, placement = false): readonly Manifest[] =>
  rbacManifests({ installation: 'spillway', nodeNames: ['vk-1', 'vk-2'], approveServingCertificates, placement });

const withAdmission = (rules: boolean): readonly Manifest[] =>
  rbacManifests({
    installation: 'spillway',
    nodeNames: ['vk-1'],
    approveServingCertificates: false,
    placement: false,
    admission: { namespace: 'hooks', rules },
  });

const roleText = (objects: readonly Manifest[], name: string): string =>
  JSON.stringify(objects.find(({ kind, metadata }) => kind === 'ClusterRole' && metadata?.name === name));

const all = (installation: string): readonly Manifest[] =>
  rbacManifests({
    installation,
    nodeNames: ['vk-1'],
    approveServingCertificates: true,
    placement: true,
    leaderElection: { namespace: 'spillway-system', leaseNames: ['a'] },
    admission: { namespace: 'spillway-system', rules: true },
  });
const keys = (objects: readonly Manifest[]): string[] =>
  objects.map(({ kind, metadata }) => `${kind} ${metadata?.namespace ?? ''} ${metadata?.name}`);

describe('the generated rights', () => {
  it('let the node agent be its own nodes and nothing else', () => {
    const agent = roleText(manifests(), 'spillway-node-agent');
    expect(agent).toContain('"resourceNames":["system:node:vk-1","system:node:vk-2"]');
    expect(agent).toContain('"resourceNames":["system:nodes"]');
    expect(agent.match(/"verbs":\[[^\]]*\]/g)).toEqual(['"verbs":["impersonate"]', '"verbs":["impersonate"]']);
  });

  it('name neither Secrets nor tokens, and no wildcard', () => {
    for (const word of ['secrets', 'token', '"*"']) expect(JSON.stringify(manifests(true))).not.toContain(word);
  });

  it('let pods be patched, and an admission policy that comes before says which and what of them', () => {
    const objects = manifests();
    expect(roleText(objects, 'spillway-controller')).toContain('"resources":["pods"],"verbs":["patch"]');
    const kinds = objects.map(({ kind }) => kind);
    const binding = kinds.indexOf('ValidatingAdmissionPolicyBinding');
    expect(binding).toBeGreaterThan(0);
    expect(binding).toBeLessThan(kinds.indexOf('ClusterRole'));
    const policy = JSON.stringify(objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy'));
    expect(policy).toContain('system:serviceaccount:spillway-system:spillway');
    expect(policy).toContain(String.raw`in [\"vk-1\",\"vk-2\"]`);
  });

  it.each([false, true])(
    'let pods be written in no way that no admission policy looks at (placement: %s)',
    (placement) => {
      const operationOf: Readonly<Record<string, string>> = {
        create: 'CREATE',
        update: 'UPDATE',
        patch: 'UPDATE',
        delete: 'DELETE',
        deletecollection: 'DELETE',
      };
      const objects = manifests(false, placement);
      const allowed = objects
        .flatMap((object) => (object.kind === 'ClusterRole' ? (object.rules ?? []) : []))
        .flatMap(({ resources = [], verbs }) =>
          resources
            .filter((resource) => /^pods(\/|$)/.test(resource))
            .flatMap((resource) =>
              verbs.flatMap((verb) => (operationOf[verb] ? [`${operationOf[verb]} ${resource}`] : [])),
            ),
        );
      const guarded = objects
        .flatMap((object) => (object.kind === 'ValidatingAdmissionPolicy' ? [object] : []))
        .flatMap(({ spec }) => spec?.matchConstraints?.resourceRules ?? [])
        .flatMap(({ operations = [], resources = [] }) =>
          operations.flatMap((operation) => resources.map((resource) => `${operation} ${resource}`)),
        );
      expect(new Set(guarded)).toEqual(new Set(allowed));
      const binding = objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding');
      expect(binding.length).toBe(guarded.length);
    },
  );

  it('let placement take back only what waits on its own nodes, and bind pods to no other node', () => {
    const policies = new Map(
      manifests(false, true).flatMap((object) =>
        object.kind === 'ValidatingAdmissionPolicy' ? [[object.metadata?.name, JSON.stringify(object)] as const] : [],
      ),
    );
    const own = String.raw`in [\"vk-1\",\"vk-2\"]`;
    const deletions = policies.get('spillway-pod-deletions');
    expect(deletions).toContain(own);
    expect(deletions).toContain(String.raw`.orValue(\"Pending\") == \"Pending\"`);
    expect(policies.get('spillway-pod-bindings')).toContain(`object.target.name ${own}`);
    const status = policies.get('spillway-pod-status-writes');
    for (const field of ['status.?phase', 'status.?containerStatuses', 'metadata.?annotations']) {
      expect(status).toContain(`object.${field} == oldObject.${field}`);
    }
  });

  it('let placement see and bind pods, change no workload, read no Secret, and no wildcard, where it runs', () => {
    expect(JSON.stringify(manifests())).not.toContain('spillway-placement');
    const placement = roleText(manifests(false, true), 'spillway-placement');
    expect(placement).toContain('{"apiGroups":[""],"resources":["pods/binding"],"verbs":["create"]}');
    expect(placement).toContain('{"apiGroups":["apps"],"resources":["replicasets"],"verbs":["list","watch"]}');
    for (const watched of ['services', 'endpointslices', 'ingresses']) {
      expect(placement).toContain(`"resources":["${watched}"],"verbs":["list","watch"]`);
    }
    for (const word of ['secrets', 'configmaps', 'token', 'scale', 'update', 'deployments', '"*"']) {
      expect(placement).not.toContain(word);
    }
    expect(placement.match(/"create"/g)).toHaveLength(2);
  });

  it('restrict everything but the registration to the names of the nodes', () => {
    const controller = roleText(manifests(), 'spillway-controller');
    expect(controller).toContain('"resources":["nodes"],"verbs":["create"]');
    expect(controller).toContain('"resources":["nodes"],"resourceNames":["vk-1","vk-2"]');
  });

  it('contain the approval of certificates only when it is wanted', () => {
    expect(JSON.stringify(manifests())).not.toContain('certificates');
    expect(roleText(manifests(true), 'spillway-controller')).toContain(
      '"resourceNames":["kubernetes.io/kubelet-serving"]',
    );
  });

  it('reach the leases of the pools, and no others, only where replicas elect a leader', () => {
    expect(JSON.stringify(manifests())).not.toContain('leases');
    const objects = rbacManifests({
      installation: 'spillway',
      nodeNames: ['vk-1'],
      approveServingCertificates: false,
      placement: false,
      namespace: 'spillway-system',
      leaderElection: { namespace: 'elections', leaseNames: ['spillway-a', 'spillway-b'] },
    });
    const own = objects.filter(({ metadata }) => metadata?.name === 'spillway-leader-election');
    expect(own).toMatchObject([
      {
        kind: 'Role',
        metadata: { namespace: 'elections' },
        rules: [
          { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
          { resources: ['leases'], resourceNames: ['spillway-a', 'spillway-b'], verbs: ['get', 'update'] },
        ],
      },
      { kind: 'RoleBinding', subjects: [{ name: 'spillway', namespace: 'spillway-system' }] },
    ]);
    expect(JSON.stringify(objects.filter(({ kind }) => kind === 'ClusterRole'))).not.toContain('leases');
  });

  it('let the admission webhooks be set up and reach one Secret, and with the rules touch stalled workloads', () => {
    expect(JSON.stringify(manifests())).not.toContain('spillway-admission');
    const role = roleText(withAdmission(false), 'spillway-admission');
    expect(role).toContain('"resources":["mutatingwebhookconfigurations"],"resourceNames":["spillway"]');
    expect(role).not.toMatch(/events|status|secrets/);
    expect(roleText(withAdmission(true), 'spillway-admission')).toContain(
      '"resources":["replicasets/status","statefulsets/status"]',
    );
    expect(withAdmission(true)).toContainEqual(
      expect.objectContaining({
        kind: 'Role',
        metadata: expect.objectContaining({ namespace: 'hooks' }) as unknown,
        rules: [
          { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
          {
            apiGroups: [''],
            resources: ['secrets'],
            resourceNames: ['spillway-admission-authority'],
            verbs: ['get', 'update'],
          },
        ],
      }),
    );
  });

  it('let the link server read Services and endpoints, review tokens, and share one Secret', () => {
    expect(JSON.stringify(manifests())).not.toContain('spillway-link');
    const objects = rbacManifests({
      installation: 'spillway',
      nodeNames: ['v'],
      approveServingCertificates: false,
      placement: false,
      link: { namespace: 'links' },
    });
    const role = roleText(objects, 'spillway-link');
    expect(role).toContain('"resources":["services"],"verbs":["list","watch"]');
    expect(role).toContain('"resources":["endpointslices"],"verbs":["list","watch"]');
    expect(role).toContain('"resources":["tokenreviews"],"verbs":["create"]');
    expect(objects).toContainEqual(
      expect.objectContaining({
        kind: 'ClusterRoleBinding',
        roleRef: expect.objectContaining({ name: 'spillway-link-tokens' }) as unknown,
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'system:node:v' }],
      }),
    );
    expect(JSON.stringify(objects)).toContain('"resourceNames":["spillway-link-authority"],"verbs":["get","update"]');
  });

  it('of two installations are different objects, but for the namespace, and bind only the own account', () => {
    const others = keys(all('second'));
    expect(keys(all('spillway')).filter((key) => others.includes(key))).toEqual(['Namespace  spillway-system']);
    expect(JSON.stringify(all('second'))).toContain('system:serviceaccount:spillway-system:second');
    const names = JSON.stringify(all('second')).match(/"(resourceNames|name)":[^,}]*"spillway[^,}]*/g);
    expect(new Set(names)).toEqual(new Set(['"name":"spillway-system"', '"name":"spillway"']));
  });

  it('belong to one account in one namespace', () => {
    const objects = rbacManifests({
      installation: 'spillway',
      nodeNames: ['vk-1'],
      approveServingCertificates: false,
      placement: false,
      namespace: 'elsewhere',
    });
    expect(objects.map(({ kind }) => kind)).toEqual([
      'Namespace',
      'ServiceAccount',
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicyBinding',
      'ClusterRole',
      'ClusterRoleBinding',
      'ClusterRole',
      'ClusterRoleBinding',
      'RoleBinding',
    ]);
    const subjects = objects.flatMap((object) => ('subjects' in object ? (object.subjects ?? []) : []));
    expect(new Set(subjects.map(({ name, namespace }) => `${namespace}/${name}`))).toEqual(
      new Set(['elsewhere/spillway']),
    );
  });
});
