import { isAtLeast, minimumVersion } from '@millrace/broker';
import type { CertificateReport, Diagnosis, ServiceReport } from '@millrace/installation';
import { judgeDisk, judgeFiles } from './disk-findings.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const second = 1_000;
const day = 86_400_000;
/** Clocks may differ so much; beyond, times in the audit log and leases of tokens are wrong. */
const skew = { warn: 2 * second, fail: 60 * second } as const;
/** How long a message may wait for the broker. */
const unsent = { warn: 60 * second, fail: 600 * second } as const;
const expiry = { warn: 14 * day, fail: 0 } as const;
const clockAdvice =
  'Set the clocks by NTP on every machine (`timedatectl set-ntp true`); containers have the clock of their host.';

/** Everything that can be told from what the gateway found out. `gatewaySkewMs`: its clock less this machine's. */
export const judgeDiagnosis = (diagnosis: Diagnosis, gatewaySkewMs: number): readonly Finding[] => {
  const reports = Object.values(diagnosis.services).flatMap((item) =>
    'report' in item ? [item.report] : [],
  );
  return [
    ...judgeServices(diagnosis),
    judgeVersions('versions of services', reports, ({ version }) => version),
    judgeVersions('Node of services', reports, ({ node }) => node),
    ...judgeStores(reports),
    ...judgeBlobs(reports),
    ...judgeDisks(reports),
    ...judgeLimits(reports),
    ...judgeClocks(diagnosis, gatewaySkewMs),
    ...judgeBroker(diagnosis.broker),
    ...judgeCertificates(
      reports.flatMap(({ certificates }) => certificates),
      Date.parse(diagnosis.time),
    ),
    judgeAccess(diagnosis.access),
    judgeTraces(reports),
  ];
};

const judgeServices = ({ services }: Diagnosis): readonly Finding[] =>
  Object.entries(services).map(([name, item]) => {
    const check = `service ${name}`;
    if ('problem' in item) {
      return fail(
        check,
        `does not answer: ${item.problem}`,
        `Start it (\`millrace restart ${name}\`, or its pod), and look for its lines in the log: grep '"service":"${name}"'.`,
      );
    }
    const { version, pid, host, uptimeMs, problems } = item.report;
    const about = `${version}, process ${pid} on ${host} for ${Math.round(uptimeMs / second)} s`;
    const told = Object.entries(problems).map(([part, text]) => `${part}: ${text}`);
    if (told.length === 0) return ok(check, `ready; ${about}`);
    return fail(check, `${told.join('; ')}; ${about}`, adviceFor(Object.keys(problems)));
  });

const adviceFor = (parts: readonly string[]): string => {
  if (parts.includes('store'))
    return 'Mend its store: disk, permissions, or the address and user of MongoDB.';
  if (parts.includes('bus'))
    return 'Mend the broker (see the checks of NATS): services reconnect by themselves.';
  if (parts.includes('kafka'))
    return 'Mend Kafka or MILLRACE_KAFKA_BROKERS: `millrace bridge` tells what it answers.';
  return 'Look at its lines in the log; what is starting is ready within seconds.';
};

const judgeVersions = (
  check: string,
  reports: readonly ServiceReport[],
  versionOf: (report: ServiceReport) => string,
): Finding => {
  const versions = [...new Set(reports.map(versionOf))].sort();
  if (versions.length <= 1) return ok(check, versions[0] ?? 'none answers');
  const told = versions.map(
    (version) =>
      `${version}: ${reports
        .filter((report) => versionOf(report) === version)
        .map(({ service }) => service)
        .join(', ')}`,
  );
  return warn(
    check,
    told.join('; '),
    'Right while an upgrade goes on; else restart those with the older one: docs/operations/upgrade.md.',
  );
};

