import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { rpcCallers, serviceNames } from '@millrace/service-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { callersByService } from '../helm/callers.ts';
import { run } from '../tools/cached-tool.ts';
import { installHelm } from '../tools/helm.ts';
import { validateManifests } from '../tools/kubernetes-schemas.ts';
import { isDocumented } from './documented-variables.ts';
import { runsPython } from './python-services.ts';

const chart = join(import.meta.dirname, '..', 'helm', 'millrace');
/** The oldest release that Chart.yaml admits, and the newest whose schemas there are. */
const releases = ['1.30.0', '1.37.0'];
const examples = globSync('ci/*-values.yaml', { cwd: chart }).sort();

interface Container {
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly securityContext: unknown;
  readonly readinessProbe?: unknown;
  readonly livenessProbe?: unknown;
  readonly startupProbe?: unknown;
  readonly resources?: { readonly limits?: { readonly memory?: string } };
}

interface Peer {
  readonly podSelector?: { readonly matchLabels?: Readonly<Record<string, string>> };
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly automountServiceAccountToken?: boolean;
  readonly spec: {
    readonly replicas?: number;
    readonly maxReplicas?: number;
    readonly template: {
      readonly spec: { readonly containers: readonly Container[] } & Record<string, unknown>;
    };
    readonly egress: readonly { readonly ports: readonly { readonly port: string | number }[] }[];
    readonly ingress: readonly {
      readonly ports: readonly { readonly port: string }[];
      readonly from?: readonly Peer[];
    }[];
  };
}

