import { duplicates, type Fields, hasStep, type Rule, section, wrong } from './rule.ts';

export const registerRule: Rule = function* ({ content }) {
  const here = section(content, 'register').model_name;
  const there = content.model_registry?.model_name;
  if (here !== undefined && there !== undefined && here !== there) {
    yield wrong(['steps', 'register', 'model_name'], `differs from model_registry.model_name ("${there}")`);
  }
};

export const deployRule: Rule = function* ({ content }) {
  const deploy = section(content, 'deploy');
  const at = (key: string) => ['steps', 'deploy', key];
  const steps: readonly number[] | undefined = deploy.canary_steps;
  if (steps === undefined) return;
  const strategy: string = deploy.strategy ?? 'canary';
  if (strategy !== 'canary' && strategy !== 'shadow') {
    yield wrong(at('canary_steps'), `has no effect: strategy is ${strategy}`);
  }
  if (strategy === 'shadow' && steps.length > 1) yield wrong(at('canary_steps'), 'a shadow has one share');
  if (strategy === 'canary' && steps.includes(100)) {
    yield wrong(at('canary_steps'), 'must stay below 100: the rest of the traffic is the comparison');
  }
  if (steps.some((share, index) => index > 0 && share <= (steps[index - 1] ?? 0))) {
    yield wrong(at('canary_steps'), 'must ascend');
  }
};

/** Checks of a monitor's rule that compare with a bound. */
const boundedChecks = new Set(['missing_rate', 'error_rate', 'latency_p95_ms', 'performance']);

export const monitorRule: Rule = function* ({ content }) {
  if (!hasStep(content, 'monitor')) return;
  const monitor = section(content, 'monitor');
  if (!hasStep(content, 'deploy') && monitor.endpoint === undefined) {
    yield wrong(['steps', 'monitor', 'endpoint'], 'is missing: the recipe deploys no endpoint to watch');
  }
  const rules: readonly Fields[] = monitor.rules ?? [];
  const path = ['steps', 'monitor', 'rules'];
  yield* duplicates(
    rules.map((rule) => ({ name: rule.name ?? rule.check })),
    path,
  );
  for (const [index, rule] of rules.entries()) {
    if (boundedChecks.has(rule.check) && rule.threshold === undefined) {
      yield wrong([...path, index, 'threshold'], `is missing: ${rule.check} compares with it`);
    }
    if (rule.check === 'performance' && rule.metric === undefined) {
      yield wrong([...path, index, 'metric'], 'is missing: performance is measured by a metric');
    }
    if ((rule.fire_after ?? 1) > (rule.of_windows ?? rule.fire_after ?? 1)) {
      yield wrong([...path, index, 'fire_after'], `must be <= of_windows (${rule.of_windows})`);
    }
  }
};