const judgeStores = (reports: readonly ServiceReport[]): readonly Finding[] => {
  const broken = reports.flatMap(({ service, store, time }) => {
    const check = `store of ${service}`;
    if (store.problem !== undefined) {
      return [
        fail(
          check,
          `${store.kind}: ${store.problem}`,
          'Mend its disk or database; restore a backup of a damaged one.',
        ),
      ];
    }
    const age = store.oldestUnsent === undefined ? 0 : Date.parse(time) - Date.parse(store.oldestUnsent);
    if (age < unsent.warn) return [];
    const found = `${store.unsent} messages wait for the broker, the oldest for ${Math.round(age / second)} s`;
    const advice =
      'They are sent when the broker takes them: see the checks of NATS. Nothing is lost meanwhile.';
    return [age < unsent.fail ? warn(check, found, advice) : fail(check, found, advice)];
  });
  if (broken.length > 0) return broken;
  const kinds = [...new Set(reports.map(({ store }) => store.kind))].join(', ');
  const waiting = reports.reduce((sum, { store }) => sum + (store.unsent ?? 0), 0);
  return [
    ok(
      'stores',
      `${reports.length} in ${kinds || 'nothing'}; ${waiting} messages on their way to the broker`,
    ),
  ];
};

const judgeBlobs = (reports: readonly ServiceReport[]): readonly Finding[] => {
  const broken = reports.filter(({ blobs }) => blobs.problem !== undefined);
  if (broken.length > 0) {
    return broken.map(({ service, blobs }) =>
      fail(
        `blobs of ${service}`,
        `${blobs.kind}: ${blobs.problem}`,
        blobs.kind === 's3'
          ? 'Check MILLRACE_BLOBS_URL, the bucket, and what its user may do: docs/operations/storage.md.'
          : 'Check that the directory is there, writable, and on a disk with space.',
      ),
    );
  }
  const kinds = [...new Set(reports.map(({ blobs }) => blobs.kind))];
  if (kinds.length > 1) {
    return [
      fail(
        'blobs',
        `services keep them in ${kinds.join(' and ')}`,
        'Give all services the same MILLRACE_BLOBS_URL.',
      ),
    ];
  }
  return [ok('blobs', `${kinds[0] ?? 'nothing'}: every service can write and read`)];
};

/** One finding per disk, however many services are on it. */
const judgeDisks = (reports: readonly ServiceReport[]): readonly Finding[] => {
  const disks = new Map(
    reports.flatMap(({ host, disk }) =>
      disk === undefined ? [] : [[`${host} ${disk.path}`, { host, disk }] as const],
    ),
  );
  return [...disks.values()].map(({ host, disk }) => judgeDisk(`disk of ${host}`, disk));
};

const judgeLimits = (reports: readonly ServiceReport[]): readonly Finding[] => {
  const findings = reports.flatMap(({ service, files }) =>
    files === undefined ? [] : [judgeFiles(`open files of ${service}`, files)],
  );
  const bad = findings.filter(({ state }) => state !== 'ok');
  if (bad.length > 0 || findings.length === 0) return bad;
  const most = Math.max(...reports.map(({ files }) => files?.open ?? 0));
  return [ok('open files', `at most ${most} of one process`)];
};

const judgeClocks = ({ services, broker }: Diagnosis, gatewaySkewMs: number): readonly Finding[] => {
  const clocks = [
    ['the gateway, against this machine', gatewaySkewMs] as const,
    ...Object.entries(services).flatMap(([name, item]) =>
      'report' in item && name !== 'gateway' ? [[`${name}, against the gateway`, item.skewMs] as const] : [],
    ),
    ...('problem' in broker ? [] : [['the broker, against the gateway', broker.skewMs] as const]),
  ];
  const off = clocks.filter(([, ms]) => Math.abs(ms) >= skew.warn);
  if (off.length === 0) {
    const most = Math.max(0, ...clocks.map(([, ms]) => Math.abs(ms)));
    return [ok('clocks', `${clocks.length} compared, at most ${Math.round(most)} ms apart`)];
  }
  return off.map(([whose, ms]) => {
    const found = `${whose}: ${(Math.abs(ms) / second).toFixed(1)} s ${ms > 0 ? 'ahead' : 'behind'}`;
    return Math.abs(ms) < skew.fail ? warn('clocks', found, clockAdvice) : fail('clocks', found, clockAdvice);
  });
};

const streamAdvice: Readonly<Record<string, string>> = {
  missing: 'Restart the services (or the keeper): they make it again and publish again what it had.',
  lost_messages:
    'It lost messages; services publish them again at their next start: `millrace restart`. Look at the disk of the broker.',
  replica_behind: 'Wait for the server that is behind, or mend it: docs/operations/broker.md.',
};
const consumerAdvice: Readonly<Record<string, string>> = {
  missing: 'Restart its service: it makes its consumers at the start.',
  ahead_of_stream: 'Restart its service: it replaces a consumer that is further than its stream.',
  paused: 'Somebody paused it: `nats consumer resume`.',
  not_read: 'Its service does not ask for messages: see whether it runs, and restart it.',
  stuck:
    'A handler does not come to an end: look at its service in the log, mend what it waits for, then restart it.',
  gave_up:
    'The broker gave up on messages: see `millrace dead list`, and restart its service so that it buries them.',
};

