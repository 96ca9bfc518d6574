/** A function to minimise and its gradient at a point. */
export type Objective = (point: Float64Array) => { readonly value: number; readonly gradient: Float64Array };

export interface MinimiseOptions {
  /** Ends when no element of the gradient is larger. */
  readonly tolerance: number;
  readonly maxIterations: number;
}

export interface Minimum {
  readonly point: Float64Array;
  readonly value: number;
  readonly iterations: number;
  readonly converged: boolean;
}

interface Correction {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly inverse: number;
}

/** Corrections remembered. */
const memory = 10;

/**
 * Limited-memory BFGS (Nocedal and Wright, Numerical Optimization, 2nd ed., algorithms 7.4 and 7.5) with a
 * backtracking line search (Armijo condition). For smooth convex objectives.
 */
export const minimise = (objective: Objective, start: Float64Array, options: MinimiseOptions): Minimum => {
  let point: Float64Array = start;
  let { value, gradient } = objective(point);
  const corrections: Correction[] = [];
  for (let iteration = 0; iteration < options.maxIterations; iteration += 1) {
    if (largest(gradient) <= options.tolerance)
      return { point, value, iterations: iteration, converged: true };
    const direction = descentDirection(gradient, corrections);
    const next = lineSearch(objective, point, value, gradient, direction);
    // No smaller value in floating point: this is the minimum as well as it can be told.
    if (next === undefined) return { point, value, iterations: iteration, converged: true };
    remember(corrections, subtract(next.point, point), subtract(next.gradient, gradient));
    ({ point, value, gradient } = next);
  }
  return { point, value, iterations: options.maxIterations, converged: false };
};

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += (a[index] ?? 0) * (b[index] ?? 0);
  return sum;
};

const subtract = (a: Float64Array, b: Float64Array): Float64Array =>
  a.map((value, index) => value - (b[index] ?? 0));

const addScaled = (a: Float64Array, b: Float64Array, factor: number): Float64Array =>
  a.map((value, index) => value + factor * (b[index] ?? 0));

const largest = (values: Float64Array): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Minus the gradient times the approximated inverse Hessian: the two-loop recursion. */
const descentDirection = (gradient: Float64Array, corrections: readonly Correction[]): Float64Array => {
  let direction: Float64Array = gradient.map((value) => -value);
  const factors: number[] = [];
  for (const { step, change, inverse } of corrections.toReversed()) {
    const factor = inverse * dot(step, direction);
    factors.unshift(factor);
    direction = addScaled(direction, change, -factor);
  }
  const last = corrections.at(-1);
  if (last !== undefined) {
    const scale = 1 / (last.inverse * dot(last.change, last.change));
    direction = direction.map((value) => value * scale);
  }
  corrections.forEach(({ step, change, inverse }, index) => {
    direction = addScaled(direction, step, (factors[index] ?? 0) - inverse * dot(change, direction));
  });
  return direction;
};

const lineSearch = (
  objective: Objective,
  point: Float64Array,
  value: number,
  gradient: Float64Array,
  direction: Float64Array,
): { point: Float64Array; value: number; gradient: Float64Array } | undefined => {
  const slope = dot(gradient, direction);
  for (let length = 1; length > 1e-20; length /= 2) {
    const candidate = addScaled(point, direction, length);
    const result = objective(candidate);
    if (result.value < value + 1e-4 * length * slope) return { point: candidate, ...result };
  }
  return undefined;
};

const remember = (corrections: Correction[], step: Float64Array, change: Float64Array): void => {
  const curvature = dot(step, change);
  // Only a positive curvature keeps the approximation positive definite.
  if (curvature <= 1e-12 * dot(change, change)) return;
  corrections.push({ step, change, inverse: 1 / curvature });
  if (corrections.length > memory) corrections.shift();
};