describe('the Helm chart', () => {
  let directory: string;
  let helm: string;
  const rendered = new Map<string, { readonly file: string; readonly manifests: readonly Manifest[] }>();

  const template = (...options: readonly string[]): Promise<string> =>
    run(helm, ['template', 'demo', chart, '--namespace', 'ml', '--kube-version', '1.34.0', ...options]);
  const withValues = (example: string, ...set: readonly string[]): Promise<string> =>
    template('--values', join(chart, example), ...set.flatMap((value) => ['--set', value]));
  const manifestsOf = (example: string, kind: string): readonly Manifest[] =>
    rendered.get(example)?.manifests.filter((manifest) => manifest.kind === kind) ?? [];
  const component = ({ metadata }: Manifest): string => metadata.labels['app.kubernetes.io/component'] ?? '';

  /** The services, and what keeps streams for them where they may not. */
  const servicesOf = (example: string) =>
    manifestsOf(example, 'Deployment').filter((deployment) => component(deployment) !== 'keeper');
  const keeperOf = (example: string) =>
    manifestsOf(example, 'Deployment').filter((deployment) => component(deployment) === 'keeper');

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-chart-'));
    helm = await installHelm();
    for (const example of examples) {
      const text = await withValues(example);
      const file = join(directory, basename(example));
      await writeFile(file, text);
      const manifests = parseAllDocuments(text)
        .map((document) => document.toJS() as Manifest | null)
        .filter((manifest) => manifest !== null);
      rendered.set(example, { file, manifests });
    }
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it.each(examples)(
    'with %s renders manifests that fit the schemas of Kubernetes',
    async (example) => {
      const { file, manifests } = rendered.get(example) ?? { file: '', manifests: [] };
      const foreign = manifests.filter(({ kind }) => kind === 'Certificate').length;
      for (const release of releases) {
        const { valid, unknownKinds } = await validateManifests(file, release);
        process.stdout.write(`${example}: ${valid} manifests fit Kubernetes ${release}\n`);
        expect(valid).toBe(manifests.length - foreign);
        expect(unknownKinds).toEqual(foreign > 0 ? ['Certificate'] : []);
      }
    },
    120_000,
  );

  it.each(examples)('with %s passes the linter', async (example) => {
    await run(helm, ['lint', '--strict', chart, '--values', join(chart, example)]);
  });

  it.each(examples)('with %s runs every service as somebody who may do little', (example) => {
    const deployments = servicesOf(example);
    expect(deployments.map(component).sort()).toEqual([...serviceNames].sort());
    for (const deployment of [...deployments, ...keeperOf(example)]) {
      const pod = deployment.spec.template.spec;
      expect(pod, component(deployment)).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      const [container] = pod.containers;
      expect(container).toMatchObject({ resources: { limits: { memory: expect.any(String) } } });
      expect(container?.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      if (component(deployment) === 'keeper') continue;
      expect(container?.image).toMatch(new RegExp(`/${component(deployment)}:0\\.1\\.0$`));
      expect(container?.ports).toEqual([
        { name: 'grpc', containerPort: 7701 },
        { name: 'http', containerPort: 7711 },
      ]);
      expect(container).toMatchObject({
        startupProbe: expect.anything(),
        readinessProbe: expect.anything(),
        livenessProbe: expect.anything(),
      });
    }
    for (const account of manifestsOf(example, 'ServiceAccount')) {
      expect(account.automountServiceAccountToken).toBe(false);
    }
    expect(manifestsOf(example, 'PodDisruptionBudget')).toHaveLength(serviceNames.length);
  });

  it.each(examples)('with %s sets only variables that docs/configuration.md has', (example) => {
    for (const deployment of manifestsOf(example, 'Deployment')) {
      const set = deployment.spec.template.spec.containers.flatMap(({ env }) => env.map(({ name }) => name));
      expect(
        set.filter((name) => !isDocumented(name)),
        component(deployment),
      ).toEqual([]);
      expect(new Set(set).size, `${component(deployment)} sets a variable twice`).toBe(set.length);
    }
  });

  it('holds no secret: what is secret is a reference', () => {
    for (const example of examples) {
      expect(manifestsOf(example, 'Secret')).toEqual([]);
      const text = readFileSync(rendered.get(example)?.file ?? '', 'utf8');
      expect(text).not.toMatch(/mongodb(\+srv)?:\/\/[^\s"]*:[^\s"]*@/);
      for (const deployment of manifestsOf(example, 'Deployment')) {
        const { env } = deployment.spec.template.spec.containers[0] ?? { env: [] };
        const secrets = env.filter(({ name }) => /(TOKEN|PASSWORD|SECRETS_KEY)$/.test(name));
        expect(secrets).toEqual([]);
      }
    }
  });

  it('lets through which service calls which as the services themselves decide', () => {
    const table = callersByService(rpcCallers);
    const written: unknown = JSON.parse(readFileSync(join(chart, 'files', 'callers.json'), 'utf8'));
    expect(written, 'run: node infra/helm/write-callers.ts').toEqual(table);
    const policies = manifestsOf('ci/production-values.yaml', 'NetworkPolicy').filter(
      (policy) => component(policy) !== 'keeper',
    );
    for (const policy of policies) {
      const name = component(policy) as keyof typeof table;
      const grpc = policy.spec.ingress.filter(({ ports }) => ports.some(({ port }) => port === 'grpc'));
      const callers = grpc.flatMap(({ from = [] }) =>
        from.map(({ podSelector }) => podSelector?.matchLabels?.['app.kubernetes.io/component']),
      );
      expect(callers, name).toEqual(table[name]);
    }
    expect(policies).toHaveLength(serviceNames.length);
  });

  it.each(examples)(
    'with %s keeps environments of Python where all pods that run it find them',
    (example) => {
      const shared = example === 'ci/production-values.yaml';
      expect(manifestsOf(example, 'PersistentVolumeClaim').map(component).includes('python')).toBe(shared);
      for (const deployment of servicesOf(example)) {
        const pod = deployment.spec.template.spec;
        const mounts = pod.containers.flatMap(({ volumeMounts }) =>
          volumeMounts.filter(({ mountPath }) => mountPath === '/data/python'),
        );
        expect(mounts, component(deployment)).toHaveLength(
          shared && runsPython(component(deployment)) ? 1 : 0,
        );
      }
      const reaching = manifestsOf(example, 'NetworkPolicy').filter(({ spec }) =>
        spec.egress.some(({ ports }) => ports.length === 1 && ports[0]?.port === 443),
      );
      // Without S3 nothing else goes there.
      if (example === 'ci/small-values.yaml') {
        expect(reaching.map(component).sort()).toEqual(serviceNames.filter(runsPython).sort());
      }
    },
  );

  it('scales only what may run several times', () => {
    const scaled = manifestsOf('ci/production-values.yaml', 'HorizontalPodAutoscaler').map(component);
    expect(scaled.sort()).toEqual(['evaluation', 'gateway', 'ingest', 'training']);
    for (const deployment of manifestsOf('ci/small-values.yaml', 'Deployment')) {
      expect(deployment.spec.replicas).toBe(1);
    }
  });

  const production = 'ci/production-values.yaml';
  const small = 'ci/small-values.yaml';
  const refused = [
    [
      'a second deployment',
      production,
      'services.deployment.replicas=2',
      'services.deployment: one replica at most',
    ],
    [
      'a second pipeline',
      production,
      'services.pipeline.replicas=2',
      'services.pipeline: one replica at most',
    ],
    [
      'a second monitoring',
      production,
      'services.monitoring.replicas=2',
      'services.monitoring: one replica at most',
    ],
    ['two pods on one SQLite file', small, 'services.registry.replicas=2', 'use store.type=mongodb'],
    [
      'blobs on a volume that one pod can mount',
      small,
      'blobs.volume.accessMode=ReadWriteOnce',
      'needs ReadWriteMany',
    ],
    [
      'environments on a volume that one pod can mount',
      production,
      'python.volume.accessMode=ReadWriteOnce',
      'use python.type=data',
    ],
    ['S3 without its address', production, 'blobs.s3.url=', 'blobs.s3.url is needed'],
    ['no broker', small, 'nats.url=', 'nats.url: the address of a NATS server'],
    ['a keeper for services that may do everything', small, 'nats.streamsKeptBy=keeper', 'need no keeper'],
    ['MongoDB without its address', production, 'store.mongodb.url=', 'store.mongodb.url and'],
    ['a password in an address', production, 'store.mongodb.url=mongodb://me:pass@host', 'store/mongodb/url'],
    ['the tag latest', small, 'image.tag=latest', 'image/tag'],
    ['a value that it does not know', small, 'services.registry.replica=2', 'replica'],
    ['a service that there is not', small, 'services.console.replicas=1', 'console'],
  ] as const;

  it.each(refused)('refuses %s', async (_what, example, set, message) => {
    await expect(withValues(example, set)).rejects.toThrow(message);
  });

  it('refuses services that anybody may call', async () => {
    const open = ['tls.enabled=false', 'tls.certManager.enabled=false', 'networkPolicy.enabled=false'];
    await expect(withValues(small, ...open)).rejects.toThrow(
      'any pod of the cluster could call every service',
    );
  });
});