const judgeBroker = (broker: Diagnosis['broker']): readonly Finding[] => {
  if ('problem' in broker) {
    return [
      fail(
        'NATS',
        broker.problem,
        'Start the broker, or mend NATS_URL and its credentials. Writes go on meanwhile; events wait in the stores.',
      ),
    ];
  }
  const { version, streams, consumers } = broker;
  const badStreams = streams.flatMap(({ name, problem, replicas }) =>
    problem === undefined
      ? []
      : [
          (problem === 'replica_behind' ? warn : fail)(
            `stream ${name}`,
            `${problem.replaceAll('_', ' ')}${replicas === undefined ? '' : ` (${replicas.current} of ${replicas.wanted} copies)`}`,
            streamAdvice[problem] ?? 'See docs/operations/broker.md.',
          ),
        ],
  );
  const badConsumers = consumers.flatMap(({ name, stream, pending, unacknowledged, stalledMs, problem }) =>
    problem === undefined
      ? []
      : [
          fail(
            `consumer ${name} of ${stream}`,
            `${problem.replaceAll('_', ' ')}; ${pending} wait, ${unacknowledged} in hand, for ${Math.round(stalledMs / second)} s`,
            consumerAdvice[problem] ?? 'See docs/operations/broker.md.',
          ),
        ],
  );
  const lag = Math.max(0, ...consumers.map(({ pending }) => pending));
  return [
    isAtLeast(version, minimumVersion)
      ? ok('NATS', version)
      : fail(
          'NATS',
          version,
          `Install ${minimumVersion} or newer: older ones lose messages and lack security fixes.`,
        ),
    ...badStreams,
    ...badConsumers,
    ...(badStreams.length > 0
      ? []
      : [
          ok(
            'streams',
            `${streams.length}, ${streams.reduce((sum, { messages }) => sum + messages, 0)} messages`,
          ),
        ]),
    ...(badConsumers.length > 0
      ? []
      : [ok('consumers', `${consumers.length}, at most ${lag} messages behind`)]),
  ];
};

/** The expiry of certificates, each file once. */
export const judgeCertificates = (
  certificates: readonly CertificateReport[],
  now: number,
): readonly Finding[] => {
  const byFile = new Map(certificates.map((certificate) => [certificate.file, certificate]));
  const findings = [...byFile.values()].map(({ file, notAfter }) => {
    const check = `certificate ${file}`;
    const left = Date.parse(notAfter) - now;
    const advice =
      'Renew it: `millrace certs renew`, or replace the file; services read it again without a restart.';
    if (left <= expiry.fail) return fail(check, `ended ${notAfter}`, advice);
    if (left < expiry.warn) return warn(check, `ends ${notAfter}`, advice);
    return ok(check, `good until ${notAfter}`);
  });
  const bad = findings.filter(({ state }) => state !== 'ok');
  if (bad.length > 0 || findings.length === 0) return bad;
  const first = Math.min(...[...byFile.values()].map(({ notAfter }) => Date.parse(notAfter)));
  return [ok('certificates', `${findings.length}, the first ends ${new Date(first).toISOString()}`)];
};

const judgeAccess = ({ open, onLoopback }: Diagnosis['access']): Finding => {
  if (!open) return ok('access', 'the gateway wants a token');
  const advice = 'Set MILLRACE_TOKEN at the gateway, then make tokens for users: `millrace tokens create`.';
  return onLoopback
    ? warn('access', 'everybody on this machine may do everything: the gateway has no token', advice)
    : fail('access', 'everybody who reaches the gateway may do everything', advice);
};

const judgeTraces = (reports: readonly ServiceReport[]): Finding => {
  const targets = [...new Set(reports.map(({ tracesTo }) => tracesTo ?? 'the gateway only'))];
  if (targets.length <= 1) return ok('traces', `to ${targets[0] ?? 'nowhere'}`);
  return warn(
    'traces',
    `services send them to ${targets.join(' and to ')}`,
    'Give all services the same OTEL_EXPORTER_OTLP_ENDPOINT.',
  );
};
